"""Invariants of components: a sound one passes, and each single fault gives its code and a useful text."""

from __future__ import annotations

from dataclasses import replace

import pytest
from interspike.canonical_model import model as m
from interspike.canonical_model import units as u
from interspike.canonical_model.diagnostics import Span
from interspike.canonical_model.expr_text import COMMON_UNITS, parse_expr
from interspike.canonical_model.scope import find_cycle
from interspike.canonical_model.units import Quantity
from interspike.canonical_model.verify import verify_component, verify_model

E = parse_expr


def parameter(name, value, unit):
    quantity = Quantity(value, COMMON_UNITS[unit])
    return m.Parameter(name=name, dimension=quantity.dimension, value=quantity)


REFRACTORY = m.Regime(
    name="refractory",
    on_entry=(m.Assign(target="last", value=E("t")), m.Assign(target="v", value=E("reset"))),
    on_conditions=(
        m.OnCondition(test=E("t > last + pause"), body=(m.Transition(regime="integrating"),)),
    ),
)
INTEGRATING = m.Regime(
    name="integrating",
    initial=True,
    odes=(m.Ode(variable="v", rhs=E("(reset - v) / tau + i / C")),),
    on_conditions=(
        m.OnCondition(
            test=E("v > threshold"), body=(m.Emit(port="spike"), m.Transition(regime="refractory"))
        ),
    ),
)
CELL = m.Component(
    name="cell",
    parameters=(
        parameter("C", 1.0, "nF"),
        parameter("g", 10.0, "nS"),
        parameter("reset", -65.0, "mV"),
        parameter("threshold", -50.0, "mV"),
        parameter("pause", 2.0, "ms"),
    ),
    derived_parameters=(m.DerivedParameter(name="tau", dimension=u.TIME, value=E("C / g")),),
    state_variables=(
        m.StateVariable(name="v", dimension=u.VOLTAGE, initial=E("reset")),
        m.StateVariable(name="last", dimension=u.TIME, initial=E("0")),
    ),
    derived_variables=(
        m.DerivedVariable(name="i", dimension=u.CURRENT, value=E("sum(`synapses[*]/i`) + iSyn")),
    ),
    machines=(m.RegimeMachine(regimes=(REFRACTORY, INTEGRATING)),),
    event_inputs=(m.EventPort(name="in", payload=("weight",)),),
    on_events=(m.OnEvent(port="in", body=(m.Assign(target="v", value=E("v + weight * 1 mV")),)),),
    event_outputs=(m.EventPort(name="spike"),),
    analog_inputs=(m.AnalogInput(name="iSyn", dimension=u.CURRENT, reduce="add"),),
    exposures=(m.Exposure(name="v", variable="v", dimension=u.VOLTAGE),),
    attachments=(m.Attachment(name="synapses"),),
    span=Span("cell.xml", 1),
)


def test_a_sound_component_passes():
    assert verify_component(CELL) == []


def with_integrating(**changes):
    machine = m.RegimeMachine(regimes=(REFRACTORY, replace(INTEGRATING, **changes)))
    return replace(CELL, machines=(machine,))


def ode(variable, rhs):
    return (m.Ode(variable=variable, rhs=E(rhs)),)


def derived(*pairs):
    items = tuple(m.DerivedVariable(name=name, value=E(value)) for name, value in pairs)
    return replace(CELL, derived_variables=CELL.derived_variables + items)


def reacts(*body):
    return with_integrating(on_conditions=(m.OnCondition(test=E("v > threshold"), body=body),))


