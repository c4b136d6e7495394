"""Projections and connection groups: response and plasticity as one synapse, links, rules or lists."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...canonical_model import model
from ...canonical_model import network as canonical
from ...canonical_model.assembly import PLASTICITY, RESPONSE, inside, outer
from ...canonical_model.diagnostics import error, suggest
from ...canonical_model.rules import RANDOM_RULES, expected
from ...canonical_model.units import TIME
from .components import Given, Instance
from .connectivity import Request, canonical_rule, kind_of_rule
from .listed import Ends, Values, listed, nothing, several
from .lower import CLASS
from .multi import join
from .syntax import Document, Exposed, Group, Link, Multi, Projection, Reference

if TYPE_CHECKING:
    from .network import Reader

PRE, POST, SYNAPSE = "pre", "post", "synapse"


@dataclass(frozen=True, slots=True)
class Projections:
    """Reads the projections of a network whose populations are known."""

    reader: Reader

    def ends(self, thing: Projection | Group) -> Ends:
        """The populations that a projection joins. Raises ModelError X251, X252, X255."""
        sources, targets = self.reader.cells(thing.source), self.reader.cells(thing.destination)
        sizes = tuple(
            sum(self.reader.populations[name].size for name in names)
            for names in (sources, targets)
        )
        return Ends(tuple(sources), tuple(targets), sizes[0], sizes[1])

    def projection(self, thing: Projection) -> list[canonical.Projection]:
        """A projection, as one for each pair of populations that it joins."""
        links = tuple(self.links(thing))
        if links and all(SYNAPSE not in (link.source, link.target) for link in links):
            # a response that has nothing to do with the connection is there because NineML wants one
            return self.joined(thing, "", links, Values(self.delay(thing), {}, {}))
        synapse = self.synapse(thing)
        states = {state.name for state in synapse.component.state_variables}
        initials = {name: item for name, item in synapse.initials.items() if name in states}
        values = Values(
            self.delay(thing), several(synapse.properties), several(initials)
        )  # fmt: skip
        return self.joined(thing, synapse.component.name, links, values)

    def joined(
        self,
        thing: Projection | Group,
        synapse: str,
        links: tuple[canonical.PortLink, ...],
        values: Values,
    ) -> list[canonical.Projection]:
        """The projections between pairs of populations: with their rule, or with listed connections."""
        ends = self.ends(thing)
        request = self.request(thing, ends)
        rule = canonical_rule(request, ends.sources, ends.targets)
        if rule is None:
            return listed(request, ends, self.reader.populations, thing, synapse, links, values)
        if rule.kind in RANDOM_RULES:
            text = f"the connections of '{thing.name}' ({kind_of_rule(request.library)}) are"
            self.reader.note(text, request.seed, request.span)
        rule = self.filled(rule, values, request)
        found = []
        for source in ends.sources:
            for target in ends.targets:
                names = [source] * (len(ends.sources) > 1) + [target] * (len(ends.targets) > 1)
                item = canonical.Projection(
                    name="_".join([thing.name, *names]), source=source, target=target,
                    pre=nothing(), post=nothing(), synapse=synapse, links=links, rule=rule,
                    span=thing.span,
                )  # fmt: skip
                if rule.kind != "one_to_one" or self.meets(ends, source, target):
                    found.append(item)
        return found

    def meets(self, ends: Ends, source: str, target: str) -> bool:
        """Do two populations of a joining one to one have places in common?"""
        places = []
        for names, name in ((ends.sources, source), (ends.targets, target)):
            before = sum(self.reader.populations[n].size for n in names[: names.index(name)])
            places.append((before, before + self.reader.populations[name].size))
        (start, stop), (other, last) = places
        return max(start, other) < min(stop, last)

    def filled(self, rule: canonical.Rule, values: Values, request: Request) -> canonical.Rule:
        """The rule with the values of its connections. Raises ModelError X212."""
        name = request.name
        delay = {"delay": values.delay} if values.delay else {}
        if rule.kind != "probabilistic":
            count = int(expected(rule, request.sources, request.targets))
            for item in ({**values.parameters, **values.initial, **delay}).values():
                if item.value.array is not None:
                    item.numbers(count, 1, name)
        return replace(
            rule,
            delay=self.reader.spreads(delay, name, request.seed).get("delay"),
            parameters=self.reader.spreads(values.parameters, name, request.seed),
            initial=self.reader.spreads(values.initial, name, request.seed),
        )

    def request(self, thing: Projection | Group, ends: Ends) -> Request:
        """What the connection rule is asked for, counted over all sources and all targets."""
        reference = thing.connectivity
        library, _ = self.reader.components.library(reference, "rule")
        given, _ = self.reader.components.merged(reference)
        notes = thing.notes if isinstance(thing, Projection) else {}
        return Request(
            library=library,
            given=given,
            sources=ends.source_size,
            targets=ends.target_size,
            name=notes.get("key") or thing.name,
            seed=self.reader.seed(notes),
            span=reference.span,
        )

    def delay(self, thing: Projection | Group) -> Given | None:
        """The delay of the connections; None where there is none."""
        if thing.delay is None or thing.delay.single == 0:
            return None
        document = self.home(thing)
        unit = document.units.get(thing.delay.units)
        if unit is None or unit.dimension != TIME:
            message = f"the unit '{thing.delay.units}' of a delay is no unit of time"
            raise error("X253", message, thing.delay.units_span)
        numbers = thing.delay.array or (thing.delay.single or 0.0,)
        if min(numbers) < 0:
            raise error("X253", f"a delay of '{thing.name}' is negative", thing.delay.span)
        kind, args = "", tuple[float, ...]()
        if thing.delay.random is not None:
            kind, args = self.reader.components.distribution(thing.delay.random)
        return Given(thing.delay, unit, kind, args)

    def home(self, thing: Projection | Group) -> Document:
        """The document in which a projection stands."""
        return self.reader.documents.by_file.get(thing.source.document, self.reader.documents.main)

    # --- synapses

    def synapse(self, thing: Projection) -> Instance:
        """The response, joined with the plasticity where there is one."""
        response = self.reader.components.instance(thing.response)
        if thing.plasticity is None:
            return self.reader.instance(thing.response, thing.name)
        plasticity = self.reader.components.instance(thing.plasticity)
        parts = {RESPONSE: response, PLASTICITY: plasticity}
        inner = [link for link in thing.links if {link.sender, link.receiver} <= parts.keys()]
        used = [link for link in thing.links if link not in inner]
        exposures = [
            item for link in used for item in self.exposed(link, parts, thing)
        ]  # fmt: skip
        names = (part.component.name for part in parts.values())
        classes = (part.component.extras.get(CLASS, part.component.name) for part in parts.values())
        multi = Multi(
            name=thing.notes.get(SYNAPSE) or "_".join(names),
            class_name="_".join(classes),
            subs=tuple((role, Reference(role, thing.span)) for role in parts),
            links=tuple(inner),
            exposures=tuple(dict.fromkeys(exposures)),
            annotations="",
            span=thing.span,
        )
        joined = join(multi, {role: part.component for role, part in parts.items()})
        found = Instance(
            joined,
            {
                inside(n, role): g
                for role, part in parts.items()
                for n, g in part.properties.items()
            },
            {inside(n, role): g for role, part in parts.items() for n, g in part.initials.items()},
        )
        return self.reader.kept(found, thing.name)

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
            yield Exposed(kind, outer(role, port), role, port, thing.span)

    def links(self, thing: Projection) -> Iterable[canonical.PortLink]:
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
                    name = outer(role, port)
                ends.append((SYNAPSE if role in both else role, name))
            (source, send), (target, receive) = ends
            yield canonical.PortLink(source=source, source_port=send, target=target,
                                   target_port=receive, span=link.span)  # fmt: skip

    def group(self, thing: Group) -> list[canonical.Projection]:
        """A connection group: one port to one port, nothing between."""
        link = canonical.PortLink(
            source=PRE,
            source_port=thing.source_port,
            target=POST,
            target_port=thing.destination_port,
            span=thing.span,
        )
        return self.joined(thing, "", (link,), Values(self.delay(thing), {}, {}))


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
