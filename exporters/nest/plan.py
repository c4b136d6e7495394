"""Everything the NEST export decides about one model: units, names, ports, how it is integrated."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TypeAlias

from ...canonical_model.diagnostics import Level, Log, ModelError, error, refuse
from ...canonical_model.expr import (
    Binary,
    Call,
    Expr,
    Name,
    Number,
    free_names,
    is_random,
    rebuild,
    substitute,
    walk,
)
from ...canonical_model.model import (
    AnalogInput,
    Component,
    DerivedParameter,
    Integrate,
    Parameter,
    Statement,
    StateVariable,
)
from ...canonical_model.passes.bound import bound_growth
from ...canonical_model.passes.change import change_expressions
from ...canonical_model.passes.inline import inline_functions
from ...canonical_model.passes.kernels import lower_kernels
from ...canonical_model.passes.partners import host_reads, is_synapse
from ...canonical_model.passes.timegrid import SLACK
from ...canonical_model.query import declared, nested
from ...canonical_model.query import expressions as own_expressions
from ...canonical_model.units import NEURO, NONE, SI, TIME, Dimension, Quantity, UnitSystem
from ...canonical_model.verify import verify_component
from ...solvers.graph import topological
from ...solvers.plan import UpdatePlan
from ...solvers.planner import plan_update
from .builtin import free_name
from .delay_code import Delay, with_past
from .flow import Flows, find_flows, without_unread
from .names import class_name, model_name, status_key, unique
from .ports import Ports, find_ports
from .synapse_plan import delay_as_input, refuse_unfit_synapse, weight_as_state
from .timers import grid_safe
from .unitless import unitless

Quantities: TypeAlias = Parameter | DerivedParameter | StateVariable
STEP_LENGTH = "step_length"
SETTABLE = "parameter:"
ABSOLUTE, RELATIVE = "gsl_abs_error_tol", "gsl_rel_error_tol"
# NEURO counts amounts so that mol/m3 is 1 per um3; where lengths play no part, people write mmol
AMOUNTS = UnitSystem((*NEURO.powers[:5], -3, *NEURO.powers[6:]))
GSL = "gsl"  # a solver by name: rkf45 of the GNU Scientific Library
TOLERANCE = 1e-6  # both, as NESTML's modules have them


@dataclass(frozen=True, slots=True)
class Kept:
    """What a neuron keeps for synapses: traces, as they were before a spike, and plain quantities."""

    traces: tuple[str, ...]
    samples: tuple[str, ...]


@dataclass(slots=True)
class ModelPlan:
    """One component as a NEST model; `component` is unit-free, `source` as it was.

    `name` is that of its C++ class, `title` the one that NEST's users see.
    """

    name: str
    title: str
    source: Component
    component: Component
    units: UnitSystem
    step: float
    scheme: str
    parameters: tuple[Parameter, ...]
    derived: tuple[DerivedParameter, ...]
    update: UpdatePlan
    ports: Ports
    fields: dict[str, str]
    keys: dict[str, str]
    recordables: dict[str, str]
    library: str = ""  # whose adaptive solver: "" for our own
    delays: tuple[Delay, ...] = ()
    coefficients: dict[str, str] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    place: str = "q."  # where coefficients are: among the shared values, or locals of a synapse
    flows: Flows = field(default_factory=lambda: Flows({}, ()))
    flow_fields: dict[str, str] = field(default_factory=dict)
    sent: str = ""  # the quantity that other neurons read in every step
    kept: Kept | None = None  # of a neuron with synapses of its own
    neuron: ModelPlan | None = None  # of a synapse that is made for one neuron

    @property
    def quantities(self) -> list[Quantities]:
        """What the status dictionary shows: parameters, derived parameters, states."""
        return [*self.parameters, *self.derived, *self.component.state_variables]

    @property
    def is_synapse(self) -> bool:
        """True for what becomes a connection model."""
        return is_synapse(self.component)

    @property
    def reads(self) -> dict[str, tuple[str, bool]]:
        """What a paired synapse reads of its neuron."""
        return host_reads(self.component)

    @property
    def is_modulated(self) -> bool:
        """True for a synapse that hears a third party."""
        return any(item.role == "modulator" for item in self.component.event_inputs)

    @property
    def adaptive(self) -> bool:
        """True if an adaptive solver runs."""
        is_exact = all(block.scheme == "exact" for block in self.update.blocks)
        return self.scheme == "rkf45" and not is_exact

    @property
    def step_in_ms(self) -> str:
        """What turns NEST's resolution into the model's unit of time."""
        return "" if self.units.size(TIME) == 1e-3 else " * 1e-3"

    def dimension(self, name: str) -> Dimension:
        """The dimension of a quantity."""
        found = {item.name: item.dimension for item in declared(self.component)}
        found |= {item.name: item.dimension for item in declared(self.source)}
        return found.get(name, NONE)


def plan_model(
    source: Component, *, scheme: str, step: float, log: Log, name: str | None = None
) -> ModelPlan:
    """Decide. `step` in seconds. Raises ModelError B3xx (refused), S2xx (no such solution)."""
    library, scheme = (GSL, "rkf45") if scheme == GSL else ("", scheme)
    units = _units(source, log)
    h = step / units.size(TIME)
    component, delays = with_past(_prepared(source, units, h))
    _refuse_unfit(component)
    if is_synapse(component):
        component = weight_as_state(delay_as_input(component))
    chosen = "auto" if scheme == "rkf45" else scheme
    update = plan_update(_with_step(component, h), chosen, step=h, bare=units)
    # an event-driven step may be long: no fixed-step scheme will do
    long = is_synapse(component) and any(block.scheme != "exact" for block in update.blocks)
    if long or (scheme == "auto" and _is_adaptive_by_custom(component, update)):
        scheme = "rkf45"
    wanted = model_name(name or source.name)
    title = free_name(wanted)
    if title != wanted:
        message = f"NEST has a model '{wanted}' of its own, so this one is '{title}'"
        log.add("B203", Level.NOTE, message, source.span)
    plan = ModelPlan(
        name=class_name(title),
        title=title,
        source=source,
        component=component,
        units=units,
        step=h,
        scheme=scheme,
        parameters=component.parameters,
        derived=_ordered(component),
        update=update,
        ports=find_ports(component, log),
        fields={},
        keys={},
        recordables={},
        library=library,
        delays=delays,
    )
    _name_all(plan, log)
    if plan.adaptive:
        taken = {item.name for item in declared(component)}
        # between events any time may pass: nothing to tabulate
        follow = library != GSL and not plan.is_synapse
        plan.flows = find_flows(component, plan.update, taken, follow=follow)
        flows = plan.flows.table.values()
        if all(flow.numeric for flow in flows):
            # a system that is solved exactly reads every coefficient of its own
            plan.update = without_unread(plan.update, [flow.exact for flow in flows])
        plan.flow_fields = unique([item.name for item in plan.flows.coefficients], "c_")
    names = [item.name for item in plan.update.coefficients]
    names += [name for m in plan.update.matrices for row in m.names for name in row if name]
    plan.coefficients = unique(names, "c_", plan.taken)
    if plan.adaptive:
        _add_tolerances(plan)
    return plan


def _is_adaptive_by_custom(component: Component, update: UpdatePlan) -> bool:
    """True for time-step programs with equations that no propagator solves: their languages mean an
    adaptive solver. Random rates have none."""
    schemes = {block.scheme for block in update.blocks}
    return component.update is not None and bool(schemes - {"exact"}) and "euler" not in schemes


def _units(component: Component, log: Log) -> UnitSystem:
    """mV, ms, pA and what is coherent with them; SI where equations mix dimensions silently."""
    faults = [issue for issue in verify_component(component) if issue.code.startswith("U")]
    if not faults:
        amounts = [item.dimension for item in declared(component) if item.dimension.n]
        return AMOUNTS if amounts and not any(item.l for item in amounts) else NEURO
    message = (
        f"'{component.name}' has equations whose dimensions do not agree, so all its quantities "
        f"are in SI units: {faults[0].message}"
    )
    log.add("B201", Level.NOTE, message, component.span)
    return SI


def _prepared(source: Component, units: UnitSystem, h: float) -> Component:
    """Unit-free, constants folded, kernels as states, defaults resolved, safe on a grid."""
    component = _with_functions(unitless(source, units))
    if component.update is not None and component.traces:
        # traces advance after the handlers, in an integration of their own
        program = (*component.update, Integrate(variables=component.traces))
        component = replace(component, update=program)
    component = _named_step(grid_safe(bound_growth(component)))
    constants: dict[str, Expr] = {c.name: Number(c.value.value) for c in component.constants}
    if constants:
        component = change_expressions(component, lambda expr: substitute(expr, constants))
        component = replace(component, constants=())
    return _settable(component, h)


def _with_step(component: Component, h: float) -> Component:
    """For choosing schemes: the step as a number in what is computed before a run."""

    def change(expr: Expr) -> Expr:
        return _at_step(expr, h)

    return replace(
        component,
        derived_parameters=tuple(
            replace(item, value=change(item.value)) for item in component.derived_parameters
        ),
        state_variables=tuple(
            item if item.initial is None else replace(item, initial=change(item.initial))
            for item in component.state_variables
        ),
    )


def _at_step(expr: Expr, h: float) -> Expr:
    """`expr` with the step as a number."""
    inner = rebuild(expr, lambda part: _at_step(part, h))
    if isinstance(inner, Call) and inner.function in ("resolution", "timestep"):
        return Number(h)
    if isinstance(inner, Call) and inner.function == "steps":
        return Call("ceil", (Binary("/", inner.args[0], Number(h)),))
    return inner


def _named_step(component: Component) -> Component:
    """The step as a derived parameter in equations, so that it follows NEST's resolution."""

    def change(expr: Expr) -> Expr:
        if isinstance(expr, Call) and expr.function in ("resolution", "timestep"):
            return Name(STEP_LENGTH)
        return rebuild(expr, change)

    changed = replace(
        component,
        odes=tuple(replace(o, rhs=change(o.rhs)) for o in component.odes),
        derived_variables=tuple(
            replace(d, value=change(d.value)) for d in component.derived_variables
        ),
    )
    if changed == component:
        return component
    step = DerivedParameter(name=STEP_LENGTH, dimension=TIME, value=Call("resolution"))
    return replace(changed, derived_parameters=(*changed.derived_parameters, step))


