"""Can many instances of a synapse on one cell be replaced by one that receives all their events?

Yes, if the synapse is a linear homogeneous system whose events add constants proportional to the
weight: then the
sum of the instances obeys the same equations (superposition).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from ..expr import (
    RANDOM_FUNCTIONS,
    Binary,
    Call,
    Conditional,
    Expr,
    Name,
    Number,
    Unary,
    free_names,
)
from ..model import Assign, Component

WEIGHT = "weight"
CURRENTS = ("i", "I")  # what synapses expose to cells, with a dimension or without


def is_mergeable(
    component: Component, port: str, outputs: Collection[str] = CURRENTS, *, weighted: bool = True
) -> bool:
    """True if instances of the flat synapse on one cell may share one state.

    `outputs` names what the cell reads; without weights (`weighted` false) every event may add the same.
    """
    if component.on_conditions or component.machines or component.timed_events:
        return False
    handlers = [item for item in component.on_events if item.port == port]
    if len(handlers) != 1 or len(component.on_events) != 1:
        return False
    states = {item.name for item in component.state_variables}
    degrees = _degrees(component, states)
    for statement in handlers[0].body:
        if not isinstance(statement, Assign) or not _is_increment(statement, degrees, weighted):
            return False
    if not all(_starts_at_zero(item.initial) for item in component.state_variables):
        return False
    rates = [degree(ode.rhs, degrees) for ode in component.odes]
    read = [degrees.get(item.variable) for item in component.exposures if item.name in outputs]
    uses_weight = any(WEIGHT in free_names(ode.rhs) for ode in component.odes) or any(
        WEIGHT in free_names(item.value) for item in component.derived_variables
    )
    return all(rate == 1 for rate in rates) and all(o == 1 for o in read) and not uses_weight


def _starts_at_zero(initial: Expr | None) -> bool:
    match initial:
        case None | Number(0.0, None):
            return True
        case Number(0.0, unit):
            return unit is not None and not unit.offset
        case _:
            return False


def _degrees(component: Component, states: set[str]) -> dict[str, int | None]:
    """The degree of every state and derived variable in the states: 0, 1 or None (neither)."""
    degrees: dict[str, int | None] = dict.fromkeys(states, 1)
    rest = list(component.derived_variables)
    names = {item.name for item in rest}
    while rest:
        ready = [v for v in rest if not (free_names(v.value) & names - degrees.keys())]
        if not ready:
            return dict.fromkeys([*degrees, *names], None)
        for item in ready:
            degrees[item.name] = degree(item.value, degrees)
            rest.remove(item)
    return degrees


def _is_increment(statement: Assign, degrees: dict[str, int | None], weighted: bool) -> bool:
    """x := x + c * weight, c free of states, weight a factor of every term (x := x + c without weights)."""
    match statement.value:
        case Binary("+", Name(name), step) if name == statement.target:
            pass
        case Binary("+", step, Name(name)) if name == statement.target:
            pass
        case _:
            return False
    is_constant = degree(step, degrees) == 0
    return is_constant and (not weighted or degree(step, {WEIGHT: 1}) == 1)


def degree(expr: Expr, degrees: dict[str, int | None]) -> int | None:
    """0 if free of the given names, 1 if linear and homogeneous in them, else None."""
    match expr:
        case Number():
            return 0
        case Name(name):
            return degrees.get(name, 0)
        case Unary("-", operand):
            return degree(operand, degrees)
        case Binary("*", left, right):
            a, b = degree(left, degrees), degree(right, degrees)
            return a + b if a is not None and b is not None and a + b <= 1 else None
        case Binary("/", left, right):
            return degree(left, degrees) if degree(right, degrees) == 0 else None
        case Binary("+" | "-", left, right):
            a, b = degree(left, degrees), degree(right, degrees)
            return a if a == b else None
        case Conditional(cases, otherwise):
            tests = {degree(test, degrees) for test, _ in cases}
            values = {degree(value, degrees) for _, value in cases} | {degree(otherwise, degrees)}
            return values.pop() if tests == {0} and len(values) == 1 else None
        case Call(function, args):
            free = all(degree(arg, degrees) == 0 for arg in args)
            return 0 if free and function not in RANDOM_FUNCTIONS else None
        case Binary(_, left, right):
            free = degree(left, degrees) == 0 == degree(right, degrees)
            return 0 if free else None
        case Unary(_, operand):
            return 0 if degree(operand, degrees) == 0 else None
        case _:
            return None


def with_weight_payload(component: Component, port: str) -> Component:
    """The synapse with `weight` arriving with each event instead of being a parameter."""
    inputs = tuple(
        replace(item, payload=(WEIGHT,)) if item.name == port else item
        for item in component.event_inputs
    )
    parameters = tuple(item for item in component.parameters if item.name != WEIGHT)
    return replace(component, event_inputs=inputs, parameters=parameters)
