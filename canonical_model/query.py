"""Small questions about a component that several stages ask."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from .expr import Expr
from .model import (
    Assign,
    Component,
    Constant,
    Declare,
    DerivedParameter,
    DerivedVariable,
    Emit,
    For,
    If,
    Ode,
    OnCondition,
    OnEvent,
    Parameter,
    Regime,
    Return,
    Statement,
    StateVariable,
    Transition,
    While,
)

Static: TypeAlias = Parameter | Constant | DerivedParameter
Declared: TypeAlias = Static | StateVariable | DerivedVariable


def regimes(component: Component) -> Iterator[Regime]:
    """The regimes of all machines."""
    for machine in component.machines:
        yield from machine.regimes


def statics(component: Component) -> Iterator[Static]:
    """What is fixed during a run: parameters, constants, derived parameters."""
    yield from component.parameters
    yield from component.constants
    yield from component.derived_parameters


def declared(component: Component) -> Iterator[Declared]:
    """Every quantity that the component itself defines, those of regimes last."""
    yield from statics(component)
    yield from component.state_variables
    yield from component.derived_variables
    for regime in regimes(component):
        yield from regime.derived_variables


def derived_forms(component: Component) -> dict[str, list[tuple[int, int, Expr]]]:
    """Each derived variable with its values: machine, regime, expression (-1, -1 outside of regimes)."""
    forms: dict[str, list[tuple[int, int, Expr]]] = {}
    for item in component.derived_variables:
        forms.setdefault(item.name, []).append((-1, -1, item.value))
    for m, machine in enumerate(component.machines):
        for r, regime in enumerate(machine.regimes):
            for item in regime.derived_variables:
                forms.setdefault(item.name, []).append((m, r, item.value))
    return forms


def odes(component: Component) -> Iterator[Ode]:
    """All ODEs, those of regimes last."""
    yield from component.odes
    for regime in regimes(component):
        yield from regime.odes


def conditions(component: Component) -> Iterator[OnCondition]:
    """All conditions, those of regimes last."""
    yield from component.on_conditions
    for regime in regimes(component):
        yield from regime.on_conditions


def handlers(component: Component) -> Iterator[OnEvent]:
    """All event handlers, those of regimes last."""
    yield from component.on_events
    for regime in regimes(component):
        yield from regime.on_events


def weight_name(component: Component, port: str) -> str:
    """What handlers call the weight of an event at `port`: the first of its payload; "" without one.

    It is `weight` unless the component has a quantity of its own under that name.
    """
    return next((p.payload[0] for p in component.event_inputs if p.name == port and p.payload), "")


def bodies(component: Component) -> Iterator[tuple[Statement, ...]]:
    """Every list of statements but those of functions."""
    if component.update is not None:
        yield component.update
    for condition in conditions(component):
        yield condition.body
    for handler in handlers(component):
        yield handler.body
    for timed in component.timed_events:
        yield timed.body
    for regime in regimes(component):
        yield regime.on_entry


def nested(body: tuple[Statement, ...]) -> Iterator[Statement]:
    """Every statement of a body, those inside others too, in the order written."""
    waiting = list(reversed(body))
    while waiting:
        statement = waiting.pop()
        yield statement
        for inner in reversed(inner_bodies(statement)):
            waiting.extend(reversed(inner))


def later_ways(items: Sequence[OnCondition]) -> tuple[bool, ...]:
    """For each condition of a regime whether it leads out of it behind another that does.

    All that hold at one moment act, but a regime is left once: such a one needs it to be active still.
    """
    leaves = [any(isinstance(s, Transition) for s in nested(item.body)) for item in items]
    return tuple(leave and any(leaves[:k]) for k, leave in enumerate(leaves))


def inner_bodies(statement: Statement) -> tuple[tuple[Statement, ...], ...]:
    """The bodies inside a statement, in the order written."""
    match statement:
        case If(branches=branches, otherwise=otherwise):
            return (*(body for _, body in branches), otherwise)
        case While(body=body) | For(body=body):
            return (body,)
    return ()


def expressions(statement: Statement) -> tuple[Expr, ...]:
    """The expressions that a statement itself evaluates, inner statements left out."""
    match statement:
        case Assign(value=value) | Declare(value=value) | Return(value=value):
            return (value,)
        case Emit(weight=weight):
            return () if weight is None else (weight,)
        case If(branches=branches):
            return tuple(test for test, _ in branches)
        case While(test=test):
            return (test,)
        case For(start=start, stop=stop, step=step):
            return (start, stop, step)
    return ()
