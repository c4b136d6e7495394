"""Run a network of applications: all PEs in lock step on this computer, or one PE at a time under QEMU.

Under QEMU a PE hears the packets that the run on this computer recorded for it. Each PE's outputs being
equal, so is the network, tick by tick.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..canonical_model.diagnostics import error
from .memory import DATA, HEADER_WORDS, REGIONS

SPIKES, TRACES, DONE, STATUS, VALUES, RING, RANDOM, SENT = range(8)
STATUS_NAMES = (
    "ticks",
    "packets",
    "synaptic_events",
    "unknown_keys",
    "most_packets",
    "lost_events",
)
FIRST_ROW = 0xFFFFFFFF

Words = NDArray[np.uint32]


@dataclass(slots=True)
class Records:
    """What the PEs recorded, by PE number: words of each stream."""

    streams: dict[tuple[int, int], list[Words]] = field(default_factory=dict)

    def words(self, pe: int, stream: int) -> Words:
        """All words of a stream of a PE."""
        found = self.streams.get((pe, stream))
        return np.concatenate(found) if found else np.zeros(0, np.uint32)

    def only(self, stream: int) -> Records:
        """The records of one stream."""
        return Records({key: words for key, words in self.streams.items() if key[1] == stream})

    def status(self, pe: int) -> dict[str, int]:
        """Counters of a PE."""
        words = self.words(pe, STATUS)
        return dict(zip(STATUS_NAMES, (int(w) for w in words), strict=True))


@dataclass(frozen=True, slots=True)
class Resumed:
    """What a run takes over: keys under way into its first tick, each PE's ring buffer with its address."""

    waiting: list[int]
    rings: list[tuple[int, bytes]]


def read_records(path: Path, into: Records | None = None) -> Records:
    """Chunks of (PE, stream, words, words...)."""
    records = Records() if into is None else into
    words = np.fromfile(path, dtype="<u4")
    at = 0
    while at < len(words):
        pe, stream, count = (int(w) for w in words[at : at + 3])
        records.streams.setdefault((pe, stream), []).append(words[at + 3 : at + 3 + count])
        at += 3 + count
    return records


def with_ticks(image: bytes, ticks: int) -> bytes:
    """A data image with another number of ticks."""
    header = struct.unpack_from(f"<{HEADER_WORDS}I", image)
    offset = header[2 + REGIONS.index("TIMER_CONFIG")] - DATA.start + 4
    return image[:offset] + struct.pack("<I", ticks) + image[offset + 4 :]


def images(folder: Path, layout: dict[str, Any], ticks: int) -> list[bytes]:
    """The PEs' data for a run of `ticks`."""
    return [
        with_ticks((folder / "pes" / f"{number:04d}.bin").read_bytes(), ticks)
        for number in range(len(layout["pes"]))
    ]


def list_packets(folder: Path) -> NDArray[np.int64]:
    """(tick, key) of what the host sends, in order."""
    return np.fromfile(folder / "lists.bin", dtype="<u4").reshape(-1, 2).astype(np.int64)


