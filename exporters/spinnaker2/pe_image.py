"""The memory image of one PE of an application: header and regions from 0xE900 on."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from ...canonical_model.circuit import AnalogLink
from ...spinnaker2.attached import Arrival
from ...spinnaker2.memory import (
    ALIGNMENT,
    DATA,
    GLOBALS,
    HEADER_WORDS,
    MAGIC,
    REGIONS,
    VERSION,
    WORK,
)
from .attached_data import Heard, attached_data
from .data import slice_values
from .feeds import feed_data
from .partition import App, Incoming, Partition, Slice
from .rows import PackedRows, table_and_rows

LOG_WORDS = 100
RECORDS = ("SPIKE_RECORD", "VOLTAGE_RECORD", "TIME_DONE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a PE is asked to do besides its neurons: how long to run, what to record, whom to tell."""

    ticks: int  # at which the run ends
    first: int  # at which it starts
    period: int
    seed: int
    source_seed: int  # of sources that are copied to several PEs
    h: float
    record_spikes: bool
    traced: tuple[tuple[int, int], ...]  # variable number, neuron
    targets: tuple[int, ...]  # PEs that hear it
    heard: Heard | None = None  # by synapses with states
    pending: tuple[Arrival, ...] = ()
    delays: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class PeImage:
    """Bytes from DATA.start on, address and size of each region, ring buffer and ticks of records."""

    data: bytes
    regions: dict[str, tuple[int, int]]
    ring: int
    rows: int
    synapses: int

    @property
    def used(self) -> int:
        """Bytes of DATA that are taken before records get what is left."""
        return self.regions["SPIKE_RECORD"][0] - DATA.start

    @property
    def recorded(self) -> int:
        """Bytes of records."""
        return sum(self.regions[name][1] for name in RECORDS)


