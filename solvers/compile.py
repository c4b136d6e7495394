"""Turn a circuit into numpy code: one flat state vector, algebra in one order over all groups.

Model text never reaches the generated source: every name is replaced by a numbered one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from ..canonical_model.circuit import AnalogLink, Circuit, Group
from ..canonical_model.diagnostics import error
from ..canonical_model.expr import TIME, Expr, free_names
from ..canonical_model.model import INTEGER
from ..canonical_model.query import derived_forms
from . import numeric
from .evaluate import parameter_values
from .graph import topological
from .numeric import Array
from .numpy_printer import print_numpy, print_truth

Regimes: TypeAlias = list[list[Any]]  # per group and machine: the index of the active regime


@dataclass(slots=True)
class Compiled:
    """A group with its place in the state vector and its numbered names; `whole`: integer states."""

    number: int
    group: Group
    values: dict[str, Any]
    slices: dict[str, slice]
    names: dict[str, str]
    derived: dict[str, list[tuple[int, int, Expr]]] = field(default_factory=dict)
    whole: frozenset[str] = frozenset()

    @property
    def size(self) -> int:
        """How many instances."""
        return self.group.size


@dataclass(slots=True)
class Engine:
    """A compiled circuit.

    `rhs(t, y, dy, regimes)` fills dy; `algebra(t, y, regimes)` gives every derived variable and input;
    `local[k](t, y, regimes, inputs)` the derived variables of group k with its inputs given.
    """

    circuit: Circuit
    groups: list[Compiled]
    size: int
    rhs: Callable[[float, Array, Array, Regimes], None]
    algebra: Callable[[float, Array, Regimes], dict[tuple[int, str], Any]]
    local: list[Callable[[float, Array, Regimes, Mapping[str, Any]], dict[str, Any]]]
    moving: list[set[str]]
    random: np.random.Generator
    scope: dict[str, Any]
    lines: dict[tuple[int, str], str]
    needs: dict[tuple[int, str], set[tuple[int, str]]]

    def index(self, name: str) -> Compiled:
        """A group by name."""
        return next(item for item in self.groups if item.group.name == name)


def compile_circuit(circuit: Circuit, seed: int) -> Engine:
    """Compile. Raises ModelError S310 for an algebraic loop, S210, S211."""
    groups: list[Compiled] = []
    offset = 0
    for number, group in enumerate(circuit.groups):
        compiled, offset = _layout(number, group, offset)
        groups.append(compiled)
    links = _links_by_target(circuit, groups)
    order = _order(circuit, groups, links)
    scope: dict[str, Any] = {"np": np, "nm": numeric, "bool": bool}
    random = np.random.default_rng(seed)
    scope["nm_uniform"], scope["nm_normal"] = random.random, random.standard_normal
    scope["nm_poisson"] = random.poisson
    for item in groups:
        for name, value in item.values.items():
            scope[item.names[name]] = value
    needed = _needed(groups, order)
    head = _state_lines(groups)
    body = {node: _algebra_line(node, groups, links, scope) for node in order}
    rhs_lines = [*head, *(body[n] for n in order if n in needed), *_rate_lines(groups)]
    all_lines = [*head, *(body[n] for n in order)]
    pairs = ", ".join(f"({k}, {name!r}): {groups[k].names[name]}" for k, name in order)
    source = (
        "def rhs(t, y, dy, R):\n    " + "\n    ".join(rhs_lines or ["pass"]) + "\n    return None\n"
        "def algebra(t, y, R):\n    " + "\n    ".join([*all_lines, f"return {{{pairs}}}"]) + "\n"
    )
    for item in groups:
        source += _local_source(item)
    exec(compile(source, "<circuit>", "exec"), scope)
    moving = [_moving(item) for item in groups]
    local = [scope[f"local{item.number}"] for item in groups]
    return Engine(
        circuit, groups, offset, scope["rhs"], scope["algebra"], local, moving, random,
        scope, body, _needs(groups, links, order),
    )  # fmt: skip


def compile_tests(
    engine: Engine, tests: list[tuple[Compiled, Expr]]
) -> Callable[[float, Array, Regimes], list[Any]]:
    """One function that gives the truth of all `tests` for all instances, at a trial point."""
    wanted: set[tuple[int, str]] = set()
    for item, test in tests:
        for name in free_names(test):
            wanted |= engine.needs.get((item.number, name), set())
    lines = _state_lines(engine.groups)
    lines += [text for node, text in engine.lines.items() if node in wanted]
    values = ", ".join(print_truth(test, item.names) for item, test in tests)
    source = "def tests(t, y, R):\n    " + "\n    ".join([*lines, f"return [{values}]"]) + "\n"
    scope = dict(engine.scope)
    exec(compile(source, "<tests>", "exec"), scope)
    function: Callable[[float, Array, Regimes], list[Any]] = scope["tests"]
    return function


def _needs(
    groups: list[Compiled],
    links: Mapping[Node, list[tuple[int, str, AnalogLink]]],
    order: list[Node],
) -> dict[Node, set[Node]]:
    """Every algebraic node with all nodes that it depends on, itself included."""
    table: dict[Node, set[Node]] = {}
    for number, name in order:
        item = groups[number]
        found = {(number, name)}
        if name in item.derived:
            for _, _, value in item.derived[name]:
                for other in free_names(value):
                    found |= table.get((number, other), set())
        else:
            for source, variable, _ in links.get((number, name), ()):
                found |= table.get((source, variable), set())
        table[number, name] = found
    return table


def _layout(number: int, group: Group, offset: int) -> tuple[Compiled, int]:
    component = group.component
    values = parameter_values(component, group.parameters)
    slices: dict[str, slice] = {}
    names = {TIME: "t"}
    for i, state in enumerate(component.state_variables):
        slices[state.name] = slice(offset, offset + group.size)
        offset += group.size
        names[state.name] = f"s{number}_{i}"
    names.update({name: f"p{number}_{i}" for i, name in enumerate(values)})
    compiled = Compiled(number, group, values, slices, names)
    compiled.whole = frozenset(s.name for s in component.state_variables if s.kind == INTEGER)
    compiled.derived = derived_forms(component)
    names.update({name: f"d{number}_{i}" for i, name in enumerate(compiled.derived)})
    inputs = component.analog_inputs
    names.update({item.name: f"n{number}_{i}" for i, item in enumerate(inputs)})
    return compiled, offset


def _local_source(item: Compiled) -> str:
    """A function that computes one group's derived variables from given inputs."""
    graph = {
        name: {o for _, _, value in forms for o in free_names(value)} & item.derived.keys()
        for name, forms in item.derived.items()
    }
    order, _ = topological(graph)
    lines = _state_lines([item])
    lines += [f"{item.names[i.name]} = N[{i.name!r}]" for i in item.group.component.analog_inputs]
    lines += [f"{item.names[n]} = {_by_regime(item, item.derived[n])}" for n in order]
    pairs = ", ".join(f"{name!r}: {item.names[name]}" for name in order)
    body = "\n    ".join([*lines, f"return {{{pairs}}}"])
    return f"def local{item.number}(t, y, R, N):\n    {body}\n"


