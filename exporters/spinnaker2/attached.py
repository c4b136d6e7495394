"""Synapses with states of their own: each lives on the PE of the neuron that it is attached to.

A group is attached if each of its instances sends to, feeds and reads one neuron of its host only, and
sends without delay. What it hears may come from anywhere, with any delay: also its host's own spikes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...canonical_model.circuit import Circuit, EventLink, Group
from ...canonical_model.expr import free_names
from ...canonical_model.model import Component
from ...canonical_model.query import regimes
from .plan import GroupPlan, Plan, need_output

WEIGHT = "weight"


@dataclass(frozen=True, slots=True, eq=False)
class Send:
    """An instance's events reach a port of its neuron; `factor` names what multiplies `weight`, or is ""."""

    port: str
    target_port: str
    factor: str
    weight: Any  # by instance; 0 where it sends nothing

    @property
    def kind(self) -> tuple[str, str, str]:
        """What programs depend on."""
        return self.port, self.target_port, self.factor


@dataclass(frozen=True, slots=True, eq=False)
class Attachment:
    """An attached group: the neuron of each instance, quantities both ways, what it sends."""

    name: str
    host: str
    place: Any
    reads: tuple[tuple[str, str], ...]  # own input, variable of the host
    feeds: tuple[tuple[str, str], ...]  # input of the host, own variable
    sends: tuple[Send, ...]


@dataclass(slots=True)
class AttachedGroup:
    """An attachment in a program: its plan, what it hears in the order of links, instances by neuron."""

    attachment: Attachment
    item: GroupPlan
    bundles: tuple[Any, ...]
    number: int = 0  # among those of the program
    kind: int = 0
    order: Any = field(init=False)
    position: Any = field(init=False)
    sorted_place: Any = field(init=False)
    arrivals: list[tuple[Any, Any]] = field(init=False)  # by bundle: connections by neuron, neurons

    def __post_init__(self) -> None:
        place = self.attachment.place
        self.order = np.argsort(place, kind="stable")
        self.position = np.empty(len(place), np.int64)
        self.position[self.order] = np.arange(len(place))
        self.sorted_place = place[self.order]
        self.arrivals = []
        for b in self.bundles:
            neuron = place[b.post]
            by_neuron = np.argsort(neuron, kind="stable")
            self.arrivals.append((by_neuron, neuron[by_neuron]))

    @property
    def signature(self) -> tuple[Any, ...]:
        """Groups of one signature share their code."""
        own = self.attachment
        return (id(self.item.model), own.reads, own.feeds, tuple(s.kind for s in own.sends),
                tuple(b.port for b in self.bundles))  # fmt: skip

    def between(self, start: int, stop: int) -> Any:
        """Instances that belong to neurons start to stop, by neuron."""
        a, b = np.searchsorted(self.sorted_place, [start, stop])
        return self.order[a:b]


def find_attachments(circuit: Circuit) -> dict[str, Attachment]:
    """What can be attached, by name; hosts are never attached themselves."""
    by_name = {group.name: group for group in circuit.groups}
    hosts = {g.host for g in circuit.groups if g.host}
    busy = {p.group for p in circuit.event_probes} | {train.group for train in circuit.trains}
    found = {}
    for group in circuit.groups:
        host = by_name.get(group.host)
        if host is None or host.host or group.name in hosts | busy:
            continue
        own = _attachment(circuit, group, host)
        if own is not None:
            found[group.name] = own
    return found


def without(circuit: Circuit, names: Mapping[str, Attachment]) -> Circuit:
    """The circuit without attached groups and their links."""
    return replace(
        circuit,
        groups=tuple(g for g in circuit.groups if g.name not in names),
        event_links=tuple(
            k for k in circuit.event_links if not {k.source, k.target} & names.keys()
        ),
        analog_links=tuple(
            k for k in circuit.analog_links if not {k.source, k.target} & names.keys()
        ),
        probes=tuple(p for p in circuit.probes if p.group not in names),
    )


