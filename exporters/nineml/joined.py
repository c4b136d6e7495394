"""Components that were joined from parts as MultiDynamics again; with values as MultiDynamicsProperties."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from ...canonical_model.assembly import (
    PLASTICITY,
    RESPONSE,
    Assembly,
    assembly_of,
    inside,
    outer,
)
from ...canonical_model.compare import equal
from ...canonical_model.diagnostics import ModelError, refuse
from ...canonical_model.model import Component, Parameter
from .dynamics import ANNOTATIONS, Written, foreign, write_class
from .markup import BRANCH, OURS, Node, Value

if TYPE_CHECKING:
    from .emit import Document
    from .values import Given

CLASS = "nineml.class"


@dataclass(slots=True)
class Joined:
    """What was written of the parts of a component; `class_name` "" where only values are asked for."""

    component: Component
    assembly: Assembly
    parts: dict[str, AnyClass]
    class_name: str = ""

    @property
    def used(self) -> set[str]:
        """Names of quantities that some part uses."""
        return {inside(n, part) for part, written in self.parts.items() for n in written.used}

    def parameters(self) -> list[Parameter]:
        """Those that the classes of the parts declare."""
        names = {
            inside(p.name, part)
            for part, written in self.parts.items()
            for p in written.parameters()
        }
        return [p for p in self.component.parameters if p.name in names]

    def port(self, name: str, sends: bool) -> str | None:
        """The document's name of a port, None if there is none."""
        known = {item.name for item in self.assembly.shown if item.kind.endswith("Send") == sends}
        return name if name in known else None

    def part_port(self, part: str, name: str, sends: bool) -> str:
        """The document's name of a part's port. Raises ModelError X332 where the class does not have it."""
        found = self.parts[part].port(name, sends)
        if found is None:
            message = f"the port '{name}' of '{part}' in '{self.component.name}' is not written"
            raise refuse("X332", message, self.component.span)
        return found


AnyClass: TypeAlias = Written | Joined


def write_any(component: Component, document: Document) -> AnyClass:
    """A class, of parts where they are known. Raises ModelError as `write_class` does."""
    assembly = assembly_of(component)
    if assembly is not None:
        try:
            return _joined(component, assembly, document)
        except ModelError:
            # what the whole can do a part alone may not: it is written as one
            pass
    return write_class(component, document.quantities, document.log, document.step)


def _joined(component: Component, assembly: Assembly, document: Document) -> Joined:
    parts = {}
    for name, part, _ in assembly.filled(component):
        parts[name] = written = write_any(part, document)
        if isinstance(written, Written):
            wanted = part.extras.get(CLASS, name)
            node = written.node if wanted in document.class_names else as_part(written.node)
            written.class_name = document.class_name(node, wanted)
    found = Joined(component, assembly, parts)
    _connections(found)
    return found


def write_joined_class(document: Document, written: Joined, wanted: str) -> None:
    """The MultiDynamics element, after those of its parts."""
    node = Node("MultiDynamics", {"name": ""})
    for name, part in written.parts.items():
        if isinstance(part, Joined):
            write_joined_class(document, part, part.component.extras.get(CLASS, name))
        reference = Node("Reference", body=part.class_name)
        node.add(Node("SubDynamics", {"name": name}).add(reference))
    node.add(*_connections(written), *_notes(written.component))
    if wanted not in document.class_names:
        as_part(node)
    written.class_name = document.class_name(node, wanted)


def _connections(written: Joined) -> list[Node]:
    """Connections between parts, and the ports of the whole."""
    found = []
    for joint in written.assembly.joints:
        outs = {port.name for port in written.assembly.parts[joint.sender].event_outputs}
        kind = "Event" if joint.send_port in outs else "Analog"
        found.append(
            Node(f"{kind}PortConnection", {
                "sender_name": joint.sender, "receiver_name": joint.receiver,
                "send_port": written.part_port(joint.sender, joint.send_port, True),
                "receive_port": written.part_port(joint.receiver, joint.receive_port, False),
            })
        )  # fmt: skip
    for item in written.assembly.shown:
        port = written.part_port(item.part, item.port, item.kind.endswith("Send"))
        attributes: dict[str, Value] = {
            "name": item.name, "sub_component": item.part, "port": port
        }  # fmt: skip
        found.append(Node(f"{item.kind}PortExposure", attributes))
    return found


def write_values(
    document: Document, written: Joined, component: Component, parameters: Given, initial: Given
) -> Node:
    """MultiDynamicsProperties without a name; parts have components of their own."""
    node = Node("MultiDynamicsProperties", {"name": ""})
    for name, values in part_values(document, written, component, parameters, initial):
        node.add(Node("SubDynamicsProperties", {"name": name}).add(values))
    node.add(*_connections(written))
    return node.add(*_notes(component, component.extras.get(CLASS, "")))


def part_values(
    document: Document, written: Joined, component: Component, parameters: Given, initial: Given
) -> Iterator[tuple[str, Node]]:
    """Each part with a reference to its component: one of the model, or one that is made for it."""
    for name, part, names in written.assembly.filled(component):
        own = [
            {n: given[flat] for n, flat in names.items() if flat in given}
            for given in (parameters, initial)
        ]
        known = None if any(own) else _equal_one(document, part)
        if known is None:
            values = document.values_of(written.parts[name], part, *own)
            known = document.unique(f"{component.name}_{name}")
            values.attributes["name"] = known
            document.components.append(as_part(values))
        yield name, Node("Reference", body=known)


def as_part(values: Node) -> Node:
    """A component or class marked as one that is nothing but a part."""
    last = values.children[-1]
    notes = last if last.tag == "Annotations" else Node("Annotations")
    if notes is not last:
        values.add(notes)
    notes.add(Node(BRANCH, {"@namespace": OURS, "part": "yes"}))
    return values


def synapse_ports(assembly: Assembly) -> dict[str, tuple[str, str]] | None:
    """Role and port behind each port of a response that was joined with a plasticity; None for others."""
    found = {item.name: (item.part, item.port) for item in assembly.shown}
    is_synapse = list(assembly.parts) == [RESPONSE, PLASTICITY] and all(
        name == outer(*ends) for name, ends in found.items()
    )
    return found if is_synapse else None


def _equal_one(document: Document, part: Component) -> str | None:
    """The name of a component of the document that is the same as a part."""
    for item, name in document.component_names.items():
        if equal(replace(document.model_components[item], name=""), part):
            return name
    return None


def _notes(component: Component, class_name: str = "") -> list[Node]:
    """Everybody's annotations, and what the whole is called without values, which has no other place."""
    node = foreign(component.extras.get(ANNOTATIONS, ""))
    ours = {"class": class_name, "description": component.description}
    if any(ours.values()):
        kept = {name: text for name, text in ours.items() if text}
        node.add(Node(BRANCH, {"@namespace": OURS, **kept}))
    return [node] if node.children else []


__all__ = [
    "AnyClass",
    "Joined",
    "as_part",
    "part_values",
    "synapse_ports",
    "write_any",
    "write_values",
]
