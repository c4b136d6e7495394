"""Values of the user layer: properties and initial values as numbers, arrays and distributions."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ...canonical_model.diagnostics import Level, Log, refuse
from ...canonical_model.expr import ONE, Binary, Call, Expr, Number, Unary, is_random
from ...canonical_model.model import Component, StateVariable
from ...canonical_model.network import Spread
from ...canonical_model.rules import FIXED
from ...canonical_model.units import PURE, Dimension, Quantity, Unit, si_quantity
from .dynamics import Written, foreign
from .markup import Node
from .prepare import initial_values
from .quantities import Quantities

if TYPE_CHECKING:
    from ...canonical_model.network import Floats

ANNOTATIONS = "nineml.annotations.component"
LIBRARY = "http://www.uncertml.org/distributions/"
DISTRIBUTIONS: Mapping[str, tuple[str, ...]] = {
    "uniform": ("minimum", "maximum"),
    "normal": ("mean", "variance"),
    "exponential": ("rate",),
    "poisson": ("rate",),
    "gamma": ("shape", "scale"),
    "log-normal": ("logScale", "shape"),
    "bernoulli": ("probabilities",),
    "binomial": ("numberOfTrials", "probabilityOfSuccess"),
    "beta": ("alpha", "beta"),
    "cauchy": ("location", "scale"),
    "chi-square": ("degreesOfFreedom",),
    "geometric": ("probability",),
    "laplace": ("location", "scale"),
    "logistic": ("location", "scale"),
    "pareto": ("scale", "shape"),
    "weibull": ("scale", "shape"),
}
Given: TypeAlias = "Mapping[str, Floats | Spread]"


@dataclass(slots=True)
class Values:
    """Writes Component elements of one class; `random` writes a value that is drawn."""

    component: Component
    written: Written
    quantities: Quantities
    log: Log
    random: Callable[[str, str, str, tuple[float, ...], Quantity], Node]

    def node(self, parameters: Given, initial: Given) -> Node:
        """The element, still without a name. Raises ModelError X325 for a parameter without value."""
        node = Node("Component", {"name": ""})
        node.add(Node("Definition", body=self.written.class_name))
        for item in self.written.parameters():
            name = self.written.names[item.name]
            if item.name in parameters:
                is_open = item.value is None  # nothing else says what it is
                node.add(
                    self.array("Property", name, parameters[item.name], item.dimension, is_open)
                )
            elif item.value is None:
                message = f"the parameter '{item.name}' of '{self.component.name}' has no value"
                raise refuse("X325", message, item.span)
            else:
                node.add(self.single("Property", name, item.value))
        for state in self.written.prepared.component.state_variables:
            name = self.written.names[state.name]
            if state.name in initial:
                is_open = state.initial is None
                node.add(self.array("Initial", name, initial[state.name], state.dimension, is_open))
                continue
            found = self.start(state, name)
            if found is not None:
                node.add(found)
        annotations = foreign(self.component.extras.get(ANNOTATIONS, ""))
        if annotations.children:
            node.add(annotations)
        return node

    def single(self, tag: str, name: str, quantity: Quantity) -> Node:
        """One number."""
        value, symbol = self.quantities.quantity(quantity)
        return Node(tag, {"name": name, "units": symbol}).add(Node("SingleValue", body=value))

    def array(
        self, tag: str, name: str, values: Floats | Spread, dimension: Dimension, is_open: bool
    ) -> Node:
        """One number for each instance, in SI; or how to draw them. Equal ones become a single one, unless
        the value `is_open`: nothing but the array says it."""
        if isinstance(values, Spread):
            return self.spread(tag, name, values, dimension, is_open)
        symbol = self.quantities.quantity(si_quantity(1.0, dimension))[1]
        return self.rows(tag, name, [float(value) for value in values], symbol, is_open)

    def rows(
        self, tag: str, name: str, numbers: Sequence[float], symbol: str, is_open: bool
    ) -> Node:
        """Numbers in the unit `symbol`."""
        node = Node(tag, {"name": name, "units": symbol})
        if numbers and not is_open and all(number == numbers[0] for number in numbers):
            return node.add(Node("SingleValue", body=numbers[0]))
        rows = (Node("ArrayValueRow", {"index": k, "value": v}) for k, v in enumerate(numbers))
        return node.add(Node("ArrayValue").add(*rows))

    def spread(
        self, tag: str, name: str, values: Spread, dimension: Dimension, is_open: bool
    ) -> Node:
        """Values still to be drawn, in a unit of their scale."""
        unit = Quantity(1.0, Unit("", dimension, values.scale, values.offset))
        if values.kind not in FIXED:
            return self.random(tag, name, values.kind, values.arguments, unit)
        factor, symbol = self.quantities.quantity(unit)
        if factor == 1.0 and not values.offset:
            is_array = is_open and values.kind == "array"
            return self.rows(tag, name, values.arguments, symbol, is_array)
        import numpy as np

        numbers = np.asarray(values.arguments, dtype=float) * values.scale + values.offset
        return self.array(tag, name, numbers, dimension, is_open and values.kind == "array")

    def start(self, state: StateVariable, name: str) -> Node | None:
        """The initial value of a state; None where there is none to be written."""
        initial = state.initial
        if initial is None:
            return None
        if isinstance(initial, Number):
            quantity = Quantity(initial.value, initial.unit or PURE)
            if initial.unit is None and initial.value == 0:
                quantity = si_quantity(0.0, state.dimension)
            return self.single("Initial", name, quantity)
        drawn = drawn_from(initial)
        if drawn is not None:
            return self.random("Initial", name, *drawn)
        owner = self.component.name
        if not is_random(initial):
            values = initial_values(self.written.prepared.original)
            if state.name in values:
                quantity = si_quantity(values[state.name], state.dimension)
                message = (
                    f"'{state.name}' of '{owner}' starts at {quantity}; that it follows from other "
                    "values is kept in an annotation only"
                )
                self.log.add("X323", Level.NOTE, message, state.span)
                return self.single("Initial", name, quantity)
        message = f"the initial value of '{state.name}' of '{owner}' is no number in NineML"
        self.log.add("X322", Level.DROPPED, message, state.span)
        return None


def kept_values(text: str) -> tuple[Given, Given]:
    """What a component of NineML gives as arrays or distributions, where no population takes them."""
    kept = json.loads(text) if text else {}

    def spreads(tag: str) -> dict[str, Floats | Spread]:
        return {
            name: Spread(kind=kind, arguments=tuple(arguments), scale=scale, offset=offset)
            for name, (kind, arguments, scale, offset) in kept.get(tag, {}).items()
        }

    return spreads("Property"), spreads("Initial")


def drawn_from(expr: Expr) -> tuple[str, tuple[float, ...], Quantity] | None:
    """Distribution, its parameters and the unit of one drawn number, None for anything else."""
    unit = Quantity(1.0, PURE)
    match expr:
        case Binary("*", inner, Number(1.0, found)) if found is not None:
            unit = Quantity(1.0, found)
            expr = inner
    match expr:
        case Binary("+", Number(low, None), Binary("*", Number(width, None), Call("uniform"))):
            return "uniform", (low, low + width), unit
        case Binary("+", Number(mean, None), Binary("*", Number(sigma, None), Call("normal"))):
            return "normal", (mean, sigma * sigma), unit
        case Binary("/", Unary("-", Call("log", (rest,))), Number(rate, None)) if rest == Binary(
            "-", ONE, Call("uniform")
        ):
            return "exponential", (rate,), unit
        case Call("poisson", (Number(rate, None),)):
            return "poisson", (rate,), unit
    return None
