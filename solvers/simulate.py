"""The reference simulator: one entry for continuous time and for a fixed grid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..canonical_model.circuit import Circuit, Probe
from ..canonical_model.diagnostics import error, refuse
from ..canonical_model.passes.timegrid import on_grid
from . import continuous, grid
from .compile import compile_circuit
from .discrete import Machine, start
from .grid import TICK, StepOrder
from .numeric import Array
from .results import Result

DEFAULT_SEED = 1234
DEFAULT_STEP = 1e-4
DEFAULT_LENGTH = 0.1
MAX_ROWS = 50_000_000


@dataclass(slots=True)
class _Recorder:
    """Rows of the probed quantities."""

    machine: Machine
    probes: tuple[Probe, ...]
    times: list[float] = field(default_factory=list)
    rows: list[list[float]] = field(default_factory=list)

    def take(self) -> None:
        """Append a row of the present values."""
        machine = self.machine
        self.times.append(machine.t)
        row = []
        for probe in self.probes:
            item = machine.engine.index(probe.group)
            where = np.array([probe.index])
            value = machine.read(item, probe.variable, where, {})
            row.append(float(np.ravel(value)[0]))
        self.rows.append(row)


def simulate(
    circuit: Circuit,
    *,
    mode: str = "continuous",
    length: float | None = None,
    step: float | None = None,
    scheme: str = "auto",
    seed: int | None = None,
    record_every: int = 1,
    rtol: float = 1e-10,
    on_progress: Callable[[float], None] | None = None,
    order: StepOrder = TICK,
    most: float = np.inf,
) -> Result:
    """Run a circuit. Times in seconds, values in SI.

    `continuous` locates events in time to 1e-12 s or better; `grid` advances by `step` with the planner's
    `scheme`. Rows are recorded every `record_every` steps. `on_progress` hears the fraction done.
    After `most` firings in an instance a condition is tested on the grid only (in continuous mode).
    Raises ModelError S2xx (no such solution), S310, S311 (algebraic loop, endless events), S320, S322 (a
    time-step program in continuous mode).
    """
    duration = length or circuit.length or DEFAULT_LENGTH
    h = step or circuit.step or DEFAULT_STEP
    if mode not in ("continuous", "grid"):
        raise error("S321", f"there is no mode '{mode}'", hint="continuous or grid")
    if not (0 < h <= duration and duration / h <= MAX_ROWS * record_every):
        raise error("S320", f"a run of {duration:g} s in steps of {h:g} s makes no sense")
    if seed is None:
        seed = circuit.seed if circuit.seed is not None else DEFAULT_SEED
    if mode == "grid":
        circuit = on_grid(circuit, h)
    else:
        _refuse_programs(circuit)
    engine = compile_circuit(circuit, abs(seed))
    machine = start(engine)
    recorder = _Recorder(machine, circuit.probes)
    # overflow in a rejected trial step is no news
    with np.errstate(all="ignore"):
        if mode == "grid":
            notes = _run_grid(
                machine, recorder, scheme, h, duration, record_every, order, on_progress
            )
        else:
            notes = _run_continuous(
                machine, recorder, h, duration, record_every, rtol, most, on_progress
            )
    table = np.array(recorder.rows).reshape(len(recorder.times), len(circuit.probes))
    return Result(
        name=circuit.name,
        mode=mode,
        step=h,
        times=np.array(recorder.times),
        traces={probe.label: table[:, k] for k, probe in enumerate(circuit.probes)},
        events={probe.label: _event_times(machine, probe) for probe in circuit.event_probes},
        notes=tuple(notes),
    )


def _refuse_programs(circuit: Circuit) -> None:
    for group in circuit.groups:
        if group.component.update is not None:
            message = (
                f"'{group.component.name}' is a time-step program, which has no continuous time"
            )
            hint = "simulate in grid mode"
            raise refuse("S322", message, group.component.span, hint=hint)


def _event_times(machine: Machine, probe: Probe) -> Array:
    item = machine.engine.index(probe.group)
    found = machine.spikes.get((item.number, probe.variable), [])
    return np.array([t for t, where in found if probe.index in where])


def _run_grid(
    machine: Machine,
    recorder: _Recorder,
    scheme: str,
    h: float,
    duration: float,
    every: int,
    order: StepOrder,
    on_progress: Callable[[float], None] | None,
) -> list[str]:
    run = grid.prepare(machine, scheme, h, order)
    recorder.take()
    run.send_known()
    count = round(duration / h)
    for k in range(1, count + 1):
        run.run_step()
        if k % every == 0:
            recorder.take()
        if on_progress and k % 256 == 0:
            on_progress(k / count)
    return run.notes


def _run_continuous(
    machine: Machine,
    recorder: _Recorder,
    h: float,
    duration: float,
    every: int,
    rtol: float,
    most: float,
    on_progress: Callable[[float], None] | None,
) -> list[str]:
    """Rows lie on the grid; between events they are read off the dense output."""
    run = continuous.prepare(machine, rtol, h)
    run.most = most
    # the first row shows the initial values, before what is due at t = 0
    recorder.take()
    run.at_known()
    count = round(duration / h / every)
    pending = [1]

    def rows(t0: float, t1: float, dense: Callable[[float], Array]) -> None:
        kept: tuple[float, Any] = machine.t, machine.y
        while pending[0] <= count and (t := pending[0] * every * h) < t1 * (1 - 1e-14):
            machine.t = t
            machine.y = dense((t - t0) / (t1 - t0)) if t1 > t0 else machine.y
            machine.dirty()
            recorder.take()
            pending[0] += 1
        machine.t, machine.y = kept
        machine.dirty()

    chunk = max(1, count // 200)
    for k in range(1, count + 1):
        t = k * every * h
        if k % chunk == 0 or k == count or any(w.chatters for w in run.watches):
            run.advance(t, rows)
            run.chatter()
            while pending[0] <= k:
                recorder.take()
                pending[0] += 1
            if on_progress:
                on_progress(k / count)
    return run.notes
