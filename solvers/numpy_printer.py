"""Print an expression as numpy source: `np.` for numpy, `nm.` for solvers.numeric."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ..canonical_model.diagnostics import error
from ..canonical_model.expr import (
    GRID_FUNCTIONS,
    Binary,
    Call,
    Conditional,
    Expr,
    Name,
    Number,
    Unary,
    continues,
)

_NUMPY = {
    "sin": "np.sin", "cos": "np.cos", "tan": "np.tan", "asin": "np.arcsin", "acos": "np.arccos",
    "atan": "np.arctan", "sinh": "np.sinh", "cosh": "np.cosh", "tanh": "np.tanh", "exp": "np.exp",
    "expm1": "np.expm1", "log": "np.log", "log10": "np.log10", "sqrt": "np.sqrt", "abs": "np.abs",
    "sign": "np.sign", "ceil": "np.ceil", "floor": "np.floor", "round": "nm.round_half_away",
    "min": "np.minimum", "max": "np.maximum", "heaviside": "nm.heaviside",
    "factorial": "nm.factorial", "erf": "nm.erf", "erfc": "nm.erfc", "exprel": "nm.exprel",
    "expdd": "nm.expdd", "trunc": "np.trunc", "poisson": "nm_poisson", "bitand": "nm.bitand",
    "bitor": "nm.bitor", "bitxor": "nm.bitxor", "bitnot": "nm.bitnot", "shiftleft": "nm.shiftleft",
    "shiftright": "nm.shiftright", "uniform": "nm_uniform", "normal": "nm_normal",
}  # fmt: skip
_OPERATORS = {"and": "&", "or": "|", "^": "**"}


def print_numpy(expr: Expr, names: Mapping[str, str]) -> str:
    """Numpy source of `expr`; every name is replaced through `names` (KeyError if it is not there)."""
    match expr:
        case Number():
            # a unit is a factor, except for offset units, which have been converted on import
            number = expr.value if expr.unit is None else expr.value * expr.unit.scale
            text = repr(number) if math.isfinite(number) else f"np.{abs(number)!r}"
            return f"({'-' * math.isinf(number)}{text})" if number < 0 else text
        case Name(name):
            return names[name]
        case Unary("not", operand):
            return f"(~{print_truth(operand, names)})"
        case Unary(_, operand):
            return f"(-{print_numpy(operand, names)})"
        case Binary("and" | "or", left, right):
            return f"({print_truth(left, names)} {_OPERATORS[expr.op]} {print_truth(right, names)})"
        case Binary("%", left, right):
            return f"np.fmod({print_numpy(left, names)}, {print_numpy(right, names)})"
        case Binary(op, left, right):
            symbol = _OPERATORS.get(op, op)
            first = print_numpy(left, names)
            if continues(expr, left):
                first = first[1:-1]
            return f"({first} {symbol} {print_numpy(right, names)})"
        case Call(function, args):
            inner = ", ".join(print_numpy(arg, names) for arg in args)
            if function not in _NUMPY:
                message = f"'{function}' cannot be evaluated here"
                raise error("S212", message, expr.span, hint=_hint(function))
            return f"{_NUMPY[function]}({inner})"
        case Conditional(cases, otherwise):
            text = print_numpy(otherwise, names)
            for test, value in reversed(cases):
                text = f"np.where({print_truth(test, names)}, {print_numpy(value, names)}, {text})"
            return text
    raise TypeError(f"cannot print {expr!r}")


def _hint(function: str) -> str:
    if function in GRID_FUNCTIONS:
        return "it has a meaning on a fixed grid only: simulate in grid mode"
    return "it is lowered before a simulation, but not where it stands here"


def print_truth(expr: Expr, names: Mapping[str, str]) -> str:
    """A boolean operand; numbers count as true unless 0."""
    return f"np.asarray({print_numpy(expr, names)}, dtype=bool)"
