"""The text of one model, block by block, in the order in which NESTML's own library writes them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ...canonical_model.expr import ZERO, Expr, Name, Number, free_names
from ...canonical_model.model import (
    BOOLEAN,
    INTEGER,
    REAL,
    TEXT,
    Check,
    Component,
    Constant,
    DerivedParameter,
    DerivedVariable,
    Function,
    Kernel,
    OnEvent,
    Parameter,
    StateVariable,
)
from ...canonical_model.query import declared
from ...canonical_model.units import NONE, Dimension, Quantity
from ...solvers.graph import topological
from .adapt import with_dimension
from .functions import HELPERS, with_needs
from .printer import Context, NestmlPrinter
from .statements import Writer
from .text import comment_lines, declaration, quoted, wrapped
from .unit_text import is_unit_text, unit_for

INDENT = "    "
_DECORATOR = re.compile(r"[A-Za-z_]\w*(?:::[A-Za-z_]\w*)?")


@dataclass(slots=True)
class Model:
    """A component ready to be written, and what its expressions need."""

    component: Component
    name: str
    context: Context
    output: str
    notes: list[str] = field(default_factory=list)

    def expr(self, expr: Expr, expected: Dimension | None = None, kind: str = REAL) -> str:
        """An expression of a declaration."""
        return NestmlPrinter(self.context).text(self.typed(expr, expected, kind))

    def typed(self, expr: Expr, expected: Dimension | None, kind: str = REAL) -> Expr:
        """The expression with zeros in the dimension of their place."""
        if self.context.plain:
            return expr
        return with_dimension(expr, expected, self.context.dimensions.get)

    def type_of(self, name: str, dimension: Dimension, kind: str) -> str:
        """The type of a declaration: as its author wrote it, else the unit of its dimension."""
        if kind != REAL:
            return kind
        written = self.component.extras.get(f"unit:{name}", "")
        if self.context.as_written and is_unit_text(written):
            return written
        return "real" if self.context.plain else unit_for(dimension)

    def value(self, quantity: Quantity | None, dimension: Dimension, kind: str) -> str:
        """The value of a parameter."""
        if quantity is None:
            return self.expr(ZERO, dimension, kind)
        if kind == BOOLEAN:
            return "true" if quantity.value else "false"
        unit = quantity.unit
        if unit.dimension == NONE and not self.context.plain and unit.scale == 1:
            return self.expr(Number(quantity.value), dimension, kind)
        return self.expr(Number(quantity.value, unit), dimension, kind)


def model_text(model: Model) -> str:
    """The model as NESTML, without the comment in front of it."""
    component = model.component
    writer = Writer(model.context, component, model.output)
    sections = {
        "state": _states(model),
        "equations": _equations(model),
        "parameters": _parameters(model),
        "internals": _internals(model),
        "input": _inputs(model),
        "output": _spikes(model),
    }
    body = [line for head, lines in sections.items() for line in _noted(model, head, head, lines)]
    program = [
        *_noted(model, "update", "update", writer.body(component.update or (), "update")),
        *_events(model, writer),
        *_conditions(model, writer),
    ]
    functions = [line for item in component.functions for line in _function(model, item)]
    lines = [*body, *functions, *_helpers(model), *program]
    if not lines:
        lines = _block("state", ["nothing real = 0"])
    head = f"model {model.name}:"
    return "\n".join([head, *(wrapped(f"{INDENT}{x}") if x else "" for x in lines)]).rstrip() + "\n"


def _block(head: str, lines: Iterable[str]) -> list[str]:
    body = [f"{INDENT}{line}" if line else "" for line in lines]
    return [f"{head}:", *body, ""] if any(line.strip() for line in body) else []


def _noted(model: Model, label: str, head: str, lines: Iterable[str]) -> list[str]:
    """A block with the comments that belong to it and to no item of it."""
    notes = model.component.extras
    key = f"comments:{label}"
    loose = list(comment_lines(notes.get(f"{key}:loose", "")))
    inner = [*loose, *([""] if loose else []), *lines]
    if not any(line.strip() for line in inner[len(loose) :]):
        return []
    inner += comment_lines(notes.get(f"{key}:after", ""))
    return [*comment_lines(notes.get(key, "")), *_block(head, inner)]


def _spikes(model: Model) -> Iterator[str]:
    if model.output:
        yield from declaration("spike", model.component.extras.get("comments:port:spike", ""))


def _states(model: Model) -> Iterator[str]:
    """Every state with its initial value, in an order in which they can be evaluated."""
    component = model.component
    items = {s.name: s for s in component.state_variables}
    items.update({s.name: s for k in component.kernels for s in k.initial})
    graph = {
        name: free_names(s.initial) & items.keys() - {name} if s.initial is not None else set()
        for name, s in items.items()
    }
    checks = _checks(component, list(items))
    for name in _file_order(graph):
        yield from _state(model, items[name], checks.get(name, []))


def _file_order(graph: Mapping[str, Iterable[str]]) -> list[str]:
    """The order as written if it can stay, else one in which each comes after what it reads."""
    seen: set[str] = set()
    for name, needs in graph.items():
        if set(needs) - seen:
            order, _ = topological(graph)
            return [n for n in order if n in graph] + [n for n in graph if n not in order]
        seen.add(name)
    return list(graph)


def _state(model: Model, state: StateVariable, checks: Sequence[Check]) -> Iterator[str]:
    initial = state.initial if state.initial is not None else ZERO
    if state.kind == BOOLEAN and isinstance(initial, Number):
        value = "true" if initial.value else "false"
    else:
        value = model.expr(initial, state.dimension, state.kind)
    name = NestmlPrinter(model.context).text(Name(state.name))
    kind = model.type_of(state.name, state.dimension, state.kind)
    text = f"{name} {kind} = {value}{_guard(model, checks)}"
    text += _decorators(model, state.name)
    yield from declaration(text, _about(model, state.name, state.description))


def _about(model: Model, name: str, description: str) -> str:
    """The item's comment; a name that could not stay is told."""
    original = f"({name!r} in the source)" if model.context.names.changed(name) else ""
    return " ".join(part for part in (description, original) if part)


