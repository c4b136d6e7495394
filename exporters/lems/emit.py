"""A canonical model as one LEMS document."""

from __future__ import annotations

from dataclasses import replace

from ...canonical_model.diagnostics import Log, refuse
from ...canonical_model.model import Model, Provenance
from ..artifact import Artifact
from .document import Document
from .joints import join_ports
from .markup import Node, to_xml
from .variants import split_variants


def export(
    model: Model, *, scheme: str, step: float, source: Provenance, log: Log, name: str
) -> tuple[Artifact, ...]:
    """`<name>.xml`; `step` is what programs count in. Raises ModelError P2xx, K1xx, R12x."""
    return (Artifact(f"{name}.xml", to_xml(write_document(model, log, step))),)


def write_document(model: Model, log: Log, step: float | None = None) -> Node:
    """The whole document; `step` is what programs count in. Raises ModelError P200 (nothing to write)."""
    if not model.components:
        raise refuse("P200", "the model has no component that LEMS could hold")
    if model.network is not None:
        from ...canonical_model.draw import drawn
        from .network import MAX_ROWS

        model = replace(model, network=drawn(model.network, MAX_ROWS))
    model, joints = join_ports(split_variants(model, log))
    document = Document(model, log, joints, step)
    for component in model.components:
        with log.gather():
            document.add(component)
    log.stop_on_error()
    parts: list[Node] = []
    target = ""
    if model.network is not None:
        from .network import write_network

        parts, target = write_network(model.network, document)
    root = Node("Lems")
    if target:
        root.add(Node("Target", {"component": target}))
    root.add(*(Node("Include", {"file": file}) for file in document.includes()))
    root.add(*document.quantities.made, *document.types, *document.components, *parts)
    return root
