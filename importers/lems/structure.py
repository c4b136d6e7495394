"""Build a network from LEMS Structure elements: models that define their own network types.

A root component without dynamics of its own is a network: children that instantiate others
(MultiInstantiate) or have dynamics become populations, children with EventConnections projections.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from ...canonical_model import model
from ...canonical_model.diagnostics import Log, Span, error, suggest
from ...canonical_model.network import Network, Population, Projection
from ...canonical_model.units import TIME
from ...lems_types import syntax
from ...lems_types.lower import Lowering
from ...lems_types.types import ResolvedType

if TYPE_CHECKING:
    from ...canonical_model.network import Floats, Ints

CONNECTING = frozenset({"EventConnection", "ForEach", "Tunnel"})
MAX_INSTANCES = 10_000_000


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """Some instances of a population; two aliases of one loop are the same object."""

    population: str
    index: Ints


@dataclass(slots=True)
class _Building:
    """The network under construction."""

    lowering: Lowering
    log: Log
    populations: dict[str, Population] = field(default_factory=dict)
    components: dict[str, model.Component] = field(default_factory=dict)
    projections: list[Projection] = field(default_factory=list)


def is_network(component: syntax.Component, resolved: ResolvedType, lowering: Lowering) -> bool:
    """True if the component has no dynamics of its own but a structure of instances below it."""
    dynamics = resolved.dynamics
    if dynamics is not None and (dynamics.state_variables or dynamics.derived_variables):
        return False
    return any(_builds(child, lowering) for child in component.children)


def _builds(component: syntax.Component, lowering: Lowering) -> bool:
    resolved = _type_of(component, lowering)
    tags = {build.tag for build in resolved.structure} if resolved else set()
    return "MultiInstantiate" in tags or bool(tags & CONNECTING)


def _type_of(component: syntax.Component, lowering: Lowering) -> ResolvedType | None:
    name = component.type or component.tag
    return lowering.types.resolve(name) if lowering.types.find(name) else None


def build_network(
    root: syntax.Component, lowering: Lowering, log: Log
) -> tuple[Network, tuple[model.Component, ...]]:
    """The network below `root`, and the components that it defines inline."""
    building = _Building(lowering, log)
    connections: list[syntax.Component] = []
    for child in root.children:
        resolved = _type_of(child, lowering)
        if resolved is None:
            continue
        tags = {build.tag for build in resolved.structure}
        if "MultiInstantiate" in tags:
            _multi(child, resolved, building)
        elif tags & CONNECTING or any(_builds(inner, lowering) for inner in child.children):
            connections.append(child)
        elif resolved.dynamics is not None:
            _single(child, resolved, building)
    for child in connections:
        _connect_tree(child, (), building)
    root_type = lowering.types.resolve(root.type or root.tag)
    values, _ = lowering.values(root, root_type)
    network = Network(
        name=root.id or root.tag,
        populations=tuple(building.populations.values()),
        projections=tuple(building.projections),
        quantities={item.name: item.value.si for item in values if item.value},
        span=root.span,
    )
    return network, tuple(building.components.values())


def _multi(child: syntax.Component, resolved: ResolvedType, building: _Building) -> None:
    """`MultiInstantiate number component`: a population."""
    build = next(item for item in resolved.structure if item.tag == "MultiInstantiate")
    size = _size(build, child)
    component = (
        _of_type(build, child, building)
        if "componentType" in build.attributes
        else _referred(build, child, building)
    )
    own, _ = building.lowering.values(child, resolved)
    known = {item.name: item.value.si for item in own if item.value}
    parameters = {
        item.attributes.get("property", ""): _assigned(item, build, known, size)
        for item in build.children
        if item.tag == "Assign"
    }
    names = [item.name for item in component.parameters]
    for name in parameters:
        if name not in names:
            message = f"'{component.name}' has no property '{name}'"
            raise error("L135", message, build.span, hint=suggest(name, names))
    building.populations[child.id] = Population(
        name=child.id, component=component.name, size=size, parameters=parameters, span=child.span
    )


def _referred(build: syntax.Build, child: syntax.Component, building: _Building) -> model.Component:
    """The component that the attribute named by `component` refers to."""
    reference = build.attributes.get("component", "component")
    text = child.attributes.get(reference)
    if text is None:
        raise error("L144", f"'{child.id}' lacks the reference '{reference}'", child.span)
    return building.lowering.by_id(text.text, text.span)


def _of_type(build: syntax.Build, child: syntax.Component, building: _Building) -> model.Component:
    """An instance of a type that is named, directly or by an attribute, and given by Assign alone."""
    name = build.attributes["componentType"]
    written = child.attributes.get(name)
    kind = written.text if written else name
    plain = syntax.Component(tag=kind, id=f"{child.id}_{kind}", type=kind, span=child.span)
    component = building.lowering.lower(plain, kind)
    building.components[component.name] = component
    return component


def _size(build: syntax.Build, child: syntax.Component) -> int:
    number = build.attributes.get("number", "1")
    written = child.attributes.get(number)
    value = written.text if written else number
    try:
        size = int(float(value))
    except (ValueError, OverflowError):
        raise error("L123", f"'{value}' is not a number of instances", child.span) from None
    if not 0 < size <= MAX_INSTANCES:
        raise error("L123", f"a population of {size} instances cannot be built", child.span)
    return size


def _assigned(
    item: syntax.Build, build: syntax.Build, known: Mapping[str, float], size: int
) -> Floats:
    """What an Assign gives each instance: an expression in the index and the parent's parameters."""
    from .array_values import array_value

    values: dict[str, Floats | float] = dict(known)
    values[build.attributes.get("indexVariable", "index")] = np.arange(size, dtype=float)
    text = item.attributes.get("value", "")
    return np.broadcast_to(array_value(text, values, item.span), (size,)).astype(float)


