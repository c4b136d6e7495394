"""Networks as NineML's user layer."""

from __future__ import annotations

from ...canonical_model.model import Model
from .emit import Document
from .markup import Node


def write_network(model: Model, document: Document) -> list[Node]:
    return []