@dataclass(slots=True)
class _Layout:
    """Regions one behind the other."""

    at: int = DATA.start + 4 * HEADER_WORDS
    places: dict[str, tuple[int, int]] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)

    def claim(self, size: int) -> int:
        """The next aligned stretch of memory."""
        place = -(-self.at // ALIGNMENT) * ALIGNMENT
        self.at = place + size
        return place

    def put(self, name: str, data: bytes) -> int:
        """A region with data; the address."""
        place = self.claim(len(data))
        self.places[name] = (place, len(data))
        self.body = self.body.ljust(place - DATA.start - 4 * HEADER_WORDS, b"\0") + data
        return place


def pe_image(
    partition: Partition,
    part: Slice,
    app: App,
    incoming: Incoming,
    rows: PackedRows,
    order: Order,
    links: tuple[AnalogLink, ...] = (),
) -> PeImage | int:
    """The image, or the bytes that it needs where they are more than a PE has."""
    layout = _Layout()
    target = layout.at = -(-layout.at // ALIGNMENT) * ALIGNMENT
    routing = struct.pack(f"<3I{len(order.targets)}I", part.key, len(order.targets), target + 12,
                          *order.targets)  # fmt: skip
    layout.put("ROUTING_TABLE", routing)
    layout.put("TIMER_CONFIG", struct.pack("<2I", order.period, order.ticks))
    values_at, values = slice_values(part.group, part.start, part.stop)
    inputs = len(app.model.component.analog_inputs)
    bounds, name = (part.start, part.stop), part.group.group.name
    more, *places = feed_data(
        app.feeds, inputs, name, bounds, links, len(values), order.source_seed
    )
    values += more
    table_at = 0
    if order.heard is not None:
        more, table_at = attached_data(
            app.attached, order.heard, partition, bounds, len(values), order.first, order.pending,
            order.delays,
        )  # fmt: skip
        values += more
    offsets = (*values_at, *places, table_at)
    # behind the others four words for a random generator that goes on
    globals_size = 4 * (len(GLOBALS) + len(incoming.scales) + len(order.traced) + 4)
    globals_at = layout.put("GLOBAL_PARAMS", b"\0" * globals_size)
    info = layout.put("MPT_INFO", b"\0" * 8)
    table, body = table_and_rows(partition, rows, app, layout.claim(0))
    start = layout.put("MPT", table)
    layout.put("SYN_ROW", body)
    layout.put("NEURONS_PARAMS", values)
    ring = WORK.start if app.ring <= WORK.size else layout.claim(app.ring)
    capacity = _records(layout, part, app, order)
    if capacity < 1:
        return layout.at - DATA.start
    _write(layout, info, struct.pack("<2I", start, len(table) // 12))
    words = _global_words(part, app, incoming, order, (ring, capacity), offsets)
    _write(layout, globals_at, words)
    header = [MAGIC, VERSION, *(layout.places[name][0] for name in REGIONS)]
    data = struct.pack(f"<{HEADER_WORDS}I", *header) + bytes(layout.body)
    synapses = rows.count + (order.heard.count if order.heard else 0)
    return PeImage(data, layout.places, app.ring, capacity, synapses)


def _write(layout: _Layout, address: int, data: bytes) -> None:
    at = address - DATA.start - 4 * HEADER_WORDS
    layout.body[at : at + len(data)] = data


def _records(layout: _Layout, part: Slice, app: App, order: Order) -> int:
    """Place records and log in what is left; the ticks that the records hold."""
    per_tick = dict(zip(RECORDS, record_words(part, app, order), strict=True))
    free = DATA.end - layout.at - 4 * LOG_WORDS - ALIGNMENT * (len(RECORDS) + 1)
    capacity = min(order.ticks - order.first, free // (4 * sum(per_tick.values())))
    for name, words in per_tick.items():
        size = 4 * words * max(0, capacity)
        layout.places[name] = (layout.claim(size), size)
    layout.places["LOG"] = (layout.claim(4 * LOG_WORDS), 4 * LOG_WORDS)
    return capacity


def record_words(part: Slice, app: App, order: Order) -> tuple[int, int, int]:
    """Words per tick of the spike, state and time records."""
    in_word = 4 if app.model.repeats else 32
    spikes = 2 + -(-part.size * app.ports // in_word) if order.record_spikes else 0
    traces = 1 + len(order.traced) if order.traced else 0
    return spikes, traces, 1


def _float(value: float) -> int:
    word: int = struct.unpack("<I", struct.pack("<f", value))[0]
    return word


def _global_words(
    part: Slice,
    app: App,
    incoming: Incoming,
    order: Order,
    memory: tuple[int, int],
    offsets: Sequence[int],
) -> bytes:
    """GLOBAL_PARAMS in the order of memory.GLOBALS, then scales and what is traced."""
    scales = [_float(scale.unit) for scale in incoming.scales]
    table = {
        "N_NEURONS": part.size,
        # 2: counts of 8 bits, where a step may send several
        "RECORD_SPIKES": int(order.record_spikes) * (2 if app.model.repeats else 1),
        "RECORD_V": int(bool(order.traced)),
        "PROFILING": 0,
        "TIME_DONE": 1,
        "DT": _float(order.h),
        "W_SCALE_EXC": _first(app, scales, 1),
        "W_SCALE_INH": _first(app, scales, -1),
        "DEBUG": 0,
        "LOG_SIZE": LOG_WORDS,
        "SEED": order.seed,
        "PE": part.number,
        "RECORD_ROWS": memory[1],
        "RING": memory[0],
        "N_TRACED": len(order.traced),
        "SHARED": offsets[0],
        "OWN": offsets[1],
        "STATE": offsets[2],
        "SCALES": 4 * len(GLOBALS),
        "TRACED": 4 * (len(GLOBALS) + len(scales)),
        "INPUT": offsets[3],
        "FEEDS": offsets[4],
        "FIRST_TICK": order.first,
        "RANDOM": 0,
        "ATTACHED": offsets[5],
    }
    words = [table[name] for name in GLOBALS] + scales
    words += [variable << 16 | neuron for variable, neuron in order.traced]
    return struct.pack(f"<{len(words)}I", *words)


def _first(app: App, scales: Sequence[int], sign: int) -> int:
    """The scale of the first receptor type of a sign, where the stock applications keep it."""
    found = [word for (_, own), word in zip(app.types, scales, strict=True) if own == sign]
    return found[0] if found else 0
