"""What there is to say about a component, network or model: titled tables of text and mathematics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, TypeAlias

from .expr import ZERO, Expr, Name
from .expr_print import number_text
from .model import (
    Assign,
    Component,
    Constant,
    Declare,
    Emit,
    For,
    If,
    Integrate,
    Model,
    OnCondition,
    OnEvent,
    Parameter,
    Regime,
    Report,
    Return,
    Statement,
    Transition,
    While,
)
from .network import Experiment, Network, Projection
from .rules import share
from .units import NONE, Dimension, Quantity, dimension_name

if TYPE_CHECKING:
    from .network import Floats

_MAX_TIMES = 8


@dataclass(frozen=True, slots=True)
class Rate:
    """The left side d(name)/dt."""

    name: str


Cell: TypeAlias = tuple[str | Rate | Expr, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A titled table; every row has the same number of cells."""

    title: str
    rows: tuple[tuple[Cell, ...], ...]


def visible(text: str) -> str:
    """Text from a model on one line, without characters that terminals obey."""
    return "".join(
        character if character.isprintable() else " " for character in text.replace("\r\n", "\n")
    )


def heading(component: Component) -> str:
    """`hhcell (pointCellCondBased, a baseCell)`."""
    lineage = [component.type] if component.type else []
    if component.bases:
        lineage.append(f"a {component.bases[0]}")
    kind = f" ({', '.join(lineage)})" if lineage else ""
    return visible(f"component {component.name}{kind}")


def component_sections(component: Component) -> list[Section]:
    """Everything a component holds, most important first; empty parts are left out."""
    found: list[Section] = []
    _add(found, "description", [((component.description,),)] if component.description else [])
    _add(found, "parameters", _valued(component.parameters))
    _add(found, "constants", _valued(component.constants))
    derived = component.derived_parameters
    _add(found, "derived parameters", [_defined(i.name, i.value, i.dimension) for i in derived])
    _add(found, "state variables", _states(component))
    _add(found, "equations", _equations(component))
    handlers = _handlers(component.on_conditions, component.on_events)
    _add(found, "events and conditions", chain(handlers, _timed(component)))
    for machine in component.machines:
        label = f" of {machine.name}" if machine.name else ""
        for regime in machine.regimes:
            start = " (initial)" if regime.name == machine.initial else ""
            _add(found, f"regime {visible(regime.name)}{visible(label)}{start}", _regime(regime))
    _add(found, "kernels", _kernels(component))
    _add(found, "functions", _functions(component))
    _add(found, "in each step", _program(component.update or (), 0))
    _add(found, "must hold", (((item.test,), (item.message,)) for item in component.checks))
    _add(found, "interface", _interface(component))
    _add(found, "children", (((i.name,), (i.id,), (i.component.type,)) for i in component.children))
    return found


def network_sections(network: Network) -> list[Section]:
    """Populations, projections, inputs, quantities, run and recordings."""
    found: list[Section] = []
    populations = (
        (
            (item.name,),
            (_count(item.size, "cell"),),
            (item.component,),
            (_varied({**item.parameters, **item.spread_parameters}),),
        )
        for item in network.populations
    )
    _add(found, "populations", populations)
    _add(found, "projections", (_projection(item, network) for item in network.projections))
    inputs = (
        (
            (item.name,),
            (item.component,),
            (f"{item.population}: {_count(len(item.index), 'cell')}",),
        )
        for item in network.inputs
    )
    _add(found, "inputs", inputs)
    quantities = network.quantities.items()
    _add(found, "quantities (SI)", (((name,), (f"{value:.6g}",)) for name, value in quantities))
    if network.experiment is not None:
        _add(found, "experiment", _experiment(network.experiment))
    return found


def model_sections(model: Model) -> list[Section]:
    """Provenance and the list of components."""
    found: list[Section] = []
    origin = model.provenance
    rows = (("source", origin.source), ("language", f"{origin.language} {origin.version}".strip()))
    _add(found, "provenance", (((key,), (value,)) for key, value in rows if value))
    components = (((item.name,), (item.type,), (_summary(item),)) for item in model.components)
    _add(found, "components", components)
    return found


