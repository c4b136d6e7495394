"""Expressions as canonical text and back: `parse_expr(print_expr(e)) == e`, tree shape included.

The notation, loosest to tightest: `or`, `and`, `not`, comparisons (which do not chain), `+ -`,
`* / %`, a leading `-`, `^` (groups from the right). `if(test, value, ..., otherwise)` is a conditional;
``sum(`path`)``, ``product(`path`)`` and ``select(`path`)`` are selects, with `, optional` where the path
may be missing. A number may carry a unit: `3.5 mV`, or in full where the symbol is not a common one:
`3.5 {mmHg, m=1, l=-1, t=-2, scale=133.322}`. Odd names stand in backquotes.

Nothing here recurses while printing, so long sums are no danger; parsing is bounded in depth.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NoReturn, TypeAlias, TypeVar

from . import units
from .diagnostics import Span, error
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

MAX_DEPTH = 150
MAX_LENGTH = 1_000_000
COMPARE, SUM, PRODUCT, SIGN, POWER, ATOM = 4, 5, 6, 7, 8, 9
PRECEDENCE: Mapping[str, int] = {
    "or": 1, "and": 2, "not": 3, **dict.fromkeys(COMPARISONS, COMPARE),
    "+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "%": PRODUCT, "^": POWER,
}  # fmt: skip
REDUCTIONS: Mapping[str, str] = {"add": "sum", "multiply": "product", "": "select"}
RESERVED = frozenset({"and", "or", "not", "if", "inf", "nan"})

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*\Z")
_ESCAPE = re.compile(r"[\\`\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_UNESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\(.)", re.DOTALL)
_TOKEN = re.compile(
    r"(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.]))"
    r"|`(?P<quoted>(?:[^`\\]|\\.)*)`"
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)"
    r"|(?P<symbol><=|>=|==|!=|[-+*/%^<>(),{}=])",
    re.ASCII,
)


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
            text = f"{text} {unit_text(node.unit)}"
        return text, SIGN if text.startswith("-") else ATOM

    def name(self, name: str) -> Printed:
        """A name."""
        return quote_name(name), ATOM

    def unary(self, node: Unary, operand: Printed) -> Printed:
        """`-x`, `not x`; a minus before a bare positive literal is kept apart from a negative literal."""
        level = SIGN if node.op == "-" else self.table.precedence[node.op]
        symbol = self.table.operators["negate" if node.op == "-" else node.op]
        bare = node.op == "-" and isinstance(node.operand, Number) and operand[1] == ATOM
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


def _unescape(match: re.Match[str]) -> str:
    return chr(int(match[1], 16)) if match[1] else match[2]


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


def parse_expr(text: str, span: Span | None = None) -> Expr:
    """The expression that `text` says; nodes carry `span` if given.

    Raises ModelError M120 (not the notation), M121 (too deep or too long), with the column.

    >>> parse_expr("-2 * x") == Binary("*", Number(-2.0), Name("x"))
    True
    """
    return _Parser(text, span).whole()


def parse_number(text: str, span: Span | None = None) -> Number:
    """A number with or without unit, as in expressions. Raises ModelError M120."""
    parser = _Parser(text, span)
    expr = parser.whole()
    if not isinstance(expr, Number):
        parser.fail("a number is expected here", 0)
    return expr


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # number, quoted, word, symbol, end
    text: str
    offset: int


@dataclass(slots=True)
class _Parser:
    """Precedence climbing over the tokens of one expression."""

    source: str
    span: Span | None
    tokens: list[_Token] = field(init=False)
    position: int = 0
    depth: int = 0

    def __post_init__(self) -> None:
        if len(self.source) > MAX_LENGTH:
            message = f"an expression of more than {MAX_LENGTH} characters"
            raise error("M121", message, self.span)
        self.tokens = list(self.split())

    def fail(self, message: str, offset: int, hint: str = "") -> NoReturn:
        """Raise M120 at an offset of the text."""
        start = max(0, offset - 60)
        shown = self.source[start : offset + 60]
        message = f"{message} (column {offset + 1} of the expression)"
        raise error("M120", message, self.span, shown, hint)

    def split(self) -> list[_Token]:
        """The tokens, closed by an `end` token."""
        tokens, offset = [], 0
        source = self.source
        while True:
            while offset < len(source) and source[offset] in " \t\r\n":
                offset += 1
            if offset == len(source):
                tokens.append(_Token("end", "", offset))
                return tokens
            match = _TOKEN.match(source, offset)
            if match is None or match.lastgroup is None:
                self.fail(f"unexpected {source[offset]!r}", offset)
            text = match[match.lastgroup]
            if match.lastgroup == "quoted":
                text = _UNESCAPE.sub(_unescape, text)
            tokens.append(_Token(match.lastgroup, text, offset))
            offset = match.end()

    @property
    def token(self) -> _Token:
        """The token to be read next."""
        return self.tokens[self.position]

    def at(self, text: str, ahead: int = 0) -> bool:
        """Is this symbol or word the next token (or the one after `ahead` others)?"""
        index = min(self.position + ahead, len(self.tokens) - 1)
        token = self.tokens[index]
        return token.kind in ("symbol", "word") and token.text == text

    def take(self, text: str) -> None:
        """Read this symbol or fail."""
        if not self.at(text):
            found = f"'{self.token.text}'" if self.token.kind != "end" else "the end"
            self.fail(f"expected '{text}' but found {found}", self.token.offset)
        self.position += 1

    def whole(self) -> Expr:
        """The whole text as one expression."""
        expr = self.expression(1)
        if self.token.kind != "end":
            self.fail(f"unexpected '{self.token.text}'", self.token.offset)
        return expr

    def expression(self, level: int) -> Expr:
        """Operators that bind at least as tightly as `level`, grouped from the left."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            message = f"an expression is nested more than {MAX_DEPTH} deep"
            raise error("M121", message, self.span)
        left = self.prefixed()
        closed = ATOM  # a comparison closes its level: a < b < c is refused
        while (own := self.infix()) is not None and level <= own < SIGN:
            op = self.token.text
            if own == COMPARE and closed == COMPARE:
                self.fail("comparisons do not chain", self.token.offset, "put one in parentheses")
            self.position += 1
            left = Binary(op, left, self.expression(own + 1), self.span)
            closed = own
        self.depth -= 1
        return left

    def infix(self) -> int | None:
        """The precedence of the next token as a binary operator."""
        if self.token.kind not in ("symbol", "word") or self.token.text == "not":
            return None
        return PRECEDENCE.get(self.token.text)

    def prefixed(self) -> Expr:
        """`not`, leading minus, or a power."""
        if self.at("not"):
            self.position += 1
            return Unary("not", self.expression(PRECEDENCE["not"]), self.span)
        if not self.at("-"):
            return self.power()
        self.position += 1
        negative = self.literal()
        if negative is not None:
            return Number(-negative.value, negative.unit, self.span)
        return Unary("-", self.nested(self.prefixed), self.span)

    def power(self) -> Expr:
        """An operand, or one raised to a power."""
        base = self.operand()
        if not self.at("^"):
            return base
        self.position += 1
        return Binary("^", base, self.nested(self.prefixed), self.span)

    def nested(self, parse: Callable[[], Expr]) -> Expr:
        """What `parse` reads, one level deeper."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            message = f"an expression is nested more than {MAX_DEPTH} deep"
            raise error("M121", message, self.span)
        found = parse()
        self.depth -= 1
        return found
