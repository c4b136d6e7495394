"""Wire projections whose ports are linked one by one: events and quantities between cells and synapses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..circuit import AnalogLink, EventLink, Group
from ..diagnostics import Level, error
from ..lazy import np
from ..model import Component
from ..network import PortLink, Projection
from ..rules import RANDOM_RULES, own_rule, share
from .merge import is_mergeable

if TYPE_CHECKING:
    from ..network import Ints
    from .flatten import Flat
    from .wire import Wiring

PRE, POST, SYNAPSE = "pre", "post", "synapse"


def wire_links(wiring: Wiring, projection: Projection) -> None:
    """Add a projection's synapses and links to the circuit.

    One synapse instance a connection, or one a target cell where superposition allows it. Raises
    ModelError W203 (no such port), W208 (several sources for an input that takes one).
    """
    synapse = wiring.flat(projection.synapse, projection.span) if projection.synapse else None
    places: dict[str, tuple[str, Ints]] = {
        PRE: (projection.source, projection.pre),
        POST: (projection.target, projection.post),
    }
    direct: dict[str, tuple[str, Ints]] = {}
    flats = {
        PRE: wiring.populations[projection.source],
        POST: wiring.populations[projection.target],
    }
    if synapse is not None:
        flats[SYNAPSE] = synapse
        name, own, hosts = _synapses(wiring, projection, synapse)
        places[SYNAPSE] = (name, own)
        # between synapse and cell a shared synapse counts once, not for each connection
        direct = {SYNAPSE: (name, np.arange(len(hosts))), POST: (projection.target, hosts)}
    for link in projection.links:
        is_direct = {link.source, link.target} == {SYNAPSE, POST} and synapse is not None
        _link(wiring, projection, link, flats, direct if is_direct else places)


def _synapses(wiring: Wiring, projection: Projection, synapse: Flat) -> tuple[str, Ints, Ints]:
    """The group of synapses, for each connection its instance, for each instance its cell."""
    name = wiring.group_name(f"{projection.name}_{projection.synapse}")
    count = len(projection.post)
    parameters, initial = dict(projection.parameters), dict(projection.initial)
    own, cells = np.arange(count), projection.post
    if projection.rule is not None:
        count = wiring.network.population(projection.target).size
        cells = np.arange(count)
    elif wiring.merge and _can_share(projection, synapse.component):
        cells, own = np.unique(projection.post, return_inverse=True)
        count = len(cells)
    wiring.add_group(
        Group(name=name, component=synapse.component, size=count, parameters=parameters,
              initial=initial, host=projection.target)
    )  # fmt: skip
    return name, own, cells


def keeps_rule(wiring: Wiring, projection: Projection, large: int) -> bool:
    """May the engine that runs the circuit draw this projection? Not where connections differ."""
    rule = own_rule(projection)
    if rule is None or not projection.links or rule.parameters or rule.initial:
        return False
    if rule.weight is not None or (rule.delay is not None and rule.delay.kind != "constant"):
        return False
    if rule.kind in RANDOM_RULES and share(wiring.network, projection) <= large:
        return False
    if not projection.synapse:
        source = wiring.model.component(wiring.network.population(projection.source).component)
        outputs = {port.name for port in source.event_outputs}
        return all(link.source_port in outputs for link in projection.links)
    synapse = wiring.flat(projection.synapse, projection.span)
    return wiring.merge and _can_share(projection, synapse.component)


def _can_share(projection: Projection, component: Component) -> bool:
    """May the connections of one cell share a synapse? Events in at one port, sums out, nothing else."""
    if projection.parameters or projection.initial:
        return False
    into = [link for link in projection.links if link.target == SYNAPSE]
    out = [link for link in projection.links if link.source == SYNAPSE]
    ports = {port.name for port in component.event_inputs}
    if any(link.source != PRE or link.target_port not in ports for link in into):
        return False
    if any(link.target != POST for link in out) or len(into) != 1:
        return False
    outputs = {link.source_port for link in out}
    sent = {port.name for port in component.event_outputs}
    return not outputs & sent and is_mergeable(
        component, into[0].target_port, outputs, weighted=False
    )


def _link(
    wiring: Wiring,
    projection: Projection,
    link: PortLink,
    flats: dict[str, Flat],
    places: dict[str, tuple[str, Ints]],
) -> None:
    """One link of every connection."""
    if link.source not in flats or link.target not in flats:
        message = f"the projection '{projection.name}' has no part '{link.source}'"
        raise error("W203", message, link.span or projection.span)
    source, target = flats[link.source].component, flats[link.target].component
    (from_group, pre), (to_group, post) = places[link.source], places[link.target]
    delay = projection.delay if link.source == PRE else None
    outputs = {port.name for port in source.event_outputs}
    if link.source_port in outputs:
        wiring.event_links.append(
            EventLink(
                source=from_group,
                source_port=link.source_port,
                target=to_group,
                target_port=link.target_port,
                pre=pre,
                post=post,
                delay=delay,
                rule=projection.rule and own_rule(projection),
            )
        )
        return
    variable = next((e.variable for e in source.exposures if e.name == link.source_port), None)
    wanted = next((i for i in target.analog_inputs if i.name == link.target_port), None)
    if variable is None or wanted is None:
        message = f"'{source.name}' or '{target.name}' lacks a port of '{projection.name}'"
        raise error("W203", message, link.span or projection.span)
    if not wanted.reduce and len(np.unique(post)) != len(post):
        message = (
            f"'{wanted.name}' of '{target.name}' takes one source, but the projection "
            f"'{projection.name}' gives it several"
        )
        raise error("W208", message, link.span or projection.span)
    if delay is not None and np.any(delay):
        message = f"the quantity '{link.source_port}' of '{source.name}' arrives without delay"
        wiring.log.add("W209", Level.APPROXIMATED, message, link.span or projection.span)
    wiring.analog_links.append(
        AnalogLink(source=from_group, variable=variable, target=to_group, input=link.target_port,
                   pre=pre, post=post)
    )  # fmt: skip


__all__ = ["wire_links"]
