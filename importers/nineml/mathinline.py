"""Read MathInline into the canonical tree.

Loosest first: `||`; `&&`; comparisons, which do not chain; `+ -`; `* /`; a leading `-` or `!`; `^` and `**`,
which group from the right. `log` is natural. `&`, `|`, `=` and `==` are read as the library reads them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from functools import partial

from ...canonical_model.diagnostics import ModelError, Span, error, suggest
from ...canonical_model.expr import (
    ONE,
    ZERO,
    Binary,
    Call,
    Conditional,
    Expr,
    Name,
    Number,
    Unary,
    add,
)
from ...canonical_model.expr_print import fold
from .tree import Scalar

MAX_LENGTH = 100_000
MAX_DEPTH = 40  # parentheses and signs; each takes a dozen frames of Python's stack
MAX_TOKENS = 20_000
MAX_HEIGHT = 300
MAX_TRIALS = 64  # of random.binomial

_TOKEN = re.compile(
    r"(?P<number>(?:\d++\.?\d*+|\.\d++)(?:[eE][-+]?\d++)?)"
    r"|(?P<name>random\.[A-Za-z]\w*+|[A-Za-z_]\w*+)"
    r"|(?P<symbol>\*\*|&&|\|\||<=|>=|==|!=|[-+*/^<>=!&|(),])",
    re.ASCII,
)
_SAME = {"&": "&&", "|": "||", "=": "==", "**": "^"}
_CHOICE = "NineML has no conditional expression; use regimes"
_UNIT = "numbers have no units here: declare a Constant with units, or '*' is missing"
_HINTS = {
    **dict.fromkeys(("?", ":", "if", "else"), _CHOICE),
    **dict.fromkeys(("\u2212", "\u2013", "\u2014"), "write the minus sign '-'"),
    "\u00b7": "write '*'", "\u00d7": "write '*'", "and": "write '&&'", "or": "write '||'",
    "not": "write '!'", "=": "write '=='",
}  # fmt: skip
_COMPARISONS = frozenset({"<", ">", "<=", ">=", "==", "!="})


def parse_math(body: Scalar | None, span: Span) -> Expr:
    """The tree of a MathInline element. Raises ModelError X101 (column where it is known), X102."""
    text = body.text if body else ""
    place = body.span if body and body.span else span
    is_literal = body.is_literal if body else False
    if len(text) > MAX_LENGTH:
        raise error("X102", f"an expression of {len(text)} characters is too long", place)
    return _Parser(text, place, is_literal).whole()


class _Parser:
    """Precedence climbing over the tokens of one expression."""

    def __init__(self, text: str, span: Span, is_literal: bool) -> None:
        self.text = text
        self.span = span
        self.is_literal = is_literal
        self.position = 0
        self.depth = 0
        self.tokens = self.split()

    def place(self, offset: int) -> Span:
        """The place of an offset of the text, as exactly as it is known."""
        if not self.is_literal:
            return self.span
        return Span(self.span.file, self.span.line, self.span.column + offset)

    def fail(self, message: str, offset: int, hint: str = "", code: str = "X101") -> ModelError:
        """An error that points at an offset of the text."""
        shown = " ".join(self.text.split())[:120]
        return error(code, f"{message} in '{shown}'", self.place(offset), hint=hint)

    def split(self) -> list[tuple[str, str, int]]:
        """Kind, text and offset of each token, closed by one of kind `end`."""
        tokens: list[tuple[str, str, int]] = []
        offset, text = 0, self.text
        while True:
            while offset < len(text) and text[offset].isspace():
                offset += 1
            if offset == len(text):
                return [*tokens, ("end", "", offset)]
            match = _TOKEN.match(text, offset)
            if match is None or match.lastgroup is None:
                raise self.fail(
                    f"unexpected '{text[offset]}'", offset, _HINTS.get(text[offset], "")
                )
            word = match[0]
            tokens.append((match.lastgroup, _SAME.get(word, word), offset))
            offset = match.end()
            if len(tokens) > MAX_TOKENS:
                raise self.fail("the expression is too long", offset, code="X102")

    @property
    def token(self) -> tuple[str, str, int]:
        """The token to be read next."""
        return self.tokens[self.position]

    def sees(self, *symbols: str) -> bool:
        """Is the next token one of these symbols?"""
        return self.token[0] == "symbol" and self.token[1] in symbols

    def whole(self) -> Expr:
        """The whole text as one expression."""
        if self.token[0] == "end":
            raise self.fail("an expression is missing", 0)
        expr = self.either()
        kind, word, offset = self.token
        if kind != "end":
            is_unit = kind == "name" and self.tokens[self.position - 1][0] == "number"
            hint = _HINTS.get(word, _UNIT if is_unit else "")
            raise self.fail(f"unexpected '{word}'", offset, hint)
        if fold(expr, lambda _, parts: 1 + max(parts, default=0)) > MAX_HEIGHT:
            raise self.fail(f"more than {MAX_HEIGHT} operations in a row", 0, code="X102")
        return expr

    def deeper(self, offset: int) -> None:
        """Count one level of nesting."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.fail(f"more than {MAX_DEPTH} levels", offset, code="X102")

    def either(self) -> Expr:
        """`||`"""
        return self.chain({"||": "or"}, self.both)

    def both(self) -> Expr:
        """`&&`"""
        return self.chain({"&&": "and"}, self.relation)

    def relation(self) -> Expr:
        """One comparison at most."""
        left = self.total()
        if not self.sees(*_COMPARISONS):
            return left
        _, op, offset = self.token
        self.position += 1
        found = Binary(op, left, self.total(), self.place(offset))
        if self.sees(*_COMPARISONS):
            raise self.fail("comparisons do not chain", self.token[2], "join two with '&&'")
        return found

    def total(self) -> Expr:
        """`+` and `-`"""
        return self.chain({"+": "+", "-": "-"}, self.product)

    def product(self) -> Expr:
        """`*` and `/`"""
        return self.chain({"*": "*", "/": "/"}, self.signed)

    def chain(self, operators: Mapping[str, str], inner: Callable[[], Expr]) -> Expr:
        """Operators of one level, grouped from the left."""
        left = inner()
        while self.sees(*operators):
            _, word, offset = self.token
            self.position += 1
            left = Binary(operators[word], left, inner(), self.place(offset))
        return left

    def signed(self) -> Expr:
        """A leading `-`, `+` or `!`, which binds less tightly than a power."""
        if not self.sees("-", "+", "!"):
            return self.power()
        _, word, offset = self.token
        self.position += 1
        self.deeper(offset)
        operand = self.signed()
        self.depth -= 1
        if word == "+":
            return operand
        if word == "-" and isinstance(operand, Number):
            return Number(-operand.value, None, self.place(offset))
        return Unary("not" if word == "!" else "-", operand, self.place(offset))

    def power(self) -> Expr:
        """`^` and `**`"""
        base = self.operand()
        if not self.sees("^"):
            return base
        offset = self.token[2]
        self.position += 1
        self.deeper(offset)
        exponent = self.signed()
        self.depth -= 1
        return Binary("^", base, exponent, self.place(offset))

    def operand(self) -> Expr:
        """A number, name, call or parenthesis."""
        kind, word, offset = self.token
        self.position += 1
        if kind == "number":
            value = float(word)
            if math.isinf(value):
                raise self.fail(f"the number {word} is too large", offset)
            return Number(value, None, self.place(offset))
        if kind == "name":
            if self.sees("("):
                return self.call(word, offset)
            if word.startswith("random."):
                raise self.fail(f"'{word}' needs its arguments in parentheses", offset)
            return Name(word, self.place(offset))
        if word == "(":
            self.deeper(offset)
            inner = self.either()
            self.close()
            self.depth -= 1
            return inner
        found = f"'{word}'" if word else "the end"
        raise self.fail(f"expected a number, name or '(' but found {found}", offset)

    def close(self) -> None:
        """A closing parenthesis."""
        if not self.sees(")"):
            raise self.fail("a ')' is missing", self.token[2])
        self.position += 1

    def call(self, name: str, offset: int) -> Expr:
        """A function's arguments, and what the function means."""
        self.position += 1
        self.deeper(offset)
        args: list[Expr] = []
        while not self.sees(")"):
            if args:
                if not self.sees(","):
                    raise self.fail("expected ',' or ')'", self.token[2])
                self.position += 1
            args.append(self.either())
        self.close()
        self.depth -= 1
        known = _FUNCTIONS.get(name)
        if known is None:
            known_ones = f"'*' multiplies; functions: {', '.join(sorted(_FUNCTIONS))}"
            hint = suggest(name, _FUNCTIONS) or known_ones
            raise self.fail(f"there is no function '{name}'", offset, hint)
        counts, build = known
        if len(args) not in counts:
            wanted = " or ".join(map(str, counts))
            raise self.fail(f"'{name}' takes {wanted} argument(s), not {len(args)}", offset)
        try:
            return build(args, self.place(offset))
        except ValueError as problem:
            raise self.fail(str(problem), offset) from None


