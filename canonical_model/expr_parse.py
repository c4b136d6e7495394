"""Reading the canonical notation of expressions: the exact inverse of `expr_print.print_expr`.

An operator-precedence parser with a stack of its own, so that no text can exhaust Python's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NoReturn

from .diagnostics import Span, error, suggest
from .expr import FUNCTIONS, Binary, Call, Conditional, Expr, Name, Number, Select, Unary
from .expr_print import COMMON_UNITS, COMPARE, PRECEDENCE, REDUCTIONS, RESERVED, SIGN
from .units import BASE, Dimension, Unit

MAX_LENGTH = 200_000  # characters
MAX_DEPTH = 2_000  # operators and parentheses that wait for what follows

_TOKEN = re.compile(
    r"(?P<number>(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][-+]?\d++)?(?![\w.]))"
    r"|`(?P<quoted>(?:[^`\\]|\\.)*+)`"
    r"|(?P<word>[A-Za-z_]\w*+(?:\.[A-Za-z_]\w*+)*+)"
    r"|(?P<symbol><=|>=|==|!=|[-+*/%^<>(),{}=])",
    re.ASCII,
)
_UNESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\(.)", re.DOTALL)
_SELECTS = {function: reduce for reduce, function in REDUCTIONS.items()}
_NUMBERS = ("inf", "nan")
_FULL_UNIT = (*BASE, "scale", "offset")


def parse_expr(text: str, span: Span | None = None) -> Expr:
    """The expression that `text` says; every node carries `span` if given.

    Raises ModelError M120 (not the notation; names the column) and M121 (too long or too deep).

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
class _Pending:
    """An operator that waits for its right side, or a parenthesis (level 0) for its end."""

    kind: str  # prefix, infix, open
    text: str  # the operator; for `open` the function's name, "" for plain parentheses
    level: int
    offset: int
    first: int = 0  # for `open`: how many values there were before it


