"""What a network becomes in NEST: models, populations with their values, connections, recordings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...canonical_model.circuit import AnalogLink, Circuit, EventLink, Group, Probe
from ...canonical_model.diagnostics import Level, Log, refuse
from ...canonical_model.draw import values as drawn_values
from ...canonical_model.expr import TIME as T
from ...canonical_model.lazy import np
from ...canonical_model.model import Component, Model
from ...canonical_model.network import Rule
from ...canonical_model.passes.fuse import fuse
from ...canonical_model.query import declared
from ...canonical_model.rules import RANDOM_RULES, expected
from ...canonical_model.units import NONE
from .names import class_name
from .plan import ModelPlan, plan_model
from .ranks import split_ranks

if TYPE_CHECKING:
    from ...canonical_model.network import Floats, Ints

MAX_DRAWN = 1_000_000  # connections of random rules beyond which NEST draws
RULES: Mapping[str, str] = {
    "all_to_all": "all_to_all",
    "one_to_one": "one_to_one",
    "probabilistic": "pairwise_bernoulli",
    "fan_in": "fixed_indegree",
    "fan_out": "fixed_outdegree",
}
DEFAULT_LENGTH = 0.1  # s, for models that name none
CLOSE = 1e-6  # of a step: a delay this near to a whole number of steps is one


@dataclass(slots=True)
class PopulationPlan:
    """A group as NEST nodes; `values` by status key, one number or one a cell, parameters first."""

    group: Group
    model: ModelPlan
    values: dict[str, Any] = field(default_factory=dict)
    recorded: dict[str, list[int]] = field(default_factory=dict)


@dataclass(slots=True)
class Connections:
    """Spike connections: indices, weights, delays in ms; or a rule of NEST with one of each."""

    source: str
    target: str
    pre: Ints
    post: Ints
    receptor: int
    weight: Floats
    delay: Floats
    model: str = "static_synapse"
    rule: Mapping[str, str | float | int] | None = None


@dataclass(slots=True)
class Trace:
    """A recorded quantity: node, recordable, and its unit in SI."""

    label: str
    population: str
    index: int
    key: str
    si: float


@dataclass(slots=True)
class NetworkPlan:
    """The whole network; `step` and `length` in seconds."""

    circuit: Circuit
    models: list[ModelPlan]
    populations: dict[str, PopulationPlan]
    connections: list[Connections]
    traces: list[Trace]
    step: float
    length: float


def plan_network(
    model: Model, circuit: Circuit, *, scheme: str, step: float, log: Log
) -> NetworkPlan:
    """Decide. Raises ModelError B3xx for what NEST cannot hold."""
    fused = together(circuit)
    _refuse_rest(fused)
    originals = {item.name: item for item in model.components if item.update is not None}
    plan = NetworkPlan(fused, [], {}, [], [], step, fused.length or DEFAULT_LENGTH)
    for group in fused.groups:
        component = _component(group, originals)
        wanted = {p.variable for p in fused.probes if p.group == group.name}
        found = _model(plan, component, group, scheme, log, wanted, _sent(fused, group.name))
        plan.populations[group.name] = PopulationPlan(group, found, _values(group, found))
    for link in fused.event_links:
        plan.connections += _connections(plan, link, log)
    plan.connections += [_readings(plan, link) for link in fused.analog_links]
    for probe in fused.probes:
        _trace(plan, probe, log)
    return plan


def order(circuit: Circuit) -> tuple[str, ...]:
    """NEST's order of a step: what arrives at its end is there when conditions are tested.

    A program of a step says itself when events count.
    """
    if any(group.component.update is not None for group in circuit.groups):
        return ()
    return ("gather", "integrate", "deliver", "conditions")


def integrates(circuit: Circuit, scheme: str) -> str:
    """The reference simulator's solver for what these groups get in NEST with `scheme`: one for all of them.

    Raises what planning does.
    """
    step = circuit.step
    for group in circuit.groups:
        if plan_model(group.component, scheme=scheme, step=step, log=Log()).adaptive:
            return "rkf45"
    return scheme


def together(circuit: Circuit) -> Circuit:
    """What drives or joins cells as part of the cells' models, as NEST has it."""
    return fuse(split_ranks(circuit), sources=True, peers=True)


