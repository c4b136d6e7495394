"""What is a NeuroML type but for one term, one sign or one moment is no NeuroML type."""

from __future__ import annotations

import pytest
from interspike.app.load import load_bytes
from interspike.canonical_model.diagnostics import Log
from interspike.exporters.lems.recognise import recognise

EXPONENTIAL = """<ComponentType name="expif" extends="baseCellMembPotCap">
<Parameter name="g" dimension="conductance"/><Parameter name="E" dimension="voltage"/>
<Parameter name="vt" dimension="voltage"/><Parameter name="vr" dimension="voltage"/>
<Parameter name="dt" dimension="voltage"/><Parameter name="tw" dimension="time"/>
<Parameter name="ref" dimension="time"/><Parameter name="aa" dimension="conductance"/>
<Parameter name="bb" dimension="current"/><Parameter name="top" dimension="voltage"/>
<Attachments name="synapses" type="basePointCurrent"/><Exposure name="z" dimension="current"/>
<Dynamics><StateVariable name="v" dimension="voltage" exposure="v"/>
<StateVariable name="z" dimension="current" exposure="z"/><StateVariable name="last" dimension="time"/>
<DerivedVariable name="iSyn" dimension="current" select="synapses[*]/i" reduce="add" exposure="iSyn"/>
<DerivedVariable name="iMemb" dimension="current" exposure="iMemb"
 value="g * dt * exp((v - vt) / dt) - g * (v - E) - z + iSyn"/>
<OnStart><StateAssignment variable="v" value="E"/></OnStart>
<Regime name="r">
<OnEntry><StateAssignment variable="last" value="t"/><StateAssignment variable="v" value="vr"/></OnEntry>
<TimeDerivative variable="z" value="(aa * (v - E) - z) / tw"/>
<OnCondition test="t .gt. last + ref"><Transition regime="i"/></OnCondition></Regime>
<Regime name="i" initial="true"><TimeDerivative variable="v" value="iMemb / C"/>
<TimeDerivative variable="z" value="(aa * (v - E) - z) / tw"/>
<OnCondition test="v .gt. top"><EventOut port="spike"/>
<StateAssignment variable="z" value="z + bb"/><Transition regime="r"/></OnCondition></Regime>
</Dynamics></ComponentType><expif id="c" C="281pF" g="30nS" E="-70.6mV" vt="-50.4mV" vr="-70.6mV"
 dt="2mV" tw="144ms" ref="2ms" aa="4nS" bb="80.5pA" top="-40.4mV"/>"""
DECAYING = """<ComponentType name="esyn" extends="baseConductanceBasedSynapse">
<Parameter name="tau" dimension="time"/><Property name="weight" dimension="none" defaultValue="1"/>
<Dynamics><StateVariable name="g" dimension="conductance" exposure="g"/>
<DerivedVariable name="i" exposure="i" dimension="current" value="g * (erev - v)"/>
<TimeDerivative variable="g" value="-g / tau"/>
<OnEvent port="in"><StateAssignment variable="g" value="g + gbase * weight"/></OnEvent>
</Dynamics></ComponentType><esyn id="c" gbase="1nS" erev="0mV" tau="2ms"/>"""
STEP = """<ComponentType name="step" extends="basePointCurrent">
<Parameter name="on" dimension="time"/><Parameter name="len" dimension="time"/>
<Parameter name="a" dimension="current"/><Parameter name="off" dimension="current"/>
<Dynamics><ConditionalDerivedVariable name="i" dimension="current" exposure="i">
<Case condition="t .geq. on .and. t .lt. on + len" value="a"/><Case value="off"/>
</ConditionalDerivedVariable></Dynamics></ComponentType>
<step id="c" on="600ms" len="3ms" a="1nA" off="0nA"/>"""


def _type(body: str, is_cell: bool) -> str:
    text = f'<Lems><Include file="NeuroML2CoreTypes.xml"/>{body}</Lems>'
    component = load_bytes(text.encode(), file="m.xml", log=Log()).components[0]
    found = recognise(component, is_cell)
    return found.type if found else ""


@pytest.mark.parametrize(
    ("body", "type_name", "old", "new"),
    [
        (EXPONENTIAL, "adExIaFCell", "g * dt * exp", "g * dt * 0 * exp"),
        (EXPONENTIAL, "adExIaFCell", "g * dt * exp", "1.5 * g * dt * exp"),
        # another cell at potentials that it seldom has
        (
            EXPONENTIAL,
            "adExIaFCell",
            "- z + iSyn",
            "- z + iSyn + g * (abs(v - 1.3 * E) - v + 1.3 * E)",
        ),
        (DECAYING, "expOneSynapse", "g * (erev", "abs(g) * (erev"),
        (DECAYING, "expOneSynapse", "(erev - v)", "(erev - v + 0.1 * (abs(v) + v))"),
        (STEP, "pulseGenerator", 'off="0nA"', 'off="0.001nA"'),
        (STEP, "pulseGenerator", "t .lt. on + len", "t .lt. on + len + 0.001 * (on - len)"),
    ],
)
def test_one_term_makes_another_model(body: str, type_name: str, old: str, new: str) -> None:
    is_cell = type_name.endswith("Cell")
    assert old in body
    assert _type(body, is_cell) == type_name
    assert not _type(body.replace(old, new), is_cell)


def test_a_late_step_has_its_own_values() -> None:
    text = f'<Lems><Include file="NeuroML2CoreTypes.xml"/>{STEP}</Lems>'
    found = recognise(load_bytes(text.encode(), file="m.xml", log=Log()).components[0], False)
    assert found is not None
    assert {n: q.si for n, q in found.values.items()} == {
        "delay": 0.6, "duration": 0.003, "amplitude": 1e-9,
    }  # fmt: skip
