"""Everything the SpiNNaker2 export decides: units, names, memory, what each instance stores."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...canonical_model.circuit import Circuit, Group
from ...canonical_model.diagnostics import Level, Log, refuse
from ...canonical_model.expr import TIME, Expr, free_names
from ...canonical_model.model import Component, Emit, For, While
from ...canonical_model.passes.literals import literals_in
from ...canonical_model.query import bodies, declared, expressions, nested, statics
from ...canonical_model.units import NEURO, NONE, SI, Dimension, UnitSystem
from ...canonical_model.verify import verify_component
from ...solvers.compile import Engine, compile_circuit
from ...solvers.discrete import Machine, start
from ...solvers.evaluate import coefficient_values, parameter_values
from ...solvers.plan import UpdatePlan
from ...solvers.planner import plan_update
from .c_printer import MAX_FLOAT, MIN_FLOAT, identifier
from .compensate import FINE, compensated, moving
from .hoist import hoist

MAX_INSTANCES = 65_535


@dataclass(slots=True)
class ModelPlan:
    """One distinct component as a C model: its identifier, update plan and used static names."""

    name: str
    origin: Component  # as in the circuit
    component: Component  # with fixed parts of its expressions as coefficients
    update: UpdatePlan
    used: tuple[str, ...]
    shared: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    outputs: list[str] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)
    hoisted: int = 0  # how many of the coefficients, the last ones, replace expressions
    rests: tuple[str, ...] = ()  # states that hold what rounding left out of others

    @property
    def repeats(self) -> bool:
        """True if a port may send several events in one step: some loop sends."""
        return any(
            isinstance(inner, Emit)
            for body in bodies(self.component)
            for item in nested(body)
            if isinstance(item, (For, While))
            for inner in nested(item.body)
        )

    @property
    def count_bits(self) -> int:
        """Bits that count a port's events in the word that functions return; 1 if there is one at most."""
        return 32 // max(1, len(self.component.event_outputs)) if self.repeats else 1


@dataclass(slots=True)
class GroupPlan:
    """A group on the PE: its model and the words of its shared, own and state data."""

    number: int
    group: Group
    model: ModelPlan
    statics: dict[str, Any]
    states: dict[str, Any]
    regimes: list[Any]


@dataclass(slots=True)
class Plan:
    """The whole program."""

    name: str
    circuit: Circuit
    units: UnitSystem
    step: float
    models: list[ModelPlan]
    groups: list[GroupPlan]
    engine: Engine

    @property
    def h(self) -> float:
        """The step in the chip's unit of time."""
        from ...canonical_model.units import TIME as TIME_DIMENSION

        return self.step / self.units.size(TIME_DIMENSION)


def state_fields(model: ModelPlan) -> dict[str, Any]:
    """Words of an instance's state: names, then one word a regime machine."""
    component = model.component
    names = [item.name for item in component.state_variables]
    return {"states": names, "machines": len(component.machines)}


def starts_of(group: GroupPlan) -> dict[str, float]:
    """The first instance's states at the start, in the chip's units, as a modeller knows them."""
    shown = {k: v for k, v in group.states.items() if k not in group.model.rests}
    return {name: float(values[0]) for name, values in shown.items()}


def words_of(model: ModelPlan) -> int:
    """Words of an instance's state."""
    fields = state_fields(model)
    return max(1, len(fields["states"]) + int(fields["machines"]))


def unit_system(plan: Plan) -> str:
    """What the chip's numbers count: `neuro` (mV, ms, pA ...) or `si`."""
    return "neuro" if plan.units == NEURO else "si"


def make_plan(circuit: Circuit, *, scheme: str, step: float, name: str, log: Log) -> Plan:
    """Decide. Raises ModelError T301 to T305 (refused) and S2xx (no such solution)."""
    units = _units(circuit, log)
    engine = compile_circuit(circuit, circuit.seed or 1)
    machine = start(engine)
    for group in circuit.groups:
        if group.size > MAX_INSTANCES:
            message = f"group '{group.name}' has {group.size} instances, more than {MAX_INSTANCES}"
            raise refuse("T302", message, group.component.span)
    plain: dict[int, Component] = {}
    for group in circuit.groups:
        if id(group.component) not in plain:
            plain[id(group.component)] = literals_in(group.component, units)
    plan = Plan(name, circuit, units, step, [], [], engine)
    for hoisted in (True, False):
        plan.models, plan.groups = [], []
        try:
            for number, group in enumerate(circuit.groups):
                group = replace(group, component=plain[id(group.component)])
                model = _model(group, plan.models, scheme, step, units, hoisted)
                plan.groups.append(_group(number, group, model, units, step, machine, engine))
        except ZeroDivisionError:
            if not hoisted:
                raise
            continue
        # a reciprocal of 0, say, that only a branch never taken would read
        if all(_is_sound(item) for item in plan.groups):
            break
    models, groups = plan.models, plan.groups
    for model in models:
        _share(model, [item for item in groups if item.model is model])
    for probe in circuit.probes:
        need_output(groups, probe.group, probe.variable)
    for link in circuit.analog_links:
        need_output(groups, link.source, link.variable)
    for event_link in circuit.event_links:
        if event_link.factor:
            need_output(groups, event_link.source, event_link.factor)
    _check_range(groups)
    return plan


def _is_sound(item: GroupPlan) -> bool:
    """True if all coefficients that replace expressions are ordinary single-precision numbers."""
    plain = {c.name for c in item.model.update.coefficients[: -item.model.hoisted or None]}
    for coefficient in item.model.update.coefficients:
        if coefficient.name in plain or coefficient.name not in item.statics:
            continue
        size = np.abs(np.asarray(item.statics[coefficient.name], dtype=float))
        if not np.all((size == 0.0) | ((size >= MIN_FLOAT) & (size <= MAX_FLOAT))):
            return False
    return True


