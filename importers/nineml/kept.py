"""What a model without a network has no place for, kept as text: open values, rules, distributions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...canonical_model.model import Component
    from .components import Given
    from .syntax import Library

VALUES = "nineml.values"  # in the extras of a component: name -> kind, arguments, unit
LIBRARY = "library="  # in the notes of a model's provenance


def values_text(
    component: Component, properties: Mapping[str, Given], initials: Mapping[str, Given]
) -> str:
    """Arrays and distributions of a component, which only a population can give to cells; "" if none."""
    kept: dict[str, dict[str, object]] = {}
    states = {item.name: item.initial for item in component.state_variables}
    for tag, given in (("Property", properties), ("Initial", initials)):
        for name, item in given.items():
            if item.value.single is not None or (
                tag == "Initial" and states.get(name, True) is not None
            ):
                continue
            spread = item.spread(1, "")
            kept.setdefault(tag, {})[name] = [
                spread.kind, list(spread.arguments), spread.scale, spread.offset
            ]  # fmt: skip
    return json.dumps(kept, sort_keys=True) if kept else ""


def library_note(thing: Library) -> str:
    """A rule or distribution that nothing in its file uses."""
    names = [item.name for item in thing.parameters]
    return LIBRARY + json.dumps([thing.name, thing.kind, thing.url, names])


__all__ = ["library_note", "values_text"]
