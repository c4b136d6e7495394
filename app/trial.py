"""One run of a model and of what it was converted to, with numbers and curves."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..canonical_model.diagnostics import Level, Log
from ..canonical_model.model import Component, Model
from . import registry
from .behaviour import stimulus
from .behaviour.results import DIFFERENT, SAME
from .behaviour.stimulus import Distance
from .convert import convert, wire_model
from .plot import Trace
from .sensitivity import alike, draws, horizon

if TYPE_CHECKING:
    from ..canonical_model.circuit import Circuit
    from ..exporters.format import Executed, Exporter
    from ..solvers.grid import StepOrder

SHIFT = 2.01  # steps by which spikes may differ
ADAPTIVE = ("rkf45",)  # they err by their tolerance: a steep rise comes a sample sooner or later
EXPLODING = 10  # steps: single precision ends earlier on the way to infinity
TRACE = 0.01  # of a trace's range, away from spikes: single precision, another order within a step


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One run of both: distances by recorded quantity, and the curves (for a picture)."""

    name: str
    verdict: str
    distances: tuple[Distance, ...]
    traces: tuple[Trace, ...] = ()
    spikes: Mapping[str, Sequence[float]]
    length: float
    until: float = float(
        "inf"
    )  # s: from then on the model magnifies rounding, and nothing is compared

    def to_json(self) -> dict[str, Any]:
        """The trial as JSON-ready data, without curves."""
        return {
            "name": self.name,
            "verdict": self.verdict,
            "length_s": self.length,
            "compared_until_s": min(self.until, self.length),
            "distances": [item.to_json() for item in self.distances],
        }


def trial(name: str, model: Model, target: Exporter, solver: str, log: Log) -> Trial:
    """The reference simulator and the target's own engine on one model.

    What the target integrates as one system the reference does too. Raises what conversion, building
    and running raise.
    """
    from ..solvers.simulate import simulate

    circuit = together(wire_model(model, Log(), None), target)
    scheme = _as_target(circuit, target, solver)
    reference = simulate(circuit, mode="grid", scheme=scheme, order=_order(circuit, target))
    found = _execute(model, target, solver, log)
    slack = 1 if scheme in ADAPTIVE else 0
    whole = compare_runs(name, circuit, reference, found, target.name, slack=slack)
    if whole.verdict == SAME:
        return whole
    if draws(circuit):
        return _by_counts(whole)
    until = horizon(circuit, reference, scheme)
    if until >= circuit.length:
        return whole
    return compare_runs(name, circuit, reference, found, target.name, slack=slack, until=until)


def _by_counts(whole: Trial) -> Trial:
    """The verdict where the target draws other numbers."""
    same = all(alike(*item.spikes) for item in whole.distances)
    return replace(whole, verdict=SAME if same else DIFFERENT)


def synapse_trial(
    model: Model, synapse: Component, target: Exporter, solver: str, length: float, step: float, log: Log
) -> Trial:  # fmt: skip
    """The same for one connection of a synapse between two cells; compared is the sum of what it sends.

    Raises what conversion, building and running raise.
    """
    from ..solvers.simulate import simulate
    from . import synapses

    given = synapses.trains(synapse, length, step)
    circuit = wire_model(synapses.network(model, synapse, given), Log(), None)
    heard = [probe for probe in circuit.event_probes if probe.label == synapses.TARGET]
    circuit = replace(circuit, event_probes=tuple(heard))
    reference = simulate(circuit, mode="grid", scheme=_as_target(circuit, target, solver))
    execute = registry.load_function(target.run_synapse, dict(target.needs), target.name)
    with _written(synapses.models(model, synapse), target, solver, log) as folder:
        found: Executed = execute(
            folder, synapses.target().name, synapses.RECEIVED, given.spikes,
            delay=synapses.DELAY, steps=given.steps, step=step,
        )  # fmt: skip
    whole = compare_runs(synapse.name, circuit, reference, found, target.name)
    return _by_counts(whole) if draws(circuit) else whole


def together(circuit: Circuit, target: Exporter) -> Circuit:
    """The circuit with those parts as one that the target integrates as one system."""
    if not target.together:
        return circuit
    function = registry.load_function(target.together, dict(target.needs), target.name)
    fused: Circuit = function(circuit)
    return fused


def _as_target(circuit: Circuit, target: Exporter, solver: str) -> str:
    """The reference simulator's solver that does what the target does with `solver`."""
    if not target.integrates:
        return solver
    function = registry.load_function(target.integrates, dict(target.needs), target.name)
    scheme: str = function(circuit, solver)
    return scheme


