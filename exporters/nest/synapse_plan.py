"""What NEST needs to know of a synapse: its weight and delay, what it hears besides the spikes of its source
and target, and what of that NEST cannot give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ...canonical_model.diagnostics import ModelError, refuse
from ...canonical_model.expr import Expr, Number, free_names
from ...canonical_model.model import (
    AnalogInput,
    Component,
    DerivedVariable,
    StateVariable,
)
from ...canonical_model.passes.movable import Uses
from ...canonical_model.passes.partners import delay_of, host_reads, weight_of
from ...canonical_model.query import expressions, nested


def weight_as_state(component: Component) -> Component:
    """A synapse's weight differs between connections: it is kept with the state."""
    name = weight_of(component)
    chosen = [item for item in component.parameters if item.name == name]
    if not chosen or any(name in free_names(d.value) for d in component.derived_parameters):
        return component
    value = chosen[0].value
    state = StateVariable(
        name=name,
        dimension=chosen[0].dimension,
        initial=Number(1.0 if value is None else value.value),
        description=chosen[0].description,
    )
    return replace(
        component,
        parameters=tuple(item for item in component.parameters if item.name != name),
        state_variables=(*component.state_variables, state),
    )


def delay_as_input(component: Component) -> Component:
    """The parameter that is the connection's delay: what depends on it follows the connection."""
    name = delay_of(component)
    found = [item for item in component.parameters if item.name == name]
    if not found:
        return component
    moving = {name}
    while True:
        more = {d.name for d in component.derived_parameters if free_names(d.value) & moving}
        if more <= moving:
            break
        moving |= more
    derived = tuple(
        DerivedVariable(name=d.name, dimension=d.dimension, value=d.value)
        for d in component.derived_parameters
        if d.name in moving
    )
    return replace(
        component,
        parameters=tuple(item for item in component.parameters if item.name != name),
        derived_parameters=tuple(d for d in component.derived_parameters if d.name not in moving),
        derived_variables=(*component.derived_variables, *derived),
        analog_inputs=(
            *component.analog_inputs,
            AnalogInput(name=name, dimension=found[0].dimension, reduce="add"),
        ),
    )


def refuse_unfit_synapse(component: Component) -> None:
    """Raises ModelError B303 (a factor without a source), B308 (one that is needed between events)."""
    reads, delay = host_reads(component), delay_of(component)
    for item in component.analog_inputs:
        if item.name not in reads and item.name != delay:
            raise _unpaired(component, item)
    modulators = [item for item in component.event_inputs if item.role == "modulator"]
    if len(modulators) > 1:
        names = ", ".join(f"'{item.name}'" for item in modulators)
        message = f"the synapse '{component.name}' hears {names}: NEST gives one volume transmitter"
        raise refuse("B303", message, modulators[1].span)
    if component.on_conditions or component.machines or component.timed_events:
        spans = [item.span for item in component.on_conditions]
        span = spans[0] if spans else component.span
        message = f"the synapse '{component.name}' acts on conditions, but NEST runs synapses at spikes only"
        raise refuse("B308", message, span)
    uses = Uses(component, frozenset(reads))
    for expr in _between_events(component):
        found = sorted(uses.needs(expr) & reads.keys())
        if found:
            message = (
                f"'{found[0]}' of '{component.name}' is needed between spikes, but NEST gives a synapse "
                "its neuron's values at spikes only"
            )
            raise refuse("B308", message, component.span)


def _unpaired(component: Component, item: AnalogInput) -> ModelError:
    message = f"the synapse '{component.name}' reads '{item.name}', but no neuron is named for it"
    hint = f"--pair NEURON:{component.name}:{item.name}=VARIABLE"
    return refuse("B303", message, item.span, hint=hint)


def _between_events(component: Component) -> Iterator[Expr]:
    """Equations, the program, and what a modulator does, which may come at any time."""
    for ode in component.odes:
        yield ode.rhs
    modulators = {item.name for item in component.event_inputs if item.role == "modulator"}
    others = [item.body for item in component.on_events if item.port in modulators]
    for body in (component.update or (), *others):
        for statement in nested(body):
            yield from expressions(statement)