def _single(child: syntax.Component, resolved: ResolvedType, building: _Building) -> None:
    component = building.lowering.lower(child, resolved.name)
    name = child.id or child.tag
    component = replace(component, name=name)
    building.components[name] = component
    building.populations[name] = Population(name=name, component=name, size=1, span=child.span)


def _connect_tree(
    component: syntax.Component, above: tuple[syntax.Component, ...], building: _Building
) -> None:
    """The connections of a component and of those nested in it."""
    resolved = _type_of(component, building.lowering)
    scopes = (component, *above)
    for inner in component.children:
        _connect_tree(inner, scopes, building)
    if resolved is not None and resolved.structure:
        _connect(resolved.structure, scopes, {}, building)


def _connect(
    builds: tuple[syntax.Build, ...],
    scopes: tuple[syntax.Component, ...],
    aliases: Mapping[str, _Cells],
    building: _Building,
) -> None:
    known = dict(aliases)
    for build in builds:
        attributes = build.attributes
        if build.tag == "With":
            path = attributes.get("instance") or attributes.get("list", "")
            cells = _cells(path, scopes, build.span, building)
            if "index" in attributes:
                cells = _indexed(cells, attributes["index"], scopes, build.span)
            known[attributes.get("as", "")] = cells
        elif build.tag == "ForEach":
            cells = _cells(attributes.get("instances", ""), scopes, build.span, building)
            inner = {**known, attributes.get("as", ""): cells}
            _connect(build.children, scopes, inner, building)
        elif build.tag == "EventConnection":
            _event_connection(build, scopes, known, building)
        elif build.tag == "Tunnel":
            _tunnel(build, scopes, known, building)
        elif build.tag not in ("Assign",):
            message = f"<{build.tag}> in the Structure of '{scopes[0].tag}' is not supported"
            raise error("L170", message, build.span)


def _cells(
    path: str, scopes: tuple[syntax.Component, ...], span: Span | None, building: _Building
) -> _Cells:
    """The instances that a path means: `../source` through Links, `pop[3]`, or a component's id."""
    level = 0
    while path.startswith("../"):
        path, level = path[3:], level + 1
    scope = scopes[min(level, len(scopes) - 1)]
    text = scope.attributes.get(path)
    target = (text.text if text else path).removeprefix("../")
    name, _, index = target.partition("[")
    population = building.populations.get(name)
    if population is None:
        hint = suggest(name, building.populations)
        raise error("L171", f"there is no population '{target}'", span or scope.span, hint=hint)
    if index:
        number = index.rstrip("]")
        if not number.isdigit() or int(number) >= population.size:
            message = f"'{target}' is outside the {population.size} instances of '{name}'"
            raise error("L031", message, span or scope.span)
        return _Cells(name, np.array([int(number)]))
    return _Cells(name, np.arange(population.size))


def _indexed(
    cells: _Cells, name: str, scopes: tuple[syntax.Component, ...], span: Span | None
) -> _Cells:
    """One instance of a list, by the number in the attribute `name`."""
    text = next((scope.attributes[name].text for scope in scopes if name in scope.attributes), name)
    if not text.isdigit() or int(text) >= len(cells.index):
        message = f"'{text}' is outside the {len(cells.index)} instances of '{cells.population}'"
        raise error("L031", message, span or scopes[0].span)
    return _Cells(cells.population, cells.index[int(text) : int(text) + 1])