@dataclass(slots=True)
class _Parser:
    """Tokens to tree; `values` and `pending` are the two stacks of the classical method."""

    source: str
    span: Span | None
    tokens: list[_Token] = field(init=False)
    position: int = 0
    values: list[Expr] = field(default_factory=list)
    pending: list[_Pending] = field(default_factory=list)

    def __post_init__(self) -> None:
        if len(self.source) > MAX_LENGTH:
            message = f"an expression has more than {MAX_LENGTH} characters"
            raise error("M121", message, self.span)
        self.tokens = self.split()

    def fail(self, message: str, offset: int, hint: str = "") -> NoReturn:
        """Raise M120 about an offset of the text."""
        shown = self.source[max(0, offset - 60) : offset + 60]
        message = f"{message} (column {offset + 1} of the expression)"
        raise error("M120", message, self.span, shown, hint)

    def split(self) -> list[_Token]:
        """The tokens, closed by one of kind `end`."""
        tokens: list[_Token] = []
        offset = 0
        while True:
            while offset < len(self.source) and self.source[offset] in " \t\r\n":
                offset += 1
            if offset == len(self.source):
                return [*tokens, _Token("end", "the end", offset)]
            match = _TOKEN.match(self.source, offset)
            if match is None or match.lastgroup is None:
                self.fail(f"unexpected {self.source[offset]!r}", offset)
            text = match[match.lastgroup]
            if match.lastgroup == "quoted":
                text = _UNESCAPE.sub(_unescaped, text)
            tokens.append(_Token(match.lastgroup, text, offset))
            offset = match.end()

    @property
    def token(self) -> _Token:
        """The token to be read next."""
        return self.tokens[self.position]

    def next(self) -> _Token:
        """Read one token; the end stays."""
        token = self.token
        if token.kind != "end":
            self.position += 1
        return token

    def sees(self, text: str) -> bool:
        """Is the next token this symbol or word?"""
        return self.token.kind in ("symbol", "word") and self.token.text == text

    def take(self, text: str) -> None:
        """Read this symbol or word, or fail."""
        if not self.sees(text):
            self.fail(f"expected '{text}' but found '{self.token.text}'", self.token.offset)
        self.position += 1

    def push(self, kind: str, text: str, level: int, offset: int) -> None:
        """Put an operator or parenthesis on the stack."""
        if len(self.pending) >= MAX_DEPTH:
            message = f"an expression is nested more than {MAX_DEPTH} deep"
            raise error("M121", message, self.span)
        self.pending.append(_Pending(kind, text, level, offset, len(self.values)))

    def whole(self) -> Expr:
        """The whole text as one expression."""
        while True:
            while not self.operand():
                pass
            while not self.operator():
                if self.token.kind == "end" and not self.pending:
                    return self.values[0]

    def operand(self) -> bool:
        """Read one token where an operand may begin; True when an operand is complete."""
        token = self.token
        if self.sees("-"):
            return self.minus()
        self.next()
        match token.kind, token.text:
            case "number", _:
                self.values.append(self.number(token))
            case "quoted", name:
                self.values.append(Name(name, self.span))
            case "symbol", "(":
                self.push("open", "", 0, token.offset)
                return False
            case "word", word:
                return self.word(token, word)
            case _, found:
                hint = "it needs a value on each side" if token.kind == "symbol" else ""
                self.fail(f"expected a value but found '{found}'", token.offset, hint)
        return True

    def minus(self) -> bool:
        """A leading minus: part of the number if a bare number follows, else an operator."""
        sign = self.next()
        start = self.position
        token = self.token
        if token.kind == "number" or (token.kind == "word" and token.text in _NUMBERS):
            self.next()
            number = self.number(token)
            if not self.sees("^"):
                self.values.append(Number(-number.value, number.unit, self.span))
                return True
            self.position = start
        self.push("prefix", "-", SIGN, sign.offset)
        return False

    def word(self, token: _Token, word: str) -> bool:
        """`not`, a special number, a call, a select, a conditional or a name."""
        if word == "not":
            level = PRECEDENCE["not"]
            if self.pending and self.pending[-1].level > level:
                self.fail("'not' must stand in parentheses here", token.offset)
            self.push("prefix", "not", level, token.offset)
            return False
        if word in _NUMBERS:
            self.values.append(self.number(token))
            return True
        if not self.sees("("):
            if word in RESERVED:
                self.fail(f"expected a value but found '{word}'", token.offset)
            self.values.append(Name(word, self.span))
            return True
        self.next()
        if word in _SELECTS:
            self.values.append(self.select(word))
            return True
        self.push("open", word, 0, token.offset)
        if not self.sees(")"):
            return False
        self.next()
        self.close(self.pending.pop())
        return True

    def operator(self) -> bool:
        """Read one token after an operand; True when another operand must follow."""
        token = self.token
        level = PRECEDENCE.get(token.text) if token.kind in ("symbol", "word") else None
        if level is not None and token.text != "not":
            right = token.text == "^"
            self.reduce(level + 1 if right or level == COMPARE else level)
            if level == COMPARE and self.pending and self.pending[-1].level == COMPARE:
                self.fail("comparisons do not chain", token.offset, "put one in parentheses")
            self.next()
            self.push("infix", token.text, level, token.offset)
            return True
        self.reduce(1)
        opened = self.pending[-1] if self.pending else None
        if opened is None:
            if token.kind != "end":
                self.fail(f"unexpected '{token.text}'", token.offset)
            return False
        if self.sees(",") and opened.text:
            self.next()
            return True
        if not self.sees(")"):
            self.fail(f"expected ')' but found '{token.text}'", token.offset)
        self.next()
        self.close(self.pending.pop())
        return False

    def reduce(self, level: int) -> None:
        """Finish the waiting operators that bind at least as tightly as `level`."""
        while self.pending and self.pending[-1].level >= level:
            done = self.pending.pop()
            right = self.values.pop()
            if done.kind == "prefix":
                self.values.append(Unary(done.text, right, self.span))
            else:
                self.values.append(Binary(done.text, self.values.pop(), right, self.span))

    def close(self, opened: _Pending) -> None:
        """A parenthesis has ended: build the call or conditional from the values inside."""
        if not opened.text:
            return
        args = tuple(self.values[opened.first :])
        del self.values[opened.first :]
        if opened.text == "if":
            if len(args) % 2 == 0:
                hint = "if(test, value, otherwise)"
                self.fail("'if' needs a value after each test and one more", opened.offset, hint)
            cases = tuple(zip(args[0:-1:2], args[1:-1:2], strict=True))
            self.values.append(Conditional(cases, args[-1], self.span))
            return
        # others are functions of the component: whoever knows it checks them
        wanted = FUNCTIONS.get(opened.text, -1)
        if wanted not in (-1, len(args)):
            message = f"'{opened.text}' takes {wanted} argument(s), not {len(args)}"
            self.fail(message, opened.offset)
        self.values.append(Call(opened.text, args, self.span))

    def select(self, function: str) -> Select:
        """The rest of ``sum(`path`)`` after its parenthesis."""
        path = self.next()
        if path.kind != "quoted":
            self.fail("a path in backquotes is expected here", path.offset)
        optional = self.sees(",")
        if optional:
            self.next()
            self.take("optional")
        self.take(")")
        return Select(path.text, _SELECTS[function], not optional, self.span)

    def number(self, token: _Token) -> Number:
        """The number that `token` says, with the unit that may follow."""
        value = float(token.text)
        following = self.token
        if self.sees("{"):
            return Number(value, self.full_unit(), self.span)
        if following.kind != "word" or following.text in RESERVED:
            return Number(value, None, self.span)
        unit = COMMON_UNITS.get(following.text)
        if unit is None:
            hint = suggest(following.text, COMMON_UNITS)
            self.fail(f"'{following.text}' is not a common unit", following.offset, hint)
        self.next()
        return Number(value, unit, self.span)

    def full_unit(self) -> Unit:
        """A unit between braces: its symbol, then exponents, scale and offset that are not default."""
        self.take("{")
        symbol = self.next()
        if symbol.kind not in ("word", "quoted"):
            self.fail("a unit's symbol is expected here", symbol.offset)
        fields: dict[str, float] = {}
        while self.sees(","):
            self.next()
            key = self.next()
            if key.text not in _FULL_UNIT or key.text in fields:
                listed = ", ".join(_FULL_UNIT)
                self.fail(f"expected one of {listed}, each once", key.offset)
            self.take("=")
            negative = self.sees("-")
            if negative:
                self.next()
            value = self.next()
            if value.kind != "number" and value.text not in _NUMBERS:
                self.fail("a number is expected here", value.offset)
            fields[key.text] = -float(value.text) if negative else float(value.text)
        self.take("}")
        scale, offset = fields.pop("scale", 1.0), fields.pop("offset", 0.0)
        return Unit(symbol.text, Dimension(**fields), scale, offset)


def _unescaped(match: re.Match[str]) -> str:
    return chr(int(match[1], 16)) if match[1] else match[2]
