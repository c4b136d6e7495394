"""Wire a model's network into a circuit: flat components in groups, joined by index arrays.

Each cell type is flattened once, however many instances it has. Synapses and inputs become groups
of their own, one instance per connection, or one per target cell where superposition allows it (merge.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..circuit import AnalogLink, Circuit, EventLink, Group
from ..diagnostics import Level, Log, Span, error, suggest
from ..draw import drawn
from ..lazy import np
from ..model import Component, Model
from ..network import Input, Network, Population, Projection
from .arming import arm
from .flatten import Flat, flatten
from .merge import WEIGHT, is_mergeable, with_weight_payload
from .portlinks import keeps_rule, wire_links
from .probes import attached_index, find_probes

if TYPE_CHECKING:
    from ..network import Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Attached:
    """Instances attached to a population: which cell holds each, in order of attachment."""

    group: str
    component: str
    population: str
    host: Ints
    flat: Flat


@dataclass(slots=True)
class Wiring:
    """The circuit under construction."""

    model: Model
    network: Network
    log: Log
    merge: bool
    continuous: bool
    flats: dict[str, Flat] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    populations: dict[str, Flat] = field(default_factory=dict)
    attached: list[Attached] = field(default_factory=list)
    event_links: list[EventLink] = field(default_factory=list)
    analog_links: list[AnalogLink] = field(default_factory=list)
    needed: set[tuple[str, str]] = field(default_factory=set)

    def flat(self, name: str, span: Span | None = None) -> Flat:
        """The flat form of the component `name`, made once."""
        found = self.flats.get(name)
        if found is None:
            try:
                component = self.model.component(name)
            except KeyError:
                hint = suggest(name, [item.name for item in self.model.components])
                raise error("W201", f"there is no component '{name}'", span, hint=hint) from None
            found = self.flats[name] = flatten(
                component, self.network.quantities, continuous=self.continuous
            )
        return found

    def group_name(self, wanted: str) -> str:
        """`wanted`, made unique among the groups."""
        name, number = wanted, 2
        while name in self.groups:
            name, number = f"{wanted}_{number}", number + 1
        return name

    def add_group(self, group: Group) -> None:
        self.groups[group.name] = group


def wire(
    model: Model,
    log: Log,
    *,
    component: str | None = None,
    merge: bool = True,
    continuous: bool = False,
    large: int | None = None,
) -> Circuit:
    """The circuit of a model's network, or of one instance of `component`.

    `large` leaves rules to the engine: those that need no generator, and those of more connections than
    that, where one rule between two groups says all.

    `continuous` recovers regimes from time-step programs, which otherwise run on a grid only; without it
    conditions that count when they become true are made so that each step can test them.

    Raises ModelError W2xx where the parts do not fit, R101 for multi-compartment cells.
    """
    network = model.network
    if network is not None and component == network.name:
        component = None
    if component is not None or network is None:
        network = _single(model, component)
    wiring = Wiring(model, network, log, merge, continuous)
    if large is not None:
        network = drawn(network, kept=lambda item: keeps_rule(wiring, item, large))
    else:
        network = drawn(network)
    wiring.network = network
    for population in network.populations:
        _population(wiring, population)
    whole = set(attached_index(network))
    batches: dict[tuple[str, str, str], list[Projection]] = {}
    for projection in network.projections:
        if projection.links:
            wire_links(wiring, projection)
        elif projection.kind != "event":
            _tunnel(wiring, projection)
        elif not projection.synapse:
            _direct(wiring, projection)
        elif _can_merge(wiring, projection, whole):
            key = (projection.target, projection.synapse, projection.attachment)
            batches.setdefault(key, []).append(projection)
        else:
            _synapses(wiring, projection)
    for batch in batches.values():
        _merged(wiring, batch)
    for item in network.inputs:
        _input(wiring, item)
    _check_inputs(wiring, alone=model.network is None or component is not None)
    groups = tuple(wiring.groups.values())
    experiment = network.experiment
    probes, events = find_probes(network, wiring.populations, wiring.attached, log)
    return Circuit(
        name=network.name,
        groups=groups if continuous else tuple(_armed(group) for group in groups),
        event_links=tuple(wiring.event_links),
        analog_links=tuple(wiring.analog_links),
        probes=probes,
        event_probes=events,
        length=experiment.length if experiment else 0.0,
        step=experiment.step if experiment else 0.0,
        seed=experiment.seed if experiment else None,
    )


def _armed(group: Group) -> Group:
    """The group without conditions that only engines in continuous time can tell from others."""
    ranges = {
        name: (float(np.min(values)), float(np.max(values)))
        for name, values in {**group.parameters, **group.initial}.items()
        if np.size(values)
    }
    component = arm(group.component, ranges, loops=True)
    return group if component is group.component else replace(group, component=component)


def _single(model: Model, name: str | None) -> Network:
    """A network of one instance of `name`, or of the model's only component."""
    names = [item.name for item in model.components]
    if name is None:
        if len(names) != 1:
            what = f"{len(names)} components and no network" if names else "no component"
            hint = f"choose one with --component: {', '.join(names[:12])}" if names else ""
            raise error("W202", f"the model has {what}", hint=hint)
        name = names[0]
    elif name not in names:
        raise error("W201", f"there is no component '{name}'", hint=suggest(name, names))
    experiment = model.network.experiment if model.network else None
    if experiment is not None:
        experiment = replace(experiment, recordings=(), events=(), displays=())
    population = Population(name=name, component=name, size=1)
    return Network(name=name, populations=(population,), experiment=experiment)


