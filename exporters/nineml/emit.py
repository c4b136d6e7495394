"""A canonical model as one NineML document."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field

from ...canonical_model.diagnostics import Log, refuse
from ...canonical_model.model import Component, Model, Provenance
from ..artifact import Artifact
from .dynamics import Written, foreign, write_class, write_values
from .markup import Node, to_json, to_xml, to_yaml
from .names import Names
from .quantities import Quantities

CLASS = "nineml.class"


def export_yaml(
    model: Model, *, scheme: str, step: float, source: Provenance, log: Log, name: str
) -> tuple[Artifact, ...]:
    """`<name>.yml`. NineML holds no solver and no step. Raises ModelError X3xx, R12x."""
    return _export(model, log, f"{name}.yml", to_yaml)


def export_xml(
    model: Model, *, scheme: str, step: float, source: Provenance, log: Log, name: str
) -> tuple[Artifact, ...]:
    """`<name>.xml`; as `export_yaml`."""
    return _export(model, log, f"{name}.xml", to_xml)


def export_json(
    model: Model, *, scheme: str, step: float, source: Provenance, log: Log, name: str
) -> tuple[Artifact, ...]:
    """`<name>.json`; as `export_yaml`."""
    return _export(model, log, f"{name}.json", to_json)


def _export(
    model: Model, log: Log, path: str, write: Callable[[Node], bytes]
) -> tuple[Artifact, ...]:
    return (Artifact(path, write(write_document(model, log))),)


@dataclass(slots=True)
class Document:
    """What has been written so far."""

    log: Log
    names: Names = field(default_factory=lambda: Names(exact=True))
    classes: list[Node] = field(default_factory=list)
    components: list[Node] = field(default_factory=list)
    written: dict[str, Written] = field(default_factory=dict)
    component_names: dict[str, str] = field(default_factory=dict)
    quantities: Quantities = field(init=False)

    def __post_init__(self) -> None:
        self.quantities = Quantities(self.names)

    def add(self, component: Component) -> None:
        """A component: its class, which an equal one may have written, and its values."""
        written = write_class(component, self.quantities, self.log)
        values = write_values(component, written, "", "", self.quantities, self.log)
        wanted = component.extras.get(CLASS, "")
        is_bare = values is None or (not values.children[1:] and wanted == component.name)
        wanted = component.name if is_bare else wanted or f"{component.name}Dynamics"
        name = self.class_name(written.node, wanted)
        self.written[component.name] = written
        if values is None or is_bare:
            return
        values.attributes["name"] = self.component_names[component.name]
        values.children[0].body = name
        self.components.append(values)

    def class_name(self, node: Node, wanted: str) -> str:
        """The name of an equal class, or of a new one."""
        for known in self.classes:
            other = copy.deepcopy(known)
            other.attributes["name"] = ""
            if other == node and self.names.given.get(f"class {wanted}") == known.attributes["name"]:
                return str(known.attributes["name"])
        key = f"class {wanted}"
        number = 2
        while key in self.names.given:
            key, number = f"class {wanted} {number}", number + 1
        name = self.names.get(wanted, key)
        node.attributes["name"] = name
        self.classes.append(node)
        return name


def write_document(model: Model, log: Log) -> Node:
    """The whole document. Raises ModelError X300 where nothing can be written."""
    document = Document(log)
    if not model.components:
        raise refuse("X300", "the model has no component that NineML could hold")
    # names of components are what a reader asks for: they get theirs first
    bare = [c.name for c in model.components if c.extras.get(CLASS) == c.name]
    for component in model.components:
        if component.name not in bare:
            key = f"component {component.name}"
            document.component_names[component.name] = document.names.get(component.name, key)
        else:
            document.component_names[component.name] = component.name
    for component in model.components:
        with log.gather():
            document.add(component)
    log.stop_on_error()
    root = Node("NineML")
    if model.network is not None:
        from .network import write_network

        root.add(*write_network(model, document))
    root.add(*document.classes, *document.components, *document.quantities.nodes())
    for note in model.provenance.notes:
        if note.startswith("annotations="):
            root.children.insert(0, foreign(note.removeprefix("annotations=")))
    return root
