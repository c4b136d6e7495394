"""What events carry: a weight is a pure number, so a quantity that is sent counts mV, ms, pA, nS."""

from __future__ import annotations

from ..canonical_model.dimensions import infer
from ..canonical_model.expr import Expr
from ..canonical_model.model import Component, Declare
from ..canonical_model.query import bodies, nested
from ..canonical_model.scope import scope
from ..canonical_model.units import NEURO, NONE, Dimension


def unit_of(component: Component, weight: Expr) -> float:
    """The SI value of what counts as 1 where `weight` is sent; 1 for pure and for unknown numbers."""
    known: dict[str, Dimension | None] = dict(scope(component))
    for body in bodies(component):
        known |= {item.name: item.dimension for item in nested(body) if isinstance(item, Declare)}
    dimension = infer(weight, known.get)
    return 1.0 if dimension is None or dimension == NONE else NEURO.size(dimension)
