"""Conditional values become regimes: each test is a machine of two regimes that follow its truth.

For targets without conditional expressions. `one_machine` joins the machines afterwards; inside of a regime
every test is known, and conditionals and branches are replaced by what holds.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import replace

from ..diagnostics import refuse
from ..expr import (
    COMPARISONS,
    OPPOSITE,
    Binary,
    Conditional,
    Expr,
    Name,
    Unary,
    free_names,
    is_random,
    rebuild,
    substitute,
    walk,
)
from ..model import (
    Assign,
    Component,
    DerivedVariable,
    Emit,
    If,
    OnCondition,
    OnEvent,
    Regime,
    RegimeMachine,
    Statement,
    Transition,
)
from ..query import bodies, conditions, odes, regimes
from .foreseen import foreseen
from .guards import usual_values, values_after
from .intervals import Known, certain
from .product import one_machine

MAX_TESTS = 8
HOLDS, FAILS = "holds", "fails"

Decide = Callable[[Expr], bool]


def conditionals_to_regimes(component: Component, initially: Decide) -> Component:
    """The flat component without conditional expressions and branches.

    Tests are atomic comparisons; those for equality count as false, since they hold at single points only.
    `initially` gives the truth of a test at the start.

    Raises ModelError R123 (too many tests), R124 (a test that draws), R120 to R122.
    """
    component = foreseen(component)
    tests = find_tests(component)
    if not tests:
        return _without_equalities(component)
    if len(tests) > MAX_TESTS:
        message = (
            f"'{component.name}' has {len(tests)} conditions in its equations, more than the "
            f"{MAX_TESTS} that can become regimes"
        )
        raise refuse("R123", message, component.span)
    machines = tuple(_machine(test, k, initially(test)) for k, test in enumerate(tests))
    joined = one_machine(
        replace(component, machines=(*component.machines, *machines)), separator="__"
    )
    (machine,) = joined.machines
    owned = _conditional_names(joined)
    shared = tuple(d for d in joined.derived_variables if d.name not in owned)
    count = len(machines)
    found = tuple(_resolved(regime, tests, count, joined, owned) for regime in machine.regimes)
    known = usual_values(joined)
    names = {regime.name for regime in found}
    found = tuple(_foretold(regime, tests, names, known) for regime in found)
    return replace(joined, derived_variables=shared, machines=(replace(machine, regimes=found),))


def _without_equalities(component: Component) -> Component:
    """The component without conditionals that test equality only, which never holds."""

    def derived(items: tuple[DerivedVariable, ...]) -> tuple[DerivedVariable, ...]:
        return tuple(replace(d, value=decided(d.value, {})) for d in items)

    def conditions(items: tuple[OnCondition, ...]) -> tuple[OnCondition, ...]:
        return tuple(replace(c, test=decided(c.test, {}), body=_body(c.body, {})) for c in items)

    def events(items: tuple[OnEvent, ...]) -> tuple[OnEvent, ...]:
        return tuple(replace(e, body=_body(e.body, {})) for e in items)

    def regime(item: Regime) -> Regime:
        return replace(
            item,
            odes=tuple(replace(o, rhs=decided(o.rhs, {})) for o in item.odes),
            derived_variables=derived(item.derived_variables),
            on_entry=_body(item.on_entry, {}),
            on_conditions=conditions(item.on_conditions),
            on_events=events(item.on_events),
        )

    return replace(
        component,
        derived_variables=derived(component.derived_variables),
        odes=tuple(replace(o, rhs=decided(o.rhs, {})) for o in component.odes),
        on_conditions=conditions(component.on_conditions),
        on_events=events(component.on_events),
        machines=tuple(
            replace(m, regimes=tuple(regime(r) for r in m.regimes)) for m in component.machines
        ),
    )


def find_tests(component: Component) -> tuple[Expr, ...]:
    """The atomic tests of all conditional values and branches, each once, opposites together."""
    found: dict[Expr, None] = {}
    for expr in _valued(component):
        for node in walk(expr):
            if isinstance(node, Conditional):
                for test, _ in node.cases:
                    _atoms(test, found, component)
    for body in bodies(component):
        for item in _branches(body):
            for test, _ in item.branches:
                _atoms(test, found, component)
    return tuple(found)


def _valued(component: Component) -> list[Expr]:
    """Every expression that has a value."""
    exprs = [ode.rhs for ode in odes(component)]
    exprs += [d.value for d in component.derived_variables]
    exprs += [d.value for regime in regimes(component) for d in regime.derived_variables]
    exprs += [condition.test for condition in conditions(component)]
    waiting: list[Statement] = [item for body in bodies(component) for item in body]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Assign):
            exprs.append(item.value)
        elif isinstance(item, Emit) and item.weight is not None:
            exprs.append(item.weight)
        elif isinstance(item, If):
            waiting += [inner for _, body in item.branches for inner in body]
            waiting += item.otherwise
    return exprs


def _branches(body: tuple[Statement, ...]) -> list[If]:
    found, waiting = [], list(body)
    while waiting:
        item = waiting.pop(0)
        if isinstance(item, If):
            found.append(item)
            waiting += [inner for _, branch in item.branches for inner in branch]
            waiting += item.otherwise
    return found


def _atoms(test: Expr, found: dict[Expr, None], component: Component) -> None:
    """The comparisons inside of a test."""
    match test:
        case Unary("not", operand):
            _atoms(operand, found, component)
        case Binary("and" | "or", left, right):
            _atoms(left, found, component)
            _atoms(right, found, component)
        case Binary("==" | "!=", _, _):
            pass
        case Binary(op, _, _) if op in COMPARISONS:
            if is_random(test):
                message = f"a condition of '{component.name}' draws random numbers"
                raise refuse("R124", message, component.span)
            if test not in found and opposite(test) not in found:
                found[test] = None
        case _:
            message = f"a condition of '{component.name}' is no comparison"
            raise refuse("R124", message, component.span)


def opposite(test: Expr) -> Expr:
    """The comparison that holds where `test` does not."""
    match test:
        case Binary(op, left, right) if op in OPPOSITE:
            return Binary(OPPOSITE[op], left, right)
        case _:
            return Unary("not", test)


def _machine(test: Expr, number: int, is_true: bool) -> RegimeMachine:
    name = f"test{number}"

    def regime(own: str, other: str, switch: Expr, is_initial: bool) -> Regime:
        body = (Transition(regime=other, machine=name),)
        return Regime(
            name=own,
            initial=is_initial,
            on_conditions=(OnCondition(test=switch, body=body),),
        )

    return RegimeMachine(
        name=name,
        regimes=(
            regime(HOLDS, FAILS, opposite(test), is_true),
            regime(FAILS, HOLDS, test, not is_true),
        ),
    )


def _conditional_names(component: Component) -> set[str]:
    """Shared derived variables with conditionals, and those that depend on them."""
    found = {
        d.name
        for d in component.derived_variables
        if any(isinstance(node, Conditional) for node in walk(d.value))
    }
    changed = bool(found)
    while changed:
        more = {d.name for d in component.derived_variables if free_names(d.value) & found}
        changed = not more <= found
        found |= more
    return found


def _resolved(
    regime: Regime, tests: tuple[Expr, ...], count: int, component: Component, owned: set[str]
) -> Regime:
    """One regime in which the truth of every test is known from its name."""
    truths = regime.name.split("__")[-count:]
    known = {test: word == HOLDS for test, word in zip(tests, truths, strict=True)}
    inner = (
        *(d for d in component.derived_variables if d.name in owned), *regime.derived_variables
    )  # fmt: skip
    derived = {d.name: d for d in inner}
    return replace(
        regime,
        odes=tuple(replace(o, rhs=decided(o.rhs, known)) for o in regime.odes),
        derived_variables=tuple(
            DerivedVariable(name=d.name, dimension=d.dimension, value=decided(d.value, known),
                            description=d.description, span=d.span)
            for d in derived.values()
        ),
        on_conditions=tuple(
            replace(c, test=decided(c.test, known), body=_body(c.body, known))
            for c in regime.on_conditions
        ),
        on_events=tuple(
            OnEvent(port=e.port, body=_body(e.body, known), priority=e.priority, span=e.span)
            for e in regime.on_events
        ),
    )  # fmt: skip


def _foretold(
    regime: Regime, tests: tuple[Expr, ...], names: Container[str], known: Known
) -> Regime:
    """The regime whose bodies lead at once to where what they set decides a test."""

    def led(body: tuple[Statement, ...]) -> tuple[Statement, ...]:
        values = values_after(body) or {}
        ways = [step for step in body if isinstance(step, Transition)]
        goal = ways[-1].regime if ways else regime.name
        parts = goal.split("__")
        first = len(parts) - len(tests)
        for place, test in enumerate(tests, first):
            told = (
                certain(substitute(test, values), known)
                if free_names(test) & values.keys()
                else None
            )
            if told is not None:
                parts[place] = HOLDS if told else FAILS
        found = "__".join(parts)
        if found == goal or found not in names:
            return body
        return (*(step for step in body if step not in ways), Transition(regime=found))

    return replace(
        regime,
        on_conditions=tuple(replace(c, body=led(c.body)) for c in regime.on_conditions),
        on_events=tuple(replace(e, body=led(e.body)) for e in regime.on_events),
    )


def decided(expr: Expr, known: Mapping[Expr, bool]) -> Expr:
    """`expr` with each conditional replaced by the case that holds."""
    if isinstance(expr, Conditional):
        for test, value in expr.cases:
            if truth(test, known):
                return decided(value, known)
        return decided(expr.otherwise, known)
    if isinstance(expr, Name):
        return expr
    return rebuild(expr, lambda part: decided(part, known))


def truth(test: Expr, known: Mapping[Expr, bool]) -> bool:
    """The truth of a test made of known comparisons; equality never holds."""
    match test:
        case Unary("not", operand):
            return not truth(operand, known)
        case Binary("and", left, right):
            return truth(left, known) and truth(right, known)
        case Binary("or", left, right):
            return truth(left, known) or truth(right, known)
        case Binary("==", _, _):
            return False
        case Binary("!=", _, _):
            return True
    if test in known:
        return known[test]
    return not known[opposite(test)]


def _body(body: tuple[Statement, ...], known: Mapping[Expr, bool]) -> tuple[Statement, ...]:
    found: list[Statement] = []
    for item in body:
        match item:
            case Assign(value=value):
                found.append(replace(item, value=decided(value, known)))
            case Emit(weight=weight) if weight is not None:
                found.append(replace(item, weight=decided(weight, known)))
            case If(branches=branches, otherwise=otherwise):
                chosen = next((inner for test, inner in branches if truth(test, known)), otherwise)
                found += _body(chosen, known)
            case _:
                found.append(item)
    return tuple(found)
