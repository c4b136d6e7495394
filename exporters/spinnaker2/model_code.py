"""The C code of one model: structures, update, conditions, events. Pure computation, no hardware."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product

from ...canonical_model.expr import TIME, Expr, free_names
from ...canonical_model.model import Assign, Emit, If, OnCondition, OnEvent, Statement, Transition
from ...canonical_model.units import dimension_name
from ...solvers.graph import topological
from ...solvers.plan import STEP, Program
from .c_printer import identifier, print_c, print_condition
from .plan import ModelPlan

MAX_SUBSTEPS = 4096
ARGUMENTS = "(void)s; (void)p; (void)q; (void)in; (void)t;"


def model_header(model: ModelPlan, units: str, head: str) -> str:
    """The header file of a model: everything is static inline, for network.c."""
    guard = f"MODEL_{model.name.upper()}_H"
    parts = [
        head,
        f"#ifndef {guard}\n#define {guard}\n",
        '#include "mathf.h"\n#include "runtime.h"\n',
        f"/* {units} */\n",
        *_structs(model),
        _step(model),
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


def names_of(model: ModelPlan) -> dict[str, str]:
    """Model names as C expressions within a model function."""
    component, fields = model.component, model.fields
    table = {name: f"q->{fields[name]}" for name in model.shared}
    table.update({name: f"p->{fields[name]}" for name in model.own})
    table.update({i.name: f"in->{fields[i.name]}" for i in component.analog_inputs})
    table.update({s.name: f"s->{fields[s.name]}" for s in component.state_variables})
    table[TIME], table[STEP] = "t", "h"
    return table


def _derived_lines(
    model: ModelPlan, expressions: Iterable[Expr], names: dict[str, str], indent: str
) -> list[str]:
    """Locals for the derived variables that the expressions need; extends `names` with them."""
    component = model.component
    forms: dict[str, list[tuple[int, int, Expr]]] = {}
    for item in component.derived_variables:
        forms.setdefault(item.name, []).append((-1, -1, item.value))
    for m, machine in enumerate(component.machines):
        for r, regime in enumerate(machine.regimes):
            for item in regime.derived_variables:
                forms.setdefault(item.name, []).append((m, r, item.value))
    graph = {
        name: {o for _, _, value in entry for o in free_names(value)} & forms.keys()
        for name, entry in forms.items()
    }
    needed: set[str] = set()
    stack = [name for expr in expressions for name in free_names(expr) & forms.keys()]
    while stack:
        name = stack.pop()
        if name not in needed:
            needed.add(name)
            stack.extend(graph[name])
    order, _ = topological(graph)
    lines = []
    for name in order:
        if name in needed:
            text = "0.0f"
            for number, active, value in forms[name]:
                printed = print_c(value, names)
                text = (
                    printed
                    if number < 0
                    else f"(s->regime_{number} == {active}u ? {printed} : {text})"
                )
            local = f"d_{model.fields[name]}"
            lines.append(f"{indent}const float {local} = {text};")
            names[name] = local
    return lines


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
            _adaptive(model, program, indent)
            if program.error
            else _plain(model, program, names_of(model), indent)
        )
        if combo:
            lines += [f"{indent}return;", "    }"]
    return "\n".join([*lines, "}", ""])


def _plain(model: ModelPlan, program: Program, names: dict[str, str], indent: str) -> list[str]:
    """The instructions of a program and its commits."""
    lines = []
    taken: set[str] = set()
    for instruction in program.instructions:
        local = f"l_{identifier(instruction.target)}"
        while local in taken:
            local += "_"
        taken.add(local)
        lines.append(f"{indent}const float {local} = {print_c(instruction.value, names)};")
        names[instruction.target] = local
    for state, local in program.commits:
        lines.append(f"{indent}s->{model.fields[state]} = {names[local]};")
    return lines


def _adaptive(model: ModelPlan, program: Program, indent: str) -> list[str]:
    """Trial steps of an embedded method until the step is filled; at most MAX_SUBSTEPS of them."""
    names = {**names_of(model), TIME: "t_now", STEP: "h_now"}
    inner = indent + "    "
    body = _plain(model, program, names, inner)
    commits = body[-len(program.commits) :]
    error = "0.0f"
    for name in program.error:
        error = f"m_max(m_abs({names[name]}), {error})"
    return [
        f"{indent}float done = 0.0f, h_now = h;",
        f"{indent}for (int k = 0; k < {MAX_SUBSTEPS} && done < h; k++) {{",
        f"{inner}const float t_now = t + done;",
        f"{inner}if (h_now > h - done)",
        f"{inner}    h_now = h - done;",
        *body[: -len(program.commits)],
        f"{inner}const float worst = {error};",
        f"{inner}if (worst <= 1.0f || h_now <= h / {MAX_SUBSTEPS}.0f) {{",
        *(f"    {line}" for line in commits),
        f"{inner}    done += h_now;",
        f"{inner}}}",
        f"{inner}h_now *= m_min(4.0f, m_max(0.2f, 0.9f * m_pow(m_max(worst, 1e-10f), -0.2f)));",
        f"{indent}}}",
    ]


def _statements(
    model: ModelPlan, body: Sequence[Statement], extra: Mapping[str, str], indent: str
) -> list[str]:
    """Statements in order; every one sees what the one before it did."""
    lines: list[str] = []
    ports = [port.name for port in model.component.event_outputs]
    for item in body:
        names = {**names_of(model), **extra}
        match item:
            case Assign(target=target, value=value):
                inner = _derived_lines(model, [value], names, f"{indent}    ")
                text = f"s->{model.fields[target]} = {print_c(value, names)};"
                lines += _block(inner, text, indent)
            case Emit(port=port):
                lines.append(
                    f"{indent}events |= {1 << ports.index(port)}u; /* {identifier(port)} */"
                )
            case Transition(regime=regime, machine=machine):
                lines += _transition(model, regime, machine, extra, indent)
            case If(branches=branches, otherwise=otherwise):
                lines += _branches(model, branches, otherwise, extra, indent)
    return lines


def _block(inner: list[str], text: str, indent: str) -> list[str]:
    """A statement, in braces if it needs locals."""
    if not inner:
        return [f"{indent}{text}"]
    return [f"{indent}{{", *inner, f"{indent}    {text}", f"{indent}}}"]


def _transition(
    model: ModelPlan, regime: str, machine: str, extra: Mapping[str, str], indent: str
) -> list[str]:
    machines = model.component.machines
    number = next(k for k, m in enumerate(machines) if m.name == machine)
    names = [r.name for r in machines[number].regimes]
    entered = machines[number].regimes[names.index(regime)]
    lines = [f"{indent}s->regime_{number} = {names.index(regime)}u; /* {identifier(regime)} */"]
    return lines + _statements(model, entered.on_entry, extra, indent)


def _branches(
    model: ModelPlan,
    branches: Sequence[tuple[Expr, tuple[Statement, ...]]],
    otherwise: Sequence[Statement],
    extra: Mapping[str, str],
    indent: str,
) -> list[str]:
    names = {**names_of(model), **extra}
    lines = [f"{indent}{{"]
    inner = f"{indent}    "
    lines += _derived_lines(model, [test for test, _ in branches], names, inner)
    word = "if"
    for test, body in branches:
        lines.append(f"{inner}{word} ({print_condition(test, names)}) {{")
        lines += _statements(model, body, extra, f"{inner}    ")
        lines.append(f"{inner}}}")
        word = "else if"
    if otherwise:
        lines += [
            f"{inner}else {{",
            *_statements(model, otherwise, extra, f"{inner}    "),
            f"{inner}}}",
        ]
    return [*lines, f"{indent}}}"]


def _condition(model: ModelPlan, item: OnCondition, indent: str) -> list[str]:
    names = names_of(model)
    inner = _derived_lines(model, [item.test], names, f"{indent}    ")
    test = print_condition(item.test, names)
    deep = f"{indent}    " if inner else indent
    lines = [
        f"{deep}if ({test}) {{",
        *_statements(model, item.body, {}, f"{deep}    "),
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
                for item in regime.on_conditions:
                    lines += _condition(model, item, "        ")
                lines.append("    }")
        lines.append(f"    (void)active_{k};")
    return "\n".join([*lines, "    return events;", "}", ""])


def _event(model: ModelPlan, port: str) -> str:
    """What an event at a port does; `weight` is what it carries."""
    component = model.component
    extra = (
        {"weight": "weight"}
        if any(p.name == port and "weight" in p.payload for p in component.event_inputs)
        else {}
    )
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
        for line in _statements(model, item.body, extra, indent)
    ]


def _timed(model: ModelPlan, number: int) -> str:
    """What happens at the times of a list."""
    item = model.component.timed_events[number]
    lines = [_signature(model, "uint32_t", f"timed_{number}"), "{"]
    lines += ["    uint32_t events = 0u;", f"    {ARGUMENTS}"]
    lines += _statements(model, item.body, {}, "    ")
    return "\n".join([*lines, "    return events;", "}", ""])


def _output(model: ModelPlan, name: str) -> str:
    """A quantity that other groups or the recording read."""
    from ...canonical_model.expr import Name

    names = names_of(model)
    inner = _derived_lines(model, [Name(name)], names, "    ")
    head = _signature(model, "float", f"get_{model.fields[name]}")
    return "\n".join([head, "{", f"    {ARGUMENTS}", *inner, f"    return {names[name]};", "}", ""])
