"""Analog sources beside their targets: current generators are copied to every PE whose neurons they feed.

A source may be copied if nothing feeds it: all copies then do the same. Where it draws random numbers,
each instance has a generator of its own, which all its copies carry.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...canonical_model.circuit import AnalogLink, Circuit, Probe
from ...canonical_model.expr import is_random
from ...canonical_model.model import Component, DerivedVariable
from ...canonical_model.passes.change import all_expressions
from ...canonical_model.query import regimes
from ...canonical_model.units import UnitSystem
from .c_printer import identifier, literal
from .data import Region, chosen_values
from .network_text import ticks_of
from .plan import GroupPlan, ModelPlan, Plan

SOURCE_SPREAD, INSTANCE_SPREAD = 0x9E3779B1, 0x85EBCA77  # odd: seeds of all sources differ


@dataclass(slots=True)
class Feed:
    """A source group and what its quantities feed in a program: (input, variable) pairs."""

    source: GroupPlan
    inputs: list[tuple[str, str]]

    @property
    def row(self) -> int:
        """Words in the table of feeds."""
        return 4 + 2 * len(self.inputs) + int(self.draws)

    @property
    def draws(self) -> bool:
        """True if the source draws random numbers."""
        return any(is_random(expr) for expr in all_expressions(self.source.model.component))


def copied_sources(circuit: Circuit) -> tuple[frozenset[str], tuple[str, ...]]:
    """Groups that can be copied to where they are needed, and reasons for the links that cannot."""
    fed = {link.target for link in circuit.analog_links}
    busy = {link.target for link in circuit.event_links}
    busy |= {link.source for link in circuit.event_links}
    busy |= {probe.group for probe in circuit.event_probes}
    busy |= {train.group for train in circuit.trains}
    sources, reasons = set(), []
    for link in circuit.analog_links:
        name = link.source
        component = circuit.group(name).component
        if name in fed:
            reasons.append(f"'{name}' feeds '{link.target}' and is fed itself")
        elif name in busy:
            reasons.append(f"'{name}' feeds '{link.target}' and takes part in events")
        elif any(is_random(item.value) for item in _derived(component)):
            reasons.append(f"'{name}' feeds '{link.target}' with a number drawn at each reading")
        else:
            sources.add(name)
    watched = {probe.group for probe in circuit.probes}
    for group in circuit.groups:
        if group.host and group.name not in sources and group.name not in fed | busy | watched:
            continue
        if group.host and group.name not in sources:
            reasons.append(f"'{group.name}' is attached to '{group.host}' and could not be fused")
    return frozenset(sources), tuple(reasons)


def _derived(component: Component) -> list[DerivedVariable]:
    found = [*component.derived_variables]
    for regime in regimes(component):
        found += regime.derived_variables
    return found


def find_feeds(plan: Plan, targets: set[str], links: tuple[AnalogLink, ...]) -> list[Feed]:
    """The sources of a program, by source group."""
    found: dict[str, Feed] = {}
    for link in links:
        if link.target not in targets:
            continue
        source = next(item for item in plan.groups if item.group.name == link.source)
        feed = found.setdefault(link.source, Feed(source, []))
        if (link.input, link.variable) not in feed.inputs:
            feed.inputs.append((link.input, link.variable))
    return list(found.values())


def watched_quantities(feeds: list[Feed], probes: tuple[Probe, ...]) -> list[tuple[int, str]]:
    """(feed, quantity) of everything that is recorded of the sources themselves."""
    return list(
        dict.fromkeys(
            (number, probe.variable)
            for number, feed in enumerate(feeds)
            for probe in probes
            if probe.group == feed.source.group.name
        )
    )


def copies(feed: Feed, group: str, start: int, stop: int, links: tuple[AnalogLink, ...]) -> Any:
    """Instances of a source that feed the neurons start to stop of a group."""
    used = [
        link.pre[(link.post >= start) & (link.post < stop)]
        for link in links
        if link.source == feed.source.group.name and link.target == group
    ]
    return np.unique(np.concatenate([np.zeros(0, np.int64), *used]))


def feed_data(
    feeds: list[Feed],
    inputs: int,
    group: str,
    bounds: tuple[int, int],
    links: tuple[AnalogLink, ...],
    base: int,
    seed: int,
) -> tuple[bytes, int, int]:
    """Inputs, copies and connections of a PE; offsets of the inputs and of the table of feeds.

    The table has, per feed, the number of copies and offsets of shared, own and state values, per input
    offsets of the connections' starts and sources, and where it draws that of its random generators; all
    offsets count from the region's start, `base` before.
    """
    start, stop = bounds
    region = Region()
    input_at = base + region.add(b"\0" * (4 * max(1, inputs) * (stop - start)))
    words: list[int] = []
    for feed in feeds:
        used = copies(feed, group, start, stop, links)
        places, data = chosen_values(feed.source, used)
        at = base + region.add(data)
        words += [len(used), *(at + place for place in places)]
        for name, variable in feed.inputs:
            pre, post = _between(feed, (name, variable), group, bounds, links)
            order = np.argsort(post, kind="stable")
            starts = np.searchsorted(post[order], np.arange(stop - start + 1))
            words.append(base + region.array(starts, "<u2"))
            words.append(base + region.array(np.searchsorted(used, pre[order]), "<u2"))
        if feed.draws:
            # the same on all PEs: it depends on the source only
            own = [
                seed + SOURCE_SPREAD * (feed.source.number + 1) + INSTANCE_SPREAD * int(k)
                for k in used
            ]
            words.append(base + region.array([generator(value) for value in own], "<u4"))
    table = base + region.add(struct.pack(f"<{len(words)}I", *words))
    return bytes(region.data), input_at, table


def _between(
    feed: Feed,
    what: tuple[str, str],
    group: str,
    bounds: tuple[int, int],
    links: tuple[AnalogLink, ...],
) -> tuple[Any, Any]:
    """Source instances and local neurons of all connections of one kind."""
    pre, post = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for link in links:
        same = (link.source, link.target) == (feed.source.group.name, group)
        if same and (link.input, link.variable) == what:
            here = (link.post >= bounds[0]) & (link.post < bounds[1])
            pre.append(link.pre[here])
            post.append(link.post[here] - bounds[0])
    return np.concatenate(pre), np.concatenate(post)


def watched_cases(feeds: list[Feed], watched: list[tuple[int, str]], first: int) -> list[str]:
    """Cases of `read` for recorded quantities of sources, numbered from `first`."""
    lines = []
    for number, (k, variable) in enumerate(watched, first):
        at = sum(feed.row for feed in feeds[:k])
        m = feeds[k].source.model
        lines += [
            f"case {number}u:",
            f"    return {m.name}_get_{m.fields[variable]}(",
            f"        ({m.name}_state_t *)pe_value(pe, pe->feeds[{at + 3}]) + index,",
            f"        (const {m.name}_params_t *)pe_value(pe, pe->feeds[{at + 2}]) + index,",
            f"        pe_value(pe, pe->feeds[{at + 1}]), &input_{k}, t_end);",
        ]
    return lines


def timed_lists(model: ModelPlan, step: float, name: str) -> list[str]:
    """The ticks of a model's lists of times, as constants of the program."""
    lines = []
    for k, timed in enumerate(model.component.timed_events):
        ticks = np.sort(np.maximum(ticks_of(timed.times, step), 1)).tolist()
        values = ", ".join(f"{tick}u" for tick in ticks or [0])
        lines.append(f"static const uint32_t {name}_{k}[] = {{ {values} }};\n")
    return lines


