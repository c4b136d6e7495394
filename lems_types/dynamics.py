"""Lower the Dynamics of a resolved type: states, derived variables, conditions, events, regimes.

Everything here depends on the type alone, so it is done once per type and shared by its components.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain

from ..canonical_model import model
from ..canonical_model.diagnostics import Level, Log, Span, suggest
from ..canonical_model.dimensions import infer, problems
from ..canonical_model.expr import (
    TIME,
    ZERO,
    Conditional,
    Expr,
    Select,
    free_names,
    place_of,
    substitute,
)
from ..canonical_model.units import FREQUENCY, NONE, Dimension
from ..canonical_model.units import TIME as TIME_DIMENSION
from . import syntax
from .types import ANY_DIMENSION, ResolvedType, Types

QUANTITY_KINDS = ("Parameter", "Property", "Constant", "DerivedParameter", "Requirement")


@dataclass(frozen=True, slots=True)
class LoweredDynamics:
    """The behaviour of a type in canonical form, to be completed with a component's values."""

    state_variables: tuple[model.StateVariable, ...] = ()
    derived_variables: tuple[model.DerivedVariable, ...] = ()
    odes: tuple[model.Ode, ...] = ()
    on_conditions: tuple[model.OnCondition, ...] = ()
    on_events: tuple[model.OnEvent, ...] = ()
    machines: tuple[model.RegimeMachine, ...] = ()
    exposures: tuple[model.Exposure, ...] = ()
    schemes: tuple[syntax.KineticScheme, ...] = ()


@dataclass(slots=True)
class _Scope:
    """Names of a type and their dimensions; None is a quantity of unknown dimension."""

    type: ResolvedType
    types: Types
    log: Log
    dimensions: dict[str, Dimension | None] = field(default_factory=dict)

    def lookup(self, name: str) -> Dimension | None:
        return TIME_DIMENSION if name == TIME else self.dimensions.get(name)

    def check(self, expr: Expr, expected: Dimension | None, span: Span | None) -> None:
        """Names must exist and dimensions agree; standard types are proven once, in the tests."""
        if self.type.is_standard:
            return
        for name in sorted(free_names(expr) - self.dimensions.keys() - {TIME}):
            self.log.add(
                "L130",
                Level.ERROR,
                f"'{name}' is not a quantity of the component type '{self.type.name}'",
                place_of(name, expr) or span,
                hint=suggest(name, self.dimensions) or "declare it as Parameter or Requirement",
            )
        for issue in problems(expr, self.lookup, expected, free_zero=True):
            place = issue.span or span
            self.log.add(issue.code, issue.level, issue.message, place, issue.text, issue.hint)


def lower_dynamics(resolved: ResolvedType, types: Types, log: Log) -> LoweredDynamics:
    """The canonical dynamics of a type. User mistakes go into the log as errors."""
    dynamics = resolved.dynamics
    scope = _Scope(resolved, types, log)
    for name, (_, dimension, span) in types.document.constants.items():
        scope.dimensions[name] = types.dimension(dimension, span)
    for member in resolved.of_kind(*QUANTITY_KINDS):
        unknown = member.dimension == ANY_DIMENSION
        dimension_ = None if unknown else types.dimension(member.dimension, member.span)
        scope.dimensions[member.name] = dimension_
    if dynamics is None:
        return LoweredDynamics()
    _declare(dynamics, scope)
    starts = [handler for handler in dynamics.handlers if handler.kind == "OnStart"]
    starts += [h for regime in dynamics.regimes for h in regime.handlers if h.kind == "OnStart"]
    initial = _initial_values(starts, scope)
    machine = tuple(_regime(regime, scope) for regime in dynamics.regimes)
    _check_transitions(dynamics, machine, scope)
    if dynamics.regimes:
        _warn_of_jlems(dynamics, scope)
    return LoweredDynamics(
        state_variables=tuple(
            model.StateVariable(
                name=state.name,
                dimension=types.dimension(state.dimension, state.span),
                initial=initial.get(state.name),
                description=state.description,
                span=state.span,
            )
            for state in _states(dynamics)
        ),
        derived_variables=tuple(_derived(item, scope) for item in dynamics.derived_variables),
        odes=_odes(dynamics, scope),
        on_conditions=_conditions(dynamics.handlers, scope),
        on_events=_events(dynamics.handlers, scope),
        machines=(model.RegimeMachine(regimes=machine),) if machine else (),
        exposures=_exposures(dynamics, scope),
        schemes=dynamics.schemes,
    )


def _states(dynamics: syntax.Dynamics) -> list[syntax.StateVariable]:
    """Common states, then those declared inside regimes; the first declaration of a name counts."""
    inner = chain.from_iterable(regime.state_variables for regime in dynamics.regimes)
    found: dict[str, syntax.StateVariable] = {}
    for state in chain(dynamics.state_variables, inner):
        found.setdefault(state.name, state)
    return list(found.values())


