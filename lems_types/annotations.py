"""Notes and annotations: an author's are kept, ours are read back.

Ours are properties whose tag starts with OURS; they hold what LEMS has no word for.
"""

from __future__ import annotations

from dataclasses import replace

from ..canonical_model.model import BOOLEAN, INTEGER, Component, StateVariable
from . import syntax
from .types import ResolvedType

OURS = "interspike:"
FOREIGN = "annotation:"  # extras keys of an author's own properties
NOTES = "notes"  # extras key of an instance's notes beside its type's description
EXCITATORY, INHIBITORY = "excitatory", "inhibitory"
KIND, ROLE, SIGN = "kind:", "role:", "sign:"


def said(written: syntax.Component, resolved: ResolvedType) -> dict[str, str]:
    """What goes along with a component: its notes where its type is described as well, properties."""
    found = {NOTES: written.notes} if written.notes and resolved.description else {}
    for tag, value in written.properties.items():
        key = tag.removeprefix(OURS) if tag.startswith(OURS) else f"{FOREIGN}{tag}"
        found[key] = value
    return found


def remembered(component: Component) -> Component:
    """With kinds of states and parameters, roles and signs of ports as annotations of ours tell them."""
    extras = dict(component.extras)
    kinds = {
        key.removeprefix(KIND): value
        for key, value in extras.items()
        if key.startswith(KIND) and value in (INTEGER, BOOLEAN)
    }
    roles = {k.removeprefix(ROLE): v for k, v in extras.items() if k.startswith(ROLE)}
    signs = {
        key.removeprefix(SIGN): value
        for key, value in extras.items()
        if key.startswith(SIGN) and value in (EXCITATORY, INHIBITORY)
    }
    if not kinds and not roles and not signs:
        return component

    def state(item: StateVariable) -> StateVariable:
        return replace(item, kind=kinds.get(item.name, item.kind))

    return replace(
        component,
        state_variables=tuple(state(item) for item in component.state_variables),
        parameters=tuple(
            replace(item, kind=kinds.get(item.name, item.kind)) for item in component.parameters
        ),
        event_inputs=tuple(
            replace(
                port,
                role=roles.get(port.name, port.role),
                sign=signs.get(port.name, port.sign),
            )
            for port in component.event_inputs
        ),
        extras={k: v for k, v in extras.items() if not k.startswith((KIND, ROLE, SIGN))},
    )


__all__ = ["FOREIGN", "NOTES", "OURS", "remembered", "said"]
