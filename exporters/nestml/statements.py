"""Statements of update, handlers and functions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...canonical_model.diagnostics import refuse
from ...canonical_model.expr import Binary, Expr, Name, Number
from ...canonical_model.model import (
    BOOLEAN,
    INTEGER,
    REAL,
    Assign,
    Component,
    Declare,
    Emit,
    For,
    If,
    Integrate,
    Report,
    Return,
    Statement,
    While,
)
from ...canonical_model.units import Dimension
from .adapt import with_dimension
from .printer import Context, NestmlPrinter
from .text import comment_lines, plain, quoted
from .unit_text import is_unit_text, unit_for

COMPOUND = ("+", "-", "*", "/")
LEVELS = ("print", "println", "info", "warning")
INDENT = "    "


class Writer:
    """Writes bodies of one component; `output` is the port whose events leave the model."""

    def __init__(
        self,
        context: Context,
        component: Component,
        output: str,
        result: Dimension | None = None,
    ) -> None:
        self.context = context
        self.component = component
        self.output = output
        self.result = result
        self._local: dict[str, tuple[Dimension, str]] = {}
        self._port, self._label, self._count = "", "", 0

    def body(self, body: Sequence[Statement], label: str, port: str = "") -> list[str]:
        """The lines of a body; `port` is the one whose weight is meant, `label` names the block in
        the keys of its comments."""
        self._local, self._port = {}, port
        self._label, self._count = label, 0
        return list(self._body(body))

    def test(self, expr: Expr) -> str:
        """A condition as text."""
        return self._text(expr, None)

    def _body(self, body: Sequence[Statement]) -> Iterator[str]:
        before = dict(self._local)
        for item in body:
            yield from self._commented(item)
        self._local = before

    def _commented(self, item: Statement) -> Iterator[str]:
        """A statement with its comments; they are kept by the statement's number."""
        key = f"comments:{self._label}:{self._count}"
        self._count += 1
        notes = self.component.extras
        yield from comment_lines(notes.get(key, ""))
        lines = list(self._statement(item))
        beside = plain(notes.get(f"{key}:beside", ""))
        if lines and beside and "\n" not in beside:
            lines[0] += f"    # {beside}"
        elif beside:
            yield from comment_lines(beside)
        yield from lines
        yield from comment_lines(notes.get(f"{key}:after", ""))

    def _inner(self, body: Sequence[Statement]) -> Iterator[str]:
        lines = list(self._body(body)) or [self._nothing()]
        for line in lines:
            yield f"{INDENT}{line}"

    def _nothing(self) -> str:
        """A statement without effect: NESTML has no empty body."""
        return f"{self.context.names.fresh('nothing')} boolean = false"

    def _statement(self, item: Statement) -> Iterator[str]:
        match item:
            case Assign():
                yield self._assign(item)
            case Declare():
                yield self._declare(item)
            case Emit(port=port, weight=weight):
                if port == self.output:
                    yield f"emit_spike({'' if weight is None else self._text(weight, None)})"
            case Integrate(variables=variables):
                # an equation of higher order is called by its variable alone
                names = [self._name(name) for name in variables]
                listed = ", ".join(name for name in names if not name.endswith("'"))
                yield f"integrate_odes({listed})"
            case If(branches=branches, otherwise=otherwise):
                yield from self._if(branches, otherwise)
            case While(test=test, body=body):
                yield f"while {self._text(test, None)}:"
                yield from self._inner(body)
            case For():
                yield from self._for(item)
            case Report(text=text, level=level):
                word = level if level in LEVELS else "info"
                yield f'{word}("{quoted(text)}")'
            case Return(value=value):
                yield f"return {self._text(value, self.result)}"
            case _:
                raise refuse("N305", "a regime change is no statement of NESTML", item.span)

    def _if(
        self, branches: Sequence[tuple[Expr, tuple[Statement, ...]]], otherwise: Sequence[Statement]
    ) -> Iterator[str]:
        word = "if"
        for test, body in branches:
            yield f"{word} {self._text(test, None)}:"
            yield from self._inner(body)
            word = "elif"
        if otherwise:
            yield "else:"
            yield from self._inner(otherwise)

    def _assign(self, item: Assign) -> str:
        dimension, kind = self._meaning(item.target)
        target = self._name(item.target)
        if kind == BOOLEAN and isinstance(item.value, Number):
            return f"{target} = {'true' if item.value.value else 'false'}"
        match item.value:
            case Binary(op, Name(name), change) if name == item.target and op in COMPOUND:
                factor = dimension if op in "+-" else None
                return f"{target} {op}= {self._text(change, factor)}"
        return f"{target} = {self._text(item.value, dimension)}"

    def _declare(self, item: Declare) -> str:
        self._local[item.name] = (item.dimension, item.kind)
        kind = item.kind
        if kind == REAL:
            written = self.component.extras.get(f"unit:{self._label}:{item.name}", "")
            use = self.context.as_written and is_unit_text(written)
            kind = written if use else unit_for(item.dimension)
            kind = "real" if self.context.plain else kind
        if item.kind == BOOLEAN and isinstance(item.value, Number):
            value = "true" if item.value.value else "false"
        else:
            value = self._text(item.value, item.dimension)
        return f"{self._name(item.name)} {kind} = {value}"

    def _for(self, item: For) -> Iterator[str]:
        """A loop; its variable has to exist, and NESTML's step is a literal."""
        if not _is_literal(item.step):
            raise refuse("N305", "the step of a loop in NESTML is a number", item.span)
        if item.variable not in self._local:
            self._local[item.variable] = (Dimension(), INTEGER)
            yield f"{self._name(item.variable)} integer = 0"
        dimension, _ = self._local[item.variable]
        start, stop = self._text(item.start, dimension), self._text(item.stop, dimension)
        step = self._text(item.step, dimension)
        yield f"for {self._name(item.variable)} in {start} ... {stop} step {step}:"
        yield from self._inner(item.body)

    def _meaning(self, name: str) -> tuple[Dimension | None, str]:
        if name in self._local:
            return self._local[name]
        return self.context.dimensions.get(name), self.context.kinds.get(name, REAL)

    def _name(self, name: str) -> str:
        return NestmlPrinter(self.context).text(Name(name))

    def _text(self, expr: Expr, expected: Dimension | None) -> str:
        kinds = {name: kind for name, (_, kind) in self._local.items()}
        if not self.context.plain:
            local = {name: dimension for name, (dimension, _) in self._local.items()}

            def lookup(name: str) -> Dimension | None:
                return local.get(name) or self.context.dimensions.get(name)

            expr = with_dimension(expr, expected, lookup)
        return NestmlPrinter(self.context, self._port, kinds).text(expr)


def _is_literal(expr: Expr) -> bool:
    inner = getattr(expr, "operand", expr)
    return isinstance(inner, Number)
