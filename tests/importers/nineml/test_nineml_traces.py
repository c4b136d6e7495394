"""NineML models against high-accuracy reference runs, in which DOP853 and Radau agree to 1e-7 ms."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from interspike.canonical_model.circuit import AnalogLink, Circuit, EventLink, Group, Probe
from interspike.canonical_model.diagnostics import Log
from interspike.canonical_model.expr import Binary, Conditional, Name, Number
from interspike.canonical_model.model import (
    Component,
    DerivedVariable,
    Emit,
    EventPort,
    Exposure,
    TimedEvents,
)
from interspike.canonical_model.passes.flatten import flatten
from interspike.canonical_model.units import CURRENT, TIME, Unit
from interspike.importers.nineml.reader import read
from interspike.solvers.simulate import simulate

SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "models" / "nineml"
needs_models = pytest.mark.skipif(not SHARED.exists(), reason="the shared models are not here")
TRACES = sorted((SHARED / "traces").glob("*.trace.json"))
AMPERE, SECOND = Unit("A", CURRENT), Unit("s", TIME)


def drive(amps: float, onset: float) -> Component:
    """A current that is zero before `onset` (s)."""
    value = Number(amps, AMPERE)
    on = Conditional(((Binary("<", Name("t"), Number(onset, SECOND)), Number(0.0, AMPERE)),), value)
    return Component(
        name="drive",
        derived_variables=(
            DerivedVariable(name="i", dimension=CURRENT, value=on if onset else value),
        ),
        exposures=(Exposure(name="i", variable="i", dimension=CURRENT),),
    )


def train(times: tuple[float, ...]) -> Component:
    """Events at `times` (s)."""
    return Component(
        name="train",
        event_outputs=(EventPort(name="out"),),
        timed_events=(TimedEvents(times=times, body=(Emit(port="out"),)),),
    )


def run(component: Component, about: dict) -> np.ndarray:  # type: ignore[type-arg]
    """Spike times in ms for the stimulus of a reference file."""
    cell = flatten(component).component
    one = np.zeros(1, dtype=int)
    text = about["input"]["value"].split()
    scale = {"pA": 1e-12, "nA": 1e-9}[text[1]]
    onset = about["input"]["kind"].split("until ")
    start = float(onset[1].split()[0]) * 1e-3 if len(onset) > 1 else 0.0
    groups = [
        Group(name="cell", component=cell, size=1,
              initial={k: np.array([v]) for k, v in about["initial_state_SI"].items()}),
        Group(name="drive", component=drive(float(text[0]) * scale, start), size=1),
    ]  # fmt: skip
    analog = [AnalogLink(source="drive", variable="i", target="cell", pre=one, post=one,
                         input=about["input"]["port"])]  # fmt: skip
    events = []
    if "events" in about["input"]:
        times = tuple(t * 1e-3 for t in (20, 22, 60, 61.5, 63, 120))
        groups.append(Group(name="train", component=train(times), size=1))
        groups.append(Group(name="weight", component=drive(300e-12, 0.0), size=1))
        events.append(EventLink(source="train", source_port="out", target="cell",
                                target_port="spike_in", pre=one, post=one))  # fmt: skip
        analog.append(AnalogLink(source="weight", variable="i", target="cell", input="weight",
                                 pre=one, post=one))  # fmt: skip
    port = cell.event_outputs[0].name
    circuit = Circuit(
        name="trace",
        groups=tuple(groups),
        event_links=tuple(events),
        analog_links=tuple(analog),
        event_probes=(Probe(label="spikes", group="cell", index=0, variable=port),),
    )
    result = simulate(
        circuit, mode="continuous", length=about["duration_ms"] * 1e-3, step=1e-3, rtol=1e-8
    )
    return result.events["spikes"] * 1e3


@needs_models
@pytest.mark.parametrize("path", TRACES, ids=lambda path: path.name.removesuffix(".trace.json"))
def test_spike_times(path: Path) -> None:
    about = json.loads(path.read_text())
    offsets = "apply" if "offset_applied" in path.name else "ignore"
    options = {"offsets": offsets}
    model = read(SHARED / about["model_file"], None, log=Log(), options=options)
    component = model.component(about["component"])
    if component.machines:
        assert component.machines[0].initial == about["initial_regime"]
    found = run(component, about)
    wanted = np.array(about["spike_times_ms"])
    assert len(found) == len(wanted)
    assert np.max(np.abs(found - wanted)) < 1e-4


@needs_models
@pytest.mark.parametrize("name", ["lif_refractory.xml", "lif_refractory.json",
                                  "lif_refractory_v2.yml", "lif_refractory_v2.xml",
                                  "lif_refractory_py3binary.yml"])  # fmt: skip
def test_every_serialisation_says_the_same(name: str) -> None:
    trace = SHARED / "traces" / "lif_default.const300pA_events.trace.json"
    about = json.loads(trace.read_text())
    component = read(SHARED / "authored" / name, None, log=Log()).component("lif_default")
    found = run(replace(component), about)
    assert np.max(np.abs(found - np.array(about["spike_times_ms"]))) < 1e-4
