"""What select paths lead to, as far as the component itself shows it."""

from __future__ import annotations

from ...canonical_model.model import Component
from ...canonical_model.query import declared
from ...canonical_model.units import Dimension


def select_dimension(component: Component, path: str) -> Dimension | None:
    """The dimension of the quantity at a path below `component`; None if that is not known here."""
    *steps, last = path.split("/")
    current = [component]
    for step in steps:
        name = step.partition("[")[0]
        current = [
            child.component
            for item in current
            for child in item.children
            if name in (child.name, child.id)
        ]
    for item in current:
        variable = next((e.variable for e in item.exposures if e.name == last), last)
        for quantity in declared(item):
            if quantity.name == variable:
                return quantity.dimension
    return None
