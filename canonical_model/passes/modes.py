"""The modes of a time-step program: every way through the branches around what it integrates.

What else happens on a way is put at one end of the step: after the integration, or before it, which is after
everything else of the step before. Timers that have moved by then are reckoned with (`stepped.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from .. import model
from ..algebra import plus, times
from ..diagnostics import ModelError, refuse
from ..expr import (
    ONE,
    TIME,
    ZERO,
    Binary,
    Conditional,
    Expr,
    Name,
    Number,
    free_names,
    is_random,
    substitute,
)
from ..query import expressions, nested
from .change import Body, change_statement
from .counters import clocked_body, counted
from .guards import simplified, targets, values_after
from .idioms import arrivals, bound, decay_rate, event, ramp, sampled
from .intervals import Known, certain
from .stepped import Steps, Timers, aligned, negation, note_steps

MAX_REGIMES = 16


@dataclass(frozen=True, slots=True)
class Happening:
    """A condition that a way through the program meets, and how far each timer has come there."""

    item: model.OnCondition
    moved: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Mode:
    """One way through the program: the tests that lead there, as they are at the start of its step, what it
    integrates and what it counts."""

    tests: tuple[Expr, ...] = ()
    integrated: tuple[str, ...] = ()
    everything: bool = False
    rates: tuple[
        model.Ode, ...
    ] = ()  # of counters, decays and timers that the program steps by hand
    held: tuple[model.Assign, ...] = ()  # what is set anew after each step: a clamped potential
    moved: Mapping[str, int] = field(default_factory=dict)  # timers, in steps
    met: tuple[Happening, ...] = ()

    @property
    def counted(self) -> tuple[str, ...]:
        """The timers that run in this mode only."""
        return tuple(self.moved)


@dataclass(slots=True)
class Found:
    """What is found on the walk through the program."""

    component: model.Component
    timers: Timers
    steps: Steps
    known: Known
    early: dict[model.OnCondition, None] = field(default_factory=dict)
    samples: dict[str, str] = field(default_factory=dict)
    derived: dict[str, Expr] = field(default_factory=dict)
    events: list[model.OnEvent] = field(default_factory=list)
    depth: int = 0  # of branches around the statement that is looked at

    @property
    def ratio(self) -> Known:
        """The step alone: what holds whatever the parameters are."""
        return {n: b for n, b in self.known.items() if n == self.steps.name}


def in_the_way(statement: model.Statement, why: str) -> ModelError:
    message = f"a statement of the update program cannot become part of a regime: {why}"
    return refuse("K120", message, statement.span)


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
                (item.target in found.timers.counters and counted(item))
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
    """The modes of a program. Raises ModelError K120 (a statement that stands in the way), K121."""
    return _walk(found, body, [Mode()], ())


def _walk(found: Found, body: Body, modes: list[Mode], after: Body) -> list[Mode]:
    """Each mode led through a body; `after` is what the program does behind it."""
    for place, item in enumerate(map(_as_branch, body)):
        rest = (*body[place + 1 :], *after)
        modes = [new for mode in modes for new in _step(found, mode, item, rest)]
        if len(modes) > MAX_REGIMES:
            message = f"the update program has more than {MAX_REGIMES} ways through it"
            raise refuse("K121", message, found.component.span)
    return modes


def _step(found: Found, mode: Mode, item: model.Statement, rest: Body) -> list[Mode]:
    match item:
        case model.Integrate(variables=variables):
            chosen = variables or tuple(ode.variable for ode in found.component.odes)
            return [
                replace(
                    mode,
                    integrated=tuple(dict.fromkeys((*mode.integrated, *variables))),
                    everything=mode.everything or not variables,
                    moved=_moved(found, mode, chosen),
                )
            ]
        case model.If() if _has_modes(found, item):
            return _branches(found, mode, item, rest)
        case model.If():
            return [_events_within(found, mode, (), item, rest)]
        case model.Report():
            return [mode]
        case model.Assign():
            return [_assigned(found, mode, item, rest)]
    name = type(item).__name__.lower()
    raise in_the_way(item, f"'{name}' is done in every step")


def _moved(found: Found, mode: Mode, names: Sequence[str]) -> dict[str, int]:
    """How far timers are after one of `names` has moved by a step."""
    rates = found.timers.rates
    more = {name: mode.moved.get(name, 0) + rates[name] for name in names if name in rates}
    return {**mode.moved, **more}


def _assigned(found: Found, mode: Mode, item: model.Assign, rest: Body) -> Mode:
    """An assignment in every step of a mode: one of the idioms, or in the way."""
    moving = {ode.variable for ode in found.component.odes}
    count = counted(item) if item.target in found.timers.counters else 0
    rate = Number(float(count)) if count else _rate(found, item)
    if rate is not None:
        ode = model.Ode(variable=item.target, rhs=rate, span=item.span)
        moved = {**mode.moved}
        if item.target in found.timers.rates:
            moved[item.target] = moved.get(item.target, 0) + (count or (1 if rate == ONE else -1))
        return replace(mode, rates=(*mode.rates, ode), moved=moved)
    arrived, limit = arrivals(item), bound(item)
    if limit is not None:
        return _met(found, mode, (limit.test,), limit.body, limit.span, rest)
    if arrived is not None or sampled(item, moving - _done(found, mode)) is not None:
        if found.depth:
            raise in_the_way(item, "what it does in every step depends on a test")
        if arrived is not None:
            heard = [event(port, item.target, factor) for port, factor in arrived]
            found.events += [item for item in heard if item not in found.events]
        elif isinstance(item.value, Name):
            found.samples[item.target] = item.value.id
        return mode
    if not found.depth and _is_derived(found, item):
        found.derived[item.target] = aligned(item.value, {}, found.timers, found.steps)
        return mode
    raise in_the_way(item, f"'{item.target}' is assigned to in every step")


def _is_derived(found: Found, item: model.Assign) -> bool:
    """Is this all that is ever done to a variable, which so follows from others after every step?"""
    component = found.component
    bodies = [component.update or (), *(h.body for h in component.on_events)]
    bodies += [c.body for c in component.on_conditions]
    assigned = [s for body in bodies for s in nested(body) if isinstance(s, model.Assign)]
    again = [s.target for s in assigned].count(item.target) > 1
    moved = any(ode.variable == item.target for ode in component.odes)
    read = _read_by(component, item.value) | {
        name for other in found.derived.values() for name in _read_by(component, other)
    }
    return not again and not moved and item.target not in read and not is_random(item.value)


def _done(found: Found, mode: Mode) -> set[str]:
    """What the mode's equations have moved so far."""
    if mode.everything:
        return {ode.variable for ode in found.component.odes}
    return set(mode.integrated)


