"""Conditions that count only when they become true, for engines that test them in every step.

NineML's triggers fire on a change from false to true; one that holds already when its regime is entered waits
until it was false. Where an interval analysis of what regimes are entered with shows that level and edge are
the same (`v > threshold` with a reset below it), a condition stays as it is; the others get a state that
says whether they are armed. A source that draws when it sends the next event may send several in a step.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from itertools import islice

from ..algebra import Definitions
from ..expr import (
    MIRRORED,
    ONE,
    TIME,
    ZERO,
    Binary,
    Call,
    Conditional,
    Expr,
    Name,
    Number,
    Unary,
    free_names,
    is_random,
    rebuild,
    substitute,
    walk,
)
from ..fixed import fixed_value
from ..model import (
    Assign,
    Component,
    DerivedParameter,
    Emit,
    OnCondition,
    Regime,
    RegimeMachine,
    Statement,
    StateVariable,
    Transition,
    While,
)
from ..query import bodies, conditions, declared, odes, regimes, statics
from ..units import TIME as TIME_DIMENSION
from ..units import Unit
from .intervals import EVERYTHING, Interval, Known, bounds, certain, follow, hull

HALF = Number(0.5)
ROUNDS = 20
MAX_DEPTH = 40
MAX_NODES = 2000
SHORTEST = Number(
    1e-7, Unit("s", TIME_DIMENSION)
)  # between two events of a source: bounds the work of a step


def arm(
    component: Component,
    ranges: Mapping[str, Interval] | None = None,
    *,
    loops: bool = False,
) -> Component:
    """The flat component without `rising` conditions; behaviour on a grid is that of the edges.

    With `loops`, sources catch up: all events that are due in a step are sent. `ranges` are the least and
    the largest value (SI) of parameters and initial values that instances have.
    """
    if not any(condition.rising for condition in conditions(component)):
        return component
    return Arming(component, ranges or {}, loops).run()


def caught_up(component: Component, condition: OnCondition) -> tuple[Statement, ...] | None:
    """What a condition does as often as it is due: for sources that wait until `t > next`, send, and draw
    `next := t + interval`. None for others. An interval counts from `next`, which is when the event is due.
    """
    sends = [s for s in condition.body if isinstance(s, Emit) and s.weight is None]
    draws = [s for s in condition.body if isinstance(s, Assign)]
    if len(draws) != 1 or not sends or len(sends) + 1 != len(condition.body):
        return None
    (draw,) = draws
    due = Name(draw.target)
    match condition.test, draw.value:
        case (
            (Binary(">" | ">=", Name("t"), found), Binary("+", Name("t"), interval))
            | (Binary(">" | ">=", Name("t"), found), Binary("+", interval, Name("t")))
            | (Binary("<" | "<=", found, Name("t")), Binary("+", Name("t"), interval))
            | (Binary("<" | "<=", found, Name("t")), Binary("+", interval, Name("t")))
        ):
            pass
        case _:
            return None
    state = next(s for s in component.state_variables if s.name == draw.target)
    moves = {ode.variable for ode in odes(component)}
    if found != due or not is_random(interval) or TIME in free_names(interval):
        return None
    if state.dimension != TIME_DIMENSION or due.id in moves | free_names(interval):
        return None
    later = Binary("+", due, Call("max", (interval, SHORTEST)))
    return tuple(replace(s, value=later) if s is draw else s for s in condition.body)


@dataclass(frozen=True, slots=True)
class Entry:
    """A way into a regime: from where (None: the start, or from anywhere), after which body."""

    source: str | None
    body: tuple[Statement, ...]
    test: Expr = ONE  # what holds when it is taken
    is_start: bool = False


@dataclass(slots=True)
class Arming:
    component: Component
    ranges: Mapping[str, Interval]
    loops: bool = False
    known: dict[str, Interval] = field(default_factory=dict)
    states: list[StateVariable] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    facts: dict[str, dict[str, Interval]] = field(default_factory=dict)

    def run(self) -> Component:
        """Every machine, then what stands outside of machines."""
        component = self.component
        self.taken = {item.name for item in declared(component)} | {TIME}
        self.taken |= {item.name for item in component.analog_inputs}
        self.known = self.statics()
        machines = tuple(self.machine(machine) for machine in component.machines)
        lone = Regime(name="", on_conditions=component.on_conditions, odes=component.odes)
        changed = self.armed(lone, [Entry(None, (), is_start=True)], {}, is_lone=True)
        return replace(
            component,
            machines=machines,
            on_conditions=changed.on_conditions,
            state_variables=(*component.state_variables, *self.states),
        )

    def statics(self) -> dict[str, Interval]:
        """Bounds of everything that is fixed during a run."""
        known: dict[str, Interval] = {}
        for item in statics(self.component):
            if item.name in self.ranges:
                known[item.name] = self.ranges[item.name]
            elif isinstance(item, DerivedParameter):
                continue
            elif item.value is not None:
                known[item.name] = (item.value.si, item.value.si)
        waiting = {d.name: d.value for d in self.component.derived_parameters}
        return follow(known, {n: value for n, value in waiting.items() if n not in known})

    def machine(self, machine: RegimeMachine) -> RegimeMachine:
        """A machine whose regimes are armed where they must be."""
        entries = {regime.name: list(self.entries(machine, regime)) for regime in machine.regimes}
        facts = self.flow(machine, entries)
        found = tuple(self.armed(r, entries[r.name], facts) for r in machine.regimes)
        return replace(machine, regimes=found)

    def entries(self, machine: RegimeMachine, regime: Regime) -> Iterator[Entry]:
        """Every way into a regime."""
        if machine.initial == regime.name:
            yield Entry(None, (), is_start=True)
        component = self.component
        common = [c.body for c in component.on_conditions] + [e.body for e in component.on_events]
        common += [timed.body for timed in component.timed_events]
        for other in component.machines:
            for source in other.regimes:
                own = [(c.test, c.body) for c in source.on_conditions]
                own += [(ONE, e.body) for e in source.on_events]
                for test, body in own:
                    if _target(body, machine.name) == regime.name:
                        name = source.name if other is machine else None
                        yield Entry(name, body, test)
        for body in common:
            if _target(body, machine.name) == regime.name:
                yield Entry(None, body)

    # --- what is known of states when a regime is entered

    def flow(
        self, machine: RegimeMachine, entries: Mapping[str, list[Entry]]
    ) -> dict[str, dict[str, Interval]]:
        """For each regime what its states can be when it is left, as far as they stand still in it."""
        still = {regime.name: self.still(regime) for regime in machine.regimes}
        facts: dict[str, dict[str, Interval]] = {}
        for turn in range(ROUNDS):
            before = {name: dict(found) for name, found in facts.items()}
            for regime in machine.regimes:
                reached = [e for e in entries[regime.name] if e.source is None or e.source in facts]
                for entry in reached:
                    self.enter(facts, regime.name, entry, still[regime.name])
            if facts == before:
                return facts
            if turn > ROUNDS // 2:  # what still grows has no bound
                for name, found in facts.items():
                    grown = {n for n, b in found.items() if before.get(name, {}).get(n) != b}
                    found.update(dict.fromkeys(grown, EVERYTHING))
        return {}

    def enter(
        self,
        facts: dict[str, dict[str, Interval]],
        name: str,
        entry: Entry,
        still: frozenset[str],
    ) -> None:
        """Widen what is known of a regime by one way into it."""
        before = self.before(entry, facts)
        values = after(entry.body)
        is_new = name not in facts
        found = facts.setdefault(name, {})
        for state in still:
            value = EVERYTHING
            if values is not None:
                value = bounds(self.plain(values.get(state, Name(state)), None), before)
            found[state] = value if is_new else hull(found[state], value)

    def still(self, regime: Regime) -> frozenset[str]:
        """States that nothing moves or sets as long as the regime lasts."""
        component = self.component
        moved = {ode.variable for ode in (*component.odes, *regime.odes)}
        holders: list[Component | Regime] = [component, regime]
        holders += [r for r in regimes(component) if self.is_other(r, regime)]
        for holder in holders:
            bodies = [c.body for c in holder.on_conditions] + [e.body for e in holder.on_events]
            for body in bodies:
                leaves = holder is regime and any(isinstance(s, Transition) for s in body)
                values = after(body)
                if values is None:
                    return frozenset()
                moved |= set() if leaves else values.keys()
        moved |= {s.target for s in regime.on_entry if isinstance(s, Assign)}
        if component.timed_events:
            return frozenset()
        return frozenset(s.name for s in component.state_variables if s.name not in moved)

    def is_other(self, regime: Regime, own: Regime) -> bool:
        """Is `regime` one of another machine than that of `own`?"""
        mine = next((m for m in self.component.machines if own in m.regimes), None)
        return mine is None or regime not in mine.regimes

    def before(self, entry: Entry, facts: Mapping[str, Mapping[str, Interval]]) -> Known:
        """What is known just before a transition."""
        found = dict(self.known)
        if entry.is_start:
            found[TIME] = (0.0, 0.0)
            for state in self.component.state_variables:
                initial = state.initial or ZERO
                found[state.name] = self.ranges.get(state.name) or bounds(initial, self.known)
            return found
        found[TIME] = (0.0, math.inf)
        found.update(facts.get(entry.source or "", {}))
        return found

    # --- what has to be armed

    def armed(
        self,
        regime: Regime,
        entries: list[Entry],
        facts: Mapping[str, Mapping[str, Interval]],
        *,
        is_lone: bool = False,
    ) -> Regime:
        """The regime with plain conditions."""
        found: list[OnCondition] = []
        entry: list[Statement] = []
        for condition in regime.on_conditions:
            reached = self.reached(condition.test, regime)
            plain = replace(condition, test=reached, rising=False)
            if not condition.rising:
                found.append(condition)
                continue
            again_and_again = caught_up(self.component, condition) if self.loops else None
            if again_and_again is not None and not self.holds_at_start(condition.test, entries):
                loop = While(test=reached, body=again_and_again, span=condition.span)
                found.append(replace(plain, body=(loop,)))
                continue
            if self.is_plain(condition, regime, entries, facts):
                found.append(plain)
                continue
            name = self.fresh()
            value = Conditional(((condition.test, ZERO),), ONE)
            again = Assign(target=name, value=value, span=condition.span)
            leaves = any(isinstance(s, Transition) for s in condition.body)
            state = Name(name)
            is_off = Binary("and", Binary("<", state, HALF), Unary("not", condition.test))
            is_on = Binary("and", Binary(">", state, HALF), reached)
            body = condition.body if leaves else (*condition.body, again)
            found.append(
                OnCondition(
                    test=is_off, body=(Assign(target=name, value=ONE),), span=condition.span
                )
            )
            found.append(replace(plain, test=is_on, body=body))
            self.states.append(
                StateVariable(name=name, initial=self.at_start(condition, regime, entries, facts))
            )
            if not is_lone:
                entry.append(again)
        return replace(regime, on_conditions=tuple(found), on_entry=(*regime.on_entry, *entry))

    def holds_at_start(self, test: Expr, entries: list[Entry]) -> bool:
        """Is a test known to hold from the start on?"""
        known = self.before(entries[0], {}) if entries else {}
        return certain(self.plain(test, None), known) is True

    def at_start(
        self,
        condition: OnCondition,
        regime: Regime,
        entries: list[Entry],
        facts: Mapping[str, Mapping[str, Interval]],
    ) -> Expr:
        """1 where a condition does not hold at the start, as far as that is known beforehand.

        Parameters may decide it. What an input is at the start nobody knows: it has to be false first.
        """
        test = self.plain(condition.test, regime)
        known = self.before(entries[0], facts) if entries else {}  # a regime may be out of reach
        holds = certain(test, known)
        if holds is not None or not any(entry.is_start for entry in entries):
            return ZERO if holds else ONE
        initial = {s.name: s.initial or ZERO for s in self.component.state_variables}
        first = substitute(test, {**initial, TIME: ZERO})
        fixed = {item.name for item in statics(self.component)}
        if free_names(first) <= fixed and not is_random(first):
            return Conditional(((first, ZERO),), ONE)
        inputs = {item.name for item in self.component.analog_inputs}
        return ZERO if free_names(first) & inputs else ONE

    def is_plain(
        self,
        condition: OnCondition,
        regime: Regime,
        entries: list[Entry],
        facts: Mapping[str, Mapping[str, Interval]],
    ) -> bool:
        """Is the test false whenever the regime has been entered, and after the condition itself?"""
        test = self.plain(condition.test, regime)
        ways = list(entries)
        if not any(isinstance(s, Transition) for s in condition.body):
            ways.append(Entry(regime.name or None, condition.body))
        if any(isinstance(s, Assign) for s in regime.on_entry):
            return False
        for entry in ways:
            values = after(entry.body)
            if values is None:
                return False
            plain = {name: self.plain(value, None) for name, value in values.items()}
            assigned = values.keys() | {d.name for d in regime.derived_variables}
            if _excludes(entry.test, condition.test, assigned):
                continue
            if certain(substitute(test, plain), self.before(entry, facts)) is not False:
                return False
        return True

    def reached(self, test: Expr, regime: Regime) -> Expr:
        """Comparisons with time, or with a timer, that count at the moment itself: the trigger fires then,
        and a pause of n steps lasts n steps."""
        timers = {
            ode.variable: bounds(ode.rhs, self.known)[0]
            for ode in (*self.component.odes, *regime.odes)
            if bounds(ode.rhs, self.known) in ((1.0, 1.0), (-1.0, -1.0))
        }
        timers[TIME] = 1.0

        def change(part: Expr) -> Expr:
            match part:
                case Binary("<" | ">" as op, left, right):
                    names = free_names(self.plain(part, regime))
                    moving = {*self.moving(regime), TIME} & names
                    if not moving or not moving <= timers.keys():
                        return part
                    gap = self.plain(Binary("-", left, right), regime)
                    against = -1 if op == ">" else 1
                    if _runs(gap, timers) != against and not self.begins(left, right):
                        return Binary(f"{op}=", left, right, part.span)
                    return part
            return rebuild(part, change)

        return change(test)

    def begins(self, left: Expr, right: Expr) -> bool:
        """Does something set two sides equal, so that one is not beyond the other at that moment?"""
        equal = Binary("==", left, right)
        for body in bodies(self.component):
            values = after(body) or {}
            if free_names(equal) & values.keys() and certain(substitute(equal, values), {}):
                return True
        return False

    def moving(self, regime: Regime) -> set[str]:
        """What changes all the time in a regime."""
        found = {ode.variable for ode in (*self.component.odes, *regime.odes)}
        return found | {item.name for item in self.component.analog_inputs}

    def plain(self, expr: Expr, regime: Regime | None) -> Expr:
        """`expr` with derived variables written out, as far as they are few."""
        values = {d.name: d.value for d in self.component.derived_variables}
        values.update({d.name: d.value for d in regime.derived_variables} if regime else {})
        for _ in range(MAX_DEPTH):
            names = free_names(expr) & values.keys()
            if not names:
                break
            longer = substitute(expr, {name: values[name] for name in names})
            if sum(1 for _ in islice(walk(longer), MAX_NODES)) == MAX_NODES:
                break
            expr = longer
        return expr

    def fresh(self) -> str:
        """A name for a state."""
        number = len(self.states) + 1
        while f"armed{number}" in self.taken:
            number += 1
        self.taken.add(f"armed{number}")
        return f"armed{number}"


def _runs(expr: Expr, timers: Mapping[str, float]) -> int:
    """1 where an expression of timers grows as they run, -1 where it falls, 0 where that is not known."""
    form = Definitions({}).linear(expr, frozenset(timers))
    if form is None:
        return 0
    rate = 0.0
    for name, factor in form.coefficients.items():
        value = fixed_value(factor, {})
        if value is None:
            return 0
        rate += value * timers[name]
    return int(rate > 0) - int(rate < 0)


def _excludes(held: Expr, test: Expr, changed: Set[str]) -> bool:
    """Does `held`, true a moment ago, make `test` false: the opposite comparison of the same?"""
    match held, test:
        case Binary("and", left, right), _:
            return _excludes(left, test, changed) or _excludes(right, test, changed)
        case Binary(one, a, b), Binary(other, c, d) if not free_names(test) & changed:
            if (a, b) == (d, c):
                other, c, d = MIRRORED.get(other, other), d, c
            is_opposite = {one[:1], other[:1]} == {"<", ">"}
            return (a, b) == (c, d) and is_opposite and len(one + other) < 4
    return False


def _target(body: tuple[Statement, ...], machine: str) -> str:
    """The regime to which a body goes, "" if it stays."""
    names = [s.regime for s in body if isinstance(s, Transition) and s.machine == machine]
    return names[-1] if names else ""


def after(body: tuple[Statement, ...]) -> dict[str, Expr] | None:
    """What a body makes of the states, in terms of the values before it; None where it branches."""
    values: dict[str, Expr] = {}
    for item in body:
        if isinstance(item, Assign):
            values[item.target] = substitute(item.value, values)
        elif not isinstance(item, Emit | Transition):
            return None
    return values


__all__ = ["Arming", "Entry", "after", "arm", "caught_up"]
