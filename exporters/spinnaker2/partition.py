"""Spread the groups of a network over PEs: word layouts, slices, routing keys."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from ...canonical_model.diagnostics import Level, Log, refuse
from ...canonical_model.expr import Expr
from ...spinnaker2.attached import DELAY_BITS, Arrival
from ...spinnaker2.budget import CLOCKS, neurons_in_time
from ...spinnaker2.memory import WORK
from .attached import AttachedGroup, attached_groups
from .c_printer import MAX_FLOAT
from .cost import neuron_cost, step_cost
from .feeds import Feed, find_feeds, watched_quantities
from .linear import weight_factor
from .plan import GroupPlan, ModelPlan, Plan
from .qualify import Bundle, Network
from .words import STOCK, Scale, WordSpec, bits, choose_scale, own_word

MAX_DELAY_BITS = 13
MAX_NEURONS = 256  # what the index of the stock synapse word can tell apart
SAMPLE = 64  # senders of a group whose targets are looked at
LIST_BLOCK = 1024  # senders of spike lists that share a block of keys


@dataclass(slots=True)
class Slice:
    """Neurons start to stop of a group, on one PE."""

    number: int
    group: GroupPlan
    start: int
    stop: int
    key: int = 0

    @property
    def size(self) -> int:
        """Neurons on the PE."""
        return self.stop - self.start


@dataclass(slots=True)
class App:
    """A program: a model with its receptor types and constants."""

    model: ModelPlan
    types: list[tuple[str, int]]  # port and sign
    flagged: frozenset[str]
    word: WordSpec = STOCK
    neurons: int = 1
    ring_bytes: int = 2
    groups: list[GroupPlan] = field(default_factory=list)
    feeds: list[Feed] = field(default_factory=list)
    watched: list[tuple[int, str]] = field(default_factory=list)  # feed and quantity recorded
    factors: dict[str, Expr] = field(default_factory=dict)  # by port, of the weight
    attached: list[AttachedGroup] = field(default_factory=list)
    attached_watched: list[tuple[int, str]] = field(default_factory=list)  # group and quantity

    @property
    def name(self) -> str:
        """Identifier of the program."""
        return self.model.name

    @property
    def ports(self) -> int:
        """Event ports that it sends from."""
        return max(1, len(self.model.component.event_outputs))

    @property
    def ring(self) -> int:
        """Bytes of the ring buffer."""
        return self.ring_bytes << (self.word.delay + self.word.type + self.word.index)

    @property
    def state_bytes(self) -> int:
        """Bytes of state and own parameters of a neuron."""
        component = self.model.component
        state = len(component.state_variables) + len(component.machines)
        return 4 * (max(1, state) + max(1, len(self.model.own)))


@dataclass(slots=True)
class Incoming:
    """The connections into a group: type, units of weight, delay; `scales` by type."""

    bundles: list[Bundle]
    kinds: list[Any]
    units: list[Any]
    scales: list[Scale]
    most: int  # the largest sum of units that can meet in a slot of the ring
    degree: Any  # synapses of each neuron


@dataclass(slots=True)
class Partition:
    """Programs, slices and keys; `keys` by group name and port, one per instance."""

    apps: list[App]
    app_of: dict[int, App]
    incoming: dict[int, Incoming]
    slices: list[Slice]
    keys: dict[tuple[str, str], Any]
    blocks: list[tuple[int, int]]  # first key and bits of each block, ascending
    by_group: dict[str, list[Slice]] = field(default_factory=dict)

    def holder(self, group: str, index: int) -> Slice:
        """The PE that holds an instance."""
        parts = self.by_group[group]
        return parts[bisect_right(parts, index, key=lambda part: part.start) - 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What a user may fix: neurons per PE (0: as many as fit), the synapse word ("stock", "16", "32"), the
    delays that the ring buffer must hold at least, units of weights under way by (group, port, sign), and
    what is under way to synapses with states."""

    neurons: int = 0
    word: str = ""
    delays: int = 1
    units: Mapping[tuple[str, str, int], float] = field(default_factory=dict)
    pending: tuple[Arrival, ...] = ()


