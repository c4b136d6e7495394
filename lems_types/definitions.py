"""What a file and its includes define, as far as component types and components go."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..canonical_model.diagnostics import Span
from ..canonical_model.units import Dimension, Unit
from . import syntax


@dataclass(slots=True)
class Definitions:
    """Dimensions, units, types, constants and components by name, in order of first occurrence."""

    dimensions: dict[str, Dimension] = field(default_factory=dict)
    units: dict[str, Unit] = field(default_factory=dict)
    types: dict[str, syntax.ComponentType] = field(default_factory=dict)
    constants: dict[str, tuple[str, str, Span]] = field(default_factory=dict)
    components: dict[str, syntax.Component] = field(default_factory=dict)
