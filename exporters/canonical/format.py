"""The canonical text form: what the exporter writes."""

from __future__ import annotations

from ...canonical_model.abilities import FEATURES, full
from ..format import Exporter

FORMAT = Exporter(
    name="canonical",
    title="Interspike's own text form",
    export="interspike.exporters.canonical.emit:export",
    takes="model",
    abilities={feature: full() for feature in FEATURES},
)
