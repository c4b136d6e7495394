"""Networks: populations, selections and projections to the canonical network."""

from __future__ import annotations

from ...canonical_model import model
from ...canonical_model.diagnostics import Log
from ...canonical_model.network import Network
from .components import Components
from .documents import Documents


def read_network(
    documents: Documents, components: Components, wanted: str | None, log: Log
) -> tuple[Network | None, tuple[model.Component, ...]]:
    return None, ()