def _with_functions(component: Component) -> Component:
    """Functions as expressions; those that loop stay functions, unless equations need them."""
    try:
        return lower_kernels(inline_functions(component), show=True)
    except ModelError as problem:
        names = {item.name for item in component.functions}
        values = [o.rhs for o in component.odes] + [d.value for d in component.derived_variables]
        called = {n.function for v in values for n in walk(v) if isinstance(n, Call)}
        if not problem.refused or called & names:
            raise
        return lower_kernels(component, show=True)


def _settable(component: Component, h: float) -> Component:
    """Parameters whose default is computed from others become parameters with that value."""
    marked = {key.removeprefix(SETTABLE) for key in component.extras if key.startswith(SETTABLE)}
    chosen = [item for item in component.derived_parameters if item.name in marked]
    if not chosen:
        return component
    from ...solvers.evaluate import evaluate

    known = {p.name: p.value.value for p in component.parameters if p.value is not None}
    parameters = list(component.parameters)
    for item in _ordered(component):
        if free_names(item.value) <= known.keys():
            known[item.name] = float(evaluate(_at_step(item.value, h), known))
        if item.name in marked:
            if item.name not in known:
                message = f"the default of '{item.name}' cannot be computed before a run"
                raise refuse("B302", message, item.span)
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
        names = ", ".join(circle)
        message = f"derived parameters of '{component.name}' depend on each other: {names}"
        raise error("S210", message, component.span)
    return tuple(items[name] for name in order)


def _refuse_unfit(component: Component) -> None:
    """What a NEST model cannot be. Raises ModelError B303, B304, B308."""
    if is_synapse(component):
        refuse_unfit_synapse(component)
    if component.children or (component.attachments and component.event_routes):
        raise refuse("B304", f"'{component.name}' is a composite that was not flattened")


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
    shown: list[Parameter | DerivedParameter | StateVariable | AnalogInput]
    shown = [*component.parameters, *component.derived_parameters, *component.state_variables]
    shown += [item for item in component.analog_inputs if not item.reduce]
    for item in shown:
        if item.name in (SLACK, STEP_LENGTH):
            continue
        key = status_key(item.name)
        while key in plan.keys.values():
            key += "_"
        if key != item.name:
            message = f"'{item.name}' of '{component.name}' is called '{key}' in NEST"
            log.add("B202", Level.NOTE, message, item.span)
        plan.keys[item.name] = key
    _find_recordables(plan)


def _find_recordables(plan: ModelPlan) -> None:
    """All states, and what is exposed; random quantities have no value to look at."""
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
    return [expr for item in nested(body) for expr in own_expressions(item)]
