"""What a PE knows of the synapses with states on it: values, the runs that each sender reaches, delays.

A run is a word (code, delay in ticks, number of instances), the instances as 16-bit numbers, and their
weights where the port carries some. Codes say which group and which of its links a run belongs to.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...canonical_model.diagnostics import refuse
from ...spinnaker2.attached import CODE_BITS, DELAY_BITS, WEIGHTED, Arrival
from .attached import AttachedGroup, target_ports
from .data import Region, chosen_values
from .words import bits

LONGEST_RUN = (1 << (32 - CODE_BITS - DELAY_BITS)) - 1
MOST_WAITING = 1024  # runs that wait for their delay on a PE


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """Connections into the attached groups of one PE, by sender: block of keys, place in it, code,
    rank of the link, delay in ticks, number of the instance on the PE, weight."""

    block: Any
    place: Any
    code: Any
    delay: Any
    local: Any
    weight: Any
    used: list[Any]  # instances by group
    codes: list[tuple[int, int, bool]]  # group, rank, carries weights

    @property
    def count(self) -> int:
        """Connections."""
        return len(self.block)


def heard_by(
    groups: Sequence[AttachedGroup], host: str, start: int, stop: int, partition: Any
) -> Heard:
    """What neurons start to stop of a population hear by way of attached groups. Raises T314."""
    firsts = np.array([key for key, _ in partition.blocks], np.int64)
    used: list[Any] = []
    codes: list[tuple[int, int, bool]] = []
    columns: list[tuple[Any, ...]] = []
    for number, group in enumerate(groups):
        here = group.attachment.host == host
        used.append(group.between(start, stop) if here else np.zeros(0, np.int64))
        if not len(used[-1]):
            continue
        first = np.searchsorted(group.sorted_place, start)
        for rank, (bundle, (order, neuron)) in enumerate(
            zip(group.bundles, group.arrivals, strict=True)
        ):
            a, b = np.searchsorted(neuron, [start, stop])
            chosen = order[a:b]
            number_of_code = len(codes)
            codes.append((number, rank, bool(np.any(bundle.weight != 1.0))))
            keys = partition.keys[bundle.source, bundle.source_port][bundle.pre[chosen]]
            columns.append((
                keys, np.full(len(keys), rank), np.full(len(keys), number_of_code), bundle.delay[chosen],
                group.position[bundle.post[chosen]] - first, bundle.weight[chosen],
            ))  # fmt: skip
    if len(codes) > 1 << CODE_BITS:
        message = f"{len(codes)} kinds of events reach the synapses with states of '{host}'"
        raise refuse("T314", f"{message}, more than {1 << CODE_BITS}")
    nothing = tuple(np.zeros(0, np.int64) for _ in range(6))
    keys, ranks, code, delay, local, weight = (
        np.concatenate([empty, *found])
        for empty, *found in zip(nothing, *columns, strict=True)
    )  # fmt: skip
    order = np.lexsort((local, delay, code, ranks, keys))
    keys = keys[order]
    block = np.searchsorted(firsts, keys, "right") - 1
    return Heard(
        block, keys - firsts[block] if len(keys) else keys, code[order], delay[order],
        local[order], np.asarray(weight, float)[order], used, codes,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _Runs:
    words: Any  # of all runs
    place: Any  # word at which the runs of each sender start, and the end
    delays: Any  # of each run


def _runs(heads: Any, code: Any, delay: Any, local: Any, weight: Any, weighted: Any) -> _Runs:
    """Runs of connections that are sorted; `heads` tell senders apart."""
    count = len(code)
    if not count:
        return _Runs(np.zeros(0, np.uint32), np.zeros(1, np.int64), np.zeros(0, np.int64))
    change = np.ones(count, bool)
    change[1:] = (np.diff(heads) != 0) | (np.diff(code) != 0) | (np.diff(delay) != 0)
    begin = np.flatnonzero(change)
    length = np.diff(np.append(begin, count))
    # long runs are cut
    cuts = np.concatenate([
        np.arange(b, b + n, LONGEST_RUN) for b, n in zip(begin.tolist(), length.tolist(), strict=True)
    ])  # fmt: skip
    begin, length = cuts, np.diff(np.append(cuts, count))
    with_weights = weighted[code[begin]]
    halves = (length + 1) // 2
    size = 1 + halves + np.where(with_weights, length, 0)
    at = np.concatenate([[0], np.cumsum(size)])
    words = np.zeros(at[-1], np.uint32)
    words[at[:-1]] = code[begin] | delay[begin] << CODE_BITS | length << (CODE_BITS + DELAY_BITS)
    run = np.repeat(np.arange(len(begin)), length)
    offset = np.arange(count) - begin[run]
    words.view("<u2")[2 * (at[run] + 1) + offset] = local
    heavy = with_weights[run]
    words.view("<f4")[(at[run] + 1 + halves[run] + offset)[heavy]] = weight[heavy]
    return _Runs(words, at, delay[begin])


def attached_data(
    groups: Sequence[AttachedGroup],
    heard: Heard,
    partition: Any,
    bounds: tuple[int, int],
    base: int,
    tick: int,
    pending: Sequence[Arrival] = (),
    least_slots: int = 1,
) -> tuple[bytes, int]:
    """The PE's data and the offset of its table; all offsets count from the region's start, `base` before.

    The table: groups, offset of what they send in a tick, key ranges and their offset, offset of the
    codes, number of ranks, offset of the wheel of delays and its mask, offset of its places and the first
    that is free; then each group's block.
    """
    region = Region()
    start, stop = bounds
    weighted = np.array([carries for _, _, carries in heard.codes], bool)
    sums = base + region.add(b"\0" * (4 * max(1, len(target_ports(list(groups)))) * (stop - start)))
    blocks: list[list[int]] = []
    present: dict[int, int] = {}
    for number, (group, used) in enumerate(zip(groups, heard.used, strict=True)):
        if not len(used):
            continue
        present[number] = len(blocks)
        blocks.append(_block(group, used, start, base, region))
    heads = heard.block << 32 | heard.place
    runs = _runs(heads, heard.code, heard.delay, heard.local, heard.weight, weighted)
    entries, entries_at = _entries(heard, heads, runs, partition, base, region)
    codes = [
        present[number] << 16 | rank | (WEIGHTED if carries else 0)
        for number, rank, carries in heard.codes
    ]
    codes_at = base + region.array(codes, "<u4")
    ranks = max((rank + 1 for _, rank, _ in heard.codes), default=0)
    due, late = _late(groups, heard, pending, weighted, base, region)
    slots = 1 << bits(max(int(heard.delay.max(initial=0)) + 1, least_slots))
    capacity = len(due) + int(min(MOST_WAITING, np.sum(runs.delays)))
    wheel, following, first_free = _wheel(due, slots, tick, capacity)
    wheel_at = base + region.array(wheel, "<u2")
    pool = np.zeros((capacity + 1, 2), np.uint32)
    pool[:, 0] = following
    pool[1 : len(due) + 1, 1] = late
    pool_at = base + region.array(pool, "<u4")
    head = [len(blocks), sums, entries, entries_at, codes_at, ranks, wheel_at, slots - 1, pool_at,
            first_free]  # fmt: skip
    words = [*head, *(word for block in blocks for word in block)]
    table = base + region.add(struct.pack(f"<{len(words)}I", *words))
    return bytes(region.data), table


def _block(group: AttachedGroup, used: Any, start: int, base: int, region: Region) -> list[int]:
    """Number, kind, instances and offsets of shared, own, states, inputs, neurons and weights sent."""
    places, data = chosen_values(group.item, used)
    at = base + region.add(data)
    inputs = len(group.item.model.component.analog_inputs) if group.attachment.reads else 0
    held = base + region.add(b"\0" * (4 * inputs * len(used)))
    neuron = base + region.array(group.attachment.place[used] - start, "<u2")
    weights = [send.weight[used] for send in group.attachment.sends]
    plain = all(np.all(w == 1.0) for w in weights)
    sent = 0 if plain else base + region.array(np.concatenate(weights), "<f4")
    values = [at + place for place in places]
    return [group.number, group.kind, len(used), *values, held, neuron, sent]


def _entries(
    heard: Heard, heads: Any, runs: _Runs, partition: Any, base: int, region: Region
) -> tuple[int, int]:
    """Key ranges with the offsets of their runs, counted in words from the range's first."""
    begin = np.flatnonzero(np.append(True, np.diff(heads) != 0)) if len(heads) else np.zeros(0, int)
    # the word of the first run of each sender
    firsts, sizes = _first_words(heard, heads, runs)
    table: list[int] = []
    at = base + region.add(runs.words.astype("<u4").tobytes())
    block, place = heard.block[begin], heard.place[begin]
    for number in np.unique(block).tolist():
        key, width = partition.blocks[number]
        own = np.flatnonzero(block == number)
        lengths = np.zeros((1 << width) + 1, np.int64)
        lengths[place[own] + 1] = sizes[own]
        starts = np.cumsum(lengths)
        offset = base + region.array(starts, "<u2")
        rows = at + 4 * int(firsts[own[0]])
        table += [key, 0xFFFFFFFF << width & 0xFFFFFFFF, offset, rows]
    return len(table) // 4, base + region.array(table, "<u4")


