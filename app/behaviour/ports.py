"""Event ports in one common form: what arrives carries its weight, and signs are tests in the handlers."""

from __future__ import annotations

from dataclasses import replace

from ...canonical_model.expr import Binary, Name, Number, Unary, free_names, substitute
from ...canonical_model.model import Component, EventPort, If, OnEvent
from ...canonical_model.passes.change import all_expressions, change_statement
from ...canonical_model.passes.merge import WEIGHT, with_weight_payload

EXCITATORY = "excitatory"


def with_common_ports(flat: Component) -> Component:
    """A parameter `weight` that connections set arrives with each event; no port has a sign."""
    if any(item.name == WEIGHT for item in flat.parameters) and not _is_read(flat, WEIGHT):
        for port in flat.event_inputs:
            flat = with_weight_payload(flat, port.name)
    ports = {port.name: port for port in flat.event_inputs if port.sign and port.payload}
    if not ports:
        return flat

    def changed(handlers: tuple[OnEvent, ...]) -> tuple[OnEvent, ...]:
        return tuple(
            _tested(item, ports[item.port]) if item.port in ports else item for item in handlers
        )

    machines = tuple(
        replace(
            machine,
            regimes=tuple(replace(r, on_events=changed(r.on_events)) for r in machine.regimes),
        )
        for machine in flat.machines
    )
    inputs = tuple(replace(port, sign="") for port in flat.event_inputs)
    return replace(flat, event_inputs=inputs, on_events=changed(flat.on_events), machines=machines)


def _is_read(flat: Component, name: str) -> bool:
    """Is the quantity read anywhere but where an event arrives?"""

    def deaf(items: tuple[OnEvent, ...]) -> tuple[OnEvent, ...]:
        return tuple(replace(item, body=()) for item in items)

    machines = tuple(
        replace(m, regimes=tuple(replace(r, on_events=deaf(r.on_events)) for r in m.regimes))
        for m in flat.machines
    )
    rest = replace(flat, on_events=deaf(flat.on_events), machines=machines)
    return any(name in free_names(expr) for expr in all_expressions(rest))


def _tested(handler: OnEvent, port: EventPort) -> OnEvent:
    """The handler with the meaning of the port's sign written out."""
    weight, body = Name(WEIGHT), handler.body
    if port.sign == EXCITATORY:
        test = Binary(">", weight, Number(0.0))
    else:
        test = Binary("<", weight, Number(0.0))
        opposite = {WEIGHT: Unary("-", weight)}
        body = tuple(change_statement(s, lambda e: substitute(e, opposite)) for s in body)
    return replace(handler, body=(If(branches=((test, body),)),))
