"""Local quantities of a body, written out where they are read: NineML's transitions have none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ...canonical_model.diagnostics import refuse
from ...canonical_model.expr import Conditional, Expr, free_names, is_random, substitute, walk
from ...canonical_model.model import Assign, Component, Declare, If
from ...canonical_model.passes.change import Body, change_bodies, change_statement
from ...canonical_model.passes.movable import written_out
from ...canonical_model.query import expressions, nested


def locals_written_out(component: Component) -> Component:
    """The flat component without locals whose value lasts until they are read for the last time.

    Raises ModelError X304 where a choice depends on another.
    """

    def body(items: Body) -> Body:
        return _body(component, items, {})

    return change_bodies(component, body)


def _body(component: Component, items: Body, known: Mapping[str, Expr]) -> Body:
    values = dict(known)
    found = []
    for place, item in enumerate(items):
        match item:
            case Declare(name=name, value=value):
                told = substitute(value, values)
                if _lasts(component, name, told, items[place + 1 :]):
                    values[name] = told
                    continue
                _refuse_choice(component, name, told, items[place + 1 :], item)
                found.append(replace(item, value=told))
            case If(branches=branches, otherwise=otherwise):
                changed = tuple(
                    (substitute(test, values), _body(component, inner, values))
                    for test, inner in branches
                )
                last = _body(component, otherwise, values)
                found.append(replace(item, branches=changed, otherwise=last))
            case _:
                found.append(change_statement(item, lambda expr: substitute(expr, values)))
    return tuple(found)


def _lasts(component: Component, name: str, value: Expr, rest: Body) -> bool:
    """Does nothing that a local was made from change before it is read for the last time?"""
    if is_random(value):
        return False
    made_from = free_names(written_out(component, value))
    steps = list(nested(rest))
    uses = [k for k, s in enumerate(steps) if any(name in free_names(e) for e in expressions(s))]
    before = steps[: uses[-1]] if uses else []
    changed = {s.target for s in before if isinstance(s, Assign)}
    again = any(isinstance(s, Assign) and s.target == name for s in steps)
    return not again and not changed & made_from


def _refuse_choice(component: Component, name: str, value: Expr, rest: Body, item: Declare) -> None:
    """Choices become regimes, which know no locals."""
    tests = [test for s in nested(rest) if isinstance(s, If) for test, _ in s.branches]
    for expr in (value, *(e for s in nested(rest) for e in expressions(s))):
        for node in walk(expr):
            if isinstance(node, Conditional):
                tests += [test for test, _ in node.cases]
    if any(name in free_names(test) for test in tests):
        message = (
            f"'{name}' in an event of '{component.name}' decides a choice after what it was made from has "
            "changed, which has no place in NineML's transitions"
        )
        raise refuse("X304", message, item.span)


__all__ = ["locals_written_out"]
