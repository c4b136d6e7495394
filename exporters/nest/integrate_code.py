"""Integration over one step: straight-line programs, or the adaptive solver, by active regimes."""

from __future__ import annotations

from dataclasses import replace

from ...canonical_model.expr import TIME, free_names
from ...canonical_model.model import Integrate
from ...solvers.plan import Program
from ...solvers.propagators import exact_system
from ...solvers.system import System, restricted, systems
from .body_code import Scope, local_name
from .names import identifier
from .plan import ABSOLUTE, RELATIVE, ModelPlan
from .printer import print_cpp


def integrate_code(item: Integrate, scope: Scope, indent: str) -> list[str]:
    """The code of an `Integrate` statement: of a program, or by the regimes that are active."""
    plan = scope.plan
    component = plan.component
    if component.update is not None:
        program = dict(plan.update.integrations)[item.variables]
        system = restricted(component, item.variables)
        return _block(plan, item, system, program, scope, indent)
    programs = dict(plan.update.programs)
    lines: list[str] = []
    word = "if"
    for system in systems(component):
        code = _block(plan, item, system, programs[system.regimes], scope, indent)
        if not code:
            continue
        if system.regimes:
            numbers = [
                [r.name for r in machine.regimes].index(name)
                for machine, name in zip(component.machines, system.regimes, strict=True)
            ]
            tests = " and ".join(f"s.r_{k} == {r}" for k, r in enumerate(numbers))
            label = ", ".join(identifier(name) for name in system.regimes)
            lines.append(f"{indent}{word} ( {tests} ) /* {label} */")
            word = "else if"
        lines += code
    return lines


def _block(
    plan: ModelPlan, item: Integrate, system: System, program: Program, scope: Scope, indent: str
) -> list[str]:
    """One program in braces; nothing if it moves nothing."""
    if not program.commits:
        return []
    inner = scope.inner()
    inner.names.update({name: f"{plan.place}{text}" for name, text in plan.coefficients.items()})
    inner.names[TIME] = "t_begin"
    deep = f"{indent}  "
    if plan.adaptive and set(system.rates) - set(exact_states(system)):
        code = _adaptive(plan, item, system, program, inner, deep)
    else:
        code = _plain(plan, program, inner, deep)
    return [f"{indent}{{", *code, f"{indent}}}"]


def exact_states(system: System) -> tuple[str, ...]:
    """The states that linear theory solves."""
    return exact_system(system).states


def _plain(plan: ModelPlan, program: Program, scope: Scope, indent: str) -> list[str]:
    """The instructions of a program, then its commits."""
    lines = _instructions(program, scope, indent)
    for state, local in program.commits:
        lines.append(f"{indent}s.{plan.fields[state]} = {scope.names[local]};")
    return lines


def _instructions(program: Program, scope: Scope, indent: str) -> list[str]:
    lines = []
    for item in program.instructions:
        text = print_cpp(item.value, scope.names)
        local = local_name(scope, item.target, "l_")
        lines.append(f"{indent}const double {local} = {text};")
        scope.names[item.target] = local
    return lines


def _adaptive(
    plan: ModelPlan,
    item: Integrate,
    system: System,
    program: Program,
    scope: Scope,
    indent: str,
) -> list[str]:
    """All states in the adaptive solver; those with an exact solution are then replaced by it."""
    moved = {state for state, _ in program.commits}
    exact = exact_states(system)
    states = list(system.rates)
    own = _only(program, exact)
    lines = _instructions(own, scope, indent)
    count = len(states)
    deep = f"{indent}    "
    start = ", ".join(f"s.{plan.fields[name]}" for name in states)
    trial = f"s.trial_{trials(plan).index(item.variables)}"
    lines += [
        f"{indent}std::array< double, {count} > y = {{ {start} }};",
        f"{indent}const bool converged = interspike::rkf45< {count} >( y,",
        f"{deep}t_begin, h, {trial}, {scope.names[ABSOLUTE]}, {scope.names[RELATIVE]},",
        f"{deep}[ & ]( const std::array< double, {count} >& y, [[maybe_unused]] const double t,",
        f"{deep}  std::array< double, {count} >& dy )",
        f"{deep}{{",
        *_rates(system, states, scope, f"{deep}  "),
        f"{deep}}} );",
        f"{indent}if ( not converged )",
        f"{indent}{{",
        f'{indent}  throw nest::NumericalInstability( "{plan.name}" );',
        f"{indent}}}",
    ]
    for number, name in enumerate(states):
        if name in moved and name not in exact:
            lines.append(f"{indent}s.{plan.fields[name]} = y[ {number} ];")
    for state, local in own.commits:
        lines.append(f"{indent}s.{plan.fields[state]} = {scope.names[local]};")
    return lines


def trials(plan: ModelPlan) -> list[tuple[str, ...]]:
    """The integrations that keep a step size of their own."""
    return [variables for variables, _ in plan.update.integrations] or [()]


def _only(program: Program, states: tuple[str, ...]) -> Program:
    """The part of a program that the commits of `states` need."""
    commits = tuple(entry for entry in program.commits if entry[0] in states)
    needed = {local for _, local in commits}
    kept = []
    for item in reversed(program.instructions):
        if item.target in needed:
            kept.append(item)
            needed |= free_names(item.value)
    return replace(program, instructions=tuple(reversed(kept)), commits=commits, error=())


def _rates(system: System, states: list[str], scope: Scope, indent: str) -> list[str]:
    """dy from y: derived variables in order of dependence, then the rates."""
    inner = scope.inner()
    inner.names.update({name: f"y[ {k} ]" for k, name in enumerate(states)})
    inner.names[TIME] = "t"
    definitions = system.definitions
    needed: set[str] = set()
    for rate in system.rates.values():
        needed |= definitions.depends(rate) & definitions.values.keys()
    lines = []
    for name in system.order:
        if name in needed:
            text = print_cpp(definitions.values[name], inner.names)
            local = local_name(inner, name, "v_")
            lines.append(f"{indent}const double {local} = {text};")
            inner.names[name] = local
    for number, name in enumerate(states):
        lines.append(f"{indent}dy[ {number} ] = {print_cpp(system.rates[name], inner.names)};")
    return lines
