"""The modes of a time-step program: every way through the branches around what it integrates."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import product

from .. import model
from ..algebra import times
from ..diagnostics import ModelError, refuse
from ..expr import (
    ONE,
    OPPOSITE,
    Binary,
    Conditional,
    Expr,
    Name,
    Number,
    Unary,
    free_names,
    is_random,
    substitute,
)  # fmt: skip
from ..query import expressions, nested
from .change import Body, change_statement
from .idioms import arrivals, bound, decay_rate, event, ramp, sampled

MAX_REGIMES = 16


@dataclass(frozen=True, slots=True)
class Mode:
    """One way through the program: the tests that lead there, what it integrates and what it counts down."""

    tests: tuple[Expr, ...] = ()
    integrated: tuple[str, ...] = ()
    everything: bool = False
    counted: tuple[str, ...] = ()
    rates: tuple[model.Ode, ...] = ()  # of decays and timers that the program steps by hand
    held: tuple[model.Assign, ...] = ()  # what is set anew after each step: a clamped potential


@dataclass(slots=True)
class Found:
    """What is found on the walk through the program."""

    component: model.Component
    conditions: list[model.OnCondition] = field(default_factory=list)
    counters: dict[str, None] = field(default_factory=dict)
    samples: dict[str, str] = field(default_factory=dict)
    events: list[model.OnEvent] = field(default_factory=list)


def in_the_way(statement: model.Statement, why: str) -> ModelError:
    message = f"a statement of the update program cannot become part of a regime: {why}"
    return refuse("K120", message, statement.span)


def find_counters(found: Found) -> None:
    """Whole-numbered states that only lose 1 per step or are set: clocks in disguise."""
    states = {s.name for s in found.component.state_variables if s.kind == model.INTEGER}
    bodies = [found.component.update or ()]
    for item in nested(bodies[0]):
        if isinstance(item, model.Assign) and item.target in states and is_decrement(item):
            found.counters[item.target] = None


def is_decrement(item: model.Assign) -> bool:
    """Does the variable lose 1?"""
    return item.value in (
        Binary("-", Name(item.target), ONE),
        Binary("+", Name(item.target), Unary("-", ONE)),
        Binary("+", Name(item.target), Number(-1.0)),
    )


def without_locals(found: Found, body: Body) -> Body:
    """Locals that are never assigned again are substituted; one that holds a state of before the
    integration is a sample of it. Raises ModelError K120 where it holds more than the state itself."""
    assigned = {s.target for s in nested(body) if isinstance(s, model.Assign)}
    moving = {ode.variable for ode in found.component.odes}
    values: dict[str, Expr] = {}

    def change(items: Body) -> Body:
        kept: list[model.Statement] = []
        for place, item in enumerate(items):
            if isinstance(item, model.Declare) and item.name not in assigned:
                value = substitute(item.value, values)
                later = any(isinstance(s, model.Integrate) for s in nested(items[place + 1 :]))
                if later and free_names(value) & moving:
                    if not isinstance(value, Name):
                        why = f"'{item.name}' keeps a value of before the integration"
                        raise in_the_way(item, why)
                    found.samples[item.name] = value.id
                    continue
                values[item.name] = value
                continue
            kept.append(change_statement(item, lambda expr: substitute(expr, values)))
        return tuple(kept)

    return change(body)


def _integrates(found: Found, body: Body) -> bool:
    """Does the body integrate, count steps, or step something by hand?"""
    return any(
        isinstance(item, model.Integrate)
        or (
            isinstance(item, model.Assign)
            and (
                (item.target in found.counters and is_decrement(item))
                or _rate(found, item) is not None
            )
        )
        for item in nested(body)
    )


def _rate(found: Found, item: model.Assign) -> Expr | None:
    """The rate of change of what a program steps by hand; None for anything else."""
    if any(ode.variable == item.target for ode in found.component.odes):
        return None
    rate = decay_rate(found.component, item)
    return times(rate, Name(item.target)) if rate is not None else ramp(found.component, item)


def _holds(found: Found, test: Expr | None, body: Body) -> bool:
    """Does a branch do nothing but set what moves to fixed values, over and over while its test holds?"""
    moving = {ode.variable for ode in found.component.odes}
    read = _read_by(found.component, test) if test is not None else set()
    return bool(body) and all(
        isinstance(item, model.Assign)
        and item.target in moving - read
        and _is_static(found.component, item.value)
        for item in body
    )


def _is_static(component: model.Component, value: Expr) -> bool:
    """Is a value fixed while the model runs?"""
    static = {item.name for item in component.parameters}
    static |= {item.name for item in component.derived_parameters}
    static |= {item.name for item in component.constants}
    return free_names(value) <= static and not is_random(value)


def _read_by(component: model.Component, test: Expr) -> set[str]:
    """The names that a test depends on, through derived variables too."""
    values = {item.name: item.value for item in component.derived_variables}
    read: set[str] = set()
    waiting = set(free_names(test))
    while waiting:
        name = waiting.pop()
        if name not in read:
            read.add(name)
            waiting |= free_names(values[name]) if name in values else set()
    return read


def _has_modes(found: Found, item: model.If) -> bool:
    """Does what is integrated or held depend on the tests?"""
    branches = (*item.branches, (None, item.otherwise))
    return _integrates(found, (item,)) or any(_holds(found, *branch) for branch in branches)


def _as_branch(item: model.Statement) -> model.Statement:
    """`x = c ? value : x` is `if c: x = value`."""
    match item:
        case model.Assign(target=target, value=Conditional(((test, value),), otherwise)):
            own = Name(target)
            if otherwise == own:
                body = (replace(item, value=value),)
                return model.If(branches=((test, body),), span=item.span)
            if value == own:
                body = (replace(item, value=otherwise),)
                return model.If(branches=((negation(test), body),), span=item.span)
    return item


def find_modes(found: Found, body: Body) -> list[Mode]:
    """The modes of a body: every combination of the choices in it."""
    choices: list[list[Mode]] = []
    for item in map(_as_branch, body):
        match item:
            case model.Integrate(variables=variables):
                choices.append([Mode(integrated=variables, everything=not variables)])
            case model.Assign(target=target) if target in found.counters and is_decrement(item):
                choices.append([Mode(counted=(target,))])
            case model.If() if _has_modes(found, item):
                choices.append(_branches(found, item))
            case model.If():
                _events(found, item)
            case model.Report():
                continue
            case model.Assign():
                choices.append([_assignment(found, item)])
            case _:
                name = type(item).__name__.lower()
                raise in_the_way(item, f"'{name}' is done in every step")
    modes = []
    for combination in product(*choices):
        modes.append(
            Mode(
                tests=tuple(test for mode in combination for test in mode.tests),
                integrated=tuple(dict.fromkeys(v for m in combination for v in m.integrated)),
                everything=any(mode.everything for mode in combination),
                counted=tuple(dict.fromkeys(v for m in combination for v in m.counted)),
                rates=tuple(ode for mode in combination for ode in mode.rates),
                held=tuple(item for mode in combination for item in mode.held),
            )
        )
        if len(modes) > MAX_REGIMES:
            message = f"the update program has more than {MAX_REGIMES} ways through it"
            raise refuse("K121", message, found.component.span)
    return modes


def _assignment(found: Found, item: model.Assign) -> Mode:
    """An assignment in every step of a mode: one of the idioms, or in the way."""
    moving = {ode.variable for ode in found.component.odes}
    rate = _rate(found, item)
    if rate is not None:
        return Mode(rates=(model.Ode(variable=item.target, rhs=rate, span=item.span),))
    arrived = arrivals(item)
    limit = bound(item)
    sample = sampled(item, moving)
    if arrived is not None:
        found.events += [event(port, item.target, factor) for port, factor in arrived]
    elif limit is not None:
        found.conditions.append(limit)
    elif sample is not None:
        found.samples[item.target] = sample
    else:
        raise in_the_way(item, f"'{item.target}' is assigned to in every step")
    return Mode()


def _branches(found: Found, item: model.If) -> list[Mode]:
    """The modes of each branch, with the test that leads to it and the negations of those before.

    A branch that neither integrates nor holds anything is an event: the mode goes on as the last branch has
    it, where its test need not be denied."""
    modes: list[Mode] = []
    before: list[Expr] = []
    denied: list[Expr] = []
    for test, body in (*item.branches, (None, item.otherwise)):
        own = () if test is None else (test,)
        is_mode = _integrates(found, body) or _holds(found, test, body)
        if test is not None and body and not is_mode:
            _event(found, (*before, *own), body, item)
        else:
            for mode in _modes_of_branch(found, test, body, (*before, *own)):
                modes.append(replace(mode, tests=(*denied, *own, *mode.tests)))
            denied += [negation(test) for test in own]
        before += [negation(test) for test in own]
    return modes


def _modes_of_branch(
    found: Found, test: Expr | None, body: Body, tests: tuple[Expr, ...]
) -> list[Mode]:
    """As `find_modes`; what a branch does besides integrating must be an event of that branch."""
    count, before = len(found.conditions), (len(found.events), len(found.samples))
    clamps = [item for item in body if _holds(found, test, (item,))]
    rest = tuple(item for item in body if item not in clamps)
    held = tuple(item for item in clamps if isinstance(item, model.Assign))
    modes = [replace(mode, held=held + mode.held) for mode in find_modes(found, rest)]
    if (len(found.events), len(found.samples)) != before:
        raise in_the_way(body[0], "what it does in every step depends on a test")
    guard = conjunction(tests)
    for k in range(count, len(found.conditions)):
        condition = found.conditions[k]
        both = Binary("and", guard, condition.test) if guard is not None else condition.test
        found.conditions[k] = replace(condition, test=both)
    return modes


def _events(found: Found, item: model.If) -> None:
    """Branches without integration: each is an event."""
    _events_within(found, (), item)


def _events_within(found: Found, outer: tuple[Expr, ...], item: model.If) -> None:
    """The events of the branches, within tests that hold around them."""
    before: list[Expr] = [*outer]
    for test, body in item.branches:
        _event(found, (*before, test), body, item)
        before.append(negation(test))
    if item.otherwise:
        raise in_the_way(
            item.otherwise[0], "it is done in every step in which a test does not hold"
        )


def _event(found: Found, tests: tuple[Expr, ...], body: Body, item: model.If) -> None:
    """What is done when tests come to hold; branches alone in a branch are events of their own."""
    if all(isinstance(statement, model.If) for statement in body):
        for statement in body:
            assert isinstance(statement, model.If)
            _events_within(found, tests, statement)
        return
    guard = conjunction(tests)
    assert guard is not None
    for statement in nested(body):
        if _holds_still(found, guard, body, statement):
            raise in_the_way(statement, "it holds a variable still as long as a test is true")
        if any(is_random(expr) for expr in expressions(statement)):
            raise in_the_way(statement, "it draws a random number in every step")
    found.conditions.append(model.OnCondition(test=guard, body=body, span=item.span))


def _holds_still(found: Found, test: Expr, body: Body, statement: model.Statement) -> bool:
    """Is this an assignment to what an equation moves, again and again since nothing ends the test?"""
    moving = {ode.variable for ode in found.component.odes}
    is_moved = isinstance(statement, model.Assign) and statement.target in moving
    changed = {item.target for item in nested(body) if isinstance(item, model.Assign)}
    return is_moved and not free_names(test) & changed


def conjunction(tests: tuple[Expr, ...]) -> Expr | None:
    guard: Expr | None = None
    for test in tests:
        guard = test if guard is None else Binary("and", guard, test)
    return guard


def negation(test: Expr) -> Expr:
    """`not test`, as a comparison where that is possible."""
    match test:
        case Binary(op, left, right) if op in OPPOSITE:
            return Binary(OPPOSITE[op], left, right)
        case Binary("and", left, right):
            return Binary("or", negation(left), negation(right))
        case Binary("or", left, right):
            return Binary("and", negation(left), negation(right))
        case Unary("not", inner):
            return inner
    return Unary("not", test)