def _population(wiring: Wiring, population: Population) -> None:
    flat = wiring.flat(population.component, population.span)
    wiring.populations[population.name] = flat
    wiring.add_group(
        Group(
            name=population.name,
            component=flat.component,
            size=population.size,
            parameters=population.parameters,
            initial=population.initial,
        )
    )


def _direct(wiring: Wiring, projection: Projection) -> None:
    """Events that go straight to the target's port, no synapse between."""
    target = wiring.groups[projection.target].component
    port = projection.target_port or _only_port(target, "in", projection.span)
    wiring.event_links.append(
        EventLink(
            source=projection.source,
            source_port=_source_port(wiring, projection),
            target=projection.target,
            target_port=port,
            pre=projection.pre,
            post=projection.post,
            weight=projection.weight,
            delay=projection.delay,
        )
    )


def _source_port(wiring: Wiring, projection: Projection) -> str:
    source = wiring.groups[projection.source].component
    return projection.source_port or _only_port(source, "out", projection.span)


def _only_port(component: Component, direction: str, span: Span | None) -> str:
    """`spike` or `in` by custom, else the first port. Raises ModelError W203 if there is none."""
    is_out = direction == "out"
    ports = component.event_outputs if is_out else component.event_inputs
    names = [port.name for port in ports]
    usual = "spike" if is_out else "in"
    if usual in names:
        return usual
    if not names:
        what = "sends" if is_out else "receives"
        raise error("W203", f"'{component.name}' ({component.type}) {what} no events", span)
    return names[0]


def _can_merge(wiring: Wiring, projection: Projection, whole: set[tuple[str, str]]) -> bool:
    if not wiring.merge or (projection.target, projection.synapse) in whole:
        return False
    synapse = wiring.flat(projection.synapse, projection.span).component
    port = projection.target_port or _only_port(synapse, "in", projection.span)
    return is_mergeable(synapse, port)


def _merged(wiring: Wiring, batch: list[Projection]) -> None:
    """All connections through one synapse type share one instance per target cell."""
    first = batch[0]
    flat = wiring.flat(first.synapse, first.span)
    port = first.target_port or _only_port(flat.component, "in", first.span)
    cells = np.unique(np.concatenate([projection.post for projection in batch]))
    name = wiring.group_name(f"{first.target}_{first.synapse}")
    component = with_weight_payload(flat.component, port)
    wiring.add_group(Group(name=name, component=component, size=len(cells), host=first.target))
    for projection in batch:
        wiring.event_links.append(
            EventLink(
                source=projection.source,
                source_port=_source_port(wiring, projection),
                target=name,
                target_port=port,
                pre=projection.pre,
                post=np.searchsorted(cells, projection.post),
                weight=projection.weight,
                delay=projection.delay,
            )
        )
    attached = Attached(name, first.synapse, first.target, cells, flat)
    _attach(wiring, attached, first.attachment, first.span)


def _synapses(wiring: Wiring, projection: Projection) -> None:
    """One synapse instance per connection."""
    flat = wiring.flat(projection.synapse, projection.span)
    port = projection.target_port or _only_port(flat.component, "in", projection.span)
    name = wiring.group_name(f"{projection.name or projection.target}_{projection.synapse}")
    count = len(projection.post)
    wiring.add_group(
        Group(
            name=name,
            component=flat.component,
            size=count,
            parameters=_weights(flat.component, projection.weight),
            host=projection.target,
        )
    )
    wiring.event_links.append(
        EventLink(
            source=projection.source,
            source_port=_source_port(wiring, projection),
            target=name,
            target_port=port,
            pre=projection.pre,
            post=np.arange(count),
            delay=projection.delay,
        )
    )
    attached = Attached(name, projection.synapse, projection.target, projection.post, flat)
    _attach(wiring, attached, projection.attachment, projection.span)


def _weights(component: Component, weight: Floats | None) -> dict[str, Floats]:
    if weight is None or not any(item.name == WEIGHT for item in component.parameters):
        return {}
    return {WEIGHT: np.asarray(weight, dtype=float)}


