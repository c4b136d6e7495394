"""Turn clocks into algebra: a state with dx/dt = 1 is `t - x_start`, and `x := e` sets x_start.

Nothing is integrated and nothing accumulates rounding, and `tsince > period` becomes a comparison on
time, whose moment can be computed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..expr import ONE, TIME, ZERO, Binary, Expr, Name, Unary, substitute
from ..model import (
    Assign,
    Component,
    DerivedVariable,
    If,
    OnCondition,
    OnEvent,
    Regime,
    Statement,
    StateVariable,
)
from ..query import declared, regimes
from ..units import TIME as TIME_DIMENSION


def clocks_to_algebra(component: Component) -> Component:
    """The flat component without clock states; their names remain as derived variables."""
    in_regimes = {ode.variable for regime in regimes(component) for ode in regime.odes}
    clocks = {o.variable for o in component.odes if o.rhs == ONE} - in_regimes
    chosen = [
        s for s in component.state_variables if s.name in clocks and s.dimension == TIME_DIMENSION
    ]
    if not chosen:
        return component
    taken = {item.name for item in declared(component)}
    taken |= {item.name for item in component.analog_inputs}
    starts: dict[str, str] = {}
    for state in chosen:
        name = f"{state.name}_start"
        while name in taken:
            name += "_"
        taken.add(name)
        starts[state.name] = name
    return _rewrite(component, starts)


def _rewrite(component: Component, starts: Mapping[str, str]) -> Component:
    values: dict[str, Expr] = {
        name: Binary("-", Name(TIME), Name(start)) for name, start in starts.items()
    }

    def change(expr: Expr) -> Expr:
        return substitute(expr, values)

    def body(items: tuple[Statement, ...]) -> tuple[Statement, ...]:
        return tuple(_statement(item, starts, values) for item in items)

    def conditions(items: tuple[OnCondition, ...]) -> tuple[OnCondition, ...]:
        return tuple(replace(i, test=change(i.test), body=body(i.body)) for i in items)

    def events(items: tuple[OnEvent, ...]) -> tuple[OnEvent, ...]:
        return tuple(replace(i, body=body(i.body)) for i in items)

    def derived(items: tuple[DerivedVariable, ...]) -> tuple[DerivedVariable, ...]:
        return tuple(replace(i, value=change(i.value)) for i in items)

    def in_regime(regime: Regime) -> Regime:
        return replace(
            regime,
            odes=tuple(replace(o, rhs=change(o.rhs)) for o in regime.odes),
            derived_variables=derived(regime.derived_variables),
            on_entry=body(regime.on_entry),
            on_conditions=conditions(regime.on_conditions),
            on_events=events(regime.on_events),
        )

    own = tuple(
        DerivedVariable(name=name, dimension=TIME_DIMENSION, value=value)
        for name, value in values.items()
    )
    return replace(
        component,
        state_variables=tuple(_state(s, starts, values) for s in component.state_variables),
        derived_variables=(*own, *derived(component.derived_variables)),
        odes=tuple(
            replace(o, rhs=change(o.rhs)) for o in component.odes if o.variable not in starts
        ),
        on_conditions=conditions(component.on_conditions),
        on_events=events(component.on_events),
        timed_events=tuple(replace(i, body=body(i.body)) for i in component.timed_events),
        machines=tuple(
            replace(m, regimes=tuple(in_regime(r) for r in m.regimes)) for m in component.machines
        ),
    )


def _state(
    state: StateVariable, starts: Mapping[str, str], values: Mapping[str, Expr]
) -> StateVariable:
    """A clock's start is minus its initial value: the run begins at t = 0."""
    initial = state.initial if state.initial is None else substitute(state.initial, values)
    if state.name not in starts:
        return replace(state, initial=initial)
    begin = None if initial in (None, ZERO) else Unary("-", initial)
    return replace(state, name=starts[state.name], initial=begin)


def _statement(item: Statement, starts: Mapping[str, str], values: Mapping[str, Expr]) -> Statement:
    if isinstance(item, If):
        branches = tuple(
            (substitute(test, values), tuple(_statement(s, starts, values) for s in body))
            for test, body in item.branches
        )
        otherwise = tuple(_statement(s, starts, values) for s in item.otherwise)
        return replace(item, branches=branches, otherwise=otherwise)
    if not isinstance(item, Assign):
        return item
    value = substitute(item.value, values)
    if item.target not in starts:
        return replace(item, value=value)
    moved: Expr = Name(TIME) if value == ZERO else Binary("-", Name(TIME), value)
    return replace(item, target=starts[item.target], value=moved)