def _port_about(model: Model, name: str) -> str:
    return _about(model, name, model.component.extras.get(f"comments:port:{name}", ""))


def _equations(model: Model) -> Iterator[str]:
    component, context = model.component, model.context
    if context.delta:
        yield from comment_lines(component.extras.get(f"comments:kernel:{context.delta}", ""))
        yield f"kernel {context.names[context.delta]} = delta(t)"
    for kernel in component.kernels:
        yield from _kernel(model, kernel)
    recorded = {e.variable for e in component.exposures}
    table = {d.name: d for d in component.derived_variables}
    graph = {n: free_names(d.value) & table.keys() - {n} for n, d in table.items()}
    for name in _file_order(graph):
        yield from _inline(model, table[name], name in recorded)
    for ode in component.odes:
        base, order = context.primes.get(ode.variable, (ode.variable, 0))
        if _is_step_of_order(model, ode.variable):
            continue
        dimension = context.dimensions.get(ode.variable)
        expected = None if dimension is None else dimension / _SECOND
        right = model.expr(ode.rhs, expected)
        if context.plain:
            right = f"({right}) / 1 s"
        yield from comment_lines(component.extras.get(f"comments:ode:{ode.variable}", ""))
        yield f"{context.names[base]}{chr(39) * (order + 1)} = {right}"


_SECOND = Dimension(t=1)


def _is_step_of_order(model: Model, variable: str) -> bool:
    """True for `x' = x__d`, which only says that x__d is the derivative."""
    context = model.context
    base, order = context.primes.get(variable, (variable, 0))
    return any(entry == (base, order + 1) for entry in context.primes.values())


def _inline(model: Model, item: DerivedVariable, is_recorded: bool) -> Iterator[str]:
    word = "recordable inline" if is_recorded else "inline"
    kind = model.component.extras.get(f"type:{item.name}", REAL)
    kind = kind if kind in (BOOLEAN, INTEGER) else REAL
    unit = model.type_of(item.name, item.dimension, kind)
    value = model.expr(item.value, item.dimension)
    text = f"{word} {model.context.names[item.name]} {unit} = {value}"
    yield from declaration(text, _about(model, item.name, item.description))


