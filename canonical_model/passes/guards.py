"""What the tests of a mode say about other tests, and which mode a body of statements leads to.

`refr_t > 0` is false wherever `refr_t <= 0` led to; a body that sets `refr_t` to a positive duration leads to
the mode of `refr_t > 0`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from .. import model
from ..expr import MIRRORED, ONE, TIME, ZERO, Binary, Expr, Name, Unary, free_names, substitute
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


def simplified(test: Expr, facts: Sequence[Expr]) -> Expr:
    """`test` where all of `facts` hold: ONE if it must hold, ZERO if it cannot.

    >>> simplified(Binary("<=", Name("x"), ZERO), [Binary(">", Name("x"), ZERO)]) == ZERO
    True
    """
    match test:
        case Unary("not", operand):
            inner = simplified(operand, facts)
            if inner in (ONE, ZERO):
                return ZERO if inner == ONE else ONE
            return Unary("not", inner, test.span)
        case Binary("and" | "or" as op, left, right):
            a, b = simplified(left, facts), simplified(right, facts)
            wins, falls = (ZERO, ONE) if op == "and" else (ONE, ZERO)
            if wins in (a, b):
                return wins
            if a == falls:
                return b
            return a if b == falls else Binary(op, a, b, test.span)
    for fact in facts:
        known = _decided(test, fact)
        if known is not None:
            return ONE if known else ZERO
    return test


def _decided(test: Expr, fact: Expr) -> bool | None:
    """The truth of an atomic test where `fact` holds, None if that does not say."""
    if test == fact:
        return True
    match fact, test:
        case Binary("and", left, right), _:
            first = _decided(test, left)
            return _decided(test, right) if first is None else first
        case Unary("not", inner), _ if inner == test:
            return False
        case _, Unary("not", inner) if inner == fact:
            return False
        case Binary(op, a, b), Binary(other, c, d) if op in _POSSIBLE and other in _POSSIBLE:
            if (a, b) == (d, c):
                other, c, d = MIRRORED[other], d, c
            if (a, b) != (c, d):
                return None
            if _POSSIBLE[op] <= _POSSIBLE[other]:
                return True
            return None if _POSSIBLE[op] & _POSSIBLE[other] else False
    return None


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


def values_after(body: tuple[model.Statement, ...]) -> dict[str, Expr] | None:
    """What a body sets its variables to, in terms of what was before; None if that depends on tests."""
    values: dict[str, Expr] = {}
    for item in body:
        if isinstance(item, model.Assign):
            values[item.target] = substitute(item.value, values)
        elif not isinstance(item, model.Emit):
            return None
    return values


def is_due(test: Expr, body: tuple[model.Statement, ...], known: Known) -> bool:
    """Does a test certainly hold because of what a body sets, at the values of parameters `known`?"""
    values = values_after(body)
    if not values or not free_names(test) & values.keys():
        return False
    return certain(substitute(test, values), known) is True


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
    body: tuple[model.Statement, ...], facts: Sequence[Expr]
) -> tuple[model.Statement, ...]:
    """The body with branches that `facts` decide replaced by what happens; facts that an assignment
    before them may have changed say nothing."""
    found: list[model.Statement] = []
    held = list(facts)
    for item in body:
        if isinstance(item, model.If):
            found += _branch(item, held)
        else:
            found.append(item)
        changed = targets((item,))
        held = [fact for fact in held if not free_names(fact) & changed]
    return tuple(found)


def _branch(item: model.If, facts: Sequence[Expr]) -> tuple[model.Statement, ...]:
    branches = []
    otherwise = resolved(item.otherwise, facts)
    for test, body in item.branches:
        known = simplified(test, facts)
        if known == ZERO:
            continue
        if known == ONE:
            otherwise = resolved(body, facts)
            break
        branches.append((known, resolved(body, facts)))
    if not branches:
        return otherwise
    return (replace(item, branches=tuple(branches), otherwise=otherwise),)


def in_mode(items: Sequence[model.OnCondition], facts: Sequence[Expr]) -> list[model.OnCondition]:
    """The conditions that can hold where `facts` do, without what these decide."""
    found = []
    for item in items:
        test = simplified(item.test, facts)
        if test != ZERO:
            found.append(replace(item, test=test, body=resolved(item.body, facts)))
    return found


__all__ = [
    "in_mode",
    "is_due",
    "is_past",
    "leads_to",
    "resolved",
    "simplified",
    "targets",
    "usual_values",
    "with_target",
]  # fmt: skip
