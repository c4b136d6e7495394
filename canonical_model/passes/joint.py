"""Conditions and modes together: what can happen in each mode of a program, and where it leads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from .. import model
from ..expr import ONE, TIME, ZERO, Binary, Expr, Name, free_names, substitute
from ..query import nested
from .change import Body, rewrite
from .guards import (
    folded,
    is_past,
    leads_to,
    resolved,
    simplified,
    targets,
    values_after,
    with_target,
)
from .happenings import conjunction
from .intervals import Known, certain
from .movable import written_out
from .stepped import negation
from .ways import Found, Mode

MAX_DUE = 3  # conditions that are tested when a mode is entered


@dataclass(slots=True)
class Joint:
    """`met` are the conditions of each mode in their order, `moving` what changes by itself in each."""

    component: model.Component
    found: Found
    names: Sequence[str]
    modes: Sequence[Mode]
    met: Sequence[tuple[model.OnCondition, ...]]
    moving: Sequence[set[str]]
    start: int
    jumping: Sequence[model.OnEvent]
    common: tuple[model.OnCondition, ...] = ()
    own_handlers: list[model.OnEvent] = field(default_factory=list)
    tests: list[tuple[Expr, ...]] = field(default_factory=list)
    facts: list[tuple[Expr, ...]] = field(default_factory=list)
    settled: list[dict[str, Expr]] = field(default_factory=list)
    kept: list[dict[str, Expr]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tests = [mode.tests for mode in self.modes]
        self.facts = [(*tests, *self._resting(k)) for k, tests in enumerate(self.tests)]
        holds = {item.target for mode in self.modes for item in mode.held}
        self.own_handlers = [
            h
            for h in self.component.on_events
            if h not in self.jumping and (self._depends(h.body) or targets(h.body) & holds)
        ]
        shared = []
        for items in zip(*self.met, strict=False):
            if any(item != items[0] for item in items) or self._belongs(items[0]):
                break
            shared.append(items[0])
        self.common = tuple(shared)
        self.met = [items[len(shared) :] for items in self.met]
        numbers = range(len(self.modes))
        self.settled = [self._settled(k) for k in numbers]
        self.kept = [{item.target: item.value for item in mode.held} for mode in self.modes]
        self.kept = [self._kept(k) | self.kept[k] for k in numbers]

    @property
    def known(self) -> Known:
        """Bounds of what is fixed."""
        return self.found.known

    def _resting(self, number: int) -> list[Expr]:
        """Timers that stand where the mode's test has stopped them: `r <= 0` is `r == 0` there."""
        resting: list[Expr] = []
        for test in self.tests[number]:
            match test:
                case Binary("<=" | ">=" as op, Name(name), limit) if (
                    name in self.found.timers.rates
                    and name != TIME
                    and name not in self.moving[number]
                    and not free_names(limit) & {s.name for s in self.component.state_variables}
                ):
                    if all(self._stops_at(v, limit, op) for v in self._values_of(name)):
                        resting.append(Binary("==", Name(name), limit))
        return resting

    def _values_of(self, name: str) -> list[Expr]:
        """What a state begins with and is ever set to."""
        state = next(s for s in self.component.state_variables if s.name == name)
        bodies = [h.body for h in self.component.on_events]
        bodies += [item.body for items in self.met for item in items]
        found = [state.initial or ZERO]
        for body in bodies:
            for item in nested(body):
                if isinstance(item, model.Assign) and item.target == name:
                    found.append(item.value)
        return found

    def _stops_at(self, value: Expr, limit: Expr, op: str) -> bool:
        """Is a value the limit itself, or one from where the timer runs to it?"""
        if certain(Binary("==", value, limit), self.known):
            return True
        return certain(Binary("<" if op == ">=" else ">", value, limit), self.known) is True

    def _settled(self, number: int) -> dict[str, Expr]:
        """What conditions that hold all the time that a mode lasts set, which nothing moves."""
        values: dict[str, Expr] = {}
        moving = self.moving[number]
        for item in self.met[number]:
            body = self._resolved(item.body, number)
            if self._simplified(item.test, self.facts[number]) == ONE and self._is_static(
                body, moving
            ):
                values |= values_after(body) or {}
        return values

    def _is_static(self, body: Body, moving: set[str]) -> bool:
        """Does a body set fixed values only, so that doing it again changes nothing?"""
        fixed = {p.name for p in self.component.parameters}
        fixed |= {c.name for c in self.component.constants}
        fixed |= {d.name for d in self.component.derived_parameters}
        return bool(body) and all(
            isinstance(s, model.Assign) and s.target not in moving and free_names(s.value) <= fixed
            for s in body
        )

    def states(self) -> tuple[model.StateVariable, ...]:
        """The states; what the mode at the start settles begins with that."""
        values = self.settled[self.start]
        return tuple(
            replace(s, initial=values[s.name]) if s.name in values else s
            for s in self.component.state_variables
        )

    def _belongs(self, item: model.OnCondition) -> bool:
        """Does a mode decide a part of the test, or the body the mode?"""
        changed = any(self._simplified(item.test, facts) != item.test for facts in self.facts)
        held = {assign.target for mode in self.modes for assign in mode.held}
        return changed or bool(targets(item.body) & held) or self._depends(item.body)

    def _depends(self, body: Body) -> bool:
        """Does the mode decide a branch of the body, or the body the mode?"""
        changed = any(self._resolved(body, k) != body for k in range(len(self.modes)))
        return changed or self._goal(body) is not None

    def _goal(self, body: Body) -> int | None:
        return leads_to(body, self.tests, self.known)

    def handled(self, number: int) -> tuple[model.OnEvent, ...]:
        """What events do in a mode, where that depends on it."""
        found = []
        for item in self.own_handlers:
            body = _while_held(self._resolved(item.body, number), self.modes[number].held)
            body = self._going(body, number)
            if body:
                found.append(replace(item, body=body))
        return tuple(found)

    def _going(self, body: Body, number: int) -> Body:
        """The body with the change of regime that it leads to."""
        goal = self._goal(body)
        if goal is None or goal == number:
            kept = self.settled[number].items() if self.settled else ()
            again = [
                model.Assign(target=name, value=value)
                for name, value in kept
                if name in targets(body)
            ]
            return (*body, *again)
        for item in self._entered(number, goal):
            if self._is_due(item.test, body):
                # what holds at the entry of a regime already is no event for some languages
                body = (*body, *item.body)
        return self._to(body, goal)

    def _is_due(self, test: Expr, body: Body) -> bool:
        values = values_after(body)
        if test == ONE:
            return True
        if not values or not free_names(test) & values.keys():
            return False
        return certain(substitute(test, values), self.known) is True

    def _to(self, body: Body, goal: int) -> Body:
        """The body, then what the mode holds, then the change of regime."""
        last = {item.target: item.value for item in body if isinstance(item, model.Assign)}
        kept = [model.Assign(target=n, value=v) for n, v in self.settled[goal].items()]
        held = [i for i in (*kept, *self.modes[goal].held) if last.get(i.target) != i.value]
        return with_target((*body, *held), self.names[goal])

    def _kept(self, number: int) -> dict[str, Expr]:
        """What all ways into a mode set alike, and nothing changes as long as it lasts."""
        if number == self.start:
            return {}
        entries: list[dict[str, Expr]] = []
        changed = set(self.moving[number]) | {i.name for i in self.component.analog_inputs}
        for source in range(len(self.modes)):
            plain = self._out(source)
            if source != number and number in plain:
                return {}
            bodies = [c.body for c in self._within(source, source).values()]
            for goal in plain:
                due = self._entered(source, goal)
                bodies += [self._resolved(item.body, goal) for item in due]
            bodies += [self._resolved(h.body, source) for h in self.component.on_events]
            for body in bodies:
                values = values_after(body)
                if values is None:
                    return {}
                if self._goal(body) == number:
                    entries.append(values)
                elif source == number and self._goal(body) is None:
                    changed |= values.keys()
        if not entries:
            return {}
        first, *others = entries
        return {
            name: value
            for name, value in first.items()
            if name not in changed
            and not free_names(value) & {s.name for s in self.component.state_variables}
            and TIME not in free_names(value)
            and all(other.get(name) == value for other in others)
        }

    def _simplified(self, test: Expr, facts: Sequence[Expr]) -> Expr:
        return simplified(test, facts, self.found.ratio)

    def _resolved(self, body: Body, number: int) -> Body:
        return resolved(body, self.facts[number], self.found.ratio)

    def _within(self, number: int, goal: int) -> dict[int, model.OnCondition]:
        """By place the conditions in the list of one mode that can hold where the facts of `goal` do; what
        is settled is done without a condition."""
        kept = {}
        values: dict[str, Expr] = {}
        lasting = self.kept[number]
        for place, item in enumerate(self.met[number]):
            test = self._simplified(item.test, self.facts[goal])
            body = self._resolved(item.body, goal)
            if test == ONE and self._is_static(body, self.moving[goal]):
                values |= values_after(body) or {}
                continue
            told = folded(substitute(test, values))
            truth = certain(substitute(told, lasting), self.known) if lasting else None
            if told != ZERO and truth is not False:
                kept[place] = replace(item, test=ONE if truth else told, body=body)
        return kept

    def conditions(self, number: int) -> tuple[model.OnCondition, ...]:
        """What happens in a mode, then the ways out of it."""
        held = self.modes[number].held
        found = []
        for place, item in self._within(number, number).items():
            goal = self._goal(item.body)
            if goal is not None and goal != number:
                found += self._leaving(item, place, number, goal)
                continue
            body = _while_held(item.body, held)
            if body != item.body and self._outlasts(place, number):
                *more, item = self._ending(item, place, number)
                found += more
            body = self._going(body, number)
            if body:
                found.append(replace(item, body=body))
        for k, test in self._out(number).items():
            found += self._ways(number, k, test)
        return tuple(found)

    def _leaving(
        self, item: model.OnCondition, place: int, number: int, goal: int
    ) -> list[model.OnCondition]:
        """A condition that leads to another mode, and together with what may hold then too, where it stands
        behind it in the program and does something else in the other mode."""
        values = values_after(item.body) or {}
        before, entered = self._within(number, number), self._within(number, goal)
        known = {**self.kept[number], **values}
        found, test = [], item.test
        for k, other in entered.items():
            here = before.get(k)
            body = _while_held(other.body, self.modes[goal].held)
            same_body = here and body == _while_held(here.body, self.modes[number].held)
            if k <= place or (here and here.test == other.test and same_body):
                continue
            told = folded(substitute(other.test, values))
            if certain(substitute(other.test, known), self.known) is not None or told == ONE:
                continue
            body = self._led((*item.body, *body), number, goal)
            found.append(replace(item, test=Binary("and", test, told), body=body))
            test = Binary("and", test, negation(told))
            if len(found) == MAX_DUE:
                break
        return [*found, replace(item, test=test, body=self._going(item.body, number))]

    def _outlasts(self, place: int, number: int) -> bool:
        """Does a condition stand behind what the mode holds, so that what it does in the last step stays?"""
        met = self.modes[number].met
        place += len(self.common)
        return place >= len(met) or met[place].held == self.modes[number].held

    def _ending(self, item: model.OnCondition, place: int, number: int) -> list[model.OnCondition]:
        """A condition together with the ways out of the mode, then without them."""
        found, test = [], item.test
        for goal, leaves, last in self._leaves(item, place, number):
            other = self._within(number, goal).get(place)
            if other is None or leaves == ONE:
                continue
            body = _while_held((*other.body, *last), self.modes[goal].held)
            body = self._led(body, number, goal)
            found.append(replace(item, test=Binary("and", leaves, test), body=body))
            test = Binary("and", test, negation(leaves))
        return [*found, replace(item, test=test)]

    def _leaves(
        self, item: model.OnCondition, place: int, number: int
    ) -> Iterator[tuple[int, Expr, Body]]:
        """The ways out of a mode, by itself or by a condition behind another: where to, when, doing what."""
        for goal, test in self._out(number).items():
            yield goal, test, ()
        values = values_after(item.body) or {}
        for k, other in self._within(number, number).items():
            to = self._goal(other.body)
            if k > place and to is not None and to != number:
                yield to, folded(substitute(other.test, values)), other.body

    def _out(self, number: int) -> dict[int, Expr]:
        """The modes that follow on a mode by themselves, with the tests that lead there."""
        own = [*self._within(number, number).values()]
        undecided = [c.body for c in (*own, *self.common) if self._goal(c.body) is None]
        handlers = self.component.on_events
        undecided += [h.body for h in handlers if self._goal(h.body) is None]
        changing = self.moving[number] | {name for body in undecided for name in targets(body)}
        still = self._still(number, changing)
        ways = {
            k: self._simplified(conjunction(tests) or ONE, still)
            for k, tests in enumerate(self.tests)
            if k != number
        }
        return {k: test for k, test in ways.items() if test != ZERO}

    def _entered(self, number: int, goal: int) -> list[model.OnCondition]:
        """The conditions that hold on a change of modes at the soonest."""
        before = self._within(number, number)
        entered = self._within(number, goal)
        return [
            item
            for place, item in entered.items()
            if place not in before or before[place].test != item.test
        ]

    def _ways(self, number: int, goal: int, test: Expr) -> list[model.OnCondition]:
        """The way into another mode; what holds there already at entry happens at once, since an event is
        a change from false to true for some languages."""
        found = []
        plain: Body = tuple(
            model.Assign(target=name, value=value) for name, value in self.settled[goal].items()
        )
        due = [c for c in self._entered(number, goal) if not self._is_off(c, number)]
        for item in due[:MAX_DUE]:
            body = self._resolved((*plain, *item.body), goal)
            if item.test == ONE:
                plain = body
                continue
            found.append(
                replace(
                    item, test=Binary("and", test, item.test), body=self._led(body, number, goal)
                )
            )
            test = Binary("and", test, negation(item.test))
        return [*found, model.OnCondition(test=test, body=self._led(plain, number, goal))]

    def _led(self, body: Body, number: int, goal: int) -> Body:
        """A body on the way to another mode, which may itself lead elsewhere, or back."""
        to = self._goal(body)
        to = goal if to is None else to
        return body if to == number else self._to(body, to)

    def _is_off(self, item: model.OnCondition, number: int) -> bool:
        """Is a condition false whenever a mode is left, since it is when entered and nothing moves it?"""
        read = free_names(written_out(self.component, item.test))
        bodies = [c.body for c in self._within(number, number).values()]
        bodies += [h.body for h in self.component.on_events]
        changed = self.moving[number] | {n for b in bodies for n in targets(b)}
        if (
            read & (changed | {i.name for i in self.component.analog_inputs})
            or self.start == number
        ):
            return False
        into = [c.body for items in self.met for c in items if self._goal(c.body) == number]
        return bool(into) and all(
            values is not None and certain(substitute(item.test, values), self.known) is False
            for values in map(values_after, into)
        )

    def _still(self, number: int, changing: set[str]) -> list[Expr]:
        """The tests of a mode that stay as they are as long as it lasts."""
        fixed = [test for test in self.tests[number] if not free_names(test) & changing]
        return [test for test in fixed if TIME not in free_names(test) or is_past(test)]


def _while_held(body: Body, held: tuple[model.Assign, ...]) -> Body:
    """What an event does in a mode: what it does to a variable that is held is undone at once."""
    names = {item.target for item in held}

    def kept(item: model.Statement) -> tuple[model.Statement, ...]:
        return () if isinstance(item, model.Assign) and item.target in names else (item,)

    return rewrite(body, kept)
