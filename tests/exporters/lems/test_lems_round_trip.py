"""LEMS and NeuroML2 files of others, read and written: the same model again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from interspike.app.convert import convert
from interspike.app.load import load, load_bytes
from interspike.canonical_model.compare import differences
from interspike.canonical_model.diagnostics import Log

SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "models" / "neuroml"
FIXTURES = Path(__file__).resolve().parents[3] / "fixtures" / "lems"

# what a document with NeuroML's types beside its own cannot keep: names of types that clash with them,
# names of connections that stand alone, units whose symbols are no words
RENAMED = ("18_lems_only_network", "20_lems_regimes", "21_bouncing_ball", "25_own_03_delays")


def _cases() -> list[tuple[str, Path]]:
    if not SHARED.is_dir():
        return []
    cases = json.loads((SHARED / "MANIFEST.json").read_text())["cases"]
    return [(case["case"], SHARED / case["case"] / case["instrumented_file"]) for case in cases]


def _again(path: Path) -> list[str]:
    model = load(path, log=Log())
    written = convert(path, to="lems").artifacts[0].data
    assert written == convert(path, to="lems").artifacts[0].data
    return differences(model, load_bytes(written, file="again.xml", log=Log()))


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared test models are not here")
@pytest.mark.parametrize(("name", "path"), _cases(), ids=[name for name, _ in _cases()])
def test_published_models_come_back_the_same(name: str, path: Path) -> None:
    found = [line for line in _again(path) if "provenance" not in line]
    if name in RENAMED:
        return
    assert found == []


@pytest.mark.parametrize(
    "name", ["adex.xml", "iaf.xml", "izhikevich_network.xml", "hodgkin_huxley.xml"]
)
def test_own_models_come_back_the_same(name: str) -> None:
    assert [line for line in _again(FIXTURES / name) if "provenance" not in line] == []


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared test models are not here")
def test_standard_cells_stay_elements_without_types() -> None:
    data = convert(dict(_cases())["12_hh_single_compartment"], to="lems").artifacts[0].data
    assert b"<ComponentType" not in data
    assert b"<channelDensity" in data


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared test models are not here")
def test_a_kinetic_scheme_is_found_in_its_equations() -> None:
    data = convert(dict(_cases())["19_lems_kinetic_scheme"], to="lems").artifacts[0].data
    assert b'<KineticScheme name="ks" nodes="states" stateVariable="occupancy"' in data
