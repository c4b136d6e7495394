"""Every file of the shared NineML models behaves as its manifest says; invalid ones name the right line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from interspike.canonical_model.compare import differences
from interspike.canonical_model.diagnostics import Level, Log, ModelError
from interspike.canonical_model.draw import drawn
from interspike.canonical_model.verify import verify_model
from interspike.importers.nineml.reader import read

SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "models" / "nineml"
pytestmark = pytest.mark.skipif(not SHARED.exists(), reason="the shared models are not here")
MANIFEST = json.loads((SHARED / "MANIFEST.json").read_text()) if SHARED.exists() else {"files": []}
ENTRIES = [entry for entry in MANIFEST["files"] if entry.get("kind") != "reference trace"]
WRONG = {
    "undeclared_symbol": (11, "X111"), "dimension_mismatch": (11, "U204"),
    "unused_parameter": (7, "X112"), "bare_zero_voltage": (14, "U204"),
    "duplicate_regime_name": (18, "X110"), "unknown_target_regime": (12, "X114"),
    "case_clash": (10, "X110"), "alias_cycle": (18, "X113"), "missing_unit_definition": (20, "X042"),
}  # fmt: skip


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["file"])
def test_as_the_manifest_says(entry: dict[str, str]) -> None:
    path = SHARED / entry["file"]
    if entry.get("expect") == "reject":
        with pytest.raises(ModelError) as caught:
            read(path, None, log=Log())
        line, code = WRONG[path.stem]
        issue = caught.value.issues[0]
        assert issue.span and (issue.span.line, issue.code) == (line, code)
        return
    log = Log()
    model = read(path, None, log=log)
    assert not [issue for issue in log if issue.level is Level.ERROR]
    assert not verify_model(model)


PAIRS = [
    ("authored/lif_refractory.yml", f"authored/lif_refractory{end}")
    for end in (".xml", ".json", "_v2.yml", "_v2.xml", "_py3binary.yml")
] + [
    ("authored/izhikevich_rs.yml", "authored/izhikevich_rs.xml"),
    ("authored/userlayer_mix.yml", "authored/userlayer_mix.xml"),
    ("multi/iaf_alpha_multi_v1.yml", "multi/iaf_alpha_multi_v2.xml"),
    ("library_examples/comprehensive_v1.yml", "library_examples/comprehensive_v1.xml"),
    ("library_examples/comprehensive_v2.yml", "library_examples/comprehensive_v2.xml"),
]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_serialisations_have_the_same_things(one: str, other: str) -> None:
    """Order and spelling of expressions are the library's; names, dimensions and values must agree."""
    first, second = (read(SHARED / name, None, log=Log()) for name in (one, other))
    by_name = {component.name: component for component in second.components}
    assert sorted(c.name for c in first.components) == sorted(by_name)
    for component in first.components:
        twin = by_name[component.name]
        for kind in ("parameters", "constants", "state_variables", "analog_inputs", "exposures"):
            left, right = (
                sorted(getattr(c, kind), key=lambda i: i.name) for c in (component, twin)
            )
            assert [i.name for i in left] == [i.name for i in right]
            assert [i.dimension for i in left] == [i.dimension for i in right]
        values = [{p.name: p.value for p in c.parameters} for c in (component, twin)]
        assert values[0] == values[1]


def test_a_population_takes_its_arrays() -> None:
    model = read(SHARED / "authored" / "userlayer_mix.yml", None, log=Log())
    assert model.network is not None
    taus = model.network.population("Exc").parameters["tau"]
    assert list(taus) == pytest.approx([0.018 + 0.0005 * k for k in range(8)])
    network = drawn(model.network)
    assert network.population("Exc").initial["v"].shape == (8,)
    (projection, other) = network.projections
    assert {projection.target, other.target} == {"Exc", "Inh"}
    joined = list(projection.post) + [8 + k for k in other.post]
    assert sorted(joined) == sorted([*range(10), *range(10)])
    assert projection.delay is not None and projection.delay[0] == pytest.approx(1.5e-3)


def test_the_joined_and_the_flat_model_are_one() -> None:
    """`flatten` of the reference library against our joining: same quantities, same equations."""
    from interspike.canonical_model.passes.product import one_machine

    joined = read(SHARED / "multi" / "iaf_alpha_multi_v1.yml", None, log=Log())
    flat = read(SHARED / "multi" / "iaf_alpha_flat.yml", None, log=Log()).components[0]
    ours = one_machine(joined.component("IafAlpha"))
    for kind in ("parameters", "state_variables", "event_inputs", "event_outputs"):
        names = [sorted(item.name for item in getattr(c, kind)) for c in (ours, flat)]
        assert names[0] == names[1]
    regimes = [
        {frozenset(r.name.split("___")): r for r in c.machines[0].regimes} for c in (ours, flat)
    ]
    subthreshold = [next(r for n, r in found.items() if "subthreshold" in n) for found in regimes]
    odes = [{o.variable: o.rhs for o in regime.odes} for regime in subthreshold]
    assert odes[0].keys() == odes[1].keys()
    assert odes[0] == odes[1]


def test_the_same_bytes_give_the_same_model() -> None:
    path = SHARED / "authored" / "userlayer_mix.yml"
    assert not differences(read(path, None, log=Log()), read(path, None, log=Log()))
