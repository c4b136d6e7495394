"""Integration over one step: straight-line programs, or the adaptive solver, by active regimes."""

from __future__ import annotations

from ...canonical_model.expr import TIME
from ...canonical_model.model import Integrate
from ...solvers.plan import Program
from ...solvers.system import System, restricted, systems
from .body_code import Scope, local_name
from .flow import Flow
from .names import identifier
from .plan import ABSOLUTE, GSL, RELATIVE, ModelPlan
from .printer import print_cpp
from .rates import rates_code


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
    if plan.adaptive and plan.flows.table[system.regimes or item.variables].numeric:
        code = _adaptive(plan, item, system, program, inner, deep)
    else:
        code = _plain(plan, program, inner, deep)
    return [f"{indent}{{", *code, f"{indent}}}"]


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
    plan: ModelPlan, item: Integrate, system: System, program: Program, scope: Scope, indent: str
) -> list[str]:
    """The numeric states in the adaptive solver, the others by their exact solution over the step."""
    flow = plan.flows.table[system.regimes or item.variables]
    moved = {state for state, _ in program.commits}
    lines = _instructions(flow.exact, scope, indent)
    states = list(flow.numeric)
    trial = f"s.trial_{trials(plan).index(item.variables)}"
    start = ", ".join(f"s.{plan.fields[name]}" for name in states)
    lines.append(f"{indent}std::array< double, {len(states)} > y = {{ {start} }};")
    limits = f"t_begin, h, {trial}, {scope.names[ABSOLUTE]}, {scope.names[RELATIVE]}"
    call = _followed if flow.followed else _unfollowed
    lines += [
        *call(flow, system, limits, scope, indent),
        f"{indent}if ( not converged )",
        f"{indent}{{",
        f'{indent}  throw nest::NumericalInstability( "{plan.name}" );',
        f"{indent}}}",
    ]
    for number, name in enumerate(states):
        if name in moved:
            lines.append(f"{indent}s.{plan.fields[name]} = y[ {number} ];")
    for state, local in flow.exact.commits:
        lines.append(f"{indent}s.{plan.fields[state]} = {scope.names[local]};")
    return lines


def _unfollowed(flow: Flow, system: System, limits: str, scope: Scope, indent: str) -> list[str]:
    """The call of the solver where all that the rates read is integrated."""
    count, deep = len(flow.numeric), f"{indent}    "
    solver = "gsl_rkf45" if scope.plan.library == GSL else "rkf45"
    names = {name: f"y[ {k} ]" for k, name in enumerate(flow.numeric)}
    rates = rates_code(system, flow, scope, names, (indent, f"{deep}  "))
    return [
        *rates.before,
        f"{indent}const bool converged = interspike::{solver}< {count} >( y, {limits},",
        f"{deep}[ & ]( const std::array< double, {count} >& y, [[maybe_unused]] const double t,",
        f"{deep}  std::array< double, {count} >& dy ){rates.attribute}",
        f"{deep}{{",
        *rates.inside,
        f"{deep}}} );",
    ]


def _followed(flow: Flow, system: System, limits: str, scope: Scope, indent: str) -> list[str]:
    """The call of the solver where rates read states that have an exact solution."""
    plan, deep = scope.plan, f"{indent}    "
    count, size = len(flow.numeric), len(flow.followed)
    names = {name: f"y[ {k} ]" for k, name in enumerate(flow.numeric)}
    names |= {name: f"x[ {k} ]" for k, name in enumerate(flow.followed)}
    rates = rates_code(system, flow, scope, names, (indent, f"{deep}  "))
    own = f"Shared_{plan.name}::Flow"
    held = f"const std::array< double, {size} >& x"
    start = ", ".join(f"s.{plan.fields[name]}" for name in flow.followed)
    return [
        *rates.before,
        f"{indent}std::array< double, {size} > x = {{ {start} }};",
        f"{indent}const bool converged = interspike::rkf45< {count}, {size}, {own} >( y, x, {limits},",
        f"{deep}[ & ]( const int level, const double step, auto& own ) INTERSPIKE_ALWAYS",
        f"{deep}{{",
        f"{deep}  return q.over( level, step, own );",
        f"{deep}}},",
        f"{deep}[ & ]( const {own}& f, {held}, std::array< double, {size} >& to ) INTERSPIKE_ALWAYS",
        f"{deep}{{",
        *_move(flow, scope, f"{deep}  "),
        f"{deep}}},",
        f"{deep}[ & ]( const std::array< double, {count} >& y, {held}, [[maybe_unused]] const double t,",
        f"{deep}  std::array< double, {count} >& dy ){rates.attribute}",
        f"{deep}{{",
        *rates.inside,
        f"{deep}}} );",
    ]


def _move(flow: Flow, scope: Scope, indent: str) -> list[str]:
    """The followed states after a part of a step, `to` from `x`."""
    inner = scope.inner()
    inner.names.update({name: f"x[ {k} ]" for k, name in enumerate(flow.followed)})
    inner.names.update({name: f"f.{text}" for name, text in scope.plan.flow_fields.items()})
    lines = []
    for item in flow.instructions:
        local = local_name(inner, item.target, "l_")
        lines.append(f"{indent}const double {local} = {print_cpp(item.value, inner.names)};")
        inner.names[item.target] = local
    for number, value in enumerate(flow.values):
        lines.append(f"{indent}to[ {number} ] = {print_cpp(value, inner.names)};")
    return lines


def trials(plan: ModelPlan) -> list[tuple[str, ...]]:
    """The integrations that keep a step size of their own."""
    if plan.component.update is None:
        return [()]
    return [key for key, flow in plan.flows.table.items() if flow.numeric]
