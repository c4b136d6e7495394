"""Print unit-free expressions as double-precision C++."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ...canonical_model.diagnostics import refuse
from ...canonical_model.expr import Binary, Call, Conditional, Expr, Name, Number, Unary, is_boolean
from ..c_text import unwrapped

STANDARD = frozenset({
    "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "exp", "expm1", "log",
    "log10", "sqrt", "ceil", "floor", "round", "erf", "erfc", "trunc",
})  # fmt: skip
OWN = frozenset({
    "sign", "factorial", "heaviside", "exprel", "bitand", "bitor", "bitxor", "bitnot",
    "shiftleft", "shiftright",
})  # fmt: skip
_RENAMED = {
    "bitand": "bit_and", "bitor": "bit_or", "bitxor": "bit_xor", "bitnot": "bit_not",
    "shiftleft": "shift_left", "shiftright": "shift_right",
}  # fmt: skip
_LOGICAL = {"and": "&&", "or": "||"}
MAX_POWER = 8


def literal(value: float) -> str:
    """A double literal that reads back as the same number.

    >>> literal(0.1), literal(-3.0), literal(float("inf"))
    ('0.1', '-3.0', 'interspike::infinity')
    """
    if math.isnan(value):
        return "interspike::nan"
    if math.isinf(value):
        return "-interspike::infinity" if value < 0 else "interspike::infinity"
    return repr(float(value))


def print_cpp(expr: Expr, names: Mapping[str, str]) -> str:
    """C++ source of `expr`; names come from `names` (KeyError if one is not there).

    Functions that the component defines and grid functions are in `names` too, as `name()`.
    """
    match expr:
        case Number(number):
            text = literal(number)
            return f"({text})" if text.startswith("-") else text
        case Name(name):
            return names[name]
        case Unary("not", operand):
            return f"!({_truth(operand, names)})"
        case Unary(_, operand):
            return f"(-{print_cpp(operand, names)})"
        case Binary("^", base, Number(exponent)) if exponent in range(2, MAX_POWER + 1):
            return f"interspike::power<{int(exponent)}>({print_cpp(base, names)})"
        case Binary("^", base, Number(0.5)):
            return f"std::sqrt({print_cpp(base, names)})"
        case Binary("^", left, right):
            return f"std::pow({print_cpp(left, names)}, {print_cpp(right, names)})"
        case Binary("%", left, right):
            return f"std::fmod({print_cpp(left, names)}, {print_cpp(right, names)})"
        case Binary("and" | "or", left, right):
            return f"(({_truth(left, names)}) {_LOGICAL[expr.op]} ({_truth(right, names)}))"
        case Binary(op, left, right):
            return f"({print_cpp(left, names)} {op} {print_cpp(right, names)})"
        case Call(function, args):
            return _call(function, args, names)
        case Conditional(cases, otherwise):
            text = print_cpp(otherwise, names)
            for test, value in reversed(cases):
                text = f"({_truth(test, names)} ? {print_cpp(value, names)} : {text})"
            return text
    raise TypeError(f"cannot print {expr!r}")


def _call(function: str, args: tuple[Expr, ...], names: Mapping[str, str]) -> str:
    if function == "arrived" and len(args) == 1 and isinstance(args[0], Name):
        return names[f"arrived({args[0].id})"]
    shown = [print_cpp(arg, names) for arg in args]
    listed = ", ".join(shown)
    if f"{function}()" in names:
        return f"{names[f'{function}()']}({listed})" if shown else names[f"{function}()"]
    if function in STANDARD:
        return f"std::{function}({listed})"
    if function in OWN:
        return f"interspike::{_RENAMED.get(function, function)}({listed})"
    if function == "abs":
        return f"std::fabs({listed})"
    if function in ("min", "max"):
        return f"interspike::{function}imum({listed})"
    if function == "expdd":
        return f"interspike::expdd<{len(shown)}>({{{listed}}})"
    if function == "uniform":
        return "rng->drand()"
    if function == "normal":
        return "interspike::normal(rng)"
    if function == "poisson":
        return f"interspike::poisson(rng, {listed})"
    if function == "steps":
        return f"interspike::steps({listed}, h)"
    if function in ("resolution", "timestep"):
        return "h"
    raise refuse("B301", f"the function '{function}' has no form in NEST's C++")


def _truth(expr: Expr, names: Mapping[str, str]) -> str:
    """A condition; a number counts as true unless it is 0."""
    text = print_cpp(expr, names)
    return text if is_boolean(expr) else f"({text} != 0.0)"


def print_condition(expr: Expr, names: Mapping[str, str]) -> str:
    """A condition without doubled parentheses, for `if ( ... )`."""
    return unwrapped(_truth(expr, names))
