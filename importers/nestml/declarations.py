"""Parameters, internals, state and ports in canonical terms.

Codes: N033 a state without initial value, N029 decorators or guards where they mean nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from ...canonical_model import model
from ...canonical_model.diagnostics import Level, Span, error
from ...canonical_model.expr import ZERO, Expr, Name, Number, free_names, substitute, walk
from ...canonical_model.units import PURE, Quantity
from . import symbols as kinds
from . import syntax
from .constants import constant
from .expressions import Expressions
from .symbols import Names, Place, Symbol, derivative
from .types import BOOLEAN, INTEGER, STRING, VOID, Type, Typed

_KINDS = {INTEGER: model.INTEGER, BOOLEAN: model.BOOLEAN, STRING: model.TEXT}


@dataclass(slots=True)
class Parts:
    """What a component is made of, while it is being put together."""

    parameters: list[model.Parameter] = field(default_factory=list)
    derived_parameters: list[model.DerivedParameter] = field(default_factory=list)
    states: list[model.StateVariable] = field(default_factory=list)
    kernel_states: dict[str, model.StateVariable] = field(default_factory=dict)
    derived_variables: list[model.DerivedVariable] = field(default_factory=list)
    odes: list[model.Ode] = field(default_factory=list)
    kernels: list[model.Kernel] = field(default_factory=list)
    functions: list[model.Function] = field(default_factory=list)
    checks: list[model.Check] = field(default_factory=list)
    exposures: list[model.Exposure] = field(default_factory=list)
    on_events: list[model.OnEvent] = field(default_factory=list)
    on_conditions: list[model.OnCondition] = field(default_factory=list)
    update: list[model.Statement] = field(default_factory=list)
    event_inputs: list[model.EventPort] = field(default_factory=list)
    event_outputs: list[model.EventPort] = field(default_factory=list)
    analog_inputs: list[model.AnalogInput] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    extras: dict[str, str] = field(default_factory=dict)


def value_kind(found: Type) -> str:
    """The canonical kind of a type."""
    return _KINDS.get(found.kind, model.REAL)


def zero(found: Type) -> Expr:
    """Zero of a type."""
    return ZERO if found.unit is None else Number(0.0, found.unit.unit())


@dataclass(slots=True)
class Declarations:
    """Lowers the declaring blocks of one model into `parts`."""

    names: Names
    expressions: Expressions
    parts: Parts
    lenient: bool = False  # models before 8.0 may leave initial values out
    initial: dict[str, Expr] = field(default_factory=dict)
    weights: dict[str, int] = field(default_factory=dict)  # nodes of each initial value

    def targets(self, variable: syntax.Variable) -> Iterator[tuple[str, int | None]]:
        """The canonical names of a declared variable, with the element that each is."""
        symbol = self.names.symbols[variable.name]
        if symbol.size is None:
            yield derivative(variable.name, variable.order), None
            return
        for index in range(symbol.size):
            yield derivative(self.names.element(variable.name, index), variable.order), index

    def declaration(self, commented: syntax.Commented, block: str) -> None:
        """One line of parameters, internals or state."""
        item = commented.item
        assert isinstance(item, syntax.Declaration)
        for variable in item.variables:
            symbol = self.names.symbols.get(variable.name)
            if symbol is None or not symbol.type.kind:
                continue
            with self.names.log.gather():
                self.one(item, variable, symbol, commented.description, block)
        if item.guard is not None:
            place = Place(kinds.GUARD)
            first = item.variables[0]
            symbol = self.names.symbols.get(first.name)
            for element in range(symbol.size) if symbol and symbol.size else (None,):
                test = self.expressions.test(item.guard, place.at_element(element), "a guard")
                span = self.names.span(item.guard.at)
                self.parts.checks.append(model.Check(test=test, span=span))

    def one(
        self, item: syntax.Declaration, variable: syntax.Variable, symbol: Symbol, text: str, block: str
    ) -> None:  # fmt: skip
        """One variable of a declaration."""
        found = symbol.derivatives.get(variable.order) if variable.order else symbol.type
        assert found is not None
        span = self.names.span(variable.at)
        if found.kind == VOID:
            raise error("N052", f"'{variable.shown}' cannot be void", span)
        if item.decorators:
            self.parts.extras[f"decorator:{variable.name}"] = " ".join(item.decorators)
        if found.kind == STRING:
            value = item.value
            self.parts.texts[variable.name] = value.value if isinstance(value, syntax.Text) else ""
            return
        if symbol.kind == kinds.INLINE:
            return  # an older form: `alias` in the state is lowered with the equations
        kind = kinds.INITIAL if block == "state" else kinds.STATICS
        for name, element in self.targets(variable):
            if found.unit is not None:
                self.parts.extras[f"unit:{name}"] = found.unit.symbol
            self.element(name, element, item, variable, found, text, kind)

    def element(
        self, name: str, element: int | None, item: syntax.Declaration, variable: syntax.Variable,
        found: Type, text: str, kind: str,
    ) -> None:  # fmt: skip
        """One canonical quantity."""
        symbol = self.names.symbols[variable.name]
        place = Place(kind, element=element)
        if symbol.kind in (kinds.PARAMETER, kinds.INTERNAL):
            place.position = symbol.position
        value = self.value(item, variable, found, place)
        span = self.names.span(variable.at)
        own = value_kind(found)
        if kind == kinds.INITIAL:
            initial = self.resolved(name, value)
            state = model.StateVariable(
                name=name, dimension=found.dimension, initial=initial, kind=own, description=text,
                span=span,
            )  # fmt: skip
            self.state(state, symbol)
            return
        quantity = constant(value, found.unit) if symbol.kind == kinds.PARAMETER else None
        if quantity is not None and quantity.dimension == found.dimension:
            if found.kind == INTEGER and quantity.unit == PURE:
                quantity = Quantity(float(int(quantity.value)) if _finite(quantity) else 0.0)
            self.parts.parameters.append(
                model.Parameter(
                    name=name, dimension=found.dimension, value=quantity, kind=own,
                    description=text, span=span,
                )
            )  # fmt: skip
            return
        self.parts.derived_parameters.append(
            model.DerivedParameter(
                name=name, dimension=found.dimension, value=value, kind=own, description=text, span=span
            )
        )  # fmt: skip
        if symbol.kind == kinds.PARAMETER:
            self.parts.extras[f"parameter:{name}"] = "settable"

    def state(self, state: model.StateVariable, symbol: Symbol) -> None:
        """A state of the model, or of one of its kernels."""
        if symbol.kind in (kinds.KERNEL, kinds.KERNEL_STATE):
            self.parts.kernel_states[state.name] = state
            return
        self.parts.states.append(state)
        self.parts.exposures.append(
            model.Exposure(
                name=state.name, variable=state.name, dimension=state.dimension, span=state.span
            )
        )

    def value(
        self, item: syntax.Declaration, variable: syntax.Variable, found: Type, place: Place
    ) -> Expr:
        """The value that is declared. Raises ModelError N033, N05x."""
        span = self.names.span(variable.at)
        if item.value is None:
            if place.kind == kinds.INITIAL:
                message = f"'{variable.shown}' has no initial value"
                if not self.lenient:
                    raise error(
                        "N033", message, span, hint=f"write '= 0 {found}'".replace(" real", "")
                    )
                self.names.log.add("N033", Level.WARNING, f"{message}; 0 is taken", span)
            return zero(found)
        typed = self.expressions.lower(item.value, place)
        return self.names.casts.store(
            typed, found, self._value_span(item, typed), f"'{variable.shown}'"
        )

    def _value_span(self, item: syntax.Declaration, typed: Typed) -> Span:
        assert item.value is not None
        return typed.expr.span if typed.expr.span is not None else self.names.span(item.value.at)

    def resolved(self, name: str, value: Expr) -> Expr:
        """An initial value in terms of statics: other states stand for their own initial values."""
        nodes = list(walk(value))
        used = [node.id for node in nodes if isinstance(node, Name) and node.id in self.initial]
        read = set(used)
        weight = len(nodes) + sum(self.weights[other] for other in used)
        if read:
            self.names.generate(weight, self.names.span((0, 0)))
            value = substitute(value, {other: self.initial[other] for other in read})
        self.initial[name], self.weights[name] = value, weight
        return value

    def statics_of_states(self) -> None:
        """Parameters and internals that read states: the states' initial values stand there."""
        for index, item in enumerate(self.parts.derived_parameters):
            read = free_names(item.value) & self.initial.keys()
            if read:
                values = {name: self.initial[name] for name in read}
                nodes = (node for node in walk(item.value) if isinstance(node, Name))
                weight = sum(self.weights.get(node.id, 0) for node in nodes)
                self.names.generate(weight, item.span or Span())
                value = substitute(item.value, values)
                self.parts.derived_parameters[index] = replace(item, value=value)

    # --- ports

    def port(self, commented: syntax.Commented, synapse: bool) -> None:
        """An input port with its elements."""
        item = commented.item
        assert isinstance(item, syntax.Port)
        symbol = self.names.symbols.get(item.variable.name)
        if symbol is None or not symbol.type.kind or symbol.at != item.variable.at:
            return
        span = self.names.span(item.at)
        if item.type is not None and symbol.type.unit is not None and item.continuous:
            self.parts.extras[f"unit:{symbol.name}"] = symbol.type.unit.symbol
        for name, _ in self.targets(item.variable):
            if item.continuous:
                port = model.AnalogInput(
                    name=name, dimension=symbol.type.dimension, reduce="add", span=span
                )
                self.parts.analog_inputs.append(port)
                continue
            sign = item.signs[0] if len(set(item.signs)) == 1 else ""
            self.parts.event_inputs.append(
                model.EventPort(
                    name=name, payload=(self.names.payload,), sign=sign,
                    role=port_role(symbol.name) if synapse else "", span=span,
                )
            )  # fmt: skip
        if commented.description:
            self.parts.extras[f"comments:port:{symbol.name}"] = commented.description


def port_role(name: str) -> str:
    """What a synapse's port hears, by convention of names, until options say it: `post_spikes` hears the
    postsynaptic neuron, `mod_spikes` and `vt_spikes` a modulator; the one left over is presynaptic.

    >>> port_role("post_spikes"), port_role("pre_spikes"), port_role("mod_spikes")
    ('post', 'pre', 'modulator')
    """
    low = name.lower()
    if "post" in low:
        return "post"
    words = low.split("_")
    if "vt" in words or any(word.startswith("mod") for word in words) or "dopa" in low:
        return "modulator"
    return "pre"


def _finite(quantity: Quantity) -> bool:
    return abs(quantity.value) < float("inf")
