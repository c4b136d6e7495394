"""Conditions that count as long as they hold, for languages whose triggers fire when something becomes true.

The way back is `arming`. Level and edge differ for what holds already when a regime is entered, or at the
start. Where an interval analysis does not exclude that, a state holds the time of entry, and the trigger
becomes true just after it: `v > threshold and t > entered`.
"""

from __future__ import annotations

from dataclasses import replace

from ..diagnostics import Level, Log
from ..expr import TIME, Binary, Expr, Name, free_names
from ..model import (
    Assign,
    Component,
    Emit,
    OnCondition,
    Regime,
    Statement,
    StateVariable,
    Transition,
)
from ..query import conditions, declared
from ..units import TIME as TIME_DIMENSION
from .entries import Analysis, Entry, after
from .intervals import Interval, bounds

ENTERED = "entered"


def levels_to_edges(component: Component, log: Log, code: str) -> Component:
    """The flat component, of one machine or none and without entry actions, with triggers that do the same.

    What fires in each step as long as it holds has no such form: it fires once, which is noted as `code`.
    """
    if all(item.rising for item in conditions(component)):
        return component
    return _Edging(component, log, code).run()


class _Edging:
    """One component; `entered` begins the name of each state with the time of entry to a regime.

    A regime has its own, so that what leads into another does not hold up what happens in it meanwhile.
    """

    def __init__(self, component: Component, log: Log, code: str) -> None:
        self.component, self.log, self.code = component, log, code
        self.analysis = Analysis(component)
        self.taken = {item.name for item in (*declared(component), *component.analog_inputs)}
        self.entered: dict[str, str] = {}

    def run(self) -> Component:
        """Every condition of the machine, or of the component where there is none."""
        component = self.component
        if not component.machines:
            lone = Regime(name="", on_conditions=component.on_conditions, odes=component.odes)
            found = self.edged(lone, [Entry(None, (), is_start=True)], {})
            changed = replace(component, on_conditions=found.on_conditions)
            return self.with_states(changed) if found != lone else component
        (machine,) = component.machines
        entries = {r.name: list(self.analysis.entries(machine, r)) for r in machine.regimes}
        facts = self.analysis.flow(machine, entries)
        found_all = tuple(self.edged(r, entries[r.name], facts) for r in machine.regimes)
        if found_all == machine.regimes:
            return component
        timed = {r.name for r, old in zip(found_all, machine.regimes, strict=True) if r != old}
        marked = tuple(self.marked(regime, timed) for regime in found_all)
        return self.with_states(replace(component, machines=(replace(machine, regimes=marked),)))

    def with_states(self, component: Component) -> Component:
        """The component with the times of entry as states, 0 at the start."""
        names = self.entered.values()
        states = (StateVariable(name=name, dimension=TIME_DIMENSION) for name in names)
        return replace(component, state_variables=(*component.state_variables, *states))

    def time_of(self, regime: str) -> str:
        """The state with the time of entry to a regime."""
        if regime not in self.entered:
            name = f"{ENTERED}_{regime}" if regime else ENTERED
            while name in self.taken:
                name += "0"
            self.taken.add(name)
            self.entered[regime] = name
        return self.entered[regime]

    def edged(
        self, regime: Regime, entries: list[Entry], facts: dict[str, dict[str, Interval]]
    ) -> Regime:
        """The regime with triggers."""
        found = []
        for item in regime.on_conditions:
            again = self.repeats(item, regime, facts)
            if item.rising:
                found.append(item)
                continue
            waits = again or not all(self.excluded(item, regime, way, facts) for way in entries)
            body = (*item.body, self.mark(regime.name)) if again else item.body
            test = Binary("and", item.test, self.since(regime.name)) if waits else item.test
            found.append(replace(item, test=test, body=body))
        return replace(regime, on_conditions=tuple(found))

    def repeats(
        self,
        item: OnCondition,
        regime: Regime,
        facts: dict[str, dict[str, Interval]],
    ) -> bool:
        """May it hold again just after its own body, which then comes once more?"""
        if item.rising or any(isinstance(step, Transition) for step in item.body):
            return False
        if self.excluded(item, regime, Entry(regime.name or None, item.body), facts):
            return False
        values = after(item.body)
        changed = {name for name, value in (values or {}).items() if value != Name(name)}
        if values is None or changed & free_names(self.analysis.plain(item.test, regime)):
            return True
        if any(isinstance(step, Emit) for step in item.body) or any(
            changed & free_names(value) for value in values.values()
        ):
            message = (
                f"a condition of '{self.component.name}' acts in each step as long as it holds; "
                "a trigger acts once, when it becomes true"
            )
            hint = "let what it does make it false"
            self.log.add(self.code, Level.APPROXIMATED, message, item.span, hint=hint)
        return False

    def excluded(
        self,
        item: OnCondition,
        regime: Regime,
        way: Entry,
        facts: dict[str, dict[str, Interval]],
    ) -> bool:
        """Is it false after this way in, or would its body change nothing at the start?"""
        leaves = replace(item, body=(Transition(regime=""),))  # what its own body does is no matter
        if self.analysis.is_plain(leaves, regime, [way], facts):
            return True
        return way.is_start and self.is_done(item)

    def is_done(self, item: OnCondition) -> bool:
        """Are the states at the start what the body would make them?"""
        initial = {s.name: s.initial for s in self.component.state_variables}
        for step in item.body:
            if not isinstance(step, Assign):
                return False
            one = bounds(step.value, self.analysis.known)
            start = initial.get(step.target)
            two = (0.0, 0.0) if start is None else bounds(start, self.analysis.known)
            if one != two or one[0] != one[1]:
                return False
        return True

    def since(self, regime: str) -> Expr:
        """True from just after the entry on."""
        return Binary(">", Name(TIME), Name(self.time_of(regime)))

    def mark(self, regime: str) -> Statement:
        """Note the time."""
        return Assign(target=self.time_of(regime), value=Name(TIME))

    def marked(self, regime: Regime, timed: set[str]) -> Regime:
        """The regime whose ways to `timed` ones note the time."""

        def body(steps: tuple[Statement, ...]) -> tuple[Statement, ...]:
            goals = [step.regime for step in steps if isinstance(step, Transition)]
            return (*(self.mark(goal) for goal in goals if goal in timed), *steps)

        return replace(
            regime,
            on_conditions=tuple(replace(c, body=body(c.body)) for c in regime.on_conditions),
            on_events=tuple(replace(e, body=body(e.body)) for e in regime.on_events),
        )


__all__ = ["levels_to_edges"]
