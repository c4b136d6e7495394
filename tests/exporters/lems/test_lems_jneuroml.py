"""jNeuroML runs what is written, and finds what our simulator finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest
from interspike.app.convert import convert
from interspike.app.load import load, load_bytes
from interspike.app.simulate import simulate
from interspike.canonical_model.diagnostics import Log
from interspike.canonical_model.expr import Binary, Call, Conditional, Name, Number
from interspike.canonical_model.model import (
    INTEGER,
    Assign,
    Component,
    DerivedVariable,
    Emit,
    EventPort,
    Exposure,
    If,
    Model,
    Ode,
    OnCondition,
    Parameter,
    StateVariable,
)
from interspike.canonical_model.network import (
    EventRecording,
    Experiment,
    Network,
    Population,
    PortLink,
    Projection,
    Recording,
)
from interspike.canonical_model.units import FREQUENCY, TIME, VOLTAGE, Quantity, Unit


class Played(Protocol):
    """What jNeuroML gave: event times by id, rows by file."""

    events: dict[str, list[float]]
    rows: dict[str, list[list[float]]]


ROOT = Path(__file__).resolve().parents[3]
MS, MV, PER_MS = Unit("ms", TIME, 1e-3), Unit("mV", VOLTAGE, 1e-3), Unit("per_ms", FREQUENCY, 1e3)
PULSE = b"""<Lems><Include file="Inputs.xml"/>
<pulseGenerator id="pulse" delay="5ms" duration="200ms" amplitude="400pA"/></Lems>"""
STEP = 2e-5
RESTING = b"""
model resting_neuron:
    state:
        V_m mV = E_L
        w pA = 0 pA
        pause ms = 0 ms
    equations:
        w' = -w / tau_w
        pause' = -1
        V_m' = (E_L - V_m) / tau_m + (I_stim - w) / C_m
    parameters:
        tau_m ms = 12 ms
        tau_w ms = 60 ms
        C_m pF = 200 pF
        E_L mV = -68 mV
        V_th mV = -52 mV
        t_ref ms = 2.5 ms
    input:
        I_stim pA <- continuous
    output:
        spike
    update:
        if pause > 0 ms:
            integrate_odes(w, pause)
        else:
            integrate_odes(V_m, w)
    onCondition(pause <= 0 ms and V_m >= V_th):
        V_m = E_L
        w += 20 pA
        pause = t_ref
        emit_spike()
