"""The reference simulator against closed forms, in continuous time and on the grid."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from interspike.canonical_model.circuit import AnalogLink, Circuit, EventLink, Group, Probe
from interspike.canonical_model.diagnostics import ModelError
from interspike.canonical_model.expr import Name, Number
from interspike.canonical_model.expr_text import parse_expr
from interspike.canonical_model.model import (
    AnalogInput,
    Assign,
    Component,
    DerivedVariable,
    Emit,
    EventPort,
    Ode,
    OnCondition,
    OnEvent,
    Parameter,
    Regime,
    RegimeMachine,
    StateVariable,
    TimedEvents,
    Transition,
)
from interspike.canonical_model.units import Quantity
from interspike.solvers.compile import compile_circuit
from interspike.solvers.continuous import prepare
from interspike.solvers.discrete import start
from interspike.solvers.simulate import simulate

SPIKE = (EventPort(name="spike"),)


def lif(**parameters: float) -> Component:
    """tau v' = drive - v, reset to 0 above thresh."""
    values = {"tau": 0.01, "drive": 0.03, "thresh": 0.02, **parameters}
    return Component(
        name="lif",
        parameters=tuple(Parameter(name=k, value=Quantity(v)) for k, v in values.items()),
        state_variables=(StateVariable(name="v"),),
        odes=(Ode(variable="v", rhs=parse_expr("(drive - v) / tau")),),
        on_conditions=(
            OnCondition(
                test=parse_expr("v > thresh"),
                body=(Assign(target="v", value=Number(0.0)), Emit(port="spike")),
            ),
        ),
        event_outputs=SPIKE,
    )


def circuit(*groups: Group, **more: Any) -> Circuit:
    events = tuple(
        Probe(label=f"{g.name}[{k}]", group=g.name, index=k, variable="spike")
        for g in groups
        if g.component.event_outputs
        for k in range(g.size)
    )
    return Circuit(
        name="c", groups=groups, **{"event_probes": events, "length": 0.1, "step": 1e-4, **more}
    )


def test_lif_spike_times_are_located_to_a_picosecond() -> None:
    drives = np.array([0.025, 0.03, 0.06])
    group = Group(name="g", component=lif(), size=3, parameters={"drive": drives})
    result = simulate(circuit(group))
    for k, drive in enumerate(drives):
        period = 0.01 * math.log(drive / (drive - 0.02))
        times = result.events[f"g[{k}]"]
        assert len(times) == int(0.1 / period)
        # 1e-9 ms per located event; the integrator's own error accumulates over the spikes
        assert np.max(np.abs(times - period * np.arange(1, len(times) + 1))) < 1e-12 * len(times)


def test_grid_converges_to_continuous_time() -> None:
    group = Group(name="g", component=lif(), size=1)
    truth = simulate(circuit(group)).events["g[0]"][0]
    for step in (1e-3, 1e-4, 1e-5):
        found = simulate(circuit(group), mode="grid", step=step).events["g[0]"][0]
        assert 0 <= found - truth <= step * 1.001


def test_a_ball_bounces_at_the_closed_form_times() -> None:
    ball = Component(
        name="ball",
        state_variables=(StateVariable(name="y", initial=Number(5.0)), StateVariable(name="u")),
        odes=(Ode(variable="y", rhs=Name("u")), Ode(variable="u", rhs=Number(-9.8))),
        on_conditions=(
            OnCondition(
                test=parse_expr("y < 0"),
                body=(
                    Assign(target="u", value=parse_expr("-0.9 * u")),
                    Assign(target="y", value=Number(0.0)),
                    Emit(port="spike"),
                ),
            ),
        ),
        event_outputs=SPIKE,
    )
    result = simulate(circuit(Group(name="b", component=ball, size=1), length=4.0, step=0.01))
    first = math.sqrt(2 * 5 / 9.8)
    speed = 9.8 * first
    expected = [first, first + 2 * 0.9 * speed / 9.8]
    assert np.allclose(result.events["b[0]"][:2], expected, rtol=0, atol=1e-9)


