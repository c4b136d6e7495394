"""The C code of one model: structures, update, conditions, events. Pure computation, no hardware."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

from ...canonical_model.model import Emit, OnCondition, OnEvent
from ...canonical_model.query import later_ways, nested, weight_name
from ...canonical_model.units import dimension_name
from .c_printer import identifier, print_condition
from .plan import ModelPlan
from .program_code import adaptive, derived_lines, names_of, plain
from .statement_code import statements

ARGUMENTS = "(void)s; (void)p; (void)q; (void)in; (void)t;"


def model_header(model: ModelPlan, units: str, head: str) -> str:
    """The header file of a model: everything is static inline, for network.c."""
    guard = f"MODEL_{model.name.upper()}_H"
    parts = [
        head,
        f"#ifndef {guard}\n#define {guard}\n",
        '#include "mathf.h"\n#include "random.h"\n',
        f"/* {units} */\n",
        *_structs(model),
        _step(model) if model.component.update is None else _update(model),
        _conditions(model),
        *(_event(model, port.name) for port in model.component.event_inputs),
        *(_timed(model, k) for k in range(len(model.component.timed_events))),
        *(_output(model, name) for name in model.outputs),
        "#endif\n",
    ]
    return "\n".join(part for part in parts if part)


def _structs(model: ModelPlan) -> list[str]:
    component, fields = model.component, model.fields
    states = [f"float {fields[s.name]};{_unit(s.dimension)}" for s in component.state_variables]
    states += [f"uint32_t regime_{k};" for k in range(len(component.machines))]
    inputs = [f"float {fields[i.name]};" for i in component.analog_inputs]
    own = [f"float {fields[name]};" for name in model.own]
    shared = [f"float {fields[name]};" for name in model.shared]
    return [
        _struct(model, "state", states, "what an instance remembers"),
        _struct(model, "params", own, "values that differ between instances"),
        _struct(model, "shared", shared, "values common to a group, propagators included"),
        _struct(model, "input", inputs, "gathered at the start of a step and held over it"),
    ]


def _unit(dimension: object) -> str:
    from ...canonical_model.units import NONE, Dimension

    if not isinstance(dimension, Dimension) or dimension == NONE:
        return ""
    return f" /* {dimension_name(dimension)} */"


def _struct(model: ModelPlan, kind: str, lines: Sequence[str], what: str) -> str:
    body = "\n    ".join(lines or ["uint32_t unused;"])
    return f"/* {what} */\ntypedef struct {{\n    {body}\n}} {model.name}_{kind}_t;\n"


def _signature(model: ModelPlan, result: str, name: str, extra: str = "") -> str:
    m = model.name
    return (
        f"static inline {result} {m}_{name}({m}_state_t *s, const {m}_params_t *p,\n"
        f"    const {m}_shared_t *q, const {m}_input_t *in, float t{extra})"
    )


def _step(model: ModelPlan) -> str:
    """The update over one step, by the combination of active regimes."""
    machines = model.component.machines
    programs = dict(model.update.programs)
    head = _signature(model, "void", "step", ", float h")
    lines = [head, "{", f"    {ARGUMENTS} (void)h;"]
    combos = list(product(*(range(len(m.regimes)) for m in machines)))
    for combo in combos:
        names = tuple(m.regimes[k].name for m, k in zip(machines, combo, strict=True))
        program = programs[names]
        if not program.commits:
            continue
        indent = "    "
        if combo:
            tests = " && ".join(f"s->regime_{k} == {r}u" for k, r in enumerate(combo))
            label = ", ".join(n for n in (identifier(name) for name in names))
            lines.append(f"    if ({tests}) {{ /* {label} */")
            indent = "        "
        lines += (
            adaptive(model, program, indent)
            if program.error
            else plain(model, program, names_of(model), indent)
        )
        if combo:
            lines += [f"{indent}return;", "    }"]
    return "\n".join([*lines, "}", ""])


def _update(model: ModelPlan) -> str:
    """The program of a step, run at its end `t`; returns the ports that send."""
    body = model.component.update or ()
    return "\n".join([
        _signature(model, "uint32_t", "update", ", float h"),
        "{",
        "    uint32_t events = 0u;",
        f"    {ARGUMENTS} (void)h;",
        *statements(model, body, {}, "    "),
        "    return events;",
        "}",
        "",
    ])  # fmt: skip


def _condition(model: ModelPlan, item: OnCondition, indent: str, guard: str = "") -> list[str]:
    names = names_of(model)
    inner = derived_lines(model, [item.test], names, f"{indent}    ")
    test = print_condition(item.test, names)
    test = f"{guard} && ({test})" if guard else test
    deep = f"{indent}    " if inner else indent
    # what sends events happens in few steps: keep it out of the way of the others
    rare = any(isinstance(s, Emit) for s in nested(item.body))
    lines = [
        f"{deep}if (M_RARELY({test})) {{" if rare else f"{deep}if ({test}) {{",
        *statements(model, item.body, {}, f"{deep}    "),
        f"{deep}}}",
    ]
    return [f"{indent}{{", *inner, *lines, f"{indent}}}"] if inner else lines


def _conditions(model: ModelPlan) -> str:
    """Conditions at the end of a step, in the order written; returns the ports that send."""
    component = model.component
    lines = [_signature(model, "uint32_t", "conditions"), "{"]
    lines += ["    uint32_t events = 0u;", f"    {ARGUMENTS}"]
    for k in range(len(component.machines)):
        lines.append(f"    const uint32_t active_{k} = s->regime_{k};")
    for item in component.on_conditions:
        lines += _condition(model, item, "    ")
    for k, machine in enumerate(component.machines):
        for r, regime in enumerate(machine.regimes):
            if regime.on_conditions:
                lines.append(f"    if (active_{k} == {r}u) {{ /* {identifier(regime.name)} */")
                items = regime.on_conditions
                for item, is_later in zip(items, later_ways(items), strict=True):
                    guard = f"s->regime_{k} == {r}u" if is_later else ""
                    lines += _condition(model, item, "        ", guard)
                lines.append("    }")
        lines.append(f"    (void)active_{k};")
    return "\n".join([*lines, "    return events;", "}", ""])


def _event(model: ModelPlan, port: str) -> str:
    """What an event at a port does; `weight` is what it carries."""
    component = model.component
    carried = weight_name(component, port)
    extra = {carried: "weight"} if carried else {}
    lines = [_signature(model, "uint32_t", f"on_{identifier(port)}", ", float weight"), "{"]
    lines += ["    uint32_t events = 0u;", f"    {ARGUMENTS} (void)weight;"]
    lines += _handlers(model, component.on_events, port, extra, "    ")
    for k, machine in enumerate(component.machines):
        lines.append(f"    const uint32_t active_{k} = s->regime_{k};")
        for r, regime in enumerate(machine.regimes):
            inner = _handlers(model, regime.on_events, port, extra, "        ")
            if inner:
                lines += [f"    if (active_{k} == {r}u) {{", *inner, "    }"]
        lines.append(f"    (void)active_{k};")
    return "\n".join([*lines, "    return events;", "}", ""])


def _handlers(
    model: ModelPlan,
    handlers: Sequence[OnEvent],
    port: str,
    extra: Mapping[str, str],
    indent: str,
) -> list[str]:
    return [
        line
        for item in handlers
        if item.port == port
        for line in statements(model, item.body, extra, indent)
    ]


def _timed(model: ModelPlan, number: int) -> str:
    """What happens at the times of a list."""
    item = model.component.timed_events[number]
    lines = [_signature(model, "uint32_t", f"timed_{number}"), "{"]
    lines += ["    uint32_t events = 0u;", f"    {ARGUMENTS}"]
    lines += statements(model, item.body, {}, "    ")
    return "\n".join([*lines, "    return events;", "}", ""])


def _output(model: ModelPlan, name: str) -> str:
    """A quantity that other groups or the recording read."""
    from ...canonical_model.expr import Name

    names = names_of(model)
    inner = derived_lines(model, [Name(name)], names, "    ")
    head = _signature(model, "float", f"get_{model.fields[name]}")
    return "\n".join([head, "{", f"    {ARGUMENTS}", *inner, f"    return {names[name]};", "}", ""])