def _first_words(heard: Heard, heads: Any, runs: _Runs) -> tuple[Any, Any]:
    """First word and number of words of each sender's runs."""
    if not len(heads):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    counts = runs.words[runs.place[:-1]] >> (CODE_BITS + DELAY_BITS)
    begin = np.concatenate([[0], np.cumsum(counts)])[:-1].astype(np.int64)
    sender = heads[begin]
    first = np.flatnonzero(np.append(True, np.diff(sender) != 0))
    words = runs.place[first]
    return words, np.diff(np.append(words, runs.place[-1]))


def _late(
    groups: Sequence[AttachedGroup],
    heard: Heard,
    pending: Sequence[Arrival],
    weighted: Any,
    base: int,
    region: Region,
) -> tuple[list[int], list[int]]:
    """Runs of what a run before left under way: the tick and the offset of each."""
    due, places = [], []
    numbers = {group.attachment.name: group.number for group in groups}
    codes = {(number, rank): code for code, (number, rank, _) in enumerate(heard.codes)}
    for item in pending:
        number = numbers.get(item.group)
        code = codes.get((-1 if number is None else number, item.rank))
        if number is None or code is None:
            continue
        used = heard.used[number]
        order = np.argsort(used)
        where = np.searchsorted(used[order], item.instances)
        inside = where < len(used)
        inside[inside] = used[order][where[inside]] == np.asarray(item.instances)[inside]
        local = order[where[inside]]
        if not len(local):
            continue
        same = np.zeros(len(local), np.int64)
        runs = _runs(same, same + code, same, local, np.asarray(item.weights)[inside], weighted)
        at = base + region.add(runs.words.astype("<u4").tobytes())
        for place in runs.place[:-1].tolist():
            due.append(item.tick)
            places.append(at + 4 * place)
    return due, places


def _wheel(due: list[int], slots: int, tick: int, capacity: int) -> tuple[Any, Any, int]:
    """First and last place of each slot, the place that follows each, the first free place."""
    wheel = np.zeros((slots, 2), np.int64)
    following = np.zeros(capacity + 1, np.int64)
    for place, when in enumerate(due, 1):
        slot = max(when, tick) % slots
        if wheel[slot, 0]:
            following[wheel[slot, 1]] = place
        else:
            wheel[slot, 0] = place
        wheel[slot, 1] = place
    free = np.arange(len(due) + 1, capacity + 1)
    following[free[:-1]] = free[1:]
    return wheel, following, int(free[0]) if len(free) else 0
