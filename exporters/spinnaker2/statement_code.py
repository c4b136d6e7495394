"""C code of statements: assignments, events, branches, loops, and the integration of a program's step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...canonical_model.expr import TIME, Binary, Expr, Name, Number, Unary
from ...canonical_model.model import (
    INTEGER,
    Assign,
    Declare,
    Emit,
    For,
    If,
    Integrate,
    Statement,
    Transition,
    While,
)
from .c_printer import identifier, print_c, print_condition
from .plan import ModelPlan
from .program_code import adaptive, derived_lines, names_of, plain

MAX_TURNS = 100_000


def statements(
    model: ModelPlan, body: Sequence[Statement], extra: Mapping[str, str], indent: str
) -> list[str]:
    """Statements in order; every one sees what the one before it did."""
    lines: list[str] = []
    known = dict(extra)
    ports = [port.name for port in model.component.event_outputs]
    for item in body:
        match item:
            case Assign(target=target, value=value):
                lines += _assign(model, target, value, known, indent)
            case Declare(name=name, kind=kind, value=value):
                known[name] = f"v_{identifier(name)}"
                lines.append(f"{indent}float {known[name]};")
                known[f"{name} is whole"] = kind
                lines += _assign(model, name, value, known, indent)
            case Emit(port=port):
                lines += _emit(model, ports.index(port), identifier(port), indent)
            case Transition(regime=regime, machine=machine):
                lines += _transition(model, regime, machine, known, indent)
            case If(branches=branches, otherwise=otherwise):
                lines += _branches(model, branches, otherwise, known, indent)
            case Integrate(variables=variables):
                lines += _integrate(model, variables, indent)
            case While(test=test, body=repeated):
                lines += _while(model, test, repeated, known, indent)
            case For():
                lines += _for(model, item, known, indent)
    return lines


def _emit(model: ModelPlan, number: int, name: str, indent: str) -> list[str]:
    """Set a port's bit; where loops send, count up to what the port's bits can hold."""
    width = model.count_bits
    if not model.repeats:
        return [f"{indent}events |= {1 << number}u; /* {name} */"]
    most = (1 << width) - 1
    return [
        f"{indent}if ((events >> {number * width} & {most}u) < {most}u)",
        f"{indent}    events += {1 << number * width}u; /* {name} */",
    ]


def _assign(
    model: ModelPlan, target: str, value: Expr, known: Mapping[str, str], indent: str
) -> list[str]:
    """An assignment to a local or a state; whole numbers lose their fraction."""
    names = {**names_of(model), **known}
    inner = derived_lines(model, [value], names, f"{indent}    ")
    kinds = {state.name: state.kind for state in model.component.state_variables}
    is_local = target in known
    kind = known.get(f"{target} is whole", "") if is_local else kinds[target]
    text = print_c(value, names)
    whole = {name for name, own in kinds.items() if own == INTEGER}
    if kind == INTEGER and not _is_whole(value, whole):
        text = f"m_trunc({text})"
    place = known[target] if is_local else f"s->{model.fields[target]}"
    return _block(inner, f"{place} = {text};", indent)


def _is_whole(expr: Expr, whole: set[str]) -> bool:
    """True for sums and products of whole numbers: nothing to cut off."""
    match expr:
        case Number(value, None):
            return value == int(value)
        case Name(name):
            return name in whole
        case Unary("-", operand):
            return _is_whole(operand, whole)
        case Binary("+" | "-" | "*", left, right):
            return _is_whole(left, whole) and _is_whole(right, whole)
    return False


def _integrate(model: ModelPlan, variables: tuple[str, ...], indent: str) -> list[str]:
    """The program that advances these variables over the step that ends now."""
    program = dict(model.update.integrations)[variables]
    if not program.commits:
        return []
    names = {**names_of(model), TIME: "t_start"}
    inner = f"{indent}    "
    code = (
        adaptive(model, program, inner, "t_start")
        if program.error
        else plain(model, program, names, inner)
    )
    head = [f"{indent}{{", f"{inner}const float t_start = t - h;", f"{inner}(void)t_start;"]
    return [*head, *code, f"{indent}}}"]


def _while(
    model: ModelPlan,
    test: Expr,
    body: Sequence[Statement],
    known: Mapping[str, str],
    indent: str,
) -> list[str]:
    """A loop with a bound, so that no model can stop the chip."""
    inner = f"{indent}    "
    names = {**names_of(model), **known}
    derived = derived_lines(model, [test], names, inner)
    return [
        f"{indent}for (uint32_t turn = 0u; turn < {MAX_TURNS}u; turn++) {{",
        *derived,
        f"{inner}if (!({print_condition(test, names)}))",
        f"{inner}    break;",
        *statements(model, body, known, inner),
        f"{indent}}}",
    ]


def _for(model: ModelPlan, loop: For, known: Mapping[str, str], indent: str) -> list[str]:
    inner, deep = f"{indent}    ", f"{indent}        "
    names = {**names_of(model), **known}
    derived = derived_lines(model, [loop.start, loop.stop, loop.step], names, inner)
    start, stop, step = (print_c(e, names) for e in (loop.start, loop.stop, loop.step))
    own = dict(known)
    states = {state.name for state in model.component.state_variables}
    lines = []
    if loop.variable not in own and loop.variable not in states:
        own[loop.variable] = f"v_{identifier(loop.variable)}"
        lines.append(f"{inner}float {own[loop.variable]};")
    place = own.get(loop.variable) or f"s->{model.fields[loop.variable]}"
    return [
        f"{indent}{{",
        *derived,
        *lines,
        f"{inner}const float stop = {stop}, by = {step};",
        f"{inner}float next = {start};",
        f"{inner}for (uint32_t turn = 0u; turn < {MAX_TURNS}u; turn++) {{",
        f"{deep}if (by > 0.0f ? !(next < stop) : !(next > stop))",
        f"{deep}    break;",
        f"{deep}{place} = next;",
        *statements(model, loop.body, own, deep),
        f"{deep}next += by;",
        f"{inner}}}",
        f"{indent}}}",
    ]


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
    return lines + statements(model, entered.on_entry, extra, indent)


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
    lines += derived_lines(model, [test for test, _ in branches], names, inner)
    word = "if"
    for test, body in branches:
        lines.append(f"{inner}{word} ({print_condition(test, names)}) {{")
        lines += statements(model, body, extra, f"{inner}    ")
        lines.append(f"{inner}}}")
        word = "else if"
    if otherwise:
        lines += [
            f"{inner}else {{",
            *statements(model, otherwise, extra, f"{inner}    "),
            f"{inner}}}",
        ]
    return [*lines, f"{indent}}}"]
