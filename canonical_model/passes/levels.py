"""Turn level-triggered assignments into algebra: `while t < delay: i = 0` is a derived variable.

NeuroML writes currents as states that conditions on time set again and again. Where the conditions
cover all times, the state has no memory: its value is a conditional expression of the present.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import TypeAlias

from ..expr import TIME, ZERO, Binary, Conditional, Expr, Name, Unary, free_names
from ..model import Assign, Component, DerivedVariable, OnCondition
from ..query import bodies, odes, statics

MAX_ATOMS = 8

Atom: TypeAlias = tuple[str, Expr]


def levels_to_algebra(component: Component) -> Component:
    """The flat component with memoryless states replaced by derived variables of the same name."""
    candidates = _candidates(component)
    conditions = component.on_conditions
    chosen: set[str] = set()
    while True:
        own = [c for c in conditions if _targets(c) and _targets(c) <= candidates]
        good = {
            name
            for name in candidates
            if _covers([c.test for c in own if name in _targets(c)])
            and not any(name in _targets(c) for c in conditions if c not in own)
        }
        if good == candidates:
            chosen = good
            break
        candidates = good
    if not chosen:
        return component
    own = [c for c in conditions if _targets(c) and _targets(c) <= chosen]
    states = {state.name: state for state in component.state_variables}
    derived = tuple(
        DerivedVariable(
            name=name,
            dimension=states[name].dimension,
            value=_value(name, own, states[name].initial or ZERO),
            span=states[name].span,
        )
        for name in states
        if name in chosen
    )
    return replace(
        component,
        state_variables=tuple(s for s in component.state_variables if s.name not in chosen),
        derived_variables=(*component.derived_variables, *derived),
        on_conditions=tuple(c for c in conditions if c not in own),
    )


def _targets(condition: OnCondition) -> set[str]:
    """What a condition of plain assignments sets; empty if it does anything else."""
    if not all(isinstance(item, Assign) for item in condition.body):
        return set()
    return {item.target for item in condition.body if isinstance(item, Assign)}


def _candidates(component: Component) -> set[str]:
    """States without ODE that only common, time-triggered conditions assign."""
    fixed = {item.name for item in statics(component)} | {TIME}
    timed = [
        c
        for c in component.on_conditions
        if free_names(c.test) <= fixed and TIME in free_names(c.test) and not c.rising
    ]
    found = {name for condition in timed for name in _targets(condition)}
    with_ode = {ode.variable for ode in odes(component)}
    bodies_ = [c.body for c in timed]
    elsewhere = {
        item.target
        for body in bodies(component)
        if body not in bodies_
        for item in body
        if isinstance(item, Assign)
    }
    selfish = {
        item.target
        for body in bodies_
        for item in body
        if isinstance(item, Assign) and free_names(item.value) & found
    }
    return found - with_ode - elsewhere - selfish


def _value(name: str, conditions: list[OnCondition], initial: Expr) -> Expr:
    """The last condition that holds decides; where none ever does, the initial value stays."""
    cases = [(c.test, _assigned(name, c)) for c in conditions if name in _targets(c)]
    if _covers([test for test, _ in cases]) == "always":
        (_, initial), *cases = cases
    return Conditional(tuple(reversed(cases)), initial) if cases else initial


def _assigned(name: str, condition: OnCondition) -> Expr:
    values = [s.value for s in condition.body if isinstance(s, Assign) and s.target == name]
    return values[-1]


def _covers(tests: list[Expr]) -> str:
    """`always` if at any time one of the tests holds, whatever the order of their thresholds;
    `guarded` if that is so or none ever holds, depending on parameters; "" otherwise."""
    atoms = list(dict.fromkeys(atom for test in tests for atom in _atoms(test)))
    if not tests or None in atoms or len(atoms) > MAX_ATOMS:
        return ""
    guards = [atom for atom in atoms if atom and atom[0] == "guard"]
    times = [atom for atom in atoms if atom and atom[0] == "time"]
    always = True
    for guard_truths in product((False, True), repeat=len(guards)):
        known = dict(zip(guards, guard_truths, strict=True))
        held = set()
        for time_truths in product((False, True), repeat=len(times)):
            truths = {**known, **dict(zip(times, time_truths, strict=True))}
            held.add(any(_holds(test, truths) for test in tests))
        if len(held) > 1:
            return ""
        always = always and held == {True}
    return "always" if always else "guarded"


def _atoms(test: Expr) -> Iterator[Atom | None]:
    """The times with which a test compares t, the guards without t; None for anything else."""
    match test:
        case Binary("and" | "or", left, right):
            yield from _atoms(left)
            yield from _atoms(right)
        case Unary("not", operand):
            yield from _atoms(operand)
        case Binary("<" | "<=" | ">" | ">=", left, right) if TIME in free_names(test):
            is_left = left == Name(TIME)
            other = right if is_left else left
            plain = is_left != (right == Name(TIME)) and TIME not in free_names(other)
            yield ("time", other) if plain else None
        case _:
            yield None if TIME in free_names(test) else ("guard", test)


def _holds(test: Expr, truths: dict[Atom, bool]) -> bool:
    """The truth of a test: for each threshold whether t lies before it, for each guard its truth."""
    match test:
        case Binary("and", left, right):
            return _holds(left, truths) and _holds(right, truths)
        case Binary("or", left, right):
            return _holds(left, truths) or _holds(right, truths)
        case Unary("not", operand):
            return not _holds(operand, truths)
        case Binary(op, left, right) if TIME in free_names(test):
            is_left = left == Name(TIME)
            before = truths["time", right if is_left else left]
            wants_before = (op in ("<", "<=")) == is_left
            return before == wants_before
    return truths["guard", test]
