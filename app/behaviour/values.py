"""Values of the second model's parameters replaced, so that a comparison shows what else differs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ...canonical_model.diagnostics import error, suggest
from ...canonical_model.model import Component, Parameter
from ...canonical_model.units import NONE, Quantity, dimension_name, si_quantity
from .match import plain

_NUMBER = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(.*?)\s*")


def settings(
    values: Mapping[str, str | float], components: Sequence[Component]
) -> dict[str, Quantity]:
    """The quantities meant. Raises ModelError A234 (no such parameter), A235 (no quantity of its kind)."""
    known = {item.name: item for component in components for item in component.parameters}
    found = {}
    for name, value in values.items():
        if name not in known:
            message = f"no component of the second model has a parameter '{name}'"
            raise error("A234", message, hint=suggest(name, known))
        found[name] = _quantity(name, value, known[name])
    return found


def _quantity(name: str, value: str | float, item: Parameter) -> Quantity:
    if not isinstance(value, str):
        return si_quantity(float(value), item.dimension)
    from ...lems_types.library_reader import standard_units

    match = _NUMBER.fullmatch(value)
    number, symbol = (float(match[1]), match[2]) if match else (0.0, "?")
    if match and not symbol:
        return si_quantity(number, item.dimension)
    unit = standard_units().get(symbol)
    if unit is None or unit.dimension != item.dimension:
        kind = "a number" if item.dimension == NONE else f"a {dimension_name(item.dimension)}"
        raise error("A235", f"'{value}' for '{name}' is not {kind}")
    return Quantity(number, unit)


def with_values(
    one: Component, other: Component, values: Mapping[str, Quantity], match: bool
) -> tuple[Component, list[str]]:
    """`other` with these values and, if `match`, those of `one` under the same name; what was changed."""
    own = {(plain(p.name), p.dimension): p.value for p in one.parameters if match}
    remarks: list[str] = []

    def changed(item: Parameter) -> Parameter:
        value = values.get(item.name) or own.get((plain(item.name), item.dimension))
        if value is None or (item.value is not None and _alike(value, item.value)):
            return item
        remarks.append(f"'{item.name}' of '{other.name}': {item.value} taken as {value}")
        return replace(item, value=value)

    return replace(other, parameters=tuple(changed(p) for p in other.parameters)), remarks


def _alike(one: Quantity, other: Quantity) -> bool:
    return abs(one.si - other.si) <= 1e-9 * max(abs(one.si), abs(other.si))
