"""A component as functions of its states: what is compared when equations, not names, decide.

Derived quantities are written out, a countdown or a remembered time that only ends a regime is a
duration, and tests are differences that are positive where they hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ...canonical_model.expr import (
    TIME,
    ZERO,
    Binary,
    Expr,
    Name,
    Unary,
    free_names,
    is_random,
    substitute,
    walk,
)
from ...canonical_model.model import Assign, Component, Emit, Regime, Statement, Transition
from ...canonical_model.units import TIME as TIME_DIMENSION
from ...canonical_model.units import Dimension

MAX_STATES = 6
MAX_NODES = 4000


@dataclass(frozen=True, slots=True)
class Jump:
    """What happens at once: tests (all positive), new values, whether an event is sent, the next mode."""

    tests: tuple[Expr, ...]
    values: Mapping[str, Expr]
    sends: bool
    target: int
    wait: Expr | None = None


@dataclass(frozen=True, slots=True)
class Mode:
    """Rates of all states, jumps by condition in order, and what an event does."""

    rates: Mapping[str, Expr]
    jumps: tuple[Jump, ...]
    events: tuple[Jump, ...]


@dataclass(frozen=True, slots=True)
class Form:
    """The component; mode 0 is active at the start. `outputs` are what others may read."""

    states: Mapping[str, Dimension]
    initial: Mapping[str, Expr]
    modes: tuple[Mode, ...]
    outputs: Mapping[str, Expr]


class _NoForm(Exception):
    """The component is outside of what forms can say."""


def form_of(component: Component) -> Form | None:
    """The form of a flat component; None for what has none (draws, several machines, long programs)."""
    if component.update is not None or component.kernels or component.timed_events:
        return None
    if len(component.machines) > 1 or len(component.state_variables) > 2 * MAX_STATES:
        return None
    try:
        return _without_timers(_build(component))
    except _NoForm:
        return None


def _build(component: Component) -> Form:
    statics = _closed({p.name: p.value for p in component.derived_parameters})
    common = {d.name: d.value for d in component.derived_variables} | statics
    states = {s.name: s.dimension for s in component.state_variables}
    regimes = [r for m in component.machines for r in m.regimes]
    if regimes:
        start = component.machines[0].initial
        regimes.sort(key=lambda r: r.name != start)
    else:
        regimes = [Regime(name="")]
    numbers = {regime.name: k for k, regime in enumerate(regimes)}
    entries = {regime.name: regime.on_entry for regime in regimes}
    modes = []
    for k, regime in enumerate(regimes):
        known = _closed(common | {d.name: d.value for d in regime.derived_variables})
        jumper = _Jumps(known, numbers, entries, k)
        rates = dict.fromkeys(states, ZERO) | {
            ode.variable: _written(ode.rhs, known) for ode in (*component.odes, *regime.odes)
        }
        conditions = (*component.on_conditions, *regime.on_conditions)
        events = (*component.on_events, *regime.on_events)
        modes.append(
            Mode(
                rates,
                tuple(jumper.jump(c.body, c.test) for c in conditions),
                tuple(jumper.jump(e.body, None) for e in events if e.body),
            )
        )
    closed = _closed(common)
    outputs = {e.name: _written(Name(e.variable), closed) for e in component.exposures}
    initial = {
        s.name: _written(s.initial, closed) if s.initial is not None else ZERO
        for s in component.state_variables
    }
    # an initial value may speak of other states
    initial = {name: substitute(value, initial) for name, value in initial.items()}
    return Form(states, initial, tuple(modes), outputs)


def _closed(values: Mapping[str, Expr]) -> dict[str, Expr]:
    """Definitions with all others written into them."""
    done: dict[str, Expr] = {}
    waiting = dict(values)
    while waiting:
        ready = [n for n, v in waiting.items() if not free_names(v) & waiting.keys()]
        if not ready:
            raise _NoForm
        for name in ready:
            done[name] = _written(waiting.pop(name), done)
    return done


def _written(expr: Expr, known: Mapping[str, Expr]) -> Expr:
    found = substitute(expr, known)
    if is_random(found) or sum(1 for _ in walk(found)) > MAX_NODES:
        raise _NoForm
    return found


@dataclass(slots=True)
class _Jumps:
    known: Mapping[str, Expr]
    numbers: Mapping[str, int]
    entries: Mapping[str, tuple[Statement, ...]]
    mode: int

    def jump(self, body: tuple[Statement, ...], test: Expr | None) -> Jump:
        """A body as new values in terms of old ones."""
        values: dict[str, Expr] = {}
        sends, target = False, self.mode
        waiting = list(body)
        while waiting:
            item = waiting.pop(0)
            match item:
                case Assign(target=name, value=value):
                    values[name] = substitute(_written(value, self.known), values)
                case Emit():
                    sends = True
                case Transition(regime=regime):
                    target = self.numbers[regime]
                    waiting = [*self.entries[regime], *waiting]
                case _:
                    raise _NoForm
        tests = () if test is None else tuple(_atoms(_written(test, self.known)))
        return Jump(tests, values, sends, target)


def _atoms(test: Expr) -> Iterator[Expr]:
    """The parts of a conjunction, each positive where it holds."""
    match test:
        case Binary("and", left, right):
            yield from _atoms(left)
            yield from _atoms(right)
        case Binary(">" | ">=", left, right):
            yield Binary("-", left, right)
        case Binary("<" | "<=", left, right):
            yield Binary("-", right, left)
        case _:
            raise _NoForm


def _without_timers(form: Form) -> Form:
    """The form with durations in place of states that only measure them."""
    for name, dimension in form.states.items():
        if dimension == TIME_DIMENSION:
            found = _without_timer(form, name)
            if found is not None:
                form = found
    if len(form.states) > 2 * MAX_STATES:
        raise _NoForm
    return form


def _without_timer(form: Form, timer: str) -> Form | None:
    """The form without one state, if that only says when a mode is left."""
    modes: list[Mode] = []
    held: set[int] = set()
    waits: dict[int, Expr] = {}
    for k, mode in enumerate(form.modes):
        for jump in mode.jumps:
            if len(jump.tests) == 1 and timer in free_names(jump.tests[0]):
                wait = _wait(jump.tests[0], timer, mode.rates[timer])
                if wait is None or jump.target == k or jump.values:
                    return None
                waits[k] = wait
                held.add(k)
    if len(held) != 1:
        return None
    (k,) = held
    starts = []
    for mode in form.modes:
        jumps = []
        for jump in mode.jumps:
            values = {n: v for n, v in jump.values.items() if n != timer}
            if timer in jump.values:
                if jump.target != k:
                    return None
                starts.append(jump.values[timer])
            tests = jump.tests
            wait = None
            if mode is form.modes[k] and any(timer in free_names(test) for test in tests):
                tests, wait = (), waits[k]
            jumps.append(Jump(tests, values, jump.sends, jump.target, wait))
        rates = {n: r for n, r in mode.rates.items() if n != timer}
        modes.append(Mode(rates, tuple(jumps), mode.events))
    if len(starts) != 1:
        return None
    span = _duration(starts[0], waits[k], timer, form.modes[k].rates[timer])
    if span is None:
        return None
    whole = tuple(
        Mode(m.rates, tuple(_with_wait(j, span) for j in m.jumps), m.events) for m in modes
    )
    outputs = {n: v for n, v in form.outputs.items() if timer not in free_names(v)}
    found = Form(
        {n: d for n, d in form.states.items() if n != timer},
        {n: v for n, v in form.initial.items() if n != timer},
        whole,
        outputs,
    )
    return None if any(timer in free_names(expr) for expr in _every(found)) else found


def _with_wait(jump: Jump, span: Expr) -> Jump:
    if jump.wait is None:
        return jump
    return Jump(jump.tests, jump.values, jump.sends, jump.target, span)


def _wait(test: Expr, timer: str, rate: Expr) -> Expr | None:
    """What is added to the timer in `t > timer + x`, or 0 - x in `timer <= x` of a countdown."""
    match test:
        case Binary("-", Name("t"), Name(name)) if name == timer and rate == ZERO:
            return ZERO
        case Binary("-", Name("t"), Binary("+", Name(name), more)) if name == timer:
            return more if timer not in free_names(more) and rate == ZERO else None
        case Binary("-", limit, Name(name)) if name == timer and rate != ZERO:
            return Unary("-", limit) if timer not in free_names(limit) else None
    return None


def _duration(start: Expr, wait: Expr, timer: str, rate: Expr) -> Expr | None:
    """How long the mode lasts, from what the timer is set to."""
    if rate != ZERO:
        # a countdown; its rate is -1 where it is a time
        return Binary("+", start, wait)
    match start:
        case Name("t"):
            return wait
        case Binary("+", Name("t"), more) | Binary("+", more, Name("t")):
            return Binary("+", more, wait) if TIME not in free_names(more) else None
    return None


def _every(form: Form) -> Iterator[Expr]:
    yield from form.initial.values()
    yield from form.outputs.values()
    for mode in form.modes:
        yield from mode.rates.values()
        for jump in (*mode.jumps, *mode.events):
            yield from jump.tests
            yield from jump.values.values()
            if jump.wait is not None:
                yield jump.wait


__all__ = ["Form", "Jump", "Mode", "form_of"]
