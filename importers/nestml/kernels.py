"""Kernels with a unit, an older form: the same kernel as a pure number."""

from __future__ import annotations

from dataclasses import replace

from ...canonical_model import model
from ...canonical_model.dimensions import Lookup, infer
from ...canonical_model.expr import Binary, Expr, Number
from ...canonical_model.units import NONE
from .units import UnitValue


def without_unit(kernel: model.Kernel, unit: UnitValue, lookup: Lookup) -> model.Kernel | None:
    """The kernel over `1 unit`, all its variables alike; None where its equations are not linear and
    homogeneous, so that they would no longer agree. `lookup` gives the dimensions of other names."""
    dimension = kernel.dimension / unit.dimension
    states = tuple(
        replace(
            state,
            dimension=state.dimension / unit.dimension,
            initial=None if state.initial is None else _over(state.initial, unit),
        )
        for state in kernel.initial
    )
    known = {state.name: state.dimension for state in states}
    old = {state.name: state.dimension for state in kernel.initial}
    if dimension != NONE:
        return None
    for ode in kernel.odes:
        before = infer(ode.rhs, lambda name: old.get(name) or lookup(name))
        after = infer(ode.rhs, lambda name: known[name] if name in known else lookup(name))
        if before is None or after is None or before / unit.dimension != after:
            return None
    return replace(kernel, dimension=dimension, initial=states)


def _over(expr: Expr, unit: UnitValue) -> Expr:
    """`expr / 1 unit`, a literal in that unit losing it."""
    found = _lost(expr, unit)
    return Binary("/", expr, Number(1.0, unit.unit())) if found is None else found


def _lost(expr: Expr, unit: UnitValue) -> Expr | None:
    match expr:
        case Number(value, own) if own is not None and own.dimension == unit.dimension:
            return Number(value * own.scale / float(unit.scale), None, expr.span)
        case Binary("*" | "/" as op, left, right):
            first = _lost(left, unit)
            if first is not None:
                return Binary(op, first, right, expr.span)
            second = _lost(right, unit) if op == "*" else None
            return None if second is None else Binary(op, left, second, expr.span)
    return None
