"""The value of a LEMS expression for many instances at once, in SI."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ...canonical_model.diagnostics import Span, error, suggest
from ...canonical_model.expr import Binary, Call, Expr, Name, Number, Unary
from ...lems_types.expressions import parse_expression

if TYPE_CHECKING:
    from ...canonical_model.network import Floats

_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "^": np.power, "%": np.fmod,
}  # fmt: skip
_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "exp": np.exp, "log": np.log, "sqrt": np.sqrt,
    "abs": np.abs, "ceil": np.ceil, "floor": np.floor, "min": np.minimum, "max": np.maximum,
}  # fmt: skip


def array_value(text: str, values: Mapping[str, Floats | float], span: Span | None) -> Any:
    """The value of `text`; names are looked up in `values`. Raises ModelError L120 to L123."""
    expr = parse_expression(text, span)
    with np.errstate(all="ignore"):
        found = _value(expr, values, span)
    if not np.all(np.isfinite(found)):
        raise error("L123", f"'{text}' is not a finite number for every instance", span)
    return found


def _value(expr: Expr, values: Mapping[str, Floats | float], span: Span | None) -> Any:
    match expr:
        case Number(value, unit):
            return value if unit is None else value * unit.scale
        case Name(name):
            if name not in values:
                message = f"'{name}' is not known where instances are given their values"
                raise error("L123", message, expr.span or span, hint=suggest(name, values))
            return values[name]
        case Unary("-", operand):
            return -_value(operand, values, span)
        case Binary(op, left, right) if op in _OPERATORS:
            return _OPERATORS[op](_value(left, values, span), _value(right, values, span))
        case Call(function, args) if function in _FUNCTIONS:
            return _FUNCTIONS[function](*(_value(arg, values, span) for arg in args))
    raise error("L123", "this expression cannot give instances their values", span)
