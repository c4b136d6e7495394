"""Bring a time-step component into the one form that simulator and code generators run.

Functions and kernels are lowered; what arrives at a port is summed in a state; the step's stages (program,
event handlers by priority, traces, their spikes) become one `update` program. Conditions stay: they are
tested after it, in order. Events that are due at the end of a step take part in that step.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from .. import model
from ..expr import (
    GRID_FUNCTIONS,
    ONE,
    ZERO,
    Binary,
    Call,
    Expr,
    Name,
    Number,
    rebuild,
    substitute,
    walk,
)
from ..query import declared, weight_name
from ..units import TIME, Unit
from .change import (
    Body,
    all_expressions,
    change_expressions,
    change_statement,
    port_of,
    replace_calls,
)
from .inline import inline_functions
from .kernels import LAST, lower_kernels

EDGE = 1e-6  # of a step: a time that is a whole number of steps up to rounding stays so


@dataclass(frozen=True, slots=True)
class _Port:
    """The states that gather what arrives at a port in a step: the sum of weights, and whether any came.

    `weight` is what handlers call the weight of an event, "" where events carry none.
    """

    name: str
    total: str
    flag: str
    weight: str


def lower_program(component: model.Component) -> model.Component:
    """The component with one program for the whole step.

    Raises ModelError K1xx (a kernel or function that cannot be lowered).
    """
    lowered = lower_kernels(inline_functions(component))
    if lowered.update is None:
        return lowered
    ports = {item.name: _port(lowered, item.name) for item in lowered.event_inputs}
    used = _used(lowered)
    ports = {name: port for name, port in ports.items() if name in used}
    changed = change_expressions(
        replace(lowered, on_events=()), lambda expr: _arrivals(expr, ports)
    )
    handlers = sorted(lowered.on_events, key=lambda item: -item.priority)
    early = [_handler(item, ports) for item in handlers if item.priority != LAST]
    late = [_handler(item, ports) for item in handlers if item.priority == LAST]
    traces = (model.Integrate(variables=lowered.traces),) if lowered.traces else ()
    resets = tuple(
        model.Assign(target=state, value=ZERO)
        for port in ports.values()
        for state in (port.total, port.flag)
    )
    assert changed.update is not None
    return replace(
        changed,
        update=(*changed.update, *early, *traces, *late, *resets),
        on_events=tuple(
            _gather(ports[item.name]) for item in lowered.event_inputs if item.name in ports
        ),
        state_variables=(
            *changed.state_variables,
            *(model.StateVariable(name=name) for p in ports.values() for name in (p.total, p.flag)),
        ),
    )


def _port(component: model.Component, name: str) -> _Port:
    taken = {item.name for item in declared(component)}
    found = []
    for suffix in ("arrived", "came"):
        wanted = f"{name}__{suffix}"
        while wanted in taken:
            wanted += "_"
        found.append(wanted)
    return _Port(name, found[0], found[1], weight_name(component, name))


def _used(component: model.Component) -> set[str]:
    """Ports that are listened to at all."""
    found = {item.port for item in component.on_events}
    for expr in all_expressions(component):
        for node in walk(expr):
            if isinstance(node, Call) and node.function == "arrived":
                found |= {arg.id for arg in node.args if isinstance(arg, Name)}
    return found


def _arrivals(expr: Expr, ports: dict[str, _Port]) -> Expr:
    """What arrived at a port is the sum that is kept of it."""
    return replace_calls(expr, "arrived", lambda call: Name(ports[port_of(call)].total, call.span))


def _handler(item: model.OnEvent, ports: dict[str, _Port]) -> model.If:
    """What is done, once per step, if anything came."""
    port = ports[item.port]
    values: dict[str, Expr] = {port.weight: Name(port.total)} if port.weight else {}

    def change(expr: Expr) -> Expr:
        return _arrivals(substitute(expr, values), ports)

    body: Body = tuple(change_statement(statement, change) for statement in item.body)
    return model.If(branches=((Binary(">", Name(port.flag), ZERO), body),), span=item.span)


def _gather(port: _Port) -> model.OnEvent:
    came = Name(port.weight) if port.weight else ONE
    return model.OnEvent(
        port=port.name,
        body=(
            model.Assign(target=port.total, value=Binary("+", Name(port.total), came)),
            model.Assign(target=port.flag, value=ONE),
        ),
    )


def bind_step(component: model.Component, step: float) -> model.Component:
    """`resolution()` and `timestep()` as the number that they are, `steps(x)` as x over it, rounded up."""
    used = {
        node.function
        for expr in all_expressions(component)
        for node in walk(expr)
        if isinstance(node, Call)
    }
    if not used & GRID_FUNCTIONS:
        return component
    length = Number(step, Unit("s", TIME))

    def change(expr: Expr) -> Expr:
        inner = rebuild(expr, change)
        if not isinstance(inner, Call):
            return inner
        if inner.function in ("resolution", "timestep"):
            return length
        if inner.function == "steps":
            count = Binary("/", inner.args[0], length)
            return Call("ceil", (Binary("-", count, Number(EDGE)),))
        return inner

    return change_expressions(component, change)
