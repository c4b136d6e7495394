"""Which event ports may hear the sum of a tick's weights instead of one event after another.

A ring buffer keeps sums only. That changes nothing where every handler of a port adds multiples of the
weight to states, with factors that no handler changes. Handlers that add a constant per event hear the
number of events as their weight.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...canonical_model.expr import (
    Binary,
    Expr,
    Name,
    Number,
    Unary,
    free_names,
    is_random,
)
from ...canonical_model.model import (
    Assign,
    Component,
    EventPort,
    If,
    OnEvent,
    Statement,
)
from ...canonical_model.passes.change import change_statement
from ...canonical_model.passes.merge import WEIGHT, degree
from ...canonical_model.query import declared, handlers, nested, regimes


@dataclass(frozen=True, slots=True)
class Receiver:
    """A component whose ports hear sums. `flagged` ports act only in ticks in which something came."""

    component: Component
    flagged: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Scope:
    """What handlers may not read: states that handlers move, and what follows from them."""

    moved: frozenset[str]
    carries: bool

    def is_fixed(self, expr: Expr) -> bool:
        """True if the value is the same for all events of a tick."""
        return not free_names(expr) & self.moved and not is_random(expr)


def receiver(component: Component, ports: Sequence[str]) -> Receiver | str:
    """The component with `weight` carried by all `ports`, or the reason why sums will not do."""
    moved = _moved(component)
    carrying = {port.name for port in component.event_inputs if WEIGHT in port.payload}
    flagged = set()
    own = {item.name for item in (*declared(component), *component.analog_inputs)}
    if WEIGHT in own and set(ports) - carrying:
        return f"'{component.name}' has a quantity of its own called '{WEIGHT}'"
    for port in ports:
        scope = _Scope(moved, port in carrying)
        for item in handlers(component):
            if item.port != port:
                continue
            reason = _reason(item.body, scope)
            if reason:
                return f"port '{port}' of '{component.name}' {reason}"
            if _has_flag(item.body, scope):
                flagged.add(port)
    counted = set(ports) - carrying
    return Receiver(_counting(component, counted) if counted else component, frozenset(flagged))


def _moved(component: Component) -> frozenset[str]:
    """States that event handlers assign, and derived variables that depend on them."""
    moved = {
        statement.target
        for item in handlers(component)
        for statement in nested(item.body)
        if isinstance(statement, Assign)
    }
    derived = [*component.derived_variables]
    for regime in regimes(component):
        derived += regime.derived_variables
    growing = True
    while growing:
        more = {d.name for d in derived if free_names(d.value) & moved} - moved
        moved |= more
        growing = bool(more)
    return frozenset(moved)


def _reason(body: Sequence[Statement], scope: _Scope) -> str:
    for statement in body:
        match statement:
            case Assign():
                if not (_is_linear(statement, scope) or _is_flag(statement, scope)):
                    return f"sets '{statement.target}' otherwise than by adding multiples of the weight"
            case If(branches=branches, otherwise=otherwise):
                if any(
                    WEIGHT in free_names(test) or not scope.is_fixed(test) for test, _ in branches
                ):
                    return "tests what events change"
                for inner in (*(b for _, b in branches), otherwise):
                    reason = _reason(inner, scope)
                    if reason:
                        return reason
            case _:
                return "does more than adding to states"
    return ""


def _has_flag(body: Sequence[Statement], scope: _Scope) -> bool:
    return any(isinstance(s, Assign) and not _is_linear(s, scope) for s in nested(tuple(body)))


def _is_flag(statement: Assign, scope: _Scope) -> bool:
    """x := value, the same for every event."""
    return scope.is_fixed(statement.value) and not (
        scope.carries and WEIGHT in free_names(statement.value)
    )


def _is_linear(statement: Assign, scope: _Scope) -> bool:
    """x := x + c * weight (or x + c where the port carries no weight)."""
    terms = _terms(statement.value, 1)
    own = [k for k, (sign, term) in enumerate(terms) if term == Name(statement.target) and sign > 0]
    if len(own) != 1:
        return False
    rest = [term for k, (_, term) in enumerate(terms) if k != own[0]]
    wanted = 1 if scope.carries else 0
    return bool(rest) and all(
        scope.is_fixed(term) and degree(term, {WEIGHT: 1} if scope.carries else {}) == wanted
        for term in rest
    )


def _terms(expr: Expr, sign: int) -> list[tuple[int, Expr]]:
    match expr:
        case Binary("+", left, right):
            return _terms(left, sign) + _terms(right, sign)
        case Binary("-", left, right):
            return _terms(left, sign) + _terms(right, -sign)
        case Unary("-", operand):
            return _terms(operand, -sign)
    return [(sign, expr)]


def _counting(component: Component, ports: set[str]) -> Component:
    """The component with the number of events as the weight of ports that carry none."""

    def handler(item: OnEvent) -> OnEvent:
        return replace(item, body=_times(item.body)) if item.port in ports else item

    def port(item: EventPort) -> EventPort:
        return replace(item, payload=(*item.payload, WEIGHT)) if item.name in ports else item

    return replace(
        component,
        event_inputs=tuple(port(item) for item in component.event_inputs),
        on_events=tuple(handler(item) for item in component.on_events),
        machines=tuple(
            replace(
                machine,
                regimes=tuple(
                    replace(r, on_events=tuple(handler(item) for item in r.on_events))
                    for r in machine.regimes
                ),
            )
            for machine in component.machines
        ),
    )


def _times(body: Sequence[Statement]) -> tuple[Statement, ...]:
    """Statements with every added term multiplied by the weight."""
    changed: list[Statement] = []
    for item in body:
        if isinstance(item, If):
            branches = tuple((test, _times(inner)) for test, inner in item.branches)
            item = replace(item, branches=branches, otherwise=_times(item.otherwise))
        elif isinstance(item, Assign) and Name(item.target) in [
            term for _, term in _terms(item.value, 1)
        ]:
            item = replace(item, value=_scaled(item.value, Name(item.target)))
        changed.append(item)
    return tuple(changed)


def _scaled(expr: Expr, own: Expr) -> Expr:
    match expr:
        case Binary("+" | "-", left, right):
            return replace(expr, left=_scaled(left, own), right=_scaled(right, own))
        case Unary("-", operand):
            return replace(expr, operand=_scaled(operand, own))
    return expr if expr == own else Binary("*", expr, Name(WEIGHT))


def weight_factor(
    component: Component, port: str, shared: frozenset[str]
) -> tuple[Component, Expr] | None:
    """The component with plain `x + weight` handlers, and the factor that all had; None if they differ.

    Only a factor that all neurons share (a name of `shared`, or a number) comes out.
    """
    found: set[Expr] = set()
    for item in handlers(component):
        if item.port != port:
            continue
        for statement in nested(item.body):
            if not isinstance(statement, Assign | If):
                return None
            if isinstance(statement, Assign):
                factor = _weight_factor(statement)
                if factor is None:
                    return None
                found.add(factor)
    if len(found) != 1:
        return None
    factor = found.pop()
    if factor == Number(1.0) or not free_names(factor) <= shared:
        return None

    def plain(item: OnEvent) -> OnEvent:
        if item.port != port:
            return item
        return replace(item, body=tuple(change_statement(s, _plain_weight) for s in item.body))

    changed = replace(
        component,
        on_events=tuple(plain(item) for item in component.on_events),
        machines=tuple(
            replace(
                machine,
                regimes=tuple(
                    replace(r, on_events=tuple(plain(item) for item in r.on_events))
                    for r in machine.regimes
                ),
            )
            for machine in component.machines
        ),
    )
    return changed, factor


def _weight_factor(statement: Assign) -> Expr | None:
    """f of x := x + f * weight with f a name or number."""
    match statement.value:
        case Binary("+", Name(name), step) if name == statement.target:
            pass
        case _:
            return None
    match step:
        case Binary("*", Name() | Number() as factor, Name(name)) if name == WEIGHT:
            return factor
        case Binary("*", Name(name), Name() | Number() as factor) if name == WEIGHT:
            return factor
        case Name(name) if name == WEIGHT:
            return Number(1.0)
    return None


def _plain_weight(expr: Expr) -> Expr:
    """x + weight of x + f * weight; tests and other expressions as they are."""
    match expr:
        case Binary("+", Name(), Binary("*", left, right)) if Name(WEIGHT) in (left, right):
            return replace(expr, right=Name(WEIGHT))
    return expr
