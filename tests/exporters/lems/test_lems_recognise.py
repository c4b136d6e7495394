"""NeuroML's types under other names and in other words are found by their equations, and nothing else is."""

from __future__ import annotations

import time

import pytest
from interspike.app.load import load_bytes
from interspike.canonical_model.diagnostics import Log
from interspike.canonical_model.model import Component
from interspike.exporters.lems.emit import write_document
from interspike.exporters.lems.markup import to_xml
from interspike.exporters.lems.recognise import recognise

HEAD = b'<Lems><Include file="NeuroML2CoreTypes.xml"/>'


def _component(body: bytes) -> Component:
    return load_bytes(HEAD + body + b"</Lems>", file="model.xml", log=Log()).components[0]


# the quadratic of izhikevich2007Cell as two roots, one rate for both, names of its own
QUADRATIC = b"""
<ComponentType name="quad" extends="baseSpikingCell">
  <Parameter name="cap" dimension="capacitance"/><Parameter name="rest" dimension="voltage"/>
  <Parameter name="top" dimension="voltage"/><Parameter name="down" dimension="voltage"/>
  <Parameter name="knee" dimension="voltage"/><Parameter name="gain" dimension="conductance_per_voltage"/>
  <Parameter name="slow" dimension="time"/><Parameter name="stiff" dimension="conductance"/>
  <Parameter name="kick" dimension="current"/>
  <Attachments name="synapses" type="basePointCurrent"/>
  <Exposure name="pot" dimension="voltage"/>
  <Dynamics>
    <StateVariable name="pot" dimension="voltage" exposure="pot"/>
    <StateVariable name="rec" dimension="current"/>
    <DerivedVariable name="drive" dimension="current" select="synapses[*]/i" reduce="add"/>
    <DerivedVariable name="above" dimension="voltage" value="pot - rest"/>
    <TimeDerivative variable="rec" value="(stiff * above - rec) / slow"/>
    <TimeDerivative variable="pot" value="gain / cap * above * (pot - knee) + (drive - rec) / cap"/>
    <OnStart><StateAssignment variable="pot" value="rest"/></OnStart>
    <OnCondition test="top .lt. pot">
      <EventOut port="spike"/>
      <StateAssignment variable="rec" value="kick + rec"/>
      <StateAssignment variable="pot" value="down"/>
    </OnCondition>
  </Dynamics>
</ComponentType>
<quad id="cell" cap="100pF" rest="-60mV" top="35mV" down="-50mV" knee="-40mV" gain="0.7nS_per_mV"
      slow="33ms" stiff="-2nS" kick="100pA"/>
"""


def test_a_quadratic_cell_is_izhikevichs_of_2007() -> None:
    found = recognise(_component(QUADRATIC), is_cell=True)
    assert found is not None
    assert found.type == "izhikevich2007Cell"
    values = {name: value.si for name, value in found.values.items()}
    expected = {
        "C": 100e-12, "v0": -60e-3, "vr": -60e-3, "vt": -40e-3, "vpeak": 35e-3, "c": -50e-3,
        "k": 0.7e-6, "a": 1 / 33e-3, "b": -2e-9, "d": 100e-12,
    }  # fmt: skip
    assert values == pytest.approx(expected, rel=1e-8)
    assert found.names["pot"] == "v"


def test_another_zero_of_the_recovery_makes_another_model() -> None:
    other = QUADRATIC.replace(b"stiff * above - rec", b"stiff * (pot - down) - rec")
    assert recognise(_component(other), is_cell=True) is None


def test_signs_and_roots_that_change_places_make_no_other_model() -> None:
    other = QUADRATIC.replace(b"stiff * above - rec", b"stiff * (pot - knee) + rec")
    found = recognise(_component(other), is_cell=True)
    assert found is not None
    assert found.values["vr"].si == pytest.approx(-40e-3)
    assert found.values["a"].si == pytest.approx(-1 / 33e-3)


