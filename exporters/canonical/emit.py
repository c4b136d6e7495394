"""Write the canonical text form: the model as it is, nothing lost."""

from __future__ import annotations

from ...canonical_model.diagnostics import Log
from ...canonical_model.model import Model, Provenance
from ...canonical_model.serial import dumps
from ..artifact import Artifact


def export(
    model: Model, *, scheme: str, step: float, source: Provenance, log: Log, name: str
) -> tuple[Artifact, ...]:
    """One file, `<name>.json`. It states no solver and no step: these belong to a run."""
    return (Artifact(f"{name}.json", dumps(model).encode()),)
