"""What the tests of a mode say about other tests, and which mode a body of statements leads to.

`refr_t > 0` is false wherever `refr_t <= 0` led to; a body that sets `refr_t` to a positive duration leads to
the mode of `refr_t > 0`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from .. import model
from ..expr import (
    MIRRORED,
    ONE,
    TIME,
    ZERO,
    Binary,
    Conditional,
    Expr,
    Name,
    Unary,
    free_names,
    substitute,
)
from ..query import nested, statics
from ..units import Quantity
from .intervals import Interval, Known, certain, follow

# what a comparison of two quantities leaves possible: less, equal, greater
_POSSIBLE: Mapping[str, frozenset[str]] = {
    "<": frozenset("l"),
    "<=": frozenset("le"),
    ">": frozenset("g"),
    ">=": frozenset("eg"),
    "==": frozenset("e"),
    "!=": frozenset("lg"),
}


NOTHING: Known = {}


def simplified(test: Expr, facts: Sequence[Expr], known: Known = NOTHING) -> Expr:
    """`test` where all of `facts` hold: ONE if it must hold, ZERO if it cannot. `known` bounds fixed values.

    >>> simplified(Binary("<=", Name("x"), ZERO), [Binary(">", Name("x"), ZERO)]) == ZERO
    True
    """
    match test:
        case Unary("not", operand):
            inner = simplified(operand, facts, known)
            if inner in (ONE, ZERO):
                return ZERO if inner == ONE else ONE
            return Unary("not", inner, test.span)
        case Binary("and" | "or" as op, left, right):
            a, b = simplified(left, facts, known), simplified(right, facts, known)
            wins, falls = (ZERO, ONE) if op == "and" else (ONE, ZERO)
            if wins in (a, b):
                return wins
            if a == falls:
                return b
            return a if b == falls else Binary(op, a, b, test.span)
    for fact in facts:
        truth = _decided(test, fact, known)
        if truth is not None:
            return ONE if truth else ZERO
    return test


def _decided(test: Expr, fact: Expr, known: Known) -> bool | None:
    """The truth of an atomic test where `fact` holds, None if that does not say."""
    if test == fact:
        return True
    match fact, test:
        case Binary("and", left, right), _:
            first = _decided(test, left, known)
            return _decided(test, right, known) if first is None else first
        case Unary("not", inner), _ if inner == test:
            return False
        case _, Unary("not", inner) if inner == fact:
            return False
        case Binary(op, a, b), Binary(other, c, d) if op in _POSSIBLE and other in _POSSIBLE:
            if (a, b) == (d, c):
                other, c, d = MIRRORED[other], d, c
            if a != c:
                return None
            if b == d:
                possible = _POSSIBLE[op]
            elif certain(Binary("<", b, d), known):
                possible = _beside(op, "l")
            elif certain(Binary(">", b, d), known):
                possible = _beside(op, "g")
            else:
                return None
            if possible <= _POSSIBLE[other]:
                return True
            return None if possible & _POSSIBLE[other] else False
    return None


def _beside(op: str, side: str) -> frozenset[str]:
    """What `x op b` leaves possible between x and a number above b (`side` "l") or below it ("g")."""
    keeps = {"l": "<", "g": ">"}[side]
    return frozenset(side if op != "!=" and op[0] in (keeps, "=") else "leg")


def usual_values(component: model.Component) -> dict[str, Interval]:
    """Parameters, constants and what follows from them, at the values that the model gives them."""
    known: dict[str, Interval] = {TIME: (0.0, float("inf"))}
    for item in statics(component):
        if isinstance(item.value, Quantity):
            known[item.name] = (item.value.si, item.value.si)
    return follow(known, {d.name: d.value for d in component.derived_parameters})


def leads_to(
    body: tuple[model.Statement, ...], modes: Sequence[tuple[Expr, ...]], known: Known
) -> int | None:
    """The mode whose tests all hold after the body, at the values of parameters `known`; None if that
    depends on more, or the body sets nothing that the tests are about."""
    values = values_after(body)
    if values is None:
        return None
    for number, tests in enumerate(modes):
        about = {name for test in tests for name in free_names(test)}
        after = [certain(substitute(test, values), known) for test in tests]
        if about & values.keys() and all(after):
            return number
    return None


def folded(test: Expr) -> Expr:
    """A test without parts that are certain by themselves."""
    match test:
        case Binary("and" | "or" as op, left, right):
            a, b = folded(left), folded(right)
            wins, falls = (ZERO, ONE) if op == "and" else (ONE, ZERO)
            if wins in (a, b):
                return wins
            if a == falls:
                return b
            return a if b == falls else Binary(op, a, b, test.span)
    if free_names(test):
        return test
    truth = certain(test, {})
    return test if truth is None else ONE if truth else ZERO


def values_after(body: tuple[model.Statement, ...]) -> dict[str, Expr] | None:
    """What a body sets its variables to, in terms of what was before; None where that is not to be said."""
    values: dict[str, Expr] = {}
    for item in body:
        match item:
            case model.Assign(target=target, value=value):
                values[target] = substitute(value, values)
            case model.If():
                more = _after_branches(item, values)
                if more is None:
                    return None
                values.update(more)
            case model.Emit() | model.Transition():
                continue
            case _:
                return None
    return values


def _after_branches(item: model.If, values: Mapping[str, Expr]) -> dict[str, Expr] | None:
    """What branches set, as conditional values."""
    ends = [values_after(body) for _, body in item.branches]
    last = values_after(item.otherwise)
    if last is None or any(end is None for end in ends):
        return None
    names = {name for end in (*ends, last) for name in (end or {})}
    found: dict[str, Expr] = {}
    for name in names:
        kept = values.get(name, Name(name))
        cases = tuple(
            (substitute(test, values), substitute((end or {}).get(name, Name(name)), values))
            for (test, _), end in zip(item.branches, ends, strict=True)
        )
        otherwise = substitute(last[name], values) if name in last else kept
        found[name] = Conditional(cases, otherwise)
    return found


def is_past(test: Expr) -> bool:
    """Does a test say that a time is over, so that it stays true for good?

    >>> is_past(Binary(">", Name("t"), Name("end"))), is_past(Binary("<=", Name("t"), Name("end")))
    (True, False)
    """
    match test:
        case Binary("<" | "<=" as op, left, right):
            return is_past(Binary(MIRRORED[op], right, left))
        case Binary(">" | ">=", Binary("-", Name("t"), since), limit):
            return TIME not in free_names(since) | free_names(limit)
        case Binary(">" | ">=", Name("t"), limit):
            return TIME not in free_names(limit)
    return False


def targets(body: tuple[model.Statement, ...]) -> set[str]:
    """Everything that a body assigns to."""
    return {item.target for item in nested(body) if isinstance(item, model.Assign)}


def with_target(body: tuple[model.Statement, ...], regime: str) -> tuple[model.Statement, ...]:
    """The body, going to `regime` at its end."""
    return (*body, model.Transition(regime=regime))


def resolved(
    body: tuple[model.Statement, ...], facts: Sequence[Expr], known: Known = NOTHING
) -> tuple[model.Statement, ...]:
    """The body with branches that `facts` decide replaced by what happens; facts that an assignment
    before them may have changed say nothing."""
    found: list[model.Statement] = []
    held = list(facts)
    for item in body:
        if isinstance(item, model.If):
            found += _branch(item, held, known)
        else:
            found.append(item)
        changed = targets((item,))
        held = [fact for fact in held if not free_names(fact) & changed]
    return tuple(found)


def _branch(item: model.If, facts: Sequence[Expr], known: Known) -> tuple[model.Statement, ...]:
    branches = []
    otherwise = resolved(item.otherwise, facts, known)
    for test, body in item.branches:
        told = simplified(test, facts, known)
        if told == ZERO:
            continue
        if told == ONE:
            otherwise = resolved(body, facts, known)
            break
        branches.append((told, resolved(body, facts, known)))
    if not branches:
        return otherwise
    return (replace(item, branches=tuple(branches), otherwise=otherwise),)


__all__ = [
    "folded",
    "is_past",
    "leads_to",
    "resolved",
    "simplified",
    "targets",
    "usual_values",
    "with_target",
]  # fmt: skip
