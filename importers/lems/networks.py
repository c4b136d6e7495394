"""A NeuroML `<network>` as arrays: populations, projections of every kind, inputs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from ...canonical_model.diagnostics import Level, Log, Span, error, suggest
from ...canonical_model.network import Input, Network, Population, Projection
from .parse import need
from .tables import Table
from .xml import Element

if TYPE_CHECKING:
    from ...canonical_model.network import Floats, Ints

Units: TypeAlias = Callable[[str, str, Span | None], float]
MICRO = 1e-6
MAX_SIZE = 50_000_000
SEGMENTS = ("preSegmentId", "postSegmentId", "preSegment", "postSegment", "segmentId")
IGNORED = {"notes", "annotation", "property", "About", "Meta"}


@dataclass(slots=True)
class NetworkBuilder:
    """Checks references and gathers the parts; shared by the XML and the HDF5 reader."""

    units: Units
    log: Log
    populations: dict[str, Population] = field(default_factory=dict)
    ids: dict[str, Ints] = field(default_factory=dict)
    projections: list[Projection] = field(default_factory=list)
    inputs: list[Input] = field(default_factory=list)
    _delays: dict[str, float] = field(default_factory=dict)

    def add_population(self, population: Population, ids: Ints | None = None) -> None:
        """A population; `ids` are its cells' ids where they are not 0..size-1 in order."""
        if population.name in self.populations:
            message = f"two populations are called '{population.name}'"
            raise error("L032", message, population.span)
        if population.size > MAX_SIZE:
            message = f"a population of {population.size} cells is too large"
            raise error("L034", message, population.span)
        if ids is not None:
            values, counts = np.unique(ids, return_counts=True)
            if len(values) != len(ids):
                twice = int(values[counts > 1][0])
                message = f"'{population.name}' has several cells with the id {twice}"
                raise error("L032", message, population.span)
        self.populations[population.name] = population
        if ids is not None and not np.array_equal(ids, np.arange(population.size)):
            self.ids[population.name] = ids

    def population(self, name: str, span: Span | None) -> Population:
        """A population by name. Raises ModelError L030."""
        found = self.populations.get(name)
        if found is None:
            hint = suggest(name, self.populations)
            raise error("L030", f"there is no population '{name}'", span, hint=hint)
        return found

    def cells(self, name: str, ids: Ints, places: Callable[[int], Span | None]) -> Ints:
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
            raise error("L031", message, places(first))
        return positions

    def delay(self, text: str, span: Span | None) -> float:
        """A delay in seconds. Raises ModelError L125, L172."""
        value = self._delays.get(text)
        if value is None:
            value = self._delays[text] = self.units(text, "time", span)
            if value < 0:
                raise error("L172", f"the delay '{text}' is negative", span)
        return value

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


def read_network(element: Element, units: Units, log: Log) -> Network:
    """The network of an element. Raises ModelError L03x, L112, L125 with the line."""
    builder = NetworkBuilder(units, log)
    for child in element.children:
        if child.tag in ("population", "populationList"):
            _population(child, builder)
    loose = _Loose()
    for child in element.children:
        _part(child, builder, loose)
    loose.finish(builder)
    quantities = {}
    if "temperature" in element.attributes:
        span = element.attribute_span("temperature")
        text = element.attributes["temperature"]
        quantities["temperature"] = units(text, "temperature", span)
    return builder.network(need(element, "id"), element.span, quantities)


def _part(child: Element, builder: NetworkBuilder, loose: _Loose) -> None:
    match child.tag:
        case "population" | "populationList":
            pass
        case "projection":
            _projection(child, builder)
        case "electricalProjection" | "continuousProjection":
            _tunnels(child, builder)
        case "synapticConnection" | "synapticConnectionWD" | "explicitConnection":
            loose.connection(child, builder)
        case "explicitInput":
            loose.input(child, builder)
        case "inputList":
            _input_list(child, builder)
        case tag if tag not in IGNORED:
            message = f"<{tag}> has no meaning for a point network and is left out"
            builder.log.add("L035", Level.NOTE, message, child.span)


