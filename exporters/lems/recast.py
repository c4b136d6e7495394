"""Forms that jLEMS runs otherwise than they are meant are recast; what LEMS has no word for is refused."""

from __future__ import annotations

import math
from dataclasses import replace

from ...canonical_model.diagnostics import Level, Log, refuse
from ...canonical_model.model import (
    TEXT,
    Component,
    OnEvent,
)
from ...canonical_model.query import declared
from .modes import modes_to_state, must_be_modes
from .quantities import HUGE


def gathered(component: Component) -> Component:
    """Common conditions inside of each regime: jLEMS tests common ones before a regime moves its states."""
    if not component.machines or not component.on_conditions:
        return component
    machines = tuple(
        replace(
            machine,
            regimes=tuple(
                replace(r, on_conditions=(*component.on_conditions, *r.on_conditions))
                for r in machine.regimes
            ),
        )
        for machine in component.machines
    )
    moved = replace(component, machines=machines, on_conditions=())
    return modes_to_state(component) if must_be_modes(moved) else moved


def refuse_unsayable(component: Component) -> None:
    """What LEMS has no word for, by name."""
    for item in declared(component):
        if getattr(item, "kind", "real") == TEXT:
            message = f"'{item.name}' of '{component.name}' is a text"
            raise refuse("P205", message, item.span)
    if component.timed_events:
        message = f"'{component.name}' has a list of event times among its other dynamics"
        raise refuse("P205", message, component.span, hint="send them from a source of their own")


def note_losses(component: Component, log: Log) -> None:
    for item in component.parameters:
        if item.value is not None and math.isinf(item.value.si):
            message = f"'{item.name}' of '{component.name}' is infinite, which becomes {HUGE:g}"
            log.add("P224", Level.APPROXIMATED, message, item.span)
    for port in component.event_inputs:
        if port.sign:
            message = (
                f"that the port '{port.name}' of '{component.name}' takes {port.sign} events only is kept in "
                "an annotation: in LEMS a connection chooses the port, and a weight is a size"
            )
            log.add("P227", Level.NOTE, message, port.span)
    if component.checks:
        message = f"the checks of parameters of '{component.name}' have no place in LEMS"
        log.add("P222", Level.DROPPED, message, component.span)


def one_handler_a_port(component: Component) -> Component:
    """Handlers of one port joined, since jLEMS runs the last only."""

    def joined(items: tuple[OnEvent, ...]) -> tuple[OnEvent, ...]:
        found: dict[str, OnEvent] = {}
        for item in sorted(items, key=lambda event: -event.priority):
            before = found.get(item.port)
            body = (*before.body, *item.body) if before else item.body
            found[item.port] = OnEvent(port=item.port, body=body, span=item.span)
        return tuple(found.values())

    machines = tuple(
        replace(m, regimes=tuple(replace(r, on_events=joined(r.on_events)) for r in m.regimes))
        for m in component.machines
    )
    return replace(component, on_events=joined(component.on_events), machines=machines)


__all__ = ["gathered", "note_losses", "one_handler_a_port", "refuse_unsayable"]
