"""The text of one model, block by block, in the order in which NESTML's own library writes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ...canonical_model.expr import ZERO, Expr, Name, Number, free_names
from ...canonical_model.model import (
    BOOLEAN,
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
from .names import Names
from .printer import Context, NestmlPrinter
from .statements import Writer
from .text import comment_lines, declaration, wrapped
from .unit_text import is_unit_text, unit_for

INDENT = "    "


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
    body = [
        *_block("state", _states(model)),
        *_block("equations", _equations(model)),
        *_block("parameters", _parameters(model)),
        *_block("internals", _internals(model)),
        *_block("input", _inputs(model)),
        *_block("output", ["spike"] if model.output else []),
    ]
    program = [
        *_block("update", writer.body(component.update or ())),
        *_events(model, writer),
        *_conditions(model, writer),
    ]
    functions = [line for item in component.functions for line in _function(model, item)]
    lines = [*body, *functions, *_helpers(model), *program]
    if not lines:
        lines = _block("update", writer.body(()) or ["pass_ real = 0"])
    head = f"model {model.name}:"
    return "\n".join([head, *(wrapped(f"{INDENT}{x}") if x else "" for x in lines)]).rstrip() + "\n"


def _block(head: str, lines: Iterable[str]) -> list[str]:
    body = [f"{INDENT}{line}" if line else "" for line in lines]
    return [f"{head}:", *body, ""] if any(line.strip() for line in body) else []


def _states(model: Model) -> Iterator[str]:
    """Every state with its initial value, in an order in which they can be evaluated."""
    component = model.component
    items = {s.name: s for s in component.state_variables}
    items.update({s.name: s for k in component.kernels for s in k.initial})
    graph = {
        name: free_names(s.initial) & items.keys() - {name} if s.initial is not None else set()
        for name, s in items.items()
    }
    for name in _file_order(graph):
        yield from _state(model, items[name])


def _file_order(graph: Mapping[str, Iterable[str]]) -> list[str]:
    """The order as written if it can stay, else one in which each comes after what it reads."""
    seen: set[str] = set()
    for name, needs in graph.items():
        if set(needs) - seen:
            order, _ = topological(graph)
            return [n for n in order if n in graph] + [n for n in graph if n not in order]
        seen.add(name)
    return list(graph)


def _state(model: Model, state: StateVariable) -> Iterator[str]:
    initial = state.initial if state.initial is not None else ZERO
    if state.kind == BOOLEAN and isinstance(initial, Number):
        value = "true" if initial.value else "false"
    else:
        value = model.expr(initial, state.dimension, state.kind)
    name = NestmlPrinter(model.context).text(Name(state.name))
    kind = model.type_of(state.name, state.dimension, state.kind)
    yield from declaration(f"{name} {kind} = {value}", _about(model, state.name, state.description))


def _about(model: Model, name: str, description: str) -> str:
    """The item's comment; a name that could not stay is told."""
    original = f"({name!r} in the source)" if model.context.names.changed(name) else ""
    return " ".join(part for part in (description, original) if part)


def _equations(model: Model) -> Iterator[str]:
    component, context = model.component, model.context
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
        yield f"{context.names[base]}{chr(39) * (order + 1)} = {right}"


_SECOND = Dimension(t=1)


def _is_step_of_order(model: Model, variable: str) -> bool:
    """True for `x' = x__d`, which only says that x__d is the derivative."""
    context = model.context
    base, order = context.primes.get(variable, (variable, 0))
    return any(entry == (base, order + 1) for entry in context.primes.values())


def _inline(model: Model, item: DerivedVariable, is_recorded: bool) -> Iterator[str]:
    word = "recordable inline" if is_recorded else "inline"
    unit = model.type_of(item.name, item.dimension, REAL)
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
    checks = _checks(component, [*plain, *derived])
    for name, item in plain.items():
        value = model.value(item.value, item.dimension, item.kind)
        yield from _static(model, item, value, checks.get(name, []))
    graph = {n: free_names(d.value) & derived.keys() - {n} for n, d in derived.items()}
    for name in _file_order(graph):
        entry = derived[name]
        value = model.expr(entry.value, entry.dimension, entry.kind)
        yield from _static(model, entry, value, checks.get(name, []))


def _is_settable(component: Component, item: DerivedParameter) -> bool:
    return component.extras.get(f"parameter:{item.name}") == "settable"


