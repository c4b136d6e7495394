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


class Comment(NamedTuple):
    """The text of one comment line without its mark; `own` if nothing else stands on the line."""

    text: str
    line: int
    column: int
    own: bool


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
    inner: list[list[str]] = field(default_factory=list)  # comments among continued lines, by equation

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


KEYWORDS = {
    word: word.upper()
    for word in (
        "integer real string boolean void function inline return if elif else for while in step inf "
        "and or not recordable kernel model state parameters internals update equations input output "
        "continuous onReceive onCondition spike inhibitory excitatory"
    ).split()
} | {"integer": "INTEGER_TYPE", "string": "STRING_TYPE"} | {"true": "TRUE", "True": "TRUE", "false": "FALSE", "False": "FALSE"}  # fmt: skip

SYMBOLS = {
    "**": "POWER", "//=": "FLOOREQ", "//": "FLOORDIV", "+=": "PLUSEQ", "-=": "MINUSEQ", "*=": "TIMESEQ",
    "/=": "DIVEQ", "<-": "ARROW", "<<": "SHL", ">>": "SHR", "<=": "LE", ">=": "GE", "==": "EQ",
    "!=": "NE", "<>": "NE", "...": "DOTS", "[[": "GUARD", "]]": "ENDGUARD", "=": "ASSIGN", "<": "LT",
    ">": "GT", "+": "PLUS", "-": "MINUS", "*": "TIMES", "/": "DIV", "%": "MOD", "~": "TILDE", "&": "BAND",
    "|": "BOR", "^": "BXOR", "(": "LPAR", ")": "RPAR", "[": "LBRACK", "]": "RBRACK", ",": "COMMA",
    ":": "COLON", ";": "SEMI", "?": "QUEST", "'": "PRIME", "@": "AT", ".": "DOT",
}  # fmt: skip
SPELLING = {kind: text for text, kind in SYMBOLS.items()} | {"NE": "!="}
