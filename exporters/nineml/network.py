"""Networks as NineML's user layer: populations, projections with rules or with explicit connections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from ...canonical_model.assembly import PLASTICITY, RESPONSE
from ...canonical_model.diagnostics import Level, refuse
from ...canonical_model.model import Component, Model
from ...canonical_model.network import Network, Population, Projection, Rule, Spread
from ...canonical_model.rules import FIXED, share
from ...canonical_model.units import NONE, Dimension, Quantity, Unit, si_quantity
from .joined import Joined, as_part, part_values, synapse_ports
from .markup import BRANCH, OURS, Node, Value
from .values import Given, drawn_from, kept_values

if TYPE_CHECKING:
    from .emit import Document

RULES = "http://nineml.net/9ML/1.0/connectionrules/"
MAX_CONNECTIONS = 2_000_000  # each is two lines of text
RULE_NAMES: Mapping[str, str] = {
    "all_to_all": "AllToAll",
    "one_to_one": "OneToOne",
    "probabilistic": "Probabilistic",
    "fan_in": "RandomFanIn",
    "fan_out": "RandomFanOut",
}
PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "Explicit": ("destinationIndices", "sourceIndices"),
    "Probabilistic": ("probability",),
    "RandomFanIn": ("number",),
    "RandomFanOut": ("number",),
}
VALUES = "nineml.values"
FROMS = {
    "pre": "FromSource",
    "post": "FromDestination",
    "synapse": "FromResponse",
    RESPONSE: "FromResponse",
    PLASTICITY: "FromPlasticity",
}


def write_network(model: Model, document: Document) -> list[Node]:
    """Network, Population and Projection elements. Raises ModelError X33x."""
    assert model.network is not None
    return _Writer(model, model.network, document).run()


class _Writer:
    """Writes one network; helper classes and components go to the document."""

    def __init__(self, model: Model, network: Network, document: Document) -> None:
        self.model = model
        self.network = network
        self.document = document
        self.components: list[Node] = []
        self.populations: dict[str, str] = {}
        self.helpers: dict[str, str] = {}

    def run(self) -> list[Node]:
        """The network element first."""
        names = self.document.names
        network = Node("Network", {"name": names.get(self.network.name, "network")})
        found: list[Node] = []
        for population in self.network.populations:
            found.append(self.population(population))
        waiting = list(self.network.projections)
        while waiting:
            item = waiting.pop(0)
            parts = [item, *(p for p in waiting if is_part(p, item))]
            if item.rule is not None and is_whole(self.network, parts):
                waiting = [p for p in waiting if all(p is not part for part in parts)]
                found += self.ruled(item, item.rule)
            else:
                ends = self.populations[item.source], self.populations[item.target]
                found.append(self.projection(self.listed(item), *ends))
        for node in found:
            network.add(Node("Reference", body=node.attributes["name"]))
        self.document.components.extend(self.components)
        experiment = self.network.experiment
        if experiment is not None:
            message = "length, step and recordings have no place in NineML"
            self.document.log.add("X331", Level.DROPPED, message, self.network.span)
        if any(p.positions is not None for p in self.network.populations):
            message = "positions of cells have no place in NineML"
            self.document.log.add("X331", Level.DROPPED, message, self.network.span)
        if any(p.properties for p in self.network.populations):
            message = "properties of populations (colours and the like) have no place in NineML"
            self.document.log.add("X331", Level.DROPPED, message, self.network.span)
        return [network, *found]

    def population(self, item: Population) -> Node:
        """A population; where cells differ it has a component of its own."""
        name = self.document.names.get(item.name, f"population {item.name}")
        self.populations[item.name] = name
        cell = self.cell(
            item.component,
            {**item.parameters, **item.spread_parameters},
            {**item.initial, **self.own_spreads(item)},
            f"{item.name}_cells",
        )
        node = Node("Population", {"name": name})
        spreads = (*item.spread_parameters.values(), *item.spread_initial.values())
        seeds = {spread.seed for spread in spreads} - {1}
        if seeds:
            node.add(_notes({"seed": str(min(seeds))}))
        return node.add(
            Node("Size", body=item.size), Node("Cell").add(Node("Reference", body=cell))
        )

    def own_spreads(self, item: Population) -> dict[str, Spread]:
        """Drawn initial values, without those that the component itself says."""
        states = {s.name: s.initial for s in self.model.component(item.component).state_variables}
        found = {}
        for name, spread in item.spread_initial.items():
            initial = states.get(name)
            drawn = None if initial is None else drawn_from(initial)
            if (
                drawn is None
                or drawn[:2] != (spread.kind, spread.arguments)
                or (drawn[2].si, 0.0) != (spread.scale, spread.offset)
            ):
                found[name] = spread
        return found

    def cell(self, owner: str, parameters: Given, initial: Given, wanted: str) -> str:
        """The name of a component with these values for each instance."""
        component = self.model.component(owner)
        written = self.document.written[owner]
        if not parameters and not initial:
            if owner not in self.document.valued:
                return self.bare(component)
            return self.document.component_names[owner]
        unknown = sorted(parameters.keys() - written.used)
        if unknown:
            message = f"values of {', '.join(unknown)} are left out: nothing in '{owner}' uses them"
            self.document.log.add("X321", Level.NOTE, message, component.span)
        kept = kept_values(component.extras.get(VALUES, ""))
        given = (_as_kept(parameters, kept[0]), _as_kept(initial, kept[1]))
        base = self.document.values_node(component, *given)
        base.attributes["name"] = self.own_name(owner) or self.document.names.get(
            wanted, f"cells {wanted}"
        )
        self.components.append(base)
        return str(base.attributes["name"])

    def own_name(self, owner: str) -> str:
        """The name of a component that has no values but those of its only population or projection."""
        users = [p.component for p in self.network.populations]
        users += {
            (p.rule.key if p.rule else p.name): p.synapse for p in self.network.projections
        }.values()
        is_free = owner not in self.document.valued and users.count(owner) == 1
        return self.document.component_names.get(owner, "") if is_free else ""

    def bare(self, component: Component) -> str:
        """A component for a class that has neither parameters nor initial values."""
        key = f"instance {component.name}"
        is_new = key not in self.document.names.given
        name = self.document.names.get(f"{component.name}_instance", key)
        if is_new:
            node = self.document.values_node(component, {}, {})
            node.attributes["name"] = name
            self.components.append(node)
        return name

    def listed(self, item: Projection) -> Projection:
        """A projection with all its connections. Raises ModelError X330 for too many."""
        count = share(self.network, item)
        if count > MAX_CONNECTIONS:
            message = f"'{item.name}' has {count:.0f} connections, too many to be listed"
            raise refuse("X330", message, item.span, hint=f"at most {MAX_CONNECTIONS}")
        if item.rule is None:
            return item
        from ...canonical_model.draw import drawn

        return drawn(replace(self.network, projections=(item,))).projections[0]

    def ruled(self, item: Projection, rule: Rule) -> list[Node]:
        """A projection with its rule, between selections where it joins several populations."""
        found = []
        ends = []
        for names in (rule.sources, rule.targets):
            written = [self.populations[name] for name in names]
            if len(names) == 1:
                ends.append(written[0])
                continue
            key = f"selection {names}"
            is_new = key not in self.document.names.given
            ends.append(self.document.names.get("_and_".join(written), key))
            if is_new:
                found.append(_selection(ends[-1], written))
        whole = replace(item, name=rule.key or item.name)
        node = self.projection(whole, *ends)
        notes = {"seed": str(rule.seed), "key": rule.key}
        usual = {"seed": "1", "key": str(node.attributes["name"])}
        if notes != usual:
            node.children.insert(0, _notes(notes))
        return [*found, node]

    def projection(self, item: Projection, source: str, target: str) -> Node:
        """A projection with links; whatever joins no synapse gets an empty response."""
        name = self.document.names.get(item.name, f"projection {item.name}")
        rule = item.rule
        if rule is not None and rule.weight is not None:
            message = f"the weights of '{item.name}' go with the events, which NineML cannot hold"
            raise refuse("X330", message, item.span)
        weight = item.weight
        if weight is not None and np.any(np.asarray(weight) != 1.0):
            message = f"the weights of '{item.name}' go with the events, which NineML cannot hold"
            raise refuse("X330", message, item.span)
        node = Node("Projection", {"name": name})
        parts = {
            "pre": Node("Source").add(Node("Reference", body=source)),
            "post": Node("Destination").add(Node("Reference", body=target)),
        }
        response = Node("Response")
        written = self.document.written.get(item.synapse)
        ports = synapse_ports(written.assembly) if isinstance(written, Joined) else None
        parameters: Given = rule.parameters if rule else item.parameters
        initial: Given = rule.initial if rule else item.initial
        if isinstance(written, Joined) and ports is not None:
            parts |= self.response_and_plasticity(item, written, parameters, initial)
            node.add(_notes({"synapse": item.synapse}))
        elif item.synapse:
            synapse = self.cell(item.synapse, parameters, initial, f"{item.name}_synapses")
            parts["synapse"] = response.add(Node("Reference", body=synapse))
        else:
            parts["synapse"] = response.add(Node("Reference", body=self.helper("NoResponse")))
        for link in item.links:
            source, send_port = self.end(item, link.source, link.source_port, True)
            target, receive_port = self.end(item, link.target, link.target_port, False)
            attributes: dict[str, Value] = {"send_port": send_port, "receive_port": receive_port}
            parts[target].add(Node(FROMS[source], attributes))
        joined = self.rule(rule, name) if rule else self.connections(item, name)
        connectivity = Node("Connectivity").add(Node("Reference", body=joined))
        node.add(parts["pre"], parts["post"], connectivity, parts.get("synapse") or parts[RESPONSE])
        node.add(*(part for role, part in parts.items() if role == PLASTICITY))
        spread = rule.delay if rule else None
        node.add(self.spread_delay(spread, item) if spread else self.delay(item))
        return node

    def response_and_plasticity(
        self, item: Projection, written: Joined, parameters: Given, initial: Given
    ) -> dict[str, Node]:
        """Both elements with what joins them."""
        component = self.model.component(item.synapse)
        found = {}
        for role, values in part_values(self.document, written, component, parameters, initial):
            found[role] = Node(role.title()).add(values)
        for joint in written.assembly.joints:
            attributes: dict[str, Value] = {
                "send_port": written.part_port(joint.sender, joint.send_port, True),
                "receive_port": written.part_port(joint.receiver, joint.receive_port, False),
            }  # fmt: skip
            found[joint.receiver].add(Node(FROMS[joint.sender], attributes))
        return found

    def spread_delay(self, spread: Spread, item: Projection) -> Node:
        """A delay for each connection of a rule: one value, an array, or a distribution."""
        time = Dimension(t=1)
        if spread.kind in FIXED:
            symbol = self.document.quantities.unit(Unit("ms", time, 1e-3), -3)
            numbers = [_scaled(value * spread.scale) for value in spread.arguments]
            inner = Node("SingleValue", body=numbers[0])
            body = inner if spread.kind == "constant" else _array(numbers)
            return Node("Delay", {"units": symbol}).add(body)
        unit = Quantity(1.0, Unit("", time, spread.scale, spread.offset))
        node = self.document.random("Delay", "delay", spread.kind, spread.arguments, unit)
        del node.attributes["name"]
        return node

    def rule(self, rule: Rule, name: str) -> str:
        """The component of a rule with its parameter."""
        kind = RULE_NAMES[rule.kind]
        if rule.kind in ("one_to_one", "all_to_all"):
            return self.helper(kind)
        parameter, value = ("number", float(rule.number))
        if rule.kind == "probabilistic":
            parameter, value = "probability", rule.probability
        node = Node("Component", {"name": self.document.names.get(f"{name}_rule", f"rule {name}")})
        node.add(Node("Definition", body=self.helper(kind)))
        symbol = self.document.quantities.quantity(si_quantity(1.0, NONE))[1]
        single = Node("SingleValue", body=value)
        node.add(Node("Property", {"name": parameter, "units": symbol}).add(single))
        self.components.append(node)
        return str(node.attributes["name"])

    def end(self, item: Projection, part: str, name: str, sends: bool) -> tuple[str, str]:
        """The part of the projection that an end of a link is, and the document's name of its port."""
        written = self.document.written.get(item.synapse)
        if part == "synapse" and isinstance(written, Joined):
            ports = synapse_ports(written.assembly)
            if ports is not None:
                role, own = ports[name]
                return role, written.part_port(role, own, sends)
        return part, self.port(item, part, name, sends)

    def port(self, item: Projection, part: str, name: str, sends: bool) -> str:
        """The document's name of a port. Raises ModelError X332 where the class does not have it."""
        if part == "synapse":
            owner = item.synapse
        else:
            owner = self.network.population(item.source if part == "pre" else item.target).component
        found = self.document.written[owner].port(name, sends)
        if found is None:
            message = f"the port '{name}' of '{owner}', which '{item.name}' needs, is not written"
            raise refuse("X332", message, item.span)
        return found

    def delay(self, item: Projection) -> Node:
        """One delay, or one for each connection; always written, zero too."""
        time = Dimension(t=1)
        values = np.zeros(1) if item.delay is None or not len(item.delay) else item.delay
        symbol = self.document.quantities.unit(Unit("ms", time, 1e-3), -3)
        node = Node("Delay", {"units": symbol})
        if np.all(values == values[0]):
            return node.add(Node("SingleValue", body=_scaled(float(values[0]))))
        return node.add(_array([_scaled(float(value)) for value in values]))

    def connections(self, item: Projection, name: str) -> str:
        """A component of the rule that fits: one to one, else explicit."""
        sizes = (
            self.network.population(item.source).size,
            self.network.population(item.target).size,
        )
        order = np.arange(len(item.pre))
        is_identity = sizes[0] == sizes[1] == len(item.pre)
        if is_identity and np.array_equal(item.pre, order) and np.array_equal(item.post, order):
            return self.helper("OneToOne")
        if not len(item.pre):
            message = f"the projection '{item.name}' has no connections, which NineML cannot say"
            raise refuse("X330", message, item.span)
        definition = self.helper("Explicit")
        wanted = f"{name}_connections"
        node = Node("Component", {"name": self.document.names.get(wanted, f"connections {name}")})
        node.add(Node("Definition", body=definition))
        symbol = self.document.quantities.quantity(si_quantity(1.0, NONE))[1]
        for key, values in (("destinationIndices", item.post), ("sourceIndices", item.pre)):
            numbers = [float(value) for value in values]
            node.add(Node("Property", {"name": key, "units": symbol}).add(_array(numbers)))
        self.components.append(node)
        return str(node.attributes["name"])

    def helper(self, kind: str) -> str:
        """The name of a class or component that every network may need, made once."""
        if kind in self.helpers:
            return self.helpers[kind]
        names = self.document.names
        node = Node("ComponentClass", {"name": names.get(kind, f"helper {kind}")})
        if kind == "NoResponse":
            node.add(Node("Dynamics").add(Node("Regime", {"name": "sole"})))
            as_part(node)
        else:
            dimension = self.document.quantities.dimension(NONE) if kind in PARAMETERS else ""
            for key in PARAMETERS.get(kind, ()):
                node.add(Node("Parameter", {"name": key, "dimension": dimension}))
            node.add(Node("ConnectionRule", {"standard_library": RULES + kind}))
        self.document.classes.append(node)
        class_name = str(node.attributes["name"])
        if kind in PARAMETERS:
            self.helpers[kind] = class_name
            return class_name
        name = names.get(f"{class_name}_instance", f"helper component {kind}")
        component = Node("Component", {"name": name}).add(Node("Definition", body=class_name))
        self.components.append(as_part(component) if kind == "NoResponse" else component)
        self.helpers[kind] = name
        return name


