"""Annotations: everybody's are kept as text, our own are read.

Ours stand under `Interspike` with the namespace OURS; they hold what NineML has no word for.
"""

from __future__ import annotations

import json
from typing import TypeAlias

from .tree import Element

OURS = "urn:interspike:nineml:1"
BRANCH = "Interspike"

Json: TypeAlias = "str | list[Json] | dict[str, Json]"


def annotation_text(*owners: Element) -> str:
    """The annotations of an element (and of its inner body in 1.0) as JSON, "" if there are none."""
    branches: dict[str, list[Json]] = {}
    for child in _branches(*owners):
        if not _is_ours(child):
            branches.setdefault(child.tag, []).append(_plain(child))
    return json.dumps(branches, sort_keys=True, separators=(",", ":")) if branches else ""


def own_notes(*owners: Element) -> dict[str, str]:
    """What our own annotations say."""
    found: dict[str, str] = {}
    for child in _branches(*owners):
        if _is_ours(child):
            found.update({key: value.text for key, value in child.attributes.items()})
            for note in child.all("Note"):
                found[note.get("key")] = note.get("value")
    return found


def _branches(*owners: Element) -> list[Element]:
    seen: list[Element] = []
    for owner in owners:
        for holder in owner.all("Annotations"):
            seen += [child for child in holder.children if child not in seen]
    return seen


def _is_ours(element: Element) -> bool:
    return element.tag == BRANCH and element.namespace == OURS


def _plain(element: Element) -> Json:
    found: dict[str, Json] = {}
    if element.namespace:
        found["@namespace"] = element.namespace
    for name, value in element.attributes.items():
        found[name] = value.text
    if element.body is not None:
        found["@body"] = element.body.text
    for child in element.children:
        inner = found.setdefault(child.tag, [])
        if isinstance(inner, list):
            inner.append(_plain(child))
    return found
