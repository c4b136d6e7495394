"""Values of expressions that parameters alone decide, taken at the parameters' defaults."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from .expr import Binary, Call, Expr, Name, Number, Unary
from .model import Component, DerivedParameter
from .query import statics

MAX_DEPTH = 100
_FUNCTIONS: dict[str, Callable[[float], float]] = {
    "exp": math.exp, "log": math.log, "sqrt": math.sqrt, "abs": abs, "expm1": math.expm1,
    "log10": math.log10, "sin": math.sin, "cos": math.cos, "tan": math.tan, "tanh": math.tanh,
}  # fmt: skip


def static_values(component: Component) -> dict[str, Expr]:
    """The defaults of parameters and constants, the definitions of derived parameters."""
    found: dict[str, Expr] = {}
    for item in statics(component):
        if isinstance(item, DerivedParameter):
            found[item.name] = item.value
        elif item.value is not None:
            found[item.name] = Number(item.value.si)
    return found


def fixed_value(expr: Expr, values: Mapping[str, Expr], depth: int = 0) -> float | None:
    """The value in SI; None where something else than `values` enters, or there is no value.

    >>> fixed_value(Binary("*", Name("a"), Number(3.0)), {"a": Number(2.0)})
    6.0
    """
    if depth > MAX_DEPTH:
        return None
    match expr:
        case Number(value, unit):
            return value if unit is None else value * unit.scale + unit.offset
        case Name(name) if name in values:
            return fixed_value(values[name], values, depth + 1)
        case Unary("-", operand):
            inner = fixed_value(operand, values, depth + 1)
            return None if inner is None else -inner
        case Binary("+" | "-" | "*" | "/" | "^" as op, left, right):
            one = fixed_value(left, values, depth + 1)
            other = None if one is None else fixed_value(right, values, depth + 1)
            return None if one is None or other is None else _operated(op, one, other)
        case Call(function, (argument,)) if function in _FUNCTIONS:
            inner = fixed_value(argument, values, depth + 1)
            return None if inner is None else _called(function, inner)
    return None


def _operated(op: str, one: float, other: float) -> float | None:
    try:
        match op:
            case "+":
                return one + other
            case "-":
                return one - other
            case "*":
                return one * other
            case "/":
                return one / other
            case _:
                power = one**other
                return power if isinstance(power, float) else None
    except (ZeroDivisionError, OverflowError):
        return None


def _called(function: str, argument: float) -> float | None:
    try:
        return float(_FUNCTIONS[function](argument))
    except (ValueError, OverflowError):
        return None
