"""Choices that parameters alone decide, decided: NineML has no word for them, and they never change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...canonical_model.diagnostics import Level, Log, ModelError
from ...canonical_model.expr import (
    COMPARISONS,
    Binary,
    Conditional,
    Expr,
    free_names,
    is_random,
    rebuild,
)
from ...canonical_model.model import Component
from ...canonical_model.passes.change import change_expressions


def settled(component: Component, log: Log) -> Component:
    """The component without conditionals whose tests read nothing but parameters that have values."""
    from ...solvers.evaluate import parameter_values

    try:
        values = parameter_values(component)
    except ModelError:
        return component
    names: set[str] = set()

    def change(expr: Expr) -> Expr:
        inner = rebuild(expr, change)
        if not isinstance(inner, Conditional):
            return inner
        cases = []
        for test, value in inner.cases:
            truth = _truth(test, values)
            if truth is None:
                cases.append((test, value))
                continue
            names.update(free_names(test))
            if truth:
                return Conditional(tuple(cases), value, inner.span) if cases else value
        return Conditional(tuple(cases), inner.otherwise, inner.span) if cases else inner.otherwise

    found = change_expressions(component, change)
    if names:
        listed = ", ".join(f"'{name}'" for name in sorted(names))
        message = f"'{component.name}' chooses by {listed}: written as their values have it"
        log.add("X312", Level.NOTE, message, component.span)
    return found


def _truth(test: Expr, values: Mapping[str, Any]) -> bool | None:
    """Of a test of comparisons; None where it reads what is not fixed, or draws."""
    from ...solvers.evaluate import evaluate

    if not free_names(test) <= values.keys() or is_random(test):
        return None
    if not (isinstance(test, Binary) and (test.op in COMPARISONS or test.op in ("and", "or"))):
        return None
    try:
        return bool(evaluate(test, values))
    except (ModelError, KeyError, ArithmeticError):
        return None


__all__ = ["settled"]
