"""What select paths lead to, as far as the component itself shows it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from ...canonical_model.expr import Expr, Select, add, multiply, rebuild, walk
from ...canonical_model.model import Component
from ...canonical_model.passes.change import all_expressions, change_expressions
from ...canonical_model.query import declared
from ...canonical_model.units import Dimension

_LIST = re.compile(r"(\w+)\[(?:\*|(\w+)='([^']*)')\]/(.*)$")


def select_dimension(component: Component, path: str) -> Dimension | None:
    """The dimension of the quantity at a path below `component`; None if that is not known here."""
    *steps, last = path.split("/")
    current = [component]
    for step in steps:
        name = step.partition("[")[0]
        current = [
            child.component
            for item in current
            for child in item.children
            if name in (child.name, child.id)
        ]
    for item in current:
        variable = next((e.variable for e in item.exposures if e.name == last), last)
        for quantity in declared(item):
            if quantity.name == variable:
                return quantity.dimension
    return None


def selects(component: Component) -> Iterator[Select]:
    """Every select of a component's own expressions."""
    for expr in all_expressions(component):
        for node in walk(expr):
            if isinstance(node, Select):
                yield node


def named_slots(component: Component) -> Component:
    """Lists of which a path names a part by its id, as slots of those names: jLEMS finds no others.

    What was reduced over such a list becomes a sum or product of its parts.
    """
    heads = {node.path.partition("/")[0] for node in selects(component) if "/" in node.path}
    slots = {child.name for child in component.children}
    lists = {c.name for c in component.children if c.is_list and c.id in heads - slots}
    if not lists:
        return component
    children = tuple(
        replace(child, name=child.id, is_list=False) if child.name in lists else child
        for child in component.children
    )

    def spelled(expr: Expr) -> Expr:
        match expr:
            case Select(path, reduce):
                found = _LIST.match(path)
                if found is None or found[1] not in lists:
                    return expr
                parts: list[Expr] = [
                    Select(f"{child.id}/{found[4]}", span=expr.span)
                    for child in component.children
                    if child.name == found[1]
                    and (not found[2] or child.texts.get(found[2]) == found[3])
                ]
                return multiply(parts) if reduce == "multiply" else add(parts)
            case _:
                return rebuild(expr, spelled)

    return replace(change_expressions(component, spelled), children=children)


def empty_lists(component: Component) -> list[str]:
    """Lists that paths speak of and that hold nothing."""
    known = {child.name for child in component.children} | {a.name for a in component.attachments}
    heads = (node.path.partition("/")[0] for node in selects(component) if "[" in node.path)
    names = (head.partition("[")[0] for head in heads)
    return [name for name in dict.fromkeys(names) if name not in known]
