"""Fuse synapses and voltage-dependent inputs into their cells: neurons with receptor ports.

A group is fused if each cell holds at most one of its instances and only its host feeds it. The cell's
ODE system then contains the synapse's, so that a solver can treat both together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from .. import model
from ..circuit import AnalogLink, Circuit, EventLink, Group, Probe
from ..expr import TIME, Binary, Expr, Name, add, is_random, rename
from ..lazy import np
from ..query import bodies, declared
from ..units import Quantity, si_quantity

if TYPE_CHECKING:
    from ..network import Floats, Ints

PRESENT = "present"
PEER = "peer_"


@dataclass(slots=True)
class _Guest:
    """A group to be fused: where its instances sit and what its names become."""

    group: Group
    cells: Ints
    outputs: dict[str, str]  # host input -> own variable
    names: dict[str, str] = field(default_factory=dict)
    ports: dict[str, str] = field(default_factory=dict)
    needs_switch: bool = False
    bound: frozenset[str] = frozenset()  # inputs that the host itself provides


def fuse(
    circuit: Circuit,
    *,
    sources: bool = False,
    peers: bool = False,
    keep: frozenset[str] = frozenset(),
) -> Circuit:
    """The circuit with every group fused into its host that can be, but for those of `keep`.

    Behaviour is unchanged.

    With `sources` also what drives its host without hearing anything (current sources), and what draws
    random numbers; with `peers` what reads a quantity of another cell, which the host then has as an input.
    """
    guests: dict[str, list[_Guest]] = {}
    for group in circuit.groups:
        guest = _guest(circuit, group, sources, peers)
        if guest is not None and group.name not in keep:
            guests.setdefault(group.host, []).append(guest)
    if not guests:
        return circuit
    fused: dict[str, tuple[str, _Guest]] = {}
    hosts: dict[str, Group] = {}
    for host, members in guests.items():
        hosts[host] = _fused(circuit.group(host), members, circuit)
        fused.update({guest.group.name: (host, guest) for guest in members})
    return replace(
        circuit,
        groups=tuple(hosts.get(g.name, g) for g in circuit.groups if g.name not in fused),
        event_links=tuple(_event_link(link, fused) for link in circuit.event_links),
        analog_links=tuple(
            _analog_link(link, fused)
            for link in circuit.analog_links
            if not _is_bound(link, fused) and not _is_inner(link, fused)
        ),
        probes=tuple(_probe(probe, fused) for probe in circuit.probes),
        event_probes=tuple(_probe(probe, fused) for probe in circuit.event_probes),
    )


def _guest(circuit: Circuit, group: Group, sources: bool, peers: bool) -> _Guest | None:
    """The group as a guest of its host, or None if it has to stay on its own."""
    component = group.component
    if not group.host or component.machines or (_draws(component) and not sources):
        return None
    incoming = [link for link in circuit.analog_links if link.target == group.name]
    outgoing = [link for link in circuit.analog_links if link.source == group.name]
    has_events = any(link.target == group.name for link in circuit.event_links)
    if not (incoming or has_events or sources):
        return None
    if not peers and any(link.source != group.host for link in incoming):
        return None
    if not peers and any(link.target != group.host for link in outgoing):
        return None
    outgoing = [link for link in outgoing if link.target == group.host]
    if not outgoing:
        return None
    if any(link.source == group.name for link in circuit.event_links):
        return None
    cells = outgoing[0].post
    if len(np.unique(cells)) != len(cells):
        return None
    outputs = {link.input: link.variable for link in outgoing}
    silent = not component.on_conditions and not component.timed_events
    covers_all = len(cells) == circuit.group(group.host).size
    inert = silent and has_events and _starts_at_zero(component)
    return _Guest(group, cells, outputs, needs_switch=not (covers_all or inert))


def _draws(component: model.Component) -> bool:
    assigned = [s for body in bodies(component) for s in body if isinstance(s, model.Assign)]
    values = [item.value for item in assigned]
    values += [item.value for item in component.derived_variables]
    return any(is_random(value) for value in values)


def _starts_at_zero(component: model.Component) -> bool:
    from .merge import is_mergeable

    ports = [item.port for item in component.on_events]
    return len(ports) == 1 and is_mergeable(component, ports[0])


def _fused(host: Group, guests: list[_Guest], circuit: Circuit) -> Group:
    """The host's component with its guests' parts, and parameters spread over all cells."""
    taken = _names(host.component)
    parameters: dict[str, Floats] = dict(host.parameters)
    initial: dict[str, Floats] = dict(host.initial)
    parts = []
    for guest in guests:
        _choose_names(guest, host.name, taken, circuit)
        parts.append(_part(guest))
        for table, own in ((parameters, guest.group.parameters), (initial, guest.group.initial)):
            for name, values in own.items():
                table[guest.names[name]] = _spread(guest, name, values, host.size)
        if guest.needs_switch:
            present = np.zeros(host.size)
            present[guest.cells] = 1.0
            parameters[guest.names[PRESENT]] = present
    component = _valued(_combine(host, parts, guests, circuit), parameters)
    return replace(host, component=component, parameters=parameters, initial=initial)


def _valued(component: model.Component, given: Mapping[str, Floats]) -> model.Component:
    """Parameters that only connections give have the first one's value, from which solvers judge."""

    def value(item: model.Parameter) -> model.Parameter:
        if item.value is not None or item.name not in given or not len(given[item.name]):
            return item
        return replace(item, value=si_quantity(float(given[item.name][0]), item.dimension))

    return replace(component, parameters=tuple(value(item) for item in component.parameters))