def find_apps(plan: Plan, network: Network, choices: Choices, log: Log) -> Partition:
    """Programs with their words and the connections in units; no slices yet. Raises T312, T313."""
    apps: list[App] = []
    incoming: dict[int, Incoming] = {}
    app_of: dict[int, App] = {}
    for model in plan.models:
        groups = [
            item
            for item in plan.groups
            if item.model is model and network.is_placed(item.group.name)
        ]
        if not groups:
            continue
        names = {item.group.name for item in groups}
        bundles = [b for b in network.bundles if b.target in names]
        types = _types(bundles)
        flagged = frozenset().union(*(network.flagged[name] for name in names))
        feeds = find_feeds(plan, names, network.circuit.analog_links)
        app = App(model, types, flagged, groups=groups, feeds=feeds)
        app.watched = watched_quantities(feeds, network.circuit.probes)
        app.attached = attached_groups(plan, names, network.attached, network.bundles)
        app.attached_watched = list(
            dict.fromkeys(
                (group.number, probe.variable)
                for group in app.attached
                for probe in network.circuit.probes
                if probe.group == group.attachment.name
            )
        )
        _check_delays(app)
        for port in {port for port, _ in types} - flagged:
            factored = weight_factor(model.component, port, frozenset(model.shared))
            if factored is not None:
                model.component, app.factors[port] = factored
        apps.append(app)
        delays = 1 + max((int(b.delay.max(initial=0)) for b in bundles), default=0)
        delays = max(delays, choices.delays if bundles else 1)
        if bits(delays) > MAX_DELAY_BITS:
            message = (
                f"a delay of {delays - 1} ticks into '{model.component.name}' does not fit the ring "
                f"buffer of at most {1 << MAX_DELAY_BITS} ticks"
            )
            raise refuse("T312", message, hint="take a larger step, or shorter delays")
        largest = max(item.group.size for item in groups)
        app.neurons = min(largest, choices.neurons or _default_neurons(app, plan.step))
        slots = 1 << (bits(delays) + bits(max(1, len(types))))
        # where delays are long, fewer neurons share a PE, so that ring buffers take no room from synapses
        while app.neurons > 1 and 4 * slots << bits(app.neurons) > WORK.size:
            app.neurons = 1 << (bits(app.neurons) - 1)
        _choose_word(app, bundles, delays, choices)
        for item in groups:
            app_of[item.number] = app
            own = [b for b in bundles if b.target == item.group.name]
            incoming[item.number] = _incoming(app, item, own, choices, log)
        most = max((incoming[item.number].most for item in groups), default=0)
        app.ring_bytes = 2 if most < 1 << 16 else 4
        if most >= 1 << 32:
            message = f"weights that meet at one neuron of '{model.component.name}' add up to {most} units"
            raise refuse("T313", message)
    return Partition(apps, app_of, incoming, [], {}, [])


def _check_delays(app: App) -> None:
    longest = max((int(b.delay.max(initial=0)) for g in app.attached for b in g.bundles), default=0)
    if bits(longest + 1) > DELAY_BITS:
        message = (
            f"a delay of {longest} ticks to synapses with states of '{app.model.component.name}'"
        )
        message += f" is beyond the {1 << DELAY_BITS} that a PE keeps"
        raise refuse("T312", message, hint="take a larger step, or shorter delays")


def attached_cycles(app: App) -> float:
    """Cycles of a tick for the synapses with states of one neuron, on average."""
    neurons = sum(item.group.size for item in app.groups)
    work = sum(g.item.group.size * step_cost(g.item.model).cycles for g in app.attached)
    return work / max(1, neurons)


def _default_neurons(app: App, step: float) -> int:
    """As many as half of a tick at the slower clock has time for; the other half is for packets."""
    cycles = neuron_cost(app.model, len(app.types)).cycles + attached_cycles(app)
    return max(1, min(MAX_NEURONS, neurons_in_time(cycles, step / 2, CLOCKS[0])))


def _types(bundles: list[Bundle]) -> list[tuple[str, int]]:
    found = set()
    for b in bundles:
        found |= {
            (b.port, s) for s, any_of in ((1, b.weight >= 0), (-1, b.weight < 0)) if any_of.any()
        }
    return sorted(found, key=lambda item: (item[0], -item[1]))


