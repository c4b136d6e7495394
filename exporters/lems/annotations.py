"""What LEMS has no word for travels in annotations, which the importer reads back."""

from __future__ import annotations

from collections.abc import Callable

from ...canonical_model.model import REAL, Component
from .markup import Node

OURS = "interspike:"
FOREIGN = "annotation:"  # extras keys of an author's own properties
NOTES = "notes"
DERIVED = frozenset({NOTES, "neuroml.segments"})  # not annotations, or computed anew


def annotate(
    node: Node,
    component: Component,
    name: Callable[[str], str],
    port: Callable[[str], str],
    written: Component | None = None,
) -> None:
    """Add `<notes>` and `<annotation>` to a component's element; `name`, `port` give its names there.

    `written` is what became of the component on the way: a counter of steps may be a clock by now.
    """
    quantities = component if written is None else written
    properties: dict[str, str] = {}
    for key, value in component.extras.items():
        if key in DERIVED:
            continue
        is_foreign = key.startswith(FOREIGN)
        properties[key.removeprefix(FOREIGN) if is_foreign else f"{OURS}{key}"] = value
    kinds = [(item.name, item.kind) for item in quantities.state_variables]
    kinds += [(item.name, item.kind) for item in quantities.parameters]
    for own, kind in kinds:
        if kind != REAL:
            properties[f"{OURS}kind:{name(own)}"] = kind
    for event in component.event_inputs:
        if event.role:
            properties[f"{OURS}role:{port(event.name)}"] = event.role
        if event.sign:
            properties[f"{OURS}sign:{port(event.name)}"] = event.sign
    parts = []
    if component.extras.get(NOTES):
        parts.append(Node("notes", body=component.extras[NOTES]))
    if properties:
        tags = [Node("property", {"tag": k, "value": v}) for k, v in properties.items()]
        parts.append(Node("annotation").add(*tags))
    node.children[:0] = parts


__all__ = ["annotate"]
