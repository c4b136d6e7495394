"""Read LEMS expressions into the canonical tree, with the precedence that jLEMS applies.

Tightest first: a minus directly after another operator; `^`; `/`; `*`; binary `-`; `+`; comparisons; then
`.and.`, `.or.`, `.eq.`, `.neq.` on one level. Equal levels group from the left, so `2^3^2` is 64 and a
leading `-2^2` is -4. The grouping `a*(b/c)` of `a*b/c` differs from `(a*b)/c` only in rounding.
"""

from __future__ import annotations

import re
from functools import lru_cache

from ..canonical_model.diagnostics import ModelError, Span, error, suggest
from ..canonical_model.expr import Binary, Call, Expr, Name, Number, Unary

MAX_LENGTH = 20_000
MAX_DEPTH = 200

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|\.(?P<word>lt|gt|leq|geq|le|ge|eq|neq|ne|and|or|not)\.|(?P<name>[A-Za-z_][A-Za-z_0-9]*)"
    r"|(?P<symbol>[-+*/^()]))"
)
_WORDS = {
    "lt": "<", "gt": ">", "leq": "<=", "le": "<=", "geq": ">=", "ge": ">=",
    "eq": "==", "neq": "!=", "ne": "!=", "and": "and", "or": "or", "not": "not",
}  # fmt: skip
_FUNCTIONS = {
    "sin": "sin", "cos": "cos", "tan": "tan", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh",
    "exp": "exp", "sqrt": "sqrt", "ceil": "ceil", "ln": "log", "log": "log", "abs": "abs",
    "factorial": "factorial", "H": "heaviside", "floor": "floor", "random": "random",
}  # fmt: skip
# operators by level, loosest first
_LEVELS: tuple[frozenset[str], ...] = (
    frozenset({"and", "or", "==", "!="}),
    frozenset({"<", ">", "<=", ">="}),
    frozenset({"+"}),
    frozenset({"-"}),
    frozenset({"*"}),
    frozenset({"/"}),
    frozenset({"^"}),
)


def parse_expression(text: str, span: Span | None = None) -> Expr:
    """The tree of a LEMS expression. Raises ModelError (L101) with the column of the first bad character."""
    try:
        return _parse(text) if span is None else _Parser(text, span).parse()
    except RecursionError:
        raise error("L102", "the expression is nested too deeply", span, text[:80]) from None


@lru_cache(maxsize=4096)
def _parse(text: str) -> Expr:
    return _Parser(text, None).parse()


class _Parser:
    """Precedence climbing over the token list; one instance reads one expression."""

    def __init__(self, text: str, span: Span | None) -> None:
        self.text = text
        self.span = span
        self.position = 0
        self.depth = 0
        if len(text) > MAX_LENGTH:
            raise error("L102", f"an expression of {len(text)} characters is too long", span)
        self.tokens = self._tokens()

    def fail(self, message: str, offset: int, hint: str = "") -> ModelError:
        """An L101 error that points at `offset` of the expression."""
        span = self.span
        if span and span.column and "\n" not in self.text[:offset]:
            span = Span(span.file, span.line, span.column + offset)
        marked = " ".join(self.text[max(0, offset - 60) : offset + 60].split())
        return error("L101", f"{message} in expression '{marked}'", span, hint=hint)

    def _tokens(self) -> list[tuple[str, str, int]]:
        tokens: list[tuple[str, str, int]] = []
        offset = 0
        end = len(self.text.rstrip())
        while offset < end:
            match = _TOKEN.match(self.text, offset)
            if not match:
                at = offset + len(self.text[offset:]) - len(self.text[offset:].lstrip())
                character = self.text[at]
                hint = {
                    "<": "LEMS writes .lt. and .leq.", ">": "LEMS writes .gt. and .geq.",
                    "=": "LEMS writes .eq.", "&": "LEMS writes .and.", "|": "LEMS writes .or.",
                    "!": "LEMS writes .neq.",
                }.get(character, "")  # fmt: skip
                raise self.fail(f"unexpected character '{character}'", at, hint)
            kind = match.lastgroup or ""
            value = match[kind]
            if kind == "word":
                kind, value = "symbol", _WORDS[value]
            tokens.append((kind, value, match.start(match.lastgroup or 0)))
            offset = match.end()
        tokens.append(("end", "", end))
        return tokens

    def parse(self) -> Expr:
        """The whole text as one expression."""
        if self.tokens[0][0] == "end":
            raise self.fail("an expression is missing", 0)
        expr = self.level(0)
        kind, value, offset = self.tokens[self.position]
        if kind != "end":
            raise self.fail(f"unexpected '{value}'", offset)
        return expr

    def level(self, index: int) -> Expr:
        """Operators of `_LEVELS[index]` and tighter, grouped from the left."""
        if index == len(_LEVELS):
            return self.operand()
        left = self.signed(index) if index == 3 else self.level(index + 1)
        while (token := self.tokens[self.position])[0] == "symbol" and token[1] in _LEVELS[index]:
            self.position += 1
            left = Binary(token[1], left, self.level(index + 1), self.place(token[2]))
        return left

    def signed(self, index: int) -> Expr:
        """A leading minus covers the whole product that follows: `-2^2` is -4."""
        kind, value, offset = self.tokens[self.position]
        leading = self.position == 0 or self.tokens[self.position - 1][1] == "("
        if leading and kind == "symbol" and value == "-":
            self.position += 1
            operand = self.level(index + 1)
            if isinstance(operand, Number):
                return Number(-operand.value, None, self.place(offset))
            return Unary("-", operand, self.place(offset))
        return self.level(index + 1)

    def operand(self) -> Expr:
        """A number, name, call, parenthesis, or one of them after a sign or `.not.`."""
        kind, value, offset = self.tokens[self.position]
        self.position += 1
        if kind == "number":
            return Number(float(value), None, self.place(offset))
        if kind == "name":
            return self.named(value, offset)
        if value == "(":
            return self.parenthesis()
        if value in ("-", "+", "not"):
            operand = self.operand()
            if value == "+":
                return operand
            if value == "-" and isinstance(operand, Number):
                return Number(-operand.value, None, self.place(offset))
            return Unary(value, operand, self.place(offset))
        found = f"'{value}'" if value else "the end"
        raise self.fail(f"expected a number, name or '(' but found {found}", offset)

    def parenthesis(self) -> Expr:
        """What stands up to the matching `)`."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.fail("parentheses are nested too deeply", self.tokens[self.position][2])
        inner = self.level(0)
        _, value, offset = self.tokens[self.position]
        if value != ")":
            raise self.fail("a ')' is missing", offset)
        self.position += 1
        self.depth -= 1
        return inner

    def named(self, name: str, offset: int) -> Expr:
        """A name, or a call if a parenthesis follows."""
        if self.tokens[self.position][1] != "(":
            return Name(name, self.place(offset))
        self.position += 1
        function = _FUNCTIONS.get(name)
        if function is None:
            raise self.fail(f"unknown function '{name}'", offset, suggest(name, _FUNCTIONS))
        argument = self.parenthesis()
        if function == "random":
            return Binary("*", Call("uniform"), argument, self.place(offset))
        return Call(function, (argument,), self.place(offset))

    def place(self, offset: int) -> Span | None:
        """The span of a token."""
        span = self.span
        if span is None or not span.column:
            return span
        return Span(span.file, span.line, span.column + offset)
