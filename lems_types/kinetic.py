"""Kinetic schemes as ODEs: states that exchange occupancy along transitions."""

from __future__ import annotations

from dataclasses import replace

from ..canonical_model import model
from ..canonical_model.diagnostics import error, suggest
from ..canonical_model.expr import ONE, ZERO, Binary, Expr, Name, Select, Unary, add
from ..canonical_model.units import FREQUENCY
from . import syntax


def kinetic_odes(component: model.Component, scheme: syntax.KineticScheme) -> model.Component:
    """A kinetic scheme as ODEs: each node's occupancy changes by what its edges carry.

    The rate of node n is the input `<scheme>_<n>`, computed here from the edges by selects.
    The first node starts at 1 (jLEMS).
    """
    nodes = [child for child in component.children if child.name == scheme.nodes]
    edges = [child for child in component.children if child.name == scheme.edges]
    flows: dict[str, list[Expr]] = {node.id: [] for node in nodes}
    for edge in edges:
        source = edge.component.texts.get(scheme.edge_source, "")
        target = edge.component.texts.get(scheme.edge_target, "")
        for end in (source, target):
            if end not in flows:
                message = f"transition '{edge.id}' joins '{end}', which is not a state"
                raise error("L147", message, edge.component.span, hint=suggest(end, flows))
        forward = _flow(edge.id, scheme.forward_rate, source, scheme.state_variable)
        backward = _flow(edge.id, scheme.reverse_rate, target, scheme.state_variable)
        net = Binary("-", forward, backward)
        flows[target].append(net)
        flows[source].append(Unary("-", net))
    rates = tuple(
        model.DerivedVariable(
            name=f"{scheme.name}_{node.id}", dimension=FREQUENCY, value=add(flows[node.id])
        )
        for node in nodes
    )
    children = tuple(
        replace(child, component=_node(child, scheme, is_first=child is nodes[0]))
        if child.name == scheme.nodes
        else child
        for child in component.children
    )
    derived = component.derived_variables + rates
    return replace(component, derived_variables=derived, children=children)


def _flow(edge: str, rate: str, node: str, state: str) -> Expr:
    return Binary("*", Select(f"{edge}/{rate}"), Select(f"{node}/{state}"))


def _node(child: model.Child, scheme: syntax.KineticScheme, *, is_first: bool) -> model.Component:
    """A state of a kinetic scheme with its ODE."""
    name = f"{scheme.name}_{child.id}"
    component = child.component
    ode = model.Ode(variable=scheme.state_variable, rhs=Name(name))
    states = tuple(
        replace(state, initial=ONE if is_first else ZERO)
        if state.name == scheme.state_variable
        else state
        for state in component.state_variables
    )
    inputs = (*component.analog_inputs, model.AnalogInput(name=name, dimension=FREQUENCY))
    return replace(
        component, odes=(*component.odes, ode), state_variables=states, analog_inputs=inputs
    )
