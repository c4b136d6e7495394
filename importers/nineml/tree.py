"""The one tree that all serialisations of NineML are read into: elements with places.

YAML and JSON come as plain data (`Scalar`, `Pairs`, `Items`) first; `elements.py` turns them into elements.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from ...canonical_model.diagnostics import Span

# kinds of scalars: what the serialisation takes the text for
TEXT, INTEGER, NUMBER, TRUTH, NOTHING = "text", "integer", "number", "truth", "nothing"

MAX_BYTES = 200_000_000  # of one document
MAX_DEPTH = 200
MAX_EXPANDED = 100_000  # values that aliases stand for, counted at each use


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value as written; `is_literal` says that its characters stand in the file as they are."""

    text: str
    kind: str = TEXT
    span: Span | None = field(default=None, compare=False)
    is_literal: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """A mapping in order; keys are unique. `size` counts all values inside, itself included."""

    entries: tuple[tuple[Scalar, Data], ...]
    span: Span
    size: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """A list. `size` counts all values inside, itself included."""

    entries: tuple[Data, ...]
    span: Span
    size: int = 1


Data: TypeAlias = Scalar | Pairs | Items


def size_of(data: Data) -> int:
    """How many values `data` holds, itself included."""
    return 1 if isinstance(data, Scalar) else data.size


@dataclass(frozen=True, slots=True, eq=False)
class Element:
    """An element: name, attributes, children in order, own text, namespace where it is given."""

    tag: str
    attributes: Mapping[str, Scalar]
    children: tuple[Element, ...]
    body: Scalar | None
    span: Span
    namespace: str = ""
    locate: Callable[[str], Span] | None = None

    def find(self, *tags: str) -> Element | None:
        """The first child with one of these tags."""
        return next((child for child in self.children if child.tag in tags), None)

    def all(self, *tags: str) -> list[Element]:
        """All children with one of these tags, in order."""
        return [child for child in self.children if child.tag in tags]

    def get(self, name: str, default: str = "") -> str:
        """An attribute's text, without blanks around it."""
        found = self.attributes.get(name)
        return default if found is None else found.text.strip()

    def at(self, name: str) -> Span:
        """The place of an attribute, else that of the element."""
        found = self.attributes.get(name)
        if found is None:
            return self.span
        if found.span is not None:
            return found.span
        return self.locate(name) if self.locate else self.span

    @property
    def text(self) -> str:
        """The own text without blanks around it."""
        return self.body.text.strip() if self.body else ""