def _plain(name: str, args: list[Expr], span: Span) -> Expr:
    return Call(name, tuple(args), span)


def _operator(op: str, args: list[Expr], span: Span) -> Expr:
    return Binary(op, args[0], args[1], span)


def _square_and(op: str, value: Expr) -> Expr:
    return Call("sqrt", (Binary(op, Binary("*", value, value), ONE),))


def _asinh(args: list[Expr], span: Span) -> Expr:
    # odd, and without cancellation for negative arguments
    size = Call("abs", (args[0],))
    value = Call("log", (Binary("+", size, _square_and("+", size)),))
    return Binary("*", Call("sign", (args[0],)), value, span)


def _acosh(args: list[Expr], span: Span) -> Expr:
    return Call("log", (Binary("+", args[0], _square_and("-", args[0])),), span)


def _atanh(args: list[Expr], span: Span) -> Expr:
    ratio = Binary("/", Binary("+", ONE, args[0]), Binary("-", ONE, args[0]))
    return Binary("*", Number(0.5), Call("log", (ratio,)), span)


def _atan2(args: list[Expr], span: Span) -> Expr:
    y, x = args
    angle = Call("atan", (Binary("/", y, x),))
    half, whole = Number(math.pi / 2), Number(math.pi)
    left = Binary("<", x, ZERO)
    cases = (
        (Binary(">", x, ZERO), angle),
        (Binary("and", left, Binary(">=", y, ZERO)), Binary("+", angle, whole)),
        (left, Binary("-", angle, whole)),
        (Binary(">", y, ZERO), half),
        (Binary("<", y, ZERO), Number(-math.pi / 2)),
    )
    return Conditional(cases, ZERO, span)


