"""Integration over one step: straight-line programs, or the adaptive solver, by active regimes."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

from ...canonical_model.expr import TIME, free_names
from ...canonical_model.model import Integrate
from ...solvers.plan import Program
from ...solvers.propagators import exact_system
from ...solvers.system import System, systems
from .body_code import Scope, local_name
from .names import identifier
from .plan import ABSOLUTE, RELATIVE, Integration, ModelPlan
from .printer import print_cpp


def integrate_code(item: Integrate, scope: Scope, indent: str) -> list[str]:
    """The code of an `Integrate` statement, for the regimes that are active."""
    plan = scope.plan
    integration = plan.integrations[item.variables]
    machines = integration.component.machines
    programs = dict(integration.update.programs)
    if plan.adaptive:
        known = {system.regimes: system for system in systems(integration.component)}
    lines: list[str] = []
    word = "if"
    for combo in product(*(range(len(m.regimes)) for m in machines)):
        names = tuple(m.regimes[k].name for m, k in zip(machines, combo, strict=True))
        program = programs[names]
        if not program.commits:
            continue
        inner = scope.inner()
        inner.names.update(_coefficients(integration))
        deep = f"{indent}  "
        if plan.adaptive and set(known[names].rates) - set(exact_states(known[names])):
            code = _adaptive(plan, item, known[names], program, inner, deep)
        else:
            code = _plain(plan, program, inner, deep)
        if combo:
            tests = " and ".join(f"s.r_{k} == {r}" for k, r in enumerate(combo))
            label = ", ".join(identifier(name) for name in names)
            lines.append(f"{indent}{word} ( {tests} ) /* {label} */")
            word = "else if"
        lines += [f"{indent}{{", *code, f"{indent}}}"]
    return lines


def _coefficients(integration: Integration) -> dict[str, str]:
    return {name: f"q.{text}" for name, text in integration.fields.items()}


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
    exact = exact_states(system)
    states = list(system.rates)
    own = _only(program, exact)
    lines = _instructions(own, scope, indent)
    count = len(states)
    deep = f"{indent}    "
    start = ", ".join(f"s.{plan.fields[name]}" for name in states)
    trial = f"s.trial_{list(plan.integrations).index(item.variables)}"
    lines += [
        f"{indent}std::array< double, {count} > y = {{ {start} }};",
        f"{indent}const bool converged = interspike::rkf45< {count} >( y,",
        f"{deep}t, h, {trial}, {scope.names[ABSOLUTE]}, {scope.names[RELATIVE]},",
        f"{deep}[ & ]( const std::array< double, {count} >& y, [[maybe_unused]] const double t,",
        f"{deep}  std::array< double, {count} >& dy )",
        f"{deep}{{",
        *_rates(system, states, scope, f"{deep}  "),
        f"{deep}}} );",
        f"{indent}if ( not converged )",
        f"{indent}{{",
        f'{indent}  throw nest::NumericalInstability( get_name() );',
        f"{indent}}}",
    ]
    for number, name in enumerate(states):
        if name not in exact:
            lines.append(f"{indent}s.{plan.fields[name]} = y[ {number} ];")
    for state, local in own.commits:
        lines.append(f"{indent}s.{plan.fields[state]} = {scope.names[local]};")
    return lines


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