def machine_file(
    layout: dict[str, Any],
    data: list[bytes],
    packets: NDArray[np.int64],
    ticks: int,
    traced: frozenset[int],
    resumed: Resumed | None = None,
) -> bytes:
    """Input of the program that holds all PEs; packets to the PEs `traced` are written down."""
    first = layout.get("first", 0)
    waiting = resumed.waiting if resumed else []
    routes = layout["routes"]
    words: list[int] = []
    targets: list[int] = []
    for key, mask, pes in routes:
        words += [key, mask, 4 * len(routes) + len(targets), len(pes)]
        targets += pes
    words += targets
    injected = packets[(packets[:, 0] >= first) & (packets[:, 0] < ticks)]
    head = [len(data), ticks, len(routes), len(injected), len(words), first, len(waiting)]
    parts = [np.asarray([*head, *words], "<u4").tobytes(), injected.astype("<u4").tobytes()]
    parts.append(np.asarray(waiting, "<u4").tobytes())
    for number, (pe, image) in enumerate(zip(layout["pes"], data, strict=True)):
        address, ring = resumed.rings[number] if resumed else (0, b"")
        head = [pe["app"], int(number in traced), len(image), address, len(ring)]
        parts.append(struct.pack("<5I", *head))
        parts += [image.ljust(-(-len(image) // 4) * 4, b"\0"), ring]
    return b"".join(parts)


def read_packets(path: Path) -> dict[int, list[Words]]:
    """Packets that traced PEs received, a list of keys per tick."""
    words = np.fromfile(path, dtype="<u4")
    found: dict[int, list[Words]] = {}
    at = 0
    while at < len(words):
        pe, count = int(words[at]), int(words[at + 1])
        found.setdefault(pe, []).append(words[at + 2 : at + 2 + count])
        at += 2 + count
    return found


def packet_file(ticks: list[Words]) -> bytes:
    """Packets of one PE as its program under QEMU reads them."""
    parts = [np.concatenate([[len(keys)], keys]) for keys in ticks]
    return np.concatenate(parts).astype("<u4").tobytes() if parts else b""


def spike_rows(
    records: Records, pe: int, entry: dict[str, Any], app: dict[str, Any]
) -> tuple[Any, Any]:
    """Ticks at which something was sent, and which bit (or count) of the PE's record it was."""
    senders = (entry["stop"] - entry["start"]) * app["ports"]
    width = 2 + -(-senders // (4 if app.get("counts") else 32))
    rows = records.words(pe, SPIKES).reshape(-1, width)
    if app.get("counts"):
        counts = np.ascontiguousarray(rows[:, 2:]).view(np.uint8)
        row, place = np.nonzero(counts)
        times = counts[row, place]
        return np.repeat(rows[row, 1].astype(np.int64), times), np.repeat(place, times)
    masks = np.ascontiguousarray(rows[:, 2:]).view(np.uint8)
    row, bit = np.nonzero(np.unpackbits(masks, axis=1, bitorder="little"))
    return rows[row, 1].astype(np.int64), bit


def event_times(
    records: Records, layout: dict[str, Any], packets: NDArray[np.int64], ticks: int
) -> dict[str, NDArray[np.float64]]:
    """Event times (s) by label."""
    # what was sent in a run's first tick, the run before has reported
    first = layout.get("first", 0)
    sent = packets[(packets[:, 0] <= ticks) & (packets[:, 0] >= (first + 1 if first else 0))]
    sent = sent[np.argsort(sent[:, 1], kind="stable")]
    recorded: dict[int, tuple[Any, Any]] = {}
    found = {}
    for item in layout["events"]:
        times = np.zeros(0, np.int64)
        if "key" in item:
            first, last = np.searchsorted(sent[:, 1], [item["key"], item["key"] + 1])
            times = sent[first:last, 0]
        if "pe" in item:
            pe = item["pe"]
            if pe not in recorded:
                recorded[pe] = _by_bit(records, layout, pe)
            when, bit = recorded[pe]
            first, last = np.searchsorted(bit, [item["bit"], item["bit"] + 1])
            # an event belongs to the end of the tick that sent it
            own = when[first:last] + 1
            times = np.sort(np.concatenate([times, own])) if len(times) else own
        found[item["label"]] = times * layout["step_s"]
    return found


def _by_bit(records: Records, layout: dict[str, Any], pe: int) -> tuple[Any, Any]:
    """Ticks and bits of a PE's events, by bit."""
    entry = layout["pes"][pe]
    when, bit = spike_rows(records, pe, entry, layout["apps"][entry["app"]])
    order = np.argsort(bit, kind="stable")
    return when[order], bit[order]


def trace_values(records: Records, layout: dict[str, Any]) -> dict[str, NDArray[np.float64]]:
    """Recorded quantities (SI) by label, a value per tick and one for the start."""
    tables: dict[int, NDArray[np.float32]] = {}
    found = {}
    for item in layout["traces"]:
        pe = item["pe"]
        if pe not in tables:
            width = 1 + layout["pes"][pe]["traces"]
            rows = records.words(pe, TRACES).reshape(-1, width)
            tables[pe] = np.ascontiguousarray(rows[:, 1:]).view(np.float32)
        found[item["label"]] = tables[pe][:, item["column"]].astype(float) * item["si"]
    return found


def check_status(records: Records, layout: dict[str, Any], ticks: int) -> list[dict[str, int]]:
    """Counters of all PEs. Raises ModelError E104 if one stopped early, E106."""
    found = []
    for pe in range(len(layout["pes"])):
        if (pe, STATUS) not in records.streams:
            raise error("E104", f"PE {pe} did not come to its end")
        status = records.status(pe)
        if status["ticks"] != ticks:
            raise error("E104", f"PE {pe} ended after {status['ticks']} of {ticks} ticks")
        if status["lost_events"]:
            message = (
                f"{status['lost_events']} events were lost: more were under way than PE {pe} holds"
            )
            raise error("E106", message, hint="shorter delays, a larger step, or fewer cells")
        found.append(status)
    return found