def _order(circuit: Circuit, target: Exporter) -> StepOrder:
    """The order of a step that the target has."""
    from ..solvers.grid import TICK, StepOrder

    if not target.order:
        return TICK
    function = registry.load_function(target.order, dict(target.needs), target.name)
    stages: tuple[str, ...] = function(circuit)
    return StepOrder(stages) if stages else TICK


def _execute(model: Model, target: Exporter, solver: str, log: Log) -> Executed:
    execute = registry.load_function(target.run, dict(target.needs), target.name)
    with _written(model, target, solver, log) as folder:
        executed: Executed = execute(folder, backend=target.backends[0], length=None)
    return executed


@contextmanager
def _written(model: Model, target: Exporter, solver: str, log: Log) -> Iterator[Path]:
    """The folder of the conversion, for as long as it is needed; its notes are not repeated."""
    own = Log()
    result = convert(model, to=target.name, solver=solver, log=own)
    for issue in own:
        if issue.level is not Level.NOTE:
            log.add(issue.code, issue.level, issue.message, issue.span, issue.text, issue.hint)
    with tempfile.TemporaryDirectory(prefix="interspike-") as name:
        folder = Path(name) / "result"
        result.write(folder)
        yield folder


class Rows(Protocol):
    """What a run gives, of whatever engine."""

    @property
    def events(self) -> Mapping[str, Any]: ...

    @property
    def times(self) -> Any: ...

    @property
    def traces(self) -> Mapping[str, Any]: ...


class Ran(Rows, Protocol):
    """A run of the reference simulator."""

    @property
    def step(self) -> float: ...


def compare_runs(
    name: str,
    circuit: Circuit,
    reference: Ran,
    found: Rows,
    target: str,
    *,
    shift: float = SHIFT,
    trace: float = TRACE,
    slack: int = 0,
    until: float = float("inf"),
) -> Trial:
    """Numbers for every quantity that both recorded. `shift` is in steps, `trace` a share of the range.
    A trace may be `slack` samples early or late.

    What comes after `until` seconds, or after a trace ran to infinity, does not count.
    """
    import numpy as np

    distances: list[Distance] = []
    same = True
    spikes: dict[str, list[float]] = {}
    moments = []
    ends = [_bounded(run, reference.traces) for run in (reference, found)]
    end = min(until, *ends)
    # both run to infinity about the same time: what comes later says nothing, of none of the runs
    both = max(ends) <= min(ends) + EXPLODING * reference.step
    until = end if both else until
    for label, times in reference.events.items():
        if label not in found.events:  # a port that the target has not, as its report says
            continue
        theirs = np.asarray(found.events[label], dtype=float)
        times, theirs = times[times < end], theirs[theirs < end]
        allowed = shift * reference.step
        distance = stimulus.event_distance(
            label, times, theirs, end=min(end, circuit.length or end), allowed=allowed
        )
        distances.append(distance)
        counts = distance.spikes
        same &= counts[0] == counts[1] and distance.shift <= allowed
        spikes[f"{label} (reference)"] = [float(t) for t in times]
        spikes[f"{label} ({target})"] = [float(t) for t in theirs]
        moments += [times, theirs]
    times = np.asarray(found.times, dtype=float)
    still = stimulus.quiet(times, moments) & (times < until - reference.step / 2)
    curves: list[Trace] = []
    for label, values in reference.traces.items():
        if label not in found.traces:
            continue
        own = np.interp(times, reference.times, values)
        other = np.asarray(found.traces[label], dtype=float)
        distance = stimulus.trace_distance(label, own, other, still, slack)
        distances.append(distance)
        same &= distance.trace <= trace
        curves.append(Trace(label=f"{label} (reference)", times=times, values=own))
        curves.append(Trace(label=f"{label} ({target})", times=times, values=other))
    return Trial(
        name=name, verdict=SAME if same else DIFFERENT, distances=tuple(distances),
        traces=tuple(curves), spikes=spikes, length=circuit.length, until=until,
    )  # fmt: skip


def _bounded(run: Rows, labels: Mapping[str, Any]) -> float:
    """The time (s) at which a trace runs to infinity."""
    import numpy as np

    traces = [np.asarray(run.traces[label], float) for label in labels if label in run.traces]
    return stimulus.bounded_until(np.asarray(run.times, float), traces)
