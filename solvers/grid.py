"""Fixed-step time: the order of a step is data, the update is the planner's program.

The default order is that of a SpiNNaker2 tick. Inputs are gathered once and held over the step;
conditions are level-triggered and see the states at the step's end.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from ..canonical_model.circuit import EventTrain
from ..canonical_model.expr import TIME
from ..canonical_model.query import later_ways
from .compile import Compiled, Engine
from .discrete import Machine
from .evaluate import coefficient_values
from .numpy_printer import print_numpy
from .plan import STEP, Program
from .planner import plan_update

Key: TypeAlias = tuple[int, ...] | tuple[str, ...]

SLACK = 1e-9  # of a step: events due within it count as due
MAX_SUBSTEPS = 4096
# an adaptive plan's tolerance suits single precision; the reference keeps 1e-6 of each state
TIGHTER = 100.0


@dataclass(frozen=True, slots=True)
class StepOrder:
    """The stages of one step, in order: deliver, gather, integrate, conditions."""

    stages: tuple[str, ...] = ("deliver", "gather", "integrate", "conditions")


TICK = StepOrder()
# an engine that integrates first and hands out events afterwards
INTEGRATE_FIRST = StepOrder(("gather", "integrate", "conditions", "deliver"))


@dataclass(slots=True)
class Stepper:
    """The compiled update of one group: programs by active regimes, or by the variables integrated.

    `moved` counts the states that a program moves, committed ones first.
    """

    item: Compiled
    programs: dict[Key, Callable[[dict[str, Any]], tuple[Any, ...]]]
    commits: dict[Key, tuple[str, ...]]
    moved: dict[Key, tuple[str, ...]]
    errors: dict[Key, int]
    coefficients: dict[str, Any]


@dataclass(slots=True)
class Train:
    """Events known beforehand: at ticks[k] instance index[k] sends; `next` is the first not yet sent."""

    item: Compiled
    port: str
    ticks: Any
    index: Any
    next: int = 0


@dataclass(slots=True)
class Grid:
    """One run on a fixed grid."""

    machine: Machine
    step: float
    order: StepOrder
    steppers: list[Stepper]
    timed: list[tuple[int, Compiled, Any]]
    trains: list[Train] = field(default_factory=list)
    tick: int = 0
    notes: list[str] = field(default_factory=list)

    def run_step(self) -> None:
        """Advance by one step."""
        for stage in self.order.stages:
            getattr(self, f"_{stage}")()

    def _deliver(self) -> None:
        machine = self.machine
        machine.held = None
        machine.deliver_due(machine.t + SLACK * self.step)

    def _gather(self) -> None:
        machine = self.machine
        machine.held = None
        machine.dirty()
        values = machine.algebra()
        machine.held = [
            {i.name: values[item.number, i.name] for i in item.group.component.analog_inputs}
            for item in machine.engine.groups
        ]

    def _integrate(self) -> None:
        machine = self.machine
        assert machine.held is not None
        new = machine.y.copy()
        programs = []
        for stepper in self.steppers:
            item = stepper.item
            if item.group.component.update is not None:
                programs.append(item)
                continue
            inputs = machine.held[item.number]
            if not item.group.component.machines:
                self._advance(stepper, (), slice(None), inputs, new)
                continue
            combos = np.stack(machine.regimes[item.number], axis=1)
            for combo in np.unique(combos, axis=0):
                where = np.flatnonzero((combos == combo).all(axis=1))
                self._advance(stepper, tuple(int(c) for c in combo), where, inputs, new)
        machine.y = new
        self.tick += 1
        machine.t = self.tick * self.step
        machine.dirty()
        for item in programs:
            update = item.group.component.update
            machine.run_program(item, update or (), np.arange(item.size))

    def integrate(self, item: Compiled, variables: tuple[str, ...], where: Any) -> None:
        """What an `Integrate` statement does."""
        machine = self.machine
        assert machine.held is not None
        stepper = self.steppers[item.number]
        new = machine.y.copy()
        self._advance(stepper, variables, where, machine.held[item.number], new)
        machine.y = new
        machine.dirty()

    def _advance(
        self,
        stepper: Stepper,
        combo: Key,
        where: Any,
        inputs: dict[str, Any],
        new: Any,
    ) -> None:
        """Run one program for the instances `where`."""
        machine, item = self.machine, stepper.item
        if not stepper.commits[combo]:
            return
        # a program runs at the end of its step, its equations start at the beginning
        is_program = item.group.component.update is not None
        start = machine.t - self.step if is_program else machine.t
        size = item.size if isinstance(where, slice) else len(where)
        values: dict[str, Any] = {TIME: start, STEP: self.step, "#": size}
        for source in (item.values, stepper.coefficients, inputs):
            for name, value in source.items():
                # numpy's numbers divide by zero as C does, Python's raise
                values[name] = value[where] if np.ndim(value) else np.float64(value)
        for name, place in item.slices.items():
            values[name] = machine.y[place][where]
        if stepper.errors[combo]:
            results = _adaptive(stepper, combo, values, self.step)
        else:
            with np.errstate(all="ignore"):
                results = stepper.programs[combo](values)
        for name, value in zip(stepper.commits[combo], results, strict=False):
            new[item.slices[name]][where] = value

    def _conditions(self) -> None:
        machine = self.machine
        for item in machine.engine.groups:
            component = item.group.component
            everyone = np.arange(item.size)
            for condition in component.on_conditions:
                self._test(item, condition.test, condition.body, everyone)
            for m, regimes in enumerate(component.machines):
                active = machine.regimes[item.number][m].copy()
                for r, regime in enumerate(regimes.regimes):
                    where = np.flatnonzero(active == r)
                    items = regime.on_conditions if len(where) else ()
                    for condition, is_later in zip(items, later_ways(items), strict=True):
                        still = where
                        if is_later:
                            still = where[machine.regimes[item.number][m][where] == r]
                        self._test(item, condition.test, condition.body, still)
        while self.timed and self.timed[0][0] <= self.tick:
            _, item, body = self.timed.pop(0)
            machine.run(item, body, np.arange(item.size))
        self.send_known()

    def send_known(self) -> None:
        """Send the events of trains that are due by now."""
        for train in self.trains:
            end = int(np.searchsorted(train.ticks, self.tick, side="right"))
            if end > train.next:
                self.machine.emit(train.item, train.port, train.index[train.next : end])
                train.next = end

    def _test(self, item: Compiled, test: Any, body: Any, where: Any) -> None:
        truth = np.broadcast_to(self.machine.value(item, test, where, {}), where.shape)
        ready = where[truth.astype(bool)]
        if len(ready):
            self.machine.run(item, body, ready)


def _adaptive(stepper: Stepper, combo: Key, values: dict[str, Any], step: float) -> tuple[Any, ...]:
    """Substeps of an embedded method, one common size for the instances given."""
    done, h = 0.0, step
    names = stepper.moved[combo]
    results: tuple[Any, ...] = tuple(values[name] for name in names)
    start = values[TIME]
    for _ in range(MAX_SUBSTEPS):
        values[STEP] = h = min(h, step - done)
        values[TIME] = start + done
        with np.errstate(all="ignore"):
            out = stepper.programs[combo](values)
        errors = [np.max(np.abs(e)) for e in out[len(names) :]]
        worst = TIGHTER * float(np.max(errors, initial=0.0))
        if worst <= 1.0 or h <= step / MAX_SUBSTEPS:
            done += h
            results = out[: len(names)]
            values.update(zip(names, results, strict=True))
            if done >= step * (1 - 1e-12):
                break
        h *= min(4.0, max(0.2, 0.9 * max(worst, 1e-10) ** -0.2))
    return results


def _due(t: float, delay: float, early: bool, step: float) -> float:
    """When an event counts as due: of one step what has no delay is first, the rest as it was sent.

    What is due at the end of a step takes part in it (`early`) where a component says what its step does.
    """
    slack = (1.25 if delay == 0.0 else 1.0) * SLACK
    return (round((t + delay) / step, 6) - slack - early) * step


def prepare(machine: Machine, scheme: str, step: float, order: StepOrder) -> Grid:
    """Plans and compiled programs for every group, timed events as ticks."""
    engine = machine.engine
    machine.immediate = False
    machine.arrival = lambda t, delay, early: _due(t, delay, early, step)
    steppers, notes = [], []
    for item in engine.groups:
        stepper, found = _stepper(engine, item, scheme, step)
        steppers.append(stepper)
        notes.extend(found)
    timed = [
        (max(1, math.ceil(t / step - SLACK)), item, timed.body)
        for item in engine.groups
        for timed in item.group.component.timed_events
        for t in timed.times
    ]
    timed.sort(key=lambda entry: entry[0])
    trains = [_train(engine, train, step) for train in engine.circuit.trains]
    run = Grid(machine, step, order, steppers, timed, trains, notes=notes)
    machine.integrate = run.integrate
    return run


def _train(engine: Engine, train: EventTrain, step: float) -> Train:
    ticks = np.maximum(np.ceil(np.asarray(train.times) / step - SLACK), 0).astype(np.int64)
    return Train(engine.index(train.group), train.port, ticks, np.asarray(train.index))


def _stepper(engine: Engine, item: Compiled, scheme: str, step: float) -> tuple[Stepper, list[str]]:
    component = item.group.component
    plan = plan_update(component, scheme, step=step)
    index = [{r.name: k for k, r in enumerate(m.regimes)} for m in component.machines]
    chosen: dict[Key, Program] = {
        tuple(table[name] for table, name in zip(index, names, strict=True)): program
        for names, program in plan.programs
    }
    chosen.update(dict(plan.integrations))
    programs, commits, moved, errors = {}, {}, {}, {}
    for combo, program in chosen.items():
        programs[combo] = _compile(program, engine)
        commits[combo] = tuple(state for state, _ in program.commits)
        moved[combo] = tuple(state for state, _ in (*program.commits, *program.carried))
        errors[combo] = len(program.error)
    coefficients = coefficient_values(plan, item.values, step)
    notes = [f"{item.group.name}: {', '.join(b.states)}: {b.scheme}" for b in plan.blocks]
    return Stepper(item, programs, commits, moved, errors, coefficients), notes


def _compile(program: Program, engine: Engine) -> Callable[[dict[str, Any]], tuple[Any, ...]]:
    """A program as a function of the values by name; numbered locals, no model text."""
    from ..canonical_model.expr import free_names
    from . import numeric

    locals_: dict[str, str] = {}
    lines: list[str] = []
    for number, instruction in enumerate(program.instructions):
        names = {n: locals_.get(n, f"v[{n!r}]") for n in free_names(instruction.value)}
        lines.append(f"x{number} = {print_numpy(instruction.value, names)}")
        locals_[instruction.target] = f"x{number}"
    results = [
        locals_.get(local, f"v[{local!r}]") for _, local in (*program.commits, *program.carried)
    ]
    results += [locals_[name] for name in program.error]
    body = "\n    ".join([*lines, f"return ({', '.join(results)}{',' if results else ''})"])
    random = engine.random
    scope: dict[str, Any] = {
        "np": np,
        "nm": numeric,
        "bool": bool,
        "uniform": random.random,
        "normal": random.standard_normal,
        "poisson": random.poisson,
    }
    # every instance draws for itself
    draws = """
    def nm_uniform(): return uniform(v["#"])
    def nm_normal(): return normal(v["#"])
    def nm_poisson(mean): return poisson(np.broadcast_to(mean, v["#"])).astype(float)
    """
    exec(compile(f"def program(v):{draws}{body}\n", "<program>", "exec"), scope)
    function: Callable[[dict[str, Any]], tuple[Any, ...]] = scope["program"]
    return function
