"""Short steps: what single precision rounds off is kept, so that spikes come in the step of float64."""

from __future__ import annotations

import shutil

import pytest
from interspike.app.convert import convert
from interspike.app.load import load_bytes
from interspike.app.verify import SAME, verify
from interspike.canonical_model.diagnostics import Log
from interspike.canonical_model.model import Model

LEMS = """<Lems><Target component="sim"/>
<Include file="Cells.xml"/><Include file="Networks.xml"/><Include file="Simulation.xml"/>
<ComponentType name="blown" extends="baseCellMembPot">
  <Parameter name="tau" dimension="time"/>
  <Constant name="mV" dimension="voltage" value="1mV"/>
  <Dynamics>
    <StateVariable name="v" dimension="voltage" exposure="v"/>
    <OnStart><StateAssignment variable="v" value="-60 * mV"/></OnStart>
    <TimeDerivative variable="v" value="(2.5 * mV + 0.02 * v * v / mV + 2.2 * v + 80 * mV) / tau"/>
    <OnCondition test="v .gt. 1e30 * mV">
      <StateAssignment variable="v" value="-65 * mV"/><EventOut port="spike"/>
    </OnCondition>
  </Dynamics>
</ComponentType>
<iafRefCell id="leaky" leakReversal="-60mV" thresh="-48mV" reset="-70mV" C="0.2nF"
  leakConductance="0.01uS" refract="3ms"/>
<izhikevichCell id="quick" v0="-70mV" thresh="30mV" a="0.02" b="0.2" c="-65" d="8"/>
<blown id="exploding" tau="9ms"/>
<pulseGenerator id="pulse" delay="3ms" duration="100ms" amplitude="0.1411nA"/>
<pulseGeneratorDL id="pulseDL" delay="3ms" duration="100ms" amplitude="7.3"/>
<network id="net">
  <population id="a" component="leaky" size="1"/>
  <population id="b" component="quick" size="1"/>
  <population id="c" component="exploding" size="1"/>
  <explicitInput target="a[0]" input="pulse"/>
  <explicitInput target="b[0]" input="pulseDL"/>
</network>
<Simulation id="sim" length="90ms" step="{step}" target="net">
  <OutputFile id="of" fileName="v.dat">
    <OutputColumn id="a" quantity="a[0]/v"/><OutputColumn id="b" quantity="b[0]/v"/>
  </OutputFile>
  <EventOutputFile id="ef" fileName="net.spikes" format="ID_TIME">
    <EventSelection id="0" select="a[0]" eventPort="spike"/>
    <EventSelection id="1" select="b[0]" eventPort="spike"/>
    <EventSelection id="2" select="c[0]" eventPort="spike"/>
  </EventOutputFile>
</Simulation></Lems>"""


def _model(step: str) -> Model:
    return load_bytes(LEMS.replace("{step}", step).encode(), file="short.xml", log=Log())


def test_spikes_come_in_the_step_of_double_precision() -> None:
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    for step in ("0.01ms", "0.005ms"):
        found = verify(_model(step), to="spinnaker2")
        assert found.verdict == SAME
        (trial,) = found.trials
        events = [item for item in trial.distances if any(item.spikes)]
        assert len(events) == 3
        assert [item.shift for item in events] == [0.0, 0.0, 0.0]
        assert all(item.trace < 2e-4 for item in trial.distances)


def test_rests_are_for_short_steps_only_and_no_one_s_business() -> None:
    texts = {}
    for step in ("0.01ms", "0.1ms"):
        files = convert(_model(step), to="spinnaker2").artifacts
        texts[step] = {
            str(f.path): f.data.decode() for f in files if str(f.path).endswith((".h", ".py"))
        }
    assert "v_rest" in texts["0.01ms"]["models/leaky.h"]
    assert "v_rest" not in texts["0.1ms"]["models/leaky.h"]
    classes = [t for name, t in texts["0.01ms"].items() if name.endswith("_application.py")]
    assert classes
    # they are words of the layout, and nothing to be set or recorded
    lines = [line for text in classes for line in text.splitlines() if "rest" in line]
    assert all(line.strip().startswith("states = ") for line in lines)
