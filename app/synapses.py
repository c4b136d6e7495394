"""What `verify` runs of a synapse for targets where it is no node: one connection between two cells.

The source fires at `trains.pre`; the target is a cell that fires at `trains.post` and adds up the weights
that it receives, in `received`. All times are in steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ..canonical_model.expr import Binary, Name, Number
from ..canonical_model.model import (
    Assign,
    Component,
    Emit,
    EventPort,
    Model,
    OnEvent,
    StateVariable,
    TimedEvents,
)
from ..canonical_model.network import (
    EventRecording,
    Experiment,
    Network,
    Population,
    Projection,
    Recording,
)

RECEIVED, DRIVE, IN, OUT = "received", "drive", "in", "out"
SYNAPSE, TARGET = "synapse", "target"
DELAY = 5  # steps from the source to the target, and of spikes of the target back to the synapse
# first spike and distance between spikes, in steps: no two of them meet at the synapse for long
PACE = {"pre": (30, 37), "post": (52, 43), "modulator": (77, 151)}


@dataclass(frozen=True, slots=True)
class Trains:
    """Spikes by role (`pre`, `post`, `modulator`), in steps; `steps` in all, of `step` seconds."""

    spikes: Mapping[str, tuple[int, ...]]
    steps: int
    step: float


def trains(synapse: Component, length: float, step: float) -> Trains:
    """Spikes for what the synapse hears, and of its target, in a run of `length` seconds.

    None of the others comes just when the source fires.
    """
    steps = round(length / step)
    roles = {port.role for port in synapse.event_inputs} | {"post"}
    taken = set(range(PACE["pre"][0], steps, PACE["pre"][1]))
    spikes = {
        role: tuple(
            time
            for time in range(first, steps, every)
            if role == "pre" or time + DELAY not in taken
        )
        for role, (first, every) in PACE.items()
        if role in roles
    }
    return Trains(spikes, steps, step)


def target() -> Component:
    """The cell that adds up what it receives and fires when it is told to."""
    total = Binary("+", Name(RECEIVED), Name("weight"))
    return Component(
        name="sum_of_weights",
        state_variables=(StateVariable(name=RECEIVED, initial=Number(0.0)),),
        event_inputs=(EventPort(name=DRIVE), EventPort(name=IN, payload=("weight",))),
        event_outputs=(EventPort(name=OUT),),
        on_events=(
            OnEvent(port=DRIVE, body=(Emit(port=OUT),)),
            OnEvent(port=IN, body=(Assign(target=RECEIVED, value=total),)),
        ),
        update=(),
    )


def models(model: Model, synapse: Component) -> Model:
    """The synapse and its target, without a network."""
    return replace(model, components=(synapse, target()), network=None)


def network(model: Model, synapse: Component, given: Trains) -> Model:
    """The same as a network in which the synapse is a node: a spike of the source takes a step to it, and the
    rest of the delay from it to the target; those of the target come back after the delay and a step."""
    step, cell = given.step, target()
    ports = {port.role: port.name for port in synapse.event_inputs}
    told = {role: _source(role, given) for role in given.spikes}
    sources = list(told.values())
    links = [_link("told", told["post"].name, cell.name, DRIVE, 1, step)]
    for role, late in (("pre", 1), ("modulator", DELAY + 1)):
        if role in told:
            links.append(_link(role, told[role].name, SYNAPSE, ports[role], late, step))
    if "post" in ports:
        links.append(_link("back", cell.name, SYNAPSE, ports["post"], DELAY + 1, step))
    for port in synapse.event_outputs[:1]:
        links.append(_link("on", SYNAPSE, cell.name, IN, DELAY - 1, step, port.name))
    populations = [Population(name=item.name, component=item.name, size=1) for item in sources]
    populations += [
        Population(name=SYNAPSE, component=synapse.name, size=1),
        Population(name=cell.name, component=cell.name, size=1),
    ]
    experiment = Experiment(
        length=given.steps * step, step=step, seed=1,
        recordings=(Recording(path=f"{cell.name}[0]/{RECEIVED}", label=RECEIVED),),
        events=(EventRecording(path=f"{cell.name}[0]", port=OUT, label=TARGET),),
    )  # fmt: skip
    net = Network(
        name=f"{synapse.name}_trial", populations=tuple(populations), projections=tuple(links),
        experiment=experiment,
    )  # fmt: skip
    return replace(model, name=net.name, components=(synapse, cell, *sources), network=net)


def _source(role: str, given: Trains) -> Component:
    # the target hears of its spikes a step before
    early = 1 if role == "post" else 0
    times = tuple((time - early) * given.step for time in given.spikes[role])
    return Component(
        name=f"source_{role}",
        event_outputs=(EventPort(name=OUT),),
        timed_events=(TimedEvents(times=times, body=(Emit(port=OUT),)),),
    )


def _link(
    name: str, source: str, to: str, port: str, late: int, step: float, out: str = OUT
) -> Projection:
    import numpy as np

    one = np.zeros(1, dtype=np.int64)
    return Projection(
        name=name, source=source, target=to, pre=one, post=one, source_port=out, target_port=port,
        weight=np.ones(1), delay=np.full(1, late * step),
    )  # fmt: skip


__all__ = ["DELAY", "RECEIVED", "TARGET", "Trains", "models", "network", "target", "trains"]
