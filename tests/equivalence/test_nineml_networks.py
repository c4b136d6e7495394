"""Networks in NineML on the chip's emulator: the same spikes, or as many where random sources drive them."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from interspike.app.verify import verify
from interspike.canonical_model.diagnostics import Log

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "models" / "nineml"
LESS = 100  # times fewer cells and connections of each cell


@pytest.mark.parametrize("path", [ROOT / "fixtures/nineml/rules.xml",
                                  SHARED / "authored/userlayer_mix.yml"], ids=lambda p: p.name)  # fmt: skip
def test_the_chip_spikes_as_the_grid(path: Path) -> None:
    if not path.exists():
        pytest.skip("the shared models are not here")
    found = verify(path, to="spinnaker2", length="50 ms", log=Log())
    assert found.verdict == "same"


@pytest.mark.skipif(not SHARED.exists(), reason="the shared models are not here")
def test_a_small_brunel_network(tmp_path: Path) -> None:
    """Brunel's network with a hundredth of its cells: in each population as many spikes on both."""
    shutil.copytree(SHARED / "catalog", tmp_path / "catalog")
    path = tmp_path / "catalog/network/Brunel2000/AI.xml"

    def fewer(found: re.Match[str]) -> str:
        return f"{found[1]}{max(int(found[2]) // LESS, 1)}{found[3]}"

    text = re.sub(r"(<Size>)(\d+)(</Size>)", fewer, path.read_text())
    text = re.sub(r"(<SingleValue>)(1000|250)(</SingleValue>)", fewer, text)
    path.write_text(text)
    (trial,) = verify(path, to="spinnaker2", length="8 ms", log=Log()).trials
    assert trial.verdict == "same"
    counts = {"Ext": [0, 0], "Exc": [0, 0], "Inh": [0, 0]}
    for item in trial.distances:
        name = item.name.partition("[")[0]
        if any(item.spikes) and name in counts:
            counts[name] = [a + b for a, b in zip(counts[name], item.spikes, strict=True)]
    (ours, theirs) = (sum(pair[k] for pair in counts.values()) for k in (0, 1))
    assert ours > 100
    for one, other in counts.values():
        assert abs(one - other) <= 4 * (one + other) ** 0.5
    assert abs(ours - theirs) <= 4 * (ours + theirs) ** 0.5


@pytest.mark.skipif(not SHARED.exists(), reason="the shared models are not here")
@pytest.mark.parametrize(("rate", "warns"), [(5e6, True), (52_638.0, False)])
def test_a_source_faster_than_the_grid_is_told(rate: float, warns: bool) -> None:
    from dataclasses import replace

    from interspike.app.convert import convert
    from interspike.app.load import load
    from interspike.canonical_model.units import si_quantity

    model = load(SHARED / "catalog/input/Poisson.xml")
    (source,) = model.components
    parameters = tuple(
        replace(item, value=si_quantity(rate, item.dimension)) for item in source.parameters
    )
    log = Log()
    model = replace(model, components=(replace(source, parameters=parameters),))
    convert(model, to="nest", log=log)
    found = [issue.message for issue in log if issue.code == "A105"]
    assert bool(found) is warns
    if warns:
        assert "5e+06 events a second" in found[0] and "1e+06 a second" in found[0]


@pytest.mark.skipif(not SHARED.exists(), reason="the shared models are not here")
@pytest.mark.parametrize("rate", [900.0, 40_000.0])
def test_a_source_sends_all_that_is_due_in_a_step(rate: float) -> None:
    """Of a Poisson process in 0.2 s on a grid of 0.1 ms: the count is within four deviations."""
    from dataclasses import replace

    from interspike.app.convert import wire_model
    from interspike.app.load import load
    from interspike.app.subjects import alone
    from interspike.canonical_model.units import si_quantity
    from interspike.solvers.simulate import simulate

    model = load(SHARED / "catalog/input/Poisson.xml")
    (source,) = model.components
    parameters = tuple(
        replace(item, value=si_quantity(rate, item.dimension)) for item in source.parameters
    )
    subject = alone(model, replace(source, parameters=parameters), 0.2, 1e-4)
    events = simulate(wire_model(subject, Log(), None), mode="grid").events
    count = sum(len(times) for times in events.values())
    assert abs(count - 0.2 * rate) < 4 * (0.2 * rate) ** 0.5


def test_several_populations_plastic_synapses_and_all_rules(tmp_path: Path) -> None:
    """Of our own design: selections, random and listed connections, delays and values, depression."""
    path = ROOT / "fixtures/nineml/plastic.yml"
    assert verify(path, to="spinnaker2", length="15 ms", log=Log()).verdict == "same"


def test_events_straight_to_a_cell_need_no_response() -> None:
    """NineML wants a response in every projection; one without part in its links is none."""
    from interspike.app.convert import convert
    from interspike.app.load import load_bytes

    text = (ROOT / "fixtures/nineml/plastic.yml").read_text()
    start = text.index("  Projection:")
    direct = """\
  Projection:
  - name: direct
    Source: {Reference: {'@body': I}}
    Destination: {Reference: {'@body': T}, FromSource: [{send_port: spike, receive_port: spike}]}
    Connectivity: {Reference: {'@body': all}}
    Response: {Reference: {'@body': wexc}}
"""
    target = "  - {name: T, Size: 3, Cell: {Reference: {'@body': syn}}}\n  Selection:\n"
    weights = "    AnalogReceivePort: [{name: w, dimension: current}]\n"
    model = text[:start] + direct + text[text.index("  Dimension:") :]
    model = model.replace("  Selection:\n", target).replace(weights, "", 1)
    model = model.replace("MathInline: i + w", "MathInline: i + 2*i")
    found = load_bytes(model.encode(), file="m.yml", log=Log())
    assert found.network is not None and found.network.projections[0].synapse == ""
    assert convert(found, to="nest", log=Log()).artifacts
