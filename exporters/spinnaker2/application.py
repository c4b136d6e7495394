"""The application form: one program per neuron model, populations spread over many PEs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...canonical_model.circuit import AnalogLink, Probe
from ...canonical_model.diagnostics import Level, Log, refuse
from ...spinnaker2 import memory
from ...spinnaker2.budget import CLOCKS, tick_cycles
from .attached_data import heard_by
from .cost import neuron_cost
from .feeds import copies
from .partition import (
    App,
    Choices,
    Partition,
    Slice,
    attached_cycles,
    find_apps,
    spread,
)
from .pe_image import Order, PeImage, pe_image
from .plan import GroupPlan, Plan, make_plan, words_of
from .qualify import Network
from .rows import pack_rows

MAX_ROUNDS = 24
MAX_PES = 48 * 148  # what a board of 48 chips offers
SHRINK = 0.9
SEED_SPREAD = 0x9E3779B9
RESERVED = 4096  # bytes of a PE for header, settings, log and at least a few ticks of records


@dataclass(frozen=True, slots=True, eq=False)
class Application:
    """Everything that is written: programs, PEs with images, routes, the host's packets."""

    plan: Plan
    network: Network
    partition: Partition
    images: list[PeImage]
    orders: list[Order]
    routes: list[tuple[int, int, tuple[int, ...]]]  # key, mask, PEs
    ticks: int
    first: int
    step: float

    def app(self, part: Slice) -> App:
        """The program of a slice."""
        return self.partition.app_of[part.group.number]


def build(
    network: Network,
    *,
    scheme: str,
    step: float,
    ticks: int,
    first: int,
    name: str,
    choices: Choices,
    log: Log,
) -> Application:
    """Plan, partition and pack. Raises ModelError T303 to T305, T312 to T315, S2xx."""
    plan = make_plan(network.circuit, scheme=scheme, step=step, name=name, log=log)
    partition = find_apps(plan, network, choices, log)
    sizes = {
        item.number: _first_guess(partition, app, item)
        for app in partition.apps
        for item in app.groups
    }
    for _ in range(MAX_ROUNDS):
        spread(partition, plan, network, sizes)
        if len(partition.slices) > MAX_PES:
            message = (
                f"the network needs {len(partition.slices)} PEs, a board of 48 chips has {MAX_PES}"
            )
            raise refuse("T315", message)
        found = _images(plan, network, partition, sizes, (first, ticks), step, choices)
        if found is not None:
            images, orders, routes = found
            _warn_of_time(partition, step, log)
            return Application(plan, network, partition, images, orders, routes, ticks, first, step)
    raise refuse("T314", "no way was found to spread the network over PEs")


def _images(
    plan: Plan,
    network: Network,
    partition: Partition,
    sizes: dict[int, int],
    ticks: tuple[int, int],
    step: float,
    choices: Choices,
) -> tuple[list[PeImage], list[Order], list[Any]] | None:
    """All images; None after `sizes` have been reduced because one did not fit."""
    rows = {}
    for item in (item for app in partition.apps for item in app.groups):
        parts = [part for part in partition.slices if part.group is item]
        packed = pack_rows(
            partition, parts, partition.app_of[item.number], partition.incoming[item.number]
        )
        rows.update({part.number: own for part, own in zip(parts, packed, strict=True)})
    heard: dict[int, list[int]] = {}
    attached = {
        part.number: heard_by(app.attached, part.group.group.name, part.start, part.stop, partition)
        for part in partition.slices
        for app in [partition.app_of[part.group.number]]
        if app.attached
    }
    for part in partition.slices:
        blocks = set(np.unique(rows[part.number].block).tolist())
        if part.number in attached:
            blocks |= set(np.unique(attached[part.number].block).tolist())
        for block in sorted(blocks):
            heard.setdefault(block, []).append(part.number)
    routes = [
        (
            partition.blocks[block][0],
            0xFFFFFFFF << partition.blocks[block][1] & 0xFFFFFFFF,
            tuple(pes),
        )
        for block, pes in sorted(heard.items())
    ]
    hearing = _hearing(partition, routes)
    period = max(1, round(step * 1e6))
    seed = (network.circuit.seed or 1234) & 0xFFFFFFFF
    traced = _traced(partition, network.circuit.probes, network.circuit.analog_links)
    loud = {probe.group for probe in network.circuit.event_probes}
    images, orders = [], []
    links = network.circuit.analog_links
    too_large: dict[int, float] = {}
    for part in partition.slices:
        order = Order(
            ticks=ticks[1],
            first=ticks[0],
            period=period,
            seed=pe_seed(seed, part.number),
            source_seed=seed,
            h=plan.h,
            record_spikes=part.group.group.name in loud,
            traced=tuple(traced.get(part.number, ())),
            targets=hearing[part.number],
            heard=attached.get(part.number),
            pending=choices.pending,
            delays=choices.delays,
        )
        number = part.group.number
        app = partition.app_of[number]
        image = pe_image(
            partition, part, app, partition.incoming[number], rows[part.number], order, links
        )
        if isinstance(image, int):
            ratio = memory.DATA.size / (image + 1024)
            too_large[number] = min(too_large.get(number, 1.0), ratio)
            _refuse_single(part, image)
            continue
        images.append(image)
        orders.append(order)
    for number, ratio in too_large.items():
        sizes[number] = max(1, min(sizes[number] - 1, int(sizes[number] * ratio * SHRINK)))
    return None if too_large else (images, orders, routes)


