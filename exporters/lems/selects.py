"""What select paths lead to, as far as the component itself shows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ...canonical_model.expr import Select, walk
from ...canonical_model.model import Component
from ...canonical_model.passes.change import all_expressions
from ...canonical_model.query import declared
from ...canonical_model.units import Dimension


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
    """Parts of lists that a path names by their id as slots of that name: jLEMS finds no others."""
    heads = {node.path.partition("/")[0] for node in selects(component) if "/" in node.path}
    slots = {child.name for child in component.children}
    named = {c.id for c in component.children if c.is_list and c.id in heads - slots}
    if not named:
        return component
    children = tuple(
        replace(child, name=child.id, is_list=False) if child.id in named else child
        for child in component.children
    )
    return replace(component, children=children)


def empty_lists(component: Component) -> list[str]:
    """Lists that paths speak of and that hold nothing."""
    known = {child.name for child in component.children} | {a.name for a in component.attachments}
    heads = (node.path.partition("/")[0] for node in selects(component) if "[" in node.path)
    names = (head.partition("[")[0] for head in heads)
    return [name for name in dict.fromkeys(names) if name not in known]
