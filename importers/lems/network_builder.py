"""What the XML and the HDF5 reader of networks share: checked references and the parts gathered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from ...canonical_model.diagnostics import Log, Span, error, suggest
from ...canonical_model.network import Input, Network, Population, Projection

if TYPE_CHECKING:
    from ...canonical_model.network import Floats, Ints

Units: TypeAlias = Callable[[str, str, Span | None], float]
Places: TypeAlias = Callable[[int], Span | None]
MICRO = 1e-6
MILLI = 1e-3
MAX_SIZE = 50_000_000


@dataclass(slots=True)
class NetworkBuilder:
    """Checks references and gathers the parts of one network."""

    units: Units
    log: Log
    populations: dict[str, Population] = field(default_factory=dict)
    ids: dict[str, Ints] = field(default_factory=dict)
    projections: list[Projection] = field(default_factory=list)
    inputs: list[Input] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)

    def add_population(self, population: Population, ids: Ints | None = None) -> None:
        """A population; `ids` are its cells' ids where they are not 0..size-1 in order.

        Raises ModelError L032 (a name or an id twice), L034 (too large).
        """
        name = population.name
        if name in self.populations:
            first = self.populations[name].span
            message = f"two populations are called '{name}'"
            raise error("L032", message, population.span, hint=f"the first is at {first}")
        if population.size > MAX_SIZE:
            message = f"a population of {population.size} cells is too large"
            raise error("L034", message, population.span)
        self.populations[name] = population
        if ids is not None and not np.array_equal(ids, np.arange(population.size)):
            values, counts = np.unique(ids, return_counts=True)
            if counts.max() > 1:
                message = f"two cells of '{name}' have the id {int(values[counts.argmax()])}"
                raise error("L032", message, population.span)
            self.ids[name] = ids

    def population(self, name: str, span: Span | None) -> Population:
        """A population by name. Raises ModelError L030."""
        found = self.populations.get(name)
        if found is None:
            hint = suggest(name, self.populations)
            raise error("L030", f"there is no population '{name}'", span, hint=hint)
        return found

    def cells(self, name: str, ids: Ints, places: Places) -> Ints:
        """Ids of cells as positions in the population. Raises ModelError L031 at the first bad one."""
        population = self.population(name, places(0) if len(ids) else None)
        known = self.ids.get(name)
        if known is None:
            bad = np.flatnonzero((ids < 0) | (ids >= population.size))
            positions = ids
        else:
            order = np.argsort(known)
            found = np.searchsorted(known[order], ids)
            positions = order[np.minimum(found, len(known) - 1)]
            bad = np.flatnonzero(known[positions] != ids)
        if len(bad):
            first = int(bad[0])
            message = f"'{name}' has {population.size} cells and no cell {int(ids[first])}"
            raise error("L031", message, places(first), hint=self._range(name, population.size))
        return positions

    def _range(self, name: str, size: int) -> str:
        known = self.ids.get(name)
        if known is None:
            return f"cells are numbered 0 to {size - 1}" if size else "the population is empty"
        return f"ids run from {int(known.min())} to {int(known.max())}, with gaps or out of order"

    def delay(self, text: str, span: Span | None) -> float:
        """A delay in seconds. Raises ModelError L123 to L125, L172."""
        value = self.units(text, "time", span)
        if value < 0:
            raise error("L172", f"the delay '{text}' is negative", span)
        return value

    def part_name(self, name: str, part: int) -> str:
        """A free name for the part (from 0) of what the source calls `name`; part 0 keeps the name."""
        candidate = name
        while part > 0 and candidate in self.taken:
            part += 1
            candidate = f"{name}_{part}"
        self.taken.add(candidate)
        return candidate

    def network(self, name: str, span: Span | None, quantities: dict[str, float]) -> Network:
        """The finished network."""
        return Network(
            name=name,
            populations=tuple(self.populations.values()),
            projections=tuple(self.projections),
            inputs=tuple(self.inputs),
            quantities=quantities,
            span=span,
        )


def rows_of(values: Floats | None, rows: Ints) -> Floats | None:
    """The chosen rows of a column that may be absent."""
    return None if values is None else values[rows]


def groups(*columns: Ints) -> list[Ints]:
    """Row numbers that agree in all columns, in order of first occurrence; each ascending."""
    keys = np.stack(columns, axis=1)
    if not len(keys):
        return []
    _, first, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    inverse = inverse.reshape(-1)
    if len(first) == 1:
        return [np.arange(len(keys))]
    order = np.argsort(inverse, kind="stable")
    starts = np.searchsorted(inverse[order], np.arange(len(first) + 1))
    parts = [order[starts[k] : starts[k + 1]] for k in range(len(first))]
    return [parts[k] for k in np.argsort(first, kind="stable")]
