"""Apply a change to every expression or statement of a flat component."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from .. import model
from ..expr import Call, Expr, Name, rebuild

Change = Callable[[Expr], Expr]
Rewrite = Callable[[model.Statement], tuple[model.Statement, ...]]
Body = tuple[model.Statement, ...]


def change_expressions(component: model.Component, change: Change) -> model.Component:
    """The component with `change` applied to each whole expression; function bodies are left alone."""

    def of_body(body: Body) -> Body:
        return tuple(change_statement(item, change) for item in body)

    def derived(items: tuple[model.DerivedVariable, ...]) -> tuple[model.DerivedVariable, ...]:
        return tuple(replace(item, value=change(item.value)) for item in items)

    def rates(items: tuple[model.Ode, ...]) -> tuple[model.Ode, ...]:
        return tuple(replace(item, rhs=change(item.rhs)) for item in items)

    changed = replace(
        component,
        derived_parameters=tuple(
            replace(item, value=change(item.value)) for item in component.derived_parameters
        ),
        state_variables=tuple(
            item if item.initial is None else replace(item, initial=change(item.initial))
            for item in component.state_variables
        ),
        derived_variables=derived(component.derived_variables),
        odes=rates(component.odes),
        checks=tuple(replace(item, test=change(item.test)) for item in component.checks),
        machines=tuple(
            replace(
                machine,
                regimes=tuple(
                    replace(
                        regime,
                        derived_variables=derived(regime.derived_variables),
                        odes=rates(regime.odes),
                    )
                    for regime in machine.regimes
                ),
            )
            for machine in component.machines
        ),
    )
    return change_bodies(changed, of_body, change)


def change_bodies(
    component: model.Component, change: Callable[[Body], Body], test: Change = lambda expr: expr
) -> model.Component:
    """The component with `change` applied to each body, and `test` to the tests of conditions."""

    def conditions(items: tuple[model.OnCondition, ...]) -> tuple[model.OnCondition, ...]:
        return tuple(replace(i, test=test(i.test), body=change(i.body)) for i in items)

    def events(items: tuple[model.OnEvent, ...]) -> tuple[model.OnEvent, ...]:
        return tuple(replace(item, body=change(item.body)) for item in items)

    machines = tuple(
        replace(
            machine,
            regimes=tuple(
                replace(
                    regime,
                    on_entry=change(regime.on_entry),
                    on_conditions=conditions(regime.on_conditions),
                    on_events=events(regime.on_events),
                )
                for regime in machine.regimes
            ),
        )
        for machine in component.machines
    )
    return replace(
        component,
        update=None if component.update is None else change(component.update),
        on_conditions=conditions(component.on_conditions),
        on_events=events(component.on_events),
        timed_events=tuple(replace(i, body=change(i.body)) for i in component.timed_events),
        machines=machines,
    )


def change_statement(statement: model.Statement, change: Change) -> model.Statement:
    """The statement with `change` applied to its expressions and to those of the statements inside."""

    def of_body(body: Body) -> Body:
        return tuple(change_statement(item, change) for item in body)

    match statement:
        case model.Assign() | model.Declare() | model.Return():
            return replace(statement, value=change(statement.value))
        case model.Emit(weight=weight) if weight is not None:
            return replace(statement, weight=change(weight))
        case model.If(branches=branches, otherwise=otherwise):
            changed = tuple((change(test), of_body(body)) for test, body in branches)
            return replace(statement, branches=changed, otherwise=of_body(otherwise))
        case model.While(test=test, body=body):
            return replace(statement, test=change(test), body=of_body(body))
        case model.For(start=start, stop=stop, step=step, body=body):
            return replace(
                statement,
                start=change(start),
                stop=change(stop),
                step=change(step),
                body=of_body(body),
            )
    return statement


def rewrite(body: Body, change: Rewrite) -> Body:
    """Each statement replaced by several, innermost first."""

    def inner(statement: model.Statement) -> model.Statement:
        match statement:
            case model.If(branches=branches, otherwise=otherwise):
                changed = tuple((test, rewrite(part, change)) for test, part in branches)
                return replace(statement, branches=changed, otherwise=rewrite(otherwise, change))
            case model.While(body=part) | model.For(body=part):
                return replace(statement, body=rewrite(part, change))
        return statement

    return tuple(new for item in body for new in change(inner(item)))


def replace_calls(expr: Expr, function: str, change: Callable[[Call], Expr]) -> Expr:
    """The expression with each call of `function` replaced by what `change` makes of it."""
    if isinstance(expr, Call) and expr.function == function:
        return change(expr)
    return rebuild(expr, lambda part: replace_calls(part, function, change))


def port_of(call: Call) -> str:
    """The port that `arrived(port)` names."""
    port = call.args[0]
    assert isinstance(port, Name)
    return port.id


def all_expressions(component: model.Component) -> Iterator[Expr]:
    """Every expression that `change_expressions` would change."""
    found: list[Expr] = []

    def note(expr: Expr) -> Expr:
        found.append(expr)
        return expr

    change_expressions(component, note)
    yield from found