def refractory(pause: float) -> Component:
    base = lif(pause=pause)
    waiting = Regime(
        name="waiting",
        on_entry=(
            Assign(target="last", value=Name("t")),
            Assign(target="v", value=Number(0.0)),
        ),
        on_conditions=(
            OnCondition(test=parse_expr("t > last + pause"), body=(Transition(regime="up"),)),
        ),
    )
    up = Regime(
        name="up",
        initial=True,
        odes=base.odes,
        on_conditions=(
            OnCondition(
                test=parse_expr("v > thresh"),
                body=(Emit(port="spike"), Transition(regime="waiting")),
            ),
        ),
    )
    return Component(
        name="r",
        parameters=base.parameters,
        state_variables=(*base.state_variables, StateVariable(name="last")),
        machines=(RegimeMachine(regimes=(waiting, up)),),
        event_outputs=SPIKE,
    )


@pytest.mark.parametrize("pause", [0.0, 0.002, 0.0031])
def test_refractory_pauses_last_exactly(pause: float) -> None:
    result = simulate(circuit(Group(name="r", component=refractory(pause), size=1)))
    period = 0.01 * math.log(3.0)
    gaps = np.diff(result.events["r[0]"])
    assert np.allclose(gaps, period + pause, rtol=0, atol=1e-11)


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 10, 20, 33])
def test_a_pause_of_n_steps_lasts_n_steps_on_the_grid(steps: int) -> None:
    """A float timer misses some multiples of the step; ours must not."""
    step = 1e-4
    group = Group(name="r", component=refractory(steps * step), size=1)
    base = Group(name="r", component=refractory(0.0), size=1)
    gaps = np.diff(simulate(circuit(group), mode="grid", step=step).events["r[0]"]) / step
    plain = np.diff(simulate(circuit(base), mode="grid", step=step).events["r[0]"]) / step
    assert np.allclose(gaps, gaps[0])
    assert round(gaps[0] - plain[0]) == steps


def counter() -> Component:
    return Component(
        name="counter",
        state_variables=(StateVariable(name="n"), StateVariable(name="at")),
        on_events=(
            OnEvent(
                port="in",
                body=(
                    Assign(target="n", value=parse_expr("n + weight")),
                    Assign(target="at", value=Name("t")),
                ),
            ),
        ),
        event_inputs=(EventPort(name="in", payload=("weight",)),),
    )


@pytest.mark.parametrize(("mode", "delay", "expected"), [
    ("continuous", 0.00103, 0.00303), ("continuous", 0.0, 0.002), ("grid", 0.001, 0.003),
    ("grid", 0.00103, 0.0031), ("grid", 0.0, 0.002),
])  # fmt: skip
def test_delays_on_and_off_the_grid(mode: str, delay: float, expected: float) -> None:
    source = Component(
        name="source",
        timed_events=(TimedEvents(times=(0.002,), body=(Emit(port="spike"),)),),
        event_outputs=SPIKE,
    )
    link = EventLink(
        source="s", source_port="spike", target="k", target_port="in",
        pre=np.array([0, 0]), post=np.array([0, 1]), weight=np.array([2.0, 0.5]),
        delay=np.full(2, delay),
    )  # fmt: skip
    probes = tuple(
        Probe(label=f"{v}{k}", group="k", index=k, variable=v) for v in ("n", "at") for k in (0, 1)
    )
    groups = (
        Group(name="s", component=source, size=1),
        Group(name="k", component=counter(), size=2),
    )
    result = simulate(circuit(*groups, event_links=(link,), probes=probes, length=0.01), mode=mode)
    assert [result.traces["n0"][-1], result.traces["n1"][-1]] == [2.0, 0.5]
    assert result.traces["at0"][-1] == pytest.approx(expected, abs=1e-12)


