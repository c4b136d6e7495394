"""Counters of steps as clocks: an integer that moves by 1 per step and is set to a number of steps.

What is fixed in steps becomes a time. Whole steps beside it are multiples of a constant, or vanish in the
limit of small steps, which is noted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from .. import model
from ..algebra import plus, times
from ..diagnostics import refuse
from ..expr import (
    COMPARISONS,
    ONE,
    ZERO,
    Binary,
    Call,
    Expr,
    Name,
    Number,
    Unary,
    free_names,
    walk,
)
from ..units import TIME
from .change import Body, all_expressions, change_statement
from .guards import simplified
from .idioms import ramp
from .stepped import Steps, Timers, aligned, negation, plain, split, timers_of

EDGE = Number(1e-6)  # of a step: a count that is whole up to rounding stays so


def find_timers(component: model.Component) -> Timers:
    """The timers of a component with a program; see `Timers`."""
    places = list(_paths(component.update or (), (), ()))
    read = _compared(component)
    moved = {ode.variable for ode in component.odes}
    states = {s.name: s for s in component.state_variables if s.name not in moved}
    counters: dict[str, int] = {}
    by_hand: dict[str, int] = {}
    for item, tests, siblings in places:
        if (
            not isinstance(item, model.Assign)
            or item.target not in states
            or item.target not in read
        ):
            continue
        rate = counted(item)
        is_number = states[item.target].kind in (model.INTEGER, model.REAL)
        if rate and is_number and states[item.target].dimension != TIME:
            if not _is_event(component, item, tests, siblings):
                counters[item.target] = rate if counters.get(item.target, rate) == rate else 0
        elif states[item.target].dimension == TIME:
            hand = ramp(component, item)
            if hand in (ONE, Number(-1.0)):
                by_hand[item.target] = 1 if hand == ONE else -1
    timers = timers_of(component, counters, frozenset(), by_hand)
    timers = replace(timers, counts=_counts(component, timers))
    return replace(timers, stopping=frozenset(_stopping(component, timers, places)))


def counted(item: model.Assign) -> int:
    """1 or -1 where a statement adds so much to its variable, else 0."""
    own = Name(item.target)
    match item.value:
        case Binary("+", left, right) if own in (left, right):
            step = right if left == own else left
            return 1 if step == ONE else -1 if step in (Number(-1.0), Unary("-", ONE)) else 0
        case Binary("-", left, right) if left == own:
            return -1 if right == ONE else 1 if right == Number(-1.0) else 0
    return 0


def _paths(
    body: Body, tests: tuple[Expr, ...], outer: Body
) -> Iterator[tuple[model.Statement, tuple[Expr, ...], Body]]:
    """Every statement with the tests that hold where it stands, and the body that it stands in."""
    for item in body:
        yield item, tests, body
        if isinstance(item, model.If):
            denied = tests
            for test, inner in item.branches:
                yield from _paths(inner, (*denied, test), body)
                denied = (*denied, negation(test))
            yield from _paths(item.otherwise, denied, body)
        elif isinstance(item, model.While):
            yield from _paths(item.body, (*tests, item.test), body)


def _compared(component: model.Component) -> set[str]:
    """Names that comparisons read."""
    return {
        name
        for expr in all_expressions(component)
        for node in walk(expr)
        if isinstance(node, Binary) and node.op in COMPARISONS
        for name in free_names(node)
    }


def _is_event(
    component: model.Component, item: model.Assign, tests: tuple[Expr, ...], siblings: Body
) -> bool:
    """Does it count events: beside a spike, or beside what ends the test that it stands under?"""
    read = {name for test in tests[-1:] for name in free_names(test)}
    return any(
        isinstance(other, model.Emit)
        or (isinstance(other, model.Assign) and other.target in read - {item.target})
        for other in siblings
        if tests
    )


def _stopping(
    component: model.Component,
    timers: Timers,
    places: list[tuple[model.Statement, tuple[Expr, ...], Body]],
) -> Iterator[tuple[str, Expr]]:
    """Counters and numbers that they never run past: every statement that counts is tested for them."""
    limits = {
        (side.id, other)
        for expr in all_expressions(component)
        for node in walk(expr)
        if isinstance(node, Binary) and node.op in ("==", "!=")
        for side, other in ((node.left, node.right), (node.right, node.left))
        if isinstance(side, Name) and side.id in timers.counters
    }
    for name, limit in limits:
        reached = Binary("==", Name(name), limit)
        counting = [
            tests
            for item, tests, _ in places
            if isinstance(item, model.Assign) and item.target == name and counted(item)
        ]
        if all(simplified(reached, _parts(tests)) == ZERO for tests in counting):
            yield name, limit


def _parts(tests: tuple[Expr, ...]) -> list[Expr]:
    """The comparisons that all hold, those of denials and mirrored ones written out."""
    found: list[Expr] = []
    for test in tests:
        match test:
            case Binary("and", left, right):
                found += _parts((left, right))
            case Unary("not", inner) if negation(inner) != test:
                found += _parts((negation(inner),))
            case _:
                found.append(test)
    return found


def _counts(component: model.Component, timers: Timers) -> frozenset[str]:
    """Derived parameters that are numbers of steps: `steps(x)`, or made of such."""
    counts: set[str] = set()
    for item in component.derived_parameters:
        known = replace(timers, counts=frozenset(counts), counters=frozenset())
        names = {node.id for node in walk(item.value) if isinstance(node, Name)}
        is_made = bool(names & counts) and split(item.value, known, True) is not None
        if is_made or (isinstance(item.value, Call) and item.value.function == "steps"):
            counts.add(item.name)
    return frozenset(counts)


def clocked_values(component: model.Component, timers: Timers, steps: Steps) -> model.Component:
    """Counters become clocks of dimension time, counts of steps become times; bodies stay as they are."""
    states = tuple(
        replace(s, kind=model.REAL, dimension=TIME, initial=_initial(s, timers, steps))
        if s.name in timers.counters
        else s
        for s in component.state_variables
    )
    derived = []
    for p in component.derived_parameters:
        if p.name in timers.counts:
            value = duration(p.value, timers, steps)
            p = replace(p, kind=model.REAL, dimension=TIME, value=value or p.value)
        derived.append(p)
    return replace(component, state_variables=states, derived_parameters=tuple(derived))


def duration(expr: Expr, timers: Timers, steps: Steps) -> Expr | None:
    """The time that a number of steps takes; None if it is no such number."""
    half = split(expr, timers, True)
    if half is None:
        return None
    return plus(half[0], steps.times(half[1], getattr(expr, "span", None)))


def _initial(state: model.StateVariable, timers: Timers, steps: Steps) -> Expr | None:
    if state.initial is None:
        return None
    found = duration(state.initial, timers, steps)
    if found is None and steps.name:
        whole = Call("trunc", (plus(plain(state.initial, timers, steps), EDGE),))
        found = times(whole, steps.times(1, None))
    return ZERO if found is None else found


def clocked_body(body: Body, ahead: Mapping[str, int], timers: Timers, steps: Steps) -> Body:
    """The statements in clocks, at a place where each timer is `ahead` steps further than at the moment
    that they are for. Raises ModelError K120."""
    return tuple(_clocked(item, ahead, timers, steps) for item in body)


def _clocked(
    item: model.Statement, ahead: Mapping[str, int], timers: Timers, steps: Steps
) -> model.Statement:
    if isinstance(item, model.If):
        branches = tuple(
            (aligned(test, ahead, timers, steps), clocked_body(inner, ahead, timers, steps))
            for test, inner in item.branches
        )
        otherwise = clocked_body(item.otherwise, ahead, timers, steps)
        return replace(item, branches=branches, otherwise=otherwise)
    if isinstance(item, model.Assign) and item.target in timers.counters:
        time = duration(item.value, timers, steps)
        if time is None:
            message = (
                "a statement of the update program cannot become part of a regime: "
                f"'{item.target}' counts steps but is set to something else"
            )
            raise refuse("K120", message, item.span)
        return replace(item, value=time)
    return change_statement(item, lambda expr: aligned(expr, ahead, timers, steps))


__all__ = ["clocked_body", "clocked_values", "counted", "duration", "find_timers"]