def _checks(component: Component, order: Sequence[str]) -> dict[str, list[Check]]:
    """Checks by the last parameter that they read."""
    found: dict[str, list[Check]] = {}
    for check in component.checks:
        names = [name for name in order if name in free_names(check.test)]
        if names:
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
    if checks:
        tests = [model.expr(check.test) for check in checks]
        text += f" [[ {' and '.join(tests)} ]]"
    yield from declaration(text, _about(model, item.name, item.description))


def _internals(model: Model) -> Iterator[str]:
    component = model.component
    for constant in component.constants:
        value = model.value(constant.value, constant.dimension, constant.kind)
        yield from _static(model, constant, value)
    own = {d.name: d for d in component.derived_parameters if not _is_settable(component, d)}
    graph = {n: free_names(d.value) & own.keys() - {n} for n, d in own.items()}
    for name in _file_order(graph):
        value = model.expr(own[name].value, own[name].dimension, own[name].kind)
        yield from _static(model, own[name], value)


def _inputs(model: Model) -> Iterator[str]:
    names = model.context.names
    for port in model.component.event_inputs:
        sign = f"{port.sign} " if port.sign in ("excitatory", "inhibitory") else ""
        yield from declaration(f"{names[port.name]} <- {sign}spike", _about(model, port.name, ""))
    for source in model.component.analog_inputs:
        unit = model.type_of(source.name, source.dimension, REAL)
        text = f"{names[source.name]} {unit} <- continuous"
        yield from declaration(text, _about(model, source.name, ""))


def _function(model: Model, item: Function) -> list[str]:
    """A function block; its arguments are names of its own."""
    names = Names()
    context = model.context
    dimensions: dict[str, Dimension | None] = {
        **context.dimensions,
        **{argument.name: argument.dimension for argument in item.arguments},
    }
    kinds = {argument.name: argument.kind for argument in item.arguments}
    inner = Context(
        context.names, dimensions, {**context.kinds, **kinds}, functions=context.functions,
        helpers=context.helpers, plain=context.plain, as_written=context.as_written,
    )  # fmt: skip
    del names
    arguments = ", ".join(
        f"{context.names[a.name]} {_function_type(model, f'{item.name}.{a.name}', a.dimension, a.kind)}"
        for a in item.arguments
    )
    result = _function_type(model, item.name, item.dimension, item.kind)
    writer = Writer(inner, model.component, model.output, result=item.dimension)
    head = f"function {context.names[item.name]}({arguments}) {result}"
    return [*comment_lines(item.description), *_block(head, writer.body(item.body))]


def _function_type(model: Model, key: str, dimension: Dimension, kind: str) -> str:
    return model.type_of(key, dimension, kind)


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
        head = f"onReceive({model.context.names[item.port]}{priority})"
        lines += _block(head, writer.body(item.body, port=_weighted(model.component, item.port)))
    return lines


def _weighted(component: Component, port: str) -> str:
    """The port if its events carry a weight that handlers read."""
    found = next((p for p in component.event_inputs if p.name == port), None)
    return port if found is not None and "weight" in found.payload else ""


def _priority(item: OnEvent, handlers: Sequence[OnEvent]) -> str:
    """NESTML wants a distinct priority for every handler, or none at all."""
    numbers = {handler.priority for handler in handlers}
    if len(numbers) == 1:
        return ""
    if len(numbers) == len(handlers):
        return f", priority={item.priority}"
    rank = sorted(handlers, key=lambda h: h.priority, reverse=True)
    return f", priority={10 + len(rank) - rank.index(item)}"


def _conditions(model: Model, writer: Writer) -> list[str]:
    lines = []
    for item in model.component.on_conditions:
        head = f"onCondition({writer.test(item.test)})"
        lines += _block(head, writer.body(item.body))
    return lines


def dimensions_of(component: Component) -> dict[str, Dimension | None]:
    """What names mean: quantities, inputs, `weight`, functions and kernels (as `name()`)."""
    table: dict[str, Dimension | None] = {d.name: d.dimension for d in declared(component)}
    table.update({i.name: i.dimension for i in component.analog_inputs})
    table.update({f"{f.name}()": f.dimension for f in component.functions})
    table.update({f"{k.name}()": k.dimension for k in component.kernels})
    table.update({s.name: s.dimension for k in component.kernels for s in k.initial})
    if any("weight" in p.payload for p in component.event_inputs):
        table.setdefault("weight", NONE)
    return table
