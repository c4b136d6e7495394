"""Generated NEST code without a compiler: names, order, determinism, refusals."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from interspike.app.convert import convert
from interspike.app.load import load
from interspike.canonical_model import model as m
from interspike.canonical_model import units as u
from interspike.canonical_model.diagnostics import Log, ModelError
from interspike.canonical_model.expr_text import parse_expr as E
from interspike.canonical_model.model import Model
from interspike.canonical_model.units import Quantity, Unit
from interspike.exporters.nest.model_code import unit_of
from interspike.exporters.nest.names import class_name, comment, status_key, string
from interspike.exporters.nest.plan import plan_model
from interspike.exporters.nest.timers import grid_safe

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures" / "lems"
MS = Unit("ms", u.TIME, 1e-3)
MV = Unit("mV", u.VOLTAGE, 1e-3)


def cell(**changes: object) -> m.Component:
    fields: dict[str, object] = dict(
        name="cell",
        parameters=(
            m.Parameter(name="tau", dimension=u.TIME, value=Quantity(10.0, MS)),
            m.Parameter(name="E_L", dimension=u.VOLTAGE, value=Quantity(-65.3, MV)),
        ),
        state_variables=(m.StateVariable(name="V_m", dimension=u.VOLTAGE, initial=E("E_L")),),
        odes=(m.Ode(variable="V_m", rhs=E("(E_L - V_m) / tau")),),
        event_inputs=(m.EventPort(name="spikes", payload=("weight",)),),
        event_outputs=(m.EventPort(name="spike"),),
        on_conditions=(
            m.OnCondition(test=E("V_m > 0 * E_L"), body=(m.Emit(port="spike"),)),
        ),
        update=(m.Integrate(),),
    )  # fmt: skip
    return m.Component(**{**fields, **changes})  # type: ignore[arg-type]


def header(component: m.Component, solver: str = "auto") -> str:
    result = convert(Model(name="test", components=(component,)), to="nest", solver=solver)
    return result.text(f"models/{component.name}.h")


@pytest.mark.parametrize("file", ["iaf.xml", "izhikevich_network.xml", "adex.xml"])
def test_the_same_input_gives_the_same_bytes(file: str) -> None:
    first = convert(FIXTURES / file, to="nest")
    second = convert(FIXTURES / file, to="nest")
    assert first.artifacts == second.artifacts
    names = {item.path for item in first.artifacts}
    assert {"CMakeLists.txt", "network.py", "models.json", "README.md"} <= names
    for item in first.artifacts:
        if item.path.startswith("models/"):
            text = item.data.decode()
            assert text.count("{") == text.count("}")
            assert not re.search(r"/(work|tmp|root|home)/", text)


def test_values_are_in_the_units_of_the_field_without_new_digits() -> None:
    text = header(cell())
    assert "double p_E_L = -65.3;" in text
    assert "double p_tau = 10.0;" in text


def test_amounts_are_in_mmol_where_no_length_makes_them_concentrations() -> None:
    mmol = Unit("mmol", u.Dimension(n=1), 1e-3)
    amount = m.Parameter(name="Ca", dimension=u.Dimension(n=1), value=Quantity(1e-4, mmol))
    component = cell(parameters=(*cell().parameters, amount))
    plan = plan_model(component, scheme="auto", step=1e-4, log=Log())
    assert "double p_Ca = 0.0001;" in header(component)
    assert unit_of(plan, u.Dimension(n=1)) == "mmol" and unit_of(plan, u.VOLTAGE) == "mV"
    dense = Unit("mM", u.CONCENTRATION, 1.0)
    outside = m.Parameter(name="Out", dimension=u.CONCENTRATION, value=Quantity(2.0, dense))
    mixed = replace(component, parameters=(*component.parameters, outside))
    assert "double p_Out = 2.0;" in header(mixed)


def test_a_program_runs_before_handlers_and_handlers_before_conditions() -> None:
    body = (m.Assign(target="V_m", value=E("V_m + 0.1 * weight * E_L")),)
    text = header(cell(on_events=(m.OnEvent(port="spikes", body=body),)))
    update = text[text.index("::update(") :]
    found = [update.index("s.s_V_m = l_V_m_new"), update.index("* w_0")]
    assert found[0] < found[1] < update.index("++emitted") < update.index("record_data")


@pytest.mark.parametrize("rate", ["-1", "-1000 * 1 / 1000", "-(2 - 1)"])
def test_countdowns_are_compared_with_a_slack(rate: str) -> None:
    component = cell(
        odes=(m.Ode(variable="V_m", rhs=E(rate)),),
        on_conditions=(m.OnCondition(test=E("V_m <= 0"), body=()),),
    )
    test = grid_safe(component).on_conditions[0].test
    assert test == E("V_m <= 0 + t_slack")


def test_exc_and_inh_ports_share_a_receptor() -> None:
    ports = (
        m.EventPort(name="e", payload=("weight",), sign="excitatory"),
        m.EventPort(name="i", payload=("weight",), sign="inhibitory"),
        m.EventPort(name="x", payload=("weight",)),
    )
    plan = plan_model(cell(event_inputs=ports), scheme="auto", step=1e-4, log=Log())
    assert plan.ports.names == (("E", 1), ("I", 1), ("X", 2))
    single = plan_model(cell(event_inputs=ports[:2]), scheme="auto", step=1e-4, log=Log())
    assert {item.receptor for item in single.ports.spikes} == {0}


def test_text_of_a_model_stays_text() -> None:
    evil = 'x */ int main() { } // "\\ ??/'
    assert "*/" not in comment(evil) and "//" not in comment(evil) and "?" not in comment(evil)
    assert string('a"b\n').count('"') == 3
    assert class_name("class") == "class_" and class_name("a b;c") == "a_b_c"
    assert status_key("t_spike") == "t_spike_"
    text = header(cell(description=evil))
    assert "int main" not in text.replace("x   int main", "") or "*/ int main" not in text


def test_names_that_nest_uses_are_changed_with_a_note() -> None:
    log = Log()
    state = m.StateVariable(name="tau_minus", dimension=u.VOLTAGE)
    plan = plan_model(
        cell(state_variables=(*cell().state_variables, state)), scheme="auto", step=1e-4, log=log
    )
    assert plan.keys["tau_minus"] == "tau_minus_"
    assert [issue.code for issue in log] == ["B202"]


def test_nonlinear_programs_are_adaptive_unless_the_user_chooses() -> None:
    component = cell(odes=(m.Ode(variable="V_m", rhs=E("(E_L - V_m) * V_m / (tau * E_L)")),))
    assert "interspike::rkf45<" in header(component)
    assert "gsl_abs_error_tol" in header(component)
    assert "rkf45<" not in header(component, "rk4")


def test_checks_and_shared_values() -> None:
    check = m.Check(test=E("tau > 0 * tau"), message="tau must be positive")
    text = header(cell(checks=(check,)))
    assert 'nest::BadProperty( "tau must be positive" )' in text
    assert "exp(" in text[text.index("::compute()") : text.index("::check()")]


def test_what_needs_a_host_is_no_model_beside_one_that_stands_alone() -> None:
    gate = m.Component(name="gate", analog_inputs=(m.AnalogInput(name="v", dimension=u.VOLTAGE),))
    log = Log()
    result = convert(Model(name="g", components=(cell(), gate)), to="nest", log=log)
    assert [issue.code for issue in log if "gate" in issue.message] == ["B212"]
    assert not any("gate" in artifact.path for artifact in result.artifacts)
    with pytest.raises(ModelError) as caught:
        convert(Model(name="g", components=()), to="nest")
    assert "B300" in str(caught.value)


def test_the_networks_script_is_python() -> None:
    result = convert(FIXTURES / "izhikevich_network.xml", to="nest")
    text = result.text("network.py")
    compile(text, "network.py", "exec")
    assert "RESOLUTION = 0.05" in text
    assert load(FIXTURES / "iaf.xml").name