def _add(sections: list[Section], title: str, rows: Iterable[tuple[Cell, ...]]) -> None:
    listed = tuple(rows)
    if listed:
        sections.append(Section(title, listed))


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _word(dimension: Dimension) -> str:
    return "" if dimension == NONE else dimension_name(dimension)


def _quantity(value: Quantity | None) -> str:
    return "must be given" if value is None else f"{number_text(value.value)} {value.unit.symbol}"


def _valued(items: Iterable[Parameter | Constant]) -> Iterator[tuple[Cell, ...]]:
    """Parameters and constants: name, value with unit, dimension, description."""
    for item in items:
        value = _quantity(item.value)
        yield (item.name,), (value,), (_word(item.dimension),), (item.description,)


def _defined(name: str, value: Expr, dimension: Dimension) -> tuple[Cell, ...]:
    return (Name(name), " = ", value), (_word(dimension),)


def _states(component: Component) -> Iterator[tuple[Cell, ...]]:
    for item in component.state_variables:
        initial: Cell = ("starts at 0",) if item.initial is None else ("starts at ", item.initial)
        yield (item.name,), initial, (_word(item.dimension),), (item.description,)


def _equations(holder: Component | Regime) -> Iterator[tuple[Cell, ...]]:
    for ode in holder.odes:
        yield ((Rate(ode.variable), " = ", ode.rhs), ("",))
    for item in holder.derived_variables:
        yield _defined(item.name, item.value, item.dimension)


def _handlers(
    conditions: tuple[OnCondition, ...], events: tuple[OnEvent, ...]
) -> Iterator[tuple[Cell, ...]]:
    for condition in conditions:
        yield ("when ", condition.test), _body(condition.body)
    for event in events:
        yield (f"on event at {event.port}",), _body(event.body)


def _timed(component: Component) -> Iterator[tuple[Cell, ...]]:
    for item in component.timed_events:
        times = ", ".join(f"{time:.6g}" for time in item.times[:_MAX_TIMES])
        more = f", ... ({len(item.times)} times)" if len(item.times) > _MAX_TIMES else ""
        yield (f"at {times}{more} s",), _body(item.body)


def _kernels(component: Component) -> Iterator[tuple[Cell, ...]]:
    for kernel in component.kernels:
        if kernel.value is not None:
            yield _defined(kernel.name, kernel.value, kernel.dimension)
        for ode in kernel.odes:
            yield ((Rate(ode.variable), " = ", ode.rhs), ("",))
        for state in kernel.initial:
            yield ((f"{state.name} starts at ", state.initial or ZERO), ("",))


def _functions(component: Component) -> Iterator[tuple[Cell, ...]]:
    for function in component.functions:
        names = ", ".join(argument.name for argument in function.arguments)
        yield ((f"{function.name}({names})",),)
        yield from _program(function.body, 1)


def _program(body: tuple[Statement, ...], depth: int) -> Iterator[tuple[Cell, ...]]:
    """A program, a statement a line, branches indented."""
    pad = "  " * depth
    for item in body:
        match item:
            case If(branches=branches, otherwise=otherwise):
                word = "if "
                for test, inner in branches:
                    yield ((pad, word, test),)
                    yield from _program(inner, depth + 1)
                    word = "else if "
                if otherwise:
                    yield ((pad, "else"),)
                    yield from _program(otherwise, depth + 1)
            case While(test=test, body=inner):
                yield ((pad, "while ", test),)
                yield from _program(inner, depth + 1)
            case For(variable=name, start=start, stop=stop, step=step, body=inner):
                yield ((pad, f"for {name} from ", start, " to ", stop, " by ", step),)
                yield from _program(inner, depth + 1)
            case _:
                yield ((pad, *_body((item,))),)


