"""Remove units from literals: every number as it reads in one coherent set of units."""

from __future__ import annotations

from ..expr import Expr, Number, rebuild
from ..model import Component
from ..units import UnitSystem
from .change import change_expressions


def literals_in(component: Component, units: UnitSystem) -> Component:
    """The component with pure numbers only, for values of parameters and states given in `units`."""

    def change(expr: Expr) -> Expr:
        if isinstance(expr, Number) and expr.unit is not None:
            value = expr.value * expr.unit.scale
            return Number(value / units.size(expr.unit.dimension), None, expr.span)
        return rebuild(expr, change)

    return change_expressions(component, change)
