"""A prepared component as a ComponentClass element, and its values as a Component element."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ...canonical_model.diagnostics import Level, Log
from ...canonical_model.expr import Binary, Expr, Number, free_names, is_random, rebuild
from ...canonical_model.expr_print import print_expr
from ...canonical_model.model import (
    AnalogInput,
    Assign,
    Component,
    Constant,
    DerivedVariable,
    Emit,
    OnCondition,
    OnEvent,
    Parameter,
    Regime,
    Statement,
    StateVariable,
)
from ...canonical_model.query import statics
from ...canonical_model.units import PURE
from .markup import BRANCH, OURS, Node, Value
from .math_text import math_text
from .names import Names
from .prepare import Prepared, prepare
from .quantities import Quantities
from .transitions import simultaneous

ANNOTATIONS = "nineml.annotations"
HELPERS = "nineml.helpers"
DESCRIBES = "about_"  # and a name: what is said of it


@dataclass(slots=True)
class Written:
    """A class without its name, and what a component of it needs: names of quantities and of ports."""

    node: Node
    prepared: Prepared
    names: dict[str, str]
    used: set[str]
    sends: dict[str, str]
    receives: dict[str, str]
    class_name: str = ""

    def parameters(self) -> list[Parameter]:
        """Those that the class declares."""
        return [p for p in self.prepared.component.parameters if p.name in self.used]

    def port(self, name: str, sends: bool) -> str | None:
        """The document's name of a port, None if it is not written."""
        return (self.sends if sends else self.receives).get(name)


def write_class(
    component: Component, quantities: Quantities, log: Log, step: float | None = None
) -> Written:
    """The ComponentClass element; its name is still to be set. Raises ModelError X3xx, R12x."""
    prepared = prepare(component, log, step)
    return _Class(prepared, quantities, log).run()


