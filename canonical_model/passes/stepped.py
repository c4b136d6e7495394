"""Comparisons of timers on a grid, exactly: whole steps, and how far a timer is at a place of a program.

A timer moves by one step in every step: time itself, a counter, a state with the rate 1 or -1. All of them
stand on whole steps, so that `r < n` is `r <= n - 1`, and a test in the middle of a program can be told as
one at the start or the end of its step. Tests come out in the form that a clock in continuous time has at
the same moment: what becomes true as it runs holds from the moment itself (`>=` upward, `<=` downward).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from .. import model
from ..algebra import Definitions, divide, minus, negative, plus, times
from ..diagnostics import Level, Log, Span, refuse
from ..expr import (
    COMPARISONS,
    MIRRORED,
    OPPOSITE,
    TIME,
    ZERO,
    Binary,
    Call,
    Conditional,
    Expr,
    Name,
    Number,
    Unary,
    free_names,
    rebuild,
    walk,
)
from ..fixed import fixed_value
from ..units import NONE
from ..units import TIME as TIME_DIMENSION

LENGTHS = frozenset({"resolution", "timestep"})
Split = tuple[Expr, float]  # a time, and whole steps beside it


@dataclass(slots=True)
class Steps:
    """What a step is: the constant `name`, or nothing where "" (in the limit of small steps)."""

    log: Log
    name: str = ""
    used: bool = False

    def times(self, count: float, span: Span | None) -> Expr:
        """So many steps as a time; whole steps that vanish are noted."""
        if count == 0:
            return ZERO
        if self.name:
            self.used = True
            return times(Number(float(count)), Name(self.name))
        if abs(count) >= 1:
            note_steps(self.log, span)
        return ZERO


@dataclass(frozen=True, slots=True)
class Timers:
    """What moves by a step in every step that it moves in: up (1), down (-1) or either (0).

    `counters` count steps, the others have the dimension time; `counts` are fixed numbers of steps.
    `stopping` are (counter, number) where the counter never runs past the number.
    """

    rates: Mapping[str, int]
    counters: frozenset[str] = frozenset()
    counts: frozenset[str] = frozenset()
    lengths: frozenset[str] = frozenset()  # names for the step itself
    stopping: frozenset[tuple[str, Expr]] = frozenset()
    moving: frozenset[str] = frozenset()  # what equations move besides
    moved: Mapping[str, int] = field(default_factory=dict)


def note_steps(log: Log, span: Span | None) -> None:
    """Say that whole steps are nothing in continuous time."""
    message = "whole steps take no time in continuous time: they are left out"
    log.add("K125", Level.APPROXIMATED, message, span)


def negation(test: Expr) -> Expr:
    """`not test`, as a comparison where that is possible."""
    match test:
        case Binary(op, left, right) if op in OPPOSITE:
            return Binary(OPPOSITE[op], left, right, test.span)
        case Binary("and" | "or" as op, left, right):
            return Binary("or" if op == "and" else "and", negation(left), negation(right))
        case Unary("not", inner):
            return inner
    return Unary("not", test)


def aligned(expr: Expr, ahead: Mapping[str, int], timers: Timers, steps: Steps) -> Expr:
    """A test or a value at a place where each timer is `ahead` steps further than at the moment of
    reference, in times.

    Raises ModelError K120 (a counter compared with what is no number of steps, or read where steps vanish).
    """
    match expr:
        case Unary("not", inner) if not isinstance(inner, Name):
            return aligned(negation(inner), ahead, timers, steps)
        case Binary(op, left, right) if op in COMPARISONS:
            found = _comparison(expr, op, (left, right), ahead, timers, steps)
            return found if found is not None else _value(expr, ahead, timers, steps)
        case Binary("and" | "or") | Conditional():
            return rebuild(expr, lambda part: aligned(part, ahead, timers, steps))
    return _value(expr, ahead, timers, steps)


def _value(expr: Expr, ahead: Mapping[str, int], timers: Timers, steps: Steps) -> Expr:
    """`aligned` of what is no comparison of timers."""
    counts = timers.counters | timers.counts
    match expr:
        case Binary("/", Name(above), Name(below)) if {above, below} <= counts:
            return expr
        case Name(name) if name in timers.rates and ahead.get(name):
            time = plus(expr, steps.times(ahead[name], expr.span))
            return time if name not in counts else divide(time, _length(f"'{name}'", expr, steps))
        case Name(name) if name in counts:
            return divide(expr, _length(f"'{name}'", expr, steps))
        case Call("steps", (inner,)):
            return divide(plain(inner, timers, steps), _length("'steps'", expr, steps))
        case Call(function, ()) if function in LENGTHS:
            return _length(f"'{function}'", expr, steps)
        case Binary("*", Name(count), length) | Binary("*", length, Name(count)) if (
            count in counts and isinstance(length, Call) and length.function in LENGTHS
        ):
            return Name(count)
    return rebuild(expr, lambda part: aligned(part, ahead, timers, steps))


def plain(expr: Expr, timers: Timers, steps: Steps) -> Expr:
    """A value that reads numbers of steps, in times. Raises ModelError K120 where steps vanish."""
    return aligned(expr, {}, timers, steps)


def _length(what: str, expr: Expr, steps: Steps) -> Expr:
    if not steps.name:
        message = f"{what} counts steps, which has no meaning in continuous time here"
        raise refuse("K120", message, getattr(expr, "span", None))
    return steps.times(1, None)


def _comparison(
    test: Binary,
    op: str,
    sides: tuple[Expr, Expr],
    ahead: Mapping[str, int],
    timers: Timers,
    steps: Steps,
) -> Expr | None:
    """A comparison of timers with each other or with fixed times; None for any other."""
    names = free_names(test)
    clocks = names & timers.rates.keys()
    is_count = bool(names & (timers.counters | timers.counts))
    if not clocks and not is_count:
        return None
    if not free_names(sides[0]) & clocks:
        op, sides = MIRRORED[op], (sides[1], sides[0])
    halves = [None if names & timers.moving else split(side, timers, is_count) for side in sides]
    if halves[0] is None or halves[1] is None:
        if not names & timers.counters or steps.name:
            return None
        listed = ", ".join(f"'{name}'" for name in sorted(names & timers.counters))
        message = f"{listed} counts steps but is compared with something else"
        raise refuse("K120", message, test.span)
    (left, more), (right, less) = halves[0], halves[1]
    form = Definitions({}).linear(minus(left, right), frozenset(clocks))
    if form is None:
        return None
    shares = {name: fixed_value(value, {}) or 0.0 for name, value in form.coefficients.items()}
    limit = less - more - sum(shares[name] * ahead.get(name, 0) for name in shares)
    rate = sum(shares[name] * timers.rates[name] for name in shares)
    exact = op in ("==", "!=")
    if exact and not _stops(left, sides[1], timers):
        return _window(op, left, right, limit, rate, steps, test)
    if exact:
        op = {("==", True): ">=", ("==", False): "<=", ("!=", True): "<", ("!=", False): ">"}[
            op, rate > 0
        ]
    strict, whole = canonical(op, limit, rate)
    if whole and not steps.name and abs(limit) < 1:
        strict, whole = op, 0.0  # whole steps vanish, and a part of one with them
    return Binary(strict, left, _sum(right, steps.times(whole, test.span)), test.span)


def _sum(time: Expr, more: Expr) -> Expr:
    is_zero = isinstance(time, Number) and time.value == 0
    return plus(ZERO if is_zero else time, more)


def _stops(left: Expr, limit: Expr, timers: Timers) -> bool:
    return isinstance(left, Name) and (left.id, limit) in timers.stopping


def _window(
    op: str, left: Expr, right: Expr, limit: float, rate: float, steps: Steps, test: Binary
) -> Expr:
    """Equality of what runs on: it holds for one step."""
    if rate == 0 or limit != round(limit):
        return test
    if not steps.name:
        what = left.id if isinstance(left, Name) else "a timer"
        message = (
            "a statement of the update program cannot become part of a regime: "
            f"'{what}' runs past a number that it is tested for exactly"
        )
        raise refuse("K120", message, test.span)
    begin, end = (limit, limit + 1) if rate > 0 else (limit, limit - 1)
    reached, over = (">=", "<") if rate > 0 else ("<=", ">")
    inside = Binary(
        "and",
        Binary(reached, left, _sum(right, steps.times(begin, test.span)), test.span),
        Binary(over, left, _sum(right, steps.times(end, test.span)), test.span),
        test.span,
    )
    return inside if op == "==" else negation(inside)


def canonical(op: str, limit: float, rate: float) -> tuple[str, float]:
    """A comparison of whole steps with `limit`, as a clock with this rate has it, and a whole limit.

    >>> canonical(">", 0.0, 1.0), canonical("<", 1.0, -1.0), canonical(">=", 0.5, -1.0)
    (('>=', 1.0), ('<=', 0.0), ('>', 0.0))
    """
    low, high = float(math.floor(limit)), float(math.ceil(limit))
    if rate > 0:
        return (">=" if op[0] == ">" else "<"), (low + 1 if op in (">", "<=") else high)
    if rate < 0:
        return (">" if op[0] == ">" else "<="), (high - 1 if op in ("<", ">=") else low)
    return op, limit


def split(expr: Expr, timers: Timers, is_count: bool) -> Split | None:
    """A number of steps as a time and whole steps; None if it is no such number.

    Where it is no count but a time, whole steps are multiples of the step's length.
    """
    match expr:
        case Name(name) if name in timers.lengths:
            return (ZERO, 1.0) if not is_count else None
        case Name(name) if is_count:
            return (expr, 0.0) if name in timers.counts or name in timers.counters else None
        case Number(value, unit) if is_count:
            return (ZERO, value) if unit is None or unit.dimension == NONE else None
        case Call("steps", (inner,)) if is_count:
            return inner, 0.0
        case Call(function, ()) if function in LENGTHS and not is_count:
            return ZERO, 1.0
        case Unary("-", inner):
            half = split(inner, timers, is_count)
            return half and (negative(half[0]), -half[1])
        case Binary("+" | "-" as op, left, right):
            one, other = split(left, timers, is_count), split(right, timers, is_count)
            if one is None or other is None:
                return None
            sign = 1 if op == "+" else -1
            join = plus if op == "+" else minus
            return join(one[0], other[0]), one[1] + sign * other[1]
        case Binary("*" | "/", _, _):
            return _product(expr, timers, is_count)
    return None if is_count else _time(expr, timers)


def _product(expr: Binary, timers: Timers, is_count: bool) -> Split | None:
    pairs = [(expr.left, expr.right)]
    if expr.op == "*":
        pairs.append((expr.right, expr.left))
    for inner, outer in pairs:
        if not is_count and isinstance(inner, Name) and inner.id in timers.counts:
            is_step = split(outer, timers, False) == (ZERO, 1.0)
            if expr.op == "*" and is_step:
                return inner, 0.0
        factor = fixed_value(outer, {}) if isinstance(outer, Number) else None
        half = split(inner, timers, is_count) if factor else None
        if half is None or factor is None:
            continue
        if isinstance(outer, Number) and outer.unit is not None and outer.unit.dimension != NONE:
            continue
        scale = factor if expr.op == "*" else 1 / factor
        if half[0] == ZERO:
            return ZERO, half[1] * scale
        if is_count and scale != round(scale):
            continue
        join = times if expr.op == "*" else divide
        return (join(outer, half[0]) if join is times else join(half[0], outer)), half[1] * scale
    return None if is_count else _time(expr, timers)


def _time(expr: Expr, timers: Timers) -> Split | None:
    """A time without steps in it."""
    has_steps = any(
        (isinstance(node, Call) and node.function in {*LENGTHS, "steps"})
        or (isinstance(node, Name) and node.id in timers.lengths | timers.counts | timers.counters)
        for node in walk(expr)
    )
    return None if has_steps else (expr, 0.0)


def timers_of(
    component: model.Component,
    counters: Mapping[str, int],
    counts: frozenset[str],
    by_hand: Mapping[str, int],
) -> Timers:
    """The timers of a component: time, counters, and states of the rate 1 or -1."""
    rates: dict[str, int] = {TIME: 1, **counters, **by_hand}
    times_ = {s.name for s in component.state_variables if s.dimension == TIME_DIMENSION}
    moving = set()
    for ode in component.odes:
        rate = fixed_value(ode.rhs, {})
        if ode.variable in times_ and rate is not None and abs(abs(rate) - 1) < 1e-12:
            rates[ode.variable] = 1 if rate > 0 else -1
        else:
            moving.add(ode.variable)
    lengths = {
        d.name
        for d in component.derived_parameters
        if isinstance(d.value, Call) and d.value.function in LENGTHS
    }
    return Timers(rates, frozenset(counters), counts, frozenset(lengths), moving=frozenset(moving))
