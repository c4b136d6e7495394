"""Marks on components that belong to a pair: roles of ports, weight and delay, what is read and kept."""

from __future__ import annotations

from dataclasses import replace

from .. import model
from ..expr import Name
from ..model import Component
from ..pairing import Partner
from ..query import nested

POST, MODULATOR = "post", "modulator"
# notes on components: the paired neuron, what an input reads of it, what a neuron keeps for synapses
NEURON, HOST, MOVED = "pair:neuron", "pair:host:", "pair:moved"
WEIGHT, DELAY = "pair:weight", "pair:delay"


def is_synapse(component: Component) -> bool:
    """True if it hears the spikes of a source, or of its own target."""
    return any(item.role in ("pre", POST) for item in component.event_inputs)


def with_roles(synapse: Component, partner: Partner) -> Component:
    """The synapse with its ports' roles, weight and delay as the pairing says."""
    named = {n: POST for n in partner.post} | {n: "modulator" for n in partner.modulators}

    def role(port: model.EventPort) -> str:
        if port.name in named:
            return named[port.name]
        is_told = (port.role == POST and partner.post) or (
            port.role == "modulator" and partner.modulators
        )
        return "pre" if is_told or not port.role else port.role

    extras = dict(synapse.extras)
    for key, value in ((WEIGHT, partner.weight), (DELAY, partner.delay)):
        if value:
            extras[key] = value
    ports = tuple(replace(port, role=role(port)) for port in synapse.event_inputs)
    return replace(synapse, event_inputs=ports, extras=extras)


def weight_of(component: Component) -> str:
    """The quantity that is a synapse's weight: as the user said, by custom of names, or the one that is sent
    as it is; "" if there is none."""
    names = [item.name for item in component.state_variables]
    names += [item.name for item in component.parameters]
    told = _told(component, WEIGHT)
    sent = [
        item.weight.id
        for handler in component.on_events
        for item in nested(handler.body)
        if isinstance(item, model.Emit) and isinstance(item.weight, Name)
    ]
    return next((name for name in (told, "w", "weight", *sent) if name in names), "")


def delay_of(component: Component) -> str:
    """The parameter that is a connection's delay, as the user or a decorator says; "" if there is none."""
    name = _told(component, DELAY)
    return name if any(item.name == name for item in component.parameters) else ""


def _told(component: Component, mark: str) -> str:
    """The quantity marked so: by the user, or by NESTML's decorators of old, `@nest::weight`."""
    decorator = mark.replace("pair:", "nest::")
    by_decorator = (
        key.removeprefix("decorator:")
        for key, text in component.extras.items()
        if text == decorator and key.startswith("decorator:")
    )
    return component.extras.get(mark) or next(by_decorator, "")


def host_reads(component: Component) -> dict[str, tuple[str, bool]]:
    """What a paired synapse reads: input -> quantity of the neuron, and whether its value after the spike."""
    found = {}
    for key, text in component.extras.items():
        if key.startswith(HOST):
            quantity, _, when = text.partition(" ")
            found[key.removeprefix(HOST)] = (quantity, when == "after")
    return found


def moved_states(component: Component) -> tuple[str, ...]:
    """The states that a neuron keeps for synapses."""
    return tuple(component.extras.get(MOVED, "").split())
