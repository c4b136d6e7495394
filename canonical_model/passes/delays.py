"""Delayed quantities on a grid: `delayed(x, d)` is kept in a row of states, one for each step of d.

The row moves at the start of a step, so that during the step `delayed(x, d)` is x at the step's start less d.
Before d has passed the initial value of x is read.
"""

from __future__ import annotations

import math
from dataclasses import replace

from .. import model
from ..diagnostics import refuse
from ..expr import ZERO, Call, Expr, Name, free_names, substitute, walk
from ..fixed import fixed_value, static_values
from ..query import declared, statics
from .change import all_expressions, change_expressions, replace_calls

MAX_STEPS = 1000
DELAYED = "delayed"


def lower_delays(component: model.Component, step: float) -> model.Component:
    """The component without `delayed`, for steps of `step` seconds; delays are rounded to whole steps.

    Raises ModelError K130 (a delay that changes, of more than 1000 steps, or within regimes).
    """
    calls = [
        node
        for expr in all_expressions(component)
        for node in walk(expr)
        if isinstance(node, Call) and node.function == DELAYED
    ]
    if not calls:
        return component
    if component.machines:
        message = f"'{component.name}' has regimes and reads a delayed quantity"
        raise refuse("K130", message, calls[0].span)
    values = static_values(component)
    lengths: dict[str, int] = {}
    for call in calls:
        name = _variable(call)
        lengths[name] = max(lengths.get(name, 0), _count(call, values, step))
    taken = {item.name for item in declared(component)}
    rows = {name: _row(name, count, taken) for name, count in lengths.items()}

    def read(call: Call) -> Expr:
        return Name(rows[_variable(call)][_count(call, values, step)], call.span)

    changed = change_expressions(component, lambda expr: replace_calls(expr, DELAYED, read))
    moves = tuple(move for name, row in rows.items() for move in _moves(name, row))
    update = (model.Integrate(),) if changed.update is None else changed.update
    return replace(
        changed,
        state_variables=(*changed.state_variables, *_states(component, rows)),
        update=(*moves, *update),
    )


def _variable(call: Call) -> str:
    variable = call.args[0]
    assert isinstance(variable, Name)
    return variable.id


def _count(call: Call, values: dict[str, Expr], step: float) -> int:
    """The delay in steps."""
    delay = fixed_value(call.args[1], values)
    if delay is None or not math.isfinite(delay) or delay < 0:
        message = f"the delay of '{_variable(call)}' is no fixed time"
        raise refuse("K130", message, call.span, hint="use a parameter or a number")
    count = round(delay / step)
    if count > MAX_STEPS:
        message = f"the delay of '{_variable(call)}' is {count} steps, more than {MAX_STEPS}"
        raise refuse("K130", message, call.span, hint="use a longer step")
    return count


def _row(name: str, count: int, taken: set[str]) -> list[str]:
    joint = "__delayed_"
    while any(f"{name}{joint}{k}" in taken for k in range(count + 1)):
        joint += "_"
    return [f"{name}{joint}{k}" for k in range(count + 1)]


def _moves(name: str, row: list[str]) -> list[model.Assign]:
    """From the oldest to the newest."""
    sources = [name, *row[:-1]]
    return [
        model.Assign(target=target, value=Name(source))
        for target, source in reversed(list(zip(row, sources, strict=True)))
    ]


def _states(component: model.Component, rows: dict[str, list[str]]) -> list[model.StateVariable]:
    dimensions = {item.name: item.dimension for item in declared(component)}
    found = []
    for name, row in rows.items():
        initial = _initial(component, name)
        found += [
            model.StateVariable(name=own, dimension=dimensions[name], initial=initial)
            for own in row
        ]
    return found


def _initial(component: model.Component, name: str) -> Expr:
    """The value at the start, in terms of statics; 0 where inputs enter."""
    derived = {item.name: item.value for item in component.derived_variables}
    first = {item.name: item.initial or ZERO for item in component.state_variables}
    fixed = {item.name for item in statics(component)}
    value: Expr = Name(name)
    for _ in range(20):
        open_names = free_names(value) - fixed
        if not open_names:
            return value
        if not open_names <= derived.keys() | first.keys():
            break
        value = substitute(value, {n: derived.get(n, first.get(n, ZERO)) for n in open_names})
    return ZERO