def _spread(guest: _Guest, name: str, values: Floats, size: int) -> Floats:
    """Values of a guest's instances on all cells of the host; the others take the default."""
    default = next((p.value.si for p in guest.group.component.parameters
                    if p.name == name and p.value), 0.0)  # fmt: skip
    spread = np.full(size, default)
    spread[guest.cells] = values
    return spread


def _names(component: model.Component) -> set[str]:
    inputs = {item.name for item in component.analog_inputs}
    return {item.name for item in declared(component)} | inputs | {TIME}


def _choose_names(guest: _Guest, host: str, taken: set[str], circuit: Circuit) -> None:
    """Guest names get the synapse's name in front; what it requires takes the host's names."""
    prefix = guest.group.name.removeprefix(f"{host}_")
    links = [link for link in circuit.analog_links if link.target == guest.group.name]
    guest.names = {link.input: link.variable for link in links if link.source == host}
    guest.names = {name: to for name, to in guest.names.items() if not name.startswith(PEER)}
    guest.bound = frozenset(guest.names)
    component = guest.group.component
    for name in [*sorted(_names(component) - guest.names.keys() - {TIME}), PRESENT]:
        flat = f"{prefix}_{name}"
        while flat in taken:
            flat += "_"
        taken.add(flat)
        guest.names[name] = flat
    guest.names = {name: flat for name, flat in guest.names.items() if name != "t"}
    guest.ports = {port.name: f"{prefix}_{port.name}" for port in component.event_inputs}


def _part(guest: _Guest) -> model.Component:
    """The guest's component in the host's names."""
    c, names = guest.group.component, guest.names
    switch = (
        (model.Parameter(name=names[PRESENT], value=Quantity(1.0)),) if guest.needs_switch else ()
    )
    return replace(
        c,
        parameters=(*(replace(p, name=names[p.name]) for p in c.parameters), *switch),
        constants=tuple(replace(p, name=names[p.name]) for p in c.constants),
        derived_parameters=tuple(
            replace(p, name=names[p.name], value=rename(p.value, names))
            for p in c.derived_parameters
        ),
        state_variables=tuple(
            replace(s, name=names[s.name], initial=s.initial and rename(s.initial, names))
            for s in c.state_variables
        ),
        derived_variables=tuple(
            replace(d, name=names[d.name], value=rename(d.value, names))
            for d in c.derived_variables
        ),
        odes=tuple(
            replace(o, variable=names[o.variable], rhs=rename(o.rhs, names)) for o in c.odes
        ),
        on_conditions=tuple(
            replace(i, test=rename(i.test, names), body=_body(i.body, names))
            for i in c.on_conditions
        ),
        on_events=tuple(
            replace(i, port=guest.ports[i.port], body=_body(i.body, names)) for i in c.on_events
        ),
        timed_events=tuple(replace(i, body=_body(i.body, names)) for i in c.timed_events),
        event_inputs=tuple(replace(p, name=guest.ports[p.name]) for p in c.event_inputs),
        analog_inputs=tuple(
            replace(item, name=names[item.name])
            for item in c.analog_inputs
            if item.name not in guest.bound
        ),
    )


