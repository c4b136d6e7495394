"""Exact values of expressions of literals: `10 mV + 20 mV` is 30 mV, not 30.000000000000004."""

from __future__ import annotations

import math
from fractions import Fraction

from ...canonical_model.expr import Binary, Expr, Number, Unary
from ...canonical_model.units import PURE, Quantity, Unit
from .units import UnitValue

_MAX_POWER = 64


def constant(expr: Expr, unit: UnitValue | None) -> Quantity | None:
    """The value of an expression without names, a literal in its own unit, else in `unit` (None: a
    pure number); None for any other expression, and where it has no value."""
    if isinstance(expr, Number):
        return Quantity(expr.value, expr.unit or PURE)
    if isinstance(expr, Unary) and expr.op == "-" and isinstance(expr.operand, Number):
        return Quantity(-expr.operand.value, expr.operand.unit or PURE)
    own = unit.unit() if unit is not None else PURE
    exact = _exact(expr)
    if exact is not None:
        return _quantity(exact, unit, own)
    infinite = _infinite(expr)
    return None if infinite is None else Quantity(infinite, own)


def _quantity(exact: Fraction, unit: UnitValue | None, own: Unit) -> Quantity | None:
    if unit is not None and isinstance(unit.scale, Fraction):
        exact = exact / unit.scale
    elif unit is not None:
        return None
    try:
        return Quantity(float(exact), own)
    except OverflowError:
        return None


def _exact(expr: Expr) -> Fraction | None:
    match expr:
        case Number(value, unit):
            if not math.isfinite(value):
                return None
            scale = Fraction(repr(unit.scale)) if unit is not None else Fraction(1)
            return Fraction(repr(value)) * scale
        case Unary("-", operand):
            inner = _exact(operand)
            return None if inner is None else -inner
        case Binary(op, left, right):
            one, other = _exact(left), _exact(right)
            if one is None or other is None:
                return None
            return _operated(op, one, other)
    return None


def _operated(op: str, one: Fraction, other: Fraction) -> Fraction | None:
    if op == "+":
        return one + other
    if op == "-":
        return one - other
    if op == "*":
        return one * other
    if op == "/" and other:
        return one / other
    if op == "^" and _small(one, other):
        return Fraction(one ** int(other))
    return None


def _small(base: Fraction, power: Fraction) -> bool:
    """True where the power is exact and of bounded size."""
    size = base.numerator.bit_length() + base.denominator.bit_length()
    whole = power.denominator == 1 and abs(power) <= _MAX_POWER
    return whole and size < 4096 and (base != 0 or power >= 0)


def _infinite(expr: Expr) -> float | None:
    """`inf * 1 mV`, `-inf`: the sign is all that counts."""
    match expr:
        case Number(value, _):
            return value if math.isinf(value) else None
        case Unary("-", operand):
            inner = _infinite(operand)
            return None if inner is None else -inner
        case Binary("*" | "/" as op, left, right):
            one = _infinite(left)
            other = _exact(right)
            if one is None and op == "*":
                one, other = _infinite(right), _exact(left)
            if one is None or not other:
                return None
            return one if other > 0 else -one
    return None
