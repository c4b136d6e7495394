"""Expressions as text: `parse_expr(print_expr(e)) == e`, tree shape included, and two forms for people.

The canonical notation, loosest to tightest: `or`, `and`, `not`, comparisons (which do not chain), `+ -`,
`* / %`, a leading `-`, `^` (groups from the right). `if(test, value, ..., otherwise)` is a conditional;
``sum(`path`)``, ``product(`path`)`` and ``select(`path`)`` are selects, with `, optional` where the path
may be missing. A number may carry a unit: `3.5 mV`, or in full where the symbol is not a common one:
`3.5 {mmHg, m=1, l=-1, t=-2, scale=133.322}`. Odd names stand in backquotes.
"""

from __future__ import annotations

from .expr_math import print_latex, print_math
from .expr_parse import parse_expr, parse_number
from .expr_print import (
    COMMON_UNITS,
    InfixPrinter,
    PrinterTable,
    fold,
    print_expr,
)

__all__ = [
    "COMMON_UNITS",
    "InfixPrinter",
    "PrinterTable",
    "fold",
    "parse_expr",
    "parse_number",
    "print_expr",
    "print_latex",
    "print_math",
]
