"""Events under way where connections have changed between two runs: they keep their weights and delays."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ...canonical_model.circuit import Circuit, EventLink, EventTrain, Group
from ..attached import Arrival
from ..resume import Checkpoint, Deliveries
from .build import SPIKE_SOURCE
from .fragments import SPIKE

EDGE = 1e-9  # of a step: a delay that is a whole number of steps up to rounding stays so
PREFIX = "taken_over_"


def are_same(old: Circuit, new: Circuit) -> bool:
    """True if both have the same connections."""
    return len(old.event_links) == len(new.event_links) and all(
        _is_same(a, b) for a, b in zip(old.event_links, new.event_links, strict=True)
    )


def _is_same(a: EventLink, b: EventLink) -> bool:
    names = (a.source, a.source_port, a.target, a.target_port, a.factor)
    if names != (b.source, b.source_port, b.target, b.target_port, b.factor):
        return False
    pairs = ((a.pre, b.pre), (a.post, b.post), (a.weight, b.weight), (a.delay, b.delay))
    return all(
        first is second
        or (first is not None and second is not None and np.array_equal(first, second))
        for first, second in pairs
    )


def _ticks(link: EventLink, circuit: Circuit) -> Any:
    """Delays as the program counts them."""
    count = len(link.pre)
    delay = np.zeros(count) if link.delay is None else np.asarray(link.delay, float)
    ticks = np.ceil(delay / circuit.step - EDGE).astype(np.int64)
    is_program = circuit.group(link.target).component.update is not None
    return np.maximum(ticks - 1, 0) if is_program else ticks


def _weights(link: EventLink) -> Any:
    return np.ones(len(link.pre)) if link.weight is None else np.asarray(link.weight, float)


def send_known(checkpoint: Checkpoint, old: Circuit, new: Circuit) -> Circuit:
    """Applications: what the host sends in the tick at which the run goes on was sent by the old connections.

    Notes it as sent, and returns the new circuit without it.
    """
    tick = checkpoint.tick

    def is_now(train: EventTrain) -> Any:
        return np.ceil(np.asarray(train.times) / new.step - EDGE).astype(np.int64) == tick

    for train in old.trains:
        ports = [port.name for port in old.group(train.group).component.event_outputs]
        number = ports.index(train.port)
        chosen = np.asarray(train.index)[is_now(train)]
        checkpoint.sent += [(train.group, number, index) for index in chosen.tolist()]
    trains = [
        replace(t, times=np.asarray(t.times)[~is_now(t)], index=np.asarray(t.index)[~is_now(t)])
        for t in new.trains
    ]
    return replace(new, trains=tuple(trains))


def deliver_sent(checkpoint: Checkpoint, old: Circuit) -> None:
    """Applications: what was sent in the last tick goes into the ring buffers by the old rows."""
    ports = {
        group.name: [port.name for port in group.component.event_outputs] for group in old.groups
    }
    ranks: dict[str, int] = {}
    attached = {link.source for link in old.event_links if link.factor}
    for link in old.event_links:
        rank = ranks[link.target] = ranks.get(link.target, -1) + 1
        senders = [
            index
            for group, port, index in checkpoint.sent
            if group == link.source and ports[group][port] == link.source_port
        ]
        if not senders:
            continue
        places, times = np.unique(senders, return_counts=True)
        chosen = np.flatnonzero(np.isin(link.pre, places))
        repeated = times[np.searchsorted(places, link.pre[chosen])]
        if link.target in attached:
            checkpoint.arrivals += _arrivals(checkpoint.tick, link, rank, old, chosen, repeated)
            continue
        weight = _weights(link)[chosen] * repeated
        checkpoint.rings.setdefault(link.target, []).append(
            Deliveries(
                checkpoint.tick + _ticks(link, old)[chosen],
                [link.target_port] * len(chosen),
                np.where(weight < 0, -1, 1),
                np.asarray(link.post)[chosen],
                np.abs(weight),
            )
        )
    checkpoint.sent.clear()


def _arrivals(
    tick: int, link: EventLink, rank: int, old: Circuit, chosen: Any, repeated: Any
) -> list[Arrival]:
    """Events on their way to synapses with states, one entry a tick in which some act."""
    chosen = np.repeat(chosen, repeated)
    due, weight = _ticks(link, old)[chosen], _weights(link)[chosen]
    post = np.asarray(link.post)[chosen]
    return [
        Arrival(link.target, rank, tick + int(t), post[due == t], weight[due == t])
        for t in np.unique(due)
    ]


def take_over_queues(checkpoint: Checkpoint, old: Circuit, new: Circuit) -> Circuit:
    """One PE: events in queues of changed connections become events that are known beforehand."""
    kept, groups, trains, links = [], [], [], []
    numbers = range(min(len(old.event_links), len(new.event_links)))
    same = [_is_same(old.event_links[k], new.event_links[k]) for k in numbers]
    for number, link in enumerate(old.event_links):
        waiting = [entry for entry in checkpoint.queues if entry[0] == number]
        if link.factor or (number < len(same) and same[number]):
            kept += waiting
            continue
        ticks, weights = _ticks(link, old), _weights(link)
        due, posts, values = [], [], []
        for _, delay, tick, sender in sorted(waiting, key=lambda entry: entry[2]):
            chosen = np.flatnonzero((np.asarray(link.pre) == sender) & (ticks == delay))
            due += [tick] * len(chosen)
            posts += np.asarray(link.post)[chosen].tolist()
            values += weights[chosen].tolist()
        if due:
            name, everyone = f"{PREFIX}{checkpoint.tick}_{number}", np.arange(len(due))
            groups.append(Group(name=name, component=SPIKE_SOURCE, size=len(due)))
            times = np.array(due) * new.step
            trains.append(EventTrain(group=name, port=SPIKE, times=times, index=everyone))
            links.append(
                EventLink(
                    source=name, source_port=SPIKE, target=link.target,
                    target_port=link.target_port, pre=everyone, post=np.array(posts),
                    weight=np.array(values),
                )
            )  # fmt: skip
    checkpoint.queues[:] = kept
    for train in old.trains:
        later = np.asarray(train.times) > (checkpoint.tick + 0.5) * new.step
        if train.group.startswith(PREFIX) and later.any():
            groups.append(old.group(train.group))
            times, index = np.asarray(train.times)[later], np.asarray(train.index)[later]
            trains.append(replace(train, times=times, index=index))
            links += [link for link in old.event_links if link.source == train.group]
    return replace(
        new,
        groups=(*new.groups, *groups),
        event_links=(*new.event_links, *links),
        trains=(*new.trains, *trains),
    )