def _branches(found: Found, mode: Mode, item: model.If, rest: Body) -> list[Mode]:
    """The modes of each branch, with the test that leads to it and the denials of those before.

    A branch that neither integrates nor holds anything is an event, in a step that does nothing else.
    """
    results: list[Mode] = []
    live, denied = [mode], list[Expr]()
    events: list[tuple[int, tuple[Expr, ...], Body]] = []
    for test, body in _with_event_first(found, item):
        is_mode = test is None or _is_way(found, test, body)
        if test is not None and body and not is_mode:
            events.append((len(results), (*denied, test), body))
            denied.append(negation(test))
            continue
        for way in live:
            results += _led(found, way, test, body, rest)
        if test is not None:
            live = [new for way in live for new in _denied(found, way, test)]
            if events:
                denied.append(negation(test))
    for place, tests, body in events:  # the ways before it are gone instead of it
        others = results[place:]
        led = [_instead(found, mode, way, tests, body, item, rest) for way in others]
        results[place:] = led
    return results


def _with_event_first(found: Found, item: model.If) -> Iterator[tuple[Expr | None, Body]]:
    """The branches; an event that is the last of them is put before the way that it is instead of."""
    if item.otherwise and not _is_way(found, None, item.otherwise):
        *others, (test, body) = item.branches
        yield from others
        yield negation(test), item.otherwise
        yield None, body
    else:
        yield from item.branches
        yield None, item.otherwise


def _is_way(found: Found, test: Expr | None, body: Body) -> bool:
    return _integrates(found, body) or _holds(found, test, body)