def pe_seed(seed: int, number: int) -> int:
    """The seed of a PE's random generator: streams of PEs differ."""
    return (seed + SEED_SPREAD * (number + 1)) & 0xFFFFFFFF


def _first_guess(partition: Partition, app: App, item: GroupPlan) -> int:
    """Neurons per PE by memory, so that few rounds are needed: values, rows and their table of offsets."""
    incoming = partition.incoming[item.number]
    most = min(item.group.size, app.neurons)
    degree = float(np.mean(incoming.degree)) if len(incoming.degree) else 0.0
    fixed = RESERVED + (app.ring if app.ring > memory.WORK.size else 0)
    senders: dict[str, list[int]] = {}
    for b in incoming.bundles:
        own = senders.setdefault(b.source, [0, 0])
        own[0], own[1] = max(own[0], int(b.pre.max(initial=-1)) + 1), own[1] + len(b.pre)
    # senders of which a PE hears few have their offsets on other PEs
    heard = (n for n, synapses in senders.values() if synapses * most >= n * item.group.size)
    fixed += 2 * sum(heard)
    neuron = app.state_bytes + degree * app.word.bytes + _attached_bytes(app, item)
    return max(1, min(most, int((memory.DATA.size - fixed) * 0.97 / neuron)))


def _attached_bytes(app: App, item: GroupPlan) -> float:
    """Bytes of the synapses with states of one neuron, on average: values, neuron, weight, arrivals."""
    total = 0.0
    for group in app.attached:
        if group.attachment.host == item.group.name:
            model = group.item.model
            values = words_of(model) + len(model.own) + (len(model.component.analog_inputs) or 1)
            total += group.item.group.size * (4 * values + 2)
            total += sum(6 * len(b.pre) for b in group.bundles)
    return total / max(1, item.group.size)


def _hearing(partition: Partition, routes: list[Any]) -> list[tuple[int, ...]]:
    """The PEs that hear each PE."""
    firsts = np.array([key for key, _, _ in routes], np.int64)
    ends = np.array([key + (~mask & 0xFFFFFFFF) + 1 for key, mask, _ in routes], np.int64)
    found = []
    for part in partition.slices:
        last = part.key + part.size * max(1, len(part.group.group.component.event_outputs))
        a, b = np.searchsorted(ends, part.key, "right"), np.searchsorted(firsts, last)
        found.append(tuple(sorted({pe for _, _, pes in routes[a:b] for pe in pes})))
    return found


def _warn_of_time(partition: Partition, step: float, log: Log) -> None:
    """A tick that cannot be met even if no packets come."""
    for app in partition.apps:
        own = [part for part in partition.slices if partition.app_of[part.group.number] is app]
        most = max((part.size for part in own), default=0)
        per_neuron = neuron_cost(app.model, len(app.types)).cycles + attached_cycles(app)
        cycles = tick_cycles(most, per_neuron)
        late = [clock for clock in CLOCKS if cycles > clock * step]
        if late:
            clocks = " and ".join(f"{clock / 1e6:g} MHz ({clock * step:.0f})" for clock in late)
            message = (
                f"{most} neurons of '{app.model.component.name}' take about {cycles:.0f} cycles per tick "
                f"without any packets, more than a tick of {step * 1e3:g} ms has at {clocks}"
            )
            log.add("T316", Level.WARNING, message, hint="a larger step, or fewer neurons per PE")


def _refuse_single(part: Slice, size: int) -> None:
    if part.size == 1:
        message = (
            f"one neuron of '{part.group.group.name}' with its synapses and one tick of records needs "
            f"{size} bytes, one PE has {memory.DATA.size}"
        )
        raise refuse("T314", message, hint="fewer synapses per neuron, fewer recorded quantities")


def _traced(
    partition: Partition, probes: tuple[Probe, ...], links: tuple[AnalogLink, ...]
) -> dict[int, list[tuple[int, int]]]:
    """(variable, neuron) by PE, in the order of the probes."""
    found: dict[int, list[tuple[int, int]]] = {}
    for probe in probes:
        part, variable, index = place_of(partition, probe, links)
        found.setdefault(part.number, []).append((variable, index))
    return found


def place_of(
    partition: Partition, probe: Probe, links: tuple[AnalogLink, ...]
) -> tuple[Slice, int, int]:
    """The PE, the number of the quantity and the place of the instance; of copies the first."""
    if partition.by_group.get(probe.group):
        part = partition.holder(probe.group, probe.index)
        return part, part.group.model.outputs.index(probe.variable), probe.index - part.start
    for app in partition.apps:
        for group in app.attached:
            if group.attachment.name == probe.group:
                part = partition.holder(
                    group.attachment.host, int(group.attachment.place[probe.index])
                )
                used = group.between(part.start, part.stop)
                number = app.attached_watched.index((group.number, probe.variable))
                before = len(app.model.outputs) + len(app.watched)
                return part, before + number, int(np.flatnonzero(used == probe.index)[0])
    for part in partition.slices:
        app = partition.app_of[part.group.number]
        for number, feed in enumerate(app.feeds):
            if feed.source.group.name != probe.group:
                continue
            used = copies(feed, part.group.group.name, part.start, part.stop, links)
            where = np.flatnonzero(used == probe.index)
            if len(where):
                outputs = len(app.model.outputs)
                return part, outputs + app.watched.index((number, probe.variable)), int(where[0])
    raise refuse("T314", f"'{probe.label}' records a source that feeds no neuron")