"""


def _driven(model: Model, name: str, wanted: str, length: float, recorded: str) -> Model:
    """One cell of a component with a current into one of its inputs."""
    pulse = load_bytes(PULSE, file="pulse.xml", log=Log()).components[0]
    cell = model.component(name)
    link = PortLink(source="pre", source_port="i", target="post", target_port=wanted)
    network = Network(
        name="net",
        populations=(
            Population(name="cells", component=cell.name, size=1),
            Population(name="drive", component="pulse", size=1),
        ),
        projections=(
            Projection(name="clamp", source="drive", target="cells", pre=np.array([0]),
                       post=np.array([0]), links=(link,)),
        ),
        experiment=_experiment(length, recorded, cell.event_outputs[0].name),
    )  # fmt: skip
    return replace(model, components=(cell, pulse), network=network)


def _experiment(length: float, recorded: str, port: str) -> Experiment:
    return Experiment(
        length=length,
        step=STEP,
        recordings=(Recording(path=f"cells[0]/{recorded}", file="v.dat"),),
        events=(EventRecording(path="cells[0]", port=port, label="cells[0]", file="out.spikes"),),
    )


def _same_spikes(ours: list[float], theirs: list[float], steps: float) -> None:
    assert len(ours) > 2
    assert len(theirs) == len(ours)
    assert np.max(np.abs(np.subtract(theirs, ours))) < steps * STEP


def test_a_network_of_standard_cells(play: Callable[[bytes, Path], Played], tmp_path: Path) -> None:
    model = load(ROOT / "fixtures/lems/iaf.xml", log=Log())
    assert model.network is not None
    experiment = model.network.experiment
    assert experiment is not None
    events = tuple(replace(item, format="ID_TIME") for item in experiment.events)
    experiment = replace(experiment, step=STEP, events=events)
    model = replace(model, network=replace(model.network, experiment=experiment))
    written = convert(model, to="lems").artifacts[0].data
    assert b"<ComponentType" not in written
    ours = simulate(model, mode="continuous").events["cells[0]"]
    theirs = play(written, tmp_path).events["0"]
    # each pause ends up to three steps late
    _same_spikes(list(ours), theirs, 4 * len(ours))


def test_a_time_step_program_runs_as_regimes(
    play: Callable[[bytes, Path], Played], tmp_path: Path
) -> None:
    model = load_bytes(RESTING, file="resting_neuron.nestml", log=Log())
    (cell,) = model.components
    model = _driven(model, cell.name, "I_stim", 0.15, "V_m")
    played = play(convert(model, to="lems").artifacts[0].data, tmp_path)
    ours = simulate(model, dt=STEP).events["cells[0]"]
    # each pause ends up to three steps late, and steps of Euler's are not exact
    _same_spikes(list(ours), played.events["0"], 4 * len(ours))


HEARING = RESTING.replace(b"        I_stim", b"        blows <- spike\n        I_stim").replace(
    b"    update:", b"    onReceive(blows):\n        V_m += 0.4 * (V_th - V_m)\n    update:"
)
KICKS = b'<Lems><Include file="Inputs.xml"/><spikeGenerator id="kicks" period="3ms"/></Lems>'


def test_a_cell_with_a_pause_hears_events(
    play: Callable[[bytes, Path], Played], tmp_path: Path
) -> None:
    model = load_bytes(HEARING, file="resting_neuron.nestml", log=Log())
    (cell,) = model.components
    model = _driven(model, cell.name, "I_stim", 0.15, "V_m")
    kicks = load_bytes(KICKS, file="kicks.xml", log=Log()).components[0]
    network = model.network
    assert network is not None
    drive = Population(name="source", component="kicks", size=1)
    heard = Projection(name="blows", source="source", target="cells", pre=np.array([0]),
                       post=np.array([0]), target_port="blows")  # fmt: skip
    network = replace(
        network,
        populations=(*network.populations, drive),
        projections=(*network.projections, heard),
    )
    model = replace(model, components=(*model.components, kicks), network=network)
    played = play(convert(model, to="lems").artifacts[0].data, tmp_path)
    ours = simulate(model, dt=STEP).events["cells[0]"]
    deaf = simulate(
        replace(model, network=replace(network, projections=network.projections[:1])), dt=STEP
    )
    assert len(ours) > len(deaf.events["cells[0]"])
    _same_spikes(list(ours), played.events["0"], 4 * len(ours))


def _counter() -> Component:
    """A ramp that is counted: choices in bodies, events that depend on them, functions that LEMS lacks."""
    ramp = Number(1.0, PER_MS)
    over = Binary(">", Name("x"), Number(1.0))
    third = Binary("==", Binary("%", Name("n"), Number(3.0)), Number(0.0))
    larger = Call("max", (Name("n"), Number(4.0)))
    body = (
        Assign(target="x", value=Number(0.0)),
        Assign(target="n", value=Binary("+", Name("n"), Number(1.0))),
        If(
            branches=((third, (Emit(port="spike"), Assign(target="y", value=larger)),),),
            otherwise=(Assign(target="y", value=Call("floor", (Binary("/", Name("n"), Number(2.0)),))),),
        ),
    )  # fmt: skip
    return Component(
        name="counter",
        parameters=(Parameter(name="gain", value=Quantity(0.5)),),
        state_variables=(
            StateVariable(name="x", initial=Number(0.0)),
            StateVariable(name="n", kind=INTEGER),
            StateVariable(name="y"),
        ),
        derived_variables=(
            DerivedVariable(
                name="step",
                value=Conditional(
                    ((Binary("<", Name("n"), Number(5.0)), Number(1.0)),), Name("gain")
                ),
            ),
            DerivedVariable(name="twice", value=Binary("*", Number(2.0), Name("step"))),
        ),
        odes=(Ode(variable="x", rhs=Binary("*", Name("twice"), ramp)),),
        on_conditions=(OnCondition(test=over, body=body),),
        event_outputs=(EventPort(name="spike"),),
        exposures=(Exposure(name="y", variable="y"), Exposure(name="step", variable="step")),
    )


def test_choices_and_events_that_depend_on_them(
    play: Callable[[bytes, Path], Played], tmp_path: Path
) -> None:
    network = Network(
        name="net",
        populations=(Population(name="cells", component="counter", size=1),),
        experiment=_experiment(0.02, "y", "spike"),
    )
    model = Model(name="net", components=(_counter(),), network=network)
    written = convert(model, to="lems").artifacts[0].data
    played = play(written, tmp_path)
    ours = simulate(model, mode="grid", dt=STEP)
    _same_spikes(list(ours.events["cells[0]"]), played.events["0"], 12)
    values = [row[1] for row in played.rows["v.dat"]]
    order = [v for k, v in enumerate(values) if not k or v != values[k - 1]]
    counted = [float(n // 2 if n % 3 else max(n, 4)) for n in range(1, 40)]
    changes = [0.0] + [v for k, v in enumerate(counted) if v != (counted[k - 1] if k else 0.0)]
    assert order == changes[: len(order)]
    assert len(order) > 10
    # and read back it does the same
    back = simulate(load_bytes(written, file="again.xml", log=Log()), mode="grid", dt=STEP)
    assert list(back.events["cells[0]"]) == pytest.approx(
        list(ours.events["cells[0]"]), abs=3 * STEP
    )
