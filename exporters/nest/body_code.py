"""Statements and expressions of a model as lines of C++."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from ...canonical_model.diagnostics import refuse
from ...canonical_model.expr import TIME, Expr, free_names, is_random
from ...canonical_model.model import (
    INTEGER,
    Assign,
    Declare,
    Emit,
    For,
    If,
    Integrate,
    Report,
    Return,
    Statement,
    Transition,
    While,
)
from ...canonical_model.query import derived_forms
from ...solvers.graph import topological
from ...solvers.plan import STEP
from .names import comment, identifier, string, unique
from .plan import ModelPlan
from .printer import print_condition, print_cpp

LEVELS = {"info": "INFO", "warning": "WARNING", "error": "ERROR"}


@dataclass(frozen=True, slots=True)
class Scope:
    """Where code stands: C++ for every name, how to integrate, locals in use."""

    plan: ModelPlan
    names: dict[str, str]
    integrate: Callable[[Integrate, Scope, str], list[str]] | None = None
    used: set[str] = field(default_factory=set)
    emit: Callable[[Emit, Scope, str], list[str]] | None = None

    def inner(self) -> Scope:
        """A scope whose new names end with it."""
        return replace(self, names=dict(self.names))


def node_names(plan: ModelPlan) -> dict[str, str]:
    """Names as a node's methods write them: shared values in `q`, state in `s`."""
    fields, component = plan.fields, plan.component
    table = {item.name: f"q.given.{fields[item.name]}" for item in plan.parameters}
    table.update({item.name: f"q.{fields[item.name]}" for item in plan.derived})
    table.update({item.name: f"s.{fields[item.name]}" for item in component.state_variables})
    table.update({item.name: f"s.{fields[item.name]}" for item in component.analog_inputs})
    table.update({f"{n}()": f"q.{f}" for n, f in function_names(plan).items()})
    table[TIME], table[STEP] = "t", "h"
    return table


def shared_names(plan: ModelPlan) -> dict[str, str]:
    """Names inside of the shared values: only what is fixed during a run."""
    fields = plan.fields
    table = {item.name: f"given.{fields[item.name]}" for item in plan.parameters}
    table.update({item.name: fields[item.name] for item in plan.derived})
    table.update({f"{n}()": f for n, f in function_names(plan).items()})
    table[STEP] = "h"
    return table


def function_names(plan: ModelPlan) -> dict[str, str]:
    """C++ names of the component's own functions."""
    return unique([item.name for item in plan.component.functions], "f_")


def derived_lines(scope: Scope, expressions: Iterable[Expr], indent: str) -> list[str]:
    """Locals for the derived variables that the expressions need; extends the scope's names."""
    forms = derived_forms(scope.plan.component)
    graph = {
        name: {o for _, _, value in entry for o in free_names(value)} & forms.keys()
        for name, entry in forms.items()
    }
    needed: set[str] = set()
    stack = [name for expr in expressions for name in free_names(expr) & forms.keys()]
    while stack:
        name = stack.pop()
        if name not in needed and name not in scope.names:
            needed.add(name)
            stack.extend(graph[name])
    order, _ = topological(graph)
    lines = []
    for name in order:
        if name not in needed:
            continue
        text = "0.0"
        for machine, regime, value in forms[name]:
            printed = print_cpp(value, scope.names)
            text = printed if machine < 0 else f"( s.r_{machine} == {regime} ? {printed} : {text} )"
        local = local_name(scope, name, "v_")
        lines.append(f"{indent}const double {local} = {text};")
        scope.names[name] = local
    return lines


def local_name(scope: Scope, name: str, prefix: str) -> str:
    """A C++ local that nothing else in the function is called."""
    return unique([name], prefix, scope.used)[name]


def statements_code(
    scope: Scope, body: Sequence[Statement], indent: str, span_marks: bool = True
) -> list[str]:
    """Statements in order; every one sees what the one before it did."""
    lines: list[str] = []
    scope = scope.inner()
    for item in body:
        mark = source_mark(item.span) if span_marks else []
        lines += [f"{indent}{text}" for text in mark]
        lines += _statement(scope, item, indent)
    return lines


def source_mark(span: object) -> list[str]:
    """A comment with the line of the source, which build errors are traced back to."""
    line = getattr(span, "line", 0)
    if not line:
        return []
    return [f"/* {comment(getattr(span, 'file', '').rpartition('/')[2])}:{line} */"]


