"""Truth values as the numbers 0 and 1, for languages whose quantities are numbers only."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from ..expr import ONE, ZERO, Binary, Conditional, Expr, Name, Number, Unary, is_boolean, rebuild
from ..model import (
    BOOLEAN,
    REAL,
    Assign,
    Component,
    Constant,
    DerivedParameter,
    DerivedVariable,
    If,
    Parameter,
    Statement,
    StateVariable,
)
from ..query import declared
from .change import change_bodies, change_expressions

HALF = Number(0.5)
Item = TypeVar("Item", Parameter, Constant, DerivedParameter, StateVariable)


def truths_to_numbers(component: Component) -> Component:
    """The flat component without boolean quantities: what was one is above one half where it is true."""
    flags = frozenset(
        item.name for item in declared(component) if getattr(item, "kind", REAL) == BOOLEAN
    )
    if not flags:
        return component

    def value(expr: Expr) -> Expr:
        if isinstance(expr, Name | Number) or not (is_boolean(expr)):
            return number(expr)
        return Conditional(((truth(expr), ONE),), ZERO)

    def truth(expr: Expr) -> Expr:
        match expr:
            case Name(name) if name in flags:
                return Binary(">", expr, HALF, expr.span)
            case Unary("not", Name(name) as inner) if name in flags:
                return Binary("<", inner, HALF, expr.span)
            case Unary("not", inner):
                return Unary("not", truth(inner), expr.span)
            case Binary("and" | "or" as op, left, right):
                return Binary(op, truth(left), truth(right), expr.span)
            case Binary("==" | "!=" as op, Name(name) as flag, Number(limit)) if name in flags:
                return Binary(">" if (limit != 0) == (op == "==") else "<", flag, HALF, expr.span)
            case Binary():
                return rebuild(expr, number)
            case _:
                return number(expr)

    def number(expr: Expr) -> Expr:
        if isinstance(expr, Conditional):
            cases = tuple((truth(test), number(part)) for test, part in expr.cases)
            return Conditional(cases, number(expr.otherwise), expr.span)
        return truth(expr) if is_boolean(expr) else rebuild(expr, number)

    def whole(expr: Expr) -> Expr:
        return truth(expr) if is_boolean(expr) else number(expr)

    def body(items: tuple[Statement, ...]) -> tuple[Statement, ...]:
        return tuple(statement(item) for item in items)

    def statement(item: Statement) -> Statement:
        match item:
            case Assign(target=target) if target in flags:
                return replace(item, value=value(item.value))
            case If(branches=branches):
                changed = tuple((truth(test), body(inner)) for test, inner in branches)
                return replace(item, branches=changed, otherwise=body(item.otherwise))
        return item

    found = change_bodies(component, body, truth)
    found = change_expressions(found, whole)
    return replace(
        found,
        parameters=tuple(_number(p) for p in found.parameters),
        derived_parameters=tuple(_number(p) for p in found.derived_parameters),
        constants=tuple(_number(p) for p in found.constants),
        state_variables=tuple(_number(p) for p in found.state_variables),
        derived_variables=tuple(_derived(d) for d in found.derived_variables),
    )


def _number(item: Item) -> Item:
    return replace(item, kind=REAL) if item.kind == BOOLEAN else item


def _derived(item: DerivedVariable) -> DerivedVariable:
    if not is_boolean(item.value):
        return item
    return replace(item, value=Conditional(((item.value, ONE),), ZERO))


__all__ = ["truths_to_numbers"]