def _event_connection(
    build: syntax.Build,
    scopes: tuple[syntax.Component, ...],
    aliases: Mapping[str, _Cells],
    building: _Building,
) -> None:
    attributes = build.attributes
    try:
        source = aliases[attributes["from"]]
        target = aliases[attributes["to"]]
    except KeyError as problem:
        message = f"an EventConnection of '{scopes[0].tag}' lacks or does not know {problem}"
        raise error("L112", message, build.span) from None
    if source is target:
        pre = post = source.index
    else:
        pre = np.repeat(source.index, len(target.index))
        post = np.tile(target.index, len(source.index))
    delay = _delay(attributes.get("delay", ""), scopes, building)
    receiver = attributes.get("receiver", "").removeprefix("../")
    synapse = ""
    if receiver:
        text = next((s.attributes[receiver] for s in scopes if receiver in s.attributes), None)
        if text is None:
            raise error("L144", f"'{scopes[0].id}' lacks the reference '{receiver}'", build.span)
        synapse = building.lowering.by_id(text.text, text.span).name
    weights = [_weight(item, scopes) for item in build.children if item.tag == "Assign"]
    building.projections.append(
        Projection(
            name=scopes[-1].id or f"connection{len(building.projections)}",
            source=source.population,
            target=target.population,
            pre=pre,
            post=post,
            synapse=synapse,
            source_port=_port(attributes.get("sourcePort", ""), scopes),
            target_port=_port(attributes.get("targetPort", ""), scopes),
            weight=np.full(len(pre), weights[0]) if weights else None,
            delay=np.full(len(pre), delay) if delay else None,
            span=scopes[0].span,
        )
    )


def _tunnel(
    build: syntax.Build,
    scopes: tuple[syntax.Component, ...],
    aliases: Mapping[str, _Cells],
    building: _Building,
) -> None:
    """A component at each end, each reading its peer."""
    ends, components = [], []
    for end, kind in (("endA", "componentA"), ("endB", "componentB")):
        name = build.attributes.get(end, "")
        if name not in aliases:
            message = f"a Tunnel of '{scopes[0].tag}' lacks or does not know '{end}'"
            raise error("L112", message, build.span, hint=suggest(name, aliases))
        ends.append(aliases[name])
        reference = build.attributes.get(kind, "")
        text = next((s.attributes[reference] for s in scopes if reference in s.attributes), None)
        if text is None:
            raise error("L144", f"'{scopes[0].id}' lacks the reference '{reference}'", build.span)
        components.append(building.lowering.by_id(text.text, text.span).name)
    weights = [_weight(item, scopes) for item in build.children if item.tag == "Assign"]
    pre = np.repeat(ends[0].index, len(ends[1].index))
    building.projections.append(
        Projection(
            name=scopes[0].id or f"tunnel{len(building.projections)}",
            source=ends[0].population,
            target=ends[1].population,
            pre=pre,
            post=np.tile(ends[1].index, len(ends[0].index)),
            kind="electrical" if components[0] == components[1] else "continuous",
            pre_synapse=components[0],
            synapse=components[1],
            weight=np.full(len(pre), weights[0]) if weights else None,
            span=scopes[0].span,
        )
    )


def _port(name: str, scopes: tuple[syntax.Component, ...]) -> str:
    """A port is named by the value of a text attribute, or directly."""
    text = scopes[0].attributes.get(name)
    if text is not None:
        return text.text
    return "" if name in ("sourcePort", "targetPort") else name


def _delay(name: str, scopes: tuple[syntax.Component, ...], building: _Building) -> float:
    if not name:
        return 0.0
    text = next((scope.attributes[name] for scope in scopes if name in scope.attributes), None)
    value = building.lowering.types.quantity(
        text.text if text else name, TIME, text.span if text else scopes[0].span
    ).si
    if value < 0:
        raise error("L172", "a delay cannot be negative", scopes[0].span)
    return value


def _weight(build: syntax.Build, scopes: tuple[syntax.Component, ...]) -> float:
    name = build.attributes.get("value", "1")
    text = next((scope.attributes[name] for scope in scopes if name in scope.attributes), None)
    try:
        return float(text.text if text else name)
    except ValueError:
        message = f"'{name}' is not a weight"
        raise error("L123", message, text.span if text else build.span) from None
