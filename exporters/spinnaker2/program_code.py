"""C code of straight-line programs, and the names that model code uses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ...canonical_model.expr import TIME, Expr, free_names
from ...canonical_model.query import derived_forms
from ...solvers.graph import topological
from ...solvers.plan import STEP, Program
from .c_printer import identifier, print_c
from .plan import ModelPlan

MAX_SUBSTEPS = 4096


def names_of(model: ModelPlan, shared: str = "q->") -> dict[str, str]:
    """Model names as C expressions within a model function."""
    component, fields = model.component, model.fields
    table = {name: f"{shared}{fields[name]}" for name in model.shared}
    table.update({name: f"p->{fields[name]}" for name in model.own})
    table.update({i.name: f"in->{fields[i.name]}" for i in component.analog_inputs})
    table.update({s.name: f"s->{fields[s.name]}" for s in component.state_variables})
    table[TIME], table[STEP] = "t", "h"
    return table


def derived_lines(
    model: ModelPlan, expressions: Iterable[Expr], names: dict[str, str], indent: str
) -> list[str]:
    """Locals for the derived variables that the expressions need; extends `names` with them."""
    forms = derived_forms(model.component)
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


def plain(model: ModelPlan, program: Program, names: dict[str, str], indent: str) -> list[str]:
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


def adaptive(model: ModelPlan, program: Program, indent: str, start: str = "t") -> list[str]:
    """Trial steps of an embedded method until the step is filled; at most MAX_SUBSTEPS of them."""
    moved = (*program.commits, *program.carried)
    kept = [f"s->{model.fields[state]}" for state, _ in program.carried]
    names = {**names_of(model), TIME: "t_now", STEP: "h_now"}
    inner = indent + "    "
    body = plain(model, replace(program, commits=moved), names, inner)
    commits = body[-len(moved) :]
    error = "0.0f"
    for name in program.error:
        error = f"m_max(m_abs({names[name]}), {error})"
    return [
        *(f"{indent}const float kept_{k} = {place};" for k, place in enumerate(kept)),
        f"{indent}float done = 0.0f, h_now = h;",
        f"{indent}for (int k = 0; k < {MAX_SUBSTEPS} && done < h; k++) {{",
        f"{inner}const float t_now = {start} + done;",
        f"{inner}if (h_now > h - done)",
        f"{inner}    h_now = h - done;",
        *body[: -len(moved)],
        f"{inner}const float worst = {error};",
        f"{inner}if (worst <= 1.0f || h_now <= h / {MAX_SUBSTEPS}.0f) {{",
        *(f"    {line}" for line in commits),
        f"{inner}    done += h_now;",
        f"{inner}}}",
        f"{inner}h_now *= m_min(4.0f, m_max(0.2f, 0.9f * m_pow(m_max(worst, 1e-10f), -0.2f)));",
        f"{indent}}}",
        *(f"{indent}{place} = kept_{k};" for k, place in enumerate(kept)),
    ]