def _uniform(args: list[Expr], span: Span) -> Expr:
    draw = Call("uniform", (), span)
    if len(args) < 2:
        # the library writes `random.uniform(0)` for `random.uniform()`
        return draw
    width = Binary("-", args[1], args[0])
    return Binary("+", args[0], Binary("*", width, draw), span)


def _normal(args: list[Expr], span: Span) -> Expr:
    draw = Call("normal", (), span)
    if len(args) < 2:
        return draw
    return Binary("+", args[0], Binary("*", args[1], draw), span)


def _exponential(args: list[Expr], span: Span) -> Expr:
    """Of rate L: the mean is 1/L."""
    rest = Binary("-", ONE, Call("uniform", (), span))
    return Binary("/", Unary("-", Call("log", (rest,))), args[0], span)


def _binomial(args: list[Expr], span: Span) -> Expr:
    """The number of successes in N trials, N a small whole number."""
    count = args[0]
    if not isinstance(count, Number) or count.value != int(count.value):
        raise ValueError("the first argument of 'random.binomial' must be a whole number here")
    if not 0 <= count.value <= MAX_TRIALS:
        raise ValueError(f"'random.binomial' is read up to {MAX_TRIALS} trials")
    trials: list[Expr] = [
        Conditional(((Binary("<", Call("uniform", (), span), args[1]), ONE),), ZERO)
        for _ in range(int(count.value))
    ]
    return add(trials)


_FUNCTIONS: dict[str, tuple[tuple[int, ...], Callable[[list[Expr], Span], Expr]]] = {
    **{
        name: ((1,), partial(_plain, name))
        for name in (
            "exp", "sin", "cos", "tan", "log", "log10", "sinh", "cosh", "tanh", "sqrt", "atan",
            "asin", "acos", "abs",
        )
    },
    "fabs": ((1,), partial(_plain, "abs")),
    "min": ((2,), partial(_plain, "min")),
    "max": ((2,), partial(_plain, "max")),
    "pow": ((2,), partial(_operator, "^")),
    "mod": ((2,), partial(_operator, "%")),
    "asinh": ((1,), _asinh),
    "acosh": ((1,), _acosh),
    "atanh": ((1,), _atanh),
    "atan2": ((2,), _atan2),
    "random.uniform": ((0, 1, 2), _uniform),
    "random.normal": ((0, 1, 2), _normal),
    "random.binomial": ((2,), _binomial),
    "random.poisson": ((1,), partial(_plain, "poisson")),
    "random.exponential": ((1,), _exponential),
}  # fmt: skip
FUNCTION_NAMES = frozenset(_FUNCTIONS)
