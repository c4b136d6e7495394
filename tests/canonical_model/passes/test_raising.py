"""Regimes recovered from time-step programs: continuous time agrees with a fine grid."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from interspike.app.load import load_bytes
from interspike.canonical_model import model as m
from interspike.canonical_model import units as u
from interspike.canonical_model.circuit import Circuit, EventLink, Group, Probe
from interspike.canonical_model.diagnostics import Log, ModelError
from interspike.canonical_model.expr_text import parse_expr as E
from interspike.canonical_model.passes.flatten import flatten
from interspike.canonical_model.passes.raising import raise_program
from interspike.canonical_model.units import Quantity, Unit
from interspike.canonical_model.verify import verify_component
from interspike.solvers.evaluate import evaluate
from interspike.solvers.simulate import simulate

S = Unit("s", u.TIME)


def assign(target: str, value: str) -> m.Assign:
    return m.Assign(target=target, value=E(value))


RESET = (assign("v", "0"), assign("r", "pause"), m.Emit(port="spike"))
COUNTDOWN: dict[str, Any] = dict(
    derived_parameters=(m.DerivedParameter(name="pause", kind=m.INTEGER, value=E("steps(2 ms)")),),
    state_variables=(m.StateVariable(name="v"), m.StateVariable(name="r", kind=m.INTEGER)),
    update=(
        m.If(
            branches=((E("r == 0"), (m.Integrate(variables=("v",)),)),),
            otherwise=(assign("r", "r - 1"),),
        ),
    ),
    on_conditions=(m.OnCondition(test=E("v >= 1"), body=RESET),),
)
CLOCK: dict[str, Any] = dict(
    derived_parameters=(m.DerivedParameter(name="pause", dimension=u.TIME, value=E("2 ms")),),
    state_variables=(m.StateVariable(name="v"), m.StateVariable(name="r", dimension=u.TIME)),
    update=(
        m.If(
            branches=((E("r > 0"), (m.Integrate(variables=("r",)),)),),
            otherwise=(m.Integrate(variables=("v",)),),
        ),
    ),
    on_conditions=(m.OnCondition(test=E("r <= 0 and v >= 1"), body=RESET),),
)
IN_UPDATE: dict[str, Any] = dict(
    CLOCK,
    on_conditions=(),
    update=(
        *CLOCK["update"],
        m.If(branches=((E("v >= 1"), RESET), (E("v < -10"), (assign("v", "-10"),)))),
    ),
)
INTEGRATE = m.Integrate(variables=("v",))
AT_ONCE = m.If(  # one chain of branches holds what is done while refractory and what makes a spike
    branches=(
        (E("r > 0"), (assign("r", "r - 1"), assign("v", "0"))),
        (E("v >= 1"), (*RESET[:1], assign("r", "pause + 1"), RESET[2])),
    )
)
CLAMPED: dict[str, Any] = dict(COUNTDOWN, on_conditions=(), update=(INTEGRATE, AT_ONCE))
OTHER_WAY: dict[str, Any] = dict(
    CLAMPED,
    update=(
        INTEGRATE,
        m.If(branches=((E("0 != r"), AT_ONCE.branches[0][1]), (E("v >= 1"), RESET))),
    ),
)
TIMER: dict[str, Any] = dict(
    CLOCK,
    state_variables=(
        *CLOCK["state_variables"], m.StateVariable(name="resting", kind=m.BOOLEAN),
    ),
    update=(
        m.If(
            branches=((E("resting"), (assign("r", "r - resolution()"),)),), otherwise=(INTEGRATE,)
        ),
    ),
    on_conditions=(
        m.OnCondition(test=E("v >= 1"), body=(*RESET, assign("resting", "1"))),
        m.OnCondition(test=E("resting and r <= resolution() / 2"), body=(assign("resting", "0"),)),
    ),
)  # fmt: skip
SAMPLED: dict[str, Any] = dict(
    CLAMPED,
    update=(
        m.Declare(name="old", value=E("v")),
        INTEGRATE,
        m.If(branches=(AT_ONCE.branches[0], (E("v >= 1 and old < 1"), RESET))),
        assign("v", "if(v < -10, -10, v)"),
    ),
)
NESTED: dict[str, Any] = dict(  # what makes a spike is tested within the test for refractoriness
    COUNTDOWN,
    on_conditions=(),
    update=(
        *COUNTDOWN["update"],
        m.If(branches=((E("r == 0"), (m.If(branches=((E("v >= 1"), RESET),)),)),)),
    ),
)
SINCE: dict[str, Any] = dict(  # the time of the last spike is kept instead of a timer
    CLOCK,
    state_variables=(
        m.StateVariable(name="v"), m.StateVariable(name="last", dimension=u.TIME, initial=E("-1 s")),
    ),
    update=(
        m.If(branches=((E("t > last + pause"), (INTEGRATE,)),)),
        m.If(branches=((E("v >= 1"), (RESET[0], assign("last", "t"), RESET[2])),)),
    ),
    on_conditions=(),
)  # fmt: skip
SEEN_LATE: dict[str, Any] = dict(  # the potential of the step before is above the threshold as well
    COUNTDOWN,
    on_conditions=(),
    update=(
        *SAMPLED["update"][:2],
        m.If(branches=(AT_ONCE.branches[0], (E("v >= 1 and old >= 1"), RESET))),
    ),
)
WITHOUT_CLOCK = (SEEN_LATE, SINCE, NESTED, COUNTDOWN, CLAMPED, OTHER_WAY, TIMER, SAMPLED)


def neuron(style: dict[str, Any]) -> m.Component:
    odes = [
        m.Ode(variable="v", rhs=E("(0.9 + convolve(k, slow) - v) / tau + convolve(delta, fast)"))
    ]
    if not any(style is other for other in WITHOUT_CLOCK):
        odes.append(m.Ode(variable="r", rhs=E("-1")))
    return m.Component(
        name="lif",
        parameters=(m.Parameter(name="tau", dimension=u.TIME, value=Quantity(0.01, S)),),
        kernels=(m.Kernel(name="k", value=E("exp(-t / tau)")),),
        odes=tuple(odes),
        event_inputs=(
            m.EventPort(name="slow", payload=("weight",)),
            m.EventPort(name="fast", payload=("weight",)),
        ),
        event_outputs=(m.EventPort(name="spike"),),
        **style,
    )


def circuit(cell: m.Component) -> Circuit:
    groups = [Group(name="cell", component=flatten(cell).component, size=1)]
    links = []
    for port, weight, times in (
        ("slow", 0.7, (0.01, 0.0125, 0.03, 0.032)),
        ("fast", 0.3, (0.005, 0.0131, 0.0137, 0.0205, 0.0411)),
    ):
        source = m.Component(
            name="source",
            event_outputs=(m.EventPort(name="out"),),
            timed_events=(m.TimedEvents(times=times, body=(m.Emit(port="out"),)),),
        )
        groups.append(Group(name=port, component=source, size=1))
        links.append(
            EventLink(
                source=port, source_port="out", target="cell", target_port=port, pre=np.array([0]),
                post=np.array([0]), weight=np.array([weight]), delay=np.array([1e-3]),
            )
        )  # fmt: skip
    return Circuit(
        name="c",
        groups=tuple(groups),
        event_links=tuple(links),
        probes=(Probe(label="v", group="cell", index=0, variable="v"),),
        event_probes=(Probe(label="spikes", group="cell", index=0, variable="spike"),),
    )


@pytest.mark.parametrize(
    "style",
    [COUNTDOWN, CLOCK, IN_UPDATE, CLAMPED, OTHER_WAY, TIMER, SAMPLED, NESTED, SINCE],
    ids=[
        "counter",
        "clock",
        "in update",
        "clamped",
        "other way",
        "timer",
        "sampled",
        "nested",
        "since",
    ],
)
def test_continuous_time_is_the_limit_of_the_grid(style: dict[str, Any]) -> None:
    cell = neuron(style)
    raised = raise_program(cell)
    assert not verify_component(raised), verify_component(raised)[0].message
    assert raised.update is None and not raised.kernels
    assert [r.name for r in raised.machines[0].regimes].count("refractory") == 1
    smooth = simulate(circuit(raised), mode="continuous", length=0.06, step=1e-4)
    grid = simulate(circuit(cell), mode="grid", length=0.06, step=1e-5)
    assert len(smooth.events["spikes"]) >= 3
    # each spike is late by up to a step, and every pause that starts with it by up to two
    late = 3e-5 * np.arange(1, 1 + len(smooth.events["spikes"]))
    assert np.all(np.abs(smooth.events["spikes"] - grid.events["spikes"]) < late)


def test_without_branches_there_are_no_regimes() -> None:
    style = dict(CLOCK, update=(m.Integrate(),), on_conditions=())
    raised = raise_program(neuron(style))
    assert not raised.machines
    assert {ode.variable for ode in raised.odes} == {"v", "r", "k__X__slow"}


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        (assign("v", "v * 0.99"), "'v' is assigned to in every step"),
        (m.While(test=E("v > 1"), body=(assign("v", "v - 1"),)), "'while' is done in every step"),
        (
            m.If(branches=((E("v > 0"), (assign("v", "v + 0.1 * normal()"),)),)),
            "draws a random number",
        ),
        (m.If(branches=((E("v > resolution() / tau"), (assign("v", "0"),)),)), "resolution"),
    ],
)
def test_what_stands_in_the_way_is_named(statement: m.Statement, why: str) -> None:
    cell = neuron(dict(CLOCK, update=(*CLOCK["update"], statement)))
    with pytest.raises(ModelError, match=why) as caught:
        raise_program(replace(cell))
    assert caught.value.issues[0].code == "K120"


def test_idioms_of_programs_become_what_they_stand_for() -> None:
    cell = neuron(
        dict(
            CLOCK,
            state_variables=(
                *CLOCK["state_variables"], m.StateVariable(name="w"), m.StateVariable(name="old"),
            ),
            update=(
                assign("old", "v"),
                *CLOCK["update"],
                assign("w", "w * exp(-resolution() / (5 ms))"),
                assign("v", "v + 0.5 * arrived(fast)"),
                assign("v", "max(-3, v)"),
            ),
            on_conditions=(
                m.OnCondition(test=E("old < 1 and v >= 1"), body=RESET),
                m.OnCondition(test=E("r <= 0 and old > v and v > 0.2"), body=(assign("w", "w + 1"),)),
            ),
        )
    )  # fmt: skip
    raised = raise_program(cell)
    assert not verify_component(raised), verify_component(raised)[0].message
    regime = next(r for r in raised.machines[0].regimes if r.name == "integrating")
    assert m.Ode(variable="w", rhs=E("-1 / (5 ms) * w")) in (*raised.odes, *regime.odes)
    tests = [c.test for c in (*raised.on_conditions, *regime.on_conditions)]
    assert E("v < -3") in tests and E("v >= 1") in tests
    assert any(
        h.port == "fast" and h.body == (assign("v", "v + 0.5 * weight"),) for h in raised.on_events
    )
    assert not any(s.name == "old" for s in raised.state_variables)


@pytest.mark.parametrize(
    ("pause", "value"),
    [
        ("pause + 1", "2 ms"),
        ("1 + 2 * pause", "2 * (2 ms)"),
        ("pause - 1 + pause", "4 ms"),
        ("7", "0 s"),
    ],
)
def test_whole_steps_beside_a_number_of_steps_take_no_time(pause: str, value: str) -> None:
    body = (assign("v", "0"), assign("r", pause), m.Emit(port="spike"))
    cell = neuron(COUNTDOWN)
    cell = replace(cell, on_conditions=(m.OnCondition(test=E("v >= 1"), body=body),))
    log = Log()
    raised = raise_program(cell, log)
    conditions = [*raised.on_conditions, *raised.machines[0].regimes[0].on_conditions]
    bodies = [c.body for c in conditions if m.Emit(port="spike") in c.body]
    (item,) = [s for s in bodies[0] if getattr(s, "target", "") == "r"]
    assert isinstance(item, m.Assign)
    values = {p.name: evaluate(p.value, {}) for p in raised.derived_parameters}
    assert evaluate(item.value, values) == pytest.approx(evaluate(E(value), {}))
    assert [issue.code for issue in log] == ["K125"]


def test_a_crossing_that_is_seen_a_step_late() -> None:
    log = Log()
    raised = raise_program(neuron(SEEN_LATE), log)
    regime = next(r for r in raised.machines[0].regimes if r.name == "integrating")
    assert [c.test for c in regime.on_conditions if m.Emit(port="spike") in c.body] == [E("v >= 1")]
    assert [issue.code for issue in log] == ["K125"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (dict(derived_variables=(m.DerivedVariable(name="d", value=E("2 / pause")),)), "'pause'"),
        (dict(derived_variables=(m.DerivedVariable(name="d", value=E("r / 2")),)), "'r'"),
        (
            dict(on_conditions=(m.OnCondition(test=E("v >= 1"), body=(assign("r", "v"),)),)),
            "set to",
        ),
        (dict(on_conditions=(m.OnCondition(test=E("r > v"), body=RESET),)), "compared with"),
    ],
)
def test_counts_of_steps_that_mean_more_than_a_time(change: dict[str, Any], why: str) -> None:
    with pytest.raises(ModelError, match=why) as caught:
        raise_program(replace(neuron(COUNTDOWN), **change))
    assert caught.value.issues[0].code == "K120"


def test_a_held_potential_forgets_what_arrives() -> None:
    arriving = assign("v", "v + 0.5 * arrived(fast)")
    cell = neuron(CLAMPED)
    raised = raise_program(replace(cell, update=(INTEGRATE, arriving, AT_ONCE)))
    handlers = {r.name: r.on_events for r in raised.machines[0].regimes}
    moved = [
        h
        for h in handlers["integrating"]
        if any(s == assign("v", "v + 0.5 * weight") for s in h.body)
    ]
    assert [h.port for h in moved] == ["fast"]
    assert all(not h.body for h in handlers["refractory"])


def test_a_counter_starts_at_a_share_of_its_period() -> None:
    text = b"""
model halfway:
    state:
        n integer = period / 2
    parameters:
        rate Hz = 10 Hz
    internals:
        period integer = steps(1 / rate)
    output:
        spike
    update:
        if n >= period - 1:
            emit_spike()
            n = 0
        else:
            n += 1
"""
    (cell,) = load_bytes(text, file="halfway.nestml", log=Log()).components
    raised = raise_program(cell)
    (state,) = raised.state_variables
    assert state.initial == E("period / 2")
