"""Components that were joined from parts as MultiDynamics again; with values as MultiDynamicsProperties."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from ...canonical_model.assembly import Assembly, assembly_of, inside
from ...canonical_model.compare import equal
from ...canonical_model.diagnostics import ModelError, refuse
from ...canonical_model.model import Component, Parameter
from .dynamics import ANNOTATIONS, Written, foreign, write_class
from .markup import BRANCH, OURS, Node

if TYPE_CHECKING:
    from .emit import Document
    from .values import Given

CLASS = "nineml.class"


@dataclass(slots=True)
class Joined:
    """A MultiDynamics element without its name, and what was written of its parts."""

    node: Node
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
    return write_class(component, document.quantities, document.log)


def _joined(component: Component, assembly: Assembly, document: Document) -> Joined:
    node = Node("MultiDynamics", {"name": ""})
    parts: dict[str, AnyClass] = {}
    for name, part, _ in assembly.filled(component):
        parts[name] = written = write_any(part, document)
        wanted = part.extras.get(CLASS, name)
        written.class_name = document.class_name(written.node, wanted)
        reference = Node("Reference", body=written.class_name)
        node.add(Node("SubDynamics", {"name": name}).add(reference))
    node.add(*_connections(assembly, parts))
    node.add(*_notes(component))
    return Joined(node, component, assembly, parts)


def _connections(assembly: Assembly, parts: dict[str, AnyClass]) -> list[Node]:
    """Connections between parts, and the ports of the whole."""
    found = []
    for joint in assembly.joints:
        sends = parts[joint.sender].port(joint.send_port, True)
        takes = parts[joint.receiver].port(joint.receive_port, False)
        outs = {port.name for port in assembly.parts[joint.sender].event_outputs}
        kind = "Event" if joint.send_port in outs else "Analog"
        found.append(
            Node(f"{kind}PortConnection", {
                "sender_name": joint.sender, "receiver_name": joint.receiver,
                "send_port": _known(sends, joint.send_port),
                "receive_port": _known(takes, joint.receive_port),
            })
        )  # fmt: skip
    for item in assembly.shown:
        port = parts[item.part].port(item.port, item.kind.endswith("Send"))
        found.append(
            Node(f"{item.kind}PortExposure", {
                "name": item.name, "sub_component": item.part, "port": _known(port, item.port),
            })
        )  # fmt: skip
    return found


def _known(port: str | None, wanted: str) -> str:
    """The name of a port. Raises ModelError X332 for one that the part's class does not have."""
    if port is None:
        raise refuse("X332", f"the port '{wanted}' of a part is not written")
    return port


def write_values(
    document: Document, written: Joined, component: Component, parameters: Given, initial: Given
) -> Node:
    """MultiDynamicsProperties without a name; a part is a component of the model, or stands inside."""
    node = Node("MultiDynamicsProperties", {"name": ""})
    for name, part, names in written.assembly.filled(component):
        own = written.parts[name]
        chosen = [
            {n: given[flat] for n, flat in names.items() if flat in given}
            for given in (parameters, initial)
        ]
        known = None if any(chosen) else _equal_one(document, part)
        if known is not None:
            values = Node("Reference", body=known)
        else:
            values = document.values_of(own, part, *chosen)
            values.attributes["name"] = document.unique(f"{component.name}_{name}")
        node.add(Node("SubDynamicsProperties", {"name": name}).add(values))
    node.add(*_connections(written.assembly, written.parts))
    return node.add(*_notes(component, component.extras.get(CLASS, "")))


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


__all__ = ["AnyClass", "Joined", "write_any", "write_values"]
