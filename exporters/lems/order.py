"""Orders in which jLEMS can compute initial values, derived variables and derived parameters."""

from __future__ import annotations

from ...canonical_model.diagnostics import refuse
from ...canonical_model.expr import (
    ONE,
    Conditional,
    free_names,
)
from ...canonical_model.model import (
    Component,
    DerivedParameter,
    DerivedVariable,
    StateVariable,
)


def by_start(component: Component) -> list[StateVariable]:
    """States in an order in which each initial value can be computed."""
    states = {s.name: s for s in component.state_variables}
    ordered: dict[str, StateVariable] = {}
    open_names: list[str] = list(states)
    while open_names:
        ready = [
            name
            for name in open_names
            if states[name].initial is None
            or not free_names(states[name].initial or ONE) & set(open_names) - {name}
        ]
        for name in ready or open_names:
            ordered[name] = states[name]
        open_names = [name for name in open_names if name not in ordered]
    return list(ordered.values())


def sorted_variables(
    items: tuple[DerivedVariable, ...], component: Component
) -> tuple[DerivedVariable, ...]:
    """Derived variables, each after those that it reads; otherwise in the order written.

    Raises ModelError P206 for a circle.
    """
    waiting = {item.name: item for item in items}
    if len(waiting) < len(items):
        message = f"regimes of '{component.name}' define different variables of one name"
        raise refuse("P206", message, component.span)
    found: list[DerivedVariable] = []
    while waiting:
        ready = next(
            (i for i in waiting.values() if not (free_names(i.value) & waiting.keys())), None
        )
        if ready is None:
            names = ", ".join(sorted(waiting))
            message = f"variables of '{component.name}' depend on each other: {names}"
            raise refuse("P206", message, component.span)
        found.append(ready)
        del waiting[ready.name]
    return tuple(found)


def sorted_statics(items: tuple[DerivedParameter, ...]) -> tuple[DerivedParameter, ...]:
    waiting = {item.name: item for item in items}
    found: list[DerivedParameter] = []
    while waiting:
        ready = [i for i in waiting.values() if not (free_names(i.value) & waiting.keys())]
        for item in ready or list(waiting.values()):
            found.append(item)
            del waiting[item.name]
    return tuple(found)


def late_names(items: tuple[DerivedVariable, ...]) -> frozenset[str]:
    """Choices, and whatever reads one: jLEMS computes choices after all other variables."""
    late: set[str] = set()
    for item in items:
        if isinstance(item.value, Conditional) or free_names(item.value) & late:
            late.add(item.name)
    return frozenset(late)


__all__ = ["by_start", "late_names", "sorted_statics", "sorted_variables"]
