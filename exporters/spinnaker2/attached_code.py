"""C of a program's synapses with states: what events do to them, their step, what they tell the neuron."""

from __future__ import annotations

from ...canonical_model.query import regimes
from .attached import AttachedGroup, Send, target_ports
from .c_printer import identifier, literal
from .cost import body_cost
from .feeds import timed_lists
from .partition import App
from .plan import ModelPlan, Plan
from .text_blocks import indented


def is_analog(app: App) -> bool:
    """True if attached groups feed their neurons or read them: inputs are gathered anew in each tick."""
    return any(g.attachment.reads or g.attachment.feeds for g in app.attached)


def kinds_of(app: App) -> list[AttachedGroup]:
    """One group of each kind, by number."""
    return list({group.kind: group for group in reversed(app.attached)}.values())[::-1]


def attached_code(app: App, plan: Plan) -> list[str]:
    """Functions of all kinds, and those that hand runs and steps to them."""
    lines: list[str] = []
    for group in sorted(kinds_of(app), key=lambda g: g.kind):
        lines += _kind(app, group, plan)
    return [*lines, *_act(app), *_advance(app)]


def _pointers(group: AttachedGroup) -> list[str]:
    m = group.item.model.name
    own = bool(group.attachment.reads)
    held = "pe_value(pe, b->input)" if own else f"&held_{group.kind}"
    return [
        f"{m}_state_t *const s = pe_value(pe, b->state);",
        f"const {m}_params_t *const p = pe_value(pe, b->own);",
        f"const {m}_shared_t *const q = pe_value(pe, b->shared);",
        f"const {m}_input_t *const in = {held};",
    ]


def _arguments(group: AttachedGroup, time: str) -> str:
    place = "in + i" if group.attachment.reads else "in"
    return f"s + i, p + i, q, {place}, {time}"


def _kind(app: App, group: AttachedGroup, plan: Plan) -> list[str]:
    """Inputs without a source, sending, events by link, and the step of one kind."""
    model, k = group.item.model, group.kind
    m = model.name
    defaults = [literal(i.default / plan.units.size(i.dimension))
                for i in model.component.analog_inputs]  # fmt: skip
    lines = []
    if not group.attachment.reads:
        lines.append(
            f"static const {m}_input_t held_{k} = {{ {', '.join(defaults or ['0u'])} }};\n"
        )
    lines += timed_lists(model, plan.step, f"attached_{k}_times")
    lines += _send(app, group)
    for rank, bundle in enumerate(group.bundles):
        call = (
            f"{m}_on_{identifier(bundle.port)}({_arguments(group, 't')}, weight ? weight[k] : 1.0f)"
        )
        head = (
            f"static void attached_{k}_heard_{rank}(pe_t *pe, const attached_t *b, const uint16_t *index,\n"
            "    const float *weight, uint32_t n, float t)"
        )
        lines += [
            head,
            "{",
            *indented(_pointers(group)),
            "    for (uint32_t k = 0u; k < n; k++) {",
            "        const uint32_t i = index[k];",
            f"        attached_{k}_send(pe, b, i, {call}, t);",
            "    }",
            "}",
            "",
        ]
    return lines + _step(group)


def _send(app: App, group: AttachedGroup) -> list[str]:
    """Events of an instance go into the sums of its neuron, which the next reading takes."""
    k, ports = group.kind, target_ports(app.attached)
    lines = [
        f"static inline void attached_{k}_send(pe_t *pe, const attached_t *b, uint32_t i,",
        "    uint32_t events, float t)",
        "{",
        "    if (!events)",
        "        return;",
        "    float *const sums = (float *)pe_value(pe, attached_table(pe)->sums)",
        f"        + {len(ports)}u * ((const uint16_t *)pe_value(pe, b->neuron))[i];",
        "    const float *const weights = b->weights ? pe_value(pe, b->weights) : (const float *)0;",
        *indented(_pointers(group)),
        "    (void)s, (void)p, (void)q, (void)in, (void)t, (void)sums, (void)weights;",
    ]
    for number, send in enumerate(group.attachment.sends):
        lines += [
            f"    {line}" for line in _sum(group, number, send, ports.index(send.target_port))
        ]
    return [*lines, "}", ""]


