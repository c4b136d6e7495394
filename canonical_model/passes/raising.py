"""Recover regimes from a time-step program: what it integrates, and when, are modes of a hybrid system.

Each way through the branches around `Integrate` is a regime whose ODEs are the variables integrated on it;
the tests on the way are the transitions. A branch that integrates nothing is an event. A counter of steps
becomes a clock. Statements that act in every step have no counterpart in continuous time and are refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import accumulate, pairwise

from .. import model
from ..diagnostics import Level, Log, refuse
from ..expr import GRID_FUNCTIONS, TIME, ZERO, Call, Expr, Name, free_names, substitute, walk
from ..query import declared, expressions, nested
from ..units import TIME as TIME_DIMENSION
from ..units import si_quantity
from .change import Body, all_expressions, change_bodies, rewrite
from .counters import clocked_body, clocked_values, find_timers
from .guards import targets, usual_values
from .happenings import conditions_of
from .idioms import countdown, without_samples
from .inline import inline_functions
from .intervals import Known, certain
from .joint import Joint
from .kernels import lower_kernels
from .modes import find_modes
from .stepped import Steps, aligned
from .ways import Found, Mode, without_locals

DERIVATIVE = "__d"
MAX_CHAIN = 8  # initial values that begin with others


def raise_program(
    component: model.Component, log: Log | None = None, step: float | None = None
) -> model.Component:
    """The same behaviour as regimes, conditions and event handlers.

    A component without a program is only rid of its kernels and functions. `log` hears what is not exact.
    Whole steps are kept as multiples of a constant of `step` seconds; without it they take no time.

    Raises ModelError K120 (a statement that stands in the way, with its place), K121 (too many regimes),
    K1xx of kernels and functions.
    """
    if component.update is None:
        return lower_kernels(inline_functions(component))
    component = inline_functions(component)
    component = replace(component, update=rewrite(component.update or (), countdown))
    steps = Steps(log if log is not None else Log(), _fresh(component) if step else "")
    timers = find_timers(component)
    clocks = clocked_values(component, timers, steps)
    known = usual_values(clocks)
    if step and steps.name:
        known[steps.name] = (step, step)
    found = Found(component, timers, steps, known)
    modes = find_modes(found, without_locals(found, component.update or ()))
    tests = [conditions_of(found, mode) for mode in modes]
    component = _clocked(replace(clocks, update=None), found)
    flat = tuple(item for own in (*tests, tuple(found.early)) for item in own)
    component = replace(
        component,
        on_events=(*found.events, *component.on_events),
        on_conditions=(*flat, *component.on_conditions),
    )
    jumps = _jumping(component)
    lowered = replace(lower_kernels(component), traces=())
    always = {ode.variable for ode in lowered.odes} - {ode.variable for ode in component.odes}
    rates = {ode.variable: ode.rhs for ode in lowered.odes}
    told = [_condition(found, item, rates) for item in lowered.on_conditions]
    early = len(flat) - len(found.early)
    after = (*told[len(flat) :], *told[early : len(flat)])
    ends = list(accumulate(map(len, tests), initial=0))
    met = [(*told[a:b], *after) for a, b in pairwise(ends)]
    raised = _with_derived(_with_regimes(lowered, modes, met, always, found, jumps), found)
    raised = _without_unused(raised, found)
    _refuse_steps(raised)
    return _with_step(raised, steps, step)


def _fresh(component: model.Component) -> str:
    """A name for the length of a step."""
    taken = {item.name for item in (*declared(component), *component.analog_inputs)}
    taken |= {port.name for port in (*component.event_inputs, *component.event_outputs)}
    name = "time_step"
    while name in taken:
        name += "_"
    return name


def _with_step(component: model.Component, steps: Steps, step: float | None) -> model.Component:
    """The constant that stands for a step, where it is read."""
    read = {name for expr in all_expressions(component) for name in free_names(expr)}
    if step is None or steps.name not in read:
        return component
    message = (
        f"whole steps of '{component.name}' are kept as multiples of '{steps.name}', {step * 1e3:g} ms: "
        "give the step that it is to run with"
    )
    steps.log.add("K126", Level.NOTE, message, component.span)
    value = si_quantity(step, TIME_DIMENSION)
    constant = model.Constant(name=steps.name, dimension=TIME_DIMENSION, value=value)
    return replace(component, constants=(*component.constants, constant))


def _clocked(component: model.Component, found: Found) -> model.Component:
    """What stands outside of the program, in clocks."""
    timers, steps = found.timers, found.steps

    def change(expr: Expr) -> Expr:
        return aligned(expr, {}, timers, steps)

    def body(items: Body) -> Body:
        return clocked_body(items, {}, timers, steps)

    unused = {d.name for d in component.derived_parameters if d.name not in timers.counts}
    stepped = _stepped(component) & unused
    keep = {d.name: d for d in component.derived_parameters}
    changed = change_bodies(component, body, change)
    return replace(
        changed,
        derived_variables=tuple(
            replace(d, value=change(d.value)) for d in component.derived_variables
        ),
        odes=tuple(replace(o, rhs=change(o.rhs)) for o in component.odes),
        derived_parameters=tuple(
            d
            if d.name in timers.counts or (d.name in stepped and not steps.name)
            else replace(d, value=change(d.value))
            for d in keep.values()
        ),
    )


def _with_derived(component: model.Component, found: Found) -> model.Component:
    """States that the program computes anew in every step as the derived variables that they are."""
    own = found.derived.keys()
    derived = tuple(
        model.DerivedVariable(
            name=s.name,
            dimension=s.dimension,
            value=found.derived[s.name],
            description=s.description,
        )
        for s in component.state_variables
        if s.name in own
    )
    return replace(
        component,
        state_variables=tuple(s for s in component.state_variables if s.name not in own),
        derived_variables=(*component.derived_variables, *derived),
    )


def _without_unused(component: model.Component, found: Found) -> model.Component:
    """Propagators and samples that nothing reads any more fall away."""
    samples = found.samples.keys()
    component = replace(
        component,
        state_variables=tuple(s for s in component.state_variables if s.name not in samples),
        exposures=tuple(e for e in component.exposures if e.variable not in samples),
    )
    while True:
        used = {name for expr in all_expressions(component) for name in free_names(expr)}
        stepped = _stepped(component)
        idle = {
            item.name
            for item in component.derived_parameters
            if item.name not in used and item.name in stepped
        }
        if not idle:
            return component
        kept = tuple(item for item in component.derived_parameters if item.name not in idle)
        component = replace(component, derived_parameters=kept)


def _stepped(component: model.Component) -> set[str]:
    """Derived parameters that depend on the step, also through each other."""
    items = component.derived_parameters
    found = {item.name for item in items if _counts_steps(item.value)}
    while more := {i.name for i in items if free_names(i.value) & found} - found:
        found |= more
    return found


def _counts_steps(expr: Expr) -> bool:
    return any(isinstance(n, Call) and n.function in GRID_FUNCTIONS for n in walk(expr))


def _refuse_steps(component: model.Component) -> None:
    for expr in all_expressions(component):
        for node in walk(expr):
            if isinstance(node, Call) and node.function in GRID_FUNCTIONS:
                message = f"'{node.function}' has no meaning in continuous time"
                raise refuse("K120", message, node.span or component.span)


def _condition(
    found: Found, item: model.OnCondition, rates: Mapping[str, Expr]
) -> model.OnCondition:
    """A condition without values of the step before. Raises ModelError K120."""
    test = without_samples(item.test, found.samples, rates, found.steps.log)
    used = [e for statement in nested(item.body) for e in expressions(statement)]
    for name in found.samples:
        if any(name in free_names(expr) for expr in (test, *used)):
            message = f"'{name}', a value of the step before, is used other than to see a crossing"
            raise refuse("K120", message, item.span)
    return replace(item, test=test)


def _jumping(component: model.Component) -> dict[str, set[str]]:
    """Variables that spikes move directly, with the ports."""
    found: dict[str, set[str]] = {}
    for ode in component.odes:
        for node in walk(ode.rhs):
            if (
                isinstance(node, Call)
                and node.function == "convolve"
                and node.args[0] == Name("delta")
            ):
                port = node.args[1]
                assert isinstance(port, Name)
                found.setdefault(ode.variable, set()).add(port.id)
    return found


def _with_regimes(
    component: model.Component,
    modes: list[Mode],
    met: list[tuple[model.OnCondition, ...]],
    always: set[str],
    found: Found,
    jumps: dict[str, set[str]],
) -> model.Component:
    """A regime for each mode; what every mode shares stays outside."""
    own_odes = [ode for ode in component.odes if ode.variable not in always]
    shared = [ode for ode in component.odes if ode.variable in always]
    active = [[ode for ode in own_odes if _is_active(ode.variable, mode)] for mode in modes]
    if len(modes) == 1:
        whole = (*active[0], *shared, *modes[0].rates)
        return replace(component, odes=whole, on_conditions=met[0])
    common = [ode for ode in own_odes if all(ode in odes for odes in active)]
    names = _names(modes, active)
    jump_handlers = [h for h in component.on_events if _moves(h, jumps) and h not in found.events]
    start = _initial(component, modes, found.known)
    own = [{o.variable for o in (*active[k], *mode.rates)} for k, mode in enumerate(modes)]
    moving = [{o.variable for o in shared} | names_ for names_ in own]
    joint = Joint(component, found, names, modes, met, moving, start, jump_handlers)
    regimes = []
    for k, (mode, odes, name) in enumerate(zip(modes, active, names, strict=True)):
        variables = {ode.variable for ode in odes}
        regimes.append(
            model.Regime(
                name=name,
                initial=k == start,
                odes=(*(ode for ode in odes if ode not in common), *mode.rates),
                on_conditions=joint.conditions(k),
                on_events=(
                    *(h for h in jump_handlers if targets(h.body) <= variables),
                    *joint.handled(k),
                ),
            )
        )
    apart = [*jump_handlers, *joint.own_handlers]
    handlers = tuple(h for h in component.on_events if h not in apart)
    return replace(
        component,
        odes=(*common, *shared),
        state_variables=joint.states(),
        on_conditions=joint.common,
        on_events=handlers,
        machines=(model.RegimeMachine(regimes=tuple(regimes)),),
    )


def _moves(handler: model.OnEvent, jumps: dict[str, set[str]]) -> bool:
    """A handler that stands for an impulse in an ODE: it is lost while the variable is held."""
    return any(
        variable in jumps and handler.port in jumps[variable] and len(handler.body) == 1
        for variable in targets(handler.body)
    )


def _is_active(variable: str, mode: Mode) -> bool:
    if any(item.target == variable for item in mode.held):
        return False
    while variable.endswith(DERIVATIVE) and variable not in mode.integrated:
        variable = variable.removesuffix(DERIVATIVE)
    return mode.everything or variable in mode.integrated


def _names(modes: list[Mode], active: list[list[model.Ode]]) -> list[str]:
    """`integrating` where most is integrated besides timers, `refractory` for a lone other one, else
    numbered."""
    moved = [sum(1 for ode in odes if free_names(ode.rhs)) for odes in active]
    most = max(range(len(modes)), key=lambda k: (moved[k], -len(active[k]), -len(modes[k].counted)))
    other = "refractory" if len(modes) == 2 else "mode_{}"
    return ["integrating" if k == most else other.format(k) for k in range(len(modes))]


def _initial(component: model.Component, modes: list[Mode], known: Known) -> int:
    """The mode whose tests hold at the initial values; the one without countdown if that is not known."""
    values: dict[str, Expr] = {s.name: s.initial or ZERO for s in component.state_variables}
    values[TIME] = ZERO
    for k, mode in enumerate(modes):
        if all(certain(_written_out(test, values), known) for test in mode.tests):
            return k
    return min(range(len(modes)), key=lambda k: len(modes[k].counted))


def _written_out(test: Expr, values: dict[str, Expr]) -> Expr:
    """A test at the start, where states may begin with the values of others."""
    for _ in range(MAX_CHAIN):
        if not free_names(test) & values.keys():
            break
        test = substitute(test, values)
    return test
