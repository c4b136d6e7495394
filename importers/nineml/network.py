"""Networks: populations, selections and projections to the canonical network."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from ...canonical_model import model
from ...canonical_model import network as canonical
from ...canonical_model.compare import equal
from ...canonical_model.diagnostics import Level, Log, error, suggest
from ...canonical_model.units import TIME
from .components import Components, Given, Instance
from .connectivity import Request, connect
from .documents import Documents
from .multi import join
from .syntax import (
    Document,
    Exposed,
    Group,
    Link,
    Multi,
    Network,
    Population,
    Projection,
    Reference,
    Selection,
)

if TYPE_CHECKING:
    from ...canonical_model.network import Floats, Ints

PRE, POST, RESPONSE, PLASTICITY = "pre", "post", "response", "plasticity"
SYNAPSE = "synapse"
MAX_SELECTIONS = 50


def read_network(
    documents: Documents, components: Components, wanted: str | None, log: Log
) -> tuple[canonical.Network | None, tuple[model.Component, ...]]:
    """The network of the main document, and the components that it needs besides those at its level.

    That is the one called `wanted`, else the only one, else all populations and projections.
    """
    main = documents.main
    networks = [thing for thing in main.things.values() if isinstance(thing, Network)]
    chosen = [item for item in networks if item.name == wanted] or networks
    if len(chosen) > 1:
        names = ", ".join(item.name for item in chosen)
        message = f"the document has several networks: {names}; none is chosen"
        log.add("X250", Level.NOTE, message, hint="choose one with --component")
        return None, ()
    reader = _Reader(documents, components, log)
    if chosen:
        members: list[object] = []
        for member in chosen[0].members:
            with log.gather():
                members.append(documents.find(member)[0])
        return reader.network(chosen[0].name, members)
    things = list(main.things.values())
    cells = [thing for thing in things if isinstance(thing, Population | Selection | Projection)]
    arrays = {
        name for name, thing in main.things.items() if isinstance(thing, Population)
    }  # component arrays are populations to us
    if not arrays:
        return None, ()
    groups = [thing for thing in things if isinstance(thing, Group)]
    has_projections = any(isinstance(thing, Projection) for thing in things)
    name = main.file.rpartition("/")[2].rpartition(".")[0] or "network"
    return reader.network(name, [*cells, *([] if has_projections else groups)])


@dataclass(slots=True)
class _Reader:
    documents: Documents
    components: Components
    log: Log
    populations: dict[str, canonical.Population] = field(default_factory=dict)
    instances: dict[str, Instance] = field(default_factory=dict)
    inline: dict[str, model.Component] = field(default_factory=dict)

    def network(
        self, name: str, members: Iterable[object]
    ) -> tuple[canonical.Network | None, tuple[model.Component, ...]]:
        """Populations first, then what joins them; mistakes are gathered."""
        things = list(members)
        for thing in things:
            if isinstance(thing, Population):
                with self.log.gather():
                    self.population(thing)
        self.log.stop_on_error()
        projections: list[canonical.Projection] = []
        for thing in things:
            with self.log.gather():
                if isinstance(thing, Projection):
                    projections += self.projection(thing)
                elif isinstance(thing, Group):
                    projections += self.group(thing)
        found = canonical.Network(
            name=name,
            populations=tuple(self.populations.values()),
            projections=tuple(projections),
        )
        return found, tuple(self.inline.values())

    def instance(self, reference: Reference, owner: str) -> Instance:
        """A component with its values, under a name that no other has in the model."""
        found = self.components.instance(reference)
        main = self.documents.main
        if reference.inline is None and not reference.url and reference.document == main.file:
            return found
        return self.kept(found, owner)

    def kept(self, found: Instance, owner: str) -> Instance:
        """The instance as a component of the model's own, shared with an equal one."""
        wanted = found.component.name
        number = 1
        while True:
            name = (wanted, f"{wanted}_{owner}")[min(number, 2) - 1]
            name = name if number < 3 else f"{name}_{number}"
            component = replace(found.component, name=name)
            known = self.inline.get(name)
            taken = known is None and name in self.documents.main.things
            if not taken and (known is None or equal(known, component)):
                self.inline[name] = component
                return replace(found, component=component)
            number += 1

    def population(self, thing: Population) -> None:
        """A population; values that differ between its cells become arrays."""
        if thing.name in self.populations:
            return
        instance = self.instance(thing.cell, thing.name)
        self.instances[thing.name] = instance
        component = instance.component
        states = {state.name for state in component.state_variables}
        seed = self.components.options.seed
        initial = {
            name: given for name, given in instance.initials.items() if name in states
        }  # fmt: skip
        self.populations[thing.name] = canonical.Population(
            name=thing.name,
            component=component.name,
            size=thing.size,
            parameters=self.arrays(instance.properties, thing.size, seed, thing.name),
            initial=self.arrays(initial, thing.size, seed, thing.name),
            span=thing.span,
        )

    def arrays(
        self, values: dict[str, Given] | object, size: int, seed: int, owner: str
    ) -> dict[str, Floats]:
        """One number for each instance, for values that are not single."""
        assert isinstance(values, dict)
        found = {}
        for name, given in values.items():
            if given.value.single is not None:
                continue
            found[name] = given.numbers(size, seed, owner)
            if given.kind:
                message = f"'{name}' of '{owner}' ({given.kind}) is drawn with the seed {seed}"
                self.log.add("X245", Level.NOTE, message, given.value.span,
                             hint="another seed: option seed=N")  # fmt: skip
        return found

    # --- ends of projections

    def cells(self, reference: Reference, depth: int = 0) -> list[str]:
        """The populations that a reference means, in order. Raises ModelError X251, X252."""
        if depth > MAX_SELECTIONS:
            raise error("X252", f"the selection '{reference.name}' contains itself", reference.span)
        thing, _ = self.documents.find(reference)
        if isinstance(thing, Population):
            if thing.name not in self.populations:
                message = f"the population '{thing.name}' is not part of the network"
                hint = suggest(thing.name, self.populations)
                raise error("X251", message, reference.span, hint=hint)
            return [thing.name]
        if isinstance(thing, Selection):
            return [name for item in thing.items for name in self.cells(item, depth + 1)]
        raise error("X251", f"'{reference.name}' is no population or selection", reference.span)

    def projection(self, thing: Projection) -> list[canonical.Projection]:
        """A projection, as one for each pair of populations that it joins."""
        sources, targets = self.cells(thing.source), self.cells(thing.destination)
        pre, post = self.connected(thing.connectivity, sources, targets, thing.name)
        synapse = self.synapse(thing)
        count, seed = len(pre), self.components.options.seed
        states = {state.name for state in synapse.component.state_variables}
        initial = {name: given for name, given in synapse.initials.items() if name in states}
        whole = canonical.Projection(
            name=thing.name,
            source="",
            target="",
            pre=pre,
            post=post,
            synapse=synapse.component.name,
            delay=self.delay(thing, count),
            links=tuple(self.links(thing, synapse.component)),
            parameters=self.arrays(synapse.properties, count, seed, thing.name),
            initial=self.arrays(initial, count, seed, thing.name),
            span=thing.span,
        )
        return list(self.split(whole, sources, targets))

    def connected(
        self, reference: Reference, sources: list[str], targets: list[str], name: str
    ) -> tuple[Ints, Ints]:
        """What the connection rule joins, counted over all sources and all targets."""
        library, _ = self.components.library(reference, "rule")
        given, _ = self.components.merged(reference)
        request = Request(
            library=library,
            given=given,
            sources=sum(self.populations[p].size for p in sources),
            targets=sum(self.populations[p].size for p in targets),
            name=name,
            seed=self.components.options.seed,
            span=reference.span,
        )
        return connect(request, self.log)

    def delay(self, thing: Projection | Group, count: int) -> Floats | None:
        """One delay for each connection, in seconds."""
        if thing.delay is None:
            return None
        document = self.home(thing)
        unit = document.units.get(thing.delay.units)
        if unit is None or unit.dimension != TIME:
            message = f"the unit '{thing.delay.units}' of a delay is no unit of time"
            raise error("X253", message, thing.delay.units_span)
        kind, args = "", tuple[float, ...]()
        if thing.delay.random is not None:
            kind, args = self.components.distribution(thing.delay.random)
        given = Given(thing.delay, unit, kind, args)
        if thing.delay.single is not None:
            value = thing.delay.single * unit.scale
            return np.broadcast_to(np.float64(value), (count,)) if value else None
        return given.numbers(count, self.components.options.seed, thing.name)

    def home(self, thing: Projection | Group) -> Document:
        """The document in which a projection stands."""
        return self.documents.by_file.get(thing.source.document, self.documents.main)

    def split(
        self, whole: canonical.Projection, sources: list[str], targets: list[str]
    ) -> Iterable[canonical.Projection]:
        """One projection for each pair of populations that is joined."""
        from_starts = np.cumsum([0, *(self.populations[p].size for p in sources)])
        to_starts = np.cumsum([0, *(self.populations[p].size for p in targets)])
        is_single = len(sources) == 1 and len(targets) == 1
        for i, source in enumerate(sources):
            for j, target in enumerate(targets):
                if is_single:
                    yield replace(whole, source=source, target=target)
                    continue
                mask = (whole.pre >= from_starts[i]) & (whole.pre < from_starts[i + 1])
                mask &= (whole.post >= to_starts[j]) & (whole.post < to_starts[j + 1])
                if not mask.any():
                    continue
                ends = [source] * (len(sources) > 1) + [target] * (len(targets) > 1)
                yield replace(
                    whole,
                    name="_".join([whole.name, *ends]),
                    source=source,
                    target=target,
                    pre=whole.pre[mask] - from_starts[i],
                    post=whole.post[mask] - to_starts[j],
                    delay=None if whole.delay is None else whole.delay[mask],
                    parameters={k: v[mask] for k, v in whole.parameters.items()},
                    initial={k: v[mask] for k, v in whole.initial.items()},
                )

    # --- synapses

    def synapse(self, thing: Projection) -> Instance:
        """The response, joined with the plasticity where there is one."""
        response = self.components.instance(thing.response)
        if thing.plasticity is None:
            return self.instance(thing.response, thing.name)
        plasticity = self.components.instance(thing.plasticity)
        parts = {RESPONSE: response, PLASTICITY: plasticity}
        inner = [link for link in thing.links if {link.sender, link.receiver} <= parts.keys()]
        used = [link for link in thing.links if link not in inner]
        exposures = [
            item for link in used for item in self.exposed(link, parts, thing)
        ]  # fmt: skip
        name = f"{response.component.name}_{plasticity.component.name}"
        multi = Multi(
            name=name,
            subs=tuple((role, Reference(role, thing.span)) for role in parts),
            links=tuple(inner),
            exposures=tuple(dict.fromkeys(exposures)),
            annotations="",
            span=thing.span,
        )
        joined = join(multi, {role: part.component for role, part in parts.items()})
        found = Instance(
            joined,
            {f"{n}__{role}": g for role, part in parts.items() for n, g in part.properties.items()},
            {f"{n}__{role}": g for role, part in parts.items() for n, g in part.initials.items()},
        )
        return self.kept(found, thing.name)

    def exposed(
        self, link: Link, parts: dict[str, Instance], thing: Projection
    ) -> Iterable[Exposed]:
        """The outer ports that a link needs of response and plasticity."""
        ends = ((link.sender, link.send_port, True), (link.receiver, link.receive_port, False))
        for role, port, sends in ends:
            if role not in parts:
                continue
            component = parts[role].component
            kind = _kind(component, port, sends)
            if not kind:
                known = _ports(component, sends)
                message = f"the {role} '{component.name}' of '{thing.name}' has no port '{port}'"
                raise error("X254", message, link.span, hint=suggest(port, known))
            yield Exposed(kind, _outer(role, port), role, port, thing.span)

    def links(self, thing: Projection, synapse: model.Component) -> Iterable[canonical.PortLink]:
        """Links between cells and synapse; those inside of the synapse are part of it."""
        both = (RESPONSE, PLASTICITY)
        for link in thing.links:
            if link.sender in both and link.receiver in both and thing.plasticity is not None:
                continue
            ends = []
            for role, port in ((link.sender, link.send_port), (link.receiver, link.receive_port)):
                if role not in (PRE, POST, *both) or (role == PLASTICITY and not thing.plasticity):
                    message = f"'{thing.name}' has no part '{role}'"
                    raise error("X254", message, link.span)
                name = port
                if role in both and thing.plasticity is not None:
                    name = _outer(role, port)
                ends.append((SYNAPSE if role in both else role, name))
            (source, send), (target, receive) = ends
            yield canonical.PortLink(source=source, source_port=send, target=target,
                                   target_port=receive, span=link.span)  # fmt: skip

    def group(self, thing: Group) -> list[canonical.Projection]:
        """A connection group: one port to one port, nothing between."""
        sources, targets = self.cells(thing.source), self.cells(thing.destination)
        pre, post = self.connected(thing.connectivity, sources, targets, thing.name)
        link = canonical.PortLink(
            source=PRE,
            source_port=thing.source_port,
            target=POST,
            target_port=thing.destination_port,
            span=thing.span,
        )
        whole = canonical.Projection(
            name=thing.name, source="", target="", pre=pre, post=post, links=(link,),
            delay=self.delay(thing, len(pre)), span=thing.span,
        )  # fmt: skip
        return list(self.split(whole, sources, targets))


def _outer(role: str, port: str) -> str:
    """The name of a part's port on the joined synapse."""
    return f"{port}__of_{role}"


def _ports(component: model.Component, sends: bool) -> list[str]:
    if sends:
        found = [e.name for e in component.exposures]
        return found + [p.name for p in component.event_outputs]
    return [i.name for i in component.analog_inputs] + [p.name for p in component.event_inputs]


def _kind(component: model.Component, port: str, sends: bool) -> str:
    """The kind of exposure that shows a port, "" if there is no such port."""
    if sends:
        if any(e.name == port for e in component.exposures):
            return "AnalogSend"
        return "EventSend" if any(p.name == port for p in component.event_outputs) else ""
    for item in component.analog_inputs:
        if item.name == port:
            return "AnalogReduce" if item.reduce else "AnalogReceive"
    return "EventReceive" if any(p.name == port for p in component.event_inputs) else ""