def _regime(regime: Regime) -> Iterator[tuple[Cell, ...]]:
    yield from _equations(regime)
    if regime.on_entry:
        yield ("on entry",), _body(regime.on_entry)
    yield from _handlers(regime.on_conditions, regime.on_events)
    if not (regime.odes or regime.derived_variables or regime.on_entry or regime.on_conditions
            or regime.on_events):  # fmt: skip
        yield ("nothing happens",), ("",)


def _body(body: tuple[Statement, ...]) -> Cell:
    """Statements on one line, separated by semicolons."""
    parts: list[str | Rate | Expr] = []
    for index, statement in enumerate(body):
        parts.append("; " if index else "")
        match statement:
            case Assign(target=target, value=value):
                parts += [Name(target), " := ", value]
            case Emit(port=port, weight=weight):
                parts.append(f"send {port}")
                parts += [] if weight is None else [" with ", weight]
            case Integrate(variables=variables):
                parts.append(f"integrate {', '.join(variables) or 'all equations'}")
            case Declare(name=name, value=value):
                parts += ["local ", Name(name), " := ", value]
            case Report(text=text, level=level):
                parts.append(f"{level}: {text}")
            case Return(value=value):
                parts += ["return ", value]
            case While(test=test, body=inner):
                parts += ["while ", test, " {", *_body(inner), "}"]
            case For(variable=name, body=inner):
                parts += [f"for {name} {{", *_body(inner), "}"]
            case Transition(regime=regime):
                parts.append(f"enter {regime}")
            case If(branches=branches, otherwise=otherwise):
                for test, inner in branches:
                    parts += ["if ", test, " {", *_body(inner), "} "]
                if otherwise:
                    parts += ["else {", *_body(otherwise), "}"]
    return tuple(parts)


def _interface(component: Component) -> Iterator[tuple[Cell, ...]]:
    for source in component.analog_inputs:
        how = "summed" if source.reduce == "add" else source.reduce
        yield ("reads",), (source.name,), (f"{_word(source.dimension)} {how}".strip(),)
    for port in component.event_inputs:
        yield ("events in",), (port.name,), (", ".join(port.payload),)
    for port in component.event_outputs:
        yield ("events out",), (port.name,), ("",)
    for item in component.exposures:
        shown = item.name if item.name == item.variable else f"{item.name} ({item.variable})"
        yield ("exposes",), (shown,), (_word(item.dimension),)
    for attachment in component.attachments:
        yield ("attachments",), (attachment.name,), (attachment.type,)


def _summary(component: Component) -> str:
    """`3 parameters, 2 states, 1 regime machine`."""
    counts = (
        (len(component.parameters), "parameter"),
        (len(component.state_variables), "state"),
        (len(component.machines), "regime machine"),
        (len(component.children), "inner component"),
    )
    return ", ".join(_count(number, what) for number, what in counts if number)


def _projection(item: Projection, network: Network) -> tuple[Cell, ...]:
    details = [_count(round(share(network, item)), "connection")]
    if item.rule is not None:
        details.append(f"{item.rule.kind.replace('_', ' ')}, not drawn")
    if item.kind != "event":
        details.insert(0, item.kind)
    if item.weight is not None:
        details.append(f"weight {_range(item.weight)}")
    if item.delay is not None:
        details.append(f"delay {_range(item.delay * 1e3)} ms")
    route = f"{item.source} -> {item.target}"
    return (item.name,), (route,), (item.synapse,), (", ".join(details),)


def _range(values: Floats) -> str:
    if not len(values):
        return "none"
    low, high = float(values.min()), float(values.max())
    return f"{low:.6g}" if low == high else f"{low:.6g} to {high:.6g}"


def _varied(parameters: Iterable[str]) -> str:
    names = ", ".join(parameters)
    return f"own values of {names}" if names else ""


def _experiment(item: Experiment) -> Iterator[tuple[Cell, ...]]:
    yield ("length",), (f"{item.length:.6g} s",)
    yield ("step",), (f"{item.step:.6g} s",)
    if item.seed is not None:
        yield ("seed",), (str(item.seed),)
    for recording in item.recordings:
        yield ("records",), (recording.path,)
    for events in item.events:
        yield ("records events",), (f"{events.path}, port {events.port}",)
