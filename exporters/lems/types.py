"""A prepared component as a ComponentType: members, then dynamics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ...canonical_model.diagnostics import Level, Log
from ...canonical_model.expr import Conditional, Expr, Select
from ...canonical_model.model import (
    AnalogInput,
    Component,
    DerivedVariable,
    EventRoute,
    Parameter,
    StateVariable,
)
from ...canonical_model.units import NONE, Dimension
from ...lems_types import syntax
from .markup import Node
from .math_text import math_text
from .prepare import Handler, Mode, Prepared
from .quantities import Quantities
from .statements import Actions

WEIGHT = "weight"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a type stands: its base, what it inherits, and the roles of its parts.

    `inputs` maps an analog input that is the sum over a list to (list, quantity, base type of the list).
    `children` are (element, name, type) of Child and Children members. `exposures` gives second names
    under which something is shown, since NeuroML's types expect them.
    """

    base: str = ""
    inputs: Mapping[str, tuple[str, str, str]] = field(default_factory=dict)
    children: tuple[tuple[str, str, str], ...] = ()
    ports: Mapping[str, str] = field(default_factory=dict)
    exposures: Mapping[str, str] = field(default_factory=dict)
    attachments: tuple[tuple[str, str], ...] = ()
    held: Mapping[str, float] = field(default_factory=dict)
    scheme: syntax.KineticScheme | None = None