def feed_code(
    target: ModelPlan,
    feeds: list[Feed],
    defaults: dict[str, str],
    units: UnitSystem,
    step: float,
    more: Sequence[str] = (),
) -> list[str]:
    """C of a program's sources: `gather` before each tick (with `more` at its end), `advance` after it."""
    name = target.name
    sums = {item.name for item in target.component.analog_inputs if item.reduce}
    lines = [f"static const {f.source.model.name}_input_t input_{k} = {{ {_held(f, units)} }};"
             for k, f in enumerate(feeds)]  # fmt: skip
    for k, feed in enumerate(feeds):
        lines += timed_lists(feed.source.model, step, f"feed_{k}_times")
    lines += ["", "static void gather(pe_t *pe)", "{"]
    lines += [
        f"    {name}_input_t *const in = pe->input;",
        "    const float t = (float)pe->tick * pe->h;",
        *(["    const uint32_t *table = pe->feeds;"] if feeds else []),
        "    (void)t;",
        "    for (uint32_t i = 0u; i < pe->size; i++) {",
        *(f"        in[i].{field} = {value};" for field, value in defaults.items()),
        "    }",
    ]
    for k, feed in enumerate(feeds):
        m = feed.source.model
        lines += _pointers(k, feed)
        for position, (name_in, variable) in enumerate(feed.inputs):
            sign = "+=" if name_in in sums else "="
            at = 4 + 2 * position
            lines += [
                "        {",
                f"            const uint16_t *const start = pe_value(pe, table[{at}]);",
                f"            const uint16_t *const from = pe_value(pe, table[{at + 1}]);",
                "            for (uint32_t i = 0u; i < pe->size; i++)",
                "                for (uint32_t c = start[i]; c < start[i + 1u]; c++)",
                f"                    in[i].{target.fields[name_in]} {sign}",
                f"                        {m.name}_get_{m.fields[variable]}(",
                f"                            s + from[c], p + from[c], q, &input_{k}, t);",
                "        }",
            ]
        lines += [f"        table += {feed.row};", "    }"]
    lines += [*more, "}", ""]
    if not feeds:
        return lines
    lines += ["static void advance(pe_t *pe)", "{"]
    lines += [
        "    const float h = pe->h, t = (float)pe->tick * h, t_end = (float)(pe->tick + 1u) * h;",
        "    const uint32_t *table = pe->feeds;",
        "    (void)t;",
        "    (void)t_end;",
    ]
    for k, feed in enumerate(feeds):
        lines += _pointers(k, feed)
        if feed.draws:
            lines += [f"        rt_random_t *random = pe_value(pe, table[{feed.row - 1}]);"]
        lines += ["        for (uint32_t i = 0u; i < table[0]; i++, s++, p++) {"]
        if feed.draws:
            lines += ["            rt_use(random++);"]
        lines += [f"            {line}" for line in _steps(k, feed)]
        lines += ["        }", *(["        rt_use(&pe->random);"] if feed.draws else [])]
        lines += [f"        table += {feed.row};", "    }"]
    return [*lines, "}", ""]


