"""Cells and synapses that differ in values as populations and projections of one value each.

A NeuroML population has one component, whose values hold for every cell. Where values differ the population
is split, each part with a component of its own, and everything that speaks of its cells follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from ...canonical_model.diagnostics import Level, Log, refuse
from ...canonical_model.expr import Number
from ...canonical_model.model import Component, Model
from ...canonical_model.network import (
    EventRecording,
    Experiment,
    Input,
    Network,
    Population,
    Projection,
    Recording,
)
from ...canonical_model.passes.probes import split_path
from ...canonical_model.units import Dimension, si_quantity

if TYPE_CHECKING:
    from ...canonical_model.network import Floats, Ints

MAX_PARTS = 500
WEIGHT = "weight"


@dataclass(frozen=True, slots=True)
class _Parts:
    """For each cell of a population its part and its place there."""

    names: tuple[str, ...]
    part: Ints
    place: Ints


@dataclass(slots=True)
class _Splitting:
    model: Model
    network: Network
    log: Log
    parts: dict[str, _Parts] = field(default_factory=dict)
    components: dict[str, Component] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def run(self) -> Model:
        """Populations first, then what joins them."""
        network = self.network
        populations = [p for item in network.populations for p in self.population(item)]
        projections = [p for item in network.projections for p in self.projection(item)]
        inputs = [i for item in network.inputs for i in self.input(item)]
        experiment = network.experiment and self.experiment(network.experiment)
        split = {p.component for p in network.populations if p.name in self.parts}
        still = {p.component for p in populations} | {i.component for i in inputs}
        still |= {p.synapse for p in projections} | {p.pre_synapse for p in projections}
        kept = [c for c in self.model.components if c.name not in split or c.name in still]
        changed = replace(
            network, populations=tuple(populations), projections=tuple(projections),
            inputs=tuple(inputs), experiment=experiment,
        )  # fmt: skip
        components = (*kept, *self.components.values())
        return replace(self.model, components=components, network=changed)

    def population(self, item: Population) -> list[Population]:
        """The population, or its parts. Raises ModelError P231 where there would be too many."""
        values = dict(item.parameters) | {f"initial {k}": v for k, v in item.initial.items()}
        if not values or not item.size:
            return [replace(item, parameters={}, initial={})]
        table = np.stack([np.asarray(v, dtype=float) for v in values.values()], axis=1)
        rows, part = _distinct(table)
        if len(rows) > MAX_PARTS:
            message = f"the cells of '{item.name}' differ in {', '.join(values)}: {len(rows)} kinds"
            raise refuse("P231", message, item.span, hint=f"at most {MAX_PARTS}")
        names = [
            self.fresh(f"{item.name}_{k}" if len(rows) > 1 else item.name) for k in range(len(rows))
        ]
        if len(rows) > 1:
            message = f"the cells of '{item.name}' differ: they stand in {len(rows)} populations"
            self.log.add("P231", Level.NOTE, message, item.span)
        place = np.zeros(item.size, dtype=np.int64)
        found = []
        for k, (row, name) in enumerate(zip(rows, names, strict=True)):
            cells = np.flatnonzero(part == k)
            place[cells] = np.arange(len(cells))
            component = self.variant(item.component, name, dict(zip(values, row, strict=True)))
            positions = None if item.positions is None else item.positions[cells]
            found.append(
                replace(item, name=name, component=component, size=len(cells), parameters={},
                        initial={}, positions=positions)
            )  # fmt: skip
        self.parts[item.name] = _Parts(tuple(names), part, place)
        return found

    def fresh(self, wanted: str) -> str:
        """A name for a part of a population."""
        while wanted in self.used:
            wanted += "_"
        self.used.add(wanted)
        return wanted

    def variant(self, owner: str, where: str, values: Mapping[str, float]) -> str:
        """The name of a copy of a component with other values, in SI."""
        component = self.model.component(owner)
        name = f"{owner}_{where}"
        while any(c.name == name for c in self.model.components) or name in self.components:
            name += "_"
        parameters = tuple(
            replace(p, value=si_quantity(float(values[p.name]), p.dimension))
            if p.name in values
            else p
            for p in component.parameters
        )
        states = tuple(
            replace(s, initial=_literal(float(values[f"initial {s.name}"]), s.dimension))
            if f"initial {s.name}" in values
            else s
            for s in component.state_variables
        )
        changed = replace(component, name=name, parameters=parameters, state_variables=states)
        self.components[name] = changed
        return name

    def projection(self, item: Projection) -> list[Projection]:
        """A projection between parts, its connections of one kind of synapse each."""
        source, pre = self.located(item.source, item.pre)
        target, post = self.located(item.target, item.post)
        values = {k: np.asarray(v, dtype=float) for k, v in item.parameters.items() if k != WEIGHT}
        values |= {f"initial {k}": np.asarray(v, dtype=float) for k, v in item.initial.items()}
        columns = [source, target, *values.values()]
        if not len(item.pre):
            return [replace(item, parameters={}, initial={})]
        rows, kind = _distinct(np.stack([np.asarray(c, dtype=float) for c in columns], axis=1))
        if len(rows) > MAX_PARTS:
            message = f"the connections of '{item.name}' are of {len(rows)} kinds"
            raise refuse("P231", message, item.span, hint=f"at most {MAX_PARTS}")
        weight = item.parameters.get(WEIGHT, item.weight)
        variants: dict[tuple[float, ...], str] = {}
        found = []
        for k, row in enumerate(rows):
            chosen = np.flatnonzero(kind == k)
            synapse, own = item.synapse, tuple(float(v) for v in row[2:])
            if values:
                if own not in variants:
                    settings = dict(zip(values, own, strict=True))
                    variants[own] = self.variant(
                        item.synapse, f"{item.name}_{len(variants)}", settings
                    )
                synapse = variants[own]
            found.append(
                replace(
                    item, name=item.name if len(rows) == 1 else f"{item.name}_{k}",
                    source=self.part(item.source, int(row[0])),
                    target=self.part(item.target, int(row[1])),
                    pre=pre[chosen], post=post[chosen], synapse=synapse, parameters={}, initial={},
                    weight=_rows(weight, chosen), delay=_rows(item.delay, chosen),
                )
            )  # fmt: skip
        return found

    def part(self, population: str, number: int) -> str:
        """The name of a part."""
        parts = self.parts.get(population)
        return parts.names[number] if parts else population

    def located(self, population: str, cells: Ints) -> tuple[Ints, Ints]:
        """Part and place of cells."""
        parts = self.parts.get(population)
        if parts is None:
            return np.zeros(len(cells), dtype=np.int64), np.asarray(cells)
        return parts.part[cells], parts.place[cells]

    def input(self, item: Input) -> list[Input]:
        """An input list for each part that it reaches."""
        if item.population not in self.parts:
            return [item]
        part, place = self.located(item.population, item.index)
        return [
            replace(item, name=f"{item.name}_{k}" if len(np.unique(part)) > 1 else item.name,
                    population=self.part(item.population, int(k)), index=place[part == k],
                    weight=_rows(item.weight, np.flatnonzero(part == k)))
            for k in np.unique(part)
        ]  # fmt: skip

    def experiment(self, item: Experiment) -> Experiment:
        """Recordings by their new paths."""
        return replace(
            item,
            recordings=tuple(self.recording(r) for r in item.recordings),
            displays=tuple(self.recording(r) for r in item.displays),
            events=tuple(self.event(r) for r in item.events),
        )

    def recording(self, item: Recording) -> Recording:
        return replace(item, path=self.path(item.path))

    def event(self, item: EventRecording) -> EventRecording:
        return replace(item, path=self.path(item.path))

    def path(self, path: str) -> str:
        """A path to a cell that may have moved."""
        place = split_path(path, self.network)
        if place is None or place[0] not in self.parts:
            return path
        parts = self.parts[place[0]]
        head = f"{parts.names[parts.part[place[1]]]}[{parts.place[place[1]]}]"
        return f"{head}/{place[2]}" if place[2] else head


def split_variants(model: Model, log: Log) -> Model:
    """The model with populations and projections of one set of values each. Raises ModelError P231."""
    network = model.network
    if network is None:
        return model
    differ = any(p.parameters or p.initial for p in (*network.populations, *network.projections))
    return _Splitting(model, network, log).run() if differ else model


def _distinct(table: Floats) -> tuple[Floats, Ints]:
    """Distinct rows in order of first occurrence, and for each row which it is."""
    _, first, inverse = np.unique(table, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return table[first[order]], rank[np.asarray(inverse).reshape(-1)]


def _rows(values: Floats | None, chosen: Ints) -> Floats | None:
    return None if values is None else np.asarray(values)[chosen]


def _literal(value: float, dimension: Dimension) -> Number:
    """A number in SI with its unit."""
    unit = si_quantity(value, dimension).unit
    return Number(value, unit if unit.symbol else None)


__all__ = ["split_variants"]