def test_another_start_makes_another_model() -> None:
    other = QUADRATIC.replace(
        b'<OnStart><StateAssignment variable="pot" value="rest"/>',
        b'<OnStart><StateAssignment variable="rec" value="kick"/>',
    )
    assert recognise(_component(other), is_cell=True) is None


LEAKY = b"""
<ComponentType name="leaky" extends="baseSpikingCell">
  <Parameter name="tau" dimension="time"/><Parameter name="R" dimension="resistance"/>
  <Parameter name="E" dimension="voltage"/><Parameter name="th" dimension="voltage"/>
  <Parameter name="re" dimension="voltage"/><Parameter name="dead" dimension="time"/>
  <Attachments name="synapses" type="basePointCurrent"/>
  <Exposure name="v" dimension="voltage"/>
  <Dynamics>
    <StateVariable name="v" dimension="voltage" exposure="v"/>
    <StateVariable name="free" dimension="time"/>
    <DerivedVariable name="drive" dimension="current" select="synapses[*]/i" reduce="add"/>
    <OnStart><StateAssignment variable="v" value="E"/></OnStart>
    <Regime name="off">
      <OnCondition test="t .gt. free"><Transition regime="on"/></OnCondition>
    </Regime>
    <Regime name="on" initial="true">
      <TimeDerivative variable="v" value="(E - v + R * drive) / tau"/>
      <OnCondition test="v .gt. th">
        <StateAssignment variable="v" value="re"/>
        <StateAssignment variable="free" value="t + dead"/>
        <EventOut port="spike"/><Transition regime="off"/>
      </OnCondition>
    </Regime>
  </Dynamics>
</ComponentType>
<leaky id="cell" tau="20ms" R="50Mohm" E="-65mV" th="-50mV" re="-70mV" dead="3ms"/>
"""


def test_resistance_and_time_constant_are_conductance_and_capacitance() -> None:
    found = recognise(_component(LEAKY), is_cell=True)
    assert found is not None
    assert found.type == "iafRefCell"
    values = {name: value.si for name, value in found.values.items()}
    expected = {
        "C": 400e-12, "leakConductance": 20e-9, "leakReversal": -65e-3, "thresh": -50e-3,
        "reset": -70e-3, "refract": 3e-3,
    }  # fmt: skip
    assert values == pytest.approx(expected, rel=1e-9)


ALPHA = b"""
<ComponentType name="bump" extends="baseCurrentBasedSynapse">
  <Property name="weight" dimension="none" defaultValue="1"/>
  <Parameter name="peak" dimension="current"/><Parameter name="width" dimension="time"/>
  <Exposure name="i" dimension="current"/>
  <Dynamics>
    <StateVariable name="a" dimension="none"/><StateVariable name="b" dimension="none"/>
    <DerivedVariable name="i" dimension="current" exposure="i" value="peak * a"/>
    <TimeDerivative variable="a" value="(b - a) / width"/>
    <TimeDerivative variable="b" value="-b / width"/>
    <OnEvent port="in"><StateAssignment variable="b" value="b + 2.718281828459045 * weight"/></OnEvent>
  </Dynamics>
</ComponentType>
<bump id="syn" peak="0.2nA" width="5ms"/>
"""


def test_states_in_other_units_are_multiples() -> None:
    found = recognise(_component(ALPHA), is_cell=False)
    assert found is not None
    assert found.type == "alphaCurrentSynapse"
    assert found.values["ibase"].si == pytest.approx(0.2e-9, rel=1e-9)
    assert found.values["tau"].si == pytest.approx(5e-3, rel=1e-9)


def test_the_document_holds_the_standard_element() -> None:
    model = load_bytes(HEAD + LEAKY + b"</Lems>", file="model.xml", log=Log())
    log = Log()
    data = to_xml(write_document(model, log))
    assert b'<iafRefCell id="cell"' in data
    assert b"<ComponentType" not in data
    assert [issue.code for issue in log] == ["P226"]