def _attach(wiring: Wiring, item: Attached, attachment: str, span: Span | None) -> None:
    """Join an attached group with its hosts: requirements come from them, exposures go to them."""
    wiring.attached.append(item)
    host = wiring.populations[item.population]
    own = np.arange(len(item.host))
    group = wiring.groups[item.group].component
    for needed in group.analog_inputs:
        if needed.reduce or _is_peer(needed.name):
            continue
        variable = host.locate(needed.name)
        if variable is None:
            message = (
                f"'{item.component}' requires '{needed.name}', which the cell "
                f"'{host.component.name}' ({host.component.type}) does not have"
            )
            raise error("W204", message, span)
        wiring.analog_links.append(
            AnalogLink(source=item.population, variable=variable, target=item.group,
                       input=needed.name, pre=item.host, post=own)
        )  # fmt: skip
    lists = [slot.name for slot in host.component.attachments]
    if not lists:
        message = f"nothing can be attached to '{host.component.name}' ({host.component.type})"
        raise error("W205", message, span)
    chosen = attachment if attachment in lists else lists[0]
    for wanted in host.component.analog_inputs:
        if not wanted.name.startswith(f"{chosen}_") or not wanted.reduce:
            continue
        quantity = wanted.name[len(chosen) + 1 :]
        exposed = [e.variable for e in group.exposures if e.name == quantity]
        if not exposed:
            message = (
                f"'{item.component}' ({group.type}) has no '{quantity}' for '{chosen}' of "
                f"'{host.component.name}' ({host.component.type})"
            )
            raise error("W206", message, span)
        wiring.analog_links.append(
            AnalogLink(source=item.group, variable=exposed[0], target=item.population,
                       input=wanted.name, pre=own, post=item.host)
        )  # fmt: skip


PEER = "peer_"


def _is_peer(name: str) -> bool:
    return name.startswith(PEER)


def _tunnel(wiring: Wiring, projection: Projection) -> None:
    """Electrical and continuous connections: one instance at each end, each reading the other."""
    pre_name = projection.pre_synapse or projection.synapse
    ends = [
        (projection.source, pre_name, projection.pre, "pre"),
        (projection.target, projection.synapse, projection.post, "post"),
    ]
    names, attached = [], []
    for population, synapse, cells, end in ends:
        flat = wiring.flat(synapse, projection.span)
        name = wiring.group_name(f"{projection.name}_{synapse}_{end}")
        parameters = _weights(flat.component, projection.weight)
        wiring.add_group(
            Group(name=name, component=flat.component, size=len(cells), parameters=parameters,
                  host=population)
        )  # fmt: skip
        item = Attached(name, synapse, population, cells, flat)
        _attach(wiring, item, projection.attachment, projection.span)
        names.append(name)
        attached.append(item)
    for own, other in ((0, 1), (1, 0)):
        _peer_links(wiring, attached[own], attached[other], projection.span)


def _peer_links(wiring: Wiring, item: Attached, peer: Attached, span: Span | None) -> None:
    own = np.arange(len(item.host))
    for needed in item.flat.component.analog_inputs:
        if not _is_peer(needed.name):
            continue
        quantity = needed.name[len(PEER) :]
        variable = peer.flat.locate(quantity)
        source, pre = peer.group, own
        if variable is None:
            # the peer itself only requires it: read it at the peer's host
            source, pre = peer.population, peer.host
            variable = wiring.populations[peer.population].locate(quantity)
        elif any(i.name == variable for i in peer.flat.component.analog_inputs):
            source, pre = peer.population, peer.host
            variable = wiring.populations[peer.population].locate(quantity)
        if variable is None:
            message = f"'{item.component}' reads '{quantity}' of its peer, which has none"
            raise error("W204", message, span)
        wiring.analog_links.append(
            AnalogLink(source=source, variable=variable, target=item.group, input=needed.name,
                       pre=pre, post=own)
        )  # fmt: skip


def _input(wiring: Wiring, item: Input) -> None:
    flat = wiring.flat(item.component, item.span)
    name = wiring.group_name(f"{item.population}_{item.component}")
    wiring.add_group(
        Group(
            name=name,
            component=flat.component,
            size=len(item.index),
            parameters=_weights(flat.component, item.weight),
            host=item.population,
        )
    )
    attached = Attached(name, item.component, item.population, item.index, flat)
    _attach(wiring, attached, item.attachment, item.span)


def _check_inputs(wiring: Wiring, *, alone: bool) -> None:
    """Every single-source input must have its source; alone, a component's inputs are held at 0."""
    linked = {(link.target, link.input) for link in wiring.analog_links}
    for group in wiring.groups.values():
        for item in group.component.analog_inputs:
            if item.reduce or (group.name, item.name) in linked:
                continue
            message = f"'{group.component.name}' requires '{item.name}' from outside"
            if not alone:
                raise error(
                    "W204", f"{message}, but nothing provides it", item.span or group.component.span
                )
            wiring.log.add("W207", Level.WARNING, f"{message}; it is held at 0", item.span)