FAULTS = {
    "twice": (replace(CELL, parameters=CELL.parameters * 2), "V101", "'C' is declared twice"),
    "called t": (derived(("t", "1")), "V101", "model time and also"),
    "regime quantity": (
        with_integrating(derived_variables=CELL.derived_variables), "V101", "outside and in a regime",
    ),
    "unknown name": (with_integrating(odes=ode("v", "(reset - vv) / tau")), "V102", "mean 'v'"),
    "payload elsewhere": (derived(("x", "weight")), "V102", "'weight'"),
    "assign parameter": (
        reacts(m.Assign(target="reset", value=E("v"))), "V103", "not a state variable",
    ),
    "assign unknown": (reacts(m.Assign(target="V", value=E("v"))), "V103", "mean 'v'"),
    "ode of parameter": (with_integrating(odes=ode("C", "g")), "V104", "'C'"),
    "two odes": (replace(CELL, odes=ode("v", "-v / tau")), "V105", "regime 'integrating'"),
    "wrong output": (reacts(m.Emit(port="spikes")), "V106", "mean 'spike'"),
    "wrong input": (replace(CELL, on_events=(m.OnEvent(port="inn", body=()),)), "V107", "mean 'in'"),
    "wrong regime": (reacts(m.Transition(regime="refractor")), "V108", "mean 'refractory'"),
    "wrong machine": (reacts(m.Transition(regime="x", machine="y")), "V108", "machine 'y'"),
    "two starts": (
        replace(CELL, machines=(
            m.RegimeMachine(regimes=(replace(REFRACTORY, initial=True), INTEGRATING)),
        )), "V109", "refractory, integrating",
    ),
    "no regimes": (
        replace(CELL, machines=(*CELL.machines, m.RegimeMachine(name="x"))), "V109", "no regimes",
    ),
    "cycle": (
        derived(("a", "b + 1"), ("b", "d"), ("d", "2 * a")), "V110", "a -> b -> d -> a",
    ),
    "self": (derived(("a", "a + 1")), "V110", "a -> a"),
    "exposes nothing": (
        replace(CELL, exposures=(m.Exposure(name="w", variable="w"),)), "V111", "'w'",
    ),
    "changing parameter": (
        replace(CELL, derived_parameters=(
            *CELL.derived_parameters, m.DerivedParameter(name="p", dimension=u.VOLTAGE, value=E("v")),
        )), "V112", "depends on 'v'",
    ),
    "times": (
        replace(CELL, timed_events=(m.TimedEvents(times=(2.0, 1.0), body=()),)), "V113", "1.0 s",
    ),
    "no condition": (
        with_integrating(on_conditions=(m.OnCondition(test=E("g / g"), body=()),)), "V114", "number",
    ),
    "ode dimension": (
        with_integrating(odes=ode("v", "reset - v")), "U204", "dv/dt: this value has dimension voltage",
    ),
    "sum": (with_integrating(odes=ode("v", "(reset - tau) / tau")), "U201", "'tau' is time"),
    "function": (derived(("x", "exp(v)")), "U202", "'exp' needs a pure number"),
    "initial value": (
        replace(CELL, state_variables=(
            m.StateVariable(name="v", dimension=u.VOLTAGE, initial=E("tau")), CELL.state_variables[1],
        )), "U204", "initial value of 'v'",
    ),
    "parameter unit": (
        replace(CELL, parameters=(*CELL.parameters, m.Parameter(
            name="p", dimension=u.TIME, value=Quantity(1.0, COMMON_UNITS["mV"])))),
        "U204", "'p' has dimension voltage where time is declared",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_one_fault_one_issue(fault):
    component, code, part = FAULTS[fault]
    issues = verify_component(component)
    if fault == "twice":
        assert {issue.code for issue in issues} == {code}
    else:
        assert [issue.code for issue in issues] == [code]
    assert part in issues[0].render()
    assert "cell.xml" in issues[0].render()


def test_faults_inside_children_and_branches_are_found():
    branch = m.If(branches=((E("v > tau"), (m.Emit(port="nowhere"),)),))
    inner = replace(reacts(branch), name="inner")
    outer = m.Component(name="outer", children=(m.Child(name="c", id="c0", component=inner),))
    issues = verify_component(outer)
    assert [issue.code for issue in issues] == ["U201", "V106"]
    assert "outer/c0" in issues[0].message


def test_a_requirement_is_an_input_and_may_repeat_an_own_name():
    needs = m.AnalogInput(name="v", dimension=u.VOLTAGE)
    assert verify_component(replace(CELL, analog_inputs=(*CELL.analog_inputs, needs))) == []


def test_selects_of_unknown_dimension_are_left_alone():
    total = m.DerivedVariable(name="total", value=E("sum(`channels[*]/i`)"))
    use = m.DerivedVariable(name="use", dimension=u.VOLTAGE, value=E("total / g"))
    component = replace(CELL, derived_variables=(*CELL.derived_variables, total, use))
    assert verify_component(component) == []


def test_a_quantity_called_t_is_harmless_where_nobody_reads_it():
    own = m.Component(name="c", derived_variables=(m.DerivedVariable(name="t", value=E("1")),))
    assert verify_component(own) == []


def test_components_of_a_model_have_names_of_their_own():
    issues = verify_model(m.Model(name="m", components=(CELL, CELL)))
    assert [issue.code for issue in issues] == ["V101"]


def test_cycles_in_large_graphs():
    chain = {f"n{k}": [f"n{k + 1}"] for k in range(20_000)}
    assert find_cycle(chain) == []
    assert len(find_cycle({**chain, "n20000": ["n0"]})) == 20_001


def test_a_name_that_no_file_can_bear():
    long = m.Model(name="m", components=(m.Component(name="a" * 201),))
    (issue,) = verify_model(long)
    assert issue.code == "V118"
    assert len(issue.message) < 100
    assert not verify_model(replace(long, components=(m.Component(name="a" * 200),)))
