"""The C program of an application: one model, its receptor types, its loop over the neurons of a PE."""

from __future__ import annotations

from collections.abc import Sequence

from ...canonical_model.query import regimes
from .attached import target_ports
from .attached_code import attached_cases, attached_code, gather_lines, is_analog
from .c_printer import identifier, literal, print_c
from .feeds import feed_code, timed_lists, watched_cases
from .partition import App
from .plan import Plan
from .program_code import names_of
from .rows import is_indexed


def app_source(app: App, plan: Plan, head: str) -> str:
    """apps/<name>.c: constants, loop, readable quantities."""
    word, m = app.word, app.model.name
    headers = {m, *(feed.source.model.name for feed in app.feeds)}
    headers |= {group.item.model.name for group in app.attached}
    gather = "gather" if has_inputs(app) else "0"
    parts = [
        head,
        f"#define APP_WORD uint{word.size}_t /* {word} */",
        f"#define APP_RING uint{8 * app.ring_bytes}_t",
        f"#define APP_TYPE_BITS {word.type}u",
        f"#define APP_INDEX_BITS {word.index}u",
        f"#define APP_DELAY_BITS {word.delay}u",
        "#ifndef APP_INDEXED /* 0 where py-spinnaker2's mapper makes the rows */",
        f"#define APP_INDEXED {int(is_indexed(app))}",
        "#endif",
        "",
        *(f'#include "models/{name}.h"' for name in sorted(headers)),
        *(["#define APP_ATTACHED", '#include "attached.h"'] if app.attached else []),
        '#include "synapses.h"\n',
        *timed_lists(app.model, plan.step, "times"),
        *(attached_code(app, plan) if app.attached else []),
        *_gathering(app, plan),
        _update(app),
        _read(app),
        f"const app_t app_{m} = {{ app_receive, update, read, {gather}, {app.ports}u, {app.ring}u }};",
        "",
    ]
    return "\n".join(parts)


def has_inputs(app: App) -> bool:
    """True if inputs are gathered in each tick."""
    return bool(app.feeds) or is_analog(app)


def _inputs(app: App, plan: Plan) -> str:
    """What inputs without a source are held at, in the chip's units."""
    inputs = app.model.component.analog_inputs
    values = [literal(i.default / plan.units.size(i.dimension)) for i in inputs]
    return ", ".join(values or ["0u"])


def _gathering(app: App, plan: Plan) -> list[str]:
    """Inputs: constants, or gathered from the sources before each tick."""
    m, inputs = app.model.name, app.model.component.analog_inputs
    if not has_inputs(app):
        return [f"static const {m}_input_t input = {{ {_inputs(app, plan)} }};\n"]
    defaults = {
        app.model.fields[i.name]: literal(i.default / plan.units.size(i.dimension)) for i in inputs
    }
    more = gather_lines(app, plan) if is_analog(app) else []
    return feed_code(app.model, app.feeds, defaults, plan.units, plan.step, more)


def _arguments(weight: str = "", time: str = "t_end") -> str:
    return f"(&s, &p, &q, &input, {time}{weight})"


def _update(app: App) -> str:
    """Ring to ports, step, conditions, events: everything of a neuron stays in registers."""
    model = app.model
    m, component = model.name, model.component
    lines = [
        f"{m}_state_t *state = pe->state;",
        f"const {m}_params_t *own = pe->own;",
        f"const {m}_shared_t q = *(const {m}_shared_t *)pe->shared;",
        "const uint32_t size = pe->size;",
        "const float h = pe->h, t = (float)pe->tick * h, t_end = (float)(pe->tick + 1u) * h;",
        "(void)t;",
        "(void)t_end;",
        "(void)h;",
        "(void)q;",
    ]
    split = is_analog(app)
    if has_inputs(app):
        lines += [f"const {m}_input_t *in = pe->input;", *([] if split else ["gather(pe);"])]
    else:
        lines.append("(void)input;")
    if app.types:
        lines.append("APP_RING *slot = app_slot(pe);")
        lines += [
            f"const float scale_{k} = pe->scales[{k}]{_factor(app, port)};"
            for k, (port, _) in enumerate(app.types)
        ]
    if app.attached:
        lines.append("float *sums = pe_value(pe, attached_table(pe)->sums);")
    for k, _ in enumerate(component.timed_events):
        lines.append(
            f"const uint32_t due_{k} = pe_due(pe, times_{k}, sizeof times_{k} / sizeof times_{k}[0]);"
        )
    moving = ["i++", "state++", "own++"] + (["in++"] if has_inputs(app) else [])
    hearing = ["slot++"] if app.types else []
    hearing += [f"sums += {len(target_ports(app.attached))}u"] if app.attached else []
    if split:
        # what arrives comes first: others read what it does
        lines += _loop([*moving, *hearing], [*_opening(app), *_hearing(app), "*state = s;"])
        lines += [
            "gather(pe);", "state = pe->state;", "own = pe->own;", "in = pe->input;"
        ]  # fmt: skip
        lines += _loop(moving, [*_opening(app), "uint32_t events = 0u;", *_body(app)])
    else:
        inner = [*_opening(app), "uint32_t events = 0u;", *_hearing(app), *_body(app)]
        lines += _loop([*moving, *hearing], inner)
    lines += ["advance(pe);"] if app.feeds else []
    lines += ["attached_advance(pe);"] if app.attached else []
    text = "\n".join(f"    {line}" for line in lines)
    return f"static void update(pe_t *pe)\n{{\n{text}\n}}\n"


