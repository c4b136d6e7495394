"""Networks: populations, selections and projections to the canonical network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ...canonical_model import model
from ...canonical_model import network as canonical
from ...canonical_model.compare import equal
from ...canonical_model.diagnostics import Level, Log, Span, error, suggest
from .components import Components, Given, Instance
from .documents import Documents
from .listed import drawn_only
from .projections import Projections
from .syntax import (
    Group,
    Network,
    Population,
    Projection,
    Reference,
    Selection,
)

if TYPE_CHECKING:
    from ...canonical_model.network import Floats

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
    reader = Reader(documents, components, log)
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
class Reader:
    """Reads one network: its populations, and what projections need of them."""

    documents: Documents
    components: Components
    log: Log
    populations: dict[str, canonical.Population] = field(default_factory=dict)
    instances: dict[str, Instance] = field(default_factory=dict)
    inline: dict[str, model.Component] = field(default_factory=dict)
    selected: dict[tuple[str, str], list[str]] = field(default_factory=dict)

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
        joining = Projections(self)
        for thing in things:
            with self.log.gather():
                if isinstance(thing, Projection):
                    projections += joining.projection(thing)
                elif isinstance(thing, Group):
                    projections += joining.group(thing)
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
        """A population; values that differ between its cells are arrays, or still to be drawn."""
        if thing.name in self.populations:
            return
        instance = self.instance(thing.cell, thing.name)
        self.instances[thing.name] = instance
        component = instance.component
        states = {state.name for state in component.state_variables}
        initials = {name: item for name, item in instance.initials.items() if name in states}
        owner, seed = thing.name, self.seed(thing.notes)
        self.populations[owner] = canonical.Population(
            name=owner,
            component=component.name,
            size=thing.size,
            parameters=arrays(instance.properties, thing.size, owner),
            initial=arrays(initials, thing.size, owner),
            spread_parameters=self.spreads(drawn_only(instance.properties), owner, seed),
            spread_initial=self.spreads(drawn_only(initials), owner, seed),
            span=thing.span,
        )

    def seed(self, notes: Mapping[str, str]) -> int:
        """The seed of what is drawn: as the user says, as our annotation says, else 1."""
        asked = self.components.options.seed
        noted = notes.get("seed", "")
        return asked if asked is not None else int(noted) if noted.isdecimal() else 1

    def spreads(
        self, values: Mapping[str, Given], owner: str, seed: int
    ) -> dict[str, canonical.Spread]:
        """What is still to be drawn; said once for each."""
        for name, given in values.items():
            if given.kind:
                self.note(f"'{name}' of '{owner}' ({given.kind}) is", seed, given.value.span)
        return {name: item.spread(seed, f"{owner}/{name}") for name, item in values.items()}

    def note(self, what: str, seed: int, span: Span) -> None:
        """Something is drawn."""
        hint = "another seed: option seed=N"
        self.log.add("X245", Level.NOTE, f"{what} drawn with the seed {seed}", span, hint=hint)

    # --- ends of projections

    def cells(self, reference: Reference, depth: int = 0) -> list[str]:
        """The populations that a reference means, in order. Raises ModelError X251, X252,
        X255 for one that comes twice."""
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
            key = (thing.span.file, thing.name)
            if key not in self.selected:
                names = [name for item in thing.items for name in self.cells(item, depth + 1)]
                twice = next((name for name in names if names.count(name) > 1), "")
                if twice:
                    message = f"the selection '{thing.name}' holds the population '{twice}' twice"
                    raise error("X255", message, reference.span)
                self.selected[key] = names
            return self.selected[key]
        raise error("X251", f"'{reference.name}' is no population or selection", reference.span)


def arrays(values: Mapping[str, Given], size: int, owner: str) -> dict[str, Floats]:
    """One number for each instance, for values that are arrays."""
    return {
        name: given.numbers(size, 1, owner)
        for name, given in values.items()
        if given.value.array is not None
    }
