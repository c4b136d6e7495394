"""Runs that go on: what a run leaves behind, and how the next program takes it over.

`take` reads states, ring buffers, random generators and events under way; `give` puts them into another
program's data, whose weights, delays, parameters, groups and PEs may be different. States are known by
group and name, events by where they go, so that nothing depends on how the programs lie in memory.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..canonical_model.diagnostics import refuse
from . import machine
from .attached import GROUP_WORDS, HEAD_WORDS, Arrival, arrivals
from .emulator import EmulationResult
from .memory import DATA, GLOBALS, HEADER_WORDS, REGIONS

Words = NDArray[np.uint32]
RANDOM_SPREAD = 0x85EBCA6B
ONE_RANDOM, ONE_WAITING = 4, 9  # words of GLOBAL_PARAMS of the form for one PE


GENERATOR = {"states": [f"generator {k}" for k in range(4)], "machines": 0}


@dataclass(slots=True)
class Deliveries:
    """Weights under way to the neurons of a group: the tick in which each acts, port, sign, neuron, sum."""

    tick: Any
    port: list[str]
    sign: Any
    neuron: Any
    weight: Any


@dataclass(slots=True)
class Checkpoint:
    """What is left of a run at `tick`; `states` by group and name are words, with what is known of them.

    Of applications: `rings` by group, `sent` (group, number of the port, instance), the unit of
    `weights` by (group, port, sign), `arrivals` at synapses with states; of one PE: `queues` as
    (link, delay in ticks, due, sender).
    """

    tick: int
    form: str
    units: str
    states: dict[str, dict[str, tuple[Words, Any]]] = field(default_factory=dict)
    random: dict[tuple[str, int], Words] = field(default_factory=dict)
    rings: dict[str, list[Deliveries]] = field(default_factory=dict)
    sent: list[tuple[str, int, int]] = field(default_factory=list)
    weights: dict[tuple[str, str, int], float] = field(default_factory=dict)
    queues: list[tuple[int, int, int, int]] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)

    @property
    def longest(self) -> int:
        """Ticks after `tick` in which the last of what is under way acts."""
        found = [int(np.max(d.tick, initial=0)) for own in self.rings.values() for d in own]
        found += [item.tick for item in self.arrivals]
        return max([tick - self.tick for tick in found], default=0)

    def values(self, group: str, name: str) -> NDArray[np.float32] | None:
        """The values of a state in the chip's units."""
        known = self.states.get(group, {}).get(name)
        return None if known is None else known[0].view(np.float32)

    def put(self, group: str, name: str, values: Any) -> None:
        """Set a state of all instances, in the chip's units."""
        words = np.asarray(values, np.float32).view(np.uint32)
        self.states.setdefault(group, {})[name] = (words, np.ones(len(words), bool))


def take(folder: Path, layout: dict[str, Any], result: EmulationResult) -> Checkpoint:
    """What a run left behind, by its folder, `layout.json` and result."""
    form = layout.get("form", "one")
    found = Checkpoint(round(result.times[-1] / layout["step_s"]), form, layout["units"])
    if form == "application":
        _take_machine(folder, layout, result, found)
    else:
        _take_one(layout, result, found)
    return found


def give(folder: Path, layout: dict[str, Any], found: Checkpoint) -> machine.Resumed | None:
    """Put a checkpoint into a program that was exported with `first` at its tick.

    Returns what `emulator.run` needs besides. Raises ModelError Y307, Y308.
    """
    if (layout.get("form", "one"), layout["units"]) != (found.form, found.units):
        message = "what was added since the last run makes another form of program necessary"
        raise refuse("Y307", message, hint="call reset() first, or use setup(backend='reference')")
    if found.form == "application":
        return _give_machine(folder, layout, found)
    _give_one(folder, layout, found)
    return None


# --- applications


