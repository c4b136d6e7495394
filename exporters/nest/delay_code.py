"""Variables of the past: `delayed(x, d)` is the value that x had d before the beginning of a step.

Each becomes a state that is set from a ring of past values at the start of every step. Before the run, x is
taken to have had its first value.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ...canonical_model.diagnostics import refuse
from ...canonical_model.expr import Call, Expr, Name, walk
from ...canonical_model.model import Component, Exposure, StateVariable
from ...canonical_model.passes.change import all_expressions, change_expressions, replace_calls
from ...canonical_model.query import declared


@dataclass(frozen=True, slots=True)
class Delay:
    """`state` is what `variable` was `delay` ago."""

    state: str
    variable: str
    delay: Expr


def with_past(component: Component) -> tuple[Component, tuple[Delay, ...]]:
    """The component with a state for each delayed variable. Raises ModelError B301 for a synapse."""
    calls: dict[tuple[str, Expr], Call] = {}
    for expr in all_expressions(component):
        for node in walk(expr):
            if isinstance(node, Call) and node.function == "delayed":
                calls.setdefault(_key(node), node)
    if not calls:
        return component, ()
    if any(item.role in ("pre", "post") for item in component.event_inputs):
        span = next(iter(calls.values())).span
        message = f"the past of a variable of '{component.name}' is not known between its spikes"
        raise refuse("B301", f"a synapse runs at spikes only: {message}", span)
    taken = {item.name for item in declared(component)}
    dimensions = {item.name: item.dimension for item in declared(component)}
    delays: dict[tuple[str, Expr], Delay] = {}
    for variable, delay in calls:
        name = f"{variable}__delayed"
        while name in taken:
            name += "_"
        taken.add(name)
        delays[variable, delay] = Delay(name, variable, delay)
    states = tuple(
        StateVariable(name=d.state, dimension=dimensions[d.variable], initial=Name(d.variable))
        for d in delays.values()
    )
    changed = change_expressions(
        component,
        lambda expr: replace_calls(expr, "delayed", lambda call: Name(delays[_key(call)].state)),
    )
    changed = replace(
        changed,
        state_variables=(*changed.state_variables, *states),
        exposures=(
            *changed.exposures,
            *(Exposure(name=s.name, variable=s.name, dimension=s.dimension) for s in states),
        ),
    )
    return changed, tuple(delays.values())


def _key(call: Call) -> tuple[str, Expr]:
    variable, delay = call.args
    assert isinstance(variable, Name)
    return variable.id, delay
