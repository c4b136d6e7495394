"""States whose steps are small beside them keep what single precision rounds off, and add it next time.

At 0.01 ms a membrane at -60 mV moves by some 1e-5 mV a step, a few units in its last place: what rounding
leaves out adds up to a spike that is several steps early or late. Kahan 1965, CACM 8:40.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ...canonical_model.expr import ONE, ZERO, Binary, Expr, Name, free_names
from ...canonical_model.model import Assign, Component, Statement, StateVariable
from ...canonical_model.passes.change import change_bodies, rewrite
from ...canonical_model.query import declared
from ...solvers.builder import Names
from ...solvers.plan import Coefficient, Instruction, Program, UpdatePlan
from .factors import terms_of, total_of

FINE = 5e-5  # s: steps as long as this do without


@dataclass(slots=True)
class Compensation:
    """What is known between `moving`, before fixed parts are hoisted, and `compensated` after it."""

    names: Names
    coefficients: frozenset[str]
    less: dict[str, Coefficient] = field(default_factory=dict)  # factors less one
    moves: set[str] = field(default_factory=set)  # locals that hold a move
    rests: dict[str, str] = field(default_factory=dict)  # states that hold rests, by state


def moving(component: Component, update: UpdatePlan) -> tuple[UpdatePlan, Compensation]:
    """The plan with commits of moves (x_new - x) instead of new values, where these can be told.

    States that only decay are left as they are: their error stays a share of them.
    """
    taken = {item.name for item in (*declared(component), *component.analog_inputs)}
    taken |= {item.name for item in update.coefficients}
    taken |= {name for m in update.matrices for row in m.names for name in row}
    taken |= {i.target for p in update.all_programs() for i in p.instructions}
    work = Compensation(Names(taken), frozenset(c.name for c in update.coefficients))
    changed = _programs(update, lambda program: _moving(program, work))
    less = tuple(work.less.values())
    return replace(changed, coefficients=(*update.coefficients, *less)), work


def _programs(update: UpdatePlan, change: Callable[[Program], Program]) -> UpdatePlan:
    return replace(
        update,
        programs=tuple((key, change(program)) for key, program in update.programs),
        integrations=tuple((key, change(program)) for key, program in update.integrations),
    )


def _moving(program: Program, work: Compensation) -> Program:
    if program.error:
        return program
    instructions, commits = list(program.instructions), []
    for state, local in program.commits:
        place = next((k for k, i in enumerate(instructions) if i.target == local), None)
        move = None if place is None else _move(instructions[place].value, state, work)
        if place is None or move is None:
            commits.append((state, local))
            continue
        name = work.names.fresh(f"{state}_move")
        work.moves.add(name)
        commits.append((state, name))
        used = any(local in free_names(i.value) for i in instructions[place + 1 :])
        made = [Instruction(target=name, value=move)]
        if used:
            made.append(Instruction(target=local, value=Binary("+", Name(state), Name(name))))
        instructions[place : place + 1] = made
    return replace(program, instructions=tuple(instructions), commits=tuple(commits))


def _move(value: Expr, state: str, work: Compensation) -> Expr | None:
    """The new value of a state less the old one: from `x + dx`, or from `P * x + ..` as `(P - 1) * x + ..`"""
    terms: list[tuple[int, Expr]] = []
    terms_of(value, 1, terms)
    for k, (sign, term) in enumerate(terms):
        if sign < 0 or len(terms) == 1:
            continue
        if term == Name(state):
            return total_of([*terms[:k], *terms[k + 1 :]])
        match term:
            case Binary("*", Name(factor), Name(name)) if name == state:
                if factor in work.coefficients:
                    return total_of([*terms[:k], (1, _less(factor, state, work)), *terms[k + 1 :]])
    return None


def _less(factor: str, state: str, work: Compensation) -> Expr:
    if factor not in work.less:
        value = Binary("-", Name(factor), ONE)
        name = work.names.fresh(f"{factor}_less_1")
        work.less[factor] = Coefficient(name=name, value=value)
    return Binary("*", Name(work.less[factor].name), Name(state))


def compensated(
    component: Component, update: UpdatePlan, work: Compensation
) -> tuple[Component, UpdatePlan]:
    """Each commit of a move as `x + (move + rest)`, and a new state for the rest, which a jump clears."""
    plan = _programs(update, lambda program: _summed(program, work))
    if not work.rests:
        return component, plan
    states = tuple(
        StateVariable(name=work.rests[s.name], dimension=s.dimension)
        for s in component.state_variables
        if s.name in work.rests
    )

    def cleared(statement: Statement) -> tuple[Statement, ...]:
        match statement:
            case Assign(target=target, value=value) if target in work.rests:
                if target not in free_names(value):
                    zero = Assign(target=work.rests[target], value=ZERO)
                    return statement, zero
        return (statement,)

    changed = change_bodies(component, lambda body: rewrite(body, cleared))
    return replace(changed, state_variables=(*component.state_variables, *states)), plan


def _summed(program: Program, work: Compensation) -> Program:
    instructions = list(program.instructions)
    commits = []
    for state, local in program.commits:
        if local not in work.moves:
            commits.append((state, local))
            continue
        if state not in work.rests:
            work.rests[state] = work.names.fresh(f"{state}_rest")
        rest, old = work.rests[state], Name(state)
        whole, new, left = (work.names.fresh(f"{state}_{w}") for w in ("whole", "new", "left"))
        instructions += [
            Instruction(target=whole, value=Binary("+", Name(local), Name(rest))),
            Instruction(target=new, value=Binary("+", old, Name(whole))),
            Instruction(target=left, value=Binary("-", Name(whole), Binary("-", Name(new), old))),
        ]
        commits += [(state, new), (rest, left)]
    return replace(program, instructions=tuple(instructions), commits=tuple(commits))


__all__ = ["FINE", "Compensation", "compensated", "moving"]