def is_part(one: Projection, other: Projection) -> bool:
    """Do two projections follow one rule in the same way?"""
    same_links = (one.links, one.synapse) == (other.links, other.synapse)
    return one.rule is not None and one.rule == other.rule and same_links


def is_whole(network: Network, parts: list[Projection]) -> bool:
    """Do the parts of a rule together make all its connections?"""
    rule = parts[0].rule
    if rule is None:
        return False
    pairs = {(part.source, part.target) for part in parts}
    every = product(rule.sources, rule.targets)
    missing = (replace(parts[0], source=a, target=b) for a, b in every if (a, b) not in pairs)
    return not any(share(network, part) for part in missing)


def _as_kept(given: Given, kept: Given) -> Given:
    """Arrays in the unit of their author, where that is known."""
    from ...canonical_model.draw import values

    found = dict(given)
    for name, spread in kept.items():
        array = given.get(name)
        if not isinstance(array, np.ndarray) or not isinstance(spread, Spread):
            continue
        if spread.kind in FIXED and len(spread.arguments) == len(array):
            is_same = np.array_equal(values(spread, len(array)), array)
            found[name] = spread if is_same else array
    return found


def _notes(notes: Mapping[str, str]) -> Node:
    return Node("Annotations").add(Node(BRANCH, {"@namespace": OURS, **notes}))


def _selection(name: str, populations: list[str]) -> Node:
    chain = Node("Concatenate")
    for index, population in enumerate(populations):
        chain.add(Node("Item", {"index": index}).add(Node("Reference", body=population)))
    return Node("Selection", {"name": name}).add(chain)


def _scaled(seconds: float) -> float:
    """Milliseconds that read back as the same number of seconds."""
    value = seconds * 1e3
    for candidate in (round(value, 12), value):
        if candidate * 1e-3 == seconds:
            return candidate
    return value


def _array(values: list[float]) -> Node:
    rows = (Node("ArrayValueRow", {"index": k, "value": v}) for k, v in enumerate(values))
    return Node("ArrayValue").add(*rows)


__all__ = ["write_network"]
