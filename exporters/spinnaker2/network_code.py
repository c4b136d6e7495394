"""The C code of the whole network: groups, gathering of inputs, delivery of events, recording."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...canonical_model.circuit import AnalogLink, EventLink, Probe
from ...canonical_model.diagnostics import Level, Log, error
from ...canonical_model.expr import free_names
from ...canonical_model.query import regimes
from ...solvers.graph import topological
from .c_printer import identifier, literal
from .data import Image
from .known_code import skips, timed, trains
from .network_text import c_function, each_of, model_call, ticks_of
from .plan import GroupPlan, Plan

MAX_QUEUE = 1024
MAX_ROUNDS = 1000


@dataclass(slots=True)
class NetworkCode:
    """Text of network.c under construction, and the numbers of recorded ports."""

    plan: Plan
    image: Image
    log: Log
    declarations: list[str] = field(default_factory=list)
    setup: list[str] = field(default_factory=list)
    gather: list[str] = field(default_factory=list)
    deliver: list[tuple[int, list[str]]] = field(default_factory=list)  # by delay in ticks
    sends: dict[tuple[int, str], list[str]] = field(default_factory=dict)
    ports: dict[tuple[int, str], int] = field(default_factory=dict)
    queues: list[tuple[int, int]] = field(default_factory=list)  # link and delay in ticks

    def group(self, name: str) -> GroupPlan:
        """A group by name."""
        return next(item for item in self.plan.groups if item.group.name == name)

    def rows(self, name: str, values: Any, dtype: str, c_type: str) -> None:
        """An array in the SYN_ROW region with a pointer to it."""
        offset = self.image.regions["SYN_ROW"].array(values, dtype)
        self.declarations.append(f"static const {c_type} *{name};")
        self.setup.append(f"{name} = rt_region(REGION_SYN_ROW, {offset}u);")


def network_source(plan: Plan, image: Image, log: Log, head: str) -> tuple[str, NetworkCode]:
    """network.c, with the connection rows added to the image."""
    code = NetworkCode(plan, image, log)
    for probe in plan.circuit.event_probes:
        key = (code.group(probe.group).number, probe.variable)
        code.ports.setdefault(key, len(code.ports))
    for item in plan.groups:
        _declare(code, item)
    _inputs(code)
    for number, link in enumerate(plan.circuit.event_links):
        _event_link(code, number, link)
    tick = _tick(code)
    known = trains(code)
    includes = "\n".join(f'#include "models/{model.name}.h"' for model in plan.models)
    parts = [
        head,
        f'#include "memory.h"\n#include "runtime.h"\n{includes}\n',
        "static float h;",
        *code.declarations,
        "",
        *(_send(code, item) for item in plan.groups),
        *([known] if known else []),
        _queues(code),
        c_function("static void deliver(float t)", _delivery(code)),
        c_function("static void gather(float t)", ["(void)t;", *code.gather]),
        c_function("void network_init(void)", _init(code)),
        c_function("void network_tick(void)", tick),
        c_function("void network_record(void)", _record(code)),
    ]
    return "\n".join(parts), code


def _queues(code: NetworkCode) -> str:
    """The queues by number."""
    labels: list[str] = []
    seen: dict[int, int] = {}
    for link, _ in code.queues:
        position = seen[link] = seen.get(link, -1) + 1
        labels.append(f"&e{link}_{position}")
    names = ", ".join(labels or ["(rt_queue_t *)0"])
    return (
        f"rt_queue_t *const network_queues[] = {{ {names} }};\n"
        f"const uint32_t network_n_queues = {len(labels)}u;\n"
    )


def _declare(code: NetworkCode, item: GroupPlan) -> None:
    """Pointers to a group's data."""
    g, m, size = item.number, item.model.name, item.group.size
    shared, own, state = code.image.groups[g]
    region = "REGION_NEURONS_PARAMS"
    code.declarations += [
        f"/* {identifier(item.group.name)}: {size} of {m} */",
        f"enum {{ g{g}_size = {size} }};",
        f"static const {m}_shared_t *g{g}_shared;",
        f"static const {m}_params_t *g{g}_params;",
        f"static {m}_state_t *g{g}_state;",
        f"static {m}_input_t g{g}_input[{size}];",
    ]
    code.setup += [
        f"g{g}_shared = rt_region({region}, {shared}u);",
        f"g{g}_params = rt_region({region}, {own}u);",
        f"g{g}_state = rt_region({region}, {state}u);",
    ]