def generator(seed: int) -> tuple[int, int, int, int]:
    """The state of runtime/random.c's generator after rt_seed(seed)."""
    bits = 0xFFFFFFFF
    x, y, z, c = (
        123456789 ^ (seed & bits),
        (987654321 + seed) & bits,
        43219876 ^ (seed << 7 & bits),
        6543217,
    )
    y = y or 1
    for _ in range(16):
        x = (314527869 * x + 1234567) & bits
        y ^= y << 5 & bits
        y ^= y >> 7
        y ^= y << 22 & bits
        product = 4294584393 * z + c
        c, z = product >> 32 & bits, product & bits
    return x, y, z, c


def _held(feed: Feed, units: UnitSystem) -> str:
    """Sources have no sources: their inputs stay at the default."""
    inputs = feed.source.model.component.analog_inputs
    return ", ".join([literal(i.default / units.size(i.dimension)) for i in inputs] or ["0u"])


def _pointers(k: int, feed: Feed) -> list[str]:
    m = feed.source.model.name
    return [
        f"    {{ /* {identifier(feed.source.group.name)} */",
        f"        const {m}_shared_t *const q = pe_value(pe, table[1]);",
        f"        const {m}_params_t *p = pe_value(pe, table[2]);",
        f"        {m}_state_t *s = pe_value(pe, table[3]);",
        f"        (void)q, (void)p, (void)s, (void)input_{k};",
    ]


def _steps(k: int, feed: Feed) -> list[str]:
    """One tick of one copy; whatever it would send reaches nobody."""
    model = feed.source.model
    m, component = model.name, model.component
    end = f"(s, p, q, &input_{k}, t_end)"
    lines = []
    if any(program.commits for _, program in model.update.programs):
        lines.append(f"{m}_step(s, p, q, &input_{k}, t, h);")
    if component.update is not None:
        lines.append(f"(void){m}_update(s, p, q, &input_{k}, t_end, h);")
    if component.on_conditions or any(r.on_conditions for r in regimes(component)):
        lines.append(f"(void){m}_conditions{end};")
    for n, _ in enumerate(component.timed_events):
        times = f"feed_{k}_times_{n}"
        lines += [
            f"for (uint32_t due = pe_due(pe, {times}, sizeof {times} / sizeof {times}[0]); due; due--)",
            f"    (void){m}_timed_{n}{end};",
        ]
    return lines or ["(void)s;"]
