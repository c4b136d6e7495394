"""What is known of a model when a regime is entered: by interval analysis of every way that leads into it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from itertools import islice

from ..expr import (
    MIRRORED,
    ONE,
    TIME,
    ZERO,
    Binary,
    Expr,
    Name,
    free_names,
    substitute,
    walk,
)
from ..model import (
    Assign,
    Component,
    DerivedParameter,
    Emit,
    OnCondition,
    Regime,
    RegimeMachine,
    Statement,
    Transition,
)
from ..query import regimes, statics
from .intervals import EVERYTHING, Interval, Known, bounds, certain, follow, hull

ROUNDS = 20
MAX_DEPTH = 40
MAX_NODES = 2000


@dataclass(frozen=True, slots=True)
class Entry:
    """A way into a regime: from where (None: the start, or from anywhere), after which body."""

    source: str | None
    body: tuple[Statement, ...]
    test: Expr = ONE  # what holds when it is taken
    is_start: bool = False


@dataclass(slots=True)
class Analysis:
    """A flat component; `ranges` bound parameters and initial values (SI) over all instances."""

    component: Component
    ranges: Mapping[str, Interval] = field(default_factory=dict)
    known: dict[str, Interval] = field(init=False)

    def __post_init__(self) -> None:
        self.known = self.statics()

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


__all__ = ["Analysis", "Entry", "after"]
