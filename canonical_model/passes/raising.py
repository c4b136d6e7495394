"""Recover regimes from a time-step program: what it integrates, and when, are modes of a hybrid system.

Each way through the branches around `Integrate` is a regime whose ODEs are the variables integrated on it;
the tests on the way are the transitions. A branch that integrates nothing is an event. A counter of steps
becomes a clock. Statements that act in every step have no counterpart in continuous time and are refused.
"""

from __future__ import annotations

from dataclasses import replace

from .. import model
from ..algebra import negative
from ..diagnostics import Log, refuse
from ..expr import (
    GRID_FUNCTIONS,
    ONE,
    TIME,
    ZERO,
    Binary,
    Call,
    Expr,
    Name,
    Number,
    Unary,
    free_names,
    walk,
)
from ..query import expressions, nested
from .change import Body, all_expressions, change_statement, rewrite
from .counters import clocked, refuse_below_zero, without_counters
from .guards import (
    in_mode,
    is_due,
    is_past,
    leads_to,
    resolved,
    simplified,
    targets,
    usual_values,
    with_target,
)
from .held import without_held
from .idioms import without_samples
from .inline import inline_functions
from .intervals import Known
from .kernels import lower_kernels
from .modes import Found, Mode, conjunction, find_counters, find_modes, negation, without_locals

DERIVATIVE = "__d"
MAX_DUE = 2  # conditions that are tested when a mode is entered


def raise_program(component: model.Component, log: Log | None = None) -> model.Component:
    """The same behaviour as regimes, conditions and event handlers.

    A component without a program is only rid of its kernels and functions. `log` hears what is not exact.

    Raises ModelError K120 (a statement that stands in the way, with its place), K121 (too many regimes),
    K1xx of kernels and functions.
    """
    if component.update is None:
        return lower_kernels(inline_functions(component))
    log = log if log is not None else Log()
    component = without_held(inline_functions(component), log)
    found = Found(component)
    find_counters(found)
    refuse_below_zero(component, found)
    update = without_locals(found, component.update or ())
    modes = find_modes(found, update)
    component = without_counters(replace(component, update=None), found, log)
    component = replace(
        component,
        on_events=(*found.events, *component.on_events),
        on_conditions=tuple(_condition(found, item, log) for item in component.on_conditions),
    )
    conditions = tuple(_condition(found, item, log) for item in found.conditions)
    jumps = _jumping(component)
    lowered = lower_kernels(component)
    lowered = replace(lowered, on_conditions=(*conditions, *lowered.on_conditions), traces=())
    always = {ode.variable for ode in lowered.odes} - {ode.variable for ode in component.odes}
    raised = _without_unused(_with_regimes(lowered, modes, always, found, jumps, log), found)
    _refuse_steps(raised)
    return raised


def _without_unused(component: model.Component, found: Found) -> model.Component:
    """Propagators and samples that nothing reads any more fall away."""
    samples = found.samples.keys()
    component = replace(
        component,
        state_variables=tuple(s for s in component.state_variables if s.name not in samples),
        exposures=tuple(e for e in component.exposures if e.variable not in samples),
    )
    while True:
        used = {name for expr in all_expressions(component) for name in free_names(expr)}
        stepped = _stepped(component)
        idle = {
            item.name
            for item in component.derived_parameters
            if item.name not in used and item.name in stepped
        }
        if not idle:
            return component
        kept = tuple(item for item in component.derived_parameters if item.name not in idle)
        component = replace(component, derived_parameters=kept)


def _stepped(component: model.Component) -> set[str]:
    """Derived parameters that depend on the step, also through each other."""
    items = component.derived_parameters
    found = {item.name for item in items if _counts_steps(item.value)}
    while more := {i.name for i in items if free_names(i.value) & found} - found:
        found |= more
    return found


def _counts_steps(expr: Expr) -> bool:
    return any(isinstance(n, Call) and n.function in GRID_FUNCTIONS for n in walk(expr))


def _refuse_steps(component: model.Component) -> None:
    for expr in all_expressions(component):
        for node in walk(expr):
            if isinstance(node, Call) and node.function in GRID_FUNCTIONS:
                message = f"'{node.function}' has no meaning in continuous time"
                raise refuse("K120", message, node.span or component.span)


def _condition(found: Found, item: model.OnCondition, log: Log) -> model.OnCondition:
    """A condition in clocks instead of counters."""
    body = tuple(change_statement(s, lambda e: clocked(e, found, log)) for s in item.body)
    rates = {ode.variable: ode.rhs for ode in found.component.odes}
    test = without_samples(clocked(item.test, found, log), found.samples, rates, log)
    used = [e for statement in nested(body) for e in expressions(statement)]
    for name in found.samples:
        if any(name in free_names(expr) for expr in (test, *used)):
            message = f"'{name}', a value of the step before, is used other than to see a crossing"
            raise refuse("K120", message, item.span)
    return replace(item, test=test, body=body)


