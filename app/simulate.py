"""Run a model file on the reference simulator."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..canonical_model.diagnostics import Level, Log, error, suggest
from ..canonical_model.model import Component, Model
from ..canonical_model.units import CURRENT, NONE, VOLTAGE, Dimension
from .convert import SOLVERS, choose_step, read_source, wire_model
from .plot import MAX_TRACES, Trace
from .quantities import seconds, show

if TYPE_CHECKING:
    from ..canonical_model.circuit import Circuit, Probe
    from ..solvers.results import Result

MODES = ("auto", "continuous", "grid")
DEFAULT_LENGTH = 0.1  # s, for models that name none


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """A result with the circuit that gave it (which says where results are to be written)."""

    circuit: Circuit
    result: Result
    length: float


def simulate(
    source: str | Path | Model,
    *,
    mode: str = "auto",
    length: str | float | None = None,
    dt: str | float | None = None,
    solver: str = "auto",
    seed: int | None = None,
    component: str | None = None,
    search_path: Sequence[str | Path] = (),
    import_options: Mapping[str, str] | None = None,
    log: Log | None = None,
) -> Result:
    """Simulate a model file or a loaded `Model`.

    `mode` is `continuous` (events located in time) or `grid` (fixed step `dt` with `solver`, in the
    order of the targets); `auto` is continuous unless the model is a time-step program.
    `length` and `dt` are times such as `"200ms"` or seconds; the experiment's own hold otherwise.
    A model that names nothing to record gives the first cells' variables and every event.
    Raises ModelError for bad input.
    """
    found = run(
        source,
        mode=mode,
        length=length,
        dt=dt,
        solver=solver,
        seed=seed,
        component=component,
        search_path=search_path,
        import_options=import_options,
        log=log,
    )
    return found.result


def run(
    source: str | Path | Model,
    *,
    mode: str,
    length: str | float | None,
    dt: str | float | None,
    solver: str,
    seed: int | None,
    component: str | None,
    search_path: Sequence[str | Path],
    import_options: Mapping[str, str] | None = None,
    log: Log | None = None,
    data: bytes | None = None,
    stage: Callable[[str], None] = lambda text: None,
) -> Run:
    """The same as `simulate`, with the circuit; `data` and `stage` as in `convert`."""
    log = Log() if log is None else log
    if mode not in MODES:
        raise error("A013", f"there is no mode '{mode}'", hint=suggest(mode, MODES))
    if solver not in SOLVERS:
        raise error("A012", f"there is no solver '{solver}'", hint=suggest(solver, SOLVERS))
    wanted_step, wanted_length = seconds(dt, "dt"), seconds(length, "length")
    stage("reading")
    model = read_source(source, data, component, search_path, log, import_options)
    stage("wiring")
    if mode == "auto":
        is_program = any(item.update is not None for item in model.components)
        mode = "grid" if is_program else "continuous"
    circuit = wire_model(model, log, component, continuous=mode == "continuous")
    step = choose_step(wanted_step, circuit.step, log)
    duration = wanted_length or circuit.length or _default_length(log)
    circuit = with_probes(circuit)

    from ..solvers import simulate as simulator

    stage("simulating")
    result = simulator.simulate(
        circuit,
        mode=mode,
        length=duration,
        step=step,
        scheme=solver,
        seed=seed,
        on_progress=lambda done: stage(f"simulating, {done:.0%}"),
    )
    for note in result.notes:
        log.add("A104", Level.NOTE, note)
    return Run(circuit, result, duration)


def _default_length(log: Log) -> float:
    message = f"the model names no length, so {show(DEFAULT_LENGTH)} are simulated"
    log.add("A041", Level.NOTE, message, hint="choose another with --length")
    return DEFAULT_LENGTH


def with_probes(circuit: Circuit) -> Circuit:
    """The circuit as it is if it records anything, else recording what a person would look at first."""
    if circuit.probes or circuit.event_probes:
        return circuit
    return replace(
        circuit,
        probes=tuple(_first_variables(circuit))[:MAX_TRACES],
        event_probes=tuple(_every_event(circuit)),
    )


def _first_variables(circuit: Circuit) -> Iterator[Probe]:
    from ..canonical_model.circuit import Probe

    for group in circuit.groups:
        if group.host or not group.size:
            continue
        component = group.component
        names = [item.name for item in component.state_variables]
        shown = {item.variable for item in component.exposures}
        # states that are published first; a component without states shows what it computes
        chosen = [name for name in names if name in shown] or names or sorted(shown)
        for name in chosen:
            yield Probe(label=f"{group.name}[0]/{name}", group=group.name, index=0, variable=name)


def _every_event(circuit: Circuit) -> Iterator[Probe]:
    from ..canonical_model.circuit import Probe

    for group in circuit.groups:
        if group.host:
            continue
        for port in group.component.event_outputs:
            for index in range(group.size):
                label = f"{group.name}[{index}]/{port.name}"
                yield Probe(label=label, group=group.name, index=index, variable=port.name)


def traces(found: Run) -> list[Trace]:
    """What to draw: the recorded quantities in the units in which this field reads them."""
    drawn = []
    for probe in found.circuit.probes:
        if probe.label not in found.result.traces:
            continue
        dimension = _dimension(found.circuit.group(probe.group).component, probe.variable)
        unit, per_si = _reading_unit(dimension)
        drawn.append(
            Trace(
                label=probe.label,
                times=found.result.times,
                values=found.result.traces[probe.label] * per_si,
                unit=unit,
            )
        )
    return drawn


def _dimension(component: Component, variable: str) -> Dimension:
    dimensions = {item.name: item.dimension for item in component.state_variables}
    dimensions |= {item.name: item.dimension for item in component.derived_variables}
    return dimensions.get(variable, NONE)


def _reading_unit(dimension: Dimension) -> tuple[str, float]:
    if dimension == VOLTAGE:
        return "mV", 1e3
    if dimension == CURRENT:
        return "pA", 1e12
    return ("", 1.0) if dimension == NONE else (str(dimension), 1.0)
