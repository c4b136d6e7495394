"""Invariants of pairings. Codes: V160 an unknown model, V161 a port that is none, V162 a quantity that the
neuron does not have, V163 dimensions that differ, V164 a state, weight or delay that is none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .diagnostics import Issue, Level, ModelError, Span, suggest
from .model import Component
from .pairing import Pairing, Partner
from .passes.kernels import lower_kernels
from .query import declared
from .units import Dimension, dimension_name


def verify_pairings(
    pairings: Iterable[Pairing], components: tuple[Component, ...]
) -> Iterator[Issue]:
    """Every way in which pairings do not fit the components."""
    known = {item.name: item for item in components}
    made: set[tuple[str, ...]] = set()
    for pairing in pairings:
        parts = (pairing.neuron, *(item.synapse for item in pairing.synapses))
        if len(set(parts)) < len(parts) or parts in made:
            yield _issue("V160", f"{' and '.join(parts)}: this pair is named twice", None)
        made.add(parts)
        neuron = known.get(pairing.neuron)
        if pairing.neuron and neuron is None:
            yield _unknown(pairing.neuron, known)
        for partner in pairing.synapses:
            synapse = known.get(partner.synapse)
            if synapse is None:
                yield _unknown(partner.synapse, known)
            else:
                yield from _ports(partner, synapse)
                yield from _states(partner, synapse)
                yield from _reads(partner, synapse, neuron)


def _issue(code: str, message: str, span: Span | None, hint: str = "") -> Issue:
    return Issue(code, Level.ERROR, message, span, "", hint)


def _unknown(name: str, known: Iterable[str]) -> Issue:
    names = list(known)
    hint = suggest(name, names) or f"there are: {', '.join(names[:12])}"
    return _issue("V160", f"a pair names '{name}', which is no model", None, hint)


def _ports(partner: Partner, synapse: Component) -> Iterator[Issue]:
    ports = [item.name for item in synapse.event_inputs]
    for name in (*partner.post, *partner.modulators):
        if name not in ports:
            message = f"'{name}' is no spike port of '{synapse.name}'"
            hint = suggest(name, ports) or f"its spike ports: {', '.join(ports)}"
            yield _issue("V161", message, synapse.span, hint)
    for name in sorted({*partner.post} & {*partner.modulators}):
        message = f"the port '{name}' of '{synapse.name}' cannot hear both neuron and modulator"
        yield _issue("V161", message, synapse.span)


def _states(partner: Partner, synapse: Component) -> Iterator[Issue]:
    states = [item.name for item in synapse.state_variables]
    fixed = [item.name for item in synapse.parameters]
    wanted = [(name, states, "state") for name in partner.keep]
    wanted += [(partner.weight, [*states, *fixed], "state or parameter")] if partner.weight else []
    wanted += [(partner.delay, fixed, "parameter")] if partner.delay else []
    for name, names, what in wanted:
        if name not in names:
            message = f"'{name}' is no {what} of '{synapse.name}'"
            yield _issue("V164", message, synapse.span, suggest(name, names))


def _reads(partner: Partner, synapse: Component, neuron: Component | None) -> Iterator[Issue]:
    inputs = {item.name: item for item in synapse.analog_inputs}
    for port, quantity in partner.reads.items():
        if port not in inputs:
            message = f"'{port}' is no continuous port of '{synapse.name}'"
            hint = suggest(port, inputs)
            yield _issue("V161", message, synapse.span, hint)
            continue
        if neuron is None:
            message = f"'{port}' of '{synapse.name}' reads a quantity, but no neuron is named"
            yield _issue("V162", message, synapse.span)
            continue
        dimensions = readable(neuron)
        if quantity not in dimensions:
            message = f"'{neuron.name}' has no quantity '{quantity}' for '{port}' to read"
            yield _issue("V162", message, neuron.span, suggest(quantity, dimensions))
        elif dimensions[quantity] != inputs[port].dimension:
            theirs, ours = (
                dimension_name(dimensions[quantity]),
                dimension_name(inputs[port].dimension),
            )
            message = f"'{port}' of '{synapse.name}' is {ours}, '{quantity}' is {theirs}"
            yield _issue("V163", message, inputs[port].span)


def readable(neuron: Component) -> dict[str, Dimension]:
    """The quantities of a neuron that a synapse may read, those of its convolutions included."""
    try:
        component = lower_kernels(neuron)
    except ModelError:
        component = neuron
    found = {item.name: item.dimension for item in declared(component)}
    return found | {item.name: item.dimension for item in component.analog_inputs}
