"""A NeuroML `<network>` as arrays: populations, projections of every kind, inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...canonical_model.diagnostics import Level, Log, Span, error
from ...canonical_model.network import Input, Network, Population, Projection
from ..tables import Table
from ..xml import Element
from .network_builder import MICRO, NetworkBuilder, Units, groups, rows_of
from .network_singles import Singles
from .parse import need

if TYPE_CHECKING:
    from ...canonical_model.network import Floats, Ints

IGNORED = frozenset({"notes", "annotation", "property", "About", "Meta"})
EVENT_ROWS = frozenset({"connection", "connectionWD"})
ELECTRICAL_ROWS = frozenset({
    "electricalConnection", "electricalConnectionInstance", "electricalConnectionInstanceW",
})  # fmt: skip
CONTINUOUS_ROWS = frozenset({
    "continuousConnection", "continuousConnectionInstance", "continuousConnectionInstanceW",
})  # fmt: skip
INPUT_ROWS = frozenset({"input", "inputW"})


def read_network(element: Element, units: Units, log: Log) -> Network:
    """The network of an element.

    `units(text, dimension name, span)` reads a quantity in SI. Raises ModelError L03x, L112, L123 to
    L125, L172, each with its line.
    """
    builder = NetworkBuilder(units, log)
    singles = Singles(builder)
    for child in element.children:
        if child.tag in ("population", "populationList"):
            _population(child, builder)
        else:
            builder.taken.add(child.attributes.get("id", ""))
    for child in element.children:
        _part(child, builder, singles)
    singles.finish()
    quantities = {}
    if "temperature" in element.attributes:
        span = element.attribute_span("temperature")
        text = element.attributes["temperature"]
        quantities["temperature"] = units(text, "temperature", span)
    return builder.network(need(element, "id"), element.span, quantities)


def _part(child: Element, builder: NetworkBuilder, singles: Singles) -> None:
    match child.tag:
        case "population" | "populationList":
            pass
        case "projection":
            _projection(child, builder)
        case "electricalProjection":
            _tunnels(child, ELECTRICAL_ROWS, ("synapse", "synapse"), builder)
        case "continuousProjection":
            _tunnels(child, CONTINUOUS_ROWS, ("preComponent", "postComponent"), builder)
        case "synapticConnection" | "synapticConnectionWD" | "explicitConnection":
            singles.connection(child)
        case "explicitInput":
            singles.input(child)
        case "inputList":
            _input_list(child, builder)
        case tag if tag not in IGNORED:
            _left_out(f"<{tag}>", child.span, builder)


def _left_out(what: str, span: Span, builder: NetworkBuilder) -> None:
    message = f"{what} has no meaning for a point network and is left out"
    builder.log.add("L035", Level.NOTE, message, span)


def _population(element: Element, builder: NetworkBuilder) -> None:
    name = need(element, "id")
    table = _tables(element, frozenset({"instance"}), builder).get("instance")
    size = _size(element)
    ids = positions = None
    if table is not None:
        if size not in (None, len(table)):
            message = f"'{name}' says size='{size}' but lists {len(table)} instances, which count"
            builder.log.add("L034", Level.WARNING, message, element.attribute_span("size"))
        ids = table.index("id") if "id" in table.cells else None
        axes = [table.floats(f"location.{axis}", 0.0) for axis in "xyz"]
        if any(axis is not None for axis in axes):
            empty = np.zeros(len(table))
            filled = [empty if axis is None else axis for axis in axes]
            positions = np.stack(filled, axis=1) * MICRO
    elif size is None and element.attributes.get("type") != "populationList":
        message = f"the population '{name}' has neither a size nor instances"
        raise error("L112", message, element.span, hint='give it size="..."')
    properties = {
        item.attributes.get("tag", ""): item.attributes.get("value", "")
        for holder in (element, *element.all("annotation"))
        for item in holder.all("property")
    }
    builder.add_population(
        Population(
            name=name,
            component=need(element, "component"),
            size=len(table) if table is not None else size or 0,
            positions=positions,
            properties=properties,
            is_list=table is not None or element.attributes.get("type") == "populationList",
            span=element.span,
        ),
        ids,
    )


def _size(element: Element) -> int | None:
    text = element.attributes.get("size")
    if text is None:
        return None
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) < 19):
        message = f"size='{text[:80]}' is not a number of cells"
        raise error("L123", message, element.attribute_span("size"))
    return int(digits)


def _tables(element: Element, tags: frozenset[str], builder: NetworkBuilder) -> dict[str, Table]:
    """The tables of rows that belong below `element`, with a remark on everything else."""
    for tag, table in element.tables.items():
        if tag not in tags:
            expected = " or ".join(f"<{name}>" for name in sorted(tags))
            message = f"<{tag}> does not belong in <{element.tag}>"
            raise error("L033", message, table.place(0), hint=f"expected {expected}")
        for name, line in table.ignored.items():
            what = name if name.startswith("<") else f"the attribute '{name}' of <{tag}>"
            _left_out(what, Span(table.file, line), builder)
        for name, line in table.segments.items():
            usual = "0.5" if "raction" in name else "0"
            message = f"{name} other than {usual} only matters for cells with several segments"
            builder.log.add("L037", Level.NOTE, message, Span(table.file, line))
    for child in element.children:
        if child.tag not in IGNORED:
            _left_out(f"<{child.tag}> in <{element.tag}>", child.span, builder)
    return element.tables


def _ends(table: Table, column: str, population: str, builder: NetworkBuilder) -> Ints:
    """A column of references as positions in `population`, which every reference must name."""
    cells = table.cells.get(column)
    for name, line in (cells.populations if cells else {}).items():
        if name != population:
            place = Span(table.file, line)
            builder.population(name, place)
            message = f"{column} refers to '{name}', but the population here is '{population}'"
            raise error("L036", message, place)
    return builder.cells(population, table.index(column), table.place)


def _ends_of(element: Element, builder: NetworkBuilder) -> tuple[str, str]:
    """Source and target population of a projection. Raises ModelError L030, L112."""
    names = []
    for attribute in ("presynapticPopulation", "postsynapticPopulation"):
        name = need(element, attribute)
        if name not in builder.populations:
            builder.population(name, element.attribute_span(attribute))
        names.append(name)
    return names[0], names[1]


def _delays(table: Table, builder: NetworkBuilder) -> Floats | None:
    """Delays in seconds, 0 where absent. Raises ModelError L123 to L125, L172."""
    if "delay" not in table.texts:
        return None
    codes, units = table.codes("delay")
    numbers = np.array(table.numbers["delay"], dtype=float)
    values = np.zeros(len(codes))
    for rows in groups(codes):
        unit = units[codes[rows[0]]]
        if not unit:
            continue
        place = table.place(int(rows[0]))
        if np.isnan(numbers[rows[0]]):
            values[rows] = builder.delay(unit, place)
        else:
            values[rows] = numbers[rows] * builder.units(f"1 {unit}", "time", place)
    bad = np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
    if len(bad):
        row = int(bad[0])
        text = f"{numbers[row]:g} {units[codes[row]]}"
        if values[row] < 0:
            raise error("L172", f"the delay '{text}' is negative", table.place(row))
        raise error("L123", f"the delay '{text}' is not a finite number", table.place(row))
    return values


def _projection(element: Element, builder: NetworkBuilder) -> None:
    source, target = _ends_of(element, builder)
    name, synapse = need(element, "id"), need(element, "synapse")
    part = 0
    for table in _tables(element, EVENT_ROWS, builder).values():
        pre = _ends(table, "preCellId", source, builder)
        post = _ends(table, "postCellId", target, builder)
        weight, delay = table.floats("weight", 1.0), _delays(table, builder)
        destination, names = table.codes("destination")
        for rows in groups(destination):
            builder.projections.append(
                Projection(
                    name=builder.part_name(name, part),
                    source=source,
                    target=target,
                    pre=pre[rows],
                    post=post[rows],
                    synapse=synapse,
                    attachment=names[destination[rows[0]]],
                    weight=rows_of(weight, rows),
                    delay=rows_of(delay, rows),
                    span=element.span,
                )
            )
            part += 1


def _tunnels(
    element: Element, tags: frozenset[str], keys: tuple[str, str], builder: NetworkBuilder
) -> None:
    """Electrical and continuous projections: rows grouped by the components at their two ends."""
    source, target = _ends_of(element, builder)
    name = need(element, "id")
    part = 0
    for table in _tables(element, tags, builder).values():
        pre = _ends(table, "preCell", source, builder)
        post = _ends(table, "postCell", target, builder)
        weight = table.floats("weight", 1.0)
        (first, firsts), (second, seconds) = table.codes(keys[0]), table.codes(keys[1])
        for key, codes in zip(keys, (first, second), strict=True):
            missing = np.flatnonzero(codes == 0)
            if len(missing):
                place = table.place(int(missing[0]))
                raise error("L112", f"<{table.tag}> lacks the attribute '{key}'", place)
        for rows in groups(first, second):
            builder.projections.append(
                Projection(
                    name=builder.part_name(name, part),
                    source=source,
                    target=target,
                    pre=pre[rows],
                    post=post[rows],
                    kind="electrical" if element.tag == "electricalProjection" else "continuous",
                    pre_synapse=firsts[first[rows[0]]],
                    synapse=seconds[second[rows[0]]],
                    weight=rows_of(weight, rows),
                    span=element.span,
                )
            )
            part += 1


def _input_list(element: Element, builder: NetworkBuilder) -> None:
    name, component = need(element, "id"), need(element, "component")
    population = element.attributes.get("population", "")
    tables = _tables(element, INPUT_ROWS, builder)
    if not population:
        population = _named_population(element, tables)
    builder.population(population, _span(element, "population"))
    part = 0
    for table in tables.values():
        index = _ends(table, "target", population, builder)
        weight = table.floats("weight", 1.0)
        destination, names = table.codes("destination")
        for rows in groups(destination):
            builder.inputs.append(
                Input(
                    name=builder.part_name(name, part),
                    component=component,
                    population=population,
                    index=index[rows],
                    weight=rows_of(weight, rows),
                    attachment=names[destination[rows[0]]],
                    span=element.span,
                )
            )
            part += 1


def _named_population(element: Element, tables: dict[str, Table]) -> str:
    """The population that the first target names, for lists that do not say theirs."""
    for table in tables.values():
        if "target" in table.cells and table.cells["target"].populations:
            return next(iter(table.cells["target"].populations))
    return need(element, "population")


def _span(element: Element, name: str) -> Span:
    return element.attribute_span(name) if name in element.attributes else element.span