def _statement(scope: Scope, item: Statement, indent: str) -> list[str]:
    plan = scope.plan
    match item:
        case Assign(target=target, value=value):
            kind = _kind(plan, target)
            return _with_derived(
                scope, [value], indent, lambda s: f"{s.names[target]} = {_value(s, value, kind)};"
            )
        case Declare(name=name, value=value, kind=kind):
            local = local_name(scope, name, "l_")
            lines = [f"{indent}double {local};"]
            lines += _with_derived(
                scope, [value], indent, lambda s: f"{local} = {_value(s, value, kind)};"
            )
            scope.names[name] = local
            return lines
        case Emit() if scope.emit is not None:
            return scope.emit(item, scope, indent)
        case Emit(port=port):
            if port != plan.ports.output:
                return []
            return [f"{indent}++emitted;"]
        case Transition(regime=regime, machine=machine):
            return transition_code(scope, regime, machine, indent)
        case If(branches=branches, otherwise=otherwise):
            return _branches(scope, branches, otherwise, indent)
        case While() | For():
            return _loop(scope, item, indent)
        case Return(value=value):
            return _with_derived(scope, [value], indent, lambda s: f"return {_value(s, value)};")
        case Report(text=text, level=level):
            where = string(plan.title)
            shown = LEVELS.get(level, "INFO")
            return [f"{indent}INTERSPIKE_LOG( {shown}, {where}, {string(text)} );"]
        case Integrate():
            assert scope.integrate is not None
            return scope.integrate(item, scope, indent)
    raise refuse("B301", f"a statement of '{plan.component.name}' has no form in NEST's C++")


def _kind(plan: ModelPlan, target: str) -> str:
    for state in plan.component.state_variables:
        if state.name == target:
            return state.kind
    return ""


def _value(scope: Scope, value: Expr, kind: str = "") -> str:
    text = print_cpp(value, scope.names)
    return f"std::trunc( {text} )" if kind == INTEGER else text


def _with_derived(
    scope: Scope, values: list[Expr], indent: str, text: Callable[[Scope], str]
) -> list[str]:
    """A statement, in braces if it needs derived variables."""
    inner = scope.inner()
    lines = derived_lines(inner, values, f"{indent}  ")
    if not lines:
        return [f"{indent}{text(inner)}"]
    if text(inner).startswith("return "):
        return [*lines, f"{indent}{text(inner)}"]
    return [f"{indent}{{", *lines, f"{indent}  {text(inner)}", f"{indent}}}"]


def transition_code(scope: Scope, regime: str, machine: str, indent: str) -> list[str]:
    """Enter a regime: its actions run at once."""
    machines = scope.plan.component.machines
    names = [m.name for m in machines]
    number = names.index(machine) if machine in names else 0
    regimes = [r.name for r in machines[number].regimes]
    entered = machines[number].regimes[regimes.index(regime)]
    label = identifier(regime)
    lines = [f"{indent}s.r_{number} = {regimes.index(regime)}; /* {label} */"]
    return lines + statements_code(scope, entered.on_entry, indent)


def _branches(
    scope: Scope,
    branches: Sequence[tuple[Expr, tuple[Statement, ...]]],
    otherwise: Sequence[Statement],
    indent: str,
) -> list[str]:
    inner = scope.inner()
    needed = derived_lines(inner, [test for test, _ in branches], f"{indent}  ")
    deep = f"{indent}  " if needed else indent
    lines: list[str] = []
    word = "if"
    for test, body in branches:
        lines += [f"{deep}{word} ( {print_condition(test, inner.names)} )", f"{deep}{{"]
        # what a body needs it computes itself, after what was done before it
        lines += [*statements_code(scope, body, f"{deep}  "), f"{deep}}}"]
        word = "else if"
    if otherwise:
        lines += [f"{deep}else", f"{deep}{{", *statements_code(scope, otherwise, f"{deep}  ")]
        lines.append(f"{deep}}}")
    return [f"{indent}{{", *needed, *lines, f"{indent}}}"] if needed else lines


def _loop(scope: Scope, item: While | For, indent: str) -> list[str]:
    """A loop; its test is evaluated anew each time."""
    inner = scope.inner()
    deep = f"{indent}  "
    if isinstance(item, While):
        needed = derived_lines(inner, [item.test], deep)
        test = print_condition(item.test, inner.names)
        head = [f"{indent}while ( true )", f"{indent}{{", *needed]
        head += [f"{deep}if ( not( {test} ) )", f"{deep}{{", f"{deep}  break;", f"{deep}}}"]
        return [*head, *statements_code(scope, item.body, deep), f"{indent}}}"]
    own = scope.inner()
    lines = []
    if item.variable not in own.names:
        own.names[item.variable] = local_name(scope, item.variable, "l_")
        lines.append(f"{indent}double {own.names[item.variable]};")
    variable = own.names[item.variable]
    limits = scope.inner()
    needed = derived_lines(limits, [item.start, item.stop, item.step], indent)
    start, stop, step = (print_cpp(e, limits.names) for e in (item.start, item.stop, item.step))
    test = f"( {step} ) > 0.0 ? {variable} < ( {stop} ) : {variable} > ( {stop} )"
    lines += [
        *needed,
        f"{indent}for ( {variable} = {start}; {test}; {variable} += {step} )",
        f"{indent}{{",
        *statements_code(own, item.body, deep),
        f"{indent}}}",
    ]
    return [f"{indent}{{", *lines, f"{indent}}}"]


def draws(plan: ModelPlan, expressions: Iterable[Expr]) -> bool:
    """True if random numbers are drawn, directly or through derived variables."""
    forms = derived_forms(plan.component)
    seen: set[str] = set()
    stack = list(expressions)
    while stack:
        expr = stack.pop()
        if is_random(expr):
            return True
        for name in free_names(expr) & forms.keys() - seen:
            seen.add(name)
            stack += [value for _, _, value in forms[name]]
    return False
