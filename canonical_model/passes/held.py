"""Time-step programs without what they hold over a step: the same functions of time in continuous time.

`drive = f(t)`, set in every step before the equations are integrated, is a function of time; and half a step
that is added to a time, so that an instant is met at the nearest end of a step, is nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from .. import model
from ..diagnostics import Level, Log
from ..expr import (
    GRID_FUNCTIONS,
    PORT_FUNCTIONS,
    TIME,
    Binary,
    Call,
    Expr,
    Name,
    Number,
    free_names,
    is_random,
    rebuild,
    substitute,
    walk,
)
from ..query import bodies, nested, statics
from .change import change_expressions
from .idioms import per_step

_OUTER = PORT_FUNCTIONS | GRID_FUNCTIONS


def without_held(component: model.Component, log: Log) -> model.Component:
    """The component with functions of time as derived variables, and instants where they are."""
    component = _without_halves(component, log)
    update = component.update or ()
    fixed = {item.name for item in statics(component)} | {TIME}
    held: dict[str, model.Assign] = {}
    for item in update:
        if isinstance(item, model.Assign) and _is_held(component, item, fixed):
            held[item.target] = item
            fixed.add(item.target)
    if not held:
        return component
    states = {s.name: s for s in component.state_variables}
    # the time under another name needs no variable
    again: dict[str, Expr] = {n: i.value for n, i in held.items() if i.value == Name(TIME)}
    again = {name: value for name, value in again.items() if name not in _shown(component)}
    component = replace(
        component,
        update=tuple(item for item in update if item not in held.values()),
        state_variables=tuple(s for s in component.state_variables if s.name not in held),
        derived_variables=(
            *component.derived_variables,
            *(_derived(states[name], item) for name, item in held.items() if name not in again),
        ),
        exposures=tuple(e for e in component.exposures if e.variable not in again),
    )
    return change_expressions(component, lambda expr: substitute(expr, again))


def _derived(state: model.StateVariable, item: model.Assign) -> model.DerivedVariable:
    return model.DerivedVariable(
        name=state.name, dimension=state.dimension, value=item.value,
        description=state.description, span=state.span,
    )  # fmt: skip


def _shown(component: model.Component) -> set[str]:
    """States that are shown under a name of their own."""
    return {e.variable for e in component.exposures if e.name != e.variable}


def _is_held(component: model.Component, item: model.Assign, fixed: set[str]) -> bool:
    """Is the target a real state that nothing else changes, its value a function of what is fixed?"""
    state = next((s for s in component.state_variables if s.name == item.target), None)
    if state is None or state.kind != model.REAL:
        return False
    if any(ode.variable == item.target for ode in component.odes):
        return False
    if TIME not in _all_names(component, item.value) or not free_names(item.value) <= fixed:
        return False
    if is_random(item.value) or any(_is_outer(node) for node in walk(item.value)):
        return False
    return sum(target == item.target for target in _targets(component)) == 1


def _all_names(component: model.Component, expr: Expr) -> set[str]:
    """Names in the value, and in what states that are set before it hold."""
    values = {
        item.target: item.value for item in component.update or () if isinstance(item, model.Assign)
    }
    found: set[str] = set()
    waiting = set(free_names(expr))
    while waiting:
        name = waiting.pop()
        found.add(name)
        if name in values:
            waiting |= free_names(values[name]) - found
    return found


def _is_outer(node: Expr) -> bool:
    return isinstance(node, Call) and node.function in _OUTER


def _targets(component: model.Component) -> Iterator[str]:
    for body in bodies(component):
        for statement in nested(body):
            if isinstance(statement, model.Assign):
                yield statement.target


def _without_halves(component: model.Component, log: Log) -> model.Component:
    """Sums and differences with a part of a step are without it."""
    parts = {item.name for item in component.derived_parameters if _is_part(item.value)}
    dropped: list[Expr] = []

    def change(expr: Expr) -> Expr:
        expr = rebuild(expr, change)
        if isinstance(expr, Binary) and expr.op in "+-":
            for part, rest in ((expr.right, expr.left), (expr.left, expr.right)):
                named = isinstance(part, Name) and part.id in parts
                if (named or _is_part(part)) and (expr.op == "+" or part is expr.right):
                    dropped.append(part)
                    return rest
        return expr

    changed = change_expressions(component, change)
    if dropped:
        message = "parts of a step, by which an instant is met at its nearest end, take no time"
        log.add("K126", Level.NOTE, message, component.span)
    return changed


def _is_part(expr: Expr) -> bool:
    """Less than one step, as `0.5 * resolution()`."""
    share = per_step(expr)
    return isinstance(share, Number) and 0 < share.value < 1
