"""Hybrid systems as programs of a step: the same spikes as in continuous time, up to the grid."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from interspike.app import load
from interspike.app.convert import convert
from interspike.canonical_model.circuit import Circuit, Group, Probe
from interspike.canonical_model.diagnostics import Log, ModelError
from interspike.canonical_model.expr import ZERO, Conditional, Name, Number, walk
from interspike.canonical_model.expr_text import parse_expr
from interspike.canonical_model.model import (
    Assign,
    Component,
    Emit,
    EventPort,
    Exposure,
    Model,
    Ode,
    OnCondition,
    Parameter,
    Regime,
    RegimeMachine,
    StateVariable,
    TimedEvents,
    Transition,
)
from interspike.canonical_model.passes.bound import bound_growth
from interspike.canonical_model.passes.fuse import fuse
from interspike.canonical_model.passes.program import lower_program
from interspike.canonical_model.passes.wire import wire
from interspike.canonical_model.units import TIME, Quantity, Unit
from interspike.exporters.nestml.choices import strict_choices
from interspike.exporters.nestml.lower import lower
from interspike.solvers.simulate import simulate

SHARED = Path(__file__).resolve().parents[4] / "shared" / "models" / "neuroml"
S = Unit("s", TIME)
# case -> (length, step) in seconds
CASES = {
    "01_iaf_four_types": (0.1, 2e-5),
    "02_izhikevich2003": (0.06, 1e-5),
    "04_adex": (0.1, 5e-5),
    "07_network_synapses": (0.14, 5e-5),
    "08_current_synapse": (0.15, 5e-5),
    "11_short_term_plasticity": (0.1, 5e-5),
    "12_hh_single_compartment": (0.15, 5e-5),
    "14_gap_junction": (0.15, 5e-5),
    "20_lems_regimes": (0.08, 5e-5),
    "24_own_02_regimes": (0.1, 5e-5),
    "25_own_03_delays": (0.06, 5e-5),
}


def published(case: str) -> Path:
    """The file of a published model; skips where the models are absent."""
    if not SHARED.is_dir():
        pytest.skip("the published models are not beside the checkout")
    cases = json.loads((SHARED / "MANIFEST.json").read_text())["cases"]
    entry = next(item for item in cases if item["case"] == case)
    return SHARED / case / entry["file"]


def programmed(component: Component) -> Component:
    return lower_program(lower(bound_growth(component)))


def compare(circuit: Circuit, length: float, step: float) -> dict[str, tuple[int, float]]:
    """For each event port: how many events, and the largest difference in time, in steps."""
    probes = tuple(
        Probe(label=f"{group.name}/{port.name}", group=group.name, index=0, variable=port.name)
        for group in circuit.groups
        for port in group.component.event_outputs
    )
    circuit = replace(circuit, event_probes=probes, probes=())
    programs = tuple(replace(g, component=programmed(g.component)) for g in circuit.groups)
    exact = simulate(circuit, mode="continuous", length=length, step=length)
    grid = simulate(replace(circuit, groups=programs), mode="grid", length=length, step=step)
    found = {}
    for probe in probes:
        one, other = (np.array(run.events[probe.label]) for run in (exact, grid))
        assert len(one) == len(other), probe.label
        found[probe.label] = (len(one), float(np.max(np.abs(one - other), initial=0.0) / step))
    return found


@pytest.mark.parametrize("case", CASES)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_published_models_spike_at_the_same_times(case: str) -> None:
    length, step = CASES[case]
    log = Log()
    circuit = fuse(wire(load.load(published(case), log=log), log), sources=True)
    found = compare(circuit, length, step)
    for label, (count, worst) in found.items():
        # every crossing is found up to a step late, and bursts amplify what the reset started from
        assert worst <= (30 if case == "04_adex" else 2 + 1.5 * count), label


def with_pause(pause: float) -> Component:
    """Fires every 10 ms unless it has to wait longer."""
    return Component(
        name="metronome",
        parameters=(
            Parameter(name="pause", dimension=TIME, value=Quantity(pause, S)),
            Parameter(name="period", dimension=TIME, value=Quantity(0.01, S)),
        ),
        state_variables=(
            StateVariable(name="x", initial=ZERO),
            StateVariable(name="last", dimension=TIME, initial=ZERO),
        ),
        event_outputs=(EventPort(name="spike"),),
        machines=(
            RegimeMachine(
                regimes=(
                    Regime(
                        name="waiting",
                        on_entry=(
                            Assign(target="last", value=Name("t")),
                            Assign(target="x", value=ZERO),
                        ),
                        on_conditions=(
                            OnCondition(
                                test=parse_expr("t > last + pause"),
                                body=(Transition(regime="moving"),),
                            ),
                        ),
                    ),
                    Regime(
                        name="moving",
                        initial=True,
                        odes=(Ode(variable="x", rhs=parse_expr("1 / period")),),
                        on_conditions=(
                            OnCondition(
                                test=parse_expr("x >= 0.99999"),
                                body=(Emit(port="spike"), Transition(regime="waiting")),
                            ),
                        ),
                    ),
                ),
            ),
        ),
    )


@pytest.mark.parametrize("pause", [0.0, 7e-4, 1.1e-3, 5.7e-3, 1.01e-2])
def test_a_refractory_period_lasts_exactly_its_steps(pause: float) -> None:
    group = Group(name="g", component=programmed(with_pause(pause)), size=1)
    probe = Probe(label="s", group="g", index=0, variable="spike")
    circuit = Circuit(name="c", groups=(group,), event_probes=(probe,))
    times = np.array(simulate(circuit, mode="grid", length=0.1, step=1e-4).events["s"])
    expected = np.arange(0.01, 0.1 + 1e-9, 0.01 + pause)
    assert times == pytest.approx(expected, abs=1e-9)


def test_a_refractory_period_is_a_countdown_without_the_clock() -> None:
    lowered = lower(with_pause(2e-3))
    assert [s.name for s in lowered.state_variables] == ["x", "waiting_count"]
    assert [d.name for d in lowered.derived_parameters] == ["waiting_steps"]
    assert not lowered.machines and len(lowered.on_conditions) == 1


def test_a_list_of_times_is_followed() -> None:
    times = (1e-3, 2.04e-3, 2.05e-3, 7e-3)
    source = Component(
        name="array",
        event_outputs=(EventPort(name="spike"),),
        timed_events=(TimedEvents(times=times, body=(Emit(port="spike"),)),),
    )
    group = Group(name="g", component=programmed(source), size=1)
    probe = Probe(label="s", group="g", index=0, variable="spike")
    circuit = Circuit(name="c", groups=(group,), event_probes=(probe,))
    found = simulate(circuit, mode="grid", length=0.01, step=1e-4).events["s"]
    assert np.array(found) == pytest.approx([1e-3, 2e-3, 2e-3, 7e-3], abs=1.01e-4)
    assert len(found) == 4


def test_too_long_a_list_of_times_is_refused() -> None:
    source = Component(
        name="array",
        event_outputs=(EventPort(name="spike"),),
        timed_events=(
            TimedEvents(times=tuple(k * 1e-3 for k in range(5000)), body=(Emit(port="spike"),)),
        ),
    )
    with pytest.raises(ModelError) as problem:
        lower(source)
    assert problem.value.refused and problem.value.issues[0].code == "N303"


def test_a_program_stays_as_it_is() -> None:
    program = Component(name="p", state_variables=(StateVariable(name="x"),), update=())
    assert lower(program) is program


@pytest.mark.parametrize(
    ("text", "x", "expected"),
    [
        ("if(x >= 1, 5, 6)", 1, 5), ("if(x >= 1, 5, 6)", 0.5, 6), ("if(x <= 1, 5, 6)", 1, 5),
        ("if(x == 1, 5, 6)", 1, 5), ("if(x == 1, 5, 6)", 2, 6), ("if(x != 1, 5, 6)", 1, 6),
        ("if(x > 0 and x < 2, 5, 6)", 1, 5), ("if(x > 0 and x < 2, 5, 6)", 3, 6),
        ("if(x < 0 or x >= 2, 5, x == 1, 8, 6)", 2, 5), ("if(not (x >= 2), 5, 6)", 2, 6),
        ("if(x < 0 or x >= 2, 5, x == 1, 8, 6)", 1, 8),
    ],
)  # fmt: skip
def test_choices_in_equations_only_test_with_less_and_greater(
    text: str, x: float, expected: float
) -> None:
    changed = strict_choices(parse_expr(text))
    tests = [t for n in walk(changed) if isinstance(n, Conditional) for t, _ in n.cases]
    assert all(getattr(test, "op", "") in "<>" for test in tests)
    value = changed
    while isinstance(value, Conditional):
        ((test, yes),) = value.cases
        bound = test.right.value  # type: ignore[union-attr]
        holds = x < bound if test.op == "<" else x > bound  # type: ignore[union-attr]
        value = yes if holds else value.otherwise
    assert value == Number(expected)


def test_what_is_left_out_is_named_in_the_order_of_declaration() -> None:
    ports = tuple(EventPort(name=f"in_{name}") for name in ("b", "d", "a", "e", "c"))
    state = StateVariable(name="x", initial=Number(0.0))
    component = Component(
        name="deaf", event_inputs=ports, state_variables=(state,),
        exposures=(Exposure(name="x", variable="x"),),
    )  # fmt: skip
    log = Log()
    convert(Model(name="m", components=(component,)), to="nestml", log=log)
    said = next(issue.message for issue in log if issue.code == "N206")
    assert said.startswith("'deaf': nothing depends on 'in_b', 'in_d', 'in_a', 'in_e', 'in_c'")


def test_all_conditions_of_a_regime_act_at_one_moment() -> None:
    """One that leaves the regime does not keep the others from acting in the same step."""
    second = Unit("s", TIME)
    due = parse_expr("x >= 5 ms")
    up = Regime(
        name="up", initial=True, odes=(Ode(variable="x", rhs=Number(1.0)),),
        on_conditions=(
            OnCondition(test=due, body=(Emit(port="spike"), Transition(regime="down"))),
            OnCondition(test=due, body=(Assign(target="y", value=Number(2e-3, second)),)),
        ),
    )  # fmt: skip
    down = Regime(
        name="down", odes=(Ode(variable="y", rhs=Number(1.0)),),
        on_conditions=(
            OnCondition(
                test=parse_expr("y >= 6 ms"),
                body=(Assign(target="x", value=ZERO), Assign(target="y", value=ZERO),
                      Emit(port="spike"), Transition(regime="up")),
            ),
        ),
    )  # fmt: skip
    cell = Component(
        name="cell",
        state_variables=tuple(
            StateVariable(name=n, dimension=TIME, initial=ZERO) for n in ("x", "y")
        ),
        machines=(RegimeMachine(regimes=(up, down)),),
        event_outputs=(EventPort(name="spike"),),
    )
    found = []
    for component in (cell, programmed(cell)):
        group = Group(name="g", component=component, size=1)
        probe = Probe(label="s", group="g", index=0, variable="spike")
        circuit = Circuit(name="c", groups=(group,), event_probes=(probe,))
        found.append(list(simulate(circuit, mode="grid", length=0.03, step=1e-4).events["s"]))
    assert found[0][:3] == pytest.approx([5e-3, 9e-3, 14e-3], abs=3e-4)
    assert found[1] == pytest.approx(found[0], abs=1e-9)