Node: TypeAlias = tuple[int, str]


def _links_by_target(
    circuit: Circuit, groups: list[Compiled]
) -> dict[Node, list[tuple[int, str, AnalogLink]]]:
    """(group, input) -> its sources; a source variable may be an exposure's name."""
    numbers = {item.group.name: item.number for item in groups}
    table: dict[Node, list[tuple[int, str, AnalogLink]]] = {}
    for link in circuit.analog_links:
        source = numbers[link.source]
        variable = link.variable
        if variable not in groups[source].names:
            exposures = groups[source].group.component.exposures
            variable = next((e.variable for e in exposures if e.name == variable), variable)
        table.setdefault((numbers[link.target], link.input), []).append((source, variable, link))
    return table


def _order(
    circuit: Circuit,
    groups: list[Compiled],
    links: Mapping[Node, list[tuple[int, str, AnalogLink]]],
) -> list[Node]:
    """Derived variables and inputs of all groups in order of dependence."""
    nodes: dict[str, Node] = {}
    graph: dict[str, set[str]] = {}
    for item in groups:
        inputs = [i.name for i in item.group.component.analog_inputs]
        own = {*item.derived, *inputs}
        for name in inputs:
            key = f"{item.number}:{name}"
            nodes[key] = (item.number, name)
            graph[key] = {f"{k}:{v}" for k, v, _ in links.get((item.number, name), ())}
        for name, forms in item.derived.items():
            key = f"{item.number}:{name}"
            nodes[key] = (item.number, name)
            used = {other for _, _, value in forms for other in free_names(value)}
            graph[key] = {f"{item.number}:{other}" for other in used & own}
    graph = {key: {o for o in others if o in graph} for key, others in graph.items()}
    order, circle = topological(graph)
    if circle:
        where = ", ".join(f"{groups[nodes[key][0]].group.name}/{nodes[key][1]}" for key in circle)
        message = f"these quantities of '{circuit.name}' depend on each other: {where}"
        raise error("S310", message)
    return [nodes[key] for key in order]