def _sum(group: AttachedGroup, number: int, send: Send, port: int) -> list[str]:
    model = group.item.model
    bit = [p.name for p in model.component.event_outputs].index(send.port)
    value = f"(weights ? weights[{number}u * b->count + i] : 1.0f)"
    if send.factor:
        getter = f"{model.name}_get_{model.fields[send.factor]}({_arguments(group, 't')})"
        value = f"{value} * {getter}"
    if not model.repeats:
        return [f"if (events & {1 << bit}u)", f"    sums[{port}] += {value};"]
    width = model.count_bits
    count = f"(events >> {bit * width} & {(1 << width) - 1}u)"
    return [f"sums[{port}] += (float){count} * {value};"]


def _step(group: AttachedGroup) -> list[str]:
    """One tick of all instances of a block; nothing where they only act on events."""
    model, k = group.item.model, group.kind
    m, component = model.name, model.component
    end = f"({_arguments(group, 't_end')})"
    body = []
    if any(program.commits for _, program in model.update.programs):
        body.append(f"{m}_step({_arguments(group, 't')}, h);")
    if component.update is not None:
        call = f"{m}_update({_arguments(group, 't_end')}, h)"
        body.append(f"attached_{k}_send(pe, b, i, {call}, t_end);")
    if component.on_conditions or any(r.on_conditions for r in regimes(component)):
        body.append(f"attached_{k}_send(pe, b, i, {m}_conditions{end}, t_end);")
    for n, _ in enumerate(component.timed_events):
        times = f"attached_{k}_times_{n}"
        body += [
            f"for (uint32_t due = pe_due(pe, {times}, sizeof {times} / sizeof {times}[0]); due; due--)",
            f"    attached_{k}_send(pe, b, i, {m}_timed_{n}{end}, t_end);",
        ]
    if not body:
        return []
    return [
        f"static void attached_{k}_step(pe_t *pe, const attached_t *b, float t, float t_end)",
        "{",
        *indented(_pointers(group)),
        "    const float h = pe->h;",
        "    (void)h, (void)t, (void)t_end;",
        "    for (uint32_t i = 0u; i < b->count; i++) {",
        *indented(body, 2),
        "    }",
        "}",
        "",
    ]


def _act(app: App) -> list[str]:
    lines = [
        "static void attached_act(pe_t *pe, const attached_table_t *table, const uint32_t *run)",
        "{",
        "    const uint32_t code = attached_codes(pe, table)[*run & 0xFFu], n = *run >> 21;",
        "    const attached_t *const b = &table->groups[code >> 16];",
        "    const uint16_t *const index = (const uint16_t *)(run + 1);",
        "    const float *const weight = code & RUN_WEIGHTED",
        "        ? (const float *)(const void *)(run + 1u + (n + 1u) / 2u) : (const float *)0;",
        "    const float t = (float)pe->tick * pe->h;",
        "    pe->synapses += n;",
        "    switch (b->kind << 8 | (code & 0xFFu)) {",
    ]
    for group in sorted(kinds_of(app), key=lambda g: g.kind):
        for rank, bundle in enumerate(group.bundles):
            cycles = round(body_cost(group.item.model, bundle.port).cycles)
            lines += [
                f"    case {group.kind << 8 | rank}u:",
                f"        pe->tick_cycles += {cycles}u * n;",
                f"        attached_{group.kind}_heard_{rank}(pe, b, index, weight, n, t);",
                "        break;",
            ]
    return [*lines, "    default:", "        break;", "    }", "}", ""]


