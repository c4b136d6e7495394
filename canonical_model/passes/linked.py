"""Attachments as links of ports: every synapse and input is joined with its cell port by port.

For languages that know no lists of attachments. Inputs become populations of their own, joined with
their cells one to one. Components are flat afterwards, unless there is nothing to join.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ..diagnostics import Log, Span, error, refuse
from ..model import Component, Exposure, Model
from ..network import Input, Network, Population, PortLink, Projection
from .flatten import Flat, flatten

PEER = "peer_"
WEIGHT = "weight"


def link_attachments(model: Model, log: Log) -> Model:
    """The model with links in place of attachments. Raises ModelError W201 to W206, R130 (gap junctions)."""
    network = model.network
    if network is None:
        return model
    is_linked = all(item.links for item in network.projections)
    if is_linked and not network.inputs and not network.quantities:
        return model
    return _Linking(model, network, log).run()


@dataclass(slots=True)
class _Linking:
    model: Model
    network: Network
    log: Log
    flats: dict[str, Flat] = field(default_factory=dict)
    shown: dict[str, dict[str, str]] = field(default_factory=dict)
    used: dict[str, None] = field(default_factory=dict)

    def run(self) -> Model:
        """Populations, projections, inputs; then the components with what they must show."""
        network = self.network
        populations = list(network.populations)
        for population in populations:
            self.flat(population.component, population.span)
        projections = [self.projection(item) for item in network.projections]
        names = {population.name for population in populations}
        for item in network.inputs:
            population, projection = self.input(item, names)
            populations.append(population)
            projections.append(projection)
        components = tuple(
            self.component(item) if item.name in self.flats else item
            for item in self.model.components
        )
        found = replace(
            network, populations=tuple(populations), projections=tuple(projections), inputs=()
        )
        return replace(self.model, components=components, network=found)

    def flat(self, name: str, span: Span | None) -> Flat:
        """A component's flat form."""
        if name not in self.flats:
            try:
                component = self.model.component(name)
            except KeyError:
                raise error("W201", f"there is no component '{name}'", span) from None
            self.flats[name] = flatten(component, self.network.quantities)
        return self.flats[name]

    def component(self, item: Component) -> Component:
        """The flat component with exposures for what its synapses read."""
        flat = self.flats[item.name].component
        more = tuple(
            Exposure(name=name, variable=variable)
            for variable, name in self.shown.get(item.name, {}).items()
        )
        return replace(flat, exposures=(*flat.exposures, *more))

    def show(self, owner: str, variable: str) -> str:
        """The port under which a component shows a variable, made if there is none."""
        flat = self.flats[owner].component
        for item in flat.exposures:
            if item.variable == variable:
                return item.name
        taken = {item.name for item in flat.exposures}
        name = variable if variable not in taken else f"{variable}_"
        return self.shown.setdefault(owner, {}).setdefault(variable, name)

    def owner(self, population: str) -> str:
        """The component of a population."""
        return self.network.population(population).component

    def projection(self, item: Projection) -> Projection:
        """One projection with links."""
        if item.links:
            if item.synapse:
                self.flat(item.synapse, item.span)
            return item
        if item.kind != "event":
            message = f"the {item.kind} projection '{item.name}' joins synapses with each other"
            raise refuse("R130", message, item.span)
        source = self.flat(self.owner(item.source), item.span).component
        target = self.flat(self.owner(item.target), item.span).component
        port = item.source_port or _only([p.name for p in source.event_outputs], "spike", source)
        if not item.synapse:
            into = item.target_port or _only([p.name for p in target.event_inputs], "in", target)
            link = PortLink(source="pre", source_port=port, target="post", target_port=into)
            return replace(item, links=(link,), source_port="", target_port="")
        synapse = self.flat(item.synapse, item.span).component
        into = item.target_port or _only([p.name for p in synapse.event_inputs], "in", synapse)
        arrival = PortLink(source="pre", source_port=port, target="synapse", target_port=into)
        links = self.attached(item.synapse, self.owner(item.target), item.attachment, "synapse",
                              item.span)  # fmt: skip
        has_weight = any(p.name == WEIGHT for p in synapse.parameters)
        parameters = dict(item.parameters)
        if item.weight is not None and has_weight:
            parameters[WEIGHT] = item.weight
        return replace(
            item, links=(arrival, *links), source_port="", target_port="", attachment="",
            weight=None, parameters=parameters,
        )  # fmt: skip

    def attached(
        self, part: str, host: str, attachment: str, role: str, span: Span | None
    ) -> list[PortLink]:
        """What an attached component takes from its host, and gives to it."""
        own, cell = self.flat(part, span).component, self.flat(host, span)
        links = []
        for needed in own.analog_inputs:
            if needed.reduce:
                continue
            if needed.name.startswith(PEER):
                raise refuse("R130", f"'{part}' reads the synapse at its other end", span)
            variable = cell.locate(needed.name)
            if variable is None:
                message = f"'{part}' requires '{needed.name}', which '{host}' does not have"
                raise error("W204", message, span)
            links.append(
                PortLink(source="post", source_port=self.show(host, variable), target=role,
                         target_port=needed.name)
            )  # fmt: skip
        lists = [slot.name for slot in cell.component.attachments]
        if not lists:
            raise error("W205", f"nothing can be attached to '{host}'", span)
        chosen = attachment if attachment in lists else lists[0]
        for wanted in cell.component.analog_inputs:
            if not wanted.name.startswith(f"{chosen}_") or not wanted.reduce:
                continue
            quantity = wanted.name[len(chosen) + 1 :]
            if all(e.name != quantity for e in own.exposures):
                message = f"'{part}' has no '{quantity}' for '{chosen}' of '{host}'"
                raise error("W206", message, span)
            links.append(
                PortLink(source=role, source_port=quantity, target="post", target_port=wanted.name)
            )
        return links

    def input(self, item: Input, names: set[str]) -> tuple[Population, Projection]:
        """An input as a population, and the projection that joins it with its cells."""
        import numpy as np

        flat = self.flat(item.component, item.span).component
        name = f"{item.name}_source" if item.name in names else item.name
        while name in names:
            name += "_"
        names.add(name)
        count = len(item.index)
        has_weight = any(p.name == WEIGHT for p in flat.parameters)
        parameters = {WEIGHT: item.weight} if item.weight is not None and has_weight else {}
        population = Population(
            name=name, component=item.component, size=count, parameters=parameters, span=item.span
        )
        links = self.attached(item.component, self.owner(item.population), item.attachment, "pre",
                              item.span)  # fmt: skip
        projection = Projection(
            name=f"{name}_to_{item.population}", source=name, target=item.population,
            pre=np.arange(count), post=np.asarray(item.index), links=tuple(links), span=item.span,
        )  # fmt: skip
        return population, projection


def _only(names: list[str], usual: str, component: Component) -> str:
    """The port that is meant where none is named."""
    if usual in names:
        return usual
    if not names:
        raise error("W203", f"'{component.name}' has no port for events", component.span)
    return names[0]
