"""NESTML 9's own model library: everything imports, comes back equal, and runs on the chip as in float64."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import interspike
import numpy as np
import pytest
from interspike.canonical_model.circuit import Circuit, Group, Probe
from interspike.canonical_model.diagnostics import Log
from interspike.canonical_model.model import Provenance
from interspike.canonical_model.passes.wire import wire
from interspike.exporters.spinnaker2.emit import export
from interspike.solvers.simulate import simulate
from interspike.spinnaker2.emulator import missing_tools, run

LIBRARY = Path(sys.prefix) / "models"
NEURONS = sorted((LIBRARY / "neurons").glob("*.nestml"))
SYNAPSES = sorted((LIBRARY / "synapses").glob("*.nestml"))
H = 1e-4
CURRENT = 6e-10
# spikes of the chip and of float64 part after this many, by the model's own sensitivity
STEPS = 1

needs_library = pytest.mark.skipif(not NEURONS, reason="NESTML 9's model library is not installed")


def driven(path: Path) -> Circuit:
    """One neuron of the model with a constant current into its continuous port, the first states recorded."""
    circuit = wire(interspike.load(path), Log())
    group = circuit.groups[0]
    component = group.component
    inputs = tuple(replace(item, default=CURRENT) for item in component.analog_inputs)
    group = Group(name="cell", component=replace(component, analog_inputs=inputs), size=1)
    names = [state.name for state in component.state_variables if state.name in ("V_m", "V_abs")]
    return Circuit(
        name="library",
        groups=(group,),
        probes=tuple(Probe(label=n, group="cell", index=0, variable=n) for n in names),
        event_probes=(Probe(label="spikes", group="cell", index=0, variable="spike"),),
        length=0.2,
        step=H,
        seed=1,
    )


@needs_library
@pytest.mark.skipif(bool(missing_tools("host")), reason="needs make and a C compiler")
@pytest.mark.parametrize("path", NEURONS, ids=lambda path: path.stem)
def test_neurons_spike_on_the_chip_as_on_the_float64_grid(path: Path, tmp_path: Path) -> None:
    circuit = driven(path)
    reference = simulate(circuit, mode="grid")
    source = Provenance(source=path.name)
    for item in export(circuit, scheme="auto", step=H, source=source, log=Log(), name="model"):
        place = tmp_path / item.path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(item.data)
    results = {b: run(tmp_path, backend=b) for b in ("host", "qemu") if not missing_tools(b)}
    chip = results["host"]
    assert all(result.raw == chip.raw for result in results.values())
    assert all(np.isfinite(values).all() for values in chip.traces.values())
    ours, theirs = chip.events["spikes"], reference.events["spikes"]
    off = np.abs(ours[: len(theirs)] - theirs[: len(ours)]).max(initial=0.0) / H
    print(f"{path.stem}: {len(theirs)} spikes, worst {off:.2f} steps")
    if path.stem == "hh_cond_exp_destexhe_neuron":
        pytest.skip("its noise is drawn from another generator on the chip")
    assert len(ours) == len(theirs)
    assert off <= STEPS + 1e-6
