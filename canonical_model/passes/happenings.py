"""What happens on a way through a time-step program beside what it integrates: conditions of its mode."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from .. import model
from ..algebra import plus
from ..expr import (
    ONE,
    TIME,
    Binary,
    Expr,
    Name,
    Number,
    free_names,
    is_random,
    substitute,
)
from ..query import expressions, nested
from .change import Body
from .counters import clocked_body
from .guards import targets, values_after
from .intervals import certain
from .stepped import aligned, negation, note_steps
from .ways import Found, Happening, Mode, done_by, has_modes, in_the_way, may_hold, read_by


def shifted_by(found: Found, own: Expr, count: int) -> Expr:
    """A timer some steps further, in its own unit."""
    name = own.id if isinstance(own, Name) else ""
    if name in found.timers.counters:
        return plus(own, Number(float(count)))
    return plus(own, found.steps.times(count, None))


def events_within(
    found: Found, mode: Mode, outer: tuple[Expr, ...], item: model.If, rest: Body
) -> Mode:
    """The events of branches without integration, within tests that hold around them."""
    before: list[Expr] = [*outer]
    for test, body in item.branches:
        mode = _event(found, mode, (*before, test), body, item, rest)
        before.append(negation(test))
    if item.otherwise:
        mode = _event(found, mode, tuple(before), item.otherwise, item, rest)
    return mode


def _event(
    found: Found, mode: Mode, tests: tuple[Expr, ...], body: Body, item: model.If, rest: Body
) -> Mode:
    """What is done when tests come to hold; branches alone in a branch are events of their own."""
    if body and all(isinstance(statement, model.If) for statement in body):
        for statement in body:
            assert isinstance(statement, model.If)
            mode = events_within(found, mode, tests, statement, rest)
        return mode
    return meet(found, mode, tests, body, item.span, rest) if body else mode


def meet(
    found: Found,
    mode: Mode,
    tests: tuple[Expr, ...],
    body: Body,
    span: object,
    rest: Body,
    start: Mode | None = None,
) -> Mode:
    """The mode with one more condition; one before the integration is one after the step before."""
    start = start or mode
    guard = conjunction(tests)
    assert guard is not None
    for statement in nested(body):
        if _holds_still(found, (*tests, *mode.tests), body, statement):
            raise in_the_way(statement, "it holds a variable still as long as a test is true")
        if any(is_random(expr) for expr in expressions(statement)):
            raise in_the_way(statement, "it draws a random number in every step")
    place = body[0].span if body else None
    timers, steps = found.timers, found.steps
    is_early = comes_early(found, start, tests, body, rest)
    if is_early and start.tests:
        note_steps(steps.log, place)  # the ways that were chosen before it stay as they are
    elif is_early:
        if any(isinstance(s, model.Emit) for s in nested(body)):
            note_steps(steps.log, place)
        ahead = {**start.moved, TIME: 1}
        # the step is still to come for what has moved already
        before = tuple(
            model.Assign(target=name, value=shifted_by(found, Name(name), -count))
            for name, count in start.moved.items()
            if name in targets(body)
        )
        item = model.OnCondition(
            test=aligned(guard, ahead, timers, steps),
            body=(
                *clocked_body(body, ahead, timers, steps),
                *clocked_body(before, {}, timers, steps),
            ),
            span=place,
        )
        found.early[item] = None
        return mode
    whole = (*body, *_meanwhile(found, body, rest))
    item = model.OnCondition(test=guard, body=whole, span=place)
    return replace(mode, met=(*mode.met, Happening(item, start.moved, start.held)))


def comes_early(found: Found, mode: Mode, tests: tuple[Expr, ...], body: Body, rest: Body) -> bool:
    """Is this about what is integrated behind it, and not about what has been?"""
    about = {name for test in tests for name in read_by(found.component, test)}
    about |= targets(body)
    about |= {n for s in nested(body) for e in expressions(s) for n in read_by(found.component, e)}
    about &= found.timers.moving
    ahead = set[str]()
    for item in nested(rest):
        if isinstance(item, model.Integrate):
            ahead |= set(item.variables) or {ode.variable for ode in found.component.odes}
    return bool(about & ahead) and not about & done_by(found, mode)


def _meanwhile(found: Found, body: Body, rest: Body) -> Body:
    """What the rest of the step does to timers that a body sets, and what is held because of them."""
    timers, steps = found.timers, found.steps
    own = targets(body) & timers.rates.keys()
    values = values_after(clocked_body(body, {}, timers, steps)) if own else None
    if not values:
        return ()
    more: list[model.Statement] = []
    for item in rest:
        match item:
            case model.Integrate(variables=variables):
                moved = own & (set(variables) or {ode.variable for ode in found.component.odes})
                more += [_tick(found, name) for name in sorted(moved - timers.counters)]
            case model.Assign(target=target) if target in own and target in timers.rates:
                more.append(_tick(found, target))
            case model.If() if has_modes(found, item):
                more += _meanwhile_within(found, item, values, own)
    return tuple(more)


def _tick(found: Found, name: str) -> model.Assign:
    return model.Assign(target=name, value=shifted_by(found, Name(name), found.timers.rates[name]))


def _meanwhile_within(
    found: Found, item: model.If, values: Mapping[str, Expr], own: set[str]
) -> list[model.Statement]:
    """The same in the branch that is taken after a body has set timers, if that is certain."""
    chosen: Body | None = item.otherwise
    for test, body in item.branches:
        told = aligned(test, {}, found.timers, found.steps)
        truth = certain(substitute(told, values), found.known)
        if truth is None:
            if free_names(told) & own:
                note_steps(found.steps.log, item.span)
            return []
        if truth:
            chosen = body
            break
    more: list[model.Statement] = []
    for inner in chosen or ():
        if isinstance(inner, model.Assign) and inner.target in own:
            more.append(_tick(found, inner.target))
        elif isinstance(inner, model.Assign) and may_hold(found, ONE, (inner,)):
            more.append(inner)
        elif isinstance(inner, model.Integrate) and inner.variables:
            more += [_tick(found, name) for name in inner.variables if name in own]
    return more


def conditions_of(found: Found, mode: Mode) -> tuple[model.OnCondition, ...]:
    """What a mode meets, as it is at the end of its step."""
    told = []
    for happening in mode.met:
        ahead = {
            name: happening.moved.get(name, 0) - count
            for name, count in mode.moved.items()
            if happening.moved.get(name, 0) != count
        }
        item = happening.item
        told.append(
            replace(
                item,
                test=aligned(item.test, ahead, found.timers, found.steps),
                body=clocked_body(item.body, {}, found.timers, found.steps),
            )
        )
    return tuple(told)


def _holds_still(
    found: Found, tests: tuple[Expr, ...], body: Body, statement: model.Statement
) -> bool:
    """Is this an assignment to what an equation moves, again and again since nothing ends the tests?"""
    moving = {ode.variable for ode in found.component.odes}
    is_moved = isinstance(statement, model.Assign) and statement.target in moving
    changed = {item.target for item in nested(body) if isinstance(item, model.Assign)}
    return is_moved and not any(read_by(found.component, test) & changed for test in tests)


def conjunction(tests: tuple[Expr, ...]) -> Expr | None:
    guard: Expr | None = None
    for test in tests:
        guard = test if guard is None else Binary("and", guard, test)
    return guard
