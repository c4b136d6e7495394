"""Decide how a component is advanced by one step, and say why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..canonical_model.diagnostics import error, suggest
from ..canonical_model.expr import Expr, Name
from ..canonical_model.model import Component, Integrate
from ..canonical_model.query import nested
from ..canonical_model.units import SI, UnitSystem
from .builder import Builder, Names
from .classify import Stiffness, is_conditionally_linear, kind_of, stiffness, survives
from .plan import STEP, Block, Program, UpdatePlan
from .propagators import Coefficients, ExactSystem, exact_system, obstacle, propagate
from .schemes import TABLEAUS, explicit, exponential_euler, exponential_midpoint, rosenbrock
from .system import System, is_selected, restricted, systems

SCHEMES = ("auto", "exact", "euler", "rk4", "rkf45", "expeuler", "implicit")
SECOND = "second"  # as auto, with the exponential midpoint rule where that takes exponential Euler

WHY = {
    "exact": "linear with constant coefficients: the propagator is exact for any step",
    "euler": "forward Euler was asked for",
    "rk4": "not stiff at this step: classic Runge-Kutta of order 4",
    "rkf45": "adaptive Runge-Kutta-Fehlberg was asked for",
    "expeuler": "each equation is linear in its own variable: exponential Euler is stable at any step",
    "expmid": "each equation is linear in its own variable: the exponential midpoint rule, of order 2",
    "implicit": "the fastest rate is too fast for an explicit step: ROS2, L-stable of order 2",
}


def plan_update(
    component: Component,
    scheme: str = "auto",
    *,
    step: float | None = None,
    units: UnitSystem = SI,
    bare: UnitSystem = SI,
) -> UpdatePlan:
    """The update of a flat component. `step` (s) helps `auto` to judge stiffness; `units` are those of
    the component's literals. Where all numbers of a component, and the step, are bare multiples of units,
    `bare` are those. `scheme` is one of SCHEMES, or SECOND.

    Raises ModelError S200 (unknown scheme), S201 (no exact solution), S203, S204, S205, S210.
    """
    if scheme not in (*SCHEMES, SECOND):
        raise error("S200", f"there is no solver '{scheme}'", hint=suggest(scheme, SCHEMES))
    names = Names(_taken(component))
    coefficients = Coefficients(names)
    programs: list[tuple[tuple[str, ...], Program]] = []
    integrations: list[tuple[tuple[str, ...], Program]] = []
    blocks: list[Block] = []
    if component.update is None:
        for system in systems(component):
            program, found = _plan_system(system, scheme, step, coefficients, units, bare)
            programs.append((system.regimes, program))
            blocks.extend(found)
    else:
        for variables in integrated(component):
            system = restricted(component, variables)
            program, found = _plan_system(system, scheme, step, coefficients, units, bare)
            integrations.append((variables, _committing(program, component, variables)))
            blocks.extend(item for item in found if item not in blocks)
    return UpdatePlan(
        scheme=scheme,
        coefficients=tuple(coefficients.items),
        matrices=tuple(coefficients.matrices),
        programs=tuple(programs),
        blocks=tuple(blocks),
        integrations=tuple(integrations),
    )


def integrated(component: Component) -> list[tuple[str, ...]]:
    """The distinct sets of variables that the update program integrates, in order of appearance."""
    found = [
        item.variables for item in nested(component.update or ()) if isinstance(item, Integrate)
    ]
    return list(dict.fromkeys(found))


def _committing(program: Program, component: Component, variables: tuple[str, ...]) -> Program:
    """The program with the commits of the chosen states only: traces move along, but keep their value."""
    chosen = tuple(pair for pair in program.commits if is_selected(component, pair[0], variables))
    rest = tuple(pair for pair in program.commits if pair not in chosen)
    return replace(program, commits=chosen, carried=rest if program.error else ())


def _taken(component: Component) -> set[str]:
    groups = (
        component.parameters,
        component.constants,
        component.derived_parameters,
        component.state_variables,
        component.analog_inputs,
    )
    return {item.name for group in groups for item in group} | {"t", STEP}


def _plan_system(
    system: System,
    scheme: str,
    step: float | None,
    coefficients: Coefficients,
    units: UnitSystem,
    bare: UnitSystem,
) -> tuple[Program, list[Block]]:
    """The program of one combination of regimes, and the report of its blocks."""
    builder = Builder(system, Names(coefficients.names.taken))
    exact = _exact_part(system, scheme)
    rest = tuple(name for name in system.rates if name not in exact.states)
    start = builder.stage({}, 0.0, "")
    solved: dict[float, Mapping[str, Expr]] = {0.0: {}}

    def exact_at(fraction: float) -> Mapping[str, Expr]:
        if fraction not in solved:
            values = propagate(exact, coefficients, fraction, start)
            label = "_new" if fraction == 1.0 else "_half"
            solved[fraction] = {n: builder.let(f"{n}{label}", v) for n, v in values.items()}
        return solved[fraction]

    errors: tuple[str, ...] = ()
    new: dict[str, Expr] = {}
    chosen, why = scheme, WHY.get(scheme, "")
    if rest:
        if scheme in ("auto", SECOND):
            chosen, why = _choose(system, rest, step, units, bare)
        if scheme == SECOND and chosen == "expeuler" and _is_linear(system, rest):
            chosen, why = "expmid", WHY["expmid"]
        if chosen in TABLEAUS:
            new, errors = explicit(TABLEAUS[chosen], rest, system, builder, exact_at, units)
        elif chosen == "expeuler":
            new = exponential_euler(rest, system, builder, start)
        elif chosen == "expmid":
            new = exponential_midpoint(rest, system, builder, start, exact_at)
        else:
            new = rosenbrock(rest, system, builder, start, exact_at)
    new = {**exact_at(1.0), **new}
    # a commit takes a local, so that all commits happen at once
    commits = [(name, _local(builder, name, value)) for name, value in new.items()]
    program = Program(
        instructions=tuple(builder.instructions), commits=tuple(commits), error=errors
    )
    return program, _report(system, exact, chosen, why)


def _local(builder: Builder, name: str, value: Expr) -> str:
    if isinstance(value, Name) and any(i.target == value.id for i in builder.instructions):
        return value.id
    from .plan import Instruction

    local = builder.names.fresh(f"{name}_new")
    builder.instructions.append(Instruction(target=local, value=value))
    return local


NOTHING = ExactSystem((), {}, {}, {}, {})


def _exact_part(system: System, scheme: str) -> ExactSystem:
    """The states to be solved exactly: all or an error for `exact`, none for a numerical scheme."""
    if scheme not in ("auto", SECOND, "exact"):
        return NOTHING
    exact = exact_system(system)
    if scheme == "exact":
        for name in system.rates:
            if name not in exact.states:
                message = (
                    f"'{system.component.name}' has no exact solution: {obstacle(system, name)}"
                )
                hint = "use --solver auto, which solves the linear part exactly"
                raise error("S201", message, system.component.span, hint=hint)
    return exact


def _choose(
    system: System,
    names: tuple[str, ...],
    step: float | None,
    units: UnitSystem,
    bare: UnitSystem,
) -> tuple[str, str]:
    """The numerical scheme of the states that have no exact solution, and the reason."""
    if any(system.is_random(system.rates[name]) for name in names):
        return "euler", "the rates draw random numbers: forward Euler"
    found: Stiffness = stiffness(system, names, units)
    if not found.is_stiff(step):
        if step is None or survives(system, names, step, units, bare):
            return "rk4", WHY["rk4"]
        speed = "a trial of classic Runge-Kutta left the solution in a spike"
    else:
        per_step = found.fastest * (step or 0)
        speed = f"the fastest rate at rest is {found.fastest:.3g}/s, {per_step:.2g} per step"
    if _is_linear(system, names):
        return "expeuler", f"{speed}; {WHY['expeuler']}"
    if len(names) <= 16:
        if step is None or survives(system, names, step, units, bare, implicit=True):
            return "implicit", f"{speed}; {WHY['implicit']}"
        return "expeuler", f"{speed}; a trial of ROS2 left the solution: exponential Euler"
    return "expeuler", f"{speed}; too many states for the implicit scheme: exponential Euler"


def _is_linear(system: System, names: tuple[str, ...]) -> bool:
    """True if each rate is linear in its own state."""
    return all(is_conditionally_linear(system, name) for name in names)


def _report(system: System, exact: ExactSystem, scheme: str, why: str) -> list[Block]:
    blocks = []
    for block in system.blocks():
        is_exact = all(name in exact.states for name in block)
        blocks.append(
            Block(
                states=tuple(block),
                kind=kind_of(system, block),
                scheme="exact" if is_exact else scheme,
                reason=WHY["exact"] if is_exact else why,
                regimes=system.regimes,
            )
        )
    return blocks