def _kernel(model: Model, kernel: Kernel) -> Iterator[str]:
    yield from comment_lines(kernel.description)
    names = model.context.names
    if kernel.value is not None:
        yield f"kernel {names[kernel.name]} = {model.expr(kernel.value)}"
        return
    printer = NestmlPrinter(model.context)
    parts = []
    for ode in kernel.odes:
        base, order = model.context.primes.get(ode.variable, (ode.variable, 0))
        if not _is_step_of_order(model, ode.variable):
            left = f"{names[base]}{chr(39) * (order + 1)}"
            parts.append(f"{left} = {printer.text(model.typed(ode.rhs, None))}")
    for position, part in enumerate(parts):
        head = "kernel " if position == 0 else " " * 7
        yield f"{head}{part}{',' if position + 1 < len(parts) else ''}"


def _parameters(model: Model) -> Iterator[str]:
    """Parameters, those that follow from others after them, each with its checks."""
    component = model.component
    derived = {d.name: d for d in component.derived_parameters if _is_settable(component, d)}
    plain = {p.name: p for p in component.parameters if p.kind != TEXT}
    later = {d.name for d in component.derived_parameters} - derived.keys()
    later |= {s.name for s in component.state_variables}
    checks = _checks(component, [*plain, *derived], later)
    for name, item in plain.items():
        value = model.value(item.value, item.dimension, item.kind)
        yield from _static(model, item, value, checks.get(name, []))
    graph = {n: free_names(d.value) & derived.keys() - {n} for n, d in derived.items()}
    for name in _file_order(graph):
        entry = derived[name]
        value = model.expr(entry.value, entry.dimension, entry.kind)
        yield from _static(model, entry, value, checks.get(name, []))
    yield from _texts(model)


def _is_settable(component: Component, item: DerivedParameter) -> bool:
    return component.extras.get(f"parameter:{item.name}") == "settable"


def _guard(model: Model, checks: Sequence[Check]) -> str:
    tests = [model.expr(check.test) for check in checks]
    if len(tests) > 1:
        tests = [f"({test})" for test in tests]
    return f" [[ {' and '.join(tests)} ]]" if tests else ""


def _checks(
    component: Component, order: Sequence[str], later: Iterable[str] = ()
) -> dict[str, list[Check]]:
    """Checks by the last quantity of `order` that they read; those that read `later` ones are left."""
    skip = set(later)
    found: dict[str, list[Check]] = {}
    for check in component.checks:
        names = [name for name in order if name in free_names(check.test)]
        if names and not free_names(check.test) & skip:
            found.setdefault(names[-1], []).append(check)
    return found


def _static(
    model: Model,
    item: Parameter | Constant | DerivedParameter,
    value: str,
    checks: Sequence[Check] = (),
) -> Iterator[str]:
    unit = model.type_of(item.name, item.dimension, item.kind)
    text = f"{model.context.names[item.name]} {unit} = {value}"
    text += _guard(model, checks) + _decorators(model, item.name)
    yield from declaration(text, _about(model, item.name, item.description))


def _decorators(model: Model, name: str) -> str:
    """`@homogeneous` and the like, as the author wrote them."""
    words = model.component.extras.get(f"decorator:{name}", "").split()
    return "".join(f" @{word}" for word in words if _DECORATOR.fullmatch(word))


def _texts(model: Model) -> Iterator[str]:
    """Parameters that are texts."""
    if model.context.as_written:
        for name, text in model.component.texts.items():
            yield f'{model.context.names[name]} string = "{quoted(text)}"'


def _internals(model: Model) -> Iterator[str]:
    component = model.component
    for constant in component.constants:
        value = model.value(constant.value, constant.dimension, constant.kind)
        yield from _static(model, constant, value)
    own = {d.name: d for d in component.derived_parameters if not _is_settable(component, d)}
    checks = _checks(component, list(own), {s.name for s in component.state_variables})
    graph = {n: free_names(d.value) & own.keys() - {n} for n, d in own.items()}
    for name in _file_order(graph):
        value = model.expr(own[name].value, own[name].dimension, own[name].kind)
        yield from _static(model, own[name], value, checks.get(name, []))


