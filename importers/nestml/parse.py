"""From lines to the syntax tree: LALR line by line, so that a mistake costs no more than its line.

Codes: N020 what stands here cannot be read, N023 unknown block, N027 something stands outside a model,
N025 a power behind a unit binds to the unit since 9.0.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from ...canonical_model.diagnostics import Level, Log, ModelError, Span, error, suggest
from . import syntax
from .builder import Builder
from .literals import join_quantities
from .old import Old
from .tables import RULES, STARTS, STATES
from .tokens import KEYWORDS, SPELLING, Line, Token

MAX_ERRORS = 200
_BLOCKS = ("parameters", "internals", "state", "equations", "input", "output", "update", "function",
           "onReceive", "onCondition")  # fmt: skip
_ITEM_STARTS = {
    "parameters": "declaration_line", "internals": "declaration_line", "state": "declaration_line",
    "equations": "equation_line", "input": "port_line", "output": "output_line",
}  # fmt: skip
_WORDS = {"NAME": "a name", "INTEGER": "a number", "FLOAT": "a number", "STRING": "a string",
          "$END": "the end of the line", "QUANTITY": "a number"}  # fmt: skip
_TYPES = ("INTEGER_TYPE", "REAL", "STRING_TYPE", "BOOLEAN", "VOID")


def parse(lines: list[Line], file: str, log: Log) -> list[syntax.ModelSyntax]:
    """Every model of a file; what cannot be read goes to `log`."""
    return _Parser(file, log).file_lines(lines)


@dataclass(slots=True)
class _Parser:
    file: str
    log: Log
    builder: Builder = field(init=False)
    methods: list[Callable[..., Any]] = field(init=False)
    old: Old = field(init=False)
    declared: frozenset[str] = frozenset()
    errors: int = 0
    is_told: bool = False

    def __post_init__(self) -> None:
        self.builder = Builder(self.file, self.log)
        self.methods = [getattr(self.builder, name) for _, _, name in RULES]
        self.old = Old(self.file, self.log)

    def file_lines(self, lines: list[Line]) -> list[syntax.ModelSyntax]:
        """The models, each with the comments above it."""
        models = []
        for line in lines:
            keyword = self.old.model_line(line)
            if not keyword:
                self.outside(line)
                continue
            header = self.line(line, "model_line")
            if isinstance(header, syntax.BlockHeader):
                models.append(self.model(header, keyword, line))
        return models

    def outside(self, line: Line) -> None:
        """A line that belongs to no model."""
        span = Span(self.file, *line.at)
        text = line.tokens[0].text
        if any(token.kind == "OTHER" for token in line.tokens):
            return
        words = ["model", "neuron", "synapse"]
        hint = suggest(text, words) or "a file holds blocks 'model NAME:'"
        self.complain("N027", f"'{text}' stands outside of a model", span, hint)

    def complain(self, code: str, message: str, span: Span, hint: str = "") -> None:
        """An error; a file with too many is given up."""
        self.errors += 1
        if self.errors > MAX_ERRORS:
            raise error("N020", f"more than {MAX_ERRORS} errors: the rest is not read", span)
        self.log.add(code, Level.ERROR, message, span, hint=hint)

    def model(self, header: syntax.BlockHeader, keyword: str, line: Line) -> syntax.ModelSyntax:
        """One model."""
        self.declared = frozenset(_declared(line.body))
        self.is_told = False
        blocks = [block for inner in line.body if (block := self.block(inner)) is not None]
        text = line.before or line.loose
        loose = line.loose if line.before else []
        return syntax.ModelSyntax(
            header.name, header.at, keyword, "\n".join([*text, *line.beside]).strip("\n"),
            (*loose, *line.after), tuple(blocks), self.declared,
        )  # fmt: skip

    def block(self, line: Line) -> syntax.Block | None:
        """A block of a model, None if its first line cannot be read."""
        self.old.block_line(line)
        first = line.tokens[0]
        if first.kind == "NAME" and all(token.kind != "OTHER" for token in line.tokens):
            message = f"'{first.text}' opens no block of a model"
            hint = suggest(first.text, _BLOCKS) or f"blocks are {', '.join(_BLOCKS)}"
            self.complain("N023", message, Span(self.file, *first.at), hint)
            return None
        header = self.line(line, "block_line")
        if not isinstance(header, syntax.BlockHeader):
            return None
        comments = (*line.loose, *line.before, *line.beside)
        start = _ITEM_STARTS.get(header.word)
        if start is None:
            body = self.statements(line.body)
            return syntax.Block(header, (), body, comments, tuple(line.after))
        items = [item for inner in line.body if (item := self.item(inner, start)) is not None]
        return syntax.Block(header, tuple(items), (), comments, tuple(line.after))

    def item(self, line: Line, start: str) -> syntax.Commented | None:
        """A line of a declaring block."""
        if start == "port_line":
            self.old.port(line)
        elif start != "output_line":
            self.old.declaration(line)
        if line.tokens[0].kind == "KERNEL" and start == "declaration_line":
            start = "equation_line"
        found = self.line(line, start)
        if found is None:
            return None
        if line.body:
            message = "this line opens no block, but lines stand deeper below it"
            self.complain("N020", message, Span(self.file, *line.body[0].at))
        inner = tuple(text for texts in line.inner for text in texts)
        return syntax.Commented(found, line.description, tuple(line.loose), inner)

    def statements(self, lines: Iterable[Line]) -> tuple[syntax.Statement, ...]:
        """Statement lines with the lines inside them."""
        found = []
        for line in lines:
            parsed = self.line(line, "statement_line")
            body = self.statements(line.body)
            if parsed is not None:
                before = (*line.loose, *line.before)
                beside, after = tuple(line.beside), tuple(line.after)
                found.append(syntax.Statement(parsed, body, before, beside, after))
        return tuple(found)

    def line(self, line: Line, start: str) -> Any:
        """What one line says, None if it cannot be read (which is reported)."""
        self.old.everywhere(line)
        if any(token.kind == "OTHER" for token in line.tokens):
            return None  # a character that nothing begins with was reported
        tokens = join_quantities(line.tokens, self.declared, self.power, self.swallowed)
        try:
            return self.run(tokens, start)
        except ModelError as problem:
            for issue in problem.issues:
                span = issue.span or Span(self.file, *line.at)
                self.complain(issue.code, issue.message, span, issue.hint)
        return None

    def power(self, token: Token, unit: str) -> None:
        """Before 9.0 the power took the number too."""
        message = f"'{token.text} {unit}' is {token.text} times '{unit}' since 9.0"
        hint = "put the number and its unit in parentheses if the power is meant for both"
        self.log.add("N025", Level.NOTE, message, Span(self.file, *token.at), hint=hint)

    def swallowed(self, token: Token, name: str) -> None:
        """NESTML 9 takes the name of a variable for a unit; once for each model."""
        if self.is_told:
            return
        self.is_told = True
        message = (
            f"NESTML 9 first takes '{name}' behind '{token.text} ...' for a unit: it stops at some "
            "such expressions, in others it loses the name"
        )
        hint = f"put the number and its unit in parentheses before '{name}'"
        self.log.add("N077", Level.NOTE, message, Span(self.file, *token.at), hint=hint)

    def run(self, tokens: list[Token], start: str) -> Any:
        """Drive the tables over one line. Raises ModelError N020, and what the builder raises."""
        first, last = STARTS[start]
        states, values = [first], []
        final = tokens[-1]
        end = Token("$END", "", final.line, final.column + len(final.text))
        methods = self.methods
        for token in (*tokens, end):
            kind = token.kind
            while True:
                action = STATES[states[-1]].get(kind)
                if action is None:
                    raise self.unexpected(tokens, token, states, start)
                if action >= 0:
                    states.append(action)
                    values.append(token)
                    break
                left, count, _ = RULES[-1 - action]
                method = methods[-1 - action]
                if count:
                    value = method(*values[-count:])
                    del values[-count:], states[-count:]
                else:
                    value = method()
                values.append(value)
                states.append(STATES[states[-1]][left])
                if kind == "$END" and states[-1] == last:
                    return values[0]
        raise AssertionError("the tables end every line")

    def unexpected(
        self, tokens: list[Token], token: Token, states: list[int], start: str
    ) -> ModelError:
        """The error about a token that cannot stand where it does."""
        span = Span(self.file, *token.at)
        wanted = _acceptable(states)
        text = token.text.split(" ")[0] if token.kind == "QUANTITY" else token.text
        hint = _special_hint(tokens, token, wanted, start)
        if token.kind == "$END":
            message = "the line ends too early"
        elif token.kind == "NAME" or token.kind in KEYWORDS.values():
            message = f"'{text}' cannot stand here"
        else:
            message = f"unexpected '{text}'"
        shown = _shown(wanted)
        if shown:
            message += f": expected {shown}"
        return error("N020", message, span, hint=hint)


def _declared(lines: list[Line]) -> Iterable[str]:
    """The names that a model declares anywhere, found before anything is parsed: of variables, ports,
    functions, arguments and locals."""
    for block in lines:
        yield from _of_header(block.tokens)
        waiting = list(block.body)
        while waiting:
            line = waiting.pop()
            waiting.extend(line.body)
            yield from _of_line(line.tokens)


def _of_header(tokens: list[Token]) -> Iterable[str]:
    if tokens[0].kind == "FUNCTION":
        for before, token in itertools.pairwise(tokens):
            if token.kind == "NAME" and before.kind in ("FUNCTION", "LPAR", "COMMA"):
                yield token.text


def _of_line(tokens: list[Token]) -> Iterable[str]:
    index = 0
    while index < len(tokens) and (
        tokens[index].kind in ("RECORDABLE", "INLINE", "KERNEL", "FUNCTION")
        or tokens[index].text in ("alias", "shape")
    ):
        index += 1
    marked = index > 0
    names: list[str] = []
    while index < len(tokens) and tokens[index].kind == "NAME":
        names.append(tokens[index].text)
        index += 1
        if index < len(tokens) and tokens[index].kind == "LBRACK":
            while index < len(tokens) and tokens[index].kind != "RBRACK":
                index += 1
            index += 1
        while index < len(tokens) and tokens[index].kind == "PRIME":
            index += 1
        if index < len(tokens) and tokens[index].kind == "COMMA":
            index += 1
            continue
        break
    follows = tokens[index].kind if index < len(tokens) else ""
    kinds = (*_TYPES, "NAME", "ARROW", "INTEGER")
    if marked or follows in kinds or (follows == "LPAR" and _closes_before_assign(tokens, index)):
        yield from names


def _closes_before_assign(tokens: list[Token], index: int) -> bool:
    """True for `x (mV/ms) = ...`."""
    while index < len(tokens) and tokens[index].kind != "RPAR":
        index += 1
    return index + 1 < len(tokens) and tokens[index + 1].kind == "ASSIGN"


def _acceptable(states: list[int]) -> list[str]:
    """The terminals that could stand next: the row of the state holds some that only merging put there."""
    return [kind for kind in STATES[states[-1]] if kind.isupper() and _shifts(states, kind)]


def _shifts(states: list[int], kind: str) -> bool:
    stack = list(states)
    while True:
        action = STATES[stack[-1]].get(kind)
        if action is None:
            return False
        if action >= 0:
            return True
        left, count, _ = RULES[-1 - action]
        if count:
            del stack[-count:]
        following = STATES[stack[-1]].get(left)
        if following is None:
            return False
        stack.append(following)
        if kind == "$END" and following in _ENDS:
            return True


_ENDS = frozenset(last for _, last in STARTS.values())
_SPELLED = {**SPELLING, **{kind: word for word, kind in KEYWORDS.items()}}


def _shown(wanted: list[str]) -> str:
    """The choice in words, or nothing where it is too wide to help."""
    if "NAME" in wanted and len(wanted) > 6:
        starts = "LPAR" in wanted and "MINUS" in wanted
        return "an expression" if starts else ""
    names = dict.fromkeys(_WORDS.get(kind) or f"'{_SPELLED.get(kind, kind)}'" for kind in wanted)
    shown = list(names)
    if not shown or len(shown) > 5:
        operators = {"PLUS", "TIMES", "DIV"} <= set(wanted)
        closers = [kind for kind in ("RPAR", "RBRACK", "COLON") if kind in wanted]
        if operators and closers:
            return " or ".join(["an operator", *(f"'{_SPELLED[kind]}'" for kind in closers)])
        return "an operator or the end of the line" if operators and "$END" in wanted else ""
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"


def _special_hint(tokens: list[Token], token: Token, wanted: list[str], start: str) -> str:
    """What is probably meant."""
    kinds = [item.kind for item in tokens]
    if token.kind == "$END":
        if kinds.count("LPAR") > kinds.count("RPAR"):
            return "a parenthesis is open; lines are joined by a '\\' at their very end only"
        if wanted == ["COLON"] or "COLON" in wanted:
            return "a line that opens a block ends in ':'"
        return "a long line goes on after a '\\' at its very end"
    if token.kind == "ASSIGN" and kinds[0] in ("IF", "ELIF", "WHILE", "ONCONDITION"):
        return "a comparison is written '=='"
    index = next((i for i, item in enumerate(tokens) if item is token), 0)
    before = tokens[index - 1].kind if index else ""
    if token.kind == before and token.kind in ("BAND", "BOR"):
        return f"write '{'and' if token.kind == 'BAND' else 'or'}'"
    if before == "COLON" and kinds[0] in ("IF", "ELIF", "ELSE", "WHILE", "FOR"):
        return "what follows ':' stands on a line of its own, indented deeper"
    if token.kind in KEYWORDS.values() and "NAME" in wanted:
        return f"'{token.text}' is a word of the language; choose another name"
    if token.kind == "SEMI":
        return "statements end with the line, without ';'"
    if token.kind == "RPAR" and kinds.count("RPAR") > kinds.count("LPAR"):
        return "this parenthesis was never opened"
    if start == "declaration_line" and token.kind == "ASSIGN":
        return "a declaration names its type or unit: 'tau ms = 10 ms'"
    return ""
