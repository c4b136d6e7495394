"""Links of ports as attachments: what joins a synapse or source with its cell, in NeuroML's words.

NeuroML hangs a synapse into a list of its cell, which adds up one quantity of all that hangs there; the
synapse reads what the cell shows by that name. Names on both sides are made to agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from ...canonical_model.diagnostics import ModelError, refuse
from ...canonical_model.model import Component, Model
from ...canonical_model.network import Input, Network, Population, PortLink, Projection
from ...lems_types.library_reader import standard_type
from .roles import cell_names, default_list


@dataclass(slots=True)
class Joints:
    """Names that the two sides of attachments share.

    `lists` maps (cell, input) to (list, quantity, type of what it takes), `shown` maps (component, exposure)
    to the quantity that it is to be called, `read` maps (component, input) to what the cell calls it.
    """

    lists: dict[tuple[str, str], tuple[str, str, str]] = field(default_factory=dict)
    shown: dict[tuple[str, str], str] = field(default_factory=dict)
    read: dict[tuple[str, str], str] = field(default_factory=dict)


def join_ports(model: Model) -> tuple[Model, Joints]:
    """The model with attachments in place of links.

    Raises ModelError P234 for what joins in a way that NeuroML does not know.
    """
    joints = Joints()
    network = model.network
    if network is None or not any(item.links for item in network.projections):
        return model, joints
    return _Joining(model, network, joints).run(), joints


@dataclass(slots=True)
class _Joining:
    model: Model
    network: Network
    joints: Joints
    sources: set[str] = field(default_factory=set)

    def run(self) -> Model:
        """Projections become projections and inputs; populations that only drive others go."""
        projections: list[Projection] = []
        inputs: list[Input] = []
        for item in self.network.projections:
            if not item.links:
                projections.append(item)
                continue
            for found in self.joined(item):
                if isinstance(found, Input):
                    inputs.append(found)
                else:
                    projections.append(found)
        still = {p.source for p in projections} | {p.target for p in projections}
        for name in self.sources & still:
            message = (
                f"the population '{name}' both drives cells by a current and joins others by events"
            )
            raise refuse("P234", message, self.network.population(name).span)
        populations = tuple(p for p in self.network.populations if p.name not in self.sources)
        network = replace(
            self.network, populations=populations, projections=tuple(projections),
            inputs=(*self.network.inputs, *inputs),
        )  # fmt: skip
        return replace(self.model, network=network)

    def owner(self, population: str) -> Component:
        """The component of a population."""
        return self.model.component(self.network.population(population).component)

    def fail(self, item: Projection, why: str) -> ModelError:
        """A P234 refusal."""
        return refuse("P234", f"the projection '{item.name}' {why}", item.span)

    def joined(self, item: Projection) -> list[Projection | Input]:
        """One projection as what NeuroML has for it."""
        pre, post = self.owner(item.source), self.owner(item.target)
        direct = [n for n in item.links if (n.source, n.target) == ("pre", "post")]
        events = [n for n in direct if _sends(pre, n.source_port)]
        found: list[Projection | Input] = []
        for k, link in enumerate(events):
            found.append(
                replace(item, name=item.name if not k else f"{item.name}_{k}", synapse="", links=(),
                        source_port=link.source_port, target_port=link.target_port,
                        parameters={}, initial={})
            )  # fmt: skip
        driven = [n for n in direct if n not in events]
        if driven:
            found.append(self.source(item, driven, pre, post))
        hears = any("synapse" in (n.source, n.target) for n in item.links)
        if item.synapse and (hears or self.model.component(item.synapse).exposures):
            found.append(self.synapse(item, pre, post))
        return found

    def source(
        self, item: Projection, driven: list[PortLink], pre: Component, post: Component
    ) -> Input:
        """A population whose cells only drive others: an input of each of these."""
        hears = any(other.target == item.source for other in self.network.projections)
        if len(driven) > 1 or hears or len(item.links) != 1:
            raise self.fail(item, "joins cells by quantities in a way that NeuroML does not know")
        self.hang(item, driven[0], pre, post)
        population: Population = self.network.population(item.source)
        if population.parameters or population.initial:
            raise self.fail(item, "starts at sources that differ from each other")
        self.sources.add(item.source)
        return Input(
            name=item.name, component=pre.name, population=item.target,
            index=np.asarray(item.post), attachment=self.slot(post, driven[0]), span=item.span,
        )  # fmt: skip

    def slot(self, post: Component, link: PortLink) -> str:
        """The list through which a link goes."""
        return self.joints.lists[post.name, link.target_port][0]

    def synapse(self, item: Projection, pre: Component, post: Component) -> Projection:
        """A synapse in a list of its cell."""
        synapse = self.model.component(item.synapse)
        arrivals, gives, source_port, target_port = 0, [], "", ""
        for link in item.links:
            match link.source, link.target:
                case "pre", "synapse" if _sends(pre, link.source_port):
                    arrivals += 1
                    source_port, target_port = link.source_port, link.target_port
                case "synapse", "post" if not _sends(synapse, link.source_port):
                    gives.append(link)
                case "post", "synapse" if not _sends(post, link.source_port):
                    self.reads(item, synapse, link, post)
                case "pre", "post":
                    continue
                case "synapse", "post":
                    raise self.fail(item, "has a synapse that sends events to its target")
                case _:
                    raise self.fail(item, "has a synapse that hears more than its source's events")
        if arrivals != 1 or len(gives) != 1:
            raise self.fail(
                item, "has a synapse that does not take one event and give one quantity"
            )
        self.hang(item, gives[0], synapse, post)
        return replace(
            item, links=(), source_port=source_port, target_port=target_port,
            attachment=self.slot(post, gives[0]),
        )  # fmt: skip

    def hang(self, item: Projection, link: PortLink, part: Component, post: Component) -> None:
        """Make the names of what a part gives and what the cell adds up agree."""
        key = (post.name, link.target_port)
        wanted = next((i for i in post.analog_inputs if i.name == link.target_port), None)
        if wanted is None or not wanted.reduce:
            raise self.fail(item, f"feeds '{link.target_port}', which takes one source only")
        if key not in self.joints.lists:
            slot, quantity, kind = default_list(post, wanted)
            if standard_type(part.type) is not None:
                quantity = link.source_port
            self.joints.lists[key] = (slot, quantity, kind)
        quantity = self.joints.lists[key][1]
        self.agree(self.joints.shown, (part.name, link.source_port), quantity, item)

    def reads(self, item: Projection, synapse: Component, link: PortLink, post: Component) -> None:
        """The synapse calls what it reads as the cell does."""
        shown = cell_names(post).get(link.source_port, link.source_port)
        self.agree(self.joints.read, (synapse.name, link.target_port), shown, item)

    def agree(
        self, table: dict[tuple[str, str], str], key: tuple[str, str], name: str, item: Projection
    ) -> None:
        """One name for one thing, wherever it is used."""
        part = self.model.component(key[0])
        is_fixed = standard_type(part.type) is not None and key[1] != name
        if table.setdefault(key, name) != name or is_fixed:
            raise self.fail(item, f"needs '{key[1]}' of '{key[0]}' under two names")


def _sends(component: Component, port: str) -> bool:
    return any(item.name == port for item in component.event_outputs)


def named(table: Mapping[tuple[str, str], str], component: str) -> dict[str, str]:
    """The entries of one component."""
    return {name: new for (owner, name), new in table.items() if owner == component}


__all__ = ["Joints", "join_ports", "named"]
