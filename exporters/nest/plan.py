"""Everything the NEST export decides about one model: units, names, ports, how it is integrated."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ...canonical_model.diagnostics import Level, Log, refuse
from ...canonical_model.expr import Call, Expr, Name, Number, free_names, substitute, walk
from ...canonical_model.model import (
    Assign,
    Component,
    Declare,
    DerivedParameter,
    Emit,
    For,
    If,
    Integrate,
    Parameter,
    Statement,
    While,
)
from ...canonical_model.passes.bound import bound_growth
from ...canonical_model.query import bodies, declared
from ...canonical_model.units import NEURO, NONE, SI, TIME, Dimension, Quantity, UnitSystem
from ...canonical_model.verify import verify_component
from ...solvers.graph import topological
from ...solvers.plan import UpdatePlan
from ...solvers.planner import plan_update
from .names import class_name, status_key, unique
from .ports import Ports, find_ports
from .timers import SLACK, grid_safe
from .unitless import map_expressions, unitless

STEP = "h"
SETTABLE = "parameter:"
ABSOLUTE, RELATIVE = "gsl_abs_error_tol", "gsl_rel_error_tol"
TOLERANCE = 1e-6  # both, as NESTML's modules have them


@dataclass(frozen=True, slots=True)
class Integration:
    """How one `Integrate` advances its states; `fields` are the C++ names of its coefficients."""

    update: UpdatePlan
    component: Component
    fields: dict[str, str]


@dataclass(slots=True)
class ModelPlan:
    """One component as a NEST model; `component` is unit-free, `source` as it was."""

    name: str
    source: Component
    component: Component
    units: UnitSystem
    step: float
    scheme: str
    parameters: tuple[Parameter, ...]
    derived: tuple[DerivedParameter, ...]
    integrations: dict[tuple[str, ...], Integration]
    ports: Ports
    fields: dict[str, str]
    keys: dict[str, str]
    recordables: dict[str, str]
    taken: set[str] = field(default_factory=set)

    @property
    def adaptive(self) -> bool:
        """True if an adaptive solver runs."""
        return self.scheme == "rkf45" and any(i.component.odes for i in self.integrations.values())

    @property
    def step_in_ms(self) -> str:
        """What turns NEST's resolution into the model's unit of time."""
        return "" if self.units.size(TIME) == 1e-3 else " * 1e-3"

    def dimension(self, name: str) -> Dimension:
        """The dimension of a quantity."""
        found = {item.name: item.dimension for item in declared(self.source)}
        return found.get(name, NONE)


def plan_model(
    source: Component, *, scheme: str, step: float, log: Log, name: str | None = None
) -> ModelPlan:
    """Decide. `step` in seconds. Raises ModelError N3xx (refused), S2xx (no such solution)."""
    units = _units(source, log)
    component = _prepared(source, units)
    _refuse_unfit(component)
    h = step / units.size(TIME)
    plan = ModelPlan(
        name=class_name(name or source.name),
        source=source,
        component=component,
        units=units,
        step=h,
        scheme=scheme,
        parameters=component.parameters,
        derived=_ordered(component),
        integrations={},
        ports=find_ports(component, log),
        fields={},
        keys={},
        recordables={},
    )
    _name_all(plan, log)
    for variables in _integrated(component):
        plan.integrations[variables] = _integration(plan, variables, scheme, h)
    if plan.adaptive:
        _add_tolerances(plan)
    return plan


def _units(component: Component, log: Log) -> UnitSystem:
    """mV, ms, pA and what is coherent with them; SI where equations mix dimensions silently."""
    faults = [issue for issue in verify_component(component) if issue.code.startswith("U")]
    if not faults:
        return NEURO
    message = (
        f"'{component.name}' has equations whose dimensions do not agree, so all its quantities "
        f"are in SI units: {faults[0].message}"
    )
    log.add("N201", Level.NOTE, message, component.span)
    return SI


def _prepared(source: Component, units: UnitSystem) -> Component:
    """Unit-free, constants folded, parameters with computed defaults resolved, safe on a grid."""
    component = grid_safe(bound_growth(unitless(source, units)))
    constants = {item.name: Number(item.value.value) for item in component.constants}
    if constants:
        component = map_expressions(component, lambda expr: substitute(expr, constants))
        component = replace(component, constants=())
    return _settable(component)


def _settable(component: Component) -> Component:
    """Parameters whose default is computed from others become parameters with that value."""
    marked = {key.removeprefix(SETTABLE) for key in component.extras if key.startswith(SETTABLE)}
    chosen = [item for item in component.derived_parameters if item.name in marked]
    if not chosen:
        return component
    from ...solvers.evaluate import evaluate

    known = {p.name: p.value.value for p in component.parameters if p.value is not None}
    parameters = list(component.parameters)
    for item in _ordered(component):
        names = free_names(item.value)
        grid = any(isinstance(n, Call) and n.function == "resolution" for n in walk(item.value))
        if names <= known.keys() and not grid:
            known[item.name] = float(evaluate(item.value, known))
        if item.name in marked:
            if item.name not in known:
                message = f"the default of '{item.name}' cannot be computed before a run"
                raise refuse("N302", message, item.span)
            parameters.append(
                Parameter(
                    name=item.name,
                    dimension=item.dimension,
                    value=Quantity(known[item.name]),
                    kind=item.kind,
                    description=item.description,
                    span=item.span,
                )
            )
    rest = tuple(item for item in component.derived_parameters if item.name not in marked)
    return replace(component, parameters=tuple(parameters), derived_parameters=rest)


def _ordered(component: Component) -> tuple[DerivedParameter, ...]:
    """Derived parameters in order of dependence. Raises ModelError S210 for a circle."""
    items = {item.name: item for item in component.derived_parameters}
    order, circle = topological({n: free_names(i.value) & items.keys() for n, i in items.items()})
    if circle:
        from ...canonical_model.diagnostics import error

        names = ", ".join(circle)
        message = f"derived parameters of '{component.name}' depend on each other: {names}"
        raise error("S210", message, component.span)
    return tuple(items[name] for name in order)


def _refuse_unfit(component: Component) -> None:
    """What a NEST node cannot be. Raises ModelError N303, N304."""
    for item in component.event_inputs:
        if item.role == "post":
            message = (
                f"'{component.name}' hears the spikes of its target ('{item.name}'), so it can only "
                "be made together with a neuron"
            )
            raise refuse("N303", message, item.span)
    if component.children or component.attachments and component.event_routes:
        raise refuse("N304", f"'{component.name}' is a composite that was not flattened")


def _integrated(component: Component) -> list[tuple[str, ...]]:
    """The sets of variables that some statement integrates; `()` are all."""
    if component.update is None:
        return [()]
    found = []
    for item in statements(component.update):
        if isinstance(item, Integrate):
            found.append(item.variables)
    for body in bodies(component):
        found += [s.variables for s in statements(body) if isinstance(s, Integrate)]
    return list(dict.fromkeys(found))


def statements(body: tuple[Statement, ...]) -> list[Statement]:
    """The statements of a body and of all bodies in it."""
    found: list[Statement] = []
    stack = list(reversed(body))
    while stack:
        item = stack.pop()
        found.append(item)
        if isinstance(item, If):
            for _, inner in item.branches:
                stack.extend(reversed(inner))
            stack.extend(reversed(item.otherwise))
        elif isinstance(item, While | For):
            stack.extend(reversed(item.body))
    return found


def _integration(
    plan: ModelPlan, variables: tuple[str, ...], scheme: str, step: float
) -> Integration:
    """The update of the named states, with their higher derivatives; the others are held."""
    component = replace(plan.component, update=None, kernels=(), functions=())
    if variables:
        wanted = _with_derivatives(component, set(variables))
        component = replace(
            component, odes=tuple(o for o in component.odes if o.variable in wanted)
        )
    update = plan_update(component, "auto" if scheme == "rkf45" else scheme, step=step)
    names = [item.name for item in update.coefficients]
    names += [name for m in update.matrices for row in m.names for name in row if name]
    return Integration(update, component, unique(names, "c_", plan.taken))


def _with_derivatives(component: Component, names: set[str]) -> set[str]:
    """The names and, for equations of higher order, what their rates simply name."""
    rates = {ode.variable: ode.rhs for ode in component.odes}
    found: set[str] = set()
    stack = list(names)
    while stack:
        name = stack.pop()
        if name in found:
            continue
        found.add(name)
        rate = rates.get(name)
        if isinstance(rate, Name) and rate.id in rates and rate.id == f"{name}__d":
            stack.append(rate.id)
    return found


def _add_tolerances(plan: ModelPlan) -> None:
    extra = tuple(
        Parameter(name=name, value=Quantity(TOLERANCE), description=f"{what} error of the solver")
        for name, what in ((ABSOLUTE, "absolute"), (RELATIVE, "relative"))
        if name not in plan.fields
    )
    plan.parameters = (*plan.parameters, *extra)
    plan.fields.update(unique([item.name for item in extra], "p_", plan.taken))
    plan.keys.update({item.name: item.name for item in extra})


def _name_all(plan: ModelPlan, log: Log) -> None:
    """C++ fields and keys of the status dictionary; a key that NEST has is changed, with a note."""
    component, taken = plan.component, plan.taken
    groups = (
        ("p_", component.parameters),
        ("d_", component.derived_parameters),
        ("s_", component.state_variables),
        ("i_", component.analog_inputs),
    )
    for prefix, items in groups:
        plan.fields.update(unique([item.name for item in items], prefix, taken))
    shown = [*component.parameters, *component.derived_parameters, *component.state_variables]
    for item in shown:
        if item.name == SLACK:
            continue
        key = status_key(item.name)
        while key in plan.keys.values():
            key += "_"
        if key != item.name:
            message = f"'{item.name}' of '{component.name}' is called '{key}' in NEST"
            log.add("N202", Level.NOTE, message, item.span)
        plan.keys[item.name] = key
    _find_recordables(plan)


def _find_recordables(plan: ModelPlan) -> None:
    """All states, and what is exposed; random quantities have no value to look at."""
    from ...canonical_model.expr import is_random

    component = plan.component
    derived = {item.name: item.value for item in component.derived_variables}
    for machine in component.machines:
        for regime in machine.regimes:
            derived.update({item.name: item.value for item in regime.derived_variables})
    for state in component.state_variables:
        plan.recordables[plan.keys[state.name]] = state.name
    for exposure in component.exposures:
        name = exposure.variable
        if name in derived and not is_random(derived[name]):
            key = status_key(exposure.name)
            if key not in plan.recordables and key not in plan.keys.values():
                plan.recordables[key] = name


def expressions(body: tuple[Statement, ...]) -> list[Expr]:
    """Every expression of a body and of the bodies in it."""
    found: list[Expr] = []
    for item in statements(body):
        match item:
            case Assign(value=value) | Declare(value=value):
                found.append(value)
            case Emit(weight=weight) if weight is not None:
                found.append(weight)
            case If(branches=branches):
                found += [test for test, _ in branches]
            case While(test=test):
                found.append(test)
            case For():
                found += [item.start, item.stop, item.step]
    return found