def test_several_events_at_once_all_count() -> None:
    source = Component(
        name="source",
        timed_events=(TimedEvents(times=(0.002, 0.002, 0.005), body=(Emit(port="spike"),)),),
        event_outputs=SPIKE,
    )
    link = EventLink(
        source="s", source_port="spike", target="k", target_port="in",
        pre=np.array([0, 1, 1]), post=np.array([0, 0, 0]), weight=np.array([1.0, 10.0, 100.0]),
    )  # fmt: skip
    probe = Probe(label="n", group="k", index=0, variable="n")
    groups = (
        Group(name="s", component=source, size=2),
        Group(name="k", component=counter(), size=1),
    )
    for mode in ("continuous", "grid"):
        result = simulate(
            circuit(*groups, event_links=(link,), probes=(probe,), length=0.01), mode=mode
        )
        assert result.traces["n"][-1] == 3 * 111.0


def test_a_gap_junction_pair_relaxes_as_the_closed_form() -> None:
    """x' = k (y - x), y' = k (x - y): the difference decays with 2k."""
    cell = Component(
        name="cell",
        state_variables=(StateVariable(name="v"),),
        derived_variables=(DerivedVariable(name="i", value=parse_expr("100 * (peer - v)")),),
        odes=(Ode(variable="v", rhs=Name("i")),),
        analog_inputs=(AnalogInput(name="peer"),),
    )
    group = Group(name="g", component=cell, size=2, initial={"v": np.array([1.0, 0.0])})
    link = AnalogLink(
        source="g",
        variable="v",
        target="g",
        input="peer",
        pre=np.array([1, 0]),
        post=np.array([0, 1]),
    )
    probe = Probe(label="v", group="g", index=0, variable="v")
    result = simulate(circuit(group, analog_links=(link,), probes=(probe,), length=0.02))
    assert np.allclose(result.traces["v"], 0.5 + 0.5 * np.exp(-200 * result.times), rtol=1e-8)


def test_algebraic_loops_and_endless_events_are_errors() -> None:
    loop = Component(
        name="loop",
        derived_variables=(DerivedVariable(name="a", value=Name("x")),),
        analog_inputs=(AnalogInput(name="x"),),
    )
    link = AnalogLink(
        source="g", variable="a", target="g", input="x", pre=np.array([0]), post=np.array([0])
    )
    with pytest.raises(ModelError, match="S310"):
        simulate(circuit(Group(name="g", component=loop, size=1), analog_links=(link,)))
    flip = Component(
        name="flip",
        state_variables=(StateVariable(name="x"),),
        on_conditions=(
            OnCondition(test=parse_expr("x < 1"), body=(Assign(target="x", value=Number(2.0)),)),
            OnCondition(test=parse_expr("x > 1"), body=(Assign(target="x", value=Number(0.0)),)),
        ),
    )
    with pytest.raises(ModelError, match="S311"):
        simulate(circuit(Group(name="g", component=flip, size=1)))


def test_a_seed_gives_the_same_run_again() -> None:
    noisy = Component(
        name="noisy",
        state_variables=(StateVariable(name="next", initial=parse_expr("0.01 * uniform()")),),
        on_conditions=(
            OnCondition(
                test=parse_expr("t > next"),
                body=(
                    Assign(target="next", value=parse_expr("t + 0.001 + 0.01 * uniform()")),
                    Emit(port="spike"),
                ),
            ),
        ),
        event_outputs=SPIKE,
    )
    group = Group(name="n", component=noisy, size=3)
    first, again, other = (simulate(circuit(group), seed=s).events["n[0]"] for s in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_state_at_rest_at_zero_does_not_hold_up_the_run() -> None:
    cell = Component(
        name="cell",
        state_variables=(StateVariable(name="v", initial=Number(-0.06)), StateVariable(name="u")),
        odes=(
            # the three conductances cancel but for rounding
            Ode(
                variable="v", rhs=parse_expr("(0.1 * (0 - v) + 0.2 * (0 - v) - 0.018) / 0.003 - u")
            ),
            Ode(variable="u", rhs=parse_expr("30 * (0.2 * (v + 0.06) - u)")),
        ),
    )
    engine = compile_circuit(circuit(Group(name="cell", component=cell, size=1)), 1)
    run = prepare(start(engine), 1e-8, 0.01)
    run.advance(10.0, lambda t0, t1, dense: None)
    assert run.evaluations < 20_000