def _advance(app: App) -> list[str]:
    """The step of all attached groups, after the neurons' own."""
    lines = [
        "static void attached_advance(pe_t *pe)",
        "{",
        "    const attached_table_t *const table = attached_table(pe);",
        "    const float t = (float)pe->tick * pe->h, t_end = (float)(pe->tick + 1u) * pe->h;",
        "    (void)t, (void)t_end;",
        "    for (uint32_t k = 0u; k < table->count; k++)",
        "        switch (table->groups[k].kind) {",
    ]
    for group in sorted(kinds_of(app), key=lambda g: g.kind):
        if _step(group):
            lines += [
                f"        case {group.kind}u:",
                f"            attached_{group.kind}_step(pe, &table->groups[k], t, t_end);",
                "            break;",
            ]
    return [*lines, "        default:", "            break;", "        }", "}", ""]


def gather_lines(app: App, plan: Plan) -> list[str]:
    """Quantities between attached groups and their neurons, both ways; behind what sources feed."""
    target = app.model
    sums = {item.name for item in target.component.analog_inputs if item.reduce}
    lines = [
        "    const attached_table_t *const attached = attached_table(pe);",
        f"    {target.name}_state_t *const state = pe->state;",
        f"    const {target.name}_params_t *const own = pe->own;",
        f"    {target.name}_input_t *const gathered = pe->input;",
        "    (void)state, (void)own, (void)gathered;",
        "    for (uint32_t k = 0u; k < attached->count; k++) {",
        "        const attached_t *const b = &attached->groups[k];",
        "        const uint16_t *const neuron = pe_value(pe, b->neuron);",
        "        switch (b->kind) {",
    ]
    for group in sorted(kinds_of(app), key=lambda g: g.kind):
        if not (group.attachment.reads or group.attachment.feeds):
            continue
        lines += [
            f"        case {group.kind}u: {{",
            *indented(_pointers(group), 3),
            "            (void)s, (void)p, (void)q, (void)in;",
            "            for (uint32_t i = 0u; i < b->count; i++) {",
            "                const uint32_t n = neuron[i];",
            *indented(_both_ways(target, group, sums, plan), 4),
            "            }",
            "            break;",
            "        }",
        ]
    return [*lines, "        default:", "            break;", "        }", "    }"]


def _both_ways(target: ModelPlan, group: AttachedGroup, sums: set[str], plan: Plan) -> list[str]:
    model = group.item.model
    lines: list[str] = []
    if group.attachment.reads:
        read = dict(group.attachment.reads)
        lines.append(f"{model.name}_input_t *const held = ({model.name}_input_t *)in + i;")
        for item in model.component.analog_inputs:
            value = literal(item.default / plan.units.size(item.dimension))
            if item.name in read:
                getter = f"{target.name}_get_{target.fields[read[item.name]]}"
                value = f"{getter}(state + n, own + n, pe->shared, gathered + n, t)"
            lines.append(f"held->{model.fields[item.name]} = {value};")
    for name, variable in group.attachment.feeds:
        sign = "+=" if name in sums else "="
        getter = f"{model.name}_get_{model.fields[variable]}({_arguments(group, 't')})"
        lines.append(f"gathered[n].{target.fields[name]} {sign} {getter};")
    return lines


def attached_cases(app: App, first: int) -> list[str]:
    """Cases of `read` for recorded quantities of attached groups, numbered from `first`."""
    lines = []
    for number, (k, variable) in enumerate(app.attached_watched, first):
        group = app.attached[k]
        m, i = group.item.model, "index" if group.attachment.reads else "0u"
        lines += [
            f"case {number}u: {{",
            "    const attached_table_t *const table = attached_table(pe);",
            "    const attached_t *b = table->groups;",
            f"    while (b->id != {k}u)",
            "        b++;",
            *indented(_pointers(group)),
            f"    return {m.name}_get_{m.fields[variable]}(s + index, p + index, q, in + {i}, t_end);",
            "}",
        ]
    return lines