def _inputs(model: Model) -> Iterator[str]:
    names = model.context.names
    for port in model.component.event_inputs:
        sign = f"{port.sign} " if port.sign in ("excitatory", "inhibitory") else ""
        yield from declaration(f"{names[port.name]} <- {sign}spike", _port_about(model, port.name))
    for source in model.component.analog_inputs:
        unit = model.type_of(source.name, source.dimension, REAL)
        text = f"{names[source.name]} {unit} <- continuous"
        yield from declaration(text, _port_about(model, source.name))


def _function(model: Model, item: Function) -> list[str]:
    """A function block; its arguments are names of its own."""
    context = model.context
    dimensions = {**context.dimensions, **{a.name: a.dimension for a in item.arguments}}
    kinds = {**context.kinds, **{a.name: a.kind for a in item.arguments}}
    inner = replace(context, dimensions=dimensions, kinds=kinds)
    arguments = ", ".join(
        f"{context.names[a.name]} {model.type_of(f'{item.name}():{a.name}', a.dimension, a.kind)}"
        for a in item.arguments
    )
    result = model.type_of(f"{item.name}()", item.dimension, item.kind)
    writer = Writer(inner, model.component, model.output, result=item.dimension)
    label = f"function:{item.name}"
    head = f"function {context.names[item.name]}({arguments}) {result}"
    body = _noted(model, label, head, writer.body(item.body, label))
    return [*comment_lines(item.description), *body]


def _helpers(model: Model) -> list[str]:
    """Function blocks for functions that the language lacks, where the model uses them."""
    lines = []
    helpers = model.context.helpers
    for name in with_needs(set(helpers)):
        arguments, comment, body = HELPERS[name]
        head = f"function {helpers[name]}({arguments}) real"
        lines += [f"# {comment}", *_block(head, (line.format(**helpers) for line in body))]
    return lines


def _events(model: Model, writer: Writer) -> list[str]:
    lines = []
    for item in model.component.on_events:
        priority = _priority(item, model.component.on_events)
        label = f"onReceive:{item.port}"
        head = f"onReceive({model.context.names[item.port]}{priority})"
        port = item.port if item.port in model.context.payloads else ""
        lines += _noted(model, label, head, writer.body(item.body, label, port))
    return lines


def _priority(item: OnEvent, handlers: Sequence[OnEvent]) -> str:
    """NESTML wants a distinct priority for every handler, or none at all."""
    numbers = {handler.priority for handler in handlers}
    if numbers == {0} or len(numbers) == 1 < len(handlers):
        return ""
    if len(numbers) == len(handlers):
        return f", priority={item.priority}"
    rank = sorted(handlers, key=lambda h: h.priority, reverse=True)
    return f", priority={10 + len(rank) - rank.index(item)}"


def _conditions(model: Model, writer: Writer) -> list[str]:
    lines = []
    for number, item in enumerate(model.component.on_conditions):
        label = f"onCondition:{number}"
        head = f"onCondition({writer.test(item.test)})"
        lines += _noted(model, label, head, writer.body(item.body, label))
    return lines


def dimensions_of(component: Component) -> dict[str, Dimension | None]:
    """What names mean: quantities, inputs, `weight`, functions and kernels (as `name()`)."""
    table: dict[str, Dimension | None] = {d.name: d.dimension for d in declared(component)}
    table.update({i.name: i.dimension for i in component.analog_inputs})
    table.update({f"{f.name}()": f.dimension for f in component.functions})
    table.update({f"{k.name}()": k.dimension for k in component.kernels})
    table.update({f"{s.name}()": s.dimension for k in component.kernels for s in k.initial})
    table.update({s.name: s.dimension for k in component.kernels for s in k.initial})
    for port in component.event_inputs:
        for name in port.payload:
            table.setdefault(name, NONE)
    return table
