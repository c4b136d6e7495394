"""Give literals with units a name: `500 pA` becomes a constant, which targets scale as they scale values.

A target that keeps values in units of its own scales parameters and constants; an expression is printed as it
stands, so that a literal in it must not carry a unit.
"""

from __future__ import annotations

from dataclasses import replace

from ..expr import Expr, Name, Number, rebuild
from ..model import Component, Constant
from ..query import declared
from ..units import NONE, Quantity, Unit
from .change import change_expressions


def name_literals(component: Component) -> Component:
    """The flat component with a constant for each literal that has a dimension; scales are applied."""
    taken = {item.name for item in declared(component)}
    taken |= {item.name for item in component.analog_inputs}
    found: dict[tuple[float, Unit], str] = {}

    def change(expr: Expr) -> Expr:
        if not isinstance(expr, Number) or expr.unit is None:
            return rebuild(expr, change)
        if expr.unit.dimension == NONE:
            return Number(Quantity(expr.value, expr.unit).si, None, expr.span)
        key = (expr.value, expr.unit)
        if key not in found:
            number = len(found) + 1
            while f"literal_{number}" in taken:
                number += 1
            taken.add(f"literal_{number}")
            found[key] = f"literal_{number}"
        return Name(found[key], expr.span)

    changed = change_expressions(component, change)
    if not found:
        return changed
    constants = tuple(
        Constant(name=name, dimension=unit.dimension, value=Quantity(value, unit))
        for (value, unit), name in found.items()
    )
    return replace(changed, constants=(*changed.constants, *constants))
