"""Printing expressions: the canonical notation, and the table-driven printer that targets share.

Nothing here recurses, so that sums of thousands of terms are no danger.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from . import units
from .expr import (
    COMPARISONS,
    Binary,
    Call,
    Conditional,
    Expr,
    Name,
    Number,
    Select,
    Unary,
    children,
    walk,
)
from .units import BASE, Dimension, Unit

T = TypeVar("T")
Printed: TypeAlias = tuple[str, int]  # text and the precedence of its outermost operator

COMPARE, SUM, PRODUCT, SIGN, POWER, ATOM = 4, 5, 6, 7, 8, 9
PRECEDENCE: Mapping[str, int] = {
    "or": 1, "and": 2, "not": 3, **dict.fromkeys(COMPARISONS, COMPARE),
    "+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "%": PRODUCT, "^": POWER,
}  # fmt: skip
REDUCTIONS: Mapping[str, str] = {"add": "sum", "multiply": "product", "": "select"}
RESERVED = frozenset({"and", "or", "not", "if", "inf", "nan"})

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*\Z")
_ESCAPE = re.compile(r"[\\`\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def _common_units() -> dict[str, Unit]:
    """Units whose symbol alone says everything: SI symbols of this field with prefixes."""
    prefixes = {"": 0, "k": 3, "c": -2, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15}
    prefixes |= {"M": 6, "G": 9}
    bases = {
        "s": units.TIME, "V": units.VOLTAGE, "A": units.CURRENT, "S": units.CONDUCTANCE,
        "Ohm": units.RESISTANCE, "ohm": units.RESISTANCE, "F": units.CAPACITANCE,
        "Hz": units.FREQUENCY, "m": units.LENGTH, "C": units.CHARGE, "mol": Dimension(n=1),
    }  # fmt: skip
    found = {
        prefix + symbol: Unit(prefix + symbol, dimension, float(f"1e{power}"))
        for prefix, power in prefixes.items()
        for symbol, dimension in bases.items()
    }
    found["degC"] = Unit("degC", units.TEMPERATURE, 1.0, 273.15)
    found["K"] = Unit("K", units.TEMPERATURE)
    return found


COMMON_UNITS: Mapping[str, Unit] = _common_units()


def fold(expr: Expr, combine: Callable[[Expr, tuple[T, ...]], T]) -> T:
    """`combine(node, values of its sub-expressions)` for every node, innermost first, no recursion.

    >>> fold(Binary("+", Name("a"), Name("b")), lambda node, parts: 1 + sum(parts))
    3
    """
    stack: list[T] = []
    for node in reversed(list(walk(expr))):
        parts = tuple(stack.pop() for _ in children(node))
        stack.append(combine(node, parts))
    return stack[0]


@dataclass(frozen=True, slots=True)
class PrinterTable:
    """What differs between infix languages: operators, functions and how tightly operators bind.

    `operators` maps ours to the target's text with its blanks; an operator mapped to a name that
    ends in `(` is printed as a call. `functions` maps names that differ.
    """

    operators: Mapping[str, str]
    functions: Mapping[str, str] = field(default_factory=dict)
    precedence: Mapping[str, int] = field(default_factory=lambda: PRECEDENCE)


CANONICAL = PrinterTable(
    {**{op: f" {op} " for op in PRECEDENCE}, "^": "^", "not": "not ", "negate": "-"}
)


class InfixPrinter:
    """Prints expressions from a table, with parentheses only where precedence needs them.

    Subclasses change the table and override what their language writes differently: `number`,
    `name`, `call`, `conditional`, `select`. Each returns text and precedence (ATOM: never bracketed).
    """

    table: PrinterTable = CANONICAL

    def text(self, expr: Expr) -> str:
        """The expression as text."""
        return fold(expr, self.node)[0]

    def node(self, expr: Expr, parts: tuple[Printed, ...]) -> Printed:
        """One node from its printed parts."""
        match expr:
            case Number():
                return self.number(expr)
            case Name(id):
                return self.name(id)
            case Unary():
                return self.unary(expr, parts[0])
            case Binary(op):
                return self.binary(op, parts[0], parts[1])
            case Call(function):
                return self.call(function, tuple(text for text, _ in parts))
            case Conditional():
                return self.conditional(parts)
            case Select():
                return self.select(expr)

    def number(self, node: Number) -> Printed:
        """A literal; a negative one binds like a leading minus."""
        text = number_text(node.value)
        if node.unit is not None:
            return f"{text} {unit_text(node.unit)}", SIGN
        return text, SIGN if text.startswith("-") else ATOM

    def name(self, name: str) -> Printed:
        """A name."""
        return quote_name(name), ATOM

    def unary(self, node: Unary, operand: Printed) -> Printed:
        """`-x`, `not x`; a minus before a bare positive literal is kept apart from a negative literal."""
        level = SIGN if node.op == "-" else self.table.precedence[node.op]
        symbol = self.table.operators["negate" if node.op == "-" else node.op]
        number = node.op == "-" and isinstance(node.operand, Number)
        bare = number and not operand[0].startswith("-")
        return symbol + (f"({operand[0]})" if bare else bracket(operand, level)), level

    def binary(self, op: str, left: Printed, right: Printed) -> Printed:
        """Left-grouping operators, comparisons that do not chain, and the right-grouping power."""
        symbol = self.table.operators[op]
        if symbol.endswith("("):
            return f"{symbol}{left[0]}, {right[0]})", ATOM
        level = self.table.precedence[op]
        if op == "^":
            return bracket(left, level + 1) + symbol + bracket(right, SIGN), level
        tight = level + 1 if op in COMPARISONS else level
        return bracket(left, tight) + symbol + bracket(right, level + 1), level

    def call(self, function: str, args: tuple[str, ...]) -> Printed:
        """A function call."""
        return f"{self.table.functions.get(function, function)}({', '.join(args)})", ATOM

    def conditional(self, parts: tuple[Printed, ...]) -> Printed:
        """`parts` are test, value, test, value, ..., otherwise."""
        return f"if({', '.join(text for text, _ in parts)})", ATOM

    def select(self, node: Select) -> Printed:
        """A quantity of descendants, by path."""
        optional = "" if node.required else ", optional"
        return f"{REDUCTIONS[node.reduce]}({quoted(node.path)}{optional})", ATOM


def bracket(part: Printed, level: int) -> str:
    """The text of `part`, in parentheses if it binds less tightly than `level`."""
    text, own = part
    return text if own >= level else f"({text})"


def print_expr(expr: Expr) -> str:
    """Canonical text of `expr`: minimal parentheses, exact numbers, the inverse of `parse_expr`.

    >>> print_expr(Binary("*", Name("g"), Binary("-", Name("E"), Name("v"))))
    'g * (E - v)'
    """
    return _CANONICAL_PRINTER.text(expr)


_CANONICAL_PRINTER = InfixPrinter()


def number_text(value: float) -> str:
    """The shortest text that reads back as the same float; whole numbers without `.0`."""
    return repr(float(value)).removesuffix(".0")


def quoted(text: str) -> str:
    """Any text in backquotes, on one line."""
    return f"`{_ESCAPE.sub(_escape, text)}`"


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    return "\\" + character if character in "\\`" else f"\\u{ord(character):04x}"


def quote_name(name: str) -> str:
    """A name as it is, or in backquotes where it is not plain or is a word of the notation."""
    return name if _PLAIN_NAME.match(name) and name not in RESERVED else quoted(name)


def unit_text(unit: Unit) -> str:
    """The symbol if it says everything, else the unit in full between braces."""
    if COMMON_UNITS.get(unit.symbol) == unit:
        return unit.symbol
    exponents = zip(BASE, unit.dimension.exponents, strict=True)
    fields = [(key, value) for key, value in exponents if value]
    fields += [("scale", unit.scale)] if unit.scale != 1 else []
    fields += [("offset", unit.offset)] if unit.offset else []
    listed = "".join(f", {key}={number_text(value)}" for key, value in fields)
    return f"{{{quote_name(unit.symbol)}{listed}}}"