def _choose_word(app: App, bundles: list[Bundle], delays: int, choices: Choices) -> None:
    """The stock word where weights and delays fit it exactly, else 32 bits; or what the user chose."""
    count = max(1, len(app.types))
    fits_stock = delays <= STOCK.slots and count <= 2 and app.neurons <= 1 << STOCK.index
    wide = own_word(32, delays, count, app.neurons)
    narrow = own_word(16, delays, count, app.neurons)
    if choices.word == "stock" and not fits_stock:
        message = (
            f"'{app.model.component.name}' needs {delays} delays, {count} receptor types and {app.neurons} "
            f"neurons per PE, the stock synapse word ({STOCK}) has {STOCK.slots}, 2 and 256"
        )
        raise refuse("T312", message, hint="choose another synapse word, or fewer neurons per PE")
    if choices.word == "stock":
        app.word = STOCK
    elif choices.word == "16" and narrow is not None:
        app.word = narrow
    elif not choices.word and fits_stock and _is_exact(app, bundles, STOCK.largest):
        app.word = STOCK
    elif wide is not None and choices.word != "16":
        app.word = wide
    else:
        message = (
            f"{delays} delays, {count} receptor types and {app.neurons} neurons per PE leave no bit for "
            f"weights in a synapse word of {choices.word or 32} bits"
        )
        raise refuse("T312", message, hint="fewer neurons per PE")


def _is_exact(app: App, bundles: list[Bundle], largest: int) -> bool:
    for port, sign in app.types:
        found = [np.abs(b.weight[_of(b, sign)]) for b in bundles if b.port == port]
        if found and choose_scale(np.concatenate(found), largest).worst > 0:
            return False
    return True


def _of(bundle: Bundle, sign: int) -> Any:
    return bundle.weight >= 0 if sign > 0 else bundle.weight < 0


def _incoming(
    app: App, item: GroupPlan, bundles: list[Bundle], choices: Choices, log: Log
) -> Incoming:
    """Quantise: one unit per receptor type of the group. Raises T303, T313 for weights of no use."""
    name = item.group.name
    scales, kinds, units = [], [np.zeros(len(b.pre), np.int64) for b in bundles], []
    units = [np.zeros(len(b.pre), np.int64) for b in bundles]
    totals = np.zeros(item.group.size * max(1, len(app.types)))
    for b in bundles:
        if not np.all(np.isfinite(b.weight)):
            raise refuse("T313", f"a weight from '{b.source}' to '{name}' is not a finite number")
        if not np.all(np.abs(b.weight) <= MAX_FLOAT):
            message = f"a weight from '{b.source}' to '{name}' is beyond single precision"
            raise refuse("T303", f"{message} ({MAX_FLOAT:g})")
    for kind, (port, sign) in enumerate(app.types):
        chosen = [_of(b, sign) & (b.port == port) for b in bundles]
        found = [np.abs(b.weight[c]) for b, c in zip(bundles, chosen, strict=True)]
        magnitudes = np.concatenate(found) if found else np.zeros(0)
        used = choices.units.get((name, port, sign), 0.0)
        scale = choose_scale(magnitudes, app.word.largest, used)
        scales.append(scale)
        _note(item, port, scale, magnitudes, app, log)
        for k, (b, c) in enumerate(zip(bundles, chosen, strict=True)):
            kinds[k][c] = kind
            units[k][c] = np.rint(np.abs(b.weight[c]) / scale.unit)
            size = item.group.size
            sums = np.bincount(b.post[c], weights=units[k][c], minlength=size)
            totals[kind * size : (kind + 1) * size] += sums
    posts = [b.post for b in bundles] or [np.zeros(0, np.int64)]
    degree = np.bincount(np.concatenate(posts), minlength=item.group.size)
    return Incoming(bundles, kinds, units, scales, int(totals.max(initial=0)), degree)


def _note(item: GroupPlan, port: str, scale: Scale, weights: Any, app: App, log: Log) -> None:
    """What rounding weights to units costs."""
    name = item.group.name
    if scale.zeros and port in app.flagged:
        raise refuse("T313", f"{scale.zeros} weights at '{port}' of '{name}' would be rounded to 0")
    if scale.worst > 0:
        top = float(weights.max())
        message = (
            f"weights at '{port}' of '{name}' are rounded to {app.word.weight} bits: error at most "
            f"{scale.worst / top:.2g}, rms {scale.rms / top:.2g} of the largest weight ({top:.4g})"
        )
        if scale.zeros:
            message += f"; {scale.zeros} become 0"
        log.add("T203", Level.APPROXIMATED, message)


