"""Expressions as LEMS writes them, with the precedence that jLEMS applies.

Tightest first: `^`, `/`, `*`, `-`, `+`, comparisons, and one level for `.and.`, `.or.`, `.eq.`, `.neq.`; all group
from the left. Every truth value inside another one stands in parentheses, and so does every minus that is not
the first sign.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ...canonical_model.expr import COMPARISONS, LOGICAL, Expr, Number, Unary, is_boolean
from ...canonical_model.expr_print import ATOM, InfixPrinter, Printed, PrinterTable, number_text

LOGIC, COMPARE, PLUS, MINUS, TIMES, DIVIDE, POWER = range(1, 8)
_LEVELS: Mapping[str, int] = {
    "and": LOGIC, "or": LOGIC, "==": LOGIC, "!=": LOGIC, "<": COMPARE, "<=": COMPARE,
    ">": COMPARE, ">=": COMPARE, "+": PLUS, "-": MINUS, "*": TIMES, "/": DIVIDE, "^": POWER,
    "not": LOGIC,
}  # fmt: skip
_TABLE = PrinterTable(
    {
        "+": " + ", "-": " - ", "*": " * ", "/": " / ", "^": "^", "and": " .and. ",
        "or": " .or. ", "<": " .lt. ", ">": " .gt. ", "<=": " .leq. ", ">=": " .geq. ",
        "==": " .eq. ", "!=": " .neq. ", "not": "", "negate": "-",
    },
    {"log": "ln", "heaviside": "H"},
    _LEVELS,
)  # fmt: skip


class _Printer(InfixPrinter):
    """Prints with the names that the document uses."""

    table = _TABLE

    def __init__(self, name: Callable[[str], str]) -> None:
        self.rename = name

    def number(self, node: Number) -> Printed:
        text = number_text(node.value)
        return text, MINUS if text.startswith("-") else ATOM

    def name(self, name: str) -> Printed:
        return self.rename(name), ATOM

    def unary(self, node: Unary, operand: Printed) -> Printed:
        text, level = operand
        is_bare = (
            level >= TIMES and not text.startswith("-") and not isinstance(node.operand, Number)
        )
        return (f"-{text}" if is_bare else f"-({text})"), MINUS

    def binary(self, op: str, left: Printed, right: Printed) -> Printed:
        symbol, level = self.table.operators[op], _LEVELS[op]
        is_test = op in COMPARISONS or op in LOGICAL
        first, own = left
        if own < level or (is_test and own <= COMPARE):
            first = f"({first})"
        second, other = right
        if other <= level or second.startswith("-") or (is_test and other <= COMPARE):
            second = f"({second})"
        return first + symbol + second, level

    def call(self, function: str, args: tuple[str, ...]) -> Printed:
        if function == "uniform":
            return "random(1)", ATOM
        return f"{self.table.functions.get(function, function)}({', '.join(args)})", ATOM


def math_text(expr: Expr, name: Callable[[str], str] = str) -> str:
    """The text of a prepared expression; `name` gives the document's name of a quantity.

    >>> from ...canonical_model.expr import Binary, Name
    >>> math_text(Binary("/", Binary("*", Name("a"), Name("b")), Name("c")))
    '(a * b) / c'
    """
    return _Printer(name).text(expr)


def is_test(expr: Expr) -> bool:
    """True for what may stand in a condition."""
    return is_boolean(expr)
