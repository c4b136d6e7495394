"""Calls for their effect: integration, spikes, messages.

Codes: N030, N037, N038 an integration of what has no equation, N039 an output that is missing, N042, N090.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...canonical_model import model
from ...canonical_model.diagnostics import Level, Span, error
from ...canonical_model.expr import Expr
from . import symbols as kinds
from . import syntax
from .calls import ARGUMENTS
from .symbols import Place
from .types import T_VOID, UNKNOWN
from .voids import Voids

if TYPE_CHECKING:
    from .statements import Statements

_REPORTS = {"print": "print", "println": "println", "info": "info", "warning": "warning"}


@dataclass(slots=True)
class Effects:
    """Lowers calls that stand as statements of one program."""

    parent: Statements

    def call(self, call: syntax.Apply, place: Place) -> list[model.Statement]:
        """Calls for their effect."""
        span = self.parent.names.span(call.at)
        own = self.parent.names.functions.get(call.name)
        if own is None and call.name in _REPORTS:
            return self.report(call, span)
        if own is None and call.name in ("integrate_odes", "emit_spike"):
            if place.kind == kinds.IN_FUNCTION:
                message = f"a function cannot call '{call.name}'"
                raise error(
                    "N037", message, span, hint="call it in update, onReceive or onCondition"
                )
            if call.name == "emit_spike":
                return self.emit(call, place, span)
            return self.integrate(call, span)
        if own is None and call.name not in ARGUMENTS:
            known = [*self.parent.names.functions, *_REPORTS, "integrate_odes", "emit_spike"]
            message = f"there is no function '{call.name}'"
            raise error("N030", message, span, hint=self.parent.names.near(call.name, known))
        if own is not None and own.type == T_VOID:
            return Voids(self.parent).call(call, own, place)
        self.parent.expressions.lower(call, place)
        message = f"the value of '{call.name}' is not used: the call has no effect and is left out"
        self.parent.names.log.add("N037", Level.WARNING, message, span)
        return []

    def report(self, call: syntax.Apply, span: Span) -> list[model.Statement]:
        """print and its kin."""
        texts = [arg for arg in call.args if isinstance(arg, syntax.Text)]
        if len(texts) != len(call.args) or len(texts) > 1:
            message = f"'{call.name}' takes one string"
            raise error("N042", message, span, hint="write '{name}' in it for a variable")
        self.parent.count += 1
        text = texts[0].value if texts else ""
        return [model.Report(text=text, level=_REPORTS[call.name], span=span)]

    def emit(self, call: syntax.Apply, place: Place, span: Span) -> list[model.Statement]:
        """emit_spike; version 8.2 gave a delay too. Raises ModelError N039, N042."""
        if not self.parent.has_output:
            message = "the model sends spikes, but has no output block"
            raise error("N039", message, span, hint="add 'output:' with the line 'spike'")
        if len(call.args) > 2:
            raise error("N042", "'emit_spike' takes at most one argument", span)
        weight: Expr | None = None
        if call.args:
            typed = self.parent.expressions.lower(call.args[0], place)
            if typed.type.number or typed.type.kind == UNKNOWN:
                weight = typed.expr
            else:
                weight = self.parent.names.casts.to_number(
                    typed, span, "the weight of a spike"
                ).expr
        if len(call.args) == 2:
            self.parent.expressions.lower(call.args[1], place)
            message = "the delay that 'emit_spike' is given is left to the connection since 8.3"
            hint = "the simulator keeps the delay of each connection"
            self.parent.names.once("emit", "N090", Level.NOTE, message, span, hint)
        self.parent.count += 1
        return [model.Emit(port="spike", weight=weight, span=span)]

    def integrate(self, call: syntax.Apply, span: Span) -> list[model.Statement]:
        """integrate_odes. Raises ModelError N038."""
        wanted: list[str] = []
        for arg in call.args:
            if not isinstance(arg, syntax.Variable):
                message = "'integrate_odes' takes names of variables"
                raise error("N038", message, self.parent.names.span(arg.at))
            place = self.parent.names.span(arg.at)
            symbol = self.parent.names.symbols.get(arg.name)
            if symbol is None or not symbol.ode or symbol.kind != kinds.STATE:
                states = (s for s in self.parent.names.symbols.values() if s.kind == kinds.STATE)
                known = [s.name for s in states if s.ode]
                message = f"'{arg.name}' has no differential equation"
                hint = (
                    self.parent.names.near(arg.name, known)
                    or f"equations are there for {', '.join(known)}"
                )
                raise error("N038", message, place, hint=hint)
            if arg.order:
                message = f"'{arg.shown}' is integrated with '{arg.name}'"
                raise error("N038", message, place, hint=f"name '{arg.name}' only")
            if symbol.size is None:
                wanted.append(arg.name)
            elif arg.index is None:
                wanted += [
                    self.parent.names.element(arg.name, index) for index in range(symbol.size)
                ]
            else:
                index = self.parent.expressions.index(arg, symbol, Place(kinds.UPDATE))
                if not isinstance(index, int):
                    raise error("N045", "which element is meant must be a number", place)
                wanted.append(self.parent.names.element(arg.name, index))
        self.parent.count += 1
        return [model.Integrate(variables=tuple(dict.fromkeys(wanted)), span=span)]
