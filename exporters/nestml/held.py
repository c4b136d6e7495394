"""What drives the equations from outside of them: time in right sides is held over a step at its middle.

NESTML's equations have no time, so what depends on time alone becomes a state that `update` sets.
"""

from __future__ import annotations

from dataclasses import replace

from ...canonical_model.expr import TIME, Binary, Expr, Name, free_names, substitute
from ...canonical_model.model import Assign, Component, DerivedVariable, Regime, StateVariable
from ...canonical_model.query import odes, regimes, statics
from ...canonical_model.units import TIME as TIME_DIMENSION
from .lowering import Lowering

MIDDLE = "step_middle"


def hold_inputs(component: Component, low: Lowering) -> Component:
    """The component whose right sides read no time; `low` gets the states and assignments for it."""
    needed = _needed(component)
    timed = [
        d for d in component.derived_variables if d.name in needed and _reads_time(component, d)
    ]
    direct = [ode for ode in odes(component) if TIME in free_names(ode.rhs)]
    in_regimes = [
        d for r in regimes(component) for d in r.derived_variables if TIME in free_names(d.value)
    ]
    if not timed and not direct and not in_regimes:
        return component
    fixed = {item.name for item in statics(component)} | {TIME}
    middle = low.fresh(MIDDLE)
    half = low.half_step()
    low.states.append(
        StateVariable(
            name=middle, dimension=TIME_DIMENSION, description="time at the middle of the step"
        )
    )
    low.start.append(Assign(target=middle, value=Binary("-", Name(TIME), half)))
    now: dict[str, Expr] = {TIME: Name(middle)}
    held: list[str] = []
    for item in _ordered(timed):
        if free_names(item.value) <= fixed:
            held.append(item.name)
            fixed = fixed | {item.name}
            value = substitute(item.value, now)
            low.start.append(Assign(target=item.name, value=value))
            low.states.append(
                StateVariable(
                    name=item.name, dimension=item.dimension, description=item.description
                )
            )
    return _replaced(component, needed, set(held), now)


def _replaced(
    component: Component, needed: set[str], held: set[str], now: dict[str, Expr]
) -> Component:
    return replace(
        component,
        derived_variables=tuple(
            replace(d, value=substitute(d.value, now)) if d.name in needed else d
            for d in component.derived_variables
            if d.name not in held
        ),
        odes=tuple(replace(o, rhs=substitute(o.rhs, now)) for o in component.odes),
        machines=tuple(
            replace(m, regimes=tuple(_regime(r, now) for r in m.regimes))
            for m in component.machines
        ),
        exposures=tuple(e for e in component.exposures if e.variable not in held),
    )


def _regime(regime: Regime, now: dict[str, Expr]) -> Regime:
    return replace(
        regime,
        odes=tuple(replace(o, rhs=substitute(o.rhs, now)) for o in regime.odes),
        derived_variables=tuple(
            replace(d, value=substitute(d.value, now)) for d in regime.derived_variables
        ),
    )


def _needed(component: Component) -> set[str]:
    """Derived variables that right sides read, directly or through others."""
    table = {d.name: free_names(d.value) for d in component.derived_variables}
    waiting = [n for ode in odes(component) for n in free_names(ode.rhs)]
    waiting += [
        n for r in regimes(component) for d in r.derived_variables for n in free_names(d.value)
    ]
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in table and name not in found:
            found.add(name)
            waiting.extend(table[name])
    return found


def _reads_time(component: Component, item: DerivedVariable) -> bool:
    """True if the value depends on time, through other derived variables too."""
    table = {d.name: free_names(d.value) for d in component.derived_variables}
    waiting, seen = [item.name], set()
    while waiting:
        name = waiting.pop()
        if name == TIME:
            return True
        if name not in seen:
            seen.add(name)
            waiting.extend(table.get(name, ()))
    return False


def _ordered(items: list[DerivedVariable]) -> list[DerivedVariable]:
    from ...solvers.graph import topological

    names = {item.name: item for item in items}
    order, _ = topological({n: set(free_names(d.value)) & names.keys() for n, d in names.items()})
    return [names[name] for name in order if name in names]
