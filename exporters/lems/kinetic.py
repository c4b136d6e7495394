"""Kinetic schemes recovered from the equations that they stand for: jLEMS solves schemes exactly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ...canonical_model.diagnostics import ModelError
from ...canonical_model.expr import Binary, Expr, Select, walk
from ...canonical_model.model import Child, Component
from ...lems_types import syntax
from ...lems_types.kinetic import kinetic_odes
from .standard import alike

_Flow = tuple[str, str, str, str]  # edge, rate, node, state


def find_scheme(component: Component) -> tuple[Component, syntax.KineticScheme] | None:
    """The component without the equations of a scheme, and the scheme; None if there is none."""
    nodes = {child.id: child for child in component.children}
    for item in component.derived_variables:
        for node in nodes:
            name = item.name.removesuffix(f"_{node}")
            if name == item.name or not name:
                continue
            found = _scheme(component, name, item.value)
            if found is not None:
                bare = _bare(component, found)
                if bare is not None:
                    return bare, found
    return None


def _nets(expr: Expr) -> Iterator[tuple[_Flow, _Flow]]:
    """What goes forward and back along each edge."""
    for part in walk(expr):
        if isinstance(part, Binary) and part.op == "-":
            forward, back = _flow(part.left), _flow(part.right)
            if forward and back and forward[0] == back[0]:
                yield forward, back


def _flow(expr: Expr) -> _Flow | None:
    match expr:
        case Binary("*", Select(first), Select(second)):
            edge, _, rate = first.partition("/")
            node, _, state = second.partition("/")
            return (edge, rate, node, state) if rate and state and "/" not in rate + state else None
    return None


def _scheme(component: Component, name: str, value: Expr) -> syntax.KineticScheme | None:
    """The scheme called `name`, as one of its equations shows it."""
    children = {child.id: child for child in component.children}
    net = next(_nets(value), None)
    if net is None:
        return None
    (edge, forward, source, state), (_, back, target, _) = net
    if not {edge, source, target} <= children.keys():
        return None
    texts = children[edge].component.texts
    ends = [next((k for k, v in texts.items() if v == end), "") for end in (source, target)]
    if not all(ends):
        return None
    return syntax.KineticScheme(
        name=name, nodes=children[source].name, edges=children[edge].name, state_variable=state,
        edge_source=ends[0], edge_target=ends[1], forward_rate=forward, reverse_rate=back,
    )  # fmt: skip


def _bare(component: Component, scheme: syntax.KineticScheme) -> Component | None:
    """The component without the scheme's equations, if the scheme gives exactly these."""
    ids = [child.id for child in component.children if child.name == scheme.nodes]
    rates = {f"{scheme.name}_{node}" for node in ids}
    derived = tuple(d for d in component.derived_variables if d.name not in rates)
    children = tuple(_resting(child, scheme) for child in component.children)
    bare = replace(component, derived_variables=derived, children=children)
    try:
        again = kinetic_odes(bare, scheme)
    except ModelError:
        return None
    return bare if alike(again, component) else None


def _resting(child: Child, scheme: syntax.KineticScheme) -> Child:
    """A node as its type says, without the rate that the scheme gives it."""
    if child.name != scheme.nodes:
        return child
    part, rate = child.component, f"{scheme.name}_{child.id}"
    states = tuple(
        replace(s, initial=None) if s.name == scheme.state_variable else s
        for s in part.state_variables
    )
    part = replace(
        part,
        state_variables=states,
        odes=tuple(o for o in part.odes if o.variable != scheme.state_variable),
        analog_inputs=tuple(i for i in part.analog_inputs if i.name != rate),
    )
    return replace(child, component=part)


__all__ = ["find_scheme"]