def _factor(app: App, port: str) -> str:
    """What all handlers of a port multiply the weight with: once per tick instead of once per neuron."""
    factor = app.factors.get(port)
    return "" if factor is None else f" * {print_c(factor, names_of(app.model, 'q.'))}"


def _loop(moving: list[str], body: list[str]) -> list[str]:
    head = f"for (uint32_t i = 0u; i < size; {', '.join(moving)}) {{"
    return [head, *(f"    {line}" for line in body), "}"]


def _opening(app: App) -> list[str]:
    m = app.model.name
    return [f"{m}_state_t s = *state;", f"const {m}_params_t p = *own;", "(void)p;"]


def _hearing(app: App) -> list[str]:
    """What a tick brought to each port."""
    ports = [*(port for port, _ in app.types), *target_ports(app.attached)]
    lines = [line for port in dict.fromkeys(ports) for line in _port(app, port)]
    return _held(app, lines)


def _held(app: App, lines: list[str]) -> list[str]:
    """What a tick gathered is held over it."""
    return [line.replace("&input", "in") for line in lines] if has_inputs(app) else lines


def _body(app: App) -> list[str]:
    model = app.model
    m, component = model.name, model.component
    joins = "+=" if model.repeats else "|="
    lines = []
    if any(program.commits for _, program in model.update.programs):
        lines.append(f"{m}_step(&s, &p, &q, &input, t, h);")
    if component.update is not None:
        lines.append(f"events {joins} {m}_update(&s, &p, &q, &input, t_end, h);")
    if component.on_conditions or any(r.on_conditions for r in regimes(component)):
        lines.append(f"events {joins} {m}_conditions{_arguments()};")
    for k, _ in enumerate(component.timed_events):
        lines += [
            f"for (uint32_t k = 0u; k < due_{k}; k++)",
            f"    events {joins} {m}_timed_{k}{_arguments()};",
        ]
    call = f"pe_emit_counts(pe, i, events, {model.count_bits}u);"
    if not model.repeats:
        call = "pe_emit(pe, i, events);"
    return [*_held(app, lines), "*state = s;", "if (M_RARELY(events))", f"    {call}"]


def _port(app: App, port: str) -> list[str]:
    """The sum of a port's types, cleared in the ring and handed to the model."""
    terms, places = "", []
    for k, (name, sign) in enumerate(app.types):
        if name != port:
            continue
        place = f"slot[{k}u << APP_INDEX_BITS]" if k else "*slot"
        places.append(place)
        value = f"scale_{k} * (float){place}"
        terms = f"{terms} {'+' if sign > 0 else '-'} {value}" if terms else (
            value if sign > 0 else f"-{value}"
        )  # fmt: skip
    came = [f"(uint32_t){place}" for place in places]
    ports = target_ports(app.attached)
    if port in ports:
        place = f"sums[{ports.index(port)}]"
        places.append(place)
        terms = " + ".join(filter(None, [terms, f"{place}{_factor(app, port)}"]))
        came.append(f"(uint32_t)({place} != 0.0f)")
    call = f"{app.model.name}_on_{identifier(port)}{_arguments(', weight', 't')};"
    lines = [f"const float weight = {terms};"]
    if port in app.flagged:
        lines.append(f"const uint32_t came = {' | '.join(came)};")
    lines += [f"{place} = 0{'.0f' if place.startswith('sums') else 'u'};" for place in places]
    if port in app.flagged:
        lines += ["if (came)", f"    {call}"]
    else:
        lines.append(call)
    return ["{", *(f"    {line}" for line in lines), "}"]


def _read(app: App) -> str:
    """Recorded quantities by number."""
    m, model = app.model.name, app.model
    lines = [
        f"{m}_state_t s = (({m}_state_t *)pe->state)[index];",
        f"const {m}_params_t p = ((const {m}_params_t *)pe->own)[index];",
        f"const {m}_shared_t q = *(const {m}_shared_t *)pe->shared;",
        "const float t_end = (float)(pe->tick) * pe->h;",
        "(void)s;",
        "(void)p;",
        "(void)q;",
        "(void)t_end;",
        "(void)input;"
        if not has_inputs(app)
        else f"const {m}_input_t *const in = ({m}_input_t *)pe->input + index;",
        *(["(void)in;"] if has_inputs(app) else []),
        "switch (variable) {",
    ]
    for number, name in enumerate(model.outputs):
        lines += [f"case {number}u:", f"    return {m}_get_{model.fields[name]}{_arguments()};"]
    lines = _held(app, lines)
    lines += watched_cases(app.feeds, app.watched, len(model.outputs))
    lines += attached_cases(app, len(model.outputs) + len(app.watched))
    lines += ["default:", "    return 0.0f;", "}"]
    text = "\n".join(f"    {line}" for line in lines)
    head = "static float read(const pe_t *pe, uint32_t variable, uint32_t index)"
    return f"{head}\n{{\n{text}\n}}\n"


def app_table(apps: Sequence[App], head: str) -> str:
    """apps/apps.c: the programs by number, for the process that holds many PEs."""
    lines = [head, '#include "pe.h"\n', *(f"extern const app_t app_{app.name};" for app in apps)]
    names = ", ".join(f"&app_{app.name}" for app in apps)
    lines += [f"const app_t *const machine_apps[] = {{ {names or '(const app_t *)0'} }};", ""]
    return "\n".join(["/* The programs of this network by number. */", *lines])
