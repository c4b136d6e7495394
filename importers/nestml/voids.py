"""Functions without a value: their statements stand at the place of each call.

Codes: N014 too many of them, N037 a return from the middle, N042 a wrong number of arguments, N047.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...canonical_model import model
from ...canonical_model.diagnostics import Span, error
from . import symbols as kinds
from . import syntax
from .declarations import value_kind
from .symbols import Place, Symbol

if TYPE_CHECKING:
    from .statements import Statements

MAX_OPEN = 20  # calls inside each other


@dataclass(slots=True)
class Voids:
    """Lowers calls of functions without a value that stand as statements of one program."""

    parent: Statements

    def call(self, call: syntax.Apply, own: Symbol, place: Place) -> list[model.Statement]:
        """The arguments as locals, then the body. Raises ModelError N014, N037, N042."""
        names, span = self.parent.names, self.parent.names.span(call.at)
        block = names.voids.get(own.name)
        if block is None:
            return []  # its first line is wrong and was reported
        if own.name in names.called or len(names.called) >= MAX_OPEN:
            message = f"'{own.name}' calls itself"
            raise error("N037", message, span, hint="write a loop")
        if len(call.args) != len(own.arguments):
            message = f"'{own.name}' takes {len(own.arguments)} argument(s), not {len(call.args)}"
            raise error("N042", message, span)
        self._no_early_return(block)
        names.generate(1 + len(block.statements), span)
        inner = Place(place.kind, place.port, element=place.element, prefix=own.name)
        found = self._arguments(call, own, block, place, inner)
        names.called.append(own.name)
        names.inlined.add(own.name)
        try:
            found += self.parent.body(block.statements, inner)
        finally:
            names.called.pop()
        return found

    def _arguments(
        self, call: syntax.Apply, own: Symbol, block: syntax.Block, place: Place, inner: Place
    ) -> list[model.Statement]:
        names = self.parent.names
        found: list[model.Statement] = []
        for written, argument, kind in zip(
            call.args, block.header.arguments, own.arguments, strict=True
        ):
            span = names.span(written.at)
            typed = self.parent.expressions.lower(written, place)
            what = f"the argument '{argument.name}' of '{own.name}'"
            value = names.casts.store(typed, kind, span, what)
            name = names.inlined_name(own.name, argument.name)
            inner.locals[argument.name] = Symbol(name, kinds.LOCAL, kind, argument.at)
            self.parent.count += 1
            if kind.unit is not None:
                self.parent.extras[f"unit:{self.parent.block}:{name}"] = kind.unit.symbol
            found.append(
                model.Declare(
                    name=name, dimension=kind.dimension, kind=value_kind(kind), value=value, span=span
                )
            )  # fmt: skip
        return found

    def _no_early_return(self, block: syntax.Block) -> None:
        """Raises ModelError N037 for a return that is not the last line."""
        waiting = list(block.statements[:-1])
        if block.statements:
            waiting += block.statements[-1].body
        while waiting:
            statement = waiting.pop()
            waiting.extend(statement.body)
            if isinstance(statement.line, syntax.ReturnLine):
                span: Span = self.parent.names.span(statement.line.at)
                message = (
                    f"'{block.header.name}' gives no value: a return from its middle cannot be read"
                )
                raise error("N037", message, span, hint="use if and else")