def _jumping(component: model.Component) -> dict[str, set[str]]:
    """Variables that spikes move directly, with the ports."""
    found: dict[str, set[str]] = {}
    for ode in component.odes:
        for node in walk(ode.rhs):
            if (
                isinstance(node, Call)
                and node.function == "convolve"
                and node.args[0] == Name("delta")
            ):
                port = node.args[1]
                assert isinstance(port, Name)
                found.setdefault(ode.variable, set()).add(port.id)
    return found


def _with_regimes(
    component: model.Component,
    modes: list[Mode],
    always: set[str],
    found: Found,
    jumps: dict[str, set[str]],
    log: Log,
) -> model.Component:
    """A regime for each mode; what every mode shares stays outside."""
    own_odes = [ode for ode in component.odes if ode.variable not in always]
    shared = [ode for ode in component.odes if ode.variable in always]
    active = [[ode for ode in own_odes if _is_active(ode.variable, mode)] for mode in modes]
    if len(modes) == 1:
        return replace(component, odes=(*active[0], *shared, *_clock_odes(modes[0])))
    common = [ode for ode in own_odes if all(ode in odes for odes in active)]
    names = _names(modes, active)
    jump_handlers = [h for h in component.on_events if _moves(h, jumps) and h not in found.events]
    tests = [tuple(clocked(test, found, log) for test in mode.tests) for mode in modes]
    known = usual_values(component)
    always_moving = {o.variable for o in (*common, *shared)}
    held = [mode.held for mode in modes]
    joint = _Joint(component, names, tests, known, always_moving, held, jump_handlers)
    regimes = []
    for k, (mode, odes, name) in enumerate(zip(modes, active, names, strict=True)):
        variables = {ode.variable for ode in odes}
        regimes.append(
            model.Regime(
                name=name,
                initial=mode is modes[_initial(component, modes)],
                odes=(*(ode for ode in odes if ode not in common), *_clock_odes(mode)),
                on_conditions=joint.conditions(k, variables | {*mode.counted}),
                on_events=(
                    *(h for h in jump_handlers if _targets(h) <= variables),
                    *joint.handled(k),
                ),
            )
        )
    apart = [*jump_handlers, *joint.own_handlers]
    handlers = tuple(h for h in component.on_events if h not in apart)
    return replace(
        component,
        odes=(*common, *shared),
        on_conditions=joint.common,
        on_events=handlers,
        machines=(model.RegimeMachine(regimes=tuple(regimes)),),
    )


class _Joint:
    """Conditions and modes together: what can happen in each mode, and where it leads."""

    def __init__(
        self,
        component: model.Component,
        names: list[str],
        tests: list[tuple[Expr, ...]],
        known: Known,
        moving: set[str],
        held: list[tuple[model.Assign, ...]],
        jumping: list[model.OnEvent],
    ) -> None:
        self.names, self.tests, self.known, self.moving = names, tests, known, moving
        self.held = held
        holds = {item.target for items in held for item in items}
        self.handlers = component.on_events
        self.own_handlers = [
            h
            for h in self.handlers
            if h not in jumping and (self._depends(h.body) or _targets(h) & holds)
        ]
        own = {c for c in component.on_conditions if self._belongs(c)}
        self.common = tuple(c for c in component.on_conditions if c not in own)
        self.own = [c for c in component.on_conditions if c in own]

    def _belongs(self, item: model.OnCondition) -> bool:
        """Does a mode decide a part of the test, or the body the mode?"""
        changed = any(simplified(item.test, facts) != item.test for facts in self.tests)
        return changed or self._depends(item.body)

    def _depends(self, body: Body) -> bool:
        """Does the mode decide a branch of the body, or the body the mode?"""
        changed = any(resolved(body, facts) != body for facts in self.tests)
        return changed or leads_to(body, self.tests, self.known) is not None

    def handled(self, number: int) -> tuple[model.OnEvent, ...]:
        """What events do in a mode, where that depends on it."""
        found = []
        for item in self.own_handlers:
            body = _while_held(resolved(item.body, self.tests[number]), self.held[number])
            body = self.going(body, number)
            if body:
                found.append(replace(item, body=body))
        return tuple(found)

    def going(self, body: Body, number: int) -> Body:
        """The body with the change of regime that it leads to."""
        goal = leads_to(body, self.tests, self.known)
        if goal is None or goal == number:
            return body
        for item in (*in_mode(self.own, self.tests[goal]), *self.common):
            if is_due(item.test, body, self.known):
                # what holds at the entry of a regime already is no event for some languages
                body = (*body, *item.body)
        return self._to(body, goal)

    def _to(self, body: Body, goal: int) -> Body:
        """The body, then what the mode holds, then the change of regime."""
        last = {item.target: item.value for item in body if isinstance(item, model.Assign)}
        held = [item for item in self.held[goal] if last.get(item.target) != item.value]
        return with_target((*body, *held), self.names[goal])

    def conditions(self, number: int, moving: set[str]) -> tuple[model.OnCondition, ...]:
        """What happens in a mode whose own variables `moving` move, then the ways out of it."""
        found = []
        own = in_mode(self.own, self.tests[number])
        for item in own:
            found.append(replace(item, body=self.going(item.body, number)))
        undecided = [c.body for c in (*own, *self.common) if not self._decides(c.body)]
        undecided += [h.body for h in self.handlers if not self._decides(h.body)]
        changing = self.moving | moving | {name for body in undecided for name in targets(body)}
        for k, tests in enumerate(self.tests):
            test = simplified(conjunction(tests) or ONE, self._held(number, changing))
            if k != number and test != ZERO:
                found += self._ways(number, k, conjunction(tests) or ONE, changing)
        return tuple(found)

    def _ways(
        self, number: int, goal: int, test: Expr, changing: set[str]
    ) -> list[model.OnCondition]:
        """The way into another mode; what holds there already at entry happens at once, since an event is
        a change from false to true for some languages."""
        found = []
        entered = in_mode(self.own, self.tests[goal])
        due = [c for c in entered if c.test != ONE and free_names(c.test) & changing]
        for item in due[:MAX_DUE]:
            to = leads_to(item.body, self.tests, self.known)
            to = goal if to is None else to
            body = item.body if to == number else self._to(item.body, to)
            found.append(replace(item, test=Binary("and", test, item.test), body=body))
            test = Binary("and", test, negation(item.test))
        return [*found, model.OnCondition(test=test, body=self._to((), goal))]

    def _decides(self, body: Body) -> bool:
        return leads_to(body, self.tests, self.known) is not None

    def _held(self, number: int, changing: set[str]) -> list[Expr]:
        """The tests of a mode that stay as they are as long as it lasts."""
        fixed = [test for test in self.tests[number] if not free_names(test) & changing]
        return [test for test in fixed if TIME not in free_names(test) or is_past(test)]