def _inputs(code: NetworkCode) -> None:
    """Gathering in order: an input comes after the inputs that its sources depend on."""
    plan = code.plan
    links: dict[tuple[int, str], list[tuple[GroupPlan, AnalogLink]]] = {}
    for link in plan.circuit.analog_links:
        target = code.group(link.target)
        links.setdefault((target.number, link.input), []).append((code.group(link.source), link))
    nodes = {
        f"{item.number}:{i.name}": (item, i)
        for item in plan.groups
        for i in item.group.component.analog_inputs
    }
    graph = {
        key: {
            f"{source.number}:{name}"
            for source, link in links.get((item.number, i.name), ())
            for name in _inputs_of(source, link.variable)
        }
        for key, (item, i) in nodes.items()
    }
    order, circle = topological(graph)
    if circle:
        raise error("S310", f"these inputs depend on each other: {', '.join(circle)}")
    for key in order:
        item, declared = nodes[key]
        own = links.get((item.number, declared.name), [])
        default = declared.default / plan.units.size(declared.dimension)
        _input(code, item, declared.name, default, bool(declared.reduce), own)


def _inputs_of(item: GroupPlan, variable: str) -> set[str]:
    """The inputs of a group that one of its quantities depends on."""
    component = item.group.component
    inputs = {i.name for i in component.analog_inputs}
    values: dict[str, list[Any]] = {}
    for derived in component.derived_variables:
        values.setdefault(derived.name, []).append(derived.value)
    for regime in regimes(component):
        for derived in regime.derived_variables:
            values.setdefault(derived.name, []).append(derived.value)
    found: set[str] = set()
    stack, seen = [variable], {variable}
    while stack:
        name = stack.pop()
        if name in inputs:
            found.add(name)
        for value in values.get(name, ()):
            fresh = free_names(value) - seen
            seen |= fresh
            stack.extend(fresh)
    return found


def _input(
    code: NetworkCode,
    item: GroupPlan,
    name: str,
    default: float,
    is_sum: bool,
    links: list[tuple[GroupPlan, AnalogLink]],
) -> None:
    """Code that fills one input of all instances of a group."""
    g, c_name = item.number, item.model.fields[name]
    loop = f"for (uint32_t i = 0u; i < g{g}_size; i++)"
    first = True
    for source, link in links:
        value = f"get_{source.model.fields[link.variable]}"
        plain = _is_identity(link, source.group.size, item.group.size)
        if first and not (plain and len(link.pre) == item.group.size):
            code.gather += [loop, f"    g{g}_input[i].{c_name} = {literal(default)};"]
        sign = "+=" if is_sum and not (first and plain) else "="
        if plain:
            code.gather += [
                loop,
                f"    g{g}_input[i].{c_name} {sign} {model_call(source, value, 'i')};",
            ]
        else:
            number = len(code.declarations)
            code.rows(f"a{number}_pre", link.pre, "<u2", "uint16_t")
            code.rows(f"a{number}_post", link.post, "<u2", "uint16_t")
            call = model_call(source, value, f"a{number}_pre[k]")
            code.gather += [
                f"for (uint32_t k = 0u; k < {len(link.pre)}u; k++)",
                f"    g{g}_input[a{number}_post[k]].{c_name} {sign} {call};",
            ]
        first = False
    if not links:
        code.gather += [loop, f"    g{g}_input[i].{c_name} = {literal(default)};"]


def _is_identity(link: AnalogLink, source: int, target: int) -> bool:
    everyone = np.arange(target)
    same = source == target == len(link.pre)
    return bool(same and np.array_equal(link.pre, everyone) and np.array_equal(link.post, everyone))


def _event_link(code: NetworkCode, number: int, link: EventLink) -> None:
    """One queue and one table of rows for each distinct delay of a link."""
    source, target = code.group(link.source), code.group(link.target)
    count = len(link.pre)
    delay = np.zeros(count) if link.delay is None else np.asarray(link.delay, dtype=float)
    ticks = ticks_of(delay, code.plan.step)
    _note_rounding(code, link, delay, ticks)
    if target.group.component.update is not None:
        # what is due at the end of a step takes part in it where a component says what its step does
        ticks = np.maximum(ticks - 1, 0)
    for position, wait in enumerate(np.unique(ticks)):
        chosen = ticks == wait
        order = np.argsort(link.pre[chosen], kind="stable")
        pre, post = link.pre[chosen][order], link.post[chosen][order]
        label = f"e{number}_{position}"
        code.queues.append((number, int(wait)))
        size = source.group.size
        code.rows(f"{label}_start", np.searchsorted(pre, np.arange(size + 1)), "<u4", "uint32_t")
        code.rows(f"{label}_post", post, "<u2", "uint16_t")
        weight = "1.0f"
        if link.weight is not None and np.any(link.weight != 1.0):
            code.rows(f"{label}_weight", link.weight[chosen][order], "<f4", "float")
            weight = f"{label}_weight[k]"
        if link.factor:
            variable = source.model.fields[link.factor]
            weight = f"{weight} * {model_call(source, f'get_{variable}', 'source')}"
        senders = len(np.unique(pre))
        capacity = max(4, min(MAX_QUEUE, senders * (int(wait) + 2)))
        code.declarations += [
            f"static rt_event_t {label}_slots[{capacity}];",
            f"static rt_queue_t {label} = {{ {label}_slots, {capacity}u, 0u, 0u }};",
        ]
        port = identifier(link.target_port)
        g = target.number
        call = model_call(target, f"on_{port}", "i", f", {weight}")
        lines = [
            f"while (rt_pop(&{label}, rt_tick, &source)) {{",
            "    busy = true;",
            f"    for (uint32_t k = {label}_start[source]; k < {label}_start[source + 1u]; k++) {{",
            f"        const uint32_t i = {label}_post[k];",
            f"        g{g}_send({call}, i);",
            "    }",
            "}",
        ]
        code.deliver.append((int(wait), lines))
        key = (source.number, link.source_port)
        code.sends.setdefault(key, []).append(f"rt_push(&{label}, rt_tick + {int(wait)}u, i);")


