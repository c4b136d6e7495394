"""The modes of a time-step program: every way through the branches around what it integrates.

What else happens on a way is put at one end of the step: after the integration, or before it, which is after
everything else of the step before. Timers that have moved by then are reckoned with (`stepped.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from .. import model
from ..diagnostics import refuse
from ..expr import (
    ONE,
    TIME,
    ZERO,
    Conditional,
    Expr,
    Name,
    Number,
    is_random,
)
from ..query import nested
from .change import Body
from .counters import counted
from .guards import simplified
from .happenings import comes_early, events_within, meet, shifted_by
from .idioms import arrivals, bound, event, sampled
from .stepped import aligned, negation, note_steps
from .ways import (
    Found,
    Mode,
    done_by,
    has_modes,
    in_the_way,
    is_way,
    may_hold,
    rate_of,
    read_by,
)

MAX_REGIMES = 16


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
        case model.If() if has_modes(found, item):
            return _branches(found, mode, item, rest)
        case model.If():
            return [events_within(found, mode, (), item, rest)]
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
    rate = Number(float(count)) if count else rate_of(found, item)
    if rate is not None:
        ode = model.Ode(variable=item.target, rhs=rate, span=item.span)
        moved = {**mode.moved}
        if item.target in found.timers.rates:
            moved[item.target] = moved.get(item.target, 0) + (count or (1 if rate == ONE else -1))
        return replace(mode, rates=(*mode.rates, ode), moved=moved)
    arrived, limit = arrivals(item), bound(item)
    if limit is not None:
        return meet(found, mode, (limit.test,), limit.body, limit.span, rest)
    if arrived is not None or sampled(item, moving - done_by(found, mode)) is not None:
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
    read = read_by(component, item.value) | {
        name for other in found.derived.values() for name in read_by(component, other)
    }
    return not again and not moved and item.target not in read and not is_random(item.value)


def _branches(found: Found, mode: Mode, item: model.If, rest: Body) -> list[Mode]:
    """The modes of each branch, with the test that leads to it and the denials of those before.

    A branch that neither integrates nor holds anything is an event, in a step that does nothing else.
    """
    results: list[Mode] = []
    live, denied = [mode], list[Expr]()
    events: list[tuple[int, tuple[Expr, ...], Body]] = []
    for test, body in _with_event_first(found, item):
        is_mode = test is None or is_way(found, test, body)
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
    if item.otherwise and not is_way(found, None, item.otherwise):
        *others, (test, body) = item.branches
        yield from others
        yield negation(test), item.otherwise
        yield None, body
    else:
        yield from item.branches
        yield None, item.otherwise


def _led(found: Found, mode: Mode, test: Expr | None, body: Body, rest: Body) -> list[Mode]:
    """A way into a branch, if there is one."""
    entered = mode if test is None else _with_test(found, mode, test)
    if entered is None:
        return []
    clamps = [item for item in body if may_hold(found, test, (item,))]
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
    late = read_by(found.component, test) & done_by(found, mode) & found.timers.moving
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
    done = done_by(found, way) - done_by(found, start)
    if done & found.timers.moving and not comes_early(found, start, tests, body, (item, *rest)):
        note_steps(found.steps.log, item.span)
    missed = {
        name: count - start.moved.get(name, 0)
        for name, count in way.moved.items()
        if count != start.moved.get(name, 0)
    }
    own = {s.target for s in nested(body) if isinstance(s, model.Assign)}
    is_early = comes_early(found, start, tests, body, (item, *rest))
    back = tuple(
        model.Assign(target=name, value=shifted_by(found, Name(name), -count))
        for name, count in missed.items()
        if (name in own) == is_early
    )
    return meet(found, way, tests, (*body, *back), item.span, rest, start)
