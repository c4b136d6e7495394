"""Give literals the dimension that their place asks for: NESTML has no zero of every dimension."""

from __future__ import annotations

import math

from ...canonical_model.dimensions import Lookup, infer
from ...canonical_model.expr import (
    COMPARISONS,
    Binary,
    Call,
    Conditional,
    Expr,
    Number,
    Unary,
    rebuild,
)
from ...canonical_model.units import NEURO, NONE, Dimension, Unit
from .unit_text import unit_for


def with_dimension(expr: Expr, expected: Dimension | None, lookup: Lookup) -> Expr:
    """The expression with bare zeros and infinities in the unit that their place asks for."""
    match expr:
        case Number(value, None):
            free = value == 0 or math.isinf(value)
            if not free or expected is None or expected == NONE:
                return expr
            symbol = unit_for(expected)
            return Number(value, Unit(symbol, expected, NEURO.size(expected)), expr.span)
        case Unary("-", operand):
            return Unary("-", with_dimension(operand, expected, lookup), expr.span)
        case Binary("+" | "-" as op, left, right):
            wanted = expected if expected is not None else _common((left, right), lookup)
            return Binary(
                op,
                with_dimension(left, wanted, lookup),
                with_dimension(right, wanted, lookup),
                expr.span,
            )
        case Binary(op, left, right) if op in COMPARISONS:
            wanted = _common((left, right), lookup)
            return Binary(
                op,
                with_dimension(left, wanted, lookup),
                with_dimension(right, wanted, lookup),
                expr.span,
            )
        case Binary("*", left, right):
            return _product(expr, left, right, expected, lookup)
        case Conditional(cases, otherwise):
            values = (*(value for _, value in cases), otherwise)
            wanted = expected if expected is not None else _common(values, lookup)
            changed = tuple(
                (with_dimension(test, None, lookup), with_dimension(value, wanted, lookup))
                for test, value in cases
            )
            return Conditional(changed, with_dimension(otherwise, wanted, lookup), expr.span)
        case Call("min" | "max", args):
            wanted = expected if expected is not None else _common(args, lookup)
            changed_args = tuple(with_dimension(arg, wanted, lookup) for arg in args)
            return Call(expr.function, changed_args, expr.span)
        case _:
            return rebuild(expr, lambda part: with_dimension(part, None, lookup))


def _product(
    expr: Expr, left: Expr, right: Expr, expected: Dimension | None, lookup: Lookup
) -> Expr:
    """In `0 * x` the zero is a pure number, unless the product is to have another dimension than x."""
    parts = []
    for own, other in ((left, right), (right, left)):
        wanted = None
        if expected is not None and isinstance(own, Number) and own.unit is None:
            known = infer(other, lookup)
            wanted = None if known is None else expected / known
        parts.append(with_dimension(own, wanted, lookup))
    return Binary("*", parts[0], parts[1], expr.span)


def _common(parts: tuple[Expr, ...], lookup: Lookup) -> Dimension | None:
    """The dimension of the first part that has one for sure."""
    for part in parts:
        found = infer(part, lookup, free_zero=True)
        if found is not None:
            return found
    return None
