"""Older forms of the language: read as what they became, with a note on each kind of change.

Sections of the history: 2.x (alias, shape, curr_sum), 3.x (function as declaration, initial_values,
current), up to 5.2 (`end`, output on one line), 5.3 (typed spike ports), 7.x (neuron, synapse), 8.2
(weight and delay of events), 8.3 (units without a number).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ...canonical_model.diagnostics import Level, Log, Span
from .tokens import Line, Token
from .units import is_unit

_CALLS = {
    "curr_sum": ("convolve", "2.x"), "cond_sum": ("convolve", "2.x"),
    "integrate": ("integrate_odes", "2.x"), "deliver_spike": ("emit_spike", "5.x"),
}  # fmt: skip


@dataclass(slots=True)
class Old:
    """Rewrites the tokens of old forms; each kind of form is remarked on once."""

    file: str
    log: Log
    seen: set[str] = field(default_factory=set)

    def remark(self, key: str, message: str, token: Token) -> None:
        """A note, once for each `key`."""
        if key in self.seen:
            return
        self.seen.add(key)
        span = Span(self.file, *token.at)
        self.log.add("N090", Level.NOTE, f"{message} (an older form, read as such)", span)

    def model_line(self, line: Line) -> str:
        """The keyword that opens a model; `neuron` and `synapse` become `model`."""
        first = line.tokens[0]
        if first.kind == "NAME" and first.text in ("neuron", "synapse"):
            message = f"'{first.text} NAME:' is 'model NAME:' since 8.0"
            self.remark(first.text, message, first)
            line.tokens[0] = first._replace(kind="MODEL")
            return first.text
        return "model" if first.kind == "MODEL" else ""

    def block_line(self, line: Line) -> None:
        """`initial_values:` is part of the state; `output: spike` holds its line inside."""
        first = line.tokens[0]
        if first.kind == "NAME" and first.text == "initial_values":
            self.remark("initial_values", "'initial_values:' is 'state:' since 4.0", first)
            line.tokens[0] = first._replace(kind="STATE", text="state")
        elif first.kind == "OUTPUT" and len(line.tokens) > 2 and not line.body:
            self.remark("output", "the output stands on a line of its own since 5.3", first)
            line.body.append(Line(line.tokens[2:], first.column + 3))
            line.tokens = line.tokens[:2]

    def declaration(self, line: Line) -> None:
        """`alias`, `function` and `shape` in declarations and equations."""
        tokens = line.tokens
        place = 1 if tokens[0].kind == "RECORDABLE" and len(tokens) > 1 else 0
        first = tokens[place]
        is_function = first.kind == "FUNCTION"
        if is_function or (self._names_follow(tokens, place) and first.text == "alias"):
            message = f"'{first.text} x ...' as a declaration is 'inline x ...' since 4.0"
            self.remark(first.text, message, first)
            tokens[place] = first._replace(kind="INLINE", text="inline")
        elif self._names_follow(tokens, place) and first.text == "shape":
            self.remark("shape", "'shape' is 'kernel' since 4.0", first)
            tokens[place] = first._replace(kind="KERNEL", text="kernel")

    def port(self, line: Line) -> None:
        """`<- current`."""
        last = line.tokens[-1]
        if last.kind == "NAME" and last.text == "current" and len(line.tokens) > 2:
            self.remark("current", "'<- current' is '<- continuous' since 4.0", last)
            line.tokens[-1] = last._replace(kind="CONTINUOUS", text="continuous")

    def everywhere(self, line: Line) -> None:
        """Functions that were renamed, and units in brackets."""
        tokens = line.tokens
        for index, token in enumerate(tokens[:-1]):
            follows = tokens[index + 1].kind
            if token.kind == "NAME" and follows == "LPAR" and token.text in _CALLS:
                new, until = _CALLS[token.text]
                message = f"'{token.text}' of {until} is '{new}' now"
                self.remark(token.text, message, token)
                tokens[index] = token._replace(text=new)
        if any(token.kind == "LBRACK" for token in tokens):
            line.tokens = self._brackets(tokens)

    def _brackets(self, tokens: list[Token]) -> list[Token]:
        """`3 [mV]` and `x [mV] = 3`: the brackets go, where they hold the name of a unit."""
        found: list[Token] = []
        index = 0
        while index < len(tokens):
            token = tokens[index]
            inside = tokens[index + 1 : index + 3]
            is_bracket = (
                token.kind == "LBRACK" and index > 0 and len(inside) == 2
                and inside[0].kind == "NAME" and inside[1].kind == "RBRACK"
                and is_unit(inside[0].text)
            )  # fmt: skip
            follows = tokens[index + 3].kind if index + 3 < len(tokens) else ""
            number = index > 0 and tokens[index - 1].kind in ("INTEGER", "FLOAT")
            if is_bracket and (number or (index == 1 and follows == "ASSIGN" and _lone(inside))):
                self.remark("brackets", "units stand without brackets since 3.0", token)
                found.append(inside[0])
                index += 3
                continue
            found.append(token)
            index += 1
        return found

    @staticmethod
    def _names_follow(tokens: list[Token], place: int) -> bool:
        return (
            tokens[place].kind == "NAME"
            and len(tokens) > place + 1
            and tokens[place + 1].kind == "NAME"
        )


def _lone(inside: list[Token]) -> bool:
    """An index is seldom called as a unit of two letters or more."""
    return len(inside[0].text) > 1
