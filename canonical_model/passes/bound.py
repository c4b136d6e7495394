"""Keep exponentials from running away within a step: `exp((v - V_T)/delta)` sees at most the threshold.

A model that resets v where it exceeds a threshold never means its rates beyond it, but the stages of a
fixed step reach there, and single precision overflows. NEST's AdEx bounds v in the same way.
"""

from __future__ import annotations

from dataclasses import replace

from ..expr import Binary, Call, Expr, Name, free_names, rebuild, substitute
from ..model import Assign, Component, OnCondition, Regime, Statement, Transition
from ..query import conditions, regimes, statics


def bound_growth(component: Component) -> Component:
    """The flat component with resetting states bounded by their thresholds inside of exp()."""
    limits = _limits(component)
    if not limits:
        return component

    def change(expr: Expr) -> Expr:
        if isinstance(expr, Call) and expr.function == "exp" and free_names(expr) & limits.keys():
            return rebuild(expr, lambda part: substitute(part, limits))
        return rebuild(expr, change)

    def in_regime(regime: Regime) -> Regime:
        return replace(
            regime,
            odes=tuple(replace(o, rhs=change(o.rhs)) for o in regime.odes),
            derived_variables=tuple(
                replace(d, value=change(d.value)) for d in regime.derived_variables
            ),
        )

    return replace(
        component,
        odes=tuple(replace(o, rhs=change(o.rhs)) for o in component.odes),
        derived_variables=tuple(
            replace(d, value=change(d.value)) for d in component.derived_variables
        ),
        machines=tuple(
            replace(m, regimes=tuple(in_regime(r) for r in m.regimes)) for m in component.machines
        ),
    )


def _limits(component: Component) -> dict[str, Expr]:
    """State -> min(state, threshold) for states that a condition resets above a static threshold."""
    fixed = {item.name for item in statics(component)}
    states = {item.name for item in component.state_variables}
    found: dict[str, Expr] = {}
    for condition in conditions(component):
        match condition.test:
            case Binary(">" | ">=", Name(state), threshold):
                pass
            case Binary("<" | "<=", threshold, Name(state)):
                pass
            case _:
                continue
        is_fixed = state in states and free_names(threshold) <= fixed
        if is_fixed and _resets(component, condition, state):
            found[state] = Call("min", (Name(state), threshold))
    return found


def _resets(component: Component, condition: OnCondition, state: str) -> bool:
    """True if the condition's body, or the regime that it enters, assigns the state."""
    names = {r.name: r for r in regimes(component)}
    stack: list[Statement] = list(condition.body)
    for item in condition.body:
        if isinstance(item, Transition) and item.regime in names:
            stack.extend(names[item.regime].on_entry)
    return any(isinstance(item, Assign) and item.target == state for item in stack)
