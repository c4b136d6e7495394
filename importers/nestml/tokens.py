"""Tokens, comments and logical lines: what the lexer hands to the parser."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

At: TypeAlias = tuple[int, int]  # line and column, from 1


class Token(NamedTuple):
    """A terminal of the grammar; `value` is a ready syntax node for collapsed tokens."""

    kind: str
    text: str
    line: int
    column: int
    value: object = None

    @property
    def at(self) -> At:
        """Where it begins."""
        return (self.line, self.column)


class Note(NamedTuple):
    """The text of a comment that has a line of its own, without its mark, and how far it is indented."""

    text: str
    indent: int


@dataclass(slots=True)
class Line:
    """A logical line with the lines inside the block that it opens.

    `before` are the comments directly above, `beside` those on the line itself, `loose` those that a
    blank line separates from it, `after` those that follow the last line inside.
    """

    tokens: list[Token]
    indent: int
    body: list[Line] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)
    loose: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    inner: list[list[str]] = field(default_factory=list)  # comments among continued lines
    above: list[Note] = field(default_factory=list)  # `loose` and `before`, with their indentation

    @property
    def at(self) -> At:
        """Where its first token begins."""
        return self.tokens[0].at

    @property
    def opens(self) -> bool:
        """True if it ends in a colon."""
        return self.tokens[-1].kind == "COLON"

    @property
    def description(self) -> str:
        """The comments that belong to what the line says."""
        return "\n".join([*self.before, *self.beside])


_WORDS = (
    "real boolean void function inline return if elif else for while in step inf and or not recordable "
    "kernel model state parameters internals update equations input output continuous onReceive "
    "onCondition spike inhibitory excitatory"
)
KEYWORDS = {word: word.upper() for word in _WORDS.split()} | {
    "integer": "INTEGER_TYPE",
    "string": "STRING_TYPE",
    "true": "TRUE",
    "True": "TRUE",
    "false": "FALSE",
    "False": "FALSE",
}

SYMBOLS = {
    "**": "POWER", "//=": "FLOOREQ", "//": "FLOORDIV", "+=": "PLUSEQ", "-=": "MINUSEQ", "*=": "TIMESEQ",
    "/=": "DIVEQ", "<-": "ARROW", "<<": "SHL", ">>": "SHR", "<=": "LE", ">=": "GE", "==": "EQ",
    "!=": "NE", "<>": "NE", "...": "DOTS", "[[": "GUARD", "]]": "ENDGUARD", "=": "ASSIGN", "<": "LT",
    ">": "GT", "+": "PLUS", "-": "MINUS", "*": "TIMES", "/": "DIV", "%": "MOD", "~": "TILDE", "&": "BAND",
    "|": "BOR", "^": "BXOR", "(": "LPAR", ")": "RPAR", "[": "LBRACK", "]": "RBRACK", ",": "COMMA",
    ":": "COLON", ";": "SEMI", "?": "QUEST", "'": "PRIME", "@": "AT", ".": "DOT",
}  # fmt: skip
SPELLING = {kind: text for text, kind in SYMBOLS.items()} | {"NE": "!="}
