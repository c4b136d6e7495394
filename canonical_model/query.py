"""Small questions about a component that several stages ask."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from .model import (
    Component,
    Constant,
    DerivedParameter,
    DerivedVariable,
    Ode,
    OnCondition,
    OnEvent,
    Parameter,
    Regime,
    Statement,
    StateVariable,
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


def bodies(component: Component) -> Iterator[tuple[Statement, ...]]:
    """Every list of statements."""
    for condition in conditions(component):
        yield condition.body
    for handler in handlers(component):
        yield handler.body
    for timed in component.timed_events:
        yield timed.body
    for regime in regimes(component):
        yield regime.on_entry
