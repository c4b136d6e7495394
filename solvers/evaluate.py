"""Evaluate expressions, derived parameters and a plan's coefficients on the host, in float64."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..canonical_model.diagnostics import error
from ..canonical_model.expr import Expr, free_names, is_random
from ..canonical_model.lazy import np
from ..canonical_model.model import Component
from ..canonical_model.units import SI, UnitSystem
from . import numeric
from .numeric import Array, Value
from .numpy_printer import print_numpy
from .plan import STEP, UpdatePlan


def evaluate(expr: Expr, values: Mapping[str, Value]) -> Any:
    """The value of `expr`; arrays in `values` broadcast over instances.

    Raises KeyError for unknown names, ModelError S212 where random numbers are drawn.
    """
    if is_random(expr):
        raise error("S212", "random numbers are drawn while a model runs, not before", expr.span)
    names = {name: f"v[{name!r}]" for name in free_names(expr)}
    missing = names.keys() - values.keys()
    if missing:
        raise KeyError(min(missing))
    source = print_numpy(expr, names)
    # numpy's numbers divide by zero as C does, Python's raise
    known = {
        name: np.float64(values[name]) if np.isscalar(values[name]) else values[name]
        for name in names
    }
    scope = {"np": np, "nm": numeric, "v": known}
    with np.errstate(all="ignore"):
        return eval(
            compile(source, "<expression>", "eval"), {"__builtins__": {"bool": bool}}, scope
        )


def parameter_values(
    component: Component,
    overrides: Mapping[str, Array] | None = None,
    *,
    units: UnitSystem = SI,
) -> dict[str, Any]:
    """Values of constants, parameters (with per-instance overrides in SI) and derived parameters.

    They are in `units`, in which the component's literals must be pure numbers unless it is SI.
    Raises ModelError S210 if derived parameters depend on each other in a circle, S211 for a
    parameter without a value.
    """
    values: dict[str, Any] = {
        item.name: item.value.si / units.size(item.dimension) for item in component.constants
    }
    given = overrides or {}
    for item in component.parameters:
        if item.name in given:
            values[item.name] = np.asarray(given[item.name], dtype=float) / units.size(
                item.dimension
            )
        elif item.value is None:
            message = f"parameter '{item.name}' of '{component.name}' has no value"
            raise error("S211", message, item.span)
        else:
            values[item.name] = item.value.si / units.size(item.dimension)
    values.update(derived_parameter_values(component, values))
    return values


def derived_parameter_values(component: Component, values: Mapping[str, Any]) -> dict[str, Any]:
    """Derived parameters in order of dependence. Raises ModelError S210 naming a circle."""
    open_items = {item.name: item for item in component.derived_parameters}
    known = dict(values)
    while open_items:
        ready = [
            item for item in open_items.values() if not free_names(item.value) & open_items.keys()
        ]
        if not ready:
            names = ", ".join(sorted(open_items))
            first = next(iter(open_items.values()))
            message = f"derived parameters of '{component.name}' depend on each other: {names}"
            raise error("S210", message, first.span)
        for item in ready:
            known[item.name] = evaluate(item.value, known)
            del open_items[item.name]
    return {item.name: known[item.name] for item in component.derived_parameters}


def coefficient_values(plan: UpdatePlan, values: Mapping[str, Any], h: float) -> dict[str, Any]:
    """The plan's coefficients for parameters `values` (SI or another coherent set) and step `h`."""
    known = {**values, STEP: h}
    for matrix in plan.matrices:
        known.update(_exponential(matrix.names, matrix.entries, known, h))
    for item in plan.coefficients:
        known[item.name] = evaluate(item.value, known)
    names = [name for matrix in plan.matrices for row in matrix.names for name in row if name]
    names += [item.name for item in plan.coefficients]
    return {name: known[name] for name in names}


def _exponential(
    names: tuple[tuple[str, ...], ...],
    entries: tuple[tuple[Expr, ...], ...],
    values: Mapping[str, Any],
    h: float,
) -> dict[str, Any]:
    from scipy.linalg import expm

    cells = [[np.asarray(evaluate(entry, values), dtype=float) for entry in row] for row in entries]
    shape = np.broadcast_shapes(*(cell.shape for row in cells for cell in row))
    full = np.stack([np.stack([np.broadcast_to(c, shape) for c in row], -1) for row in cells], -2)
    result = expm(full * h)
    return {
        name: result[..., i, j] for i, row in enumerate(names) for j, name in enumerate(row) if name
    }
