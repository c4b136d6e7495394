"""Run a model and what it was converted to on the same stimulus, and say how far they are apart."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..canonical_model.diagnostics import Level, Log, error
from ..canonical_model.model import Component, EventPort, Model, TimedEvents
from ..canonical_model.network import EventRecording, Experiment, Network, Population, Recording
from . import registry
from .behaviour import stimulus
from .behaviour.stimulus import CELL, OUT, SOURCE, Distance
from .convert import SOLVERS, choose_step, convert, read_source, wire_model
from .diff import DIFFERENT, SAME, Comparison, compare_components, pair_components
from .plot import MAX_TRACES, Trace
from .quantities import seconds
from .simulate import DEFAULT_LENGTH, with_probes

if TYPE_CHECKING:
    from ..canonical_model.circuit import Circuit
    from ..exporters.format import Executed, Exporter
    from ..solvers.results import Result

SHIFT = 2.01  # steps by which spikes may differ
TRACE = 0.01  # of a trace's range, away from spikes: single precision, another order within a step
MAX_EVENTS = 500  # cells whose events are recorded where the model names none
WEIGHT = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One run of both: distances by recorded quantity, and the curves (for a picture)."""

    name: str
    verdict: str
    distances: tuple[Distance, ...]
    traces: tuple[Trace, ...] = ()
    spikes: Mapping[str, Sequence[float]]
    length: float

    def to_json(self) -> dict[str, Any]:
        """The trial as JSON-ready data, without curves."""
        return {
            "name": self.name,
            "verdict": self.verdict,
            "length_s": self.length,
            "distances": [item.to_json() for item in self.distances],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What was run (`trials`), or compared after reading the result back (`comparisons`)."""

    target: str
    how: str
    trials: tuple[Trial, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """`same` or `different`."""
        found = [item.verdict for item in self.trials]
        found += [item.verdict for item in self.comparisons]
        return SAME if found and set(found) == {SAME} and not self.missing else DIFFERENT

    def to_json(self) -> dict[str, Any]:
        """The whole as JSON-ready data."""
        return {
            "target": self.target,
            "how": self.how,
            "verdict": self.verdict,
            "trials": [item.to_json() for item in self.trials],
            "components": [item.to_json() for item in self.comparisons],
            "missing": list(self.missing),
        }


def verify(
    source: str | Path | Model,
    *,
    to: str = "spinnaker2",
    component: str | None = None,
    length: str | float | None = None,
    dt: str | float | None = None,
    solver: str = "auto",
    search_path: Sequence[str | Path] = (),
    import_options: Mapping[str, str] | None = None,
    log: Log | None = None,
    stage: Callable[[str], None] = lambda text: None,
    data: bytes | None = None,
) -> Verified:
    """Run the source on the reference simulator and the result of converting it to `to`.

    A target that can be executed is run (SpiNNaker2's emulator, NEST); one that can be read back is, and
    compared as `diff` does. A network runs its own experiment, a component a common stimulus.
    Raises ModelError A232 for a target that can be neither run nor read, and what conversion raises.
    """
    log = Log() if log is None else log
    if solver not in SOLVERS:
        raise error("A012", f"there is no solver '{solver}'")
    target = registry.exporter(to)
    step, wanted = seconds(dt, "dt"), seconds(length, "length")
    stage("reading")
    model = read_source(source, data, component, search_path, log, import_options)
    if component is not None and any(item.name == component for item in model.components):
        model = replace(model, components=(model.component(component),), network=None)
    if target.run:
        trials = []
        for name, subject in _subjects(model, wanted, step, log):
            stage(f"running {name}")
            trials.append(_trial(name, subject, target, solver, log))
        how = f"run on {target.backends[0]}"
        return Verified(target=to, how=how, trials=tuple(trials))
    return _read_back(model, target, solver, dt, log, stage)


def _subjects(
    model: Model, length: float | None, step: float | None, log: Log
) -> Iterator[tuple[str, Model]]:
    """Models to run: the network as it is, or each component alone under the stimulus."""
    network = model.network
    if network is not None:
        yield network.name, _with_experiment(model, network, length, step, log)
        return
    if not model.components:
        raise error("A230", f"'{model.name}' holds no component to run")
    for component in model.components:
        chosen = choose_step(step, 0.0, log)
        for level in range(4 if component.analog_inputs or component.attachments else 1):
            yield (
                f"{component.name}, run {level + 1}",
                _alone(model, component, level, length or stimulus.LENGTH, chosen),
            )


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


def _alone(model: Model, component: Component, level: int, length: float, step: float) -> Model:
    """A network of one driven cell, and of sources of spikes for its event inputs."""
    import numpy as np

    from ..canonical_model.network import Projection
    from ..canonical_model.passes.flatten import flatten

    is_program = component.update is not None or component.kernels or component.functions
    base = component if is_program else flatten(component).component
    inputs = [item.name for item in base.analog_inputs]
    cell = stimulus.pulsed(base, stimulus.amplitudes(base, inputs, level))
    cell = replace(cell, name=CELL if component.name == SOURCE else component.name)
    ports = [port.name for port in cell.event_inputs]
    sources = [_source(f"{SOURCE}_{k}", k) for k in range(len(ports))]
    zero = np.zeros(1, dtype=np.int64)
    states = [state.name for state in cell.state_variables][:MAX_TRACES]
    network = Network(
        name=f"{component.name}_trial",
        populations=(
            Population(name=CELL, component=cell.name, size=1),
            *(Population(name=item.name, component=item.name, size=1) for item in sources),
        ),
        projections=tuple(
            Projection(
                name=f"to_{k}", source=sources[k].name, target=CELL, pre=zero, post=zero,
                source_port=OUT, target_port=port, weight=np.array([WEIGHT]),
                delay=np.array([step]),
            )
            for k, port in enumerate(ports)
        ),
        experiment=Experiment(
            length=length,
            step=step,
            seed=1,
            recordings=tuple(
                Recording(path=f"{CELL}[0]/{name}", label=name) for name in states
            ),
            events=tuple(
                EventRecording(path=f"{CELL}[0]", port=port.name, label=f"events {port.name}")
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


def _trial(name: str, model: Model, target: Exporter, solver: str, log: Log) -> Trial:
    """Both runs of one model."""
    from ..solvers.simulate import simulate

    circuit = wire_model(model, Log(), None)
    reference = simulate(circuit, mode="grid", scheme=solver)
    found = _execute(model, target, solver, log)
    return _compare(name, circuit, reference, found, target.name)


def _execute(model: Model, target: Exporter, solver: str, log: Log) -> Executed:
    own = Log()
    result = convert(model, to=target.name, solver=solver, log=own)
    for issue in own:
        if issue.level is not Level.NOTE:
            log.add(issue.code, issue.level, issue.message, issue.span, issue.text, issue.hint)
    execute = registry.load_function(target.run, dict(target.needs), target.name)
    with tempfile.TemporaryDirectory(prefix="interspike-") as name:
        folder = Path(name) / "result"
        result.write(folder)
        executed: Executed = execute(folder, backend=target.backends[0], length=None)
    return executed


def _compare(name: str, circuit: Circuit, reference: Result, found: Executed, target: str) -> Trial:
    """Numbers for every quantity that both recorded."""
    import numpy as np

    distances: list[Distance] = []
    same = True
    spikes: dict[str, list[float]] = {}
    moments = []
    for label, times in reference.events.items():
        theirs = np.asarray(found.events.get(label, ()), dtype=float)
        distance = stimulus.event_distance(label, times, theirs)
        distances.append(distance)
        counts = distance.spikes
        same &= counts[0] == counts[1] and distance.shift <= SHIFT * reference.step
        spikes[f"{label} (reference)"] = [float(t) for t in times]
        spikes[f"{label} ({target})"] = [float(t) for t in theirs]
        moments += [times, theirs]
    times = np.asarray(found.times, dtype=float)
    still = stimulus.quiet(times, moments)
    curves: list[Trace] = []
    for label, values in reference.traces.items():
        if label not in found.traces:
            continue
        own = np.interp(times, reference.times, values)
        other = np.asarray(found.traces[label], dtype=float)
        distance = stimulus.trace_distance(label, own, other, still)
        distances.append(distance)
        same &= distance.trace <= TRACE
        curves.append(Trace(label=f"{label} (reference)", times=times, values=own))
        curves.append(Trace(label=f"{label} ({target})", times=times, values=other))
    return Trial(
        name=name, verdict=SAME if same else DIFFERENT, distances=tuple(distances),
        traces=tuple(curves), spikes=spikes, length=circuit.length,
    )  # fmt: skip


def _read_back(
    model: Model,
    target: Exporter,
    solver: str,
    dt: str | float | None,
    log: Log,
    stage: Callable[[str], None],
) -> Verified:
    """The result read again, its components compared with the source's. Raises ModelError A232."""
    from .load import load

    stage("converting")
    result = convert(model, to=target.name, solver=solver, dt=dt, log=log)
    comparisons: list[Comparison] = []
    theirs: list[Component] = []
    with tempfile.TemporaryDirectory(prefix="interspike-") as name:
        folder = Path(name) / "result"
        result.write(folder)
        for path in readable(folder, [item.path for item in result.artifacts]):
            theirs += load(path, search_path=(folder,)).components
    if not theirs:
        message = f"what is written for '{target.name}' can be neither run nor read back here"
        raise error("A232", message)
    pairs, alone = pair_components(model.components, theirs)
    for one, other in pairs:
        stage(f"comparing {one.name}")
        comparisons.append(compare_components(one, other))
    missing = tuple(item.name for item, first in alone if first)
    return Verified(
        target=target.name, how="read back", comparisons=tuple(comparisons), missing=missing
    )


def readable(folder: Path, paths: Sequence[str]) -> Iterator[Path]:
    """The files of a result that an importer takes."""
    from ..canonical_model.diagnostics import ModelError

    for path in paths:
        head = (folder / path).read_bytes()[: registry.HEAD]
        try:
            registry.recognise(head, path)
        except ModelError:
            continue
        yield folder / path