def _targets(handler: model.OnEvent) -> set[str]:
    return {item.target for item in nested(handler.body) if isinstance(item, model.Assign)}


def _while_held(body: Body, held: tuple[model.Assign, ...]) -> Body:
    """What an event does in a mode: what it does to a variable that is held is undone at once."""
    names = {item.target for item in held}

    def kept(item: model.Statement) -> tuple[model.Statement, ...]:
        return () if isinstance(item, model.Assign) and item.target in names else (item,)

    return rewrite(body, kept)


def _moves(handler: model.OnEvent, jumps: dict[str, set[str]]) -> bool:
    """A handler that stands for an impulse in an ODE: it is lost while the variable is held."""
    return any(
        variable in jumps and handler.port in jumps[variable] and len(handler.body) == 1
        for variable in _targets(handler)
    )


def _is_active(variable: str, mode: Mode) -> bool:
    if any(item.target == variable for item in mode.held):
        return False
    while variable.endswith(DERIVATIVE) and variable not in mode.integrated:
        variable = variable.removesuffix(DERIVATIVE)
    return mode.everything or variable in mode.integrated


def _clock_odes(mode: Mode) -> tuple[model.Ode, ...]:
    clocks = (model.Ode(variable=name, rhs=negative(ONE)) for name in mode.counted)
    return (*clocks, *mode.rates)


def _names(modes: list[Mode], active: list[list[model.Ode]]) -> list[str]:
    """`integrating` where most is integrated besides timers, `refractory` for a lone other one, else
    numbered."""
    moved = [sum(1 for ode in odes if free_names(ode.rhs)) for odes in active]
    most = max(range(len(modes)), key=lambda k: (moved[k], -len(active[k]), -len(modes[k].counted)))
    other = "refractory" if len(modes) == 2 else "mode_{}"
    return ["integrating" if k == most else other.format(k) for k in range(len(modes))]


def _initial(component: model.Component, modes: list[Mode]) -> int:
    """The mode whose tests hold at the initial values; the one without countdown if that is not known."""
    values: dict[str, Expr | None] = {s.name: s.initial for s in component.state_variables}
    for k, mode in enumerate(modes):
        if all(_holds(test, values) for test in mode.tests):
            return k
    return min(range(len(modes)), key=lambda k: len(modes[k].counted))


def _holds(test: Expr, values: dict[str, Expr | None]) -> bool:
    """Is a comparison of a state with a literal true at the start?"""
    match test:
        case Binary("and", left, right):
            return _holds(left, values) and _holds(right, values)
        case Binary("or", left, right):
            return _holds(left, values) or _holds(right, values)
        case Name(name) if name in values:
            return _start(values[name]) not in (0.0, None)
        case Unary("not", Name(name)) if name in values:
            return _start(values[name]) == 0.0
        case Binary(op, Name(name), Number(limit)) if name in values and name != TIME:
            start = _start(values[name])
            if start is None:
                return False
            table = {
                "<": start < limit, "<=": start <= limit, ">": start > limit,
                ">=": start >= limit, "==": start == limit, "!=": start != limit,
            }  # fmt: skip
            return table.get(op, False)
    return False


def _start(initial: Expr | None) -> float | None:
    """An initial value that is a literal, or left out; None for anything else."""
    if initial is None:
        return 0.0
    return initial.value if isinstance(initial, Number) else None
