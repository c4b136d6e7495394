"""Turn level-triggered assignments into algebra: `while t < delay: i = 0` is a derived variable.

NeuroML writes currents as states that conditions on time set again and again. Where the conditions
cover all times, the state has no memory: its value is a conditional expression of the present.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from ..expr import TIME, Binary, Conditional, Expr, Unary, free_names
from ..model import Assign, Component, DerivedVariable, OnCondition
from ..query import bodies, odes, statics

MAX_THRESHOLDS = 8


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
            if _covers_all([c.test for c in own if name in _targets(c)])
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
            value=_value(name, own),
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
        if free_names(c.test) <= fixed and TIME in free_names(c.test)
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


def _value(name: str, conditions: list[OnCondition]) -> Expr:
    """The last condition that holds decides; the first stands for the rest."""
    cases = [(c.test, _assigned(name, c)) for c in conditions if name in _targets(c)]
    (_, otherwise), *later = cases
    if not later:
        return otherwise
    return Conditional(tuple(reversed(later)), otherwise)


def _assigned(name: str, condition: OnCondition) -> Expr:
    values = [s.value for s in condition.body if isinstance(s, Assign) and s.target == name]
    return values[-1]


def _covers_all(tests: list[Expr]) -> bool:
    """True if one of the tests holds at any time, whatever the order of their thresholds."""
    thresholds = list(dict.fromkeys(x for test in tests for x in _thresholds(test)))
    if not tests or None in thresholds or len(thresholds) > MAX_THRESHOLDS:
        return False
    for truths in product((False, True), repeat=len(thresholds)):
        before = dict(zip(thresholds, truths, strict=True))
        if not any(_holds(test, before) for test in tests):
            return False
    return True


def _thresholds(test: Expr) -> Iterator[Expr | None]:
    """The times with which a test compares t; None for anything else."""
    match test:
        case Binary("and" | "or", left, right):
            yield from _thresholds(left)
            yield from _thresholds(right)
        case Unary("not", operand):
            yield from _thresholds(operand)
        case Binary("<" | "<=" | ">" | ">=", left, right):
            is_left = getattr(left, "id", "") == TIME
            is_right = getattr(right, "id", "") == TIME
            other = right if is_left else left
            plain = is_left != is_right and TIME not in free_names(other)
            yield other if plain else None
        case _:
            yield None


def _holds(test: Expr, before: dict[Expr | None, bool]) -> bool:
    """The truth of a test, given for each threshold whether t lies before it."""
    match test:
        case Binary("and", left, right):
            return _holds(left, before) and _holds(right, before)
        case Binary("or", left, right):
            return _holds(left, before) or _holds(right, before)
        case Unary("not", operand):
            return not _holds(operand, before)
        case Binary(op, left, right):
            is_left = getattr(left, "id", "") == TIME
            less = before[right if is_left else left]
            wants_less = (op in ("<", "<=")) == is_left
            return less == wants_less
    return False
