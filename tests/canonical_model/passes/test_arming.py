"""Triggers that count when they become true: in continuous time, on the grid, and in what is generated."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from interspike.app.simulate import with_probes
from interspike.canonical_model.diagnostics import Log
from interspike.canonical_model.expr_parse import parse_expr
from interspike.canonical_model.model import (
    Assign,
    Component,
    Emit,
    EventPort,
    Model,
    Ode,
    OnCondition,
    Parameter,
    Regime,
    RegimeMachine,
    Statement,
    StateVariable,
    Transition,
)
from interspike.canonical_model.passes.arming import arm
from interspike.canonical_model.passes.edging import levels_to_edges
from interspike.canonical_model.passes.intervals import bounds, certain
from interspike.canonical_model.passes.wire import wire
from interspike.canonical_model.query import conditions
from interspike.canonical_model.units import TIME, Quantity, Unit
from interspike.solvers.evaluate import evaluate
from interspike.solvers.simulate import simulate

MS = Unit("ms", TIME, 1e-3)
FIRE = Emit(port="spike")


def when(test: str, *body: Statement, rising: bool = True) -> OnCondition:
    return OnCondition(test=parse_expr(test), body=body, rising=rising)


def be(target: str, value: str) -> Assign:
    return Assign(target=target, value=parse_expr(value))


def cell(states: dict[str, str], rates: dict[str, str], *found: OnCondition | Regime) -> Component:
    odes = tuple(Ode(variable=name, rhs=parse_expr(text)) for name, text in rates.items())
    regimes = tuple(item for item in found if isinstance(item, Regime))
    return Component(
        name="cell",
        parameters=(Parameter(name="tau", dimension=TIME, value=Quantity(10.0, MS)),),
        state_variables=tuple(
            StateVariable(name=name, initial=parse_expr(text)) for name, text in states.items()
        ),
        odes=odes,
        on_conditions=tuple(item for item in found if isinstance(item, OnCondition)),
        machines=(RegimeMachine(regimes=regimes),) if regimes else (),
        event_outputs=(EventPort(name="spike"),),
    )


def spikes(component: Component, length: float, mode: str = "grid") -> np.ndarray:  # type: ignore[type-arg]
    model = Model(name="m", components=(component,))
    circuit = with_probes(wire(model, Log(), continuous=mode == "continuous"))
    (times,) = simulate(circuit, mode=mode, length=length, step=1e-4).events.values()
    return np.asarray(times)


def wave(test: OnCondition) -> Component:
    """x = sin(t/tau): above 1/2 for a third of each period."""
    return cell({"x": "0", "y": "1"}, {"x": "y/tau", "y": "-x/tau"}, test)


@pytest.mark.parametrize("mode", ["grid", "continuous"])
def test_one_event_for_each_rise(mode: str) -> None:
    times = spikes(wave(when("x > 0.5", FIRE)), 0.3, mode)
    wanted = 0.01 * (np.arcsin(0.5) + 2 * np.pi * np.arange(5))
    assert len(times) == 5 and np.all(np.abs(times - wanted) < (2e-4 if mode == "grid" else 1e-9))


def test_levels_stay_levels() -> None:
    """What other languages write fires in every step as long as it holds."""
    times = spikes(wave(when("x > 0.5", FIRE, rising=False)), 0.06)
    assert len(times) == pytest.approx(0.02 * np.pi / 3 / 1e-4, abs=2)


def stuck(first: str, test: str) -> Component:
    """Fires at 1 with x rising by 1 in each tau, then waits in another regime for `test`."""
    rise = (Ode(variable="x", rhs=parse_expr("1/tau")),)
    up = Regime(name="up", initial=True, odes=rise, on_conditions=(
        when("x > 1", be("last", first), FIRE, Transition(regime="wait")),))  # fmt: skip
    wait = Regime(name="wait", odes=rise, on_conditions=(
        when(test, be("x", "0"), Transition(regime="up")),))  # fmt: skip
    return cell({"x": "0", "last": "0"}, {}, up, wait)


@pytest.mark.parametrize("mode", ["grid", "continuous"])
@pytest.mark.parametrize(
    ("test", "count"),
    [
        ("x > 1.5", 6),
        ("x > 0.5", 1),
        ("x >= last + 0.5", 6),
        ("t > -tau", 1),
        ("t > last*tau + tau/2", 6),
    ],
)
def test_what_holds_at_entry_waits(test: str, count: int, mode: str) -> None:
    """A pause that is over before it begins never ends, as with constant spike times in NineML."""
    first = "t/tau" if "tau/2" in test else "x"
    assert len(spikes(stuck(first, test), 0.095, mode)) == count


def test_a_pause_of_length_zero_ends_at_once() -> None:
    assert len(spikes(stuck("t/tau", "t > last*tau"), 0.035, "continuous")) == 3


@pytest.mark.parametrize("mode", ["grid", "continuous"])
def test_what_holds_at_the_start_waits(mode: str) -> None:
    falling = cell(
        {"x": "2"}, {"x": "-x/tau"}, when("x > 1", FIRE), when("x < 0.5", be("x", "2"), FIRE)
    )
    times = spikes(falling, 0.05, mode)
    # from 2 down to 1/2 takes 2 ln 2; each time x jumps back above 1
    period = 0.01 * math.log(4)
    assert len(times) == 2 * int(0.05 / period)
    assert np.all(np.abs(times[::2] - period * np.arange(1, 4)) < 4e-4)


def test_resets_below_the_threshold_need_no_state() -> None:
    plain = cell({"x": "0"}, {"x": "1/tau"}, when("x > 1", be("x", "0.5 - 1"), FIRE))
    assert arm(plain).state_variables == plain.state_variables
    assert not any(c.rising for c in conditions(arm(plain)))
    assert len(arm(plain, {"x": (0.0, 3.0)}).state_variables) == 2


def test_paused_cells_need_no_state() -> None:
    rise = (Ode(variable="x", rhs=parse_expr("1/tau")),)
    up = Regime(name="up", initial=True, odes=rise, on_conditions=(
        when("x > 1", be("x", "0"), be("end", "t + tau"), FIRE, Transition(regime="wait")),))  # fmt: skip
    wait = Regime(name="wait", on_conditions=(when("t > end", Transition(regime="up")),))
    paused = cell({"x": "0", "end": "0"}, {}, up, wait)
    assert len(arm(paused).state_variables) == 2
    assert len(spikes(paused, 0.095)) == len(spikes(paused, 0.095, "continuous")) == 5


def test_a_random_wait_needs_no_state() -> None:
    source = cell(
        {"next": "0"}, {}, when("t > next*tau", be("next", "t/tau - log(1 - uniform())"), FIRE)
    )
    assert len(arm(source).state_variables) == 1


LEAVES = st.sampled_from(["a", "b", "c", "0.5", "-2", "3"])
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda p: f"({p[0]} {p[1]} {p[2]})"),
        inner.map(lambda x: f"(-{x})"),
        inner.map(lambda x: f"{x}^2" if x.isalpha() else f"({x})^3"),
        st.tuples(st.sampled_from(["exp", "abs", "tanh", "sin", "sinh"]), inner).map("{0[0]}({0[1]})".format),
        st.tuples(st.sampled_from(["min", "max"]), inner, inner).map("{0[0]}({0[1]}, {0[2]})".format),
    ),
    max_leaves=6,
)  # fmt: skip
RANGES = st.tuples(st.floats(-3, 3), st.floats(0, 2)).map(lambda p: (p[0], p[0] + p[1]))


@settings(max_examples=200, deadline=None)
@given(EXPRESSIONS, EXPRESSIONS, RANGES, RANGES, RANGES, st.tuples(*[st.floats(0, 1)] * 3))
def test_bounds_hold_for_every_value(
    one: str,
    other: str,
    a: tuple[float, float],
    b: tuple[float, float],
    c: tuple[float, float],
    place: tuple[float, float, float],
) -> None:
    known = {"a": a, "b": b, "c": c}
    at = {n: lo + p * (hi - lo) for (n, (lo, hi)), p in zip(known.items(), place, strict=True)}
    expr = parse_expr(one)
    with np.errstate(all="ignore"):
        value = float(evaluate(expr, at))
        low, high = bounds(expr, known)
        if math.isfinite(value):
            slack = 1e-9 * (1 + abs(value))
            assert low - slack <= value <= high + slack
        test = parse_expr(f"{one} < {other}")
        truth, gap = certain(test, known), float(evaluate(parse_expr(f"{one} - {other}"), at))
        if truth is not None and abs(gap) > 1e-6 and math.isfinite(gap):
            assert truth == bool(evaluate(test, at))


def level(test: str, *body: Statement) -> OnCondition:
    return when(test, *body, rising=False)


def go(name: str) -> Transition:
    return Transition(regime=name)


def risen(component: Component) -> Component:
    """What the component is to a reader whose triggers fire when they become true."""
    machines = tuple(
        replace(
            m, regimes=tuple(replace(r, on_conditions=edges(r.on_conditions)) for r in m.regimes)
        )
        for m in component.machines
    )
    return replace(component, on_conditions=edges(component.on_conditions), machines=machines)


def edges(found: tuple[OnCondition, ...]) -> tuple[OnCondition, ...]:
    return tuple(replace(item, rising=True) for item in found)


LATE = (
    Regime(name="on", initial=True, on_conditions=(
        level("v > 1", be("last", "t"), FIRE, go("off")),)),
    Regime(name="off", on_conditions=(level("t > last + 5 ms", go("on")),)),
)  # fmt: skip


@pytest.mark.parametrize(
    ("one", "is_plain"),
    [
        (cell({"v": "2", "last": "0 ms"}, {"v": "(3 - v) / tau"}, *LATE), False),
        (cell({"v": "0"}, {"v": "(9 - v) / tau"}, level("v > 1", be("v", "v - 0.4"), FIRE)), False),
        (cell({"v": "0"}, {"v": "(3 - v) / tau"}, level("v > 1", be("v", "0"), FIRE)), True),
    ],
    ids=["above it at the start and after a pause", "above it after its own body", "below it"],
)
def test_levels_as_edges(one: Component, is_plain: bool) -> None:
    log = Log()
    other = levels_to_edges(one, log, "X327")
    ours, theirs = spikes(one, 0.06), spikes(risen(other), 0.06)
    assert len(ours) > 3
    assert theirs == pytest.approx(ours, abs=1.01e-4 * len(ours))
    assert (other == one) == is_plain
    assert not list(log)


def test_what_acts_in_each_step_is_an_approximation() -> None:
    log = Log()
    levels_to_edges(wave(when("x > 0.5", FIRE, rising=False)), log, "X327")
    assert [issue.code for issue in log] == ["X327"]