def _all_derived(dynamics: syntax.Dynamics) -> list[syntax.DerivedVariable]:
    inner = chain.from_iterable(regime.derived_variables for regime in dynamics.regimes)
    return [*dynamics.derived_variables, *inner]


def _declare(dynamics: syntax.Dynamics, scope: _Scope) -> None:
    """Put states and derived variables into the scope; infer dimensions that were left out."""
    types = scope.types
    exposed = {member.name: member.dimension for member in scope.type.of_kind("Exposure")}
    for state in _states(dynamics):
        scope.dimensions[state.name] = types.dimension(state.dimension, state.span)
    open_items: list[syntax.DerivedVariable] = []
    for item in _all_derived(dynamics):
        declared = item.dimension or exposed.get(item.exposure, "")
        known = bool(item.dimension) or declared not in ("", "none")
        scope.dimensions[item.name] = types.dimension(declared, item.span) if known else None
        if not known:
            open_items.append(item)
    for _ in range(len(open_items)):
        changed = False
        for item in open_items:
            value = item.value or (item.cases[0][1] if item.cases else None)
            if scope.dimensions[item.name] is None and value is not None:
                scope.dimensions[item.name] = infer(value, scope.lookup)
                changed = changed or scope.dimensions[item.name] is not None
        if not changed:
            break


def _initial_values(handlers: list[syntax.Handler], scope: _Scope) -> dict[str, Expr]:
    """OnStart as one expression per state; a later assignment sees what an earlier one set."""
    values: dict[str, Expr] = {}
    for handler in handlers:
        for action in handler.actions:
            if action.kind != "StateAssignment" or action.value is None:
                message = f"<{action.kind}> in OnStart of '{scope.type.name}' is left out"
                scope.log.add("L131", Level.DROPPED, message, action.span)
                continue
            _require_state(action.target, scope, action.span)
            scope.check(action.value, scope.dimensions.get(action.target), action.span)
            own = {action.target: values.get(action.target, ZERO)}
            values[action.target] = substitute(action.value, own)
    return values


def _require_state(name: str, scope: _Scope, span: Span | None) -> None:
    dynamics = scope.type.dynamics
    states = [state.name for state in _states(dynamics)] if dynamics else []
    if name not in states:
        message = f"'{name}' is assigned but is not a state variable of '{scope.type.name}'"
        scope.log.add("L132", Level.ERROR, message, span, hint=suggest(name, states))


def _derived(item: syntax.DerivedVariable, scope: _Scope) -> model.DerivedVariable:
    dimension = scope.dimensions.get(item.name)
    value: Expr
    if item.select:
        value = Select(item.select, item.reduce, item.required, item.span)
    elif item.cases:
        value = _cases(item, scope, dimension)
    else:
        value = item.value or ZERO
        scope.check(value, dimension, item.span)
    return model.DerivedVariable(
        name=item.name, dimension=dimension or NONE, value=value, description=item.description,
        span=item.span,
    )  # fmt: skip


def _cases(item: syntax.DerivedVariable, scope: _Scope, dimension: Dimension | None) -> Expr:
    """Cases in order; the one without condition is the rest, and without it the rest is 0 (jLEMS)."""
    tested = []
    otherwise: Expr = ZERO
    for condition, value in item.cases:
        scope.check(value, dimension, item.span)
        if condition is None:
            otherwise = value
        else:
            scope.check(condition, None, item.span)
            tested.append((condition, value))
    return Conditional(tuple(tested), otherwise, item.span) if tested else otherwise


def _odes(block: syntax.Dynamics | syntax.Regime, scope: _Scope) -> tuple[model.Ode, ...]:
    odes = []
    spans = block.derivative_spans or (block.span,) * len(block.derivatives)
    for (variable, rate), span in zip(block.derivatives, spans, strict=True):
        _require_state(variable, scope, span)
        dimension = scope.dimensions.get(variable)
        expected = None if dimension is None else dimension * FREQUENCY
        scope.check(rate, expected, span)
        if rate != ZERO:
            odes.append(model.Ode(variable=variable, rhs=rate, span=span))
    return tuple(odes)


def _body(handler: syntax.Handler, scope: _Scope) -> tuple[model.Statement, ...]:
    statements: list[model.Statement] = []
    for action in handler.actions:
        if action.kind == "StateAssignment" and action.value is not None:
            _require_state(action.target, scope, action.span)
            expected = scope.dimensions.get(action.target)
            scope.check(action.value, expected, action.span)
            statements.append(
                model.Assign(target=action.target, value=action.value, span=action.span)
            )
        elif action.kind == "EventOut":
            _require_port(action.target, "out", scope, action.span)
            statements.append(model.Emit(port=action.target, span=action.span))
        else:
            statements.append(model.Transition(regime=action.target, span=action.span))
    return tuple(statements)


