"""Time on a grid: comparisons with `t` and with countdown timers, exact to the step.

Sums such as `last + pause`, and timers that lose h in every step, are rounded: on the grid they come out
just above or below a tick. A slack of 1 % of a step makes a pause of n steps last n steps.
"""

from __future__ import annotations

from dataclasses import replace

from ...canonical_model.expr import TIME as T
from ...canonical_model.expr import Binary, Call, Expr, Number, free_names, rebuild
from ...canonical_model.model import Component, DerivedParameter
from ...canonical_model.passes.change import change_expressions
from ...canonical_model.passes.timegrid import FRACTION, SLACK, slackened, timers
from ...canonical_model.query import odes
from ...canonical_model.units import TIME

ORDER = frozenset({"<", "<=", ">", ">="})


def grid_safe(component: Component) -> Component:
    """The unit-free component with slackened comparisons; the slack follows the resolution."""
    moving = {ode.variable for ode in odes(component)}
    moving |= {item.name for item in component.derived_variables}
    moving |= {item.name for item in component.analog_inputs}
    clocks = timers(component)

    def change(expr: Expr) -> Expr:
        if isinstance(expr, Binary) and expr.op in ORDER:
            names = free_names(expr)
            is_clock = T in names and not names & moving
            if is_clock or (names & clocks and not names & (moving - clocks)):
                return slackened(expr)
        return rebuild(expr, change)

    changed = change_expressions(component, change)
    if changed == component:
        return component
    slack = DerivedParameter(
        name=SLACK,
        dimension=TIME,
        value=Binary("*", Number(FRACTION), Call("resolution")),
        description="comparisons with time are exact to this",
    )
    return replace(changed, derived_parameters=(*changed.derived_parameters, slack))