def _led(found: Found, mode: Mode, test: Expr | None, body: Body, rest: Body) -> list[Mode]:
    """A way into a branch, if there is one."""
    entered = mode if test is None else _with_test(found, mode, test)
    if entered is None:
        return []
    clamps = [item for item in body if _holds(found, test, (item,))]
    others = tuple(item for item in body if item not in clamps)
    held = tuple(item for item in clamps if isinstance(item, model.Assign))
    found.depth += 1
    modes = _walk(found, others, [entered], rest)
    found.depth -= 1
    return [replace(new, held=(*new.held, *held)) for new in modes]


def _denied(found: Found, mode: Mode, test: Expr) -> list[Mode]:
    denied = _with_test(found, mode, negation(test))
    return [] if denied is None else [denied]


def _with_test(found: Found, mode: Mode, test: Expr) -> Mode | None:
    """The way on which a test holds too; None if it cannot."""
    late = _read_by(found.component, test) & _done(found, mode) & found.timers.moving
    if late:
        note_steps(found.steps.log, getattr(test, "span", None))
    start = {**mode.moved, TIME: 1}
    told = aligned(test, start, found.timers, found.steps)
    own = simplified(told, mode.tests, found.ratio)
    if own == ZERO:
        return None
    return mode if own == ONE else replace(mode, tests=(*mode.tests, own))


def _instead(
    found: Found,
    start: Mode,
    way: Mode,
    tests: tuple[Expr, ...],
    body: Body,
    item: model.If,
    rest: Body,
) -> Mode:
    """An event in whose step a way through the program is not gone: timers do not move in it."""
    done = _done(found, way) - _done(found, start)
    if done & found.timers.moving and not _is_early(found, start, tests, body, (item, *rest)):
        note_steps(found.steps.log, item.span)
    missed = {
        name: count - start.moved.get(name, 0)
        for name, count in way.moved.items()
        if count != start.moved.get(name, 0)
    }
    own = {s.target for s in nested(body) if isinstance(s, model.Assign)}
    is_early = _is_early(found, start, tests, body, (item, *rest))
    back = tuple(
        model.Assign(target=name, value=_shifted(found, Name(name), -count))
        for name, count in missed.items()
        if (name in own) == is_early
    )
    return _met(found, way, tests, (*body, *back), item.span, rest, start)


def _shifted(found: Found, own: Expr, count: int) -> Expr:
    """A timer some steps further, in its own unit."""
    name = own.id if isinstance(own, Name) else ""
    if name in found.timers.counters:
        return plus(own, Number(float(count)))
    return plus(own, found.steps.times(count, None))


def _events_within(
    found: Found, mode: Mode, outer: tuple[Expr, ...], item: model.If, rest: Body
) -> Mode:
    """The events of branches without integration, within tests that hold around them."""
    before: list[Expr] = [*outer]
    for test, body in item.branches:
        mode = _event(found, mode, (*before, test), body, item, rest)
        before.append(negation(test))
    if item.otherwise:
        mode = _event(found, mode, tuple(before), item.otherwise, item, rest)
    return mode


def _event(
    found: Found, mode: Mode, tests: tuple[Expr, ...], body: Body, item: model.If, rest: Body
) -> Mode:
    """What is done when tests come to hold; branches alone in a branch are events of their own."""
    if body and all(isinstance(statement, model.If) for statement in body):
        for statement in body:
            assert isinstance(statement, model.If)
            mode = _events_within(found, mode, tests, statement, rest)
        return mode
    return _met(found, mode, tests, body, item.span, rest) if body else mode


