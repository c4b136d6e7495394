"""Statements that time-step programs use for what has a name in continuous time.

`x = x * exp(-resolution()/tau)` is a decay, `x -= resolution()` a timer, `x += k * arrived(port)` an event,
`x = max(x, low)` a bound, and `old = x` before integration serves to see a crossing
(`old < c and x >= c`) or an extremum (`old > x`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from .. import model
from ..algebra import Definitions, divide, negative, plus, times
from ..diagnostics import Log
from ..expr import (
    MIRRORED,
    ONE,
    ZERO,
    Binary,
    Call,
    Expr,
    Name,
    Number,
    Unary,
    free_names,
    is_random,
    substitute,
    walk,
)  # fmt: skip
from .change import port_of, replace_calls
from .stepped import note_steps

STEP = Call("resolution")


def decay_rate(component: model.Component, statement: model.Assign) -> Expr | None:
    """The rate k of `x = x * exp(k h)`, spelled out or as a derived parameter; None for anything else."""
    match statement.value:
        case Binary("*", Name(name), factor) if name == statement.target:
            pass
        case Binary("*", factor, Name(name)) if name == statement.target:
            pass
        case _:
            return None
    definitions = {item.name: item.value for item in component.derived_parameters}
    while isinstance(factor, Name) and factor.id in definitions:
        factor = definitions[factor.id]
    if not (isinstance(factor, Call) and factor.function == "exp"):
        return None
    return per_step(resolved(factor.args[0], component))


def resolved(expr: Expr, component: model.Component) -> Expr:
    """Names for the step (`h = resolution()`) replaced by what they stand for."""
    steps = {d.name: d.value for d in component.derived_parameters if d.value == STEP}
    return substitute(expr, steps)


def per_step(exponent: Expr) -> Expr | None:
    """`exponent / resolution()`, if the step is a plain factor of it."""
    match exponent:
        case Call("resolution", ()):
            return ONE
        case Unary("-", inner):
            rate = per_step(inner)
            return None if rate is None else negative(rate)
        case Binary("/", left, right) if not _mentions_step(right):
            rate = per_step(left)
            return None if rate is None else divide(rate, right)
        case Binary("*", left, right):
            for part, other in ((left, right), (right, left)):
                rate = per_step(part)
                if rate is not None and not _mentions_step(other):
                    return times(rate, other)
    return None


def _mentions_step(expr: Expr) -> bool:
    return any(node == STEP for node in walk(expr))


def ramp(component: model.Component, statement: model.Assign) -> Expr | None:
    """The rate f of `x = x + f h` (a timer, or forward Euler by hand); None for anything else."""
    own = Name(statement.target)
    if is_random(statement.value):
        return None
    match statement.value:
        case Binary("+", left, right) if own in (left, right):
            return per_step(resolved(right if left == own else left, component))
        case Binary("-", left, right) if left == own:
            rate = per_step(resolved(right, component))
            return None if rate is None else negative(rate)
    return None


def arrivals(statement: model.Assign) -> list[tuple[str, Expr]] | None:
    """(port, k) of `x = x + sum of k * arrived(port)`; None for anything else."""
    ports = {
        node.args[0].id
        for node in walk(statement.value)
        if isinstance(node, Call) and node.function == "arrived" and isinstance(node.args[0], Name)
    }
    if not ports:
        return None
    marks = {port: f"what came at {port}" for port in ports}
    marked = replace_calls(statement.value, "arrived", lambda call: Name(marks[port_of(call)]))
    form = Definitions({}).linear(marked, frozenset([*marks.values(), statement.target]))
    if form is None or form.rest != ZERO or form.coefficients.get(statement.target) != ONE:
        return None
    return [(port, form.coefficients.get(mark, ZERO)) for port, mark in sorted(marks.items())]


def countdown(item: model.Statement) -> tuple[model.Statement, ...]:
    """`x = max(0, x - step)` is `if x > 0: x = x - step` on a grid of such steps; others stay."""
    match item:
        case model.Assign(target=target, value=Call("max", (first, second))):
            for zero, less in ((first, second), (second, first)):
                match zero, less:
                    case Number(value=0.0), Binary("-", Name(name), step) if name == target:
                        # a time is rounded in every step
                        limit = ZERO if step == ONE else Binary("/", step, Number(2.0))
                        body = (replace(item, value=less),)
                        test = Binary(">", Name(target), limit, item.span)
                        return (model.If(branches=((test, body),), span=item.span),)
    return (item,)


def bound(statement: model.Assign) -> model.OnCondition | None:
    """`x = max(x, low)` or `x = min(x, high)` as a condition; None for anything else."""
    match statement.value:
        case Call("max" | "min", (first, second)):
            own = Name(statement.target)
            if own not in (first, second):
                return None
            limit = second if first == own else first
            if statement.target in free_names(limit):
                return None
            op = "<" if statement.value.function == "max" else ">"
            body = (model.Assign(target=statement.target, value=limit, span=statement.span),)
            return model.OnCondition(test=Binary(op, own, limit), body=body, span=statement.span)
    return None


def sampled(statement: model.Assign, moving: set[str]) -> str | None:
    """The variable of `old = x` where x has an ODE and old has none; None for anything else."""
    match statement.value:
        case Name(name) if name in moving and statement.target not in moving:
            return name
    return None


def without_samples(
    test: Expr, samples: Mapping[str, str], rates: Mapping[str, Expr], log: Log
) -> Expr:
    """A condition without samples of the step before: crossings and extrema in continuous time."""
    parts = _conjuncts(test)
    kept = [part for part in parts if not _is_before_crossing(part, parts, samples)]
    for part in [part for part in kept if _is_beyond(part, kept, samples)]:
        note_steps(log, part.span)
        kept.remove(part)
    changed = [_extremum(part, samples, rates) for part in kept]
    total = changed[0]
    for part in changed[1:]:
        total = Binary("and", total, part)
    return total


def _conjuncts(test: Expr) -> list[Expr]:
    if isinstance(test, Binary) and test.op == "and":
        return [*_conjuncts(test.left), *_conjuncts(test.right)]
    return [test]


def _is_before_crossing(part: Expr, parts: list[Expr], samples: Mapping[str, str]) -> bool:
    """`old < c` beside `x >= c`: a condition fires on its rising edge anyway."""
    match part:
        case Binary("<" | "<=" | ">" | ">=", Name(old), limit) if old in samples:
            now = Name(samples[old])
            return any(
                isinstance(other, Binary)
                and other.left == now
                and other.right == limit
                and other.op[0] == MIRRORED[part.op][0]
                for other in parts
            )
    return False


def _is_beyond(part: Expr, parts: list[Expr], samples: Mapping[str, str]) -> bool:
    """`old > c` beside `x > c`: a crossing, seen one step later."""
    match part:
        case Binary(op, Name(old), limit) if old in samples:
            return Binary(op, Name(samples[old]), limit) in parts
    return False


def _extremum(part: Expr, samples: Mapping[str, str], rates: Mapping[str, Expr]) -> Expr:
    """`old > x` is dx/dt < 0."""
    match part:
        case Binary("<" | "<=" | ">" | ">=", Name(old), Name(now)) if samples.get(old) == now:
            return Binary(MIRRORED[part.op], rates[now], ZERO, part.span)
        case Binary("<" | "<=" | ">" | ">=", Name(now), Name(old)) if samples.get(old) == now:
            return Binary(part.op, rates[now], ZERO, part.span)
    return part


def event(port: str, target: str, factor: Expr) -> model.OnEvent:
    """x += factor * weight."""
    value = plus(Name(target), times(factor, Name("weight")))
    return model.OnEvent(port=port, body=(model.Assign(target=target, value=value),))
