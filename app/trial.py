"""One run of a model and of what it was converted to, with numbers and curves."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..canonical_model.diagnostics import Level, Log
from ..canonical_model.model import Model
from ..canonical_model.units import VOLTAGE
from . import registry
from .behaviour import stimulus
from .behaviour.results import DIFFERENT, SAME
from .behaviour.stimulus import Distance
from .convert import convert, wire_model
from .plot import Trace

if TYPE_CHECKING:
    from ..canonical_model.circuit import Circuit
    from ..exporters.format import Executed, Exporter

SHIFT = 2.01  # steps by which spikes may differ
TRACE = 0.01  # of a trace's range, away from spikes: single precision, another order within a step
EXPLODED = 1e30  # SI: no quantity of a neuron is as large
VOLT = 1.0  # ten times an action potential: beyond it an explosion has begun


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One run of both: distances by recorded quantity, and the curves (for a picture)."""

    name: str
    verdict: str
    distances: tuple[Distance, ...]
    traces: tuple[Trace, ...] = ()
    spikes: Mapping[str, Sequence[float]]
    length: float
    remarks: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The trial as JSON-ready data, without curves."""
        return {
            "name": self.name,
            "verdict": self.verdict,
            "length_s": self.length,
            "distances": [item.to_json() for item in self.distances],
            "remarks": list(self.remarks),
        }


def trial(name: str, model: Model, target: Exporter, solver: str, log: Log) -> Trial:
    """The reference simulator and the target's own engine on one model.

    What the target integrates as one system the reference does too. Raises what conversion, building
    and running raise.
    """
    from ..solvers.simulate import simulate

    circuit = together(wire_model(model, Log(), None), target)
    reference = simulate(circuit, mode="grid", scheme=solver)
    found = _execute(model, target, solver, log)
    return compare_runs(name, circuit, reference, found, target.name)


def together(circuit: Circuit, target: Exporter) -> Circuit:
    """The circuit with those parts as one that the target integrates as one system."""
    if not target.together:
        return circuit
    function = registry.load_function(target.together, dict(target.needs), target.name)
    fused: Circuit = function(circuit)
    return fused


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
) -> Trial:
    """Numbers for every quantity that both recorded. `shift` is in steps, `trace` a share of the range.

    Where the reference itself explodes, nothing is compared from then on.
    """
    import numpy as np

    ends = exploding(circuit, reference)
    near = 2 * shift * reference.step

    distances: list[Distance] = []
    same = True
    spikes: dict[str, list[float]] = {}
    moments = []
    for label, times in reference.events.items():
        theirs = np.asarray(found.events.get(label, ()), dtype=float)
        allowed = shift * reference.step
        end = circuit.length or float("inf")
        if _run_of(label) in ends:
            end = ends[_run_of(label)] - near
            times, theirs = (train[np.asarray(train) <= end] for train in (times, theirs))
        distance = stimulus.event_distance(label, times, theirs, end=end, allowed=allowed)
        distances.append(distance)
        counts = distance.spikes
        same &= counts[0] == counts[1] and distance.shift <= allowed
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
        kept = still & (times < ends.get(_run_of(label), float("inf")) - near)
        distance = stimulus.trace_distance(label, own, other, kept)
        distances.append(distance)
        same &= distance.trace <= trace
        curves.append(Trace(label=f"{label} (reference)", times=times, values=own))
        curves.append(Trace(label=f"{label} ({target})", times=times, values=other))
    remarks = tuple(
        f"{run or 'the model'} leaves all bounds after {end * 1e3:.4g} ms: compared until then"
        for run, end in ends.items()
    )
    return Trial(
        name=name, verdict=SAME if same else DIFFERENT, distances=tuple(distances),
        traces=tuple(curves), spikes=spikes, length=circuit.length, remarks=remarks,
    )  # fmt: skip


def exploding(circuit: Circuit, reference: Rows) -> dict[str, float]:
    """When (s) the runs that go beyond all bounds begin to: their voltage is beyond VOLT, else EXPLODED."""
    import numpy as np

    times = np.asarray(reference.times, dtype=float)
    beyond: dict[str, float] = {}
    begun: dict[str, float] = {}
    voltages = _voltages(circuit)
    for label, values in reference.traces.items():
        size = np.abs(np.asarray(values, dtype=float))
        size[~np.isfinite(size)] = np.inf
        for table, limit in ((beyond, EXPLODED), (begun, VOLT)):
            found = np.flatnonzero(size > limit)
            if len(found) and (table is beyond or label in voltages):
                run = _run_of(label)
                table[run] = min(float(times[found[0]]), table.get(run, float("inf")))
    return {run: min(end, begun.get(run, end)) for run, end in beyond.items()}


def _voltages(circuit: Circuit) -> set[str]:
    """Labels of what is recorded in volts."""
    dimensions = {
        (group.name, state.name): state.dimension
        for group in circuit.groups
        for state in group.component.state_variables
    }
    probes = circuit.probes
    return {p.label for p in probes if dimensions.get((p.group, p.variable)) == VOLTAGE}


def _run_of(label: str) -> str:
    """Which of several runs side by side a label belongs to."""
    return label.partition(", ")[0] if ", " in label else ""