def _met(
    found: Found,
    mode: Mode,
    tests: tuple[Expr, ...],
    body: Body,
    span: object,
    rest: Body,
    start: Mode | None = None,
) -> Mode:
    """The mode with one more condition; one before the integration is one after the step before."""
    start = start or mode
    guard = conjunction(tests)
    assert guard is not None
    for statement in nested(body):
        if _holds_still(found, guard, body, statement):
            raise in_the_way(statement, "it holds a variable still as long as a test is true")
        if any(is_random(expr) for expr in expressions(statement)):
            raise in_the_way(statement, "it draws a random number in every step")
    place = body[0].span if body else None
    timers, steps = found.timers, found.steps
    is_early = _is_early(found, start, tests, body, rest)
    if is_early and start.tests:
        note_steps(steps.log, place)  # the ways that were chosen before it stay as they are
    elif is_early:
        if any(isinstance(s, model.Emit) for s in nested(body)):
            note_steps(steps.log, place)
        ahead = {**start.moved, TIME: 1}
        # the step is still to come for what has moved already
        before = tuple(
            model.Assign(target=name, value=_shifted(found, Name(name), -count))
            for name, count in start.moved.items()
            if name in targets(body)
        )
        item = model.OnCondition(
            test=aligned(guard, ahead, timers, steps),
            body=(
                *clocked_body(body, ahead, timers, steps),
                *clocked_body(before, {}, timers, steps),
            ),
            span=place,
        )
        found.early[item] = None
        return mode
    whole = (*body, *_meanwhile(found, body, rest))
    item = model.OnCondition(test=guard, body=whole, span=place)
    return replace(mode, met=(*mode.met, Happening(item, start.moved)))


def _is_early(found: Found, mode: Mode, tests: tuple[Expr, ...], body: Body, rest: Body) -> bool:
    """Is this about what is integrated behind it, and not about what has been?"""
    about = {name for test in tests for name in _read_by(found.component, test)}
    about |= targets(body)
    about |= {n for s in nested(body) for e in expressions(s) for n in _read_by(found.component, e)}
    about &= found.timers.moving
    ahead = set[str]()
    for item in nested(rest):
        if isinstance(item, model.Integrate):
            ahead |= set(item.variables) or {ode.variable for ode in found.component.odes}
    return bool(about & ahead) and not about & _done(found, mode)


def _meanwhile(found: Found, body: Body, rest: Body) -> Body:
    """What the rest of the step does to timers that a body sets, and what is held because of them."""
    timers, steps = found.timers, found.steps
    own = targets(body) & timers.rates.keys()
    values = values_after(clocked_body(body, {}, timers, steps)) if own else None
    if not values:
        return ()
    more: list[model.Statement] = []
    for item in rest:
        match item:
            case model.Integrate(variables=variables):
                moved = own & (set(variables) or {ode.variable for ode in found.component.odes})
                more += [_tick(found, name) for name in sorted(moved - timers.counters)]
            case model.Assign(target=target) if target in own and target in timers.rates:
                more.append(_tick(found, target))
            case model.If() if _has_modes(found, item):
                more += _meanwhile_within(found, item, values, own)
    return tuple(more)


def _tick(found: Found, name: str) -> model.Assign:
    return model.Assign(target=name, value=_shifted(found, Name(name), found.timers.rates[name]))


def _meanwhile_within(
    found: Found, item: model.If, values: Mapping[str, Expr], own: set[str]
) -> list[model.Statement]:
    """The same in the branch that is taken after a body has set timers, if that is certain."""
    chosen: Body | None = item.otherwise
    for test, body in item.branches:
        told = aligned(test, {}, found.timers, found.steps)
        truth = certain(substitute(told, values), found.known)
        if truth is None:
            if free_names(told) & own:
                note_steps(found.steps.log, item.span)
            return []
        if truth:
            chosen = body
            break
    more: list[model.Statement] = []
    for inner in chosen or ():
        if isinstance(inner, model.Assign) and inner.target in own:
            more.append(_tick(found, inner.target))
        elif isinstance(inner, model.Assign) and _holds(found, ONE, (inner,)):
            more.append(inner)
        elif isinstance(inner, model.Integrate) and inner.variables:
            more += [_tick(found, name) for name in inner.variables if name in own]
    return more


def conditions_of(found: Found, mode: Mode) -> tuple[model.OnCondition, ...]:
    """What a mode meets, as it is at the end of its step."""
    told = []
    for happening in mode.met:
        ahead = {
            name: happening.moved.get(name, 0) - count
            for name, count in mode.moved.items()
            if happening.moved.get(name, 0) != count
        }
        item = happening.item
        told.append(
            replace(
                item,
                test=aligned(item.test, ahead, found.timers, found.steps),
                body=clocked_body(item.body, {}, found.timers, found.steps),
            )
        )
    return tuple(told)


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
