"""Extrema on a grid: `dx/dt < 0` in a condition is `x_old > x`, x compared with its value of the step before.

A program sees no slope at a moment; a maximum is what two samples in a row show.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from ...canonical_model.expr import Binary, Expr, Name, Number, rebuild
from ...canonical_model.model import Assign, Component, Ode, OnCondition, Regime, StateVariable
from ...canonical_model.query import statics

FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def sampled_extrema(
    component: Component, fresh: Callable[[str], str]
) -> tuple[Component, tuple[Assign, ...]]:
    """The component with samples in place of slopes in its conditions, and what takes the samples at the
    beginning of each step."""
    zeros = {item.name for item in statics(component) if _is_zero(item.value)}
    samples: dict[str, str] = {}

    def sample(variable: str) -> Expr:
        if variable not in samples:
            samples[variable] = fresh(f"{variable}_old")
        return Name(samples[variable])

    def changed(test: Expr, rates: Mapping[Expr, str]) -> Expr:
        match test:
            case Binary("<" | "<=" | ">" | ">=" as op, left, right):
                for slope, limit, sign in ((left, right, op), (right, left, FLIPPED[op])):
                    is_nothing = _is_zero(limit) or (isinstance(limit, Name) and limit.id in zeros)
                    if slope in rates and is_nothing:
                        variable = rates[slope]
                        return Binary(FLIPPED[sign], sample(variable), Name(variable), test.span)
                return test
        return rebuild(test, lambda part: changed(part, rates))

    def conditions(holder: Component | Regime, odes: tuple[Ode, ...]) -> tuple[OnCondition, ...]:
        rates: dict[Expr, str] = {
            ode.rhs: ode.variable for ode in odes if not isinstance(ode.rhs, Name | Number)
        }
        return tuple(replace(c, test=changed(c.test, rates)) for c in holder.on_conditions)

    machines = tuple(
        replace(
            machine,
            regimes=tuple(
                replace(r, on_conditions=conditions(r, (*component.odes, *r.odes)))
                for r in machine.regimes
            ),
        )
        for machine in component.machines
    )
    common = conditions(component, component.odes)
    known = {s.name: s for s in component.state_variables}
    states: list[StateVariable] = [
        replace(known[variable], name=name, description=f"{variable} a step ago")
        for variable, name in samples.items()
    ]
    found = replace(
        component,
        machines=machines,
        on_conditions=common,
        state_variables=(*component.state_variables, *states),
    )
    body = tuple(Assign(target=name, value=Name(variable)) for variable, name in samples.items())
    return found, body


def _is_zero(value: object) -> bool:
    if isinstance(value, Number):
        return value.value == 0 and not (value.unit and value.unit.offset)
    return getattr(value, "si", None) == 0


__all__ = ["sampled_extrema"]
