"""Connections and inputs that stand alone in a network, gathered into groups of arrays."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from ...canonical_model.diagnostics import ModelError, Span, error
from ...canonical_model.network import Input, Projection
from ..tables import parse_reference
from ..xml import Element
from .network_builder import NetworkBuilder, Places
from .parse import need

Key: TypeAlias = tuple[str, ...]


@dataclass(slots=True)
class _Group:
    """Rows that join the same things: cell ids at both ends, weight, delay and where each stands."""

    pre: list[int] = field(default_factory=list)
    post: list[int] = field(default_factory=list)
    weight: list[float] = field(default_factory=list)
    delay: list[float] = field(default_factory=list)
    elements: list[Element] = field(default_factory=list)
    has_weight: bool = False
    has_delay: bool = False

    def places(self, attribute: str) -> Places:
        """Where the attribute of each row stands; found only when an error needs it."""
        return lambda row: self.elements[row].attribute_span(attribute)


@dataclass(slots=True)
class Singles:
    """`synapticConnection` and `explicitInput` elements, grouped by what they join."""

    builder: NetworkBuilder
    connections: dict[Key, _Group] = field(default_factory=dict)
    inputs: dict[Key, _Group] = field(default_factory=dict)
    delays: dict[str, float] = field(default_factory=dict)

    def connection(self, element: Element) -> None:
        """`synapticConnection from to synapse`, with weight and delay in the WD form."""
        source, pre = _cell(element, "from")
        target, post = _cell(element, "to")
        attributes = element.attributes
        ports = [attributes.get(name, "") for name in ("synapse", "destination", "targetPort")]
        group = self.connections.setdefault((source, target, *ports), _Group())
        group.pre.append(pre)
        group.post.append(post)
        group.weight.append(_weight(element))
        group.delay.append(self._delay(element))
        group.elements.append(element)
        group.has_weight |= "weight" in attributes
        group.has_delay |= "delay" in attributes

    def input(self, element: Element) -> None:
        """`explicitInput target input`."""
        population, index = _cell(element, "target")
        component = need(element, "input")
        key = (population, component, element.attributes.get("destination", ""))
        group = self.inputs.setdefault(key, _Group())
        group.post.append(index)
        group.elements.append(element)

    def _delay(self, element: Element) -> float:
        text = element.attributes.get("delay")
        if text is None:
            return 0.0
        value = self.delays.get(text)
        if value is None:
            value = self.delays[text] = self.builder.delay(text, element.attribute_span("delay"))
        return value

    def finish(self) -> None:
        """Put the groups into the network, in order of first occurrence."""
        builder = self.builder
        for (source, target, synapse, destination, port), group in self.connections.items():
            pre = builder.cells(source, np.array(group.pre), group.places("from"))
            post = builder.cells(target, np.array(group.post), group.places("to"))
            name = "_".join(word for word in (source, target, synapse) if word)
            builder.projections.append(
                Projection(
                    name=builder.part_name(name, 1),
                    source=source,
                    target=target,
                    pre=pre,
                    post=post,
                    synapse=synapse,
                    target_port=port,
                    attachment=destination,
                    weight=np.array(group.weight) if group.has_weight else None,
                    delay=np.array(group.delay) if group.has_delay else None,
                    span=group.elements[0].span,
                )
            )
        for (population, component, destination), group in self.inputs.items():
            index = builder.cells(population, np.array(group.post), group.places("target"))
            builder.inputs.append(
                Input(
                    name=builder.part_name(f"{population}_{component}", 1),
                    component=component,
                    population=population,
                    index=index,
                    attachment=destination,
                    span=group.elements[0].span,
                )
            )


def _cell(element: Element, name: str) -> tuple[str, int]:
    """Population and number of the cell that an attribute refers to. Raises ModelError L033, L112."""
    text = need(element, name)
    found = parse_reference(text)
    if found is None or not found[0]:
        raise _no_reference(text, element.attribute_span(name))
    return found


def _no_reference(text: str, span: Span) -> ModelError:
    hint = "write population[0] or population/0/component"
    return error("L033", f"'{text[:80]}' is not a reference to a cell", span, hint=hint)


def _weight(element: Element) -> float:
    text = element.attributes.get("weight")
    if text is None:
        return 1.0
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        message = f"weight='{text[:80]}' is not a number"
        raise error("L033", message, element.attribute_span("weight"))
    return value
