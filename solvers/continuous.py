"""Continuous time: adaptive Dormand-Prince 5(4) with events located on re-integrated steps.

Conditions fire on their rising edge. Times that are known beforehand (arrivals, timed events, switches
of conditions on time alone) are never stepped over. Method: Dormand and Prince 1980; dense output
of order 4 and step control as in Hairer, Norsett and Wanner, Solving ODEs I, section II.6.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..canonical_model.diagnostics import ModelError, error
from ..canonical_model.expr import Conditional, walk
from ..canonical_model.model import OnCondition
from ..canonical_model.query import odes, regimes
from ..canonical_model.units import NEURO
from .compile import Compiled, compile_tests
from .discrete import Machine
from .edges import TimeTest, time_test
from .numeric import Array

A = (
    (),
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
C = (0.0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0, 1.0)
E = np.array([71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40])
# continuous extension of order 4: b_i(theta) = sum_j D[i, j] theta^(j+1)
D = np.array([
    [1.0, -8048581381 / 2820520608, 8663915743 / 2820520608, -12715105075 / 11282082432],
    [0.0, 0.0, 0.0, 0.0],
    [0.0, 131558114200 / 32700410799, -68118460800 / 10900136933, 87487479700 / 32700410799],
    [0.0, -1754552775 / 470086768, 14199869525 / 1410260304, -10690763975 / 1880347072],
    [0.0, 127303824393 / 49829197408, -318862633887 / 49829197408, 701980252875 / 199316789632],
    [0.0, -282668133 / 205662961, 2019193451 / 616988883, -1453857185 / 822651844],
    [0.0, 40617522 / 29380423, -110615467 / 29380423, 69997945 / 29380423],
])  # fmt: skip

SAMPLES = (0.25, 0.5, 0.75, 1.0)
MAX_ROUNDS = 1000
TINY = 1e-15
DWELL = 200  # firings of one condition within `ACCUMULATION` that count as a Zeno point
ACCUMULATION = 1e-6
NOTHING = 1e-6  # of 1 mV, 1 pA, 1 nS, ..., or of 1 where there is no dimension


@dataclass(slots=True)
class Watch:
    """A condition of a group: its body, its flags per instance, the regime in which it counts."""

    item: Compiled
    condition: OnCondition
    machine: int
    regime: int
    timed: TimeTest | None
    flags: Any
    seen: Any  # the count of entries up to which the flags hold
    firings: list[float] = field(default_factory=list)
    chatters: bool = False


@dataclass(slots=True)
class Continuous:
    """One run in continuous time."""

    machine: Machine
    rtol: float
    step: float
    watches: list[Watch] = field(default_factory=list)
    timed: list[tuple[float, Compiled, Any]] = field(default_factory=list)
    sends: list[tuple[float, Compiled, str, Any]] = field(default_factory=list)
    watched: list[Watch] = field(default_factory=list)
    tests: Callable[[float, Array, Any], list[Any]] = lambda t, y, regimes: []
    switches: list[tuple[Compiled, TimeTest]] = field(default_factory=list)
    switch: float | None = None
    most: float = np.inf  # firings of one condition in one instance that count as accumulation
    limit: float = np.inf
    scale: Array = field(default_factory=lambda: np.zeros(0))
    shared: list[slice] = field(default_factory=list)
    h: float = 0.0
    notes: list[str] = field(default_factory=list)
    evaluations: int = 0

    def rates(self, t: float, y: Array) -> Array:
        """dy/dt of the whole circuit."""
        self.evaluations += 1
        dy = np.zeros_like(y)
        self.machine.engine.rhs(t, y, dy, self.machine.regimes)
        return dy

    def truths(self, t: float, y: Array) -> list[Any]:
        """The truth of every watched condition at a trial point (all instances)."""
        machine = self.machine
        found = self.tests(t, y, machine.regimes)
        for k, watch in enumerate(self.watched):
            if watch.machine >= 0:
                active = machine.regimes[watch.item.number][watch.machine] == watch.regime
                found[k] = found[k] & active
        return found

    def truth(self, watch: Watch) -> Any:
        """The truth of a condition for all instances, False where its regime is not active."""
        machine, item = self.machine, watch.item
        everyone = np.arange(item.size)
        if watch.timed is not None:
            value = watch.timed.truth(machine, item, everyone)
        else:
            value = machine.value(item, watch.condition.test, everyone, {})
        truth = np.broadcast_to(np.asarray(value, dtype=bool), (item.size,))
        if watch.machine >= 0:
            active = machine.regimes[item.number][watch.machine] == watch.regime
            truth = truth & active
        return truth

    def settle(self) -> None:
        """Fire every condition that has become true, until none does."""
        machine = self.machine
        self.switch = None
        for _ in range(MAX_ROUNDS):
            fired = False
            for watch in self.watches:
                truth = self.truth(watch)
                if watch.chatters:
                    continue
                if watch.condition.rising:
                    self._enter(watch, truth)
                ready = np.flatnonzero(truth & ~watch.flags)
                watch.flags = truth.copy()
                if len(ready):
                    fired = True
                    machine.run(watch.item, watch.condition.body, ready)
                    self._note_firing(watch)
                    watch.flags = self.truth(watch).copy()
                    self._reset_others(watch)
            if not fired:
                return
        raise error("S311", f"conditions fire without end at t = {machine.t:g} s")

    def _enter(self, watch: Watch, truth: Any) -> None:
        """What holds at entry does not fire until it was false."""
        machine, item = self.machine, watch.item
        count, active = np.zeros(item.size, dtype=int), np.ones(item.size, dtype=bool)
        if watch.machine >= 0:
            count = machine.entries[item.number][watch.machine]
            active = machine.regimes[item.number][watch.machine] == watch.regime
        fresh = active & (count != watch.seen)
        if fresh.any():
            if watch.timed is not None:
                everyone = np.arange(item.size)
                truth = truth & watch.timed.truth(machine, item, everyone, passed=True)
            watch.flags = np.where(fresh, truth, watch.flags)
            watch.seen = np.where(fresh, count, watch.seen)

    def _reset_others(self, fired: Watch) -> None:
        """A condition that an event made false may fire again as soon as it is true."""
        for watch in self.watches:
            if watch is not fired:
                watch.flags = watch.flags & self.truth(watch)

    def _note_firing(self, watch: Watch) -> None:
        """Recognise an accumulation of events (a ball that comes to rest)."""
        watch.firings.append(self.machine.t)
        recent = watch.firings[-DWELL:]
        if len(recent) == DWELL and recent[0] == recent[-1]:
            raise error("S311", f"conditions fire without end at t = {self.machine.t:g} s")
        is_dense = recent[-1] - recent[0] < ACCUMULATION * max(1.0, recent[-1])
        is_endless = len(watch.firings) > self.most * watch.item.size
        if (len(recent) == DWELL and is_dense) or is_endless:
            watch.chatters = True
            self.notes.append(
                f"events of '{watch.item.group.name}' accumulate at t = {self.machine.t:g} s; "
                f"from there on the condition is tested every {self.step:g} s"
            )

    def chatter(self) -> None:
        """Conditions past their accumulation point are tested on the recording grid."""
        for watch in self.watches:
            if watch.chatters:
                ready = np.flatnonzero(self.truth(watch))
                if len(ready):
                    self.machine.run(watch.item, watch.condition.body, ready)
                    self.switch = None

    def next_known(self, end: float) -> float:
        """The next time that must not be stepped over."""
        machine = self.machine
        soonest = end
        if machine.queue:
            soonest = min(soonest, machine.queue[0][0])
        if self.timed:
            soonest = min(soonest, self.timed[0][0])
        if self.sends:
            soonest = min(soonest, self.sends[-1][0])
        if self.switch is None:
            self.switch = self._next_switch()
        return max(min(soonest, self.switch), machine.t)

    def _next_switch(self) -> float:
        """The next switch of a condition or value on time alone; it only changes with an event."""
        timed = [(watch.item, watch.timed) for watch in self.watches if watch.timed is not None]
        times = [
            test.next_switch(self.machine, item, np.arange(item.size))
            for item, test in (*timed, *self.switches)
        ]
        return min(times, default=np.inf)

    def advance(
        self, end: float, record: Callable[[float, float, Callable[[float], Array]], None]
    ) -> None:
        """Run up to `end`; `record(t0, t1, dense)` sees every accepted piece before events at t1."""
        machine = self.machine
        first: Array | None = None
        while machine.t < end:
            known = self.next_known(end)
            if known <= machine.t:
                self.at_known()
                first = None
                continue
            self.limit = known
            if first is None:
                # just after the present: `t > delay` is to hold from its switch on
                first = self.rates(float(np.nextafter(machine.t, np.inf)), machine.y)
                self.h = self.h or self._first_step(first, known - machine.t)
            first = self._step(known, first, record)

    def _first_step(self, slope: Array, room: float) -> float:
        """A cautious first step: a hundredth of the time in which any state changes by its scale."""
        with np.errstate(all="ignore"):
            quick = np.nanmax(
                np.where(self.scale > 0, np.abs(slope) / self.scale, 0.0), initial=0.0
            )
        return min(room, 0.01 / quick if quick > 0 else room)

    def at_known(self) -> None:
        """Handle what is due now."""
        machine = self.machine
        machine.deliver_due(machine.t)
        while self.timed and self.timed[0][0] <= machine.t:
            _, item, body = self.timed.pop(0)
            machine.run(item, body, np.arange(item.size))
        while self.sends and self.sends[-1][0] <= machine.t:
            _, item, port, where = self.sends.pop()
            machine.emit(item, port, where)
        self.settle()

    def _stages(self, h: float, first: Array) -> tuple[Array, Array]:
        """The seven slopes of a step and its end state."""
        machine = self.machine
        slopes = np.empty((7, len(machine.y)))
        slopes[0] = first
        y = machine.y
        for i in range(1, 7):
            y = machine.y + h * (np.asarray(A[i]) @ slopes[:i])
            # the end of a piece still belongs to it: a switch at `limit` lies in the next one
            t = min(machine.t + C[i] * h, float(np.nextafter(self.limit, -np.inf)))
            slopes[i] = self.rates(t, y)
        return slopes, y

    def _step(
        self,
        known: float,
        first: Array,
        record: Callable[[float, float, Callable[[float], Array]], None],
    ) -> Array | None:
        """One accepted step, or a rejected one; returns the slope at the new point if still valid."""
        machine = self.machine
        room = known - machine.t
        h = min(self.h, room)
        if room - h < 0.1 * h:
            h = room if room <= 1.1 * self.h else room / 2
        with np.errstate(all="ignore"):
            slopes, y = self._stages(h, first)
            size = np.maximum(np.maximum(np.abs(machine.y), np.abs(y)), self.scale)
            ratio = np.where(size > 0, np.abs(h * (E @ slopes)) / (self.rtol * size), 0.0)
            worst = float(np.max(ratio, initial=0.0))
        if not np.isfinite(worst) or not np.all(np.isfinite(y)):
            worst = 1e10 if np.any(np.isfinite(first)) else 0.0
        if worst > 1.0 and h > TINY * max(machine.t, 1e-3):
            self.h = h * max(0.1, 0.9 * worst**-0.2)
            return first
        grow = 5.0 if worst < 1e-10 else min(5.0, 0.9 * worst**-0.2)
        start = machine.y

        def dense(theta: float) -> Array:
            powers = theta ** np.arange(1, 5)
            result: Array = start + h * ((D @ powers) @ slopes)
            return result

        fraction = self._first_edge(h, dense, y)
        if fraction is None:
            new_t = known if h == room else machine.t + h
            if new_t == machine.t:
                raise self._unbounded(first)
            record(machine.t, new_t, dense if h else lambda _: y)
            machine.t, machine.y = new_t, y
            machine.dirty()
            self._widen(y)
            if h >= 0.9 * self.h or worst > 0.5:
                self.h = h * grow
            if new_t >= known:
                self.at_known()
                return None
            last: Array = slopes[6]
            return last
        self._event(h, fraction, first, dense, record)
        return None

    def _unbounded(self, slope: Array) -> ModelError:
        """Steps shrink below the resolution of time: a state runs to infinity, or changes without limit."""
        machine = self.machine
        with np.errstate(all="ignore"):
            speed = np.nan_to_num(np.abs(slope) / self.scale, nan=np.inf, posinf=np.inf)
        place = int(np.argmax(speed))
        for item in machine.engine.groups:
            for name, where in item.slices.items():
                if where.start <= place < where.stop:
                    message = (
                        f"'{name}' of '{item.group.name}' leaves all bounds at t = {machine.t:g} s"
                    )
                    hint = "in continuous time nothing stops it: look at its initial value and its regime"
                    return error("S312", message, hint=hint)
        return error("S312", f"the solution leaves all bounds at t = {machine.t:g} s")

    def _first_edge(
        self, h: float, dense: Callable[[float], Array], end: Array
    ) -> tuple[float, float] | None:
        """The bracket (false, true) of the first rising edge in a step, as fractions."""
        watches = [k for k, w in enumerate(self.watched) if not w.chatters]
        if not watches:
            return None
        t = self.machine.t
        low = 0.0
        for high in SAMPLES:
            y = end if high == 1.0 else dense(high)
            if self._rises(t + high * h, y, watches):
                return low, high
            self._fall(watches)
            low = high
        return None

    def _rises(self, t: float, y: Array, watches: list[int]) -> bool:
        """True if a condition holds whose flag is off; remembers the truths."""
        self._trial = self.truths(t, y)
        return any(bool((self._trial[k] & ~self.watched[k].flags).any()) for k in watches)

    _trial: list[Any] = field(default_factory=list)

    def _fall(self, watches: list[int]) -> None:
        """Conditions that have become false may fire again."""
        for k in watches:
            self.watched[k].flags = self.watched[k].flags & self._trial[k]

    def _widen(self, y: Array) -> None:
        """The largest value that any instance of a state has had: errors are relative to it."""
        self.scale = np.maximum(self.scale, np.abs(y))
        for place in self.shared:
            self.scale[place] = self.scale[place].max()

    def _event(
        self,
        h: float,
        bracket: tuple[float, float],
        first: Array,
        dense: Callable[[float], Array],
        record: Callable[[float, float, Callable[[float], Array]], None],
    ) -> None:
        """Narrow the bracket, first on the interpolant, then on real steps; go there and fire."""
        machine = self.machine
        watches = [k for k, w in enumerate(self.watched) if not w.chatters]
        low, high = bracket
        t = machine.t
        for _ in range(60):
            if (high - low) * h < 1e-9 * h:
                break
            middle = 0.5 * (low + high)
            if self._rises(t + middle * h, dense(middle), watches):
                high = middle
            else:
                low = middle
        low, high = self._refine(h, low, high, first, watches)
        _, y = self._stages(high * h, first)
        record(t, t + high * h, lambda theta: dense(theta * high))
        machine.t, machine.y = t + high * h, y
        machine.dirty()
        self._widen(y)
        self.h = max(min(self.h, h), 1e-3 * h)
        self.settle()

    def _refine(
        self, h: float, low: float, high: float, first: Array, watches: list[int]
    ) -> tuple[float, float]:
        """Bisection on re-integrated steps until the bracket is at the resolution of time."""
        t = self.machine.t

        def true_at(fraction: float) -> bool:
            return self._rises(t + fraction * h, self._stages(fraction * h, first)[1], watches)

        width = 1e-8
        while not true_at(high) and high < 1.0:
            low, high = high, min(1.0, high + width)
            width *= 8
        width = 1e-8
        while low > 0.0 and true_at(low):
            low, high = max(0.0, low - width), low
            width *= 8
        target = max(2e-16 * t, 1e-17)
        while (high - low) * h > target:
            middle = 0.5 * (low + high)
            if middle in (low, high):
                break
            low, high = (low, middle) if true_at(middle) else (middle, high)
        return low, high


def prepare(machine: Machine, rtol: float, step: float) -> Continuous:
    """Watches for all conditions, timed events in order, scales from the initial state."""
    run = Continuous(machine, rtol, step)
    for item in machine.engine.groups:
        component = item.group.component
        for condition in component.on_conditions:
            run.watches.append(_watch(item, condition, -1, -1))
        for m, machine_ in enumerate(component.machines):
            for r, regime in enumerate(machine_.regimes):
                for condition in regime.on_conditions:
                    run.watches.append(_watch(item, condition, m, r))
        for timed in component.timed_events:
            run.timed.extend((t, item, timed.body) for t in timed.times)
        run.switches.extend((item, test) for test in _time_switches(item))
    run.watched = [watch for watch in run.watches if watch.timed is None]
    run.tests = compile_tests(
        machine.engine, [(watch.item, watch.condition.test) for watch in run.watched]
    )
    run.timed.sort(key=lambda entry: entry[0])
    run.sends = _known_sends(machine)
    run.scale = _smallest_scales(machine)
    run.shared = [p for i in machine.engine.groups for p in i.slices.values() if i.size > 1]
    run._widen(machine.y)
    return run


def _known_sends(machine: Machine) -> list[tuple[float, Compiled, str, Any]]:
    """The events of all trains by time, the last first."""
    found: list[tuple[float, Compiled, str, Any]] = []
    for train in machine.engine.circuit.trains:
        item = machine.engine.index(train.group)
        times, first = np.unique(np.asarray(train.times), return_index=True)
        parts = np.split(np.asarray(train.index), first[1:])
        found.extend(
            (float(t), item, train.port, part) for t, part in zip(times, parts, strict=True)
        )
    return sorted(found, key=lambda entry: -entry[0])


def _smallest_scales(machine: Machine) -> Array:
    """What counts as nothing: a state that rests at zero must not demand a relative error of zero."""
    floor = np.zeros(len(machine.y))
    for item in machine.engine.groups:
        for state in item.group.component.state_variables:
            floor[item.slices[state.name]] = NOTHING * NEURO.size(state.dimension)
    return floor


def _time_switches(item: Compiled) -> list[TimeTest]:
    """Conditional values that switch at a computable time (a pulse): steps end there."""
    component = item.group.component
    values = [d.value for d in component.derived_variables] + [o.rhs for o in odes(component)]
    values += [d.value for regime in regimes(component) for d in regime.derived_variables]
    tests = [
        test
        for value in values
        for node in walk(value)
        if isinstance(node, Conditional)
        for test, _ in node.cases
    ]
    found = [time_test(item, test) for test in dict.fromkeys(tests)]
    return [test for test in found if test is not None]


def _watch(item: Compiled, condition: OnCondition, machine: int, regime: int) -> Watch:
    timed = time_test(item, condition.test)
    flags = np.zeros(item.size, dtype=bool)
    seen = np.full(item.size, -1)
    return Watch(item, condition, machine, regime, timed, flags, seen)
