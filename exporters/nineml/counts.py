"""Tests of what moves in jumps only: `>=` and `>` differ, and `==` lasts; NineML has words for neither."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ...canonical_model.expr import TIME, Binary, Expr, Unary, free_names, rebuild
from ...canonical_model.fixed import fixed_value
from ...canonical_model.model import Component, OnCondition, Regime
from ...canonical_model.passes.change import change_expressions
from ...canonical_model.query import regimes


def exact_counts(component: Component) -> Component:
    """`n >= m` as `!(n < m)` where neither side moves with time, in this regime at least: a counter, or a
    timer at rest, may be equal for long."""

    def exact(expr: Expr, moving: set[str]) -> Expr:
        inner = rebuild(expr, lambda part: exact(part, moving))
        match inner:
            case Binary(">=" | "<=", left, right) if not moving & free_names(inner):
                op = "<" if inner.op == ">=" else ">"
                return Unary("not", Binary(op, left, right, inner.span), inner.span)
            case _:
                return inner

    def changed(items: tuple[OnCondition, ...], moving: set[str]) -> tuple[OnCondition, ...]:
        return tuple(replace(item, test=exact(item.test, moving)) for item in items)

    machines = tuple(
        replace(
            machine,
            regimes=tuple(
                replace(r, on_conditions=changed(r.on_conditions, _moving(component, (r,))))
                for r in machine.regimes
            ),
        )
        for machine in component.machines
    )
    common = changed(component.on_conditions, _moving(component, regimes(component)))
    return replace(component, on_conditions=common, machines=machines)


def equal_counts(component: Component) -> Component:
    """`n == m` as neither below nor above where neither side moves with time: a counter stays equal."""
    moving = _moving(component, regimes(component))

    def exact(expr: Expr) -> Expr:
        inner = rebuild(expr, exact)
        match inner:
            case Binary("==" | "!=", left, right) if not moving & free_names(inner):
                apart = Binary(
                    "or", Binary("<", left, right, inner.span), Binary(">", left, right, inner.span)
                )
                return apart if inner.op == "!=" else Unary("not", apart, inner.span)
            case _:
                return inner

    return change_expressions(component, exact)


def _moving(component: Component, active: Iterable[Regime]) -> set[str]:
    """What changes with time itself in some of these regimes, and all that is computed from it."""
    active = tuple(active)
    rates = [*component.odes, *(ode for regime in active for ode in regime.odes)]
    moving = {TIME, *(item.name for item in component.analog_inputs)}
    moving |= {ode.variable for ode in rates if fixed_value(ode.rhs, {}) != 0.0}
    derived = [
        *component.derived_variables,
        *(item for regime in active for item in regime.derived_variables),
    ]
    while True:
        more = {d.name for d in derived if free_names(d.value) & moving} - moving
        if not more:
            return moving
        moving |= more


__all__ = ["equal_counts", "exact_counts"]