def _population(element: Element, builder: NetworkBuilder) -> None:
    name = need(element, "id")
    table = element.tables.get("instance")
    size_text = element.attributes.get("size", "0")
    if not (size_text.isdecimal() and len(size_text) < 19):
        message = f"size='{size_text}' is not a number of cells"
        raise error("L123", message, element.attribute_span("size"))
    size = len(table) if table else int(size_text)
    ids = None
    positions = None
    if table:
        ids = table.index("id") if "id" in table.cells else None
        axes = [table.floats(f"location.{axis}", 0.0) for axis in "xyz"]
        if all(axis is not None for axis in axes):
            positions = np.stack([a for a in axes if a is not None], axis=1) * MICRO
    properties = {
        item.attributes.get("tag", ""): item.attributes.get("value", "")
        for item in element.all("property")
    }
    builder.add_population(
        Population(
            name=name,
            component=need(element, "component"),
            size=size,
            positions=positions,
            properties=properties,
            is_list=table is not None or element.attributes.get("type") == "populationList",
            span=element.span,
        ),
        ids,
    )


def _ends(table: Table, column: str, population: str, builder: NetworkBuilder) -> Ints:
    """A column of references as positions in `population`, which every reference must name."""
    for name, line in table.populations.get(column, {}).items():
        if name != population:
            message = f"{column} refers to '{name}', but the projection is about '{population}'"
            raise error("L036", message, Span(table.file, line))
    return builder.cells(population, table.index(column), _places(table))


def _places(table: Table) -> Callable[[int], Span | None]:
    return lambda row: Span(table.file, table.lines[row])


def _warn_segments(table: Table, builder: NetworkBuilder) -> None:
    for name in SEGMENTS:
        if any(text not in ("", "0") for text in table.texts.get(name, ())):
            message = f"{name} other than 0 only matters for cells with several segments"
            builder.log.add("L037", Level.NOTE, message, Span(table.file, table.lines[0]))


def _delays(table: Table, builder: NetworkBuilder) -> Floats | None:
    """The delays in seconds. Raises ModelError L125 for no time, L172 for a negative one."""
    column = table.quantities.get("delay")
    if column is None:
        return None
    values = np.array(column.values, dtype=float)
    codes = np.array(column.codes, dtype=np.int64)
    factors = np.zeros(len(column.units))
    for unit, code in column.units.items():
        rows = np.flatnonzero(codes == code)
        row = int(rows[0])
        place = Span(table.file, table.lines[row])
        if math.isnan(values[row]):
            # not a number with a unit: `units` says what is wrong with the text
            values[rows] = builder.units(unit, "time", place)
            factors[code] = 1.0
        elif unit or np.any(values[rows] != 0):
            factors[code] = builder.units(f"1 {unit}", "time", place)
    seconds: Floats = values * factors[codes]
    check_delays(seconds, _places(table))
    return seconds


def check_delays(seconds: Floats, places: Callable[[int], Span | None]) -> None:
    """Raise ModelError L172 at the first delay that is negative, L123 at one that is not finite."""
    bad = np.flatnonzero(~(np.isfinite(seconds) & (seconds >= 0)))
    if len(bad):
        first = int(bad[0])
        value = f"{seconds[first] * 1e3:.6g} ms"
        if seconds[first] < 0:
            raise error("L172", f"the delay of {value} is negative", places(first))
        raise error("L123", f"the delay of {value} is not a finite number", places(first))


def _attachment(table: Table) -> str:
    names = {text for text in table.texts.get("destination", ()) if text}
    return min(names) if names else ""


def _projection(element: Element, builder: NetworkBuilder) -> None:
    source = need(element, "presynapticPopulation")
    target = need(element, "postsynapticPopulation")
    builder.population(source, element.span)
    builder.population(target, element.span)
    synapse = need(element, "synapse")
    for table in element.tables.values():
        _warn_segments(table, builder)
        builder.projections.append(
            Projection(
                name=need(element, "id"),
                source=source,
                target=target,
                pre=_ends(table, "preCellId", source, builder),
                post=_ends(table, "postCellId", target, builder),
                synapse=synapse,
                attachment=_attachment(table),
                weight=table.floats("weight", 1.0),
                delay=_delays(table, builder),
                span=element.span,
            )
        )