def test_the_search_is_short() -> None:
    start = time.process_time()
    for body in (QUADRATIC, QUADRATIC.replace(b"+ (drive", b"- (drive"), LEAKY, ALPHA):
        recognise(_component(body), is_cell=b"bump" not in body)
    assert time.process_time() - start < 4.0


# a NESTML program and an adaptive exponential cell in words of their own
PROGRAM = b"""
model leaky:
    state:
        U mV = E
    equations:
        U' = (E - U) / T
    parameters:
        E mV = -60 mV
        T ms = 25 ms
        top mV = -45 mV
        low mV = -65 mV
    output:
        spike
    update:
        integrate_odes()
    onCondition(U > top):
        U = low
        emit_spike()
"""
EXPONENTIAL = b"""
<ComponentType name="sharp" extends="baseSpikingCell">
  <Parameter name="p1" dimension="capacitance"/><Parameter name="p2" dimension="conductance"/>
  <Parameter name="p3" dimension="voltage"/><Parameter name="p4" dimension="voltage"/>
  <Parameter name="p5" dimension="voltage"/><Parameter name="p6" dimension="voltage"/>
  <Parameter name="p7" dimension="voltage"/><Parameter name="p8" dimension="time"/>
  <Parameter name="p9" dimension="time"/><Parameter name="q1" dimension="conductance"/>
  <Parameter name="q2" dimension="current"/>
  <Attachments name="synapses" type="basePointCurrent"/>
  <Exposure name="pot" dimension="voltage"/>
  <Dynamics>
    <StateVariable name="slow" dimension="current"/>
    <StateVariable name="since" dimension="time"/>
    <StateVariable name="pot" dimension="voltage" exposure="pot"/>
    <DerivedVariable name="drive" dimension="current" select="synapses[*]/i" reduce="add"/>
    <DerivedVariable name="spiking" dimension="current" value="p2 * p7 * exp((pot - p5) / p7)"/>
    <OnStart><StateAssignment variable="pot" value="p3"/></OnStart>
    <Regime name="rest">
      <OnEntry>
        <StateAssignment variable="since" value="t"/><StateAssignment variable="pot" value="p4"/>
        <StateAssignment variable="slow" value="slow + q2"/>
      </OnEntry>
      <TimeDerivative variable="slow" value="(q1 * (pot - p3) - slow) / p9"/>
      <OnCondition test="t .gt. since + p8"><Transition regime="go"/></OnCondition>
    </Regime>
    <Regime name="go" initial="true">
      <TimeDerivative variable="pot" value="(p2 * (p3 - pot) + spiking + drive - slow) / p1"/>
      <TimeDerivative variable="slow" value="(q1 * (pot - p3) - slow) / p9"/>
      <OnCondition test="pot .gt. p6"><EventOut port="spike"/><Transition regime="rest"/></OnCondition>
    </Regime>
  </Dynamics>
</ComponentType>
<sharp id="cell" p1="281pF" p2="30nS" p3="-70.6mV" p4="-48.5mV" p5="-50.4mV" p6="-40.4mV" p7="2mV"
       p8="2ms" p9="40ms" q1="4nS" q2="80pA"/>
"""


def test_a_program_that_is_a_leaky_cell_is_written_as_one() -> None:
    model = load_bytes(PROGRAM, file="model.nestml", log=Log())
    text = to_xml(write_document(model, Log())).decode()
    assert '<iafTauCell id="leaky"' in text
    assert 'tau="25ms"' in text


def test_an_exponential_cell_is_found_by_its_own_values() -> None:
    found = recognise(_component(EXPONENTIAL), is_cell=True)
    assert found is not None
    assert found.type == "adExIaFCell"
    assert found.values["VT"].si == pytest.approx(-50.4e-3)
    assert found.values["tauw"].si == pytest.approx(40e-3)
    other = EXPONENTIAL.replace(b"exp((pot - p5) / p7)", b"exp((pot - p5) / p7 / 2)")
    assert recognise(_component(other), is_cell=True) is None