def _require_port(name: str, direction: str, scope: _Scope, span: Span | None) -> None:
    ports = [p.name for p in scope.type.of_kind("EventPort") if p.direction == direction]
    if name not in ports:
        message = f"'{name}' is not an event port ({direction}) of '{scope.type.name}'"
        scope.log.add("L133", Level.ERROR, message, span, hint=suggest(name, ports))


def _conditions(
    handlers: tuple[syntax.Handler, ...], scope: _Scope
) -> tuple[model.OnCondition, ...]:
    found = []
    for handler in handlers:
        if handler.kind == "OnCondition" and handler.test is not None:
            scope.check(handler.test, None, handler.span)
            body = _body(handler, scope)
            found.append(model.OnCondition(test=handler.test, body=body, span=handler.span))
    return tuple(found)


def _events(handlers: tuple[syntax.Handler, ...], scope: _Scope) -> tuple[model.OnEvent, ...]:
    found: dict[str, model.OnEvent] = {}
    for handler in handlers:
        if handler.kind == "OnEvent":
            _require_port(handler.port, "in", scope, handler.span)
            body = _body(handler, scope)
            if handler.port in found:
                message = f"port '{handler.port}' has two OnEvent blocks; both run, in order"
                scope.log.add("L134", Level.WARNING, message, handler.span)
                body = found[handler.port].body + body
            found[handler.port] = model.OnEvent(port=handler.port, body=body, span=handler.span)
    return tuple(found.values())


def _regime(regime: syntax.Regime, scope: _Scope) -> model.Regime:
    entry = [handler for handler in regime.handlers if handler.kind == "OnEntry"]
    return model.Regime(
        name=regime.name,
        initial=regime.initial,
        odes=_odes(regime, scope),
        derived_variables=tuple(_derived(item, scope) for item in regime.derived_variables),
        on_entry=tuple(chain.from_iterable(_body(handler, scope) for handler in entry)),
        on_conditions=_conditions(regime.handlers, scope),
        on_events=_events(regime.handlers, scope),
        span=regime.span,
    )


def _check_transitions(
    dynamics: syntax.Dynamics, regimes: tuple[model.Regime, ...], scope: _Scope
) -> None:
    names = [regime.name for regime in regimes]
    handlers = [*dynamics.handlers, *(h for r in dynamics.regimes for h in r.handlers)]
    for handler in handlers:
        for action in handler.actions:
            if action.kind == "Transition" and action.target not in names:
                message = f"there is no regime '{action.target}' in '{scope.type.name}'"
                hint = suggest(action.target, names)
                scope.log.add("L135", Level.ERROR, message, action.span, hint=hint)


def _warn_of_jlems(dynamics: syntax.Dynamics, scope: _Scope) -> None:
    """What stands beside regimes runs in each of them; jLEMS (0.12, measured) runs all but this."""
    for handler in dynamics.handlers:
        if handler.kind == "OnEvent":
            message = f"<OnEvent port=\"{handler.port}\"> beside the regimes of '{scope.type.name}'"
            message += " runs in all of them; jLEMS gives events to the active regime only"
            hint = "for jLEMS, write it into each regime"
            scope.log.add("L137", Level.WARNING, message, handler.span, hint=hint)
            continue
        for action in handler.actions:
            if action.kind == "Transition":
                message = f"the transition to '{action.target}' beside the regimes of"
                message += f" '{scope.type.name}' is made from all of them; jLEMS never makes it"
                hint = "for jLEMS, write the condition into each regime"
                scope.log.add("L137", Level.WARNING, message, action.span, hint=hint)


def _exposures(dynamics: syntax.Dynamics, scope: _Scope) -> tuple[model.Exposure, ...]:
    declared = {member.name for member in scope.type.of_kind("Exposure")}
    found: dict[str, model.Exposure] = {}
    items: list[syntax.StateVariable | syntax.DerivedVariable] = [
        *_states(dynamics),
        *_all_derived(dynamics),
    ]
    for item in items:
        if not item.exposure:
            continue
        if item.exposure not in declared and not scope.type.is_standard:
            message = f"'{item.name}' names the exposure '{item.exposure}', which is not declared"
            hint = suggest(item.exposure, declared)
            scope.log.add("L136", Level.WARNING, message, item.span, hint=hint)
        dimension = scope.dimensions.get(item.name) or NONE
        found[item.exposure] = model.Exposure(
            name=item.exposure, variable=item.name, dimension=dimension, span=item.span
        )
    return tuple(found.values())
