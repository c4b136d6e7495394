"""Can a circuit be applications on many PEs? Its groups must be joined by events that may be summed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...canonical_model.circuit import Circuit, EventLink, Group
from ...canonical_model.diagnostics import Level, Log
from ...canonical_model.model import Component, Emit
from ...canonical_model.query import bodies, nested, regimes, weight_name
from .attached import Attachment, find_attachments, without
from .feeds import copied_sources
from .linear import receiver
from .network_text import ticks_of


@dataclass(frozen=True, slots=True, eq=False)
class SpikeList:
    """A group that sends only what is known beforehand: it needs no PE."""

    group: Group


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """Events that the host sends: instance index[k] of a group in tick[k]."""

    group: str
    port: str
    tick: Any
    index: Any


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """The connections of an event link: delays in ticks as the synapse word counts them."""

    source: str
    source_port: str
    target: str
    port: str
    pre: Any
    post: Any
    weight: Any
    delay: Any


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """A circuit that qualifies: groups for PEs (no links in it), lists for the host, connections."""

    circuit: Circuit
    lists: tuple[SpikeList, ...]
    known: tuple[Known, ...]
    bundles: tuple[Bundle, ...]
    flagged: dict[str, frozenset[str]]
    sources: frozenset[str] = frozenset()  # groups that are copied to the PEs that they feed
    attached: Mapping[str, Attachment] = field(default_factory=dict)  # beside their neurons

    def is_placed(self, group: str) -> bool:
        """True if a group's instances have PEs of their own choice."""
        return group not in self.sources and group not in self.attached


def qualify(circuit: Circuit, step: float, log: Log) -> Network | tuple[str, ...]:
    """The network, or the reasons why it has to stay on one PE."""
    circuit = replace(
        circuit, analog_links=tuple(link for link in circuit.analog_links if len(link.pre))
    )
    attached = find_attachments(circuit)
    sources, found_reasons = copied_sources(without(circuit, attached))
    reasons = list(found_reasons)
    reasons += [
        f"events of '{link.source}' carry its '{link.factor}'"
        for link in circuit.event_links
        if link.factor and link.source not in attached
    ]
    watched = {probe.group for probe in circuit.probes}
    lists = {
        group.name: SpikeList(group)
        for group in circuit.groups
        if group.name not in watched | sources | attached.keys() and _is_list(group)
    }
    groups, flagged = [], {}
    seen: dict[tuple[int, frozenset[str]], Any] = {}
    ports: dict[str, set[str]] = {}
    for link in circuit.event_links:
        ports.setdefault(link.target, set()).add(link.target_port)
    for group in circuit.groups:
        if group.name in lists:
            continue
        if group.name in sources or group.name in attached:
            groups.append(group)
            continue
        used = frozenset(ports.get(group.name, ()))
        key = (id(group.component), used)
        if key not in seen:
            seen[key] = receiver(group.component, sorted(used))
        found = seen[key]
        if isinstance(found, str):
            reasons.append(found)
            continue
        if _sends_weights(group.component):
            reasons.append(f"'{group.component.name}' sends events with weights of its own")
        groups.append(replace(group, component=found.component))
        flagged[group.name] = found.flagged
    if reasons:
        return tuple(dict.fromkeys(reasons))
    bundles = tuple(
        _bundle(circuit, link, step, log)
        for link in circuit.event_links
        if link.source not in attached
    )
    known = [item for entry in lists.values() for item in _timed(entry.group, step)] + [
        Known(
            train.group, train.port, _ticks(train.times, step, 0), np.asarray(train.index, np.int64)
        )
        for train in circuit.trains
    ]
    bare = replace(
        circuit,
        groups=tuple(groups),
        event_links=(),
        analog_links=without(circuit, attached).analog_links,
        trains=(),
        event_probes=tuple(p for p in circuit.event_probes if p.group not in lists),
    )
    return Network(bare, tuple(lists.values()), tuple(known), bundles, flagged, sources, attached)


def unsummable(circuit: Circuit) -> frozenset[str]:
    """Attached groups whose ports do not hear sums: fused, they would keep their hosts on one PE."""
    ports: dict[str, set[str]] = {}
    for link in circuit.event_links:
        ports.setdefault(link.target, set()).add(link.target_port)
    return frozenset(
        group.name
        for group in circuit.groups
        if group.host
        and group.name in ports
        and isinstance(receiver(group.component, sorted(ports[group.name])), str)
    )


def _sends_weights(component: Component) -> bool:
    return any(
        isinstance(s, Emit) and s.weight is not None
        for body in bodies(component)
        for s in nested(body)
    )


def _is_list(group: Group) -> bool:
    """True for a group without any dynamics: its events, if any, are data of the host."""
    c = group.component
    if c.update is not None or c.on_conditions or c.on_events or c.odes or group.host:
        return False
    if any(True for _ in regimes(c)) or not c.event_outputs:
        return False
    return all(
        isinstance(s, Emit) and s.weight is None for item in c.timed_events for s in item.body
    )


def _ticks(times: Any, step: float, first: int) -> Any:
    """Ticks in which events at `times` act if they have no delay."""
    return np.maximum(first, ticks_of(times, step))


def _timed(group: Group, step: float) -> list[Known]:
    """The lists of times that a component holds, for all instances."""
    found = []
    for item in group.component.timed_events:
        ticks = _ticks(item.times, step, 1)
        for statement in item.body:
            if isinstance(statement, Emit):
                index = np.repeat(np.arange(group.size), len(ticks))
                found.append(Known(group.name, statement.port, np.tile(ticks, group.size), index))
    return found


def _bundle(circuit: Circuit, link: EventLink, step: float, log: Log) -> Bundle:
    target = circuit.group(link.target).component
    count = len(link.pre)
    delay = np.zeros(count) if link.delay is None else np.asarray(link.delay, dtype=float)
    ticks = ticks_of(delay, step)
    note_rounding(link, delay, ticks, step, log)
    if target.update is not None:
        # what is due at the end of a step takes part in it where a component says what its step does
        ticks = np.maximum(ticks - 1, 0)
    plain = link.weight is None or not weight_name(target, link.target_port)
    weight = np.ones(count) if plain else np.asarray(link.weight, dtype=float)
    return Bundle(
        link.source, link.source_port, link.target, link.target_port,
        np.asarray(link.pre, np.int64), np.asarray(link.post, np.int64), weight, ticks,
    )  # fmt: skip


def note_rounding(link: EventLink, delay: Any, ticks: Any, step: float, log: Log) -> None:
    """Delays off the grid are rounded up: a loss that the report states with its bound."""
    late = ticks * step - delay
    worst = float(np.max(late, initial=0.0))
    if worst > 1e-6 * step:
        message = (
            f"delays from '{link.source}' to '{link.target}' are rounded up to whole steps, "
            f"by up to {worst * 1e3:.3g} ms"
        )
        log.add("T202", Level.APPROXIMATED, message)
