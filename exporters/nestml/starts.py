"""How a program of time steps starts: initial values in the forms that NESTML has for them."""

from __future__ import annotations

from dataclasses import replace

from ...canonical_model.expr import (
    ONE,
    TIME,
    ZERO,
    Conditional,
    Expr,
    Name,
    Number,
    Unary,
    free_names,
    is_random,
    substitute,
    walk,
)
from ...canonical_model.model import (
    BOOLEAN,
    Assign,
    Component,
    DerivedParameter,
    If,
    Statement,
    StateVariable,
)
from ...canonical_model.units import NONE, Dimension, si_quantity
from ...canonical_model.units import TIME as TIME_DIMENSION
from .lowering import Lowering


def _literal(value: float, dimension: Dimension) -> Number:
    """A number of SI as a literal with its unit."""
    quantity = si_quantity(value, dimension)
    return Number(quantity.value, None if dimension == NONE else quantity.unit)


def first_values(component: Component) -> Component:
    """Initial values in terms of what is fixed: derived variables in them are replaced by their values."""
    derived = {item.name: item.value for item in component.derived_variables}
    initial = {s.name: s.initial or ZERO for s in component.state_variables}
    for machine in component.machines:
        regime = next(r for r in machine.regimes if r.name == machine.initial)
        derived.update({item.name: item.value for item in regime.derived_variables})
    inputs = {i.name: _literal(i.default, i.dimension) for i in component.analog_inputs}
    zero_time = Number(0.0, si_quantity(0.0, TIME_DIMENSION).unit)

    def settle(expr: Expr, depth: int = 0) -> Expr:
        names = free_names(expr)
        table: dict[str, Expr] = {n: v for n, v in derived.items() if n in names}
        if table and depth < 100:
            return settle(substitute(expr, table), depth + 1)
        rest = {n: initial[n] for n in names & initial.keys() if not is_random(initial[n])}
        known: dict[str, Expr] = {**{n: v for n, v in inputs.items() if n in names}, **rest}
        if known and depth < 100:
            return settle(substitute(expr, known), depth + 1)
        return substitute(expr, {TIME: zero_time})

    states = tuple(
        replace(s, initial=settle(s.initial)) if s.initial is not None else s
        for s in component.state_variables
    )
    return replace(component, state_variables=states)


def random_start(low: Lowering) -> None:
    """Draws and entry actions that belong to the start go into the first step: states cannot hold them."""
    c = low.component
    drawn: dict[str, Expr] = {
        s.name: s.initial
        for s in c.state_variables
        if s.initial is not None and is_random(s.initial)
    }
    while True:
        more = {
            s.name: s.initial
            for s in c.state_variables
            if s.initial is not None
            and s.name not in drawn
            and free_names(s.initial) & drawn.keys()
        }
        if not more:
            break
        drawn.update(more)
    entries: list[Statement] = []
    for machine in c.machines:
        regime = next(r for r in machine.regimes if r.name == machine.initial)
        entries += regime.on_entry
    if not drawn and not entries:
        return
    order = _in_order(drawn)
    flag = low.fresh("has_started")
    body: tuple[Statement, ...] = (
        *(Assign(target=name, value=drawn[name]) for name in order),
        *entries,
        Assign(target=flag, value=ONE),
    )
    low.states.append(
        StateVariable(
            name=flag, kind=BOOLEAN, initial=ZERO, description="false before the first step"
        )
    )
    low.start.append(If(branches=((Unary("not", Name(flag)), body),)))
    states = tuple(replace(s, initial=None) if s.name in drawn else s for s in c.state_variables)
    low.component = replace(c, state_variables=states)


def plain_initial(low: Lowering) -> None:
    """Initial values that choose become internals: NESTML's analysis cannot read a choice there."""
    states = []
    for state in low.component.state_variables:
        initial = state.initial
        if initial is not None and any(isinstance(node, Conditional) for node in walk(initial)):
            name = low.fresh(f"{state.name}_initial")
            low.statics.append(
                DerivedParameter(name=name, dimension=state.dimension, value=initial)
            )
            state = replace(state, initial=Name(name))
        states.append(state)
    low.component = replace(low.component, state_variables=tuple(states))


def _in_order(values: dict[str, Expr]) -> list[str]:
    """Names so that each comes after those that its value reads."""
    from ...solvers.graph import topological

    order, _ = topological({n: set(free_names(v)) & values.keys() - {n} for n, v in values.items()})
    return [*order, *(name for name in values if name not in order)]
