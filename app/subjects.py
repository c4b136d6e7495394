"""What `verify` runs: a model's own network, or one of its components alone under the common stimulus."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..canonical_model.diagnostics import Level, Log, error
from ..canonical_model.model import Component, EventPort, Model, TimedEvents
from ..canonical_model.network import EventRecording, Experiment, Network, Population, Recording
from .behaviour import stimulus
from .behaviour.stimulus import CELL, OUT, SOURCE, WEIGHT
from .convert import choose_step, wire_model
from .plot import MAX_TRACES
from .simulate import DEFAULT_LENGTH, with_probes

MAX_EVENTS = 500  # cells whose events are recorded where the model names none


def subjects(
    model: Model, length: float | None, step: float | None, log: Log
) -> Iterator[tuple[str, Model]]:
    """Names and models to run: the network as it is, or each component alone under the stimulus.

    Raises ModelError A230 where there is nothing to run.
    """
    network = model.network
    if network is not None:
        yield network.name, _with_experiment(model, network, length, step, log)
        return
    if not model.components:
        raise error("A230", f"'{model.name}' holds no component to run")
    for component in _complete(model, log):
        chosen = choose_step(step, 0.0, log)
        yield component.name, alone(model, component, length or stimulus.LENGTH, chosen)


def _complete(model: Model, log: Log) -> tuple[Component, ...]:
    """The components whose parameters all have values; all where none has, so that running says which."""
    found = []
    for component in model.components:
        missing = [item.name for item in component.parameters if item.value is None]
        if missing:
            message = f"'{component.name}' is not run: it has no value for {', '.join(missing[:8])}"
            log.add("A233", Level.WARNING, message, component.span)
        else:
            found.append(component)
    return tuple(found) or model.components


def _with_experiment(
    model: Model, network: Network, length: float | None, step: float | None, log: Log
) -> Model:
    """The network with a length, a step, and something to record."""
    experiment = network.experiment or Experiment()
    duration = length or experiment.length or DEFAULT_LENGTH
    chosen = choose_step(step, experiment.step, log)
    experiment = replace(experiment, length=duration, step=chosen)
    if not experiment.recordings and not experiment.events:
        circuit = with_probes(wire_model(model, Log(), None))
        experiment = replace(
            experiment,
            recordings=tuple(
                Recording(path=probe.label, label=probe.label) for probe in circuit.probes
            ),
            events=tuple(
                EventRecording(
                    path=f"{probe.group}[{probe.index}]", port=probe.variable, label=probe.label
                )
                for probe in circuit.event_probes[:MAX_EVENTS]
            ),
        )
    return replace(model, network=replace(network, experiment=experiment))


def alone(model: Model, component: Component, length: float, step: float) -> Model:
    """A network of driven cells, one for each strength, and of sources of spikes for their inputs."""
    import numpy as np

    from ..canonical_model.network import Projection
    from ..canonical_model.passes.flatten import flatten

    is_program = component.update is not None or component.kernels or component.functions
    base = component if is_program else flatten(component).component
    inputs = [item.name for item in base.analog_inputs]
    levels = stimulus.levels(base, inputs)
    factor = 1.0 if is_program else stimulus.strength(base, inputs)
    cell, amplitudes = stimulus.pulsed(
        base, [stimulus.amplitudes(base, inputs, level, factor) for level in levels]
    )
    cell = replace(cell, name=CELL if component.name == SOURCE else component.name)
    ports = [port.name for port in cell.event_inputs]
    sources = [_source(f"{SOURCE}_{k}", k) for k in range(len(ports))]
    count = len(levels)
    states = [state.name for state in cell.state_variables]
    if not cell.event_outputs:  # what it shows is all that it does
        derived = {item.name for item in cell.derived_variables}
        states = [e.name for e in cell.exposures if e.variable in derived - {e.name}] + states
        states = [
            e.name for e in cell.exposures if e.name == e.variable and e.name in derived
        ] + states
    states = list(dict.fromkeys(states))[:MAX_TRACES]
    network = Network(
        name=f"{component.name}_trial",
        populations=(
            Population(name=CELL, component=cell.name, size=count, parameters=amplitudes),
            *(Population(name=item.name, component=item.name, size=1) for item in sources),
        ),
        projections=tuple(
            Projection(
                name=f"to_{k}", source=sources[k].name, target=CELL,
                pre=np.zeros(count, dtype=np.int64), post=np.arange(count),
                source_port=OUT, target_port=port, weight=np.full(count, WEIGHT),
                delay=np.full(count, step),
            )
            for k, port in enumerate(ports)
        ),
        experiment=Experiment(
            length=length,
            step=step,
            seed=1,
            recordings=tuple(
                Recording(path=f"{CELL}[{k}]/{name}", label=f"run {k + 1}, {name}")
                for k in range(count)
                for name in states
            ),
            events=tuple(
                EventRecording(
                    path=f"{CELL}[{k}]", port=port.name, label=f"run {k + 1}, events {port.name}"
                )
                for k in range(count)
                for port in cell.event_outputs
            ),
        ),
    )  # fmt: skip
    return Model(
        name=network.name, components=(cell, *sources), network=network,
        provenance=model.provenance,
    )  # fmt: skip


def _source(name: str, number: int) -> Component:
    from ..canonical_model.model import Emit

    times = tuple(time + 0.001 * number for time in stimulus.SPIKES)
    timed = TimedEvents(times=times, body=(Emit(port=OUT),))
    return Component(name=name, event_outputs=(EventPort(name=OUT),), timed_events=(timed,))