def spread(partition: Partition, plan: Plan, network: Network, sizes: dict[int, int]) -> None:
    """Slices of at most `sizes[group]` neurons, PE numbers and blocks of keys."""
    partition.slices, partition.keys, partition.blocks = [], {}, []
    partition.by_group = {item.group.name: [] for item in plan.groups}
    key = 0
    for item in plan.groups:
        if not network.is_placed(item.group.name):
            continue
        size = item.group.size
        count = -(-size // sizes[item.number])
        edges = np.linspace(0, size, count + 1).round().astype(int)
        ports = [port.name for port in item.group.component.event_outputs]
        if len(ports) == 1 and _reaches_most(partition, network, item, sizes):
            key = _dense_keys(partition, item, edges, ports[0], key)
            continue
        own = np.zeros((len(ports), item.group.size), np.int64)
        for first, last in pairwise(edges):
            key = _aligned(key, len(ports) * sizes[item.number])
            part = Slice(len(partition.slices), item, int(first), int(last), key)
            partition.slices.append(part)
            partition.by_group[item.group.name].append(part)
            width = bits(max(1, len(ports) * part.size))
            partition.blocks.append((key, width))
            for k in range(len(ports)):
                own[k, first:last] = key + k * part.size + np.arange(part.size)
            key += 1 << width
        for k, port in enumerate(ports):
            partition.keys[item.group.name, port] = own[k]
    _list_keys(partition, network, key)


def _reaches_most(
    partition: Partition, network: Network, item: GroupPlan, sizes: dict[int, int]
) -> bool:
    """True if a neuron's targets lie on more than half of the PEs that could hold some; by a sample."""
    name, size = item.group.name, item.group.size
    bundles = [b for b in network.bundles if b.source == name]
    # a synapse with states of its own stands beside its neuron
    ends = [(b.target, b.post, b.pre) for b in bundles if b.target not in network.attached]
    for b in (b for b in bundles if b.target in network.attached):
        beside = network.attached[b.target]
        ends.append((beside.host, beside.place[b.post], b.pre))
    targets = {target for target, _, _ in ends}
    groups = [g for app in partition.apps for g in app.groups if g.group.name in targets]
    counts = {g.group.name: -(-g.group.size // sizes[g.number]) for g in groups}
    sizes_of = {g.group.name: g.group.size for g in groups}
    pes = sum(counts.values())
    if pes < 2 or sum(len(b.pre) for b in bundles) < 0.5 * pes * size:
        return False
    sample = np.zeros(size, bool)
    sample[np.linspace(0, size - 1, SAMPLE).astype(int)] = True
    found = [np.zeros(0, np.int64)]
    for number, target in enumerate(sorted(targets)):
        for _, post, pre in (end for end in ends if end[0] == target):
            chosen = sample[pre]
            place = post[chosen] * counts[target] // sizes_of[target]
            found.append((number << 24 | place) << 32 | pre[chosen])
    reached = len(np.unique(np.concatenate(found)))
    return bool(reached > 0.5 * pes * np.count_nonzero(sample))


def _dense_keys(partition: Partition, item: GroupPlan, edges: Any, port: str, key: int) -> int:
    """Consecutive keys for a whole group, in blocks that slices share; returns the next free key."""
    name, size = item.group.name, item.group.size
    width = min(bits(size), bits(LIST_BLOCK))
    base = _aligned(key, 1 << width)
    for first, last in pairwise(edges):
        number = len(partition.slices)
        part = Slice(number, item, int(first), int(last), base + int(first))
        partition.slices.append(part)
        partition.by_group[name].append(part)
    blocks = range(base, base + size, 1 << width)
    partition.blocks += [(first, width) for first in blocks]
    partition.keys[name, port] = base + np.arange(size)
    return blocks[-1] + (1 << width)


def _aligned(key: int, size: int) -> int:
    """The next key at which a block of `size` may start."""
    block = 1 << bits(max(1, size))
    return -(-key // block) * block


def _list_keys(partition: Partition, network: Network, key: int) -> None:
    """Keys of the host's lists, in blocks that several groups share."""
    key, used = _aligned(key, LIST_BLOCK), 0
    for item in network.lists:
        for port in item.group.component.event_outputs:
            size = item.group.size
            keys = key + used + np.arange(size)
            used += size
            partition.keys[item.group.name, port.name] = keys
    for first in range(0, used, LIST_BLOCK):
        partition.blocks.append((key + first, bits(LIST_BLOCK)))