def _needed(groups: list[Compiled], order: list[Node]) -> set[Node]:
    """The algebra that rates depend on, through links as well: everything, if in doubt."""
    has_rates = {item.number for item in groups if _odes(item)}
    return set(order) if has_rates else set()


def _state_lines(groups: Iterable[Compiled]) -> list[str]:
    lines = []
    for item in groups:
        for name, place in item.slices.items():
            lines.append(f"{item.names[name]} = y[{place.start}:{place.stop}]")
    return lines


def _algebra_line(
    node: Node,
    groups: list[Compiled],
    links: Mapping[Node, list[tuple[int, str, AnalogLink]]],
    scope: dict[str, Any],
) -> str:
    """The assignment that computes one derived variable or input."""
    item = groups[node[0]]
    name = node[1]
    target = item.names[name]
    if name in item.derived:
        return f"{target} = {_by_regime(item, item.derived[name])}"
    declared = next(i for i in item.group.component.analog_inputs if i.name == name)
    parts = []
    for position, (source, variable, link) in enumerate(links.get(node, ())):
        from_name = groups[source].names[variable]
        size = groups[source].size
        key = f"{target}_{position}"
        parts.append(_gather(key, from_name, link, size, item.size, scope, bool(declared.reduce)))
    if not parts:
        # numpy's numbers divide by zero as C does, Python's raise
        return f"{target} = np.float64({str(declared.default)!r})"
    if declared.reduce == "multiply":
        return f"{target} = " + " * ".join(parts)
    return f"{target} = " + " + ".join(parts)


def _gather(
    key: str,
    source: str,
    link: AnalogLink,
    size: int,
    target_size: int,
    scope: dict[str, Any],
    is_sum: bool,
) -> str:
    """Source text that brings a source's values to the target's instances."""
    pre, post = np.asarray(link.pre), np.asarray(link.post)
    everyone = np.arange(target_size)
    plain = f"np.broadcast_to({source}, {size})"
    if len(post) == target_size and np.array_equal(post, everyone):
        if size == target_size and np.array_equal(pre, everyone):
            return source
        scope[f"{key}_i"] = pre
        return f"{plain}[{key}_i]"
    scope[f"{key}_i"], scope[f"{key}_o"] = pre, post
    if not is_sum:
        where = np.zeros(target_size, dtype=int)
        where[post] = pre
        scope[f"{key}_i"] = where
        return f"{plain}[{key}_i]"
    return f"np.bincount({key}_o, {plain}[{key}_i], {target_size})"


def _by_regime(item: Compiled, forms: list[tuple[int, int, Expr]]) -> str:
    """A value that may depend on the active regime."""
    text = "0.0"
    for machine, regime, value in forms:
        printed = print_numpy(value, item.names)
        if machine < 0:
            text = printed
        else:
            text = f"np.where(R[{item.number}][{machine}] == {regime}, {printed}, {text})"
    return text


def _odes(item: Compiled) -> dict[str, list[tuple[int, int, Expr]]]:
    found: dict[str, list[tuple[int, int, Expr]]] = {}
    component = item.group.component
    for ode in component.odes:
        found.setdefault(ode.variable, []).append((-1, -1, ode.rhs))
    for m, machine in enumerate(component.machines):
        for r, regime in enumerate(machine.regimes):
            for ode in regime.odes:
                found.setdefault(ode.variable, []).append((m, r, ode.rhs))
    return found


def _rate_lines(groups: Iterable[Compiled]) -> list[str]:
    lines = []
    for item in groups:
        odes = _odes(item)
        for name, place in item.slices.items():
            if name in odes:
                text = _by_regime(item, odes[name])
                lines.append(f"dy[{place.start}:{place.stop}] = {text}")
    return lines


def _moving(item: Compiled) -> set[str]:
    """Names that change continuously: states with ODEs and all algebra (inputs may be anything)."""
    inputs = {i.name for i in item.group.component.analog_inputs}
    return {*_odes(item), *item.derived, *inputs}
