"""A canonical model as one NineML document."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field

from ...canonical_model.diagnostics import Level, Log, refuse
from ...canonical_model.model import Component, Model, Provenance
from ...canonical_model.passes.linked import link_attachments
from ...canonical_model.units import NONE, Quantity, si_quantity
from ..artifact import Artifact
from .dynamics import Written, foreign
from .joined import AnyClass, Joined, synapse_ports, write_any, write_joined_class, write_values
from .markup import Node, to_json, to_xml, to_yaml
from .names import Names
from .quantities import Quantities
from .values import DISTRIBUTIONS, LIBRARY, Given, Values, kept_values

CLASS = "nineml.class"
VALUES = "nineml.values"
LIBRARY_NOTE = "library="


def export_yaml(
    model: Model, *, scheme: str, step: float, source: Provenance, log: Log, name: str
) -> tuple[Artifact, ...]:
    """`<name>.yml`; `step` is what programs count in. Raises ModelError X3xx, R12x."""
    return _export(model, step, log, f"{name}.yml", to_yaml)


def export_xml(
    model: Model, *, scheme: str, step: float, source: Provenance, log: Log, name: str
) -> tuple[Artifact, ...]:
    """`<name>.xml`; as `export_yaml`."""
    return _export(model, step, log, f"{name}.xml", to_xml)


def export_json(
    model: Model, *, scheme: str, step: float, source: Provenance, log: Log, name: str
) -> tuple[Artifact, ...]:
    """`<name>.json`; as `export_yaml`."""
    return _export(model, step, log, f"{name}.json", to_json)


def _export(
    model: Model, step: float, log: Log, path: str, write: Callable[[Node], bytes]
) -> tuple[Artifact, ...]:
    return (Artifact(path, write(write_document(model, log, step))),)


@dataclass(slots=True)
class Document:
    """What has been written so far; `step` is what programs count in."""

    log: Log
    step: float | None = None
    names: Names = field(default_factory=lambda: Names(exact=True))
    classes: list[Node] = field(default_factory=list)
    components: list[Node] = field(default_factory=list)
    written: dict[str, AnyClass] = field(default_factory=dict)
    valued: set[str] = field(default_factory=set)
    in_network: set[str] = field(default_factory=set)
    component_names: dict[str, str] = field(default_factory=dict)
    model_components: dict[str, Component] = field(default_factory=dict)
    class_names: set[str] = field(default_factory=set)  # of components of the model
    made: int = 0
    quantities: Quantities = field(init=False)

    def __post_init__(self) -> None:
        self.quantities = Quantities(self.names)

    def add(self, component: Component) -> None:
        """A component: its class, which an equal one may have written, and its values."""
        written = write_any(component, self)
        self.written[component.name] = written
        is_lone = component.name not in self.in_network  # populations say what their cells have
        if isinstance(written, Joined) and synapse_ports(written.assembly) and not is_lone:
            return  # projections write response and plasticity
        wanted = component.extras.get(CLASS, "")
        values = None
        parameters, initial = kept_values(component.extras.get(VALUES, "") if is_lone else "")
        open_ones = [p.name for p in written.parameters() if p.value is None]
        missing = [name for name in open_ones if name not in parameters]
        if missing and is_lone:
            has_others = any(p.value is not None for p in written.parameters())
            if has_others:
                message = (
                    f"'{component.name}' has no value for {', '.join(missing)}: only its class is "
                    "written"
                )
                self.log.add("X324", Level.DROPPED, message, component.span)
        elif not missing and (is_lone or VALUES not in component.extras):
            values = self.values_node(component, parameters, initial)
        is_bare = values is None or (not _says_more(values) and wanted == component.name)
        if is_bare and not missing:
            wanted = component.name
        wanted = wanted or f"{component.name}Dynamics"
        if isinstance(written, Written):
            written.class_name = self.class_name(written.node, wanted)
        elif is_bare and is_lone:
            write_joined_class(self, written, wanted)
        if values is None or is_bare:
            return
        name = self.component_names.get(component.name)
        if name is None:
            # the class has taken the name
            name = self.names.get(f"{component.name}_default", f"component {component.name}")
            self.component_names[component.name] = name
        values.attributes["name"] = name
        if isinstance(written, Written):
            values.children[0].body = written.class_name
        self.valued.add(component.name)
        self.components.append(values)

    def values_node(
        self,
        component: Component,
        parameters: Given,
        initial: Given,
    ) -> Node:
        """A Component element without a name; arrays hold one SI value for each instance."""
        return self.values_of(self.written[component.name], component, parameters, initial)

    def values_of(
        self, written: AnyClass, component: Component, parameters: Given, initial: Given
    ) -> Node:
        """The same for a class that is not the document's own."""
        if isinstance(written, Joined):
            return write_values(self, written, component, parameters, initial)
        writer = Values(
            component, written, self.quantities, self.log, self.random
        )  # fmt: skip
        return writer.node(parameters, initial)

    def unique(self, wanted: str) -> str:
        """A name for something that nobody asks for by name."""
        self.made += 1
        return self.names.get(wanted, f"made {self.made}")

    def random(
        self, tag: str, name: str, kind: str, args: tuple[float, ...], unit: Quantity
    ) -> Node:
        """A value that is drawn for each instance. Raises ModelError X326 for a unit that is no power
        of ten, since then the drawn numbers would have to be other ones."""
        value, symbol = self.quantities.quantity(unit)
        if value != 1.0 or unit.unit.offset:
            raise refuse("X326", f"the drawn values of '{name}' are in a unit that NineML lacks")
        plain = self.quantities.quantity(si_quantity(1.0, NONE))[1]
        inner = Node("Component", {"name": self.unique(f"drawn_{name}")})
        inner.add(Node("Definition", body=self.distribution(kind)))
        for parameter, number in zip(DISTRIBUTIONS[kind], args, strict=True):
            single = Node("SingleValue", body=number)
            inner.add(Node("Property", {"name": parameter, "units": plain}).add(single))
        self.components.append(inner)
        reference = Node("Reference", body=inner.attributes["name"])
        drawn = Node("RandomDistributionValue").add(reference)
        return Node(tag, {"name": name, "units": symbol}).add(drawn)

    def distribution(self, kind: str) -> str:
        """The name of the class of a random distribution, made once."""
        key = f"distribution {kind}"
        is_new = key not in self.names.given
        name = self.names.get(f"{kind.title()}Distribution", key)
        if is_new:
            node = Node("ComponentClass", {"name": name})
            dimension = self.quantities.dimension(NONE)
            for parameter in DISTRIBUTIONS[kind]:
                node.add(Node("Parameter", {"name": parameter, "dimension": dimension}))
            node.add(Node("RandomDistribution", {"standard_library": LIBRARY + kind}))
            self.classes.append(node)
        return name

    def library(self, name: str, kind: str, url: str, parameters: list[str]) -> None:
        """A rule or distribution of the source that nothing uses, unless one of its name was made."""
        if any(known.attributes["name"] == name for known in self.classes):
            return
        node = Node("ComponentClass", {"name": self.names.get(name, f"library {name}")})
        dimension = self.quantities.dimension(NONE) if parameters else ""
        for item in parameters:
            node.add(Node("Parameter", {"name": item, "dimension": dimension}))
        tag = {"rule": "ConnectionRule", "distribution": "RandomDistribution"}[kind]
        self.classes.append(node.add(Node(tag, {"standard_library": url})))

    def class_name(self, node: Node, wanted: str) -> str:
        """The name of an equal class, or of a new one."""
        for known in self.classes:
            other = copy.deepcopy(known)
            other.attributes["name"] = ""
            if (
                other == node
                and self.names.given.get(f"class {wanted}") == known.attributes["name"]
            ):
                return str(known.attributes["name"])
        key = f"class {wanted}"
        number = 2
        while key in self.names.given:
            key, number = f"class {wanted} {number}", number + 1
        name = self.names.get(wanted, key)
        node.attributes["name"] = name
        self.classes.append(node)
        return name


