"""Make comparisons with time safe on a fixed grid: `t > last + pause` with a slack of 1 % of a step.

Sums such as `last + pause`, and timers that lose a step's length in every step, are rounded, so that on the
grid they may come out just above or below a tick. With the slack a pause of n steps lasts n steps, in
float32 and in float64.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..circuit import Circuit
from ..expr import TIME, Binary, Conditional, Expr, Name, free_names, rebuild
from ..fixed import fixed_value
from ..model import Component, OnCondition, Parameter
from ..query import odes
from ..units import TIME as TIME_DIMENSION
from ..units import si_quantity
from .bound import bound_growth
from .change import change_expressions
from .delays import lower_delays
from .program import bind_step

SLACK = "t_slack"
SLACK_NAME = Name(SLACK)
FRACTION = 0.01
MAX_DEPTH = 20
ROUNDING = 1e-12  # of products of literals such as 1e3 * ms / s


def on_grid(circuit: Circuit, step: float) -> Circuit:
    """The circuit made safe for steps of `step` seconds: comparisons with time, growing exponentials,
    delayed quantities."""
    seen: dict[int, Component] = {}
    groups = []
    for group in circuit.groups:
        key = id(group.component)
        if key not in seen:
            bounded = bind_step(bound_growth(lower_delays(group.component, step)), step)
            seen[key] = _component(bounded, step)
        groups.append(replace(group, component=seen[key]))
    return replace(circuit, groups=tuple(groups))


def _component(component: Component, step: float) -> Component:
    changed = _with_timers(_with_times(component))
    if changed == component or any(item.name == SLACK for item in component.parameters):
        return component
    value = si_quantity(FRACTION * step, TIME_DIMENSION)
    slack = Parameter(name=SLACK, dimension=TIME_DIMENSION, value=value)
    return replace(changed, parameters=(*changed.parameters, slack))


def _with_timers(component: Component) -> Component:
    """Slack where a timer, which moves by 1 or -1 per unit of time, is compared with what stands still."""
    times = {s.name for s in component.state_variables if s.dimension == TIME_DIMENSION}
    clocks = timers(component) & times
    others = {ode.variable for ode in odes(component)} - clocks
    others |= {item.name for item in component.derived_variables}
    others |= {item.name for item in component.analog_inputs}

    def change(expr: Expr) -> Expr:
        match expr:
            case Binary("<" | "<=" | ">" | ">="):
                names = free_names(expr)
                if names & clocks and not names & others:
                    return slackened(expr)
        return rebuild(expr, change)

    return change_expressions(component, change) if clocks else component


def timers(component: Component) -> set[str]:
    """States that run a second a second, up or down, wherever and whenever they run at all."""
    values = {item.name: item.value for item in component.derived_variables}
    rates: dict[str, set[float | None]] = {}
    for ode in odes(component):
        rates.setdefault(ode.variable, set()).update(_rates(ode.rhs, values))
    return {name for name, found in rates.items() if _keep_time(found)}


def _keep_time(rates: set[float | None]) -> bool:
    sizes = [None if rate is None else abs(rate) for rate in rates if rate != 0.0]
    return bool(sizes) and all(s is not None and abs(s - 1.0) < ROUNDING for s in sizes)


def _rates(rate: Expr, values: Mapping[str, Expr], depth: int = 0) -> set[float | None]:
    """The numbers that a rate chooses from; None where one is no number."""
    match rate:
        case Name(name) if name in values and depth < MAX_DEPTH:
            return _rates(values[name], values, depth + 1)
        case Conditional(cases, otherwise) if depth < MAX_DEPTH:
            parts = (otherwise, *(value for _, value in cases))
            return {found for part in parts for found in _rates(part, values, depth + 1)}
    return {fixed_value(rate, {})}


def _with_times(component: Component) -> Component:
    """Slack where time itself is compared with what stands still."""
    moving = {ode.variable for ode in odes(component)}
    moving |= {item.name for item in component.derived_variables}
    moving |= {item.name for item in component.analog_inputs}

    def change(expr: Expr) -> Expr:
        match expr:
            case Binary("<" | "<=" | ">" | ">="):
                names = free_names(expr)
                if TIME in names and not names & moving:
                    return slackened(expr)
                return expr
            case _:
                return rebuild(expr, change)

    def conditions(items: tuple[OnCondition, ...]) -> tuple[OnCondition, ...]:
        return tuple(replace(item, test=change(item.test)) for item in items)

    return replace(
        component,
        derived_variables=tuple(
            replace(item, value=change(item.value)) for item in component.derived_variables
        ),
        on_conditions=conditions(component.on_conditions),
        machines=tuple(
            replace(
                machine,
                regimes=tuple(
                    replace(regime, on_conditions=conditions(regime.on_conditions))
                    for regime in machine.regimes
                ),
            )
            for machine in component.machines
        ),
    )


def slackened(expr: Binary, slack: Expr = SLACK_NAME) -> Binary:
    """Equality within the slack counts as equality: not yet greater, not yet less."""
    is_strict = expr.op in ("<", ">")
    grows = "+" if (expr.op in (">", ">=")) == is_strict else "-"
    return Binary(expr.op, expr.left, Binary(grows, expr.right, slack), expr.span)
