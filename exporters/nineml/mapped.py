"""Every equation of a component changed, with the dimension that is expected where it stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from ...canonical_model.expr import Expr
from ...canonical_model.model import (
    Assign,
    Component,
    Declare,
    DerivedVariable,
    If,
    Ode,
    OnCondition,
    OnEvent,
    RegimeMachine,
    Statement,
)
from ...canonical_model.units import NONE, Dimension
from ...canonical_model.units import TIME as TIME_DIMENSION

Change = Callable[[Expr, "Dimension | None"], Expr]


def mapped(
    component: Component, change: Change, names: Mapping[str, Dimension | None]
) -> Component:
    """The component with `change(expression, dimension)` applied to every equation."""

    def body(items: tuple[Statement, ...]) -> tuple[Statement, ...]:
        return tuple(statement(item) for item in items)

    def statement(item: Statement) -> Statement:
        match item:
            case Declare(dimension=dimension, value=value):
                return replace(item, value=change(value, dimension))
            case Assign(target=target, value=value):
                return replace(item, value=change(value, names.get(target)))
            case If(branches=branches, otherwise=otherwise):
                changed = tuple((change(test, NONE), body(inner)) for test, inner in branches)
                return replace(item, branches=changed, otherwise=body(otherwise))
            case _:
                return item

    def odes(items: tuple[Ode, ...]) -> tuple[Ode, ...]:
        return tuple(replace(o, rhs=change(o.rhs, _rate(names.get(o.variable)))) for o in items)

    def derived(items: tuple[DerivedVariable, ...]) -> tuple[DerivedVariable, ...]:
        return tuple(replace(d, value=change(d.value, d.dimension)) for d in items)

    def conditions(items: tuple[OnCondition, ...]) -> tuple[OnCondition, ...]:
        return tuple(replace(c, test=change(c.test, NONE), body=body(c.body)) for c in items)

    def events(items: tuple[OnEvent, ...]) -> tuple[OnEvent, ...]:
        return tuple(replace(e, body=body(e.body)) for e in items)

    def machine(item: RegimeMachine) -> RegimeMachine:
        found = tuple(
            replace(
                r,
                odes=odes(r.odes),
                derived_variables=derived(r.derived_variables),
                on_entry=body(r.on_entry),
                on_conditions=conditions(r.on_conditions),
                on_events=events(r.on_events),
            )
            for r in item.regimes
        )
        return replace(item, regimes=found)

    return replace(
        component,
        derived_variables=derived(component.derived_variables),
        odes=odes(component.odes),
        on_conditions=conditions(component.on_conditions),
        on_events=events(component.on_events),
        machines=tuple(machine(m) for m in component.machines),
    )


def _rate(dimension: Dimension | None) -> Dimension | None:
    return None if dimension is None else dimension / TIME_DIMENSION


__all__ = ["Change", "mapped"]
