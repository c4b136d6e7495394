"""The modes of a time-step program: every way through the branches around what it integrates."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import product

from .. import model
from ..algebra import times
from ..diagnostics import ModelError, refuse
from ..expr import ONE, Binary, Expr, Name, Number, Unary, is_random, substitute
from ..query import expressions, nested
from .change import Body, change_statement
from .idioms import arrivals, bound, decay_rate, event, sampled

MAX_REGIMES = 16
_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}


@dataclass(frozen=True, slots=True)
class Mode:
    """One way through the program: the tests that lead there, what it integrates and what it counts down."""

    tests: tuple[Expr, ...] = ()
    integrated: tuple[str, ...] = ()
    everything: bool = False
    counted: tuple[str, ...] = ()
    decays: tuple[model.Ode, ...] = ()


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
        if isinstance(item, model.Assign) and item.target in states and _is_decrement(item):
            found.counters[item.target] = None


def _is_decrement(item: model.Assign) -> bool:
    return item.value in (
        Binary("-", Name(item.target), ONE),
        Binary("+", Name(item.target), Unary("-", ONE)),
        Binary("+", Name(item.target), Number(-1.0)),
    )


def without_locals(body: Body) -> Body:
    """Locals that are never assigned again are substituted."""
    assigned = {s.target for s in nested(body) if isinstance(s, model.Assign)}
    values: dict[str, Expr] = {}

    def change(items: Body) -> Body:
        kept: list[model.Statement] = []
        for item in items:
            if isinstance(item, model.Declare) and item.name not in assigned:
                values[item.name] = substitute(item.value, values)
                continue
            kept.append(change_statement(item, lambda expr: substitute(expr, values)))
        return tuple(kept)

    return change(body)


def _integrates(found: Found, body: Body) -> bool:
    """Does the body integrate, or count steps?"""
    return any(
        isinstance(item, model.Integrate)
        or (
            isinstance(item, model.Assign) and item.target in found.counters and _is_decrement(item)
        )
        for item in nested(body)
    )


def find_modes(found: Found, body: Body) -> list[Mode]:
    """The modes of a body: every combination of the choices in it."""
    choices: list[list[Mode]] = []
    for item in body:
        match item:
            case model.Integrate(variables=variables):
                choices.append([Mode(integrated=variables, everything=not variables)])
            case model.Assign(target=target) if target in found.counters and _is_decrement(item):
                choices.append([Mode(counted=(target,))])
            case model.If() if _integrates(found, (item,)):
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
                decays=tuple(ode for mode in combination for ode in mode.decays),
            )
        )
        if len(modes) > MAX_REGIMES:
            message = f"the update program has more than {MAX_REGIMES} ways through it"
            raise refuse("K121", message, found.component.span)
    return modes


def _assignment(found: Found, item: model.Assign) -> Mode:
    """An assignment in every step of a mode: one of the idioms, or in the way."""
    moving = {ode.variable for ode in found.component.odes}
    rate = decay_rate(found.component, item)
    if rate is not None and item.target not in moving:
        return Mode(decays=(model.Ode(variable=item.target, rhs=times(rate, Name(item.target))),))
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
    """The modes of each branch, with the test that leads to it and the negations of those before."""
    modes: list[Mode] = []
    before: list[Expr] = []
    for test, body in (*item.branches, (None, item.otherwise)):
        own = (*before, *(() if test is None else (test,)))
        for mode in _modes_of_branch(found, body, own):
            modes.append(replace(mode, tests=(*own, *mode.tests)))
        if test is not None:
            before.append(negation(test))
    return modes


def _modes_of_branch(found: Found, body: Body, tests: tuple[Expr, ...]) -> list[Mode]:
    """As `_modes`; what a branch does besides integrating must be an event of that branch."""
    count, before = len(found.conditions), (len(found.events), len(found.samples))
    modes = find_modes(found, body)
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
    before: list[Expr] = []
    for test, body in item.branches:
        guard = conjunction((*before, test))
        assert guard is not None
        for statement in nested(body):
            if any(is_random(expr) for expr in expressions(statement)):
                raise in_the_way(statement, "it draws a random number in every step")
        found.conditions.append(model.OnCondition(test=guard, body=body, span=item.span))
        before.append(negation(test))
    if item.otherwise:
        raise in_the_way(
            item.otherwise[0], "it is done in every step in which a test does not hold"
        )


def conjunction(tests: tuple[Expr, ...]) -> Expr | None:
    guard: Expr | None = None
    for test in tests:
        guard = test if guard is None else Binary("and", guard, test)
    return guard


def negation(test: Expr) -> Expr:
    """`not test`, as a comparison where that is possible."""
    match test:
        case Binary(op, left, right) if op in _OPPOSITE:
            return Binary(_OPPOSITE[op], left, right)
        case Binary("and", left, right):
            return Binary("or", negation(left), negation(right))
        case Binary("or", left, right):
            return Binary("and", negation(left), negation(right))
        case Unary("not", inner):
            return inner
    return Unary("not", test)