def _says_more(values: Node) -> bool:
    """Does a component say more than its class?"""
    own = values.children[1:]
    return bool(own) or values.tag == "MultiDynamicsProperties"


def write_document(model: Model, log: Log, step: float | None = None) -> Node:
    """The whole document. Raises ModelError X300 where nothing can be written."""
    document = Document(log, step)
    model = link_attachments(model, log)
    libraries = [note for note in model.provenance.notes if note.startswith(LIBRARY_NOTE)]
    if not model.components and not libraries:
        raise refuse("X300", "the model has no component that NineML could hold")
    network = model.network
    if network is not None:
        document.in_network.update(p.component for p in network.populations)
        document.in_network.update(p.synapse for p in network.projections)
    # names of components are what a reader asks for: they get theirs first
    for component in model.components:
        if component.extras.get(CLASS) != component.name:
            key = f"component {component.name}"
            document.component_names[component.name] = document.names.get(component.name, key)
        document.model_components[component.name] = component
        document.class_names.add(component.extras.get(CLASS, component.name))
        values = [item.value for item in component.parameters if item.value is not None]
        for value in (*values, *(item.value for item in component.constants)):
            document.quantities.prefer(value.unit)
    for component in model.components:
        with log.gather():
            document.add(component)
    log.stop_on_error()
    # parts are written before what is joined from them; the model's own order counts
    places = {document.written[c.name].class_name: k for k, c in enumerate(model.components)}
    document.classes.sort(key=lambda node: places.get(str(node.attributes["name"]), len(places)))
    root = Node("NineML")
    if network is not None:
        from .network import write_network

        root.add(*write_network(model, document))
    order = {name: k for k, name in enumerate(document.model_components)}
    document.components.sort(key=lambda node: order.get(str(node.attributes["name"]), len(order)))
    for note in libraries:
        document.library(*json.loads(note.removeprefix(LIBRARY_NOTE)))
    root.add(*document.classes, *document.components, *document.quantities.nodes())
    for note in model.provenance.notes:
        if note.startswith("annotations="):
            root.children.insert(0, foreign(note.removeprefix("annotations=")))
    return root
