"""Print expressions as single-precision C. Names and literals are checked; no model text passes through."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import Decimal

from ...canonical_model.diagnostics import refuse
from ...canonical_model.expr import (
    Binary,
    Call,
    Conditional,
    Expr,
    Name,
    Number,
    Unary,
    continues,
    is_boolean,
)
from ..c_text import unwrapped

MAX_FLOAT = 3.4028234e38
MIN_FLOAT = 1.1754944e-38

RESERVED = frozenset({
    "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum",
    "extern", "float", "for", "goto", "if", "inline", "int", "long", "register", "restrict",
    "return", "short", "signed", "sizeof", "static", "struct", "switch", "typedef", "union",
    "unsigned", "void", "volatile", "while", "_Bool", "bool", "true", "false", "asm", "main",
})  # fmt: skip
CALLS = {
    "sin": "m_sin", "cos": "m_cos", "tan": "m_tan", "asin": "m_asin", "acos": "m_acos",
    "atan": "m_atan", "sinh": "m_sinh", "cosh": "m_cosh", "tanh": "m_tanh", "exp": "m_exp",
    "expm1": "m_expm1", "log": "m_log", "log10": "m_log10", "sqrt": "m_sqrt", "abs": "m_abs",
    "sign": "m_sign", "ceil": "m_ceil", "floor": "m_floor", "round": "m_round_away",
    "factorial": "m_factorial", "heaviside": "m_heaviside", "erf": "m_erf", "erfc": "m_erfc",
    "exprel": "m_exprel", "min": "m_min", "max": "m_max", "uniform": "rt_uniform",
    "normal": "rt_normal", "trunc": "m_trunc", "poisson": "rt_poisson", "bitand": "m_bitand",
    "bitor": "m_bitor", "bitxor": "m_bitxor", "bitnot": "m_bitnot", "shiftleft": "m_shiftleft",
    "shiftright": "m_shiftright",
}  # fmt: skip
_LOGICAL = {"and": "&&", "or": "||"}


def identifier(name: str) -> str:
    """A C identifier for a model's name: ASCII letters, digits and underscores, never a keyword.

    >>> identifier("int"), identifier("Na-all")
    ('int_', 'Na_all')
    """
    clean = re.sub(r"[^A-Za-z0-9_]", "_", name)
    if not clean[:1].isalpha():
        clean = f"x{clean}"
    return f"{clean}_" if clean in RESERVED else clean


def literal(value: float) -> str:
    """A single-precision literal that reads back as the nearest float32.

    >>> literal(0.1), literal(-3.0)
    ('0.1f', '-3.0f')
    """
    if math.isnan(value):
        return '__builtin_nanf("")'
    if abs(value) > MAX_FLOAT:
        return "-__builtin_inff()" if value < 0 else "__builtin_inff()"
    text = f"{value:.9g}"
    if float(text) != value:
        text = f"{Decimal(value):.9g}".lower()
    if not set(text) & set(".e"):
        text += ".0"
    return f"{text}f"


def print_c(expr: Expr, names: Mapping[str, str]) -> str:
    """C source of `expr`; every name is replaced through `names` (KeyError if it is not there)."""
    match expr:
        case Number(number, unit):
            text = literal(number if unit is None else number * unit.scale)
            return f"({text})" if text.startswith("-") else text
        case Name(name):
            return names[name]
        case Unary("not", operand):
            return f"!({print_c(operand, names)})"
        case Unary(_, operand):
            return f"(-{print_c(operand, names)})"
        case Binary("^", base, Number(exponent)) if (
            exponent == int(exponent) and 0 < exponent <= 16
        ):
            power = int(exponent)
            text = print_c(base, names)
            if power == 1:
                return text
            return f"m_pow{power}({text})" if power <= 4 else f"m_powi({text}, {power})"
        case Binary("^", left, right):
            return f"m_pow({print_c(left, names)}, {print_c(right, names)})"
        case Binary("%", left, right):
            return f"m_mod({print_c(left, names)}, {print_c(right, names)})"
        case Binary("and" | "or", left, right):
            return f"(({_truth(left, names)}) {_LOGICAL[expr.op]} ({_truth(right, names)}))"
        case Binary(op, left, right):
            first = print_c(left, names)
            if continues(expr, left):
                first = first[1:-1]
            return f"({first} {op} {print_c(right, names)})"
        case Call(function, args):
            return _call(function, args, names)
        case Conditional(cases, otherwise):
            text = print_c(otherwise, names)
            for test, value in reversed(cases):
                text = f"({_truth(test, names)} ? {print_c(value, names)} : {text})"
            return text
    raise TypeError(f"cannot print {expr!r}")


def _call(function: str, args: tuple[Expr, ...], names: Mapping[str, str]) -> str:
    if function not in CALLS:
        raise refuse("T305", f"the function '{function}' has no single-precision form on the chip")
    return f"{CALLS[function]}({', '.join(print_c(arg, names) for arg in args)})"


def _truth(expr: Expr, names: Mapping[str, str]) -> str:
    """A condition; a number counts as true unless it is 0."""
    text = print_c(expr, names)
    return text if is_boolean(expr) else f"({text} != 0.0f)"


def print_condition(expr: Expr, names: Mapping[str, str]) -> str:
    """A condition without doubled parentheses, for `if (...)`."""
    return unwrapped(_truth(expr, names))
