"""Resolve what an experiment records: paths like `pop[0]/synapses:syn:0/g` to circuit places."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Protocol

from ..circuit import Probe
from ..diagnostics import Level, Log, Span, suggest
from ..lazy import np
from ..network import EventRecording, Network, Recording
from .flatten import Flat

if TYPE_CHECKING:
    from ..network import Ints

_CELL = re.compile(r"^([^/\[]+)\[(\d+)\](?:/(.*))?$")
_LISTED = re.compile(r"^([^/\[]+)/(\d+)(?:/[^/]+)?(?:/(.*))?$")
_ATTACHED = re.compile(r"^[^/:]+:([^/:]+):(\d+)/(.*)$")


class AttachedGroup(Protocol):
    """What a probe has to know of a group attached to cells."""

    @property
    def group(self) -> str: ...
    @property
    def component(self) -> str: ...
    @property
    def population(self) -> str: ...
    @property
    def host(self) -> Ints: ...
    @property
    def flat(self) -> Flat: ...


def split_path(path: str, network: Network) -> tuple[str, int, str] | None:
    """Population, cell index and the path inside the cell; None if no population is meant."""
    names = {population.name for population in network.populations}
    match = _CELL.match(path)
    if match and match[1] in names:
        return match[1], int(match[2]), match[3] or ""
    lists = {population.name for population in network.populations if population.is_list}
    match = _LISTED.match(path)
    if match and match[1] in (lists or names):
        return match[1], int(match[2]), match[3] or ""
    head, _, rest = path.partition("/")
    if head in names:
        return head, 0, rest
    if len(network.populations) == 1 and network.populations[0].size == 1:
        return network.populations[0].name, 0, path
    return None


def attached_index(network: Network) -> Iterator[tuple[str, str]]:
    """(population, component) of attached instances that are recorded singly: never merge them."""
    experiment = network.experiment
    if experiment is None:
        return
    for recording in (*experiment.recordings, *experiment.displays):
        place = split_path(recording.path, network)
        match = _ATTACHED.match(place[2]) if place else None
        if place and match:
            yield place[0], match[1]


def find_probes(
    network: Network,
    populations: dict[str, Flat],
    attached: list[AttachedGroup] | Iterable[AttachedGroup],
    log: Log,
) -> tuple[tuple[Probe, ...], tuple[Probe, ...]]:
    """Probes for the experiment's recordings; with none asked, spikes and states."""
    experiment = network.experiment
    groups = list(attached)
    wanted = experiment.recordings if experiment else ()
    if experiment and not wanted:
        wanted = experiment.displays
    probes = [p for item in wanted if (p := _probe(item, network, populations, groups, log))]
    events = [
        p for item in (experiment.events if experiment else ())
        if (p := _event_probe(item, network, populations, log))
    ]  # fmt: skip
    if not probes:
        probes = list(_default_probes(network, populations))
    seen = {(probe.group, probe.index) for probe in events}
    events += [p for p in _default_events(network, populations) if (p.group, p.index) not in seen]
    return tuple(probes), tuple(events)


def _probe(
    item: Recording,
    network: Network,
    populations: dict[str, Flat],
    attached: list[AttachedGroup],
    log: Log,
) -> Probe | None:
    place = split_path(item.path, network)
    if place is None or not _in_range(place, network):
        _lost(item.path, item.span, log, list(populations))
        return None
    population, index, inner = place
    variable = populations[population].locate(inner)
    group = population
    if variable is None:
        found = _in_attached(population, index, inner, attached)
        if found is None:
            names = [e.name for e in populations[population].component.exposures]
            _lost(item.path, item.span, log, names)
            return None
        group, index, variable = found
    return Probe(label=item.label or item.path, group=group, index=index, variable=variable,
                 file=item.file, scale=item.scale)  # fmt: skip


def _in_range(place: tuple[str, int, str], network: Network) -> bool:
    return place[1] < network.population(place[0]).size


def _in_attached(
    population: str, cell: int, inner: str, attached: list[AttachedGroup]
) -> tuple[str, int, str] | None:
    """`synapses:syn1:0/g` is the cell's first instance of syn1; `pulse1/i` its input pulse1."""
    match = _ATTACHED.match(inner)
    component, number, rest = (match[1], int(match[2]), match[3]) if match else (*_head(inner),)
    for item in attached:
        if item.population != population or item.component != component:
            continue
        places = np.flatnonzero(item.host == cell)
        variable = item.flat.locate(rest)
        if number < len(places) and variable is not None:
            return item.group, int(places[number]), variable
        number -= len(places)
    return None


def _head(inner: str) -> tuple[str, int, str]:
    head, _, rest = inner.partition("/")
    return head, 0, rest


def _lost(path: str, span: Span | None, log: Log, known: list[str]) -> None:
    message = f"'{path}' cannot be recorded: there is no such quantity"
    log.add("W210", Level.WARNING, message, span, hint=suggest(path.rsplit("/", 1)[-1], known))


def _event_probe(
    item: EventRecording, network: Network, populations: dict[str, Flat], log: Log
) -> Probe | None:
    place = split_path(item.path, network)
    if place is None or not _in_range(place, network):
        _lost(item.path, item.span, log, list(populations))
        return None
    ports = [port.name for port in populations[place[0]].component.event_outputs]
    if item.port not in ports:
        message = f"'{item.path}' has no event port '{item.port}'"
        log.add("W210", Level.WARNING, message, item.span, hint=suggest(item.port, ports))
        return None
    return Probe(label=item.label or item.path, group=place[0], index=place[1], variable=item.port,
                 file=item.file, format=item.format)  # fmt: skip


MAX_DEFAULT = 20


def _default_probes(network: Network, populations: dict[str, Flat]) -> Iterator[Probe]:
    """The exposed states of the first cells of each population."""
    for population in network.populations:
        component = populations[population.name].component
        states = {item.name for item in component.state_variables}
        exposed = [e for e in component.exposures if e.variable in states]
        for index in range(min(population.size, MAX_DEFAULT)):
            for item in exposed:
                yield Probe(
                    label=f"{population.name}[{index}]/{item.name}",
                    group=population.name,
                    index=index,
                    variable=item.variable,
                )


def _default_events(network: Network, populations: dict[str, Flat]) -> Iterator[Probe]:
    """Every cell's first event port: spikes are always reported."""
    for population in network.populations:
        ports = populations[population.name].component.event_outputs
        for index in range(population.size if ports else 0):
            name = f"{population.name}[{index}]"
            yield Probe(label=name, group=population.name, index=index, variable=ports[0].name)