def _attachment(circuit: Circuit, group: Group, host: Group) -> Attachment | None:
    place = np.full(group.size, -1, np.int64)
    reads, feeds, sends = [], [], []
    hears = [link for link in circuit.event_links if link.target == group.name]
    for link in circuit.analog_links:
        if group.name not in (link.source, link.target):
            continue
        if (link.source, link.target) == (group.name, host.name):
            feeds.append((link.input, link.variable))
            fits = _settle(place, link.pre, link.post)
        elif (link.source, link.target) == (host.name, group.name):
            reads.append((link.input, link.variable))
            fits = _settle(place, link.post, link.pre) and _is_state(host.component, link.variable)
        else:
            fits = False
        if not fits or len(link.pre) != group.size:
            return None
    for sent in circuit.event_links:
        if sent.source != group.name:
            continue
        send = _send(sent, group, host)
        if sent.target != host.name or send is None or not _settle(place, sent.pre, sent.post):
            return None
        sends.append(send)
    # what hears nothing is a source: a copy of it on each PE does
    if not hears or not (feeds or sends) or len(set(feeds)) < len(feeds):
        return None
    place = np.maximum(place, 0)
    return Attachment(group.name, host.name, place, tuple(reads), tuple(feeds), tuple(sends))


def _settle(place: Any, instance: Any, neuron: Any) -> bool:
    """Note the neurons of instances; False if one would have two."""
    instance, neuron = np.asarray(instance, np.int64), np.asarray(neuron, np.int64)
    known = place[instance]
    if np.any((known >= 0) & (known != neuron)) or len(np.unique(instance)) < len(instance):
        return False
    place[instance] = neuron
    return True


def _send(link: EventLink, group: Group, host: Group) -> Send | None:
    if link.delay is not None and np.any(np.asarray(link.delay) != 0):
        return None
    carries = any(
        p.name == link.target_port and WEIGHT in p.payload for p in host.component.event_inputs
    )
    weight = np.zeros(group.size)
    plain = link.weight is None or not carries
    weight[link.pre] = 1.0 if plain else np.asarray(link.weight, float)
    return Send(link.source_port, link.target_port, link.factor if carries else "", weight)


def _is_state(component: Component, variable: str) -> bool:
    """True if the quantity does not depend on inputs, directly or by way of others."""
    inputs = {i.name for i in component.analog_inputs}
    values: dict[str, list[Any]] = {}
    derived = [*component.derived_variables]
    for regime in regimes(component):
        derived += regime.derived_variables
    for item in derived:
        values.setdefault(item.name, []).append(item.value)
    waiting, seen = [variable], {variable}
    while waiting:
        name = waiting.pop()
        if name in inputs:
            return False
        for value in values.get(name, ()):
            fresh = free_names(value) - seen
            seen |= fresh
            waiting += fresh
    return True


def attached_groups(
    plan: Plan, names: set[str], found: Mapping[str, Attachment], bundles: tuple[Any, ...]
) -> list[AttachedGroup]:
    """The attached groups of a program's populations, numbered; groups of one kind share their code."""
    groups: list[AttachedGroup] = []
    kinds: dict[tuple[Any, ...], int] = {}
    for item in plan.groups:
        own = found.get(item.group.name)
        if own is None or own.host not in names:
            continue
        hears = tuple(b for b in bundles if b.target == own.name)
        group = AttachedGroup(own, item, hears, len(groups))
        group.kind = kinds.setdefault(group.signature, len(kinds))
        groups.append(group)
        for _, variable in own.feeds:
            need_output(plan.groups, own.name, variable)
        for _, variable in own.reads:
            need_output(plan.groups, own.host, variable)
        for send in own.sends:
            if send.factor:
                need_output(plan.groups, own.name, send.factor)
    return groups


def target_ports(groups: list[AttachedGroup]) -> list[str]:
    """Ports of the host that attached groups send to."""
    return sorted({send.target_port for group in groups for send in group.attachment.sends})
