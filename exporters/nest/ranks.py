"""Split groups of attached instances so that no cell holds two of one group.

The n-th synapse or input on each cell goes to the n-th part; each part can then be fused into its host.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ...canonical_model.circuit import AnalogLink, Circuit, EventLink, Group, Probe
from ...canonical_model.diagnostics import refuse
from ...canonical_model.lazy import np

if TYPE_CHECKING:
    from ...canonical_model.network import Ints

MAX_RANKS = 64


class _Split:
    """Which part an instance is in, and where in it."""

    def __init__(self, group: Group, ranks: Ints) -> None:
        self.group = group
        self.rank = ranks
        self.place = np.zeros(len(ranks), dtype=np.int64)
        for rank in range(int(ranks.max()) + 1):
            where = np.flatnonzero(ranks == rank)
            self.place[where] = np.arange(len(where))

    @property
    def count(self) -> int:
        return int(self.rank.max()) + 1

    def name(self, rank: int) -> str:
        return f"{self.group.name}_{rank}"

    def parts(self) -> list[Group]:
        parts = []
        for rank in range(self.count):
            where = self.rank == rank
            parts.append(
                replace(
                    self.group,
                    name=self.name(rank),
                    size=int(where.sum()),
                    parameters={n: np.asarray(v)[where] for n, v in self.group.parameters.items()},
                    initial={n: np.asarray(v)[where] for n, v in self.group.initial.items()},
                )
            )
        return parts


def split_ranks(circuit: Circuit) -> Circuit:
    """The circuit with such groups split. Raises ModelError B305 where a cell holds too many."""
    splits = {}
    for group in circuit.groups:
        cells = _cells(circuit, group)
        if cells is None or len(np.unique(cells)) == len(cells):
            continue
        ranks = _ranks(cells)
        if ranks.max() >= MAX_RANKS:
            message = (
                f"a cell of '{group.host}' holds {int(ranks.max()) + 1} instances of "
                f"'{group.component.name}', each with a state of its own; NEST's model of the cell "
                f"can hold {MAX_RANKS}"
            )
            raise refuse("B305", message, group.component.span)
        splits[group.name] = _Split(group, ranks)
    if not splits:
        return circuit
    groups: list[Group] = []
    for group in circuit.groups:
        groups += splits[group.name].parts() if group.name in splits else [group]
    return replace(
        circuit,
        groups=tuple(groups),
        event_links=tuple(n for link in circuit.event_links for n in _events(link, splits)),
        analog_links=tuple(n for link in circuit.analog_links for n in _analog(link, splits)),
        probes=tuple(_probe(probe, splits) for probe in circuit.probes),
        event_probes=tuple(_probe(probe, splits) for probe in circuit.event_probes),
    )


def _cells(circuit: Circuit, group: Group) -> Ints | None:
    """The host cell of each instance, or None for groups that are attached to nothing."""
    for link in circuit.analog_links:
        if group.host and link.source == group.name and link.target == group.host:
            cells = np.zeros(group.size, dtype=np.int64)
            cells[link.pre] = link.post
            return cells
    return None


def _ranks(cells: Ints) -> Ints:
    """How many earlier instances the same cell holds."""
    order = np.argsort(cells, kind="stable")
    ranked = cells[order]
    first = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])
    rank = np.arange(len(cells)) - np.repeat(first, np.diff(np.r_[first, len(cells)]))
    result = np.zeros(len(cells), dtype=np.int64)
    result[order] = rank
    return result


def _events(link: EventLink, splits: Mapping[str, _Split]) -> list[EventLink]:
    split = splits.get(link.target)
    if split is None:
        return [link]
    parts = []
    for rank in range(split.count):
        where = np.flatnonzero(split.rank[link.post] == rank)
        if len(where):
            part = replace(
                link,
                target=split.name(rank),
                pre=link.pre[where],
                post=split.place[link.post[where]],
                weight=None if link.weight is None else link.weight[where],
                delay=None if link.delay is None else link.delay[where],
            )
            parts.append(part)
    return parts


def _analog(link: AnalogLink, splits: Mapping[str, _Split]) -> list[AnalogLink]:
    parts = [link]
    for end, ends in (("source", "pre"), ("target", "post")):
        split = splits.get(getattr(link, end))
        if split is None:
            continue
        found = []
        for part in parts:
            index = getattr(part, ends)
            for rank in range(split.count):
                where = np.flatnonzero(split.rank[index] == rank)
                if len(where):
                    pre = split.place[part.pre[where]] if ends == "pre" else part.pre[where]
                    post = split.place[part.post[where]] if ends == "post" else part.post[where]
                    name = split.name(rank)
                    source = name if end == "source" else part.source
                    target = name if end == "target" else part.target
                    found.append(replace(part, source=source, target=target, pre=pre, post=post))
        parts = found
    return parts


def _probe(probe: Probe, splits: Mapping[str, _Split]) -> Probe:
    split = splits.get(probe.group)
    if split is None:
        return probe
    rank = int(split.rank[probe.index])
    return replace(probe, group=split.name(rank), index=int(split.place[probe.index]))
