"""Counters of steps as clocks, and steps of time in tests: what they are in the limit of small steps.

An integer that loses 1 per step and is set to a number of steps becomes a time that runs down. A whole
number beside a count, and `resolution()` in a comparison, are steps: they vanish in the limit, which is
noted where it is a whole step or more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from .. import model
from ..algebra import minus, negative, plus, times
from ..diagnostics import Log, refuse
from ..expr import (
    MIRRORED,
    ZERO,
    Binary,
    Call,
    Expr,
    Name,
    Number,
    Unary,
    rebuild,
    walk,
)
from ..query import expressions, nested
from ..units import NONE, TIME
from .change import all_expressions, change_bodies, change_expressions, rewrite
from .idioms import note_steps, per_step, resolved
from .modes import Found, in_the_way, is_decrement, negation

_COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")


def clocked(expr: Expr, found: Found, log: Log) -> Expr:
    """An expression in clocks instead of counters. Raises ModelError K120 (compared with no count)."""
    match expr:
        case Binary(op, left, Name(name)) if op in _COMPARISONS and name in found.counters:
            mirrored = Binary(MIRRORED.get(op, op), Name(name), left, expr.span)
            return clocked(mirrored, found, log)
        case Binary(op, Name(name), limit) if op in _COMPARISONS and name in found.counters:
            return _comparison(op, Name(name), limit, expr, found, log)
        case Binary(op, Name(name), limit) if op in _COMPARISONS and _is_time(found, name):
            return _limit(expr, op, Name(name), resolved(limit, found.component), log)
    return rebuild(expr, lambda part: clocked(part, found, log))


def _comparison(op: str, own: Name, limit: Expr, whole: Binary, found: Found, log: Log) -> Expr:
    """A clock runs through 0, it does not stop there: `r == 0` is `r <= 0`."""
    time = duration(limit, counting(found.component), log)
    if time is None:
        message = f"'{own.id}' counts steps but is compared with something else"
        raise refuse("K120", message, whole.span or found.component.span)
    if time == ZERO and isinstance(limit, Number):
        if (op == "<" and limit.value == 1) or op == "==":
            op = "<="
        elif (op == ">=" and limit.value == 1) or op == "!=":
            op = ">"
        elif limit.value != 0:
            note_steps(log, whole)
    return Binary(op, own, time, whole.span)


def duration(expr: Expr, counts: set[str], log: Log) -> Expr | None:
    """The time that a number of steps takes, in the limit of small steps; None if it is no such number."""
    match expr:
        case Call("steps", (inner,)):
            return inner
        case Name(name):
            return expr if name in counts else None
        case Number(value):
            return (
                ZERO
                if value == round(value) and (expr.unit is None or expr.unit.dimension == NONE)
                else None
            )
        case Unary("-", inner):
            time = duration(inner, counts, log)
            return None if time is None else negative(time)
        case Binary("+" | "-" as op, left, right):
            first, second = duration(left, counts, log), duration(right, counts, log)
            if first is None or second is None:
                return None
            if isinstance(left, Number) != isinstance(right, Number):
                note_steps(log, expr)
            return plus(first, second) if op == "+" else minus(first, second)
        case Binary("*", left, right):
            for factor, count in ((left, right), (right, left)):
                time = duration(count, counts, log) if isinstance(factor, Number) else None
                if time is not None and not isinstance(count, Number):
                    return times(factor, time)
    return None


def _is_time(found: Found, name: str) -> bool:
    return any(s.name == name and s.dimension == TIME for s in found.component.state_variables)


def _limit(expr: Expr, op: str, own: Name, limit: Expr, log: Log) -> Expr:
    """A timer compared with a part of a step, to guard against rounding, is compared with 0."""
    part = per_step(limit)
    if not isinstance(part, Number):
        return expr
    if abs(part.value) >= 1:
        note_steps(log, expr)
    return Binary(op, own, ZERO, expr.span)


def without_counters(component: model.Component, found: Found, log: Log) -> model.Component:
    """Counters become clocks of dimension time, counts of steps become times.

    Raises ModelError K120 where a counter is more than that.
    """
    counts = counting(component)
    _refuse_other_uses(component, found, counts)
    component = _assignments(component, found, counts, log)
    component = change_expressions(component, lambda expr: clocked(expr, found, log))
    states = tuple(
        replace(s, kind=model.REAL, dimension=TIME, initial=_initial(s, counts, log))
        if s.name in found.counters
        else s
        for s in component.state_variables
    )
    derived = tuple(
        replace(p, kind=model.REAL, dimension=TIME, value=duration(p.value, counts, log) or p.value)
        if p.name in counts
        else p
        for p in component.derived_parameters
    )
    return replace(component, state_variables=states, derived_parameters=derived)


def refuse_below_zero(component: model.Component, found: Found) -> None:
    """A counter that is tested for 0 exactly must stop there: below it, the test never holds again.

    Raises ModelError K120.
    """
    exact = set()
    for expr in all_expressions(component):
        for node in walk(expr):
            match node:
                case Binary("==" | "!=", Name(name), _) | Binary("==" | "!=", _, Name(name)):
                    exact.add(name)
    for item, tests in _paths(component.update or (), ()):
        if not (isinstance(item, model.Assign) and is_decrement(item)):
            continue
        name = item.target
        guarded = any(_is_above_zero(part, name) for test in tests for part in _parts(test))
        if name in found.counters and name in exact and not guarded:
            raise in_the_way(
                item, f"'{name}' is counted below zero, and tested for a number exactly"
            )


def _paths(
    body: tuple[model.Statement, ...], tests: tuple[Expr, ...]
) -> Iterator[tuple[model.Statement, tuple[Expr, ...]]]:
    """Every statement with the tests that hold where it stands."""
    for item in body:
        yield item, tests
        if isinstance(item, model.If):
            denied = tests
            for test, inner in item.branches:
                yield from _paths(inner, (*denied, test))
                denied = (*denied, negation(test))
            yield from _paths(item.otherwise, denied)
        elif isinstance(item, model.While):
            yield from _paths(item.body, (*tests, item.test))


def _parts(test: Expr) -> Iterator[Expr]:
    match test:
        case Binary("and", left, right):
            yield from _parts(left)
            yield from _parts(right)
        case _:
            yield test


def _is_above_zero(test: Expr, name: str) -> bool:
    """Does the test say that the counter is not at 0?"""
    match test:
        case Binary(op, Number() as limit, Name(own)) if own == name:
            return _is_above_zero(Binary(MIRRORED.get(op, op), Name(own), limit), name)
        case Binary("!=", Name(own), Number(value)):
            return own == name and value == 0
        case Binary(">", Name(own), Number(value)):
            return own == name and value >= 0
        case Binary(">=", Name(own), Number(value)):
            return own == name and value > 0
    return False


def _refuse_other_uses(component: model.Component, found: Found, counts: set[str]) -> None:
    """Counts of steps set counters and are compared with them; nothing else has a meaning in time."""
    bodies = [item.body for item in (*component.on_events, *found.events)]
    bodies += [item.body for item in (*component.on_conditions, *found.conditions)]
    statements = [item for body in bodies for item in nested(body)]
    used = [
        expr
        for item in statements
        if not (isinstance(item, model.Assign) and item.target in found.counters)
        for expr in expressions(item)
    ]
    used += [item.test for item in (*component.on_conditions, *found.conditions)]
    used += [item.value for item in component.derived_parameters if item.name not in counts]
    used += [item.value for item in component.derived_variables]
    used += [ode.rhs for ode in component.odes]
    for expr in used:
        _refuse_count(expr, found, counts)


def _refuse_count(expr: Expr, found: Found, counts: set[str]) -> Expr:
    """The expression itself. Raises ModelError K120 where it reads a count other than in a comparison."""
    match expr:
        case Binary(op, Name(name), _) | Binary(op, _, Name(name)) if (
            op in _COMPARISONS and name in found.counters
        ):
            return expr
        case Name(name) if name in found.counters or name in counts:
            message = f"'{name}' counts steps, which has no meaning in continuous time here"
            raise refuse("K120", message, expr.span or found.component.span)
        case Call("steps", _):
            message = "'steps' has no meaning in continuous time here"
            raise refuse("K120", message, expr.span or found.component.span)
    return rebuild(expr, lambda part: _refuse_count(part, found, counts))


def _initial(state: model.StateVariable, counts: set[str], log: Log) -> Expr | None:
    return None if state.initial is None else duration(state.initial, counts, log) or ZERO


def counting(component: model.Component) -> set[str]:
    """Derived parameters that are numbers of steps: `steps(x)`, or made of such."""
    counts: set[str] = set()
    quiet = Log()
    for item in component.derived_parameters:
        names = {node.id for node in walk(item.value) if isinstance(node, Name)}
        is_made = bool(names) and duration(item.value, counts, quiet) is not None
        if is_made or (isinstance(item.value, Call) and item.value.function == "steps"):
            counts.add(item.name)
    return counts


def _assignments(
    component: model.Component, found: Found, counts: set[str], log: Log
) -> model.Component:
    """What counters are set to, as times."""
    if not found.counters:
        return component

    def of_body(body: tuple[model.Statement, ...]) -> tuple[model.Statement, ...]:
        return rewrite(body, lambda item: (set_clock(item, found, counts, log),))

    found.conditions = [replace(item, body=of_body(item.body)) for item in found.conditions]
    return change_bodies(component, of_body)


def set_clock(item: model.Statement, found: Found, counts: set[str], log: Log) -> model.Statement:
    """An assignment to a counter sets a clock. Raises ModelError K120 if it is no number of steps."""
    if not (isinstance(item, model.Assign) and item.target in found.counters):
        return item
    time = duration(item.value, counts, log)
    if time is None:
        raise in_the_way(item, f"'{item.target}' counts steps but is set to something else")
    return replace(item, value=time)
