"""Networks as NineML's user layer: populations, projections with explicit connections."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...canonical_model.diagnostics import Level, refuse
from ...canonical_model.model import Component, Model
from ...canonical_model.network import Network, Population, Projection
from ...canonical_model.units import NONE, Dimension, Unit, si_quantity
from .markup import Node

if TYPE_CHECKING:
    from ...canonical_model.network import Floats
    from .emit import Document

RULES = "http://nineml.net/9ML/1.0/connectionrules/"
MAX_CONNECTIONS = 2_000_000  # each is two lines of text
FROMS = {"pre": "FromSource", "post": "FromDestination", "synapse": "FromResponse"}


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
        for projection in self.network.projections:
            found.append(self.projection(projection))
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
        cell = self.cell(item.component, item.parameters, item.initial, f"{item.name}_cells")
        return Node("Population", {"name": name}).add(
            Node("Size", body=item.size), Node("Cell").add(Node("Reference", body=cell))
        )

    def cell(
        self,
        owner: str,
        parameters: dict[str, Floats] | object,
        initial: dict[str, Floats] | object,
        wanted: str,
    ) -> str:
        """The name of a component with these values for each instance."""
        assert isinstance(parameters, dict) and isinstance(initial, dict)
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
        base = self.document.values_node(component, parameters, initial)
        base.attributes["name"] = self.document.names.get(wanted, f"cells {wanted}")
        self.components.append(base)
        return str(base.attributes["name"])

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

    def projection(self, item: Projection) -> Node:
        """A projection with links; whatever joins no synapse gets an empty response."""
        name = self.document.names.get(item.name, f"projection {item.name}")
        if len(item.pre) > MAX_CONNECTIONS:
            message = f"'{item.name}' has {len(item.pre)} connections, too many to be listed"
            raise refuse("X330", message, item.span, hint=f"at most {MAX_CONNECTIONS}")
        weight = item.weight
        if weight is not None and np.any(np.asarray(weight) != 1.0):
            message = f"the weights of '{item.name}' go with the events, which NineML cannot hold"
            raise refuse("X330", message, item.span)
        node = Node("Projection", {"name": name})
        parts = {
            "pre": Node("Source").add(Node("Reference", body=self.populations[item.source])),
            "post": Node("Destination").add(Node("Reference", body=self.populations[item.target])),
        }
        response = Node("Response")
        if item.synapse:
            synapse = self.cell(item.synapse, dict(item.parameters), dict(item.initial),
                                f"{item.name}_synapses")  # fmt: skip
        else:
            synapse = self.helper("NoResponse")
        parts["synapse"] = response.add(Node("Reference", body=synapse))
        links = [*item.links]
        for link in links:
            attributes = {
                "send_port": self.port(item, link.source, link.source_port, True),
                "receive_port": self.port(item, link.target, link.target_port, False),
            }
            parts[link.target].add(Node(FROMS[link.source], dict(attributes)))
        connectivity = Node("Connectivity").add(
            Node("Reference", body=self.connections(item, name))
        )
        node.add(parts["pre"], parts["post"], connectivity, parts["synapse"])
        node.add(self.delay(item))
        return node

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
        else:
            if kind == "Explicit":
                dimension = self.document.quantities.dimension(NONE)
                for key in ("destinationIndices", "sourceIndices"):
                    node.add(Node("Parameter", {"name": key, "dimension": dimension}))
            node.add(Node("ConnectionRule", {"standard_library": RULES + kind}))
        self.document.classes.append(node)
        class_name = str(node.attributes["name"])
        if kind == "Explicit":
            self.helpers[kind] = class_name
            return class_name
        name = names.get(f"{class_name}_instance", f"helper component {kind}")
        component = Node("Component", {"name": name}).add(Node("Definition", body=class_name))
        self.components.append(component)
        self.helpers[kind] = name
        return name


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