def _tunnels(element: Element, builder: NetworkBuilder) -> None:
    """electricalProjection and continuousProjection: rows grouped by the components at their ends."""
    source = need(element, "presynapticPopulation")
    target = need(element, "postsynapticPopulation")
    is_electrical = element.tag == "electricalProjection"
    keys = ("synapse", "synapse") if is_electrical else ("preComponent", "postComponent")
    for table in element.tables.values():
        _warn_segments(table, builder)
        pre = _ends(table, "preCell", source, builder)
        post = _ends(table, "postCell", target, builder)
        weight = table.floats("weight", 1.0)
        empty = [""] * len(table)
        groups: dict[tuple[str, str], list[int]] = {}
        columns = (table.texts.get(key, empty) for key in keys)
        for k, pair in enumerate(zip(*columns, strict=True)):
            groups.setdefault((pair[0], pair[1]), []).append(k)
        for pair, members in groups.items():
            rows = np.array(members)
            if not all(pair):
                place = Span(table.file, table.lines[members[0]])
                lacking = keys[pair.index("")]
                raise error("L112", f"<{table.tag}> lacks the attribute '{lacking}'", place)
            builder.projections.append(
                Projection(
                    name=need(element, "id"),
                    source=source,
                    target=target,
                    pre=pre[rows],
                    post=post[rows],
                    kind="electrical" if is_electrical else "continuous",
                    pre_synapse=pair[0],
                    synapse=pair[1],
                    weight=None if weight is None else weight[rows],
                    span=element.span,
                )
            )


def _input_list(element: Element, builder: NetworkBuilder) -> None:
    population = element.attributes.get("population", "")
    for table in element.tables.values():
        _warn_segments(table, builder)
        named = table.populations.get("target", {})
        name = population or next(iter(named), "")
        builder.inputs.append(
            Input(
                name=need(element, "id"),
                component=need(element, "component"),
                population=name,
                index=_ends(table, "target", name, builder),
                weight=table.floats("weight", 1.0),
                attachment=_attachment(table),
                span=element.span,
            )
        )


@dataclass(slots=True)
class _Loose:
    """Single synapticConnections and explicitInputs, grouped by what they join."""

    connections: dict[tuple[str, ...], list[tuple[int, int, float, float, Span]]] = field(
        default_factory=dict
    )
    inputs: dict[tuple[str, ...], list[tuple[int, Span]]] = field(default_factory=dict)

    def connection(self, element: Element, builder: NetworkBuilder) -> None:
        """`synapticConnection from to synapse`, with weight and delay in the WD form."""
        source, pre = _cell(element, "from", builder)
        target, post = _cell(element, "to", builder)
        attributes = element.attributes
        weight = _float(element, "weight", 1.0)
        delay = 0.0
        if "delay" in attributes:
            delay = builder.delay(attributes["delay"], element.attribute_span("delay"))
        key = (
            source,
            target,
            attributes.get("synapse", ""),
            attributes.get("destination", ""),
            attributes.get("targetPort", ""),
        )
        row = (pre, post, weight, delay, element.span)
        self.connections.setdefault(key, []).append(row)

    def input(self, element: Element, builder: NetworkBuilder) -> None:
        """`explicitInput target input`."""
        population, index = _cell(element, "target", builder)
        key = (population, need(element, "input"), element.attributes.get("destination", ""))
        self.inputs.setdefault(key, []).append((index, element.span))

    def finish(self, builder: NetworkBuilder) -> None:
        """Put the groups into the network, in order of first occurrence."""
        for (source, target, synapse, destination, port), rows in self.connections.items():
            pre, post, weight, delay, spans = zip(*rows, strict=True)
            builder.projections.append(
                Projection(
                    name=f"{source}_{target}_{synapse}",
                    source=source,
                    target=target,
                    pre=np.array(pre),
                    post=np.array(post),
                    synapse=synapse,
                    target_port=port,
                    attachment=destination,
                    weight=np.array(weight),
                    delay=np.array(delay),
                    span=spans[0],
                )
            )
        for (population, component, destination), cells in self.inputs.items():
            index, spans = zip(*cells, strict=True)
            builder.inputs.append(
                Input(
                    name=f"{population}_{component}",
                    component=component,
                    population=population,
                    index=np.array(index),
                    attachment=destination,
                    span=spans[0],
                )
            )


def _cell(element: Element, name: str, builder: NetworkBuilder) -> tuple[str, int]:
    """One reference attribute as population and position."""
    table = Table(element.span.file, element.tag)
    text = need(element, name)
    table.add({"target": text}, element.span.line)
    span = element.attribute_span(name)
    named = list(table.populations["target"])
    if not named:
        hint = "write population[0] or population/0/component"
        raise error("L033", f"'{text}' is not a reference to a cell", span, hint=hint)
    builder.population(named[0], span)
    cells = builder.cells(named[0], table.index("target"), lambda _: span)
    return named[0], int(cells[0])


def _float(element: Element, name: str, default: float) -> float:
    text = element.attributes.get(name)
    if text is None:
        return default
    try:
        return float(text)
    except ValueError:
        raise error("L123", f"'{text}' is not a number", element.attribute_span(name)) from None