def _refuse_rest(circuit: Circuit) -> None:
    """Groups that could not be fused."""
    for group in circuit.groups:
        if group.host:
            message = (
                f"'{group.component.name}' on '{group.host}' sends events or has regimes of its own, "
                "so it cannot be part of NEST's model of the cell"
            )
            raise refuse("B306", message, group.component.span)


def _sent(circuit: Circuit, name: str) -> str:
    """What a group's cells send in every step. Raises ModelError B307 for more than one quantity."""
    wanted = sorted({link.variable for link in circuit.analog_links if link.source == name})
    if len(wanted) > 1:
        message = (
            f"other cells read {', '.join(wanted)} of '{name}' all the time; a neuron of NEST can send "
            "one quantity"
        )
        raise refuse("B307", message)
    return wanted[0] if wanted else ""


def _readings(plan: NetworkPlan, link: AnalogLink) -> Connections:
    """A gap junction or graded synapse reads the source as it was at the end of the last step."""
    target = plan.populations[link.target]
    if link.input not in target.model.ports.peers:
        message = f"'{link.source}' feeds '{link.input}' of '{link.target}', a sum, in every step"
        raise refuse("B307", message)
    number = target.model.ports.peers.index(link.input)
    count = len(link.pre)
    step = np.full(count, _clean(plan.step * 1e3))
    return Connections(
        link.source, link.target, link.pre, link.post, number, np.ones(count), step,
        "rate_connection_delayed",
    )  # fmt: skip


def _component(group: Group, originals: Mapping[str, Component]) -> Component:
    """The component as written where it is a time-step program: NEST has its own order of a step."""
    return originals.get(group.component.name, group.component)


def _model(
    plan: NetworkPlan,
    component: Component,
    group: Group,
    scheme: str,
    log: Log,
    wanted: set[str],
    sent: str,
) -> ModelPlan:
    """The model of a component, planned once; more recordables are added when asked for."""
    for known in plan.models:
        if known.source == component and sent in ("", known.sent):
            _record(known, wanted)
            return known
    name = class_name(component.name)
    taken = {known.name for known in plan.models}
    if name in taken:
        name = class_name(f"{component.name}_{group.name}")
    number = 2
    while name in taken:
        name, number = f"{class_name(component.name)}_{number}", number + 1
    found = plan_model(component, scheme=scheme, step=plan.step, log=log, name=name)
    found.sent = sent
    _record(found, wanted)
    plan.models.append(found)
    return found


def _record(plan: ModelPlan, variables: set[str]) -> None:
    """Make derived variables recordable under their own names."""
    derived = {item.name for item in plan.component.derived_variables}
    for machine in plan.component.machines:
        derived |= {d.name for regime in machine.regimes for d in regime.derived_variables}
    inputs = {item.name for item in plan.component.analog_inputs}
    for name in sorted(variables & (derived | inputs)):
        if name not in plan.recordables.values():
            key = class_name(name)
            while key in plan.recordables or key in plan.keys.values():
                key += "_"
            plan.recordables[key] = name


def _values(group: Group, model: ModelPlan) -> dict[str, Any]:
    """Overrides in the model's units, by status key; parameters before initial values."""
    dimensions = {item.name: item.dimension for item in declared(group.component)}
    found: dict[str, Any] = {}
    for table in (group.parameters, group.initial):
        for name, values in table.items():
            if name not in model.keys:
                continue
            size = model.units.size(dimensions.get(name, NONE))
            scaled = [_clean(float(value) / size) for value in np.ravel(values)]
            if scaled:
                same = all(value == scaled[0] for value in scaled)
                found[model.keys[name]] = scaled[0] if same else scaled
    return found


