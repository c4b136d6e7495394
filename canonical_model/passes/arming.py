"""Conditions that count only when they become true, for engines that test them in every step.

NineML's triggers fire on a change from false to true; one that holds already when its regime is entered waits
until it was false. Where an interval analysis of what regimes are entered with shows that level and edge are
the same (`v > threshold` with a reset below it), a condition stays as it is; the others get a state that
says whether they are armed. A source that draws when it sends the next event may send several in a step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ..algebra import Definitions
from ..expr import (
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
)
from ..fixed import fixed_value
from ..model import (
    Assign,
    Component,
    Emit,
    OnCondition,
    Regime,
    RegimeMachine,
    Statement,
    StateVariable,
    Transition,
    While,
)
from ..query import bodies, conditions, declared, odes, statics
from ..units import TIME as TIME_DIMENSION
from ..units import Unit
from .entries import Analysis, Entry, after
from .intervals import Interval, bounds, certain

HALF = Number(0.5)
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
    return Arming(component, Analysis(component, ranges or {}), loops).run()


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


@dataclass(slots=True)
class Arming:
    component: Component
    analysis: Analysis
    loops: bool = False
    states: list[StateVariable] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)

    def run(self) -> Component:
        """Every machine, then what stands outside of machines."""
        component = self.component
        self.taken = {item.name for item in declared(component)} | {TIME}
        self.taken |= {item.name for item in component.analog_inputs}
        machines = tuple(self.machine(machine) for machine in component.machines)
        lone = Regime(name="", on_conditions=component.on_conditions, odes=component.odes)
        changed = self.armed(lone, [Entry(None, (), is_start=True)], {}, is_lone=True)
        return replace(
            component,
            machines=machines,
            on_conditions=changed.on_conditions,
            state_variables=(*component.state_variables, *self.states),
        )

    def machine(self, machine: RegimeMachine) -> RegimeMachine:
        """A machine whose regimes are armed where they must be."""
        entries = {
            regime.name: list(self.analysis.entries(machine, regime)) for regime in machine.regimes
        }
        facts = self.analysis.flow(machine, entries)
        found = tuple(self.armed(r, entries[r.name], facts) for r in machine.regimes)
        return replace(machine, regimes=found)

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
            if self.analysis.is_plain(condition, regime, entries, facts):
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
        known = self.analysis.before(entries[0], {}) if entries else {}
        return certain(self.analysis.plain(test, None), known) is True

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
        test = self.analysis.plain(condition.test, regime)
        known = (
            self.analysis.before(entries[0], facts) if entries else {}
        )  # a regime may be out of reach
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

    def reached(self, test: Expr, regime: Regime) -> Expr:
        """Comparisons with time, or with a timer, that count at the moment itself: the trigger fires then,
        and a pause of n steps lasts n steps."""
        timers = {
            ode.variable: bounds(ode.rhs, self.analysis.known)[0]
            for ode in (*self.component.odes, *regime.odes)
            if bounds(ode.rhs, self.analysis.known) in ((1.0, 1.0), (-1.0, -1.0))
        }
        timers[TIME] = 1.0

        def change(part: Expr) -> Expr:
            match part:
                case Binary("<" | ">" as op, left, right):
                    names = free_names(self.analysis.plain(part, regime))
                    moving = {*self.analysis.moving(regime), TIME} & names
                    if not moving or not moving <= timers.keys():
                        return part
                    gap = self.analysis.plain(Binary("-", left, right), regime)
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


__all__ = ["arm", "caught_up"]