def _units(circuit: Circuit, log: Log) -> UnitSystem:
    """mV, ms, pA and what is coherent with them; SI where equations mix dimensions silently."""
    seen: set[int] = set()
    for group in circuit.groups:
        if id(group.component) in seen:
            continue
        seen.add(id(group.component))
        faults = [i for i in verify_component(group.component) if i.code.startswith("U")]
        if faults:
            message = (
                f"'{group.component.name}' has equations whose dimensions do not agree, so SI units "
                f"are kept: {faults[0].message}"
            )
            log.add("T201", Level.NOTE, message, group.component.span)
            return SI
    return NEURO


def _model(
    group: Group,
    models: list[ModelPlan],
    scheme: str,
    step: float,
    units: UnitSystem,
    hoisted: bool,
) -> ModelPlan:
    for known in models:
        if known.origin is group.component or known.origin == group.component:
            return known
    wanted = name = identifier(group.component.name)
    number = 2
    while any(known.name == name for known in models):
        name, number = f"{wanted}_{number}", number + 1
    component = group.component
    update = plan_update(component, scheme, step=step, units=units)
    rests = None
    if step < FINE:
        update, rests = moving(component, update)
    plain = len(update.coefficients)
    if hoisted:
        component, update = hoist(component, update)
    if rests is not None:
        component, update = compensated(component, update, rests)
    model = ModelPlan(name, group.component, component, update, _used(component, update))
    model.rests = tuple(rests.rests.values()) if rests else ()
    model.hoisted = len(update.coefficients) - plain
    model.fields = _fields(component, update)
    models.append(model)
    return model


def _fields(component: Component, update: UpdatePlan) -> dict[str, str]:
    """Distinct C field names for everything that has a name."""
    names = [item.name for item in declared(component)]
    names += [item.name for item in component.analog_inputs]
    names += [item.name for item in update.coefficients]
    names += [name for m in update.matrices for row in m.names for name in row if name]
    table: dict[str, str] = {}
    taken: set[str] = set()
    for name in dict.fromkeys(names):
        wanted = identifier(name)
        while wanted in taken:
            wanted += "_"
        taken.add(wanted)
        table[name] = wanted
    return table


def _expressions(component: Component, update: UpdatePlan) -> list[Expr]:
    """Everything that is evaluated on the chip."""
    found = [item.value for p in update.all_programs() for item in p.instructions]
    found += [item.value for item in component.derived_variables]
    for machine in component.machines:
        for regime in machine.regimes:
            found += [item.value for item in regime.derived_variables]
            found += [item.test for item in regime.on_conditions]
    found += [item.test for item in component.on_conditions]
    for body in bodies(component):
        for statement in nested(body):
            found += expressions(statement)
    return found


def _used(component: Component, update: UpdatePlan) -> tuple[str, ...]:
    """Static names and coefficients that the chip reads, sorted: the others stay on the host."""
    names: set[str] = set()
    for expr in _expressions(component, update):
        names |= free_names(expr)
    known = [item.name for item in statics(component)]
    known += [item.name for item in update.coefficients]
    known += [name for m in update.matrices for row in m.names for name in row if name]
    outputs = {item.variable for item in component.exposures}
    return tuple(sorted((names | outputs) & set(known)))


def _dimensions(component: Component) -> dict[str, Dimension]:
    return {item.name: item.dimension for item in declared(component)}


def _group(
    number: int,
    group: Group,
    model: ModelPlan,
    units: UnitSystem,
    step: float,
    machine: Machine,
    engine: Engine,
) -> GroupPlan:
    """Values of a group in the chip's units, in float64; they are rounded once, when packed."""
    from ...canonical_model.units import TIME as TIME_DIMENSION

    dimensions = _dimensions(group.component)
    values = parameter_values(group.component, group.parameters, units=units)
    h = step / units.size(TIME_DIMENSION)
    values.update(coefficient_values(model.update, values, h))
    compiled = engine.groups[number]
    states = {
        name: machine.y[place] / units.size(dimensions.get(name, NONE))
        for name, place in compiled.slices.items()
    }
    states |= dict.fromkeys(model.rests, np.zeros(group.size))
    kept = {name: values[name] for name in model.used}
    return GroupPlan(number, group, model, kept, states, machine.regimes[number])


def _share(model: ModelPlan, groups: list[GroupPlan]) -> None:
    """A value that is the same for all instances of every group is stored once per group."""
    own = [
        name
        for name in model.used
        if any(np.ndim(item.statics[name]) and np.ptp(item.statics[name]) > 0 for item in groups)
    ]
    model.own = tuple(own)
    model.shared = tuple(name for name in model.used if name not in own)
    for item in groups:
        for name in model.shared:
            item.statics[name] = float(np.ravel(item.statics[name])[0])


def need_output(groups: list[GroupPlan], group: str, variable: str) -> None:
    """Remember that a derived variable must be readable from outside of its model."""
    item = next(entry for entry in groups if entry.group.name == group)
    if variable not in item.model.outputs and variable != TIME:
        item.model.outputs.append(variable)


def _check_range(groups: list[GroupPlan]) -> None:
    for item in groups:
        for table in (item.statics, item.states):
            for name, value in table.items():
                # infinity itself is a float: "no bound"
                size = np.abs(np.atleast_1d(value))
                worst = float(np.max(size[~np.isinf(size)], initial=0.0))
                if not worst <= MAX_FLOAT:
                    message = (
                        f"'{name}' of '{item.group.component.name}' is {worst:g} in the chip's "
                        f"units, beyond single precision ({MAX_FLOAT:g})"
                    )
                    raise refuse("T303", message, item.group.component.span)