def _clean(value: float) -> float:
    """A scaled value without the digits that scaling added."""
    short = float(f"{value:.15g}")
    return short if abs(short - value) <= 4e-16 * abs(value) else value


def _connections(plan: NetworkPlan, link: EventLink, log: Log) -> list[Connections]:
    source, target = plan.populations[link.source], plan.populations[link.target]
    if link.source_port != source.model.ports.output:
        message = f"events of '{link.source_port}' of '{link.source}' are not NEST's spikes"
        log.add("B211", Level.DROPPED, message)
        return []
    count = len(link.pre) if link.rule is None else 1
    if not count:
        return []
    port = target.model.ports.spike(link.target_port)
    weight = np.ones(count) if link.weight is None else np.asarray(link.weight, dtype=float)
    delay = np.zeros(count) if link.delay is None else np.asarray(link.delay, dtype=float)
    if link.rule is not None and link.rule.delay is not None:
        delay = drawn_values(link.rule.delay, 1)
    steps = np.maximum(np.round(delay / plan.step), 1.0)
    worst = float(np.max(np.abs(steps * plan.step - delay)))
    if worst > CLOSE * plan.step:
        message = (
            f"delays from '{link.source}' to '{link.target}' are changed by up to {worst * 1e3:g} ms: "
            "NEST's delays are whole steps, at least one"
        )
        log.add("B213", Level.APPROXIMATED, message)
    ms = np.array([_clean(value) for value in steps * (plan.step * 1e3)])
    sign = -1.0 if _is_negative(port.port.sign, target.model, port.receptor) else 1.0
    found = Connections(
        link.source, link.target, link.pre, link.post, port.receptor, sign * weight, ms
    )
    if link.rule is not None:
        found.rule = _rule(plan, link, link.rule, log)
    return [found]


def _rule(plan: NetworkPlan, link: EventLink, rule: Rule, log: Log) -> dict[str, str | float | int]:
    """NEST's own rule; what it draws is not what other targets draw, but as random."""
    found: dict[str, str | float | int] = {"rule": RULES[rule.kind]}
    if rule.kind not in RANDOM_RULES:
        return found
    if rule.kind == "probabilistic":
        found["p"] = rule.probability
    else:
        found["indegree" if rule.kind == "fan_in" else "outdegree"] = rule.number
    sizes = (plan.circuit.group(link.source).size, plan.circuit.group(link.target).size)
    message = (
        f"NEST draws the {expected(rule, *sizes):,.0f} connections from '{link.source}' to "
        f"'{link.target}' ({found['rule']}) with its own generator and seed"
    )
    log.add("B215", Level.NOTE, message)
    return found


def _is_negative(sign: str, model: ModelPlan, receptor: int) -> bool:
    """True for an inhibitory port whose excitatory partner shares the receptor."""
    return sign == "inhibitory" and len(model.ports.receptors()[receptor]) > 1


def _trace(plan: NetworkPlan, probe: Probe, log: Log) -> None:
    item = plan.populations[probe.group]
    keys = {variable: key for key, variable in item.model.recordables.items()}
    if probe.variable not in keys:
        if probe.variable != T:
            message = f"'{probe.label}' ('{probe.variable}') cannot be recorded in NEST"
            log.add("B214", Level.DROPPED, message)
        return
    dimensions = {d.name: d.dimension for d in declared(item.group.component)}
    dimensions.update({i.name: i.dimension for i in item.group.component.analog_inputs})
    key = keys[probe.variable]
    cells = item.recorded.setdefault(key, [])
    if probe.index not in cells:
        cells.append(probe.index)
    size = item.model.units.size(dimensions.get(probe.variable, NONE))
    plan.traces.append(Trace(probe.label, probe.group, probe.index, key, size))
