"""A kernel given as a function of time, as a sum of c t^m exp(k t) and its oscillating kin.

Every such function is the impulse response of a chain of linear first-order ODEs, so that its convolution
with spikes needs a few states and no history (Rotter and Diesmann 1999, section 3).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from .algebra import divide, negative, plus, times
from .expr import ONE, TIME, ZERO, Binary, Call, Expr, Name, Number, Unary, free_names

MAX_POWER = 8
MAX_TERMS = 32


@dataclass(frozen=True, slots=True)
class Mode:
    """t^power exp(rate t) times 1, sin(frequency t) or cos(frequency t) (`wave` "", "sin", "cos")."""

    power: int
    rate: Expr
    wave: str = ""
    frequency: Expr = ZERO


@dataclass(frozen=True, slots=True)
class Term:
    """factor * mode."""

    factor: Expr
    mode: Mode


CONSTANT = Mode(0, ZERO)


def decompose(value: Expr) -> dict[Mode, Expr] | None:
    """The factors of the modes of a function of `t`; None if it is no such sum."""
    terms = _terms(value)
    if terms is None or len(terms) > MAX_TERMS:
        return None
    found: dict[Mode, Expr] = {}
    for term in terms:
        found[term.mode] = plus(found.get(term.mode, ZERO), term.factor)
    return found


def _terms(expr: Expr) -> list[Term] | None:
    if TIME not in free_names(expr):
        return [Term(expr, CONSTANT)]
    match expr:
        case Name(name) if name == TIME:
            return [Term(ONE, Mode(1, ZERO))]
        case Unary("-", operand):
            return _scaled(_terms(operand), lambda factor: negative(factor))
        case Binary("+" | "-", left, right):
            a, b = _terms(left), _terms(right)
            if expr.op == "-":
                b = _scaled(b, lambda factor: negative(factor))
            return None if a is None or b is None else [*a, *b]
        case Binary("*", left, right):
            return _product(_terms(left), _terms(right))
        case Binary("/", left, right) if TIME not in free_names(right):
            return _scaled(_terms(left), lambda factor: divide(factor, right))
        case Binary("^", base, Number(exponent)) if exponent == int(exponent) and exponent > 0:
            return _power(base, int(exponent))
        case Call("exp", (inner,)):
            return _exponential(inner)
        case Call("sin" | "cos", (inner,)):
            return _wave(expr.function, inner)
    return None


def _scaled(terms: list[Term] | None, change: object) -> list[Term] | None:
    assert callable(change)
    return None if terms is None else [Term(change(term.factor), term.mode) for term in terms]


def _power(base: Expr, exponent: int) -> list[Term] | None:
    one = _terms(base)
    total = one
    for _ in range(min(exponent, MAX_POWER + 1) - 1):
        total = _product(total, one)
    return total if exponent <= MAX_POWER else None


def _product(left: list[Term] | None, right: list[Term] | None) -> list[Term] | None:
    if left is None or right is None or len(left) * len(right) > MAX_TERMS:
        return None
    found = []
    for a in left:
        for b in right:
            if a.mode.wave and b.mode.wave:
                return None
            waving = a.mode if a.mode.wave else b.mode
            power = a.mode.power + b.mode.power
            if power > MAX_POWER or (waving.wave and power):
                return None
            rate = plus(a.mode.rate, b.mode.rate)
            mode = Mode(power, rate, waving.wave, waving.frequency)
            found.append(Term(times(a.factor, b.factor), mode))
    return found


def _linear(expr: Expr) -> tuple[Expr, Expr] | None:
    """(slope, offset) of an affine function of t."""
    terms = _terms(expr)
    if terms is None or any(t.mode not in (CONSTANT, Mode(1, ZERO)) for t in terms):
        return None
    slope: Expr = ZERO
    offset: Expr = ZERO
    for term in terms:
        if term.mode.power:
            slope = plus(slope, term.factor)
        else:
            offset = plus(offset, term.factor)
    return slope, offset


def _exponential(inner: Expr) -> list[Term] | None:
    form = _linear(inner)
    if form is None:
        return None
    slope, offset = form
    return [Term(_exp(offset), Mode(0, slope))]


def _exp(value: Expr) -> Expr:
    if isinstance(value, Number) and value.unit is None:
        return Number(math.exp(value.value))
    return Call("exp", (value,))


def _wave(function: str, inner: Expr) -> list[Term] | None:
    form = _linear(inner)
    if form is None:
        return None
    frequency, phase = form
    sine, cosine = Mode(0, ZERO, "sin", frequency), Mode(0, ZERO, "cos", frequency)
    own, other = (sine, cosine) if function == "sin" else (cosine, sine)
    if phase == ZERO:
        return [Term(ONE, own)]
    # sin(a + p) = sin a cos p + cos a sin p, cos(a + p) = cos a cos p - sin a sin p
    second = Call("sin", (phase,))
    signed = second if function == "sin" else negative(second)
    return [Term(Call("cos", (phase,)), own), Term(signed, other)]


@dataclass(frozen=True, slots=True)
class Chain:
    """States s_0 .. s_n of one rate: s_0' = rate s_0, s_k' = rate s_k + s_{k-1}; or a sine and cosine pair.

    `jumps` is what each state gains from a spike of weight 1; the convolution is the sum of `reads`
    times the states. `orders`: the power of time in each state's dimension, next to the convolution's if
    the chain `is_lone` (a single mode, whose first state is the convolution itself).
    """

    rates: tuple[Mapping[int, Expr], ...]
    jumps: tuple[Expr, ...]
    reads: tuple[Expr, ...]
    orders: tuple[int, ...]
    is_lone: bool


def chain(modes: Mapping[Mode, Expr]) -> Chain:
    """The states whose combination is the sum of the modes: last state first read, jump where needed.

    A lone c t^m exp(rate t) is its last state itself: the factor is in the jump, so that the state is
    the convolution.
    """
    rates: list[dict[int, Expr]] = []
    jumps: list[Expr] = []
    reads: list[Expr] = []
    is_lone = len(modes) == 1 and not next(iter(modes)).wave
    orders: list[int] = []
    for rate in dict.fromkeys(mode.rate for mode in modes if not mode.wave):
        powers = {m.power: f for m, f in modes.items() if m.rate == rate and not m.wave}
        _add_powers(rate, powers, rates, jumps, reads, is_lone)
        top = max(powers)
        orders += [-k if is_lone else top - k for k in range(top + 1)]
    pairs = dict.fromkeys((m.rate, m.frequency) for m in modes if m.wave)
    for rate, frequency in pairs:
        base = len(rates)
        rates.append({base: rate, base + 1: frequency})
        rates.append({base + 1: rate, base: negative(frequency)})
        jumps += [ZERO, ONE]
        orders += [0, 0]
        reads += [
            modes.get(Mode(0, rate, "sin", frequency), ZERO),
            modes.get(Mode(0, rate, "cos", frequency), ZERO),
        ]
    return Chain(tuple(rates), tuple(jumps), tuple(reads), tuple(orders), is_lone)


def _add_powers(
    rate: Expr,
    powers: Mapping[int, Expr],
    rates: list[dict[int, Expr]],
    jumps: list[Expr],
    reads: list[Expr],
    is_lone: bool,
) -> None:
    """The chain of one rate, its highest power first."""
    top = max(powers)
    base = len(rates)
    for position in range(top + 1):
        power = top - position
        own = {base + position: rate}
        if power:
            # d/dt t^k exp = rate t^k exp + k t^(k-1) exp
            own[base + position + 1] = Number(float(power))
        rates.append({k: v for k, v in own.items() if v != ZERO})
        if is_lone:
            jumps.append(powers[top] if power == 0 else ZERO)
            reads.append(ONE if position == 0 else ZERO)
        else:
            jumps.append(ONE if power == 0 else ZERO)
            reads.append(powers.get(power, ZERO))