@dataclass(slots=True)
class _Class:
    prepared: Prepared
    quantities: Quantities
    log: Log
    symbols: Names = field(default_factory=Names)
    regimes: Names = field(default_factory=lambda: Names(exact=True))
    names: dict[str, str] = field(default_factory=dict)
    sends: dict[str, str] = field(default_factory=dict)
    carried: dict[tuple[str, str], str] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)

    @property
    def component(self) -> Component:
        """The flat component."""
        return self.prepared.component

    @property
    def helpers(self) -> set[str]:
        """States that only keep a value during a transition, whose assignments NineML makes at once."""
        return set(self.component.extras.get(HELPERS, "").split())

    def run(self) -> Written:
        """Names first, then each part."""
        self.name_all()
        used = self.used()
        exposed, extra = self.exposures()
        node = Node("ComponentClass", {"name": ""})
        component = self.component
        for item in component.parameters:
            if item.name in used:
                node.add(self.declared("Parameter", item.name, item))
        node.add(*self.ports(exposed))
        dynamics = Node("Dynamics")
        for state in component.state_variables:
            if state.name not in self.helpers:
                dynamics.add(self.declared("StateVariable", state.name, state))
        aliases, own = self.aliases()
        for regime in self.prepared.regimes:
            dynamics.add(self.regime(regime, own[regime.name]))
        dynamics.add(*aliases, *extra)
        for constant in self.prepared.constants:
            if constant.name in used:
                value, symbol = self.quantities.quantity(constant.value)
                attributes: dict[str, Value] = {"name": self.names[constant.name], "units": symbol}
                dynamics.add(Node("Constant", attributes, body=value))
        node.add(dynamics)
        annotations = self.annotations(used)
        if annotations.children:
            node.add(annotations)
        self.note_unused(used)
        receives = {i.name: self.names[i.name] for i in component.analog_inputs}
        receives |= {p.name: self.input_port(p.name) for p in component.event_inputs}
        sends = dict(self.shown) | {name: self.sends[name] for name in self.sent()}
        return Written(node, self.prepared, dict(self.names), used, sends, receives)

    def name_all(self) -> None:
        """Names of everything, in the order of the component."""
        component = self.component
        symbols = [
            *(p.name for p in component.parameters), *(c.name for c in component.constants),
            *(s.name for s in component.state_variables),
            *(i.name for i in component.analog_inputs),
            *(d.name for d in self.prepared.aliases),
            *(d.name for r in self.prepared.regimes for d in r.derived_variables),
            *(c.name for c in self.prepared.constants),
        ]  # fmt: skip
        for name in dict.fromkeys(symbols):
            self.names[name] = self.symbols.get(name)
        number = sum(bool(port.payload) for port in component.event_inputs)
        for port in component.event_inputs:
            self.symbols.get(port.name, f"port {port.name}")
            for name in port.payload:
                wanted = name if number == 1 else f"{name}_{port.name}"
                self.carried[port.name, name] = self.symbols.get(wanted, f"{name} of {port.name}")
        sends = Names()
        for port in component.event_outputs:
            self.sends[port.name] = sends.get(port.name)
        # the library finds things by name only: a regime may not be called as a quantity or a port
        self.regimes.taken |= {*self.symbols.given.values(), *self.sends.values()}
        for regime in self.prepared.regimes:
            self.regimes.get(regime.name)
        changed = {old: new for old, new in self.names.items() if old != new}
        if changed:
            pairs = ", ".join(f"'{old}' is '{new}'" for old, new in list(changed.items())[:8])
            message = f"names of '{component.name}' that NineML does not take were changed: {pairs}"
            self.log.add("X320", Level.NOTE, message, component.span)

    def input_port(self, name: str) -> str:
        """The name of an event receive port."""
        return self.symbols.get(name, f"port {name}")

    def exprs(self) -> list[Expr]:
        """Every expression that is written."""
        found = [a.value for a in self.prepared.aliases]
        for regime in self.prepared.regimes:
            found += [o.rhs for o in regime.odes] + [d.value for d in regime.derived_variables]
            found += [c.test for c in regime.on_conditions]
        for body in self.bodies():
            found += [item.value for item in body if isinstance(item, Assign)]
        return found

    def used(self) -> set[str]:
        """Names that occur; a parameter that nothing uses is an error to NineML."""
        found = {name for expr in self.exprs() for name in free_names(expr)}
        return found | {item.variable for item in self.component.exposures}

    def note_unused(self, used: set[str]) -> None:
        """Say which parameters are left out."""
        unused = [p.name for p in self.component.parameters if p.name not in used]
        if unused:
            message = (
                f"'{self.component.name}' does not use {', '.join(unused)}; NineML takes no "
                "parameter that is not used"
            )
            self.log.add("X321", Level.NOTE, message, self.component.span)

    def declared(self, tag: str, name: str, item: Parameter | StateVariable | AnalogInput) -> Node:
        """An element with name and dimension."""
        dimension = self.quantities.dimension(item.dimension)
        return Node(tag, {"name": self.names[name], "dimension": dimension})

    def exposures(self) -> tuple[list[tuple[str, str]], list[Node]]:
        """Analog send ports as (name, dimension), and aliases for those that show something else."""
        component = self.component
        shown = {s.name for s in component.state_variables} | {
            a.name for a in self.prepared.aliases
        }
        shown |= {d.name for r in self.prepared.regimes for d in r.derived_variables}
        dimensions = {i.name: i.dimension for i in component.parameters}
        dimensions.update({i.name: i.dimension for i in component.constants})
        dimensions.update({i.name: i.dimension for i in component.state_variables})
        dimensions.update({i.name: i.dimension for i in component.analog_inputs})
        dimensions.update({i.name: i.dimension for i in self.prepared.aliases})
        for regime in self.prepared.regimes:
            dimensions.update({d.name: d.dimension for d in regime.derived_variables})
        ports: dict[str, str] = {}
        extra: list[Node] = []
        for item in component.exposures:
            dimension = self.quantities.dimension(dimensions.get(item.variable, item.dimension))
            if item.name == item.variable and item.variable in shown:
                ports[self.names[item.variable]] = dimension
                self.shown[item.name] = self.names[item.variable]
                continue
            name = self.symbols.get(item.name, f"exposure {item.name}")
            math = Node("MathInline", body=self.names[item.variable])
            extra.append(Node("Alias", {"name": name}).add(math))
            ports[name] = dimension
            self.shown[item.name] = name
        return list(ports.items()), extra

    def ports(self, exposed: list[tuple[str, str]]) -> list[Node]:
        """All ports, each kind together."""
        component = self.component
        found: list[Node] = []
        for item in component.analog_inputs:
            if item.reduce:
                node = self.declared("AnalogReducePort", item.name, item)
                node.attributes["operator"] = "+"
                found.append(node)
            else:
                found.append(self.declared("AnalogReceivePort", item.name, item))
        for name in self.carried.values():
            dimension = self.quantities.dimension(PURE.dimension)
            found.append(Node("AnalogReceivePort", {"name": name, "dimension": dimension}))
        handled = {e.port for regime in self.prepared.regimes for e in regime.on_events}
        for port in component.event_inputs:
            if port.name in handled:
                found.append(Node("EventReceivePort", {"name": self.input_port(port.name)}))
        for name, dimension in exposed:
            found.append(Node("AnalogSendPort", {"name": name, "dimension": dimension}))
        sent = self.sent()
        for port in component.event_outputs:
            if port.name in sent:
                found.append(Node("EventSendPort", {"name": self.sends[port.name]}))
        return found

    def sent(self) -> set[str]:
        """Ports from which events leave."""
        return {item.port for body in self.bodies() for item in body if isinstance(item, Emit)}

    def bodies(self) -> Iterator[tuple[Statement, ...]]:
        """The bodies of all transitions."""
        for regime in self.prepared.regimes:
            yield from (condition.body for condition in regime.on_conditions)
            yield from (event.body for event in regime.on_events)

    def aliases(self) -> tuple[list[Node], dict[str, list[DerivedVariable]]]:
        """Aliases of the class; those that regimes redefine stand in the class as at the start."""
        start = next(r for r in self.prepared.regimes if r.initial)
        shared: dict[str, Expr] = {a.name: a.value for a in self.prepared.aliases}
        for regime in (start, *self.prepared.regimes):
            for item in regime.derived_variables:
                shared.setdefault(item.name, item.value)
        own = {
            regime.name: [d for d in regime.derived_variables if shared[d.name] != d.value]
            for regime in self.prepared.regimes
        }
        return [self.alias(name, value) for name, value in shared.items()], own

    def alias(self, name: str, value: Expr) -> Node:
        """One alias."""
        return Node("Alias", {"name": self.names[name]}).add(self.math(value))

    def math(self, expr: Expr) -> Node:
        """A MathInline element."""
        return Node("MathInline", body=math_text(expr, self.names))

    def regime(self, regime: Regime, own: list[DerivedVariable]) -> Node:
        """One regime; handlers of one port, and conditions of one trigger, are joined."""
        node = Node("Regime", {"name": self.regimes.get(regime.name)})
        for ode in regime.odes:
            derivative = Node("TimeDerivative", {"variable": self.names[ode.variable]})
            node.add(derivative.add(self.math(ode.rhs)))
        shared = {a.name: a.value for a in self.prepared.aliases}
        aliases = shared | {d.name: d.value for d in regime.derived_variables}
        tests: dict[str, OnCondition] = {}
        for item in regime.on_conditions:
            if isinstance(item.test, Number):  # never true: what always is was refused
                continue
            key = math_text(_upright(item.test), self.names)
            known = tests.get(key)
            body = (*known.body, *item.body) if known else item.body
            tests[key] = OnCondition(test=known.test if known else item.test, body=body)
        for condition in tests.values():
            transition = self.transition("OnCondition", condition, regime, aliases)
            transition.children.insert(0, Node("Trigger").add(self.math(condition.test)))
            node.add(transition)
        ports: dict[str, OnEvent] = {}
        for event in sorted(regime.on_events, key=lambda e: -e.priority):
            before = ports.get(event.port)
            joined = (*before.body, *event.body) if before else event.body
            ports[event.port] = OnEvent(port=event.port, body=joined)
        for port, handler in ports.items():
            transition = self.transition("OnEvent", handler, regime, aliases)
            transition.attributes = {"port": self.input_port(port), **transition.attributes}
            node.add(transition)
        return node.add(*(self.alias(d.name, d.value) for d in own))

    def transition(
        self, tag: str, item: OnCondition | OnEvent, regime: Regime, aliases: Mapping[str, Expr]
    ) -> Node:
        """Assignments, events and the target, which is always written."""
        found = simultaneous(item.body, aliases, self.component.name, self.log)
        names = dict(self.names)
        if isinstance(item, OnEvent):
            names |= {n: own for (port, n), own in self.carried.items() if port == item.port}
        target = self.regimes.get(found.regime or regime.name)
        node = Node(tag, {"target_regime": target})
        for name, value in found.assignments.items():
            if name in self.helpers:
                continue
            assignment = Node("StateAssignment", {"variable": self.names[name]})
            math = Node("MathInline", body=math_text(value, names))
            node.add(assignment.add(math))
        return node.add(*(Node("OutputEvent", {"port": self.sends[p]}) for p in found.events))

    def annotations(self, used: set[str]) -> Node:
        """Everybody's, and ours for what NineML has no word for."""
        component = self.component
        node = foreign(component.extras.get(ANNOTATIONS, ""))
        ours: dict[str, Value] = {}
        if len(self.prepared.regimes) > 1:
            start = next(r for r in self.prepared.regimes if r.initial)
            ours["initial_regime"] = self.regimes.get(start.name)
        if self.carried:
            pairs = [f"{self.input_port(p)}={own}={n}" for (p, n), own in self.carried.items()]
            ours["payload"] = " ".join(pairs)
        signs = [f"{self.input_port(p.name)}={p.sign}" for p in component.event_inputs if p.sign]
        if signs:
            ours["signs"] = " ".join(signs)
        if component.description:
            ours["description"] = component.description
        for state in component.state_variables:
            initial = state.initial
            if initial is None or isinstance(initial, Number) or is_random(initial):
                continue
            states = {item.name for item in component.state_variables}
            if free_names(initial) <= used | states:
                ours[f"initial_{self.names[state.name]}"] = print_expr(
                    _renamed(initial, self.names)
                )
        described = self.descriptions(used)
        if ours or described:
            node.add(Node(BRANCH, {"@namespace": OURS, **ours}).add(*described))
        return node

    def descriptions(self, used: set[str]) -> list[Node]:
        """What is said of parameters, states, constants and aliases, by their names in the document."""
        original = self.prepared.original
        items = (*statics(original), *original.state_variables, *original.derived_variables)
        return [
            Node("Note", {"key": f"{DESCRIBES}{self.names[item.name]}", "value": item.description})
            for item in items
            if item.description and item.name in self.names
            and (item.name in used or not isinstance(item, Parameter | Constant))
        ]  # fmt: skip


def _renamed(expr: Expr, names: Mapping[str, str]) -> Expr:
    from ...canonical_model.expr import rename

    return rename(expr, names)


def _upright(test: Expr) -> Expr:
    """A trigger in the form in which equal ones are seen: the lesser side first."""
    match test:
        case Binary(">" | ">=", left, right):
            return Binary("<", right, left)
        case _:
            return rebuild(test, _upright)


def foreign(text: str) -> Node:
    """Annotations that the importer kept as JSON, as elements again."""
    node = Node("Annotations")
    if text:
        for tag, items in json.loads(text).items():
            node.add(*(_branch(tag, item) for item in items))
    return node


def _branch(tag: str, item: object) -> Node:
    node = Node(tag)
    if isinstance(item, dict):
        for key, value in item.items():
            if isinstance(value, list):
                node.add(*(_branch(key, inner) for inner in value))
            elif key == "@body":
                node.body = value
            else:
                node.attributes[key] = value
    return node


__all__ = ["Written", "foreign", "write_class"]