def _body(
    body: tuple[model.Statement, ...], names: Mapping[str, str]
) -> tuple[model.Statement, ...]:
    """Statements in the host's names; a guest's own events reach nobody and fall away."""
    result: list[model.Statement] = []
    for item in body:
        if isinstance(item, model.Assign):
            value = rename(item.value, names)
            result.append(replace(item, target=names[item.target], value=value))
        elif isinstance(item, model.If):
            branches = tuple((rename(t, names), _body(b, names)) for t, b in item.branches)
            result.append(replace(item, branches=branches, otherwise=_body(item.otherwise, names)))
    return tuple(result)


def _combine(
    host: Group, parts: list[model.Component], guests: list[_Guest], circuit: Circuit
) -> model.Component:
    """Host and parts as one component; its summed inputs become sums of the parts."""
    c = host.component
    inputs, sums = [], []
    guest_names = {guest.group.name for guest in guests}
    for item in c.analog_inputs:
        terms = [_term(guest, item.name) for guest in guests if item.name in guest.outputs]
        if not terms:
            inputs.append(item)
            continue
        others = any(
            link.target == host.name and link.input == item.name and link.source not in guest_names
            for link in circuit.analog_links
        )
        if others:
            inputs.append(replace(item, name=_outer(item.name)))
            terms.append(Name(_outer(item.name)))
        sums.append(
            model.DerivedVariable(name=item.name, dimension=item.dimension, value=add(terms))
        )
    return replace(
        c,
        parameters=(*c.parameters, *(i for p in parts for i in p.parameters)),
        constants=(*c.constants, *(i for p in parts for i in p.constants)),
        derived_parameters=(
            *c.derived_parameters,
            *(i for p in parts for i in p.derived_parameters),
        ),
        state_variables=(*c.state_variables, *(i for p in parts for i in p.state_variables)),
        derived_variables=(
            *c.derived_variables,
            *sums,
            *(i for p in parts for i in p.derived_variables),
        ),
        odes=(*c.odes, *(i for p in parts for i in p.odes)),
        on_conditions=(*(i for p in parts for i in p.on_conditions), *c.on_conditions),
        on_events=(*c.on_events, *(i for p in parts for i in p.on_events)),
        timed_events=(*c.timed_events, *(i for p in parts for i in p.timed_events)),
        event_inputs=(*c.event_inputs, *(i for p in parts for i in p.event_inputs)),
        analog_inputs=(*inputs, *(i for p in parts for i in p.analog_inputs)),
    )


def _outer(name: str) -> str:
    """What is left of a summed input for the groups that were not fused."""
    return f"{name}_outer"


def _term(guest: _Guest, host_input: str) -> Expr:
    value: Expr = Name(guest.names[guest.outputs[host_input]])
    if guest.needs_switch:
        value = Binary("*", Name(guest.names[PRESENT]), value)
    return value


def _is_bound(link: AnalogLink, fused: Mapping[str, tuple[str, _Guest]]) -> bool:
    """True for what a guest reads of its own host."""
    return link.target in fused and link.input in fused[link.target][1].bound


def _is_inner(link: AnalogLink, fused: Mapping[str, tuple[str, _Guest]]) -> bool:
    if link.source not in fused or fused[link.source][0] != link.target:
        return False
    return link.input in fused[link.source][1].outputs


def _event_link(link: EventLink, fused: Mapping[str, tuple[str, _Guest]]) -> EventLink:
    if link.target not in fused:
        return link
    host, guest = fused[link.target]
    port = guest.ports[link.target_port]
    return replace(link, target=host, target_port=port, post=guest.cells[link.post])


def _analog_link(link: AnalogLink, fused: Mapping[str, tuple[str, _Guest]]) -> AnalogLink:
    """A remaining link into a host whose input was split goes to the outer part.

    A guest that is read from outside, or reads what lies outside of its host, is part of the host.
    """
    if link.source in fused:
        host, guest = fused[link.source]
        variable = guest.names.get(link.variable, link.variable)
        link = replace(link, source=host, variable=variable, pre=guest.cells[link.pre])
    if link.target in fused:
        host, guest = fused[link.target]
        return replace(
            link, target=host, input=guest.names[link.input], post=guest.cells[link.post]
        )
    hosts = {host: guest for host, guest in fused.values()}
    guests = [guest for host, guest in fused.values() if host == link.target]
    if link.target in hosts and any(link.input in guest.outputs for guest in guests):
        return replace(link, input=_outer(link.input))
    return link


def _probe(probe: Probe, fused: Mapping[str, tuple[str, _Guest]]) -> Probe:
    if probe.group not in fused:
        return probe
    host, guest = fused[probe.group]
    return replace(
        probe,
        group=host,
        index=int(guest.cells[probe.index]),
        variable=guest.names.get(probe.variable, probe.variable),
    )