class _Image:
    """A PE's data image and the addresses in it."""

    def __init__(self, data: bytes, entry: dict[str, Any], app: dict[str, Any]) -> None:
        self.words = np.frombuffer(data.ljust(-(-len(data) // 4) * 4, b"\0"), "<u4").copy()
        self.start, self.stop, self.group = entry["start"], entry["stop"], entry["population"]
        self.app, self.copies, self.attached = app, entry["copies"], entry["attached"]
        begin = self._at("GLOBAL_PARAMS")
        self.globals_at = begin
        self.table = dict(
            zip(GLOBALS, self.words[begin : begin + len(GLOBALS)].tolist(), strict=True)
        )
        self.key = int(self.words[self._at("ROUTING_TABLE")])
        self.values_at = self._at("NEURONS_PARAMS")

    def _at(self, region: str) -> int:
        return (int(self.words[2 + REGIONS.index(region)]) - DATA.start) // 4

    @property
    def size(self) -> int:
        return int(self.stop - self.start)

    @property
    def scales(self) -> NDArray[np.float64]:
        at = self.globals_at + self.table["SCALES"] // 4
        return self.words[at : at + len(self.app["types"])].view("<f4").astype(float)

    def blocks(self, values: Words) -> list[tuple[str, dict[str, Any], Any, Words]]:
        """Group, fields, instances and table of states (a view) of the neurons and of copied sources."""
        everyone = np.arange(self.start, self.stop)
        at = self.table["STATE"] // 4
        found = [(self.group, self.app, everyone, _rows(values, at, self.size, self.app))]
        row = self.table["FEEDS"] // 4
        for feed, used in zip(self.app["feeds"], self.copies, strict=True):
            own = _rows(values, int(values[row + 3]) // 4, len(used), feed)
            found.append((feed["group"], feed, np.array(used, np.int64), own))
            if feed["draws"]:
                own = _rows(values, int(values[row + feed["row"] - 1]) // 4, len(used), GENERATOR)
                found.append((feed["group"], GENERATOR, np.array(used, np.int64), own))
            row += feed["row"]
        return [*found, *self._attached_blocks(values)]

    def _attached_blocks(self, values: Words) -> list[tuple[str, dict[str, Any], Any, Words]]:
        """The same of synapses with states, and what they have just sent to the neurons."""
        if not self.app["attached"]:
            return []
        table = self.table["ATTACHED"] // 4
        ports = [f"sent to {port}" for port in self.app["attached_ports"]]
        fields: dict[str, Any] = {"states": ports, "machines": 0}
        sums = _rows(values, int(values[table + 1]) // 4, self.size, fields)
        found = [(self.group, fields, np.arange(self.start, self.stop), sums)]
        for number, kind, count, _, _, state, *_ in self.attached_table(values):
            del kind
            own = self.app["attached"][number]
            rows = _rows(values, state // 4, count, own)
            found.append((own["group"], own, np.array(self.attached[number], np.int64), rows))
        return found

    def attached_table(self, values: Words) -> list[list[int]]:
        """Number, kind, instances and offsets of each attached group on the PE."""
        table = self.table["ATTACHED"] // 4
        at, width = table + HEAD_WORDS, GROUP_WORDS
        return [
            values[at + width * k : at + width * (k + 1)].tolist() for k in range(values[table])
        ]

    def ring_shape(self) -> tuple[int, int, int]:
        bits = self.app["bits"]
        return 1 << bits["delay"], 1 << bits["type"], 1 << bits["index"]


def _rows(values: Words, at: int, size: int, fields: dict[str, Any]) -> Words:
    width = max(1, len(fields["states"]) + fields["machines"])
    return values[at : at + size * width].reshape(size, width)


def _names(fields: dict[str, Any]) -> list[str]:
    return [*fields["states"], *(f"regime {k}" for k in range(fields["machines"]))]


def _images(folder: Path, layout: dict[str, Any]) -> list[_Image]:
    return [
        _Image((folder / "pes" / f"{n:04d}.bin").read_bytes(), pe, layout["apps"][pe["app"]])
        for n, pe in enumerate(layout["pes"])
    ]


def _sizes(layout: dict[str, Any]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for pe in layout["pes"]:
        sizes[pe["population"]] = max(sizes.get(pe["population"], 0), pe["stop"])
        app = layout["apps"][pe["app"]]
        own = [*zip(app["feeds"], pe["copies"], strict=True)]
        own += zip(app["attached"], pe["attached"], strict=True)
        for item, used in own:
            sizes[item["group"]] = max(sizes.get(item["group"], 0), *(k + 1 for k in used), 0)
    return sizes


def _keep(
    found: Checkpoint, group: str, size: int, names: list[str], where: Any, own: Words
) -> None:
    table = found.states.setdefault(group, {})
    for column, name in enumerate(names):
        words, known = table.setdefault(name, (np.zeros(size, np.uint32), np.zeros(size, bool)))
        words[where], known[where] = own[:, column], True


def _take_machine(
    folder: Path, layout: dict[str, Any], result: EmulationResult, found: Checkpoint
) -> None:
    records = result.records
    assert records is not None
    sizes, images = _sizes(layout), _images(folder, layout)
    for number, image in enumerate(images):
        values = records.words(number, machine.VALUES)
        for group, fields, where, own in image.blocks(values):
            _keep(found, group, sizes[group], _names(fields), where, own)
        for (port, sign), unit in zip(image.app["types"], image.scales.tolist(), strict=True):
            found.weights[image.group, port, sign] = unit
        found.random[image.group, image.start] = records.words(number, machine.RANDOM)
        if image.app["attached"]:
            names = [own["group"] for own in image.app["attached"]]
            table = image.attached_table(values)
            instances = [(names[row[0]], np.array(image.attached[row[0]])) for row in table]
            found.arrivals += arrivals(values, image.table["ATTACHED"] // 4, instances, found.tick)
        found.rings.setdefault(image.group, []).append(
            _deliveries(image, records.words(number, machine.RING), found.tick)
        )
    starts = np.array([image.key for image in images])
    order = np.argsort(starts)
    for number in range(len(images)):
        for key in records.words(number, machine.SENT).tolist():
            image = images[order[np.searchsorted(starts[order], key, "right") - 1]]
            port, index = divmod(key - image.key, image.size)
            found.sent.append((image.group, port, image.start + index))


def _deliveries(image: _Image, words: Words, tick: int) -> Deliveries:
    """What the ring buffer holds, as weights that act in later ticks."""
    slots, types, width = image.ring_shape()
    cells = words.view(f"<u{image.app['ring_width']}")[: slots * types * width]
    cells = cells.reshape(slots, types, width)
    slot, kind, neuron = np.nonzero(cells)
    units = cells[slot, kind, neuron].astype(float)
    own = image.app["types"]
    return Deliveries(
        tick + (slot - tick) % slots,
        [own[k][0] for k in kind],
        np.array([own[k][1] for k in kind], int),
        image.start + neuron,
        units * image.scales[kind] if len(kind) else units,
    )


def _give_machine(folder: Path, layout: dict[str, Any], found: Checkpoint) -> machine.Resumed:
    images = _images(folder, layout)
    rings = []
    for number, image in enumerate(images):
        values = image.words[image.values_at :]
        for group, fields, where, own in image.blocks(values):
            for column, name in enumerate(_names(fields)):
                words, known = found.states.get(group, {}).get(name, (None, None))
                if words is None or known is None:
                    continue
                old = where < len(words)
                old[old] = known[where[old]]
                own[old, column] = words[where[old]]
        _give_random(image, found)
        rings.append((image.table["RING"], _ring(image, found)))
        path = folder / "pes" / f"{number:04d}.bin"
        path.write_bytes(image.words.astype("<u4").tobytes())
    by_group: dict[str, list[_Image]] = {}
    for image in images:
        by_group.setdefault(image.group, []).append(image)
    waiting = []
    for group, port, index in found.sent:
        image = next(i for i in by_group[group] if i.start <= index < i.stop)
        waiting.append(image.key + port * image.size + index - image.start)
    return machine.Resumed(waiting, rings)


def _give_random(image: _Image, found: Checkpoint) -> None:
    """The generator goes on where the PE is the same; else it starts from a seed that was not used yet."""
    words = found.random.get((image.group, image.start))
    at = image.globals_at
    if words is None:
        seed = (image.table["SEED"] + RANDOM_SPREAD * found.tick) & 0xFFFFFFFF
        image.words[at + GLOBALS.index("SEED")] = seed
        return
    place = len(GLOBALS) + len(image.app["types"]) + image.table["N_TRACED"]
    image.words[at + GLOBALS.index("RANDOM")] = 4 * place
    image.words[at + place : at + place + 4] = words


def _ring(image: _Image, found: Checkpoint) -> bytes:
    """The ring buffer with what is under way; sums are rounded to this program's units."""
    slots, types, width = image.ring_shape()
    size = image.app["ring_width"]
    cells = np.zeros((slots, types, width))
    kinds = {(port, sign): k for k, (port, sign) in enumerate(image.app["types"])}
    for own in found.rings.get(image.group, ()):
        here = np.flatnonzero((own.neuron >= image.start) & (own.neuron < image.stop))
        for n in here.tolist():
            kind = kinds.get((own.port[n], int(own.sign[n])))
            if kind is None or own.tick[n] - found.tick >= slots:
                message = f"events under way to '{image.group}' have no place in the new program"
                raise refuse("Y308", message, hint="run until no event is under way")
            units = np.rint(own.weight[n] / image.scales[kind])
            cells[own.tick[n] % slots, kind, own.neuron[n] - image.start] += units
    if cells.max(initial=0.0) >= 2.0 ** (8 * size):
        raise refuse("Y308", f"events under way to '{image.group}' are beyond the new ring buffer")
    data = cells.astype(f"<u{size}").tobytes()
    return data.ljust(-(-len(data) // 4) * 4, b"\0")


# --- one PE


def _take_one(layout: dict[str, Any], result: EmulationResult, found: Checkpoint) -> None:
    words = np.frombuffer(result.raw["final.bin"], "<u4")
    found.random["", 0] = words[:4]
    count = int(words[4])
    values = words[5 : 5 + count]
    for group in layout["groups"]:
        own = _rows(values, group["at"] // 4, group["size"], group)
        everyone = np.arange(group["size"])
        _keep(found, group["name"], group["size"], _names(group), everyone, own)
    at = 5 + count
    for link, delay in layout["queues"]:
        length = int(words[at])
        pairs = words[at + 1 : at + 1 + 2 * length].reshape(-1, 2).tolist()
        found.queues += [(link, delay, due, sender) for due, sender in pairs]
        at += 1 + 2 * length


def _give_one(folder: Path, layout: dict[str, Any], found: Checkpoint) -> None:
    path = folder / "data.bin"
    data = bytearray(path.read_bytes())
    header = struct.unpack_from(f"<{HEADER_WORDS}I", data)
    places = dict(zip(REGIONS, (a - DATA.start for a in header[2:]), strict=True))
    words = np.frombuffer(data, "<u4").copy()
    values = words[places["NEURONS_PARAMS"] // 4 :]
    for group in layout["groups"]:
        own = _rows(values, group["at"] // 4, group["size"], group)
        for column, name in enumerate(_names(group)):
            known = found.states.get(group["name"], {}).get(name)
            if known is not None:
                count = min(len(own), len(known[0]))
                own[:count, column] = known[0][:count]
    numbers = {(link, delay): k for k, (link, delay) in enumerate(layout["queues"])}
    triples = [(numbers[link, delay], due, sender) for link, delay, due, sender in found.queues]
    at = places["GLOBAL_PARAMS"] // 4
    words[at + ONE_RANDOM] = 1
    words[at + ONE_RANDOM + 1 : at + ONE_RANDOM + 5] = found.random["", 0]
    words[at + ONE_WAITING : at + ONE_WAITING + 2] = len(triples), DATA.start + 4 * len(words)
    data = bytearray(words.tobytes() + np.asarray(triples, "<u4").tobytes())
    if len(data) > DATA.size:
        message = f"{len(triples)} events under way need {len(data)} bytes, a PE has {DATA.size}"
        raise refuse("Y308", message, hint="run until fewer events are under way")
    path.write_bytes(bytes(data))
