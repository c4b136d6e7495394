"""Invariants of components and models: what every importer must deliver and every pass must keep.

Codes: V101 name given twice, V102 unknown name, V103 assignment to what is not a state, V104 ODE of an
undeclared state, V105 two ODEs at once, V106 unknown output port, V107 unknown input port, V108 unknown
regime or machine, V109 machine without a clear start, V110 algebraic cycle, V111 exposure of nothing,
V112 derived parameter of something that changes, V113 times out of order, V114 not a condition,
V118 a name too long for a file;
U201-U204 dimensions (`dimensions.problems`); V140-V151 networks (`verify_network`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from operator import attrgetter

from . import units
from .diagnostics import Issue, Level, Span, suggest
from .dimensions import problems
from .expr import (
    TIME,
    Binary,
    Call,
    Expr,
    Number,
    Unary,
    depth,
    free_names,
    is_boolean,
    nesting,
    place_of,
)
from .model import (
    Component,
    Constant,
    DerivedParameter,
    DerivedVariable,
    Model,
    Ode,
    OnCondition,
    OnEvent,
    Parameter,
    Regime,
    RegimeMachine,
    Statement,
)
from .query import declared, regimes, statics
from .scope import Dimensions, derived_dimensions, find_cycle, payload_dimension, scope
from .units import NONE, Dimension, dimension_name
from .verify_body import check_body, check_calls, check_programs
from .verify_network import verify_network

MAX_NESTING = 100  # compilers stop at about 200 open parentheses
MAX_DEPTH = 2000
MAX_NAME = 200  # a file name holds 255 bytes, endings included


def verify_model(model: Model) -> list[Issue]:
    """Every violated invariant of the components, and of the network over them."""
    found: list[Issue] = []
    seen: set[str] = set()
    for component in model.components:
        if component.name in seen:
            message = f"two components are called '{component.name}'"
            found.append(Issue("V101", Level.ERROR, message, component.span))
        seen.add(component.name)
        if len(component.name) > MAX_NAME:
            message = f"the name '{component.name[:40]}...' has {len(component.name)} characters"
            hint = f"files are named after models: {MAX_NAME} characters at most"
            found.append(Issue("V118", Level.ERROR, message, component.span, hint=hint))
        found.extend(verify_component(component))
    if model.network is not None:
        found.extend(verify_network(model.network, model.components))
    if model.pairings:
        from .verify_pairing import verify_pairings

        found.extend(verify_pairings(model.pairings, model.components))
    return list(dict.fromkeys(found))


def verify_component(component: Component) -> list[Issue]:
    """Every violated invariant of a component, flat or composite, and of the components inside it."""
    found: list[Issue] = []
    done: set[int] = set()
    sound: set[tuple[object, ...]] = set()  # equations, by identity, in which nothing was found
    waiting = [(component, component.name)]
    while waiting:
        current, path = waiting.pop()
        if id(current) in done:
            continue
        done.add(id(current))
        check = _Check(current, path)
        check.values()
        make = _make(current)
        if make not in sound:
            check.equations()
        if not check.issues:
            sound.add(make)
        found.extend(check.issues)
        inner = [(child.component, f"{path}/{child.id}") for child in current.children]
        waiting.extend(reversed(inner))
    return list(dict.fromkeys(found))


_OWN = {"name", "description", "parameters", "children", "texts", "extras", "span"}
_SHARED = attrgetter(*(name for name in Component.__slots__ if name not in _OWN))


def _make(component: Component) -> tuple[object, ...]:
    """What tells apart components that share their equations (of one type) from others."""
    given = ((item.name, item.dimension) for item in component.parameters)
    return (*map(id, _SHARED(component)), *given)


@dataclass(slots=True)
class _Check:
    """One component; `path` names it in messages."""

    component: Component
    path: str
    issues: list[Issue] = field(default_factory=list)
    reads_time: bool = False

    def report(self, code: str, message: str, span: Span | None, hint: str = "") -> None:
        """Add an error about this component."""
        message = f"{message} in '{self.path}'"
        self.issues.append(Issue(code, Level.ERROR, message, span or self.component.span, "", hint))

    def equations(self) -> None:
        """All checks but those of values and children."""
        component = self.component
        self.duplicates()
        names = scope(component)
        self.derived_parameters(names)
        self.states(names)
        for item in component.derived_variables:
            self.expr(item.value, names, item.dimension, f"'{item.name}'", item.span)
        self.odes(component.odes, (), names, "")
        self.handlers(component.on_conditions, component.on_events, names)
        for timed in component.timed_events:
            self.times(timed.times, timed.span)
            self.body(timed.body, names)
        for machine in component.machines:
            self.machine(machine, names)
        check_programs(self, names)
        self.cycles()
        self.exposures()
        if TIME in names and self.reads_time:
            hint = "choose another name for the quantity"
            self.report("V101", "'t' is the model time and also a quantity", None, hint)

    def duplicates(self) -> None:
        """Names are given once; an input may bear the name of an own quantity, which then counts."""
        component = self.component
        quantities = (
            *statics(component), *component.state_variables, *component.derived_variables
        )  # fmt: skip
        self.once("quantity", ((item.name, item.span) for item in quantities))
        for kind, items in (
            ("analog input", component.analog_inputs),
            ("input port", component.event_inputs),
            ("output port", component.event_outputs),
            ("exposure", component.exposures),
            ("attachment list", component.attachments),
        ):
            self.once(kind, ((item.name, item.span) for item in items))

    def once(self, kind: str, named: Iterable[tuple[str, Span | None]]) -> None:
        """V101 for each name that comes again."""
        seen: set[str] = set()
        for name, span in named:
            if name in seen:
                self.report("V101", f"the {kind} '{name}' is declared twice", span)
            seen.add(name)

    def values(self) -> None:
        """Children have names of their own, parameters and constants their dimension."""
        component = self.component
        slots = (
            (item.name if not item.is_list else f"{item.name}/{item.id}", item.component.span)
            for item in component.children
        )
        self.once("child", slots)
        given: tuple[Parameter | Constant, ...] = (*component.parameters, *component.constants)
        for item in given:
            if item.value is not None and item.value.dimension != item.dimension:
                message = (
                    f"'{item.name}' has dimension {dimension_name(item.value.dimension)} "
                    f"where {dimension_name(item.dimension)} is declared"
                )
                self.report("U204", message, item.span)

    def derived_parameters(self, names: Dimensions) -> None:
        """They read only what is fixed."""
        component = self.component
        fixed = {item.name for item in statics(component)}
        for derived in component.derived_parameters:
            what = f"'{derived.name}'"
            self.expr(derived.value, names, derived.dimension, what, derived.span)
            changing = sorted(free_names(derived.value) & (names.keys() | {TIME}) - fixed)
            if changing:
                message = f"the derived parameter {what} depends on '{changing[0]}', which changes"
                hint = "make it a derived variable"
                self.report("V112", message, derived.span, hint)

    def states(self, names: Dimensions) -> None:
        """Initial values."""
        for item in self.component.state_variables:
            if item.initial is not None:
                what = f"the initial value of '{item.name}'"
                self.expr(item.initial, names, item.dimension, what, item.span)

    def expr(
        self,
        expr: Expr,
        names: Dimensions,
        expected: Dimension | None,
        what: str,
        span: Span | None,
    ) -> None:
        """Names are known and dimensions right; a value that is only a Select has any dimension."""
        used = free_names(expr)
        self.reads_time = self.reads_time or TIME in used
        for name in sorted(used - names.keys() - {TIME}):
            message = f"{what} uses '{name}', which is not declared"
            near = suggest(name, names)
            self.report("V102", message, place_of(name, expr) or span, near)
        if nesting(expr) > MAX_NESTING or depth(expr) > MAX_DEPTH:
            message = f"{what} is an expression of too many nested operations"
            self.report("V117", message, span, "name parts of it as derived variables")
            return
        check_calls(self, expr, what, span)
        for issue in problems(expr, names.get, expected, free_zero=True):
            message = f"{what}: {issue.message} in '{self.path}'"
            place = issue.span or span or self.component.span
            self.issues.append(replace(issue, message=message, span=place))

    def odes(
        self, odes: tuple[Ode, ...], outer: tuple[Ode, ...], names: Dimensions, where: str
    ) -> None:
        """Each state has at most one ODE at a time; `outer` are the component's own."""
        states = {item.name: item.dimension for item in self.component.state_variables}
        seen = {item.variable for item in outer}
        for ode in odes:
            name = ode.variable
            if name in seen:
                message = f"'{name}' has two ODEs at once{where}"
                self.report("V105", message, ode.span)
            seen.add(name)
            if name not in states:
                message = f"there is an ODE for '{name}', which is not a state variable,"
                self.report("V104", message, ode.span, suggest(name, states))
            dimension = states.get(name)
            rate = None if dimension is None else dimension / units.TIME
            self.expr(ode.rhs, names, rate, f"d{name}/dt", ode.span)

    def handlers(
        self,
        conditions: tuple[OnCondition, ...],
        events: tuple[OnEvent, ...],
        names: Dimensions,
        machine: RegimeMachine | None = None,
    ) -> None:
        """Conditions are conditions, events arrive at declared ports, bodies are sound."""
        for condition in conditions:
            self.test(condition.test, names, condition.span)
            self.body(condition.body, names, machine)
        ports = {port.name: port for port in self.component.event_inputs}
        for event in events:
            port = ports.get(event.port)
            if port is None:
                message = f"events are expected at '{event.port}', which is not an input port,"
                self.report("V107", message, event.span, suggest(event.port, ports))
            payload = {name: payload_dimension(name) for name in (port.payload if port else ())}
            self.body(event.body, {**names, **payload}, machine)

    def test(self, test: Expr, names: Dimensions, span: Span | None) -> None:
        """A truth value."""
        self.expr(test, names, NONE, "a condition", span)
        negative = isinstance(test, Unary) and test.op == "-"
        if negative or (isinstance(test, Number | Binary | Call) and not is_boolean(test)):
            hint = "compare it: 'v > threshold'"
            self.report("V114", "a condition is a number, not true or false,", span, hint)

    def body(
        self,
        body: tuple[Statement, ...],
        names: Dimensions,
        machine: RegimeMachine | None = None,
    ) -> None:
        """Statements, also inside others."""
        check_body(self, body, names, machine)

    def machine(self, machine: RegimeMachine, names: Dimensions) -> None:
        """At least one regime, at most one initial, and each sound within the component's scope."""
        if not machine.regimes:
            self.report("V109", f"the regime machine '{machine.name}' has no regimes", None)
        starts = [regime.name for regime in machine.regimes if regime.initial]
        if len(starts) > 1:
            message = f"the regimes {', '.join(starts)} are all marked initial"
            self.report("V109", message, machine.regimes[0].span, "exactly one is active at start")
        self.once("regime", ((regime.name, regime.span) for regime in machine.regimes))
        for regime in machine.regimes:
            self.regime(regime, machine, names)

    def regime(self, regime: Regime, machine: RegimeMachine, names: Dimensions) -> None:
        """One regime."""
        inner = {**names, **derived_dimensions(regime.derived_variables)}
        for item in regime.derived_variables:
            if item.name in {own.name for own in self.component.derived_variables}:
                message = f"the quantity '{item.name}' is declared outside and in a regime,"
                self.report("V101", message, item.span)
            self.expr(item.value, inner, item.dimension, f"'{item.name}'", item.span)
        self.odes(regime.odes, self.component.odes, inner, f" in the regime '{regime.name}'")
        self.body(regime.on_entry, inner, machine)
        self.handlers(regime.on_conditions, regime.on_events, inner, machine)

    def times(self, times: tuple[float, ...], span: Span | None) -> None:
        """Timed events are finite and ascend."""
        for index, time in enumerate(times):
            if not math.isfinite(time) or (index and time < times[index - 1]):
                message = f"the event time {time!r} s (number {index + 1}) is out of order"
                self.report("V113", message, span, "times are finite and ascend")
                return

    def cycles(self) -> None:
        """No quantity may need itself at the same instant; the whole circle is named."""
        component = self.component
        base: list[DerivedParameter | DerivedVariable] = [
            *component.derived_parameters,
            *component.derived_variables,
        ]
        for regime in tuple(regimes(component)) or (Regime(name=""),):
            items = [*base, *regime.derived_variables]
            circle = find_cycle({item.name: free_names(item.value) for item in items})
            if circle:
                span = next(item.span for item in items if item.name == circle[0])
                shown = " -> ".join([*circle, circle[0]])
                hint = "one of them must be a state, or be computed without the others"
                self.report("V110", f"quantities need each other: {shown}", span, hint)
                return

    def exposures(self) -> None:
        """What is exposed exists, here or in some regime."""
        component = self.component
        known = {item.name for item in (*declared(component), *component.analog_inputs)}
        for item in component.exposures:
            if item.variable not in known:
                message = f"'{item.name}' exposes '{item.variable}', which is not declared,"
                self.report("V111", message, item.span, suggest(item.variable, sorted(known)))
