"""What an adaptive integration need not integrate: states with exact solutions.

Those that the other rates read are followed exactly at every stage of the solver, by propagators over parts
of a step: parts of 2^-level are tabulated, so that no stage computes an exponential. The others are not in
the solver at all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ...canonical_model.expr import Expr, free_names
from ...canonical_model.model import Component
from ...solvers.builder import Builder, Names
from ...solvers.plan import Coefficient, Instruction, Program, UpdatePlan
from ...solvers.propagators import Coefficients, ExactSystem, exact_system, propagate
from ...solvers.system import System, restricted, systems

LEVELS = 4  # tabulated: a step, its halves, quarters and eighths
MAX_COEFFICIENTS = 48


@dataclass(frozen=True, slots=True)
class Flow:
    """How the states of one system are advanced: `numeric` ones by the solver, which reads `followed` ones.

    `exact` is the program of all states that have a solution over the whole step. `instructions`, then
    `values` (one for each followed state) give the followed ones after any part of a step.
    """

    numeric: tuple[str, ...]
    exact: Program
    followed: tuple[str, ...] = ()
    instructions: tuple[Instruction, ...] = ()
    values: tuple[Expr, ...] = ()


@dataclass(slots=True)
class Flows:
    """The flow of every integration, by the key of its program; `coefficients` are over a part of a step."""

    table: dict[tuple[str, ...], Flow]
    coefficients: tuple[Coefficient, ...]


def find_flows(
    component: Component, update: UpdatePlan, taken: set[str], *, follow: bool = True
) -> Flows:
    """Decide for every integration of an adaptive plan; `taken` are names that are in use.

    Without `follow` what the numeric rates read is integrated with them.
    """
    if component.update is None:
        programs = dict(update.programs)
        found = {system.regimes: system for system in systems(component)}
    else:
        programs = dict(update.integrations)
        found = {key: restricted(component, key) for key in programs}
    coefficients = Coefficients(Names(set(taken)))
    table = {key: _flow(item, programs[key], coefficients, follow) for key, item in found.items()}
    return Flows(table, tuple(coefficients.items))


def _flow(system: System, program: Program, shared: Coefficients, follow: bool) -> Flow:
    """One system; what a matrix exponential solves is too dear for parts of a step: it is integrated."""
    exact = exact_system(system)
    numeric = tuple(name for name in system.rates if name not in exact.states)
    whole = only(program, exact.states)
    followed = _followed(system, exact, numeric)
    trial = Coefficients(Names(set(shared.names.taken)))
    _propagated(system, followed, trial)
    if not follow or trial.matrices or len(trial.items) > MAX_COEFFICIENTS:
        read = {*numeric, *followed.states}
        return Flow(tuple(name for name in system.rates if name in read), whole)
    instructions, values = _propagated(system, followed, shared)
    return Flow(numeric, whole, followed.states, instructions, values)


def _followed(system: System, exact: ExactSystem, numeric: tuple[str, ...]) -> ExactSystem:
    """The exact states that the numeric rates read, and those that these depend on."""
    read: set[str] = set()
    stack = [n for name in numeric for n in system.definitions.depends(system.rates[name])]
    while stack:
        name = stack.pop()
        if name in exact.matrix and name not in read:
            read.add(name)
            stack.extend(exact.matrix[name])
    return replace(exact, states=tuple(name for name in exact.states if name in read))


def _propagated(
    system: System, exact: ExactSystem, coefficients: Coefficients
) -> tuple[tuple[Instruction, ...], tuple[Expr, ...]]:
    builder = Builder(system, Names(coefficients.names.taken))
    values = propagate(exact, coefficients, 1.0, builder.stage({}, 0.0, ""))
    return tuple(builder.instructions), tuple(values[name] for name in exact.states)


def only(program: Program, states: tuple[str, ...]) -> Program:
    """The part of a program that the commits of `states` need."""
    commits = tuple(entry for entry in program.commits if entry[0] in states)
    needed = {local for _, local in commits}
    kept = []
    for item in reversed(program.instructions):
        if item.target in needed:
            kept.append(item)
            needed |= free_names(item.value)
    return replace(
        program, instructions=tuple(reversed(kept)), commits=commits, carried=(), error=()
    )


def without_unread(update: UpdatePlan, programs: list[Program]) -> UpdatePlan:
    """The plan without the coefficients that none of `programs` reads."""
    used = {
        n for program in programs for item in program.instructions for n in free_names(item.value)
    }
    kept: list[Coefficient] = []
    for item in reversed(update.coefficients):
        if item.name in used:
            kept.append(item)
            used |= free_names(item.value)
    matrices = tuple(
        m for m in update.matrices if any(name in used for row in m.names for name in row)
    )
    return replace(update, coefficients=tuple(reversed(kept)), matrices=matrices)