def _note_rounding(code: NetworkCode, link: EventLink, delay: Any, ticks: Any) -> None:
    """Delays off the grid are rounded up: a loss that the report states with its bound."""
    late = ticks * code.plan.step - delay
    worst = float(np.max(late, initial=0.0))
    if worst > 1e-6 * code.plan.step:
        message = (
            f"delays from '{link.source}' to '{link.target}' are rounded up to whole steps, "
            f"by up to {worst * 1e3:.3g} ms"
        )
        code.log.add("T202", Level.APPROXIMATED, message)


def _send(code: NetworkCode, item: GroupPlan) -> str:
    """Record the events that an instance sends and put them under way."""
    g = item.number
    lines = ["(void)i;", "(void)events;"]
    for bit, port in enumerate(item.group.component.event_outputs):
        key = (g, port.name)
        inner = list(code.sends.get(key, ()))
        if key in code.ports:
            inner.insert(0, f"rt_record_event({code.ports[key]}u, i);")
        if inner:
            width = item.model.count_bits
            head = f"if (events & {1 << bit}u) {{"
            if item.model.repeats:
                most = (1 << width) - 1
                head = f"for (uint32_t n = events >> {bit * width} & {most}u; n; n--) {{"
            lines.append(f"{head} /* {identifier(port.name)} */")
            lines += [f"    {line}" for line in inner]
            lines.append("}")
    return c_function(f"static inline void g{g}_send(uint32_t events, uint32_t i)", lines)


def _delivery(code: NetworkCode) -> list[str]:
    if not code.deliver:
        return ["(void)t;"]
    # what has no delay was there before what arrives now; of the rest, first what was sent first
    order = sorted(code.deliver, key=lambda item: (item[0] > 0, -item[0]))
    return [
        "uint32_t source;",
        "bool busy = true;",
        f"for (int round = 0; busy && round < {MAX_ROUNDS}; round++) {{",
        "    busy = false;",
        *(f"    {line}" for _, lines in order for line in lines),
        "}",
        "(void)t;",
    ]


def _init(code: NetworkCode) -> list[str]:
    lines = ["const uint32_t *global = rt_region(REGION_GLOBAL_PARAMS, 0u);"]
    lines += ["const union { uint32_t u; float f; } step = { .u = global[2] };", "h = step.f;"]
    known = ["send_known();"] if code.plan.circuit.trains else []
    return [*lines, *code.setup, *skips(code), "gather((float)rt_tick * h);", *known]


def _tick(code: NetworkCode) -> list[str]:
    """One step in the order of the grid semantics: deliver, gather, integrate, conditions."""
    lines = ["float t = (float)rt_tick * h;", "deliver(t);", "gather(t);"]
    for item in code.plan.groups:
        if any(program.commits for _, program in item.model.update.programs):
            lines += [each_of(item), f"    {model_call(item, 'step', 'i', ', h')};"]
    lines += ["rt_tick++;", "t = (float)rt_tick * h;", "(void)t;"]
    for item in code.plan.groups:
        if item.group.component.update is not None:
            call = model_call(item, "update", "i", ", h")
            lines += [each_of(item), f"    g{item.number}_send({call}, i);"]
    for item in code.plan.groups:
        component = item.group.component
        if component.on_conditions or any(r.on_conditions for r in regimes(component)):
            lines += [
                each_of(item),
                f"    g{item.number}_send({model_call(item, 'conditions', 'i')}, i);",
            ]
    for item in code.plan.groups:
        for k, entry in enumerate(item.group.component.timed_events):
            lines += timed(code, item, k, entry.times)
    if code.plan.circuit.trains:
        lines.append("send_known();")
    return lines


def _record(code: NetworkCode) -> list[str]:
    lines = ["const float t = (float)rt_tick * h;", "(void)t;"]
    for probe in code.plan.circuit.probes:
        lines.append(f"rt_record_value({_probe(code, probe)});")
    return lines


def _probe(code: NetworkCode, probe: Probe) -> str:
    item = code.group(probe.group)
    return model_call(item, f"get_{item.model.fields[probe.variable]}", f"{probe.index}u")
