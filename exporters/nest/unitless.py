"""Rewrite a component so that every number is a plain one, in one coherent set of units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from ...canonical_model.expr import Expr, Number, rebuild
from ...canonical_model.model import (
    Assign,
    Component,
    Declare,
    DerivedVariable,
    Emit,
    For,
    If,
    OnCondition,
    OnEvent,
    Regime,
    Return,
    Statement,
    While,
)
from ...canonical_model.units import TIME, Quantity, Unit, UnitSystem

Change = Callable[[Expr], Expr]


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

    def quantity(value: Quantity | None) -> Quantity | None:
        return None if value is None else Quantity(in_units(value.value, value.unit, units))

    changed = map_expressions(component, plain)
    time = units.size(TIME)
    return replace(
        changed,
        parameters=tuple(replace(p, value=quantity(p.value)) for p in changed.parameters),
        constants=tuple(replace(c, value=quantity(c.value)) for c in changed.constants),
        timed_events=tuple(
            replace(e, times=tuple(t / time for t in e.times)) for e in changed.timed_events
        ),
        analog_inputs=tuple(
            replace(i, default=i.default / units.size(i.dimension)) for i in changed.analog_inputs
        ),
    )


def map_expressions(component: Component, change: Change) -> Component:
    """The component with `change` applied to every expression in it."""

    def body(items: tuple[Statement, ...]) -> tuple[Statement, ...]:
        return tuple(map_statement(item, change) for item in items)

    def conditions(items: tuple[OnCondition, ...]) -> tuple[OnCondition, ...]:
        return tuple(replace(i, test=change(i.test), body=body(i.body)) for i in items)

    def events(items: tuple[OnEvent, ...]) -> tuple[OnEvent, ...]:
        return tuple(replace(i, body=body(i.body)) for i in items)

    def values(items: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(replace(i, value=change(i.value)) for i in items)

    def regime(item: Regime) -> Regime:
        derived: tuple[DerivedVariable, ...] = values(item.derived_variables)
        return replace(
            item,
            odes=tuple(replace(o, rhs=change(o.rhs)) for o in item.odes),
            derived_variables=derived,
            on_entry=body(item.on_entry),
            on_conditions=conditions(item.on_conditions),
            on_events=events(item.on_events),
        )

    c = component
    return replace(
        c,
        derived_parameters=values(c.derived_parameters),
        derived_variables=values(c.derived_variables),
        state_variables=tuple(
            replace(s, initial=None if s.initial is None else change(s.initial))
            for s in c.state_variables
        ),
        odes=tuple(replace(o, rhs=change(o.rhs)) for o in c.odes),
        on_conditions=conditions(c.on_conditions),
        on_events=events(c.on_events),
        timed_events=tuple(replace(i, body=body(i.body)) for i in c.timed_events),
        machines=tuple(
            replace(m, regimes=tuple(regime(r) for r in m.regimes)) for m in c.machines
        ),
        update=None if c.update is None else body(c.update),
        functions=tuple(replace(f, body=body(f.body)) for f in c.functions),
        checks=tuple(replace(k, test=change(k.test)) for k in c.checks),
        kernels=tuple(
            replace(
                k,
                value=None if k.value is None else change(k.value),
                odes=tuple(replace(o, rhs=change(o.rhs)) for o in k.odes),
                initial=tuple(
                    replace(s, initial=None if s.initial is None else change(s.initial))
                    for s in k.initial
                ),
            )
            for k in c.kernels
        ),
    )


def map_statement(item: Statement, change: Change) -> Statement:
    """A statement with `change` applied to its expressions, those of inner bodies included."""

    def body(items: tuple[Statement, ...]) -> tuple[Statement, ...]:
        return tuple(map_statement(inner, change) for inner in items)

    match item:
        case Assign() | Declare() | Return():
            return replace(item, value=change(item.value))
        case Emit(weight=weight) if weight is not None:
            return replace(item, weight=change(weight))
        case If(branches=branches, otherwise=otherwise):
            changed = tuple((change(test), body(inner)) for test, inner in branches)
            return replace(item, branches=changed, otherwise=body(otherwise))
        case While(test=test):
            return replace(item, test=change(test), body=body(item.body))
        case For():
            return replace(
                item,
                start=change(item.start),
                stop=change(item.stop),
                step=change(item.step),
                body=body(item.body),
            )
        case _:
            return item
