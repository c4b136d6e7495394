"""What an expression can be, given what its names can be: interval arithmetic in SI, and three-valued tests.

Bounds are safe but not tight: anything unknown is everything. Rounding is not followed to the last digit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import product
from typing import TypeAlias

from ..algebra import Definitions
from ..expr import Binary, Call, Conditional, Expr, Name, Number, Unary, free_names
from ..units import Quantity

Interval: TypeAlias = tuple[float, float]
Known: TypeAlias = Mapping[str, Interval]

EVERYTHING: Interval = (-math.inf, math.inf)
_RISING: Mapping[str, tuple[Callable[[float], float], float]] = {
    "exp": (math.exp, -math.inf),
    "expm1": (math.expm1, -math.inf),
    "sinh": (math.sinh, -math.inf),
    "tanh": (math.tanh, -math.inf),
    "atan": (math.atan, -math.inf),
    "log": (math.log, 0.0),
    "log10": (math.log10, 0.0),
    "sqrt": (math.sqrt, 0.0),
    "floor": (math.floor, -math.inf),
    "ceil": (math.ceil, -math.inf),
}


def hull(one: Interval, other: Interval) -> Interval:
    """The smallest interval that holds both."""
    return min(one[0], other[0]), max(one[1], other[1])


def bounds(expr: Expr, known: Known) -> Interval:
    """Between which values `expr` lies.

    >>> bounds(Binary("*", Name("x"), Number(-2.0)), {"x": (1.0, 3.0)})
    (-6.0, -2.0)
    """
    match expr:
        case Number(value, unit):
            found = value if unit is None else Quantity(value, unit).si
            return found, found
        case Name(name):
            return known.get(name, EVERYTHING)
        case Unary("-", operand):
            low, high = bounds(operand, known)
            return -high, -low
        case Binary("+" | "-" | "*" | "/" as op, left, right):
            return _corners(op, bounds(left, known), bounds(right, known))
        case Binary("^", base, Number(power, None)):
            return _power(bounds(base, known), power)
        case Call(function, args):
            return _call(function, [bounds(arg, known) for arg in args])
        case Conditional(cases, otherwise):
            parts = [v for test, v in cases if certain(test, known) is not False]
            always = any(certain(test, known) for test, _ in cases)
            parts += [] if always else [otherwise]
            total = bounds(parts[0], known)
            for part in parts[1:]:
                total = hull(total, bounds(part, known))
            return total
    truth = certain(expr, known)
    return (0.0, 1.0) if truth is None else (float(truth), float(truth))


def certain(test: Expr, known: Known) -> bool | None:
    """True or False where the test is so whatever the values within their bounds, else None."""
    match test:
        case Unary("not", operand):
            inner = certain(operand, known)
            return None if inner is None else not inner
        case Binary("and" | "or" as op, left, right):
            sides = (certain(left, known), certain(right, known))
            decides = op == "or"
            if decides in sides:
                return decides
            return None if None in sides else not decides
        case Binary("<" | "<=" | ">" | ">=" as op, left, right):
            low, high = _difference(left, right, known)
            if op in (">", ">="):
                low, high = -high, -low
            # now: left < right is low < 0
            if high < 0 or (op in ("<=", ">=") and high <= 0):
                return True
            if low > 0 or (op in ("<", ">") and low >= 0):
                return False
            return None
        case Binary("==" | "!=" as op, left, right):
            low, high = _difference(left, right, known)
            if low > 0 or high < 0:
                return op == "!="
            return (op == "==") if low == high == 0 else None
        case Number(value, _):
            return bool(value)
    return None


def _difference(left: Expr, right: Expr, known: Known) -> Interval:
    """left - right; what stands on both sides cancels."""
    whole = Binary("-", left, right)
    total = bounds(whole, known)
    shared = free_names(left) & free_names(right)
    for names in dict.fromkeys((shared, free_names(whole))):
        form = Definitions({}).linear(whole, names) if names else None
        if form is not None:
            found = bounds(form.rest, known)
            for name, coefficient in form.coefficients.items():
                factor = bounds(coefficient, known)
                if factor != (0.0, 0.0):
                    term = _corners("*", factor, known.get(name, EVERYTHING))
                    found = _corners("+", found, term)
            total = max(total[0], found[0]), min(total[1], found[1])
    return total


def _corners(op: str, a: Interval, b: Interval) -> Interval:
    if op == "-":
        op, b = "+", (-b[1], -b[0])
    if op == "+":
        low, high = a[0] + b[0], a[1] + b[1]
        return (
            -math.inf if math.isnan(low) else low,
            math.inf if math.isnan(high) else high,
        )
    if op == "/":
        if b[0] <= 0 <= b[1]:
            return EVERYTHING
        if math.isinf(1 / b[0]) or math.isinf(1 / b[1]):
            return EVERYTHING  # its inverse has no number
        b = (1 / b[1], 1 / b[0])
    # in a product of bounds zero times infinity is zero: the bound itself is never reached
    found = [0.0 if 0 in (x, y) else x * y for x, y in product(a, b)]
    return min(found), max(found)


def _power(base: Interval, power: float) -> Interval:
    if power == int(power) and 0 < power <= 64:
        ends = [_safe(lambda x: x**power, end) for end in base]
        if power % 2 == 0 and base[0] < 0 < base[1]:
            ends.append(0.0)
        return min(ends), max(ends)
    return (0.0, math.inf) if base[0] >= 0 else EVERYTHING


def _call(function: str, args: list[Interval]) -> Interval:
    match function, args:
        case "uniform", []:
            return 0.0, 1.0
        case "poisson", _:
            return 0.0, math.inf
        case (("sin" | "cos"), _):
            return -1.0, 1.0
        case "abs", [(low, high)]:
            least = 0.0 if low <= 0 <= high else min(abs(low), abs(high))
            return least, max(abs(low), abs(high))
        case (("min" | "max"), [a, b]):
            pick = min if function == "min" else max
            return pick(a[0], b[0]), pick(a[1], b[1])
        case _, [(low, high)] if function in _RISING:
            value, start = _RISING[function]
            least = -math.inf if function in ("log", "log10") else 0.0
            bottom = _safe(value, low) if low > start else least
            return (bottom, _safe(value, high)) if high > start or low > start else (bottom, bottom)
        case "cosh", _:
            return 1.0, math.inf
    return EVERYTHING


def _safe(value: Callable[[float], float], x: float) -> float:
    """A rising function at x, also where it is too large or x is infinite."""
    try:
        return float(value(x))
    except OverflowError:
        return math.copysign(math.inf, x)
    except ValueError:
        return x


__all__ = ["EVERYTHING", "Interval", "Known", "bounds", "certain", "hull"]


def follow(known: Known, waiting: Mapping[str, Expr]) -> dict[str, Interval]:
    """`known` with the bounds of what `waiting` defines, each as soon as all that it reads is known."""
    found, left = dict(known), dict(waiting)
    for _ in range(len(left)):
        for name, value in list(left.items()):
            if not free_names(value) & left.keys():
                found[name] = bounds(value, found)
                del left[name]
    return found
