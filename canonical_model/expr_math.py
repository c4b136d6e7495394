"""Expressions for people: one-line mathematics for terminals, LaTeX for notebooks. Neither is read back."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .expr import Expr, Number, Select
from .expr_print import (
    ATOM,
    POWER,
    PRODUCT,
    InfixPrinter,
    Printed,
    PrinterTable,
    bracket,
)
from .units import Unit

_MATH = PrinterTable({
    "+": " + ", "-": " - ", "*": "*", "/": "/", "%": " mod ", "^": "^", "negate": "-",
    "<": " < ", "<=": " ≤ ", ">": " > ", ">=": " ≥ ", "==": " = ", "!=": " ≠ ",
    "and": " and ", "or": " or ", "not": "not ",
}, {"log": "ln", "expdd": "exp"})  # fmt: skip
_LATEX = PrinterTable({
    "+": " + ", "-": " - ", "*": r" \, ", "/": "/", "%": r" \bmod ", "^": "^", "negate": "-",
    "<": " < ", "<=": r" \le ", ">": " > ", ">=": r" \ge ", "==": " = ", "!=": r" \ne ",
    "and": r" \land ", "or": r" \lor ", "not": r"\lnot ",
}, {
    "log": r"\ln", "log10": r"\log_{10}", "asin": r"\arcsin", "acos": r"\arccos",
    "atan": r"\arctan", "min": r"\min", "max": r"\max", "expdd": r"\exp", "sin": r"\sin",
    "cos": r"\cos", "tan": r"\tan", "sinh": r"\sinh", "cosh": r"\cosh", "tanh": r"\tanh",
    "exp": r"\exp", "heaviside": r"\Theta",
})  # fmt: skip
_AROUND: Mapping[str, tuple[str, str]] = {
    "sqrt": (r"\sqrt{", "}"),
    "abs": (r"\left|", r"\right|"),
    "floor": (r"\left\lfloor ", r" \right\rfloor"),
    "ceil": (r"\left\lceil ", r" \right\rceil"),
}
_GREEK = frozenset({
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa",
    "lambda", "mu", "nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi",
    "omega", "Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi",
    "Omega",
})  # fmt: skip
_REDUCE = {"add": "Σ", "multiply": "Π", "": ""}
_SPECIAL = {
    "\\": r"\backslash ", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%",
    "_": r"\_", "^": r"\hat{}", "~": r"\sim ", "<": r"\lt ", ">": r"\gt ", "`": "'",
}  # fmt: skip


def print_math(expr: Expr) -> str:
    """One line as a person would write it.

    >>> from .expr_parse import parse_expr
    >>> print_math(parse_expr("(iSyn + iMemb) / C"))
    '(iSyn + iMemb)/C'
    """
    return _MATH_PRINTER.text(expr)


def print_latex(expr: Expr) -> str:
    """LaTeX for mathematics mode; text from the model is escaped.

    >>> from .expr_parse import parse_expr
    >>> print_latex(parse_expr("(v0 - v) / tau_m"))
    '\\\\frac{\\\\mathrm{v0} - v}{\\\\tau_{m}}'
    """
    return _LATEX_PRINTER.text(expr)


def latex_name(name: str) -> str:
    r"""A name in mathematics: Greek letters, the rest after `_` as index.

    >>> latex_name("tau_syn")
    '\\tau_{\\mathrm{syn}}'
    """
    head, _, index = name.partition("_")
    if not head or not index:
        return _latex_word(name)
    return f"{_latex_word(head)}_{{{_latex_word(index)}}}"


def latex_text(text: str) -> str:
    """Any text, escaped for use inside mathematics mode."""
    shown = "".join(character if character.isprintable() else "?" for character in text)
    return "".join(_SPECIAL.get(character, character) for character in shown)


def _latex_word(word: str) -> str:
    if word in _GREEK:
        return "\\" + word
    if len(word) == 1 and word.isalpha():
        return word
    return rf"\mathrm{{{latex_text(word)}}}"


class _MathPrinter(InfixPrinter):
    """Plain one-line mathematics."""

    table = _MATH

    def number(self, node: Number) -> Printed:
        text = f"{node.value:.6g}"
        if node.unit is not None and node.unit.symbol:
            return f"{text} {_shown(node.unit.symbol)}", PRODUCT
        return text, PRODUCT if text.startswith("-") else ATOM

    def name(self, name: str) -> Printed:
        return _shown(name), ATOM

    def conditional(self, parts: tuple[Printed, ...]) -> Printed:
        texts = [text for text, _ in parts]
        pairs = zip(texts[0:-1:2], texts[1:-1:2], strict=True)
        cases = [f"{value} if {test}" for test, value in pairs]
        return "{" + "; ".join([*cases, f"{texts[-1]} otherwise"]) + "}", ATOM

    def select(self, node: Select) -> Printed:
        return f"{_REDUCE.get(node.reduce, '')}[{_shown(node.path)}]", ATOM


class _LatexPrinter(InfixPrinter):
    """LaTeX: fractions, roots, powers and cases in two dimensions."""

    table = _LATEX

    def number(self, node: Number) -> Printed:
        mantissa, _, power = f"{node.value:.6g}".partition("e")
        text = mantissa.replace("inf", r"\infty").replace("nan", r"\mathrm{nan}")
        if power:
            scale = f"10^{{{int(power)}}}"
            signs = {"1": scale, "-1": f"-{scale}"}
            text = signs.get(mantissa, rf"{text} \cdot {scale}")
        if node.unit is not None and node.unit.symbol:
            text += _latex_unit(node.unit)
        single = not power and not text.startswith("-") and node.unit is None
        return text, ATOM if single else PRODUCT

    def name(self, name: str) -> Printed:
        return latex_name(name), ATOM

    def binary(self, op: str, left: Printed, right: Printed) -> Printed:
        if op == "/":
            return rf"\frac{{{left[0]}}}{{{right[0]}}}", PRODUCT
        if op == "^":
            return f"{{{bracket(left, ATOM)}}}^{{{right[0]}}}", POWER
        return super().binary(op, left, right)

    def call(self, function: str, args: tuple[str, ...]) -> Printed:
        if function in _AROUND:
            before, after = _AROUND[function]
            return f"{before}{', '.join(args)}{after}", ATOM
        name = self.table.functions.get(function) or rf"\operatorname{{{latex_text(function)}}}"
        return rf"{name}\left({', '.join(args)}\right)", ATOM

    def conditional(self, parts: tuple[Printed, ...]) -> Printed:
        texts = [text for text, _ in parts]
        pairs = zip(texts[0:-1:2], texts[1:-1:2], strict=True)
        rows = [rf"{value} & \text{{if }} {test}" for test, value in pairs]
        rows.append(rf"{texts[-1]} & \text{{otherwise}}")
        return r"\begin{cases}" + r" \\ ".join(rows) + r"\end{cases}", ATOM

    def select(self, node: Select) -> Printed:
        sign = {"add": r"\sum ", "multiply": r"\prod "}.get(node.reduce, "")
        return rf"{sign}\mathrm{{{latex_text(node.path)}}}", ATOM if not sign else PRODUCT


def _shown(text: str) -> str:
    """Text from a model without characters that could disturb a terminal."""
    return "".join(character if character.isprintable() else "?" for character in text)


def _latex_unit(unit: Unit) -> str:
    symbol = re.sub(r"\s+", r"\\,", latex_text(unit.symbol))
    return rf"\,\mathrm{{{symbol}}}"


_MATH_PRINTER = _MathPrinter()
_LATEX_PRINTER = _LatexPrinter()

__all__ = ["latex_name", "latex_text", "print_latex", "print_math"]