@dataclass(slots=True)
class Writer:
    """Writes one ComponentType."""

    prepared: Prepared
    place: Place
    quantities: Quantities
    log: Log
    exposed: dict[str, list[str]] = field(default_factory=dict)

    @property
    def component(self) -> Component:
        """The component as prepared."""
        return self.prepared.component

    def run(self, name: str) -> Node:
        """The element. Raises ModelError P202, P203."""
        component = self.component
        node = Node("ComponentType", {"name": name})
        if self.place.base:
            node.attributes["extends"] = self.place.base
        if component.description:
            node.attributes["description"] = component.description
        for item in component.exposures:
            shown = self.exposed.setdefault(item.variable, [])
            shown.append(item.name)
            if item.name in self.place.exposures:
                shown.append(self.place.exposures[item.name])
        node.add(*self.values(), *self.structure(), *self.shown())
        node.add(self.dynamics(), *self.routes(component.event_routes))
        return node

    def name(self, name: str) -> str:
        """The document's name of a quantity."""
        return self.prepared.names.given.get(name, name)

    def math(self, expr: Expr) -> str:
        """An expression's text."""
        return math_text(expr, self.name)

    def described(self, node: Node, item: object) -> Node:
        """With what its author said about it."""
        text = getattr(item, "description", "")
        if text:
            node.attributes["description"] = text
        return node

    def values(self) -> Iterator[Node]:
        """Parameters, properties, constants, derived parameters."""
        for item in self.component.parameters:
            yield self.parameter(item)
        names = {p.name for p in self.component.parameters}
        carried = (name for port in self.component.event_inputs for name in port.payload)
        for name in dict.fromkeys(carried):
            if name not in names:
                yield Node("Property", _named(self.name(name), "none", "1"))
        for name, value in self.place.held.items():
            dimension = next(i.dimension for i in self.component.analog_inputs if i.name == name)
            from ...canonical_model.units import si_quantity

            text = self.quantities.text(si_quantity(value, dimension))
            yield self.constant(name, dimension, text)
        for constant in self.prepared.constants:
            text = self.quantities.text(constant.value)
            yield self.described(self.constant(constant.name, constant.dimension, text), constant)
        for derived in self.prepared.statics:
            attributes = {"name": self.name(derived.name), **self.dimension(derived.dimension)}
            key = "select" if isinstance(derived.value, Select) else "value"
            attributes[key] = (
                derived.value.path
                if isinstance(derived.value, Select)
                else self.math(derived.value)
            )
            yield self.described(Node("DerivedParameter", attributes), derived)

    def constant(self, name: str, dimension: Dimension, text: str) -> Node:
        """A Constant element."""
        attributes = {"name": self.name(name), **self.dimension(dimension), "value": text}
        return Node("Constant", attributes)

    def parameter(self, item: Parameter) -> Node:
        """A parameter; the weight of a connection is a property, which connections set."""
        attributes = {"name": self.name(item.name), **self.dimension(item.dimension)}
        if is_property(item):
            attributes["defaultValue"] = "1"
            return self.described(Node("Property", attributes), item)
        return self.described(Node("Parameter", attributes), item)

    def dimension(self, dimension: Dimension) -> dict[str, str]:
        """The attribute that names a dimension."""
        return {"dimension": self.quantities.dimension(dimension)}

    def structure(self) -> Iterator[Node]:
        """Ports, requirements, attachments, children, texts."""
        component = self.component
        for port in component.event_inputs:
            yield Node("EventPort", {"name": self.port(port.name), "direction": "in"})
        for port in component.event_outputs:
            yield Node("EventPort", {"name": self.port(port.name), "direction": "out"})
        for source in component.analog_inputs:
            if source.name in self.place.inputs or source.name in self.place.held:
                continue
            yield self.requirement(source)
        for name, kind in self.place.attachments:
            yield Node("Attachments", {"name": name, "type": kind})
        for element, name, kind in self.place.children:
            yield Node(element, {"name": name, "type": kind})
        for name in component.texts:
            yield Node("Text", {"name": name})

    def requirement(self, source: AnalogInput) -> Node:
        """What comes from the cell, or from the other end."""
        if source.reduce == "peer":
            own = self.component.type or self.component.name
            return Node("InstanceRequirement", {"name": source.name, "type": own})
        attributes = {"name": self.name(source.name), **self.dimension(source.dimension)}
        return Node("Requirement", attributes)

    def port(self, name: str) -> str:
        """The document's name of an event port."""
        return self.place.ports.get(name, name)

    def shown(self) -> Iterator[Node]:
        """Exposures."""
        dimensions = self.dimensions()
        done: set[str] = set()
        for item in self.component.exposures:
            dimension = dimensions.get(item.variable, item.dimension)
            for name in (item.name, self.place.exposures.get(item.name, item.name)):
                if name not in done:
                    done.add(name)
                    yield Node("Exposure", {"name": name, **self.dimension(dimension)})

    def dimensions(self) -> dict[str, Dimension]:
        """Of what can be exposed."""
        found = {item.name: item.dimension for item in self.prepared.states}
        return found | {item.name: item.dimension for item in self.prepared.variables}

    def dynamics(self) -> Node:
        """Variables in an order in which jLEMS computes them right, rates, handlers, regimes."""
        node = Node("Dynamics")
        for state in self.prepared.states:
            node.add(self.variable("StateVariable", state))
        for name, (slot, quantity, _) in self.place.inputs.items():
            item = next(i for i in self.component.analog_inputs if i.name == name)
            variable = DerivedVariable(
                name=name, dimension=item.dimension, value=Select(f"{slot}[*]/{quantity}", "add")
            )
            node.add(self.derived(variable))
        ordered = [v for v in self.prepared.variables if v.name not in self.prepared.late]
        ordered += [v for v in self.prepared.variables if v.name in self.prepared.late]
        node.add(*(self.derived(item) for item in ordered))
        node.add(*self.aliases())
        node.add(*(self.rate(ode.variable, ode.rhs) for ode in self.prepared.odes))
        if self.prepared.starts:
            start = Node("OnStart")
            for name, value in self.prepared.starts:
                start.add(self.assignment(name, value))
            node.add(start)
        node.add(*(self.handler(item) for item in self.prepared.handlers))
        if self.place.scheme is not None:
            node.add(_scheme(self.place.scheme))
        node.add(*(self.regime(mode) for mode in self.prepared.modes))
        return node

    def variable(self, tag: str, item: StateVariable | DerivedVariable) -> Node:
        """An element with name, dimension and the first exposure."""
        attributes = {"name": self.name(item.name), **self.dimension(item.dimension)}
        if item.name in self.exposed:
            attributes["exposure"] = self.exposed[item.name][0]
        return self.described(Node(tag, attributes), item)

    def derived(self, item: DerivedVariable) -> Node:
        """A derived variable, conditional where it or something that it reads is a choice."""
        value = item.value
        if isinstance(value, Select):
            node = self.variable("DerivedVariable", item)
            node.attributes["select"] = value.path
            if value.reduce:
                node.attributes["reduce"] = value.reduce
            if not value.required:
                node.attributes["required"] = "false"
            return node
        if item.name not in self.prepared.late:
            node = self.variable("DerivedVariable", item)
            node.attributes["value"] = self.math(value)
            return node
        node = self.variable("ConditionalDerivedVariable", item)
        if isinstance(value, Conditional):
            for test, chosen in value.cases:
                node.add(Node("Case", {"condition": self.math(test), "value": self.math(chosen)}))
            value = value.otherwise
        return node.add(Node("Case", {"value": self.math(value)}))

    def aliases(self) -> Iterator[Node]:
        """Second names under which something is exposed, and names of what is no variable."""
        variables = self.dimensions()
        from .names import Names

        names: Names = self.prepared.names
        known = {p.name: p.dimension for p in self.component.parameters}
        known |= {p.name: p.dimension for p in self.component.derived_parameters}
        known |= {p.name: p.dimension for p in self.component.constants}
        known |= {p.name: p.dimension for p in self.component.analog_inputs}
        from ...canonical_model.expr import Name

        for variable, shown in self.exposed.items():
            is_input = variable in self.place.inputs
            skipped = 1 if variable in variables else 0
            for name in shown[skipped:]:
                wanted = names.fresh(f"{name}_shown" if name in names.taken else name)
                names.given[wanted] = wanted
                dimension = variables.get(variable, known.get(variable, NONE))
                attributes = {"name": wanted, **self.dimension(dimension), "exposure": name}
                is_late = variable in self.prepared.late and not is_input
                tag = "ConditionalDerivedVariable" if is_late else "DerivedVariable"
                node = Node(tag, attributes)
                if is_late:
                    node.add(Node("Case", {"value": self.math(Name(variable))}))
                else:
                    node.attributes["value"] = self.math(Name(variable))
                yield node

    def rate(self, variable: str, value: Expr) -> Node:
        """A TimeDerivative."""
        attributes = {"variable": self.name(variable), "value": self.math(value)}
        return Node("TimeDerivative", attributes)

    def assignment(self, name: str, value: Expr) -> Node:
        """A StateAssignment."""
        attributes = {"variable": self.name(name), "value": self.math(value)}
        return Node("StateAssignment", attributes)

    def handler(self, item: Handler) -> Node:
        """OnCondition or OnEvent."""
        if item.test is not None:
            node = Node("OnCondition", {"test": self.math(item.test)})
        else:
            node = Node("OnEvent", {"port": self.port(item.port)})
        return self.filled(node, item.actions)

    def filled(self, node: Node, actions: Actions) -> Node:
        """A handler with its actions."""
        node.add(*(self.assignment(name, value) for name, value in actions.assignments))
        node.add(*(Node("EventOut", {"port": self.port(port)}) for port in actions.events))
        if actions.regime:
            node.add(Node("Transition", {"regime": actions.regime}))
        return node

    def regime(self, mode: Mode) -> Node:
        """A Regime; states that its conditions read are named in it, as jLEMS wants."""
        from ...canonical_model.expr import free_names

        node = Node("Regime", {"name": mode.name})
        if mode.initial:
            node.attributes["initial"] = "true"
        states = [s.name for s in self.prepared.states]
        moved = {ode.variable for ode in mode.odes}
        assigned = {name for name, _ in mode.entry.assignments}
        assigned |= {n for h in mode.handlers for n, _ in h.actions.assignments}
        read: set[str] = set()
        for handler in mode.handlers:
            read |= free_names(handler.test) if handler.test is not None else set()
            for _, value in handler.actions.assignments:
                read |= free_names(value)
        node.add(*(self.rate(ode.variable, ode.rhs) for ode in mode.odes))
        for name in states:
            if name in read and name not in moved | assigned:
                node.add(Node("TimeDerivative", {"variable": self.name(name), "value": "0"}))
        if mode.entry.assignments or mode.entry.events:
            node.add(self.filled(Node("OnEntry"), mode.entry))
        return node.add(*(self.handler(item) for item in mode.handlers))

    def routes(self, routes: tuple[EventRoute, ...]) -> Iterator[Node]:
        """Events that stay inside of a component."""
        if not routes:
            return
        node = Node("Structure")
        places: dict[str, str] = {}
        for route in routes:
            for path in (route.source, route.target):
                if path not in places:
                    places[path] = "abcdefghijklmnopqrstuvwxyz"[len(places) % 26]
                    instance = {"": "this", "..": "parent"}.get(path, path)
                    node.add(Node("With", {"instance": instance, "as": places[path]}))
        for route in routes:
            attributes = {"from": places[route.source], "to": places[route.target]}
            if route.source_port:
                attributes["sourcePort"] = route.source_port
            if route.target_port:
                attributes["targetPort"] = route.target_port
            node.add(Node("EventConnection", attributes))
        yield node


def _scheme(item: syntax.KineticScheme) -> Node:
    """A KineticScheme element."""
    return Node("KineticScheme", {
        "name": item.name, "nodes": item.nodes, "stateVariable": item.state_variable,
        "edges": item.edges, "edgeSource": item.edge_source, "edgeTarget": item.edge_target,
        "forwardRate": item.forward_rate, "reverseRate": item.reverse_rate,
    })  # fmt: skip


def is_property(item: Parameter) -> bool:
    """The weight, which each connection may set."""
    return item.name == WEIGHT and item.dimension == NONE and item.value is not None


def _named(name: str, dimension: str, default: str) -> dict[str, str]:
    return {"name": name, "dimension": dimension, "defaultValue": default}


__all__ = ["Level", "Place", "Writer", "is_property"]
