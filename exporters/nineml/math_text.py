"""Expressions as MathInline: the subset that every reader of NineML understands.

Powers are `pow`, comparisons `<` and `>` (equality has measure zero), draws `random.*`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from ...canonical_model.diagnostics import refuse
from ...canonical_model.expr import Expr, Number
from ...canonical_model.expr_print import ATOM, SIGN, InfixPrinter, Printed, PrinterTable
from .markup import number

_TABLE = PrinterTable(
    {
        "+": " + ", "-": " - ", "*": "*", "/": "/", "^": "pow(", "negate": "-",
        "<": " < ", "<=": " < ", ">": " > ", ">=": " > ",
        "and": " && ", "or": " || ", "not": "!",
    },
    {"uniform": "random.uniform", "normal": "random.normal", "poisson": "random.poisson",
     "binomial": "random.binomial"},
    {
        "or": 1, "and": 2, "<": 4, "<=": 4, ">": 4, ">=": 4, "==": 4, "!=": 4, "+": 5, "-": 5,
        "*": 6, "/": 6, "%": 6, "not": 8, "^": 8,
    },
)  # fmt: skip


class MathPrinter(InfixPrinter):
    """Prints prepared expressions; `names` maps to the names of the document."""

    table = _TABLE

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names

    def number(self, node: Number) -> Printed:
        """Literals have no unit here: they have become constants. Raises ModelError X311."""
        value = node.value
        if not math.isfinite(value):
            raise refuse("X311", f"NineML has no word for the number {value}", node.span)
        whole = value == int(value) and abs(value) < 1e15
        text = str(int(value)) if whole else number(value)
        return text, SIGN if text.startswith("-") else ATOM

    def name(self, name: str) -> Printed:
        """The document's name of a quantity."""
        return self.names.get(name, name), ATOM

    def unary(self, node, operand: Printed) -> Printed:  # type: ignore[no-untyped-def]
        """`!` always brackets, so that no reader's precedence matters."""
        if node.op == "not":
            return f"!({operand[0]})", ATOM
        return super().unary(node, operand)

    def binary(self, op: str, left: Printed, right: Printed) -> Printed:
        """Logical operands stand in brackets."""
        if op in ("and", "or"):
            symbol = self.table.operators[op]
            return f"({left[0]}){symbol}({right[0]})", self.table.precedence[op]
        return super().binary(op, left, right)


def math_text(expr: Expr, names: Mapping[str, str]) -> str:
    """The text of a prepared expression."""
    return MathPrinter(names).text(expr)
