"""Synapse rows and master population tables: one row per sender and PE, found by routing key."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from .partition import App, Incoming, Partition, Slice
from .words import STOCK, pack

ENTRY = 12  # bytes of an entry of the master population table


@dataclass(frozen=True, slots=True, eq=False)
class PackedRows:
    """Synapses of one PE in order of their senders' keys: block of keys, place in it, word."""

    block: Any
    place: Any
    word: Any

    @property
    def count(self) -> int:
        """Synapses."""
        return len(self.word)


def pack_rows(
    partition: Partition, parts: list[Slice], app: App, incoming: Incoming
) -> list[PackedRows]:
    """Rows of all slices of one group."""
    if not incoming.bundles or not sum(len(b.pre) for b in incoming.bundles):
        nothing = np.zeros(0, np.int64)
        return [PackedRows(nothing, nothing, nothing) for _ in parts]
    keys = np.concatenate([
        partition.keys[b.source, b.source_port][b.pre] for b in incoming.bundles
    ])  # fmt: skip
    post = np.concatenate([b.post for b in incoming.bundles])
    delay = np.concatenate([b.delay for b in incoming.bundles])
    kind, units = np.concatenate(incoming.kinds), np.concatenate(incoming.units)
    heard = units > 0
    keys, post, delay, kind, units = (a[heard] for a in (keys, post, delay, kind, units))
    starts = np.array([part.start for part in parts])
    target = np.searchsorted(starts, post, "right") - 1
    words = pack(app.word, units, delay, kind, post - starts[target])
    order = np.argsort(target << 32 | keys, kind="stable")
    keys, words, target = keys[order], np.asarray(words)[order], target[order]
    firsts = np.array([key for key, _ in partition.blocks])
    block = np.searchsorted(firsts, keys, "right") - 1
    edges = np.searchsorted(target, np.arange(len(parts) + 1))
    return [
        PackedRows(block[a:b], keys[a:b] - firsts[block[a:b]], words[a:b])
        for a, b in pairwise(edges)
    ]


def is_indexed(app: App) -> bool:
    """Rows by offsets for our own words, rows with headers for the stock word."""
    return app.word != STOCK


def table_and_rows(
    partition: Partition, rows: PackedRows, app: App, address: int
) -> tuple[bytes, bytes]:
    """Master population table and rows, which start `ENTRY` bytes per entry behind `address`."""
    return (_indexed if is_indexed(app) else _stock)(partition, rows, app, address)


def _aligned(size: int, step: int) -> int:
    return -(-size // step) * step


def _indexed(partition: Partition, rows: PackedRows, app: App, address: int) -> tuple[bytes, bytes]:
    """An entry per block of senders; offsets of its rows, then the words."""
    blocks, first = np.unique(rows.block, return_index=True)
    place = _aligned(address + ENTRY * len(blocks), 16)
    table, body = [], bytearray()
    dtype = "<u2" if app.word.bytes == 2 else "<u4"
    edges = [*first.tolist(), rows.count]
    for number, a, b in zip(blocks.tolist(), edges[:-1], edges[1:], strict=True):
        key, width = partition.blocks[number]
        used = rows.place[a:b]
        head = _aligned(2 * ((1 << width) + 1), 4)
        starts = np.searchsorted(used, np.arange((1 << width) + 1)) + head // app.word.bytes
        data = np.asarray(starts, "<u2").tobytes().ljust(head, b"\0")
        data += rows.word[a:b].astype(dtype).tobytes()
        table.append((key, 0xFFFFFFFF << width & 0xFFFFFFFF, (place + len(body)) << 8))
        body += data.ljust(_aligned(len(data), 4), b"\0")
    return np.asarray(table, "<u4").tobytes(), bytes(body)


def _stock(partition: Partition, rows: PackedRows, app: App, address: int) -> tuple[bytes, bytes]:
    """An entry per sender: [0, synapses, 0] and the words."""
    senders = np.array([key for key, _ in partition.blocks])[rows.block] + rows.place
    keys, first = np.unique(senders, return_index=True)
    place = _aligned(address + ENTRY * len(keys), 16)
    table, body = [], bytearray()
    edges = [*first.tolist(), rows.count]
    for key, a, b in zip(keys.tolist(), edges[:-1], edges[1:], strict=True):
        words = rows.word[a:b].astype("<u2").tobytes()
        row = np.asarray([0, b - a, 0], "<u4").tobytes() + words
        row = row.ljust(_aligned(len(row), 4), b"\0")
        # a row longer than the field can say is still found by the count in its header
        table.append((key, 0xFFFFFFFF, (place + len(body)) << 8 | min(255, len(row) // 4)))
        body += row
    return np.asarray(table, "<u4").tobytes(), bytes(body)
