"""Rewrite a component so that every number is a plain one, in one coherent set of units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from ...canonical_model.expr import Expr, Number, rebuild
from ...canonical_model.model import Component, Kernel
from ...canonical_model.passes.change import change_expressions, change_statement
from ...canonical_model.units import TIME, Quantity, Unit, UnitSystem


def in_units(value: float, unit: Unit, units: UnitSystem) -> float:
    """`value` of `unit` in the units of the set, rounded once.

    >>> from ...canonical_model.units import NEURO, VOLTAGE, Unit
    >>> in_units(-65.3, Unit("mV", VOLTAGE, 1e-3), NEURO)
    -65.3
    """
    size = units.size(unit.dimension)
    if value - value != 0 or not (size and unit.scale):
        return value
    si = Decimal(repr(value)) * Decimal(repr(unit.scale)) + Decimal(repr(unit.offset))
    return float(si / Decimal(repr(size)))


def unitless(component: Component, units: UnitSystem) -> Component:
    """The component with literals, parameters and times as plain numbers of `units`."""

    def plain(expr: Expr) -> Expr:
        if isinstance(expr, Number) and expr.unit is not None:
            return Number(in_units(expr.value, expr.unit, units), None, expr.span)
        return rebuild(expr, plain)

    def quantity(value: Quantity) -> Quantity:
        return Quantity(in_units(value.value, value.unit, units))

    changed = change_expressions(component, plain)
    time = units.size(TIME)
    return replace(
        changed,
        parameters=tuple(
            replace(p, value=None if p.value is None else quantity(p.value))
            for p in changed.parameters
        ),
        constants=tuple(replace(c, value=quantity(c.value)) for c in changed.constants),
        timed_events=tuple(
            replace(e, times=tuple(t / time for t in e.times)) for e in changed.timed_events
        ),
        analog_inputs=tuple(
            replace(i, default=i.default / units.size(i.dimension)) for i in changed.analog_inputs
        ),
        functions=tuple(
            replace(f, body=tuple(change_statement(item, plain) for item in f.body))
            for f in changed.functions
        ),
        kernels=tuple(_kernel(item, plain) for item in changed.kernels),
    )


def _kernel(kernel: Kernel, plain: Callable[[Expr], Expr]) -> Kernel:
    return replace(
        kernel,
        value=None if kernel.value is None else plain(kernel.value),
        odes=tuple(replace(o, rhs=plain(o.rhs)) for o in kernel.odes),
        initial=tuple(
            s if s.initial is None else replace(s, initial=plain(s.initial)) for s in kernel.initial
        ),
    )
