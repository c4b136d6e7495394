"""Multi-dynamics come back as multi-dynamics, in every serialization; what was changed comes back flat."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from interspike.app.diff import diff
from interspike.canonical_model.compare import differences
from interspike.canonical_model.diagnostics import Log, ModelError
from interspike.canonical_model.model import Model, Provenance
from interspike.exporters.nineml.emit import export_json, export_xml, export_yaml
from interspike.importers.nineml.reader import read

FORMS = {"yml": export_yaml, "xml": export_xml, "json": export_json}
SHARED = Path(__file__).resolve().parents[3].parent / "shared"
TOOLS = SHARED / "tools"
# two parts with regimes, events and quantities between them, equal names inside; and the two in another
NESTED = """\
NineML:
  '@namespace': http://nineml.net/9ML/1.0
  ComponentClass:
  - name: Soma
    Parameter:
    - {name: tau, dimension: time}
    - {name: theta, dimension: voltage}
    - {name: R, dimension: resistance}
    - {name: pause, dimension: time}
    AnalogReducePort: [{name: i_in, dimension: current, operator: '+'}]
    AnalogSendPort: [{name: v, dimension: voltage}]
    EventSendPort: [{name: spike}]
    EventReceivePort: [{name: kick}]
    Dynamics:
      StateVariable: [{name: v, dimension: voltage}, {name: wake, dimension: time}]
      Alias: [{name: drive, MathInline: R*i_in}]
      Constant: [{name: zero, units: mV, '@body': 0.0}, {name: jump, units: mV, '@body': 3.0}]
      Regime:
      - name: integrating
        TimeDerivative: [{variable: v, MathInline: (drive - v)/tau}]
        OnCondition:
        - Trigger: {MathInline: v > theta}
          target_regime: resting
          StateAssignment:
          - {variable: v, MathInline: zero}
          - {variable: wake, MathInline: t + pause}
          OutputEvent: [{port: spike}]
        OnEvent:
        - port: kick
          target_regime: integrating
          StateAssignment: [{variable: v, MathInline: v + jump}]
      - name: resting
        OnCondition:
        - Trigger: {MathInline: t > wake}
          target_regime: integrating
  - name: Adaptation
    Parameter:
    - {name: tau, dimension: time}
    - {name: step, dimension: current}
    - {name: limit, dimension: current}
    AnalogSendPort: [{name: i_out, dimension: current}]
    EventReceivePort: [{name: spike}]
    EventSendPort: [{name: saturated}]
    Dynamics:
      StateVariable: [{name: w, dimension: current}]
      Alias: [{name: i_out, MathInline: -w}]
      Regime:
      - name: growing
        TimeDerivative: [{variable: w, MathInline: -w/tau}]
        OnEvent:
        - port: spike
          target_regime: growing
          StateAssignment: [{variable: w, MathInline: w + step}]
        OnCondition:
        - Trigger: {MathInline: w > limit}
          target_regime: full
          OutputEvent: [{port: saturated}]
      - name: full
        TimeDerivative: [{variable: w, MathInline: -w/(tau*4)}]
        OnCondition:
        - Trigger: {MathInline: w < limit/4}
          target_regime: growing
  - name: Synapse
    Parameter: [{name: tau, dimension: time}, {name: step, dimension: current}]
    AnalogSendPort: [{name: i, dimension: current}]
    EventReceivePort: [{name: spike}]
    Dynamics:
      StateVariable: [{name: i, dimension: current}]
      Regime:
      - name: only
        TimeDerivative: [{variable: i, MathInline: -i/tau}]
        OnEvent:
        - port: spike
          target_regime: only
          StateAssignment: [{variable: i, MathInline: i + step}]
  MultiDynamics:
  - name: Adapting
    SubDynamics:
    - {name: soma, Reference: {'@body': Soma}}
    - {name: adapt, Reference: {'@body': Adaptation}}
    EventPortConnection:
    - {sender_name: soma, receiver_name: adapt, send_port: spike, receive_port: spike}
    AnalogPortConnection:
    - {sender_name: adapt, receiver_name: soma, send_port: i_out, receive_port: i_in}
    AnalogReducePortExposure:
    - {name: i_ext, sub_component: soma, port: i_in}
    AnalogSendPortExposure:
    - {name: v, sub_component: soma, port: v}
    EventSendPortExposure:
    - {name: spike, sub_component: soma, port: spike}
    - {name: saturated, sub_component: adapt, port: saturated}
    EventReceivePortExposure:
    - {name: kick, sub_component: soma, port: kick}
  - name: Whole
    SubDynamics:
    - {name: cell, Reference: {'@body': Adapting}}
    - {name: syn, Reference: {'@body': Synapse}}
    AnalogPortConnection:
    - {sender_name: syn, receiver_name: cell, send_port: i, receive_port: i_ext}
    AnalogReducePortExposure:
    - {name: i_more, sub_component: cell, port: i_ext}
    AnalogSendPortExposure:
    - {name: v_out, sub_component: cell, port: v}
    EventSendPortExposure:
    - {name: out, sub_component: cell, port: spike}
    EventReceivePortExposure:
    - {name: excite, sub_component: syn, port: spike}
    - {name: kick, sub_component: cell, port: kick}
  Dimension:
  - {name: time, t: 1}
  - {name: voltage, m: 1, l: 2, t: -3, i: -1}
  - {name: current, i: 1}
  - {name: resistance, m: 1, l: 2, t: -3, i: -2}
  Unit:
  - {symbol: mV, dimension: voltage, power: -3}
  - {symbol: ms, dimension: time, power: -3}
  - {symbol: pA, dimension: current, power: -12}
  - {symbol: Mohm, dimension: resistance, power: 6}
"""
VALUES = """\
  Component:
  - name: fast
    Definition: {'@body': Synapse}
    Property: [{name: tau, units: ms, SingleValue: 2.0}, {name: step, units: pA, SingleValue: 40.0}]
    Initial: [{name: i, units: pA, SingleValue: 1.5}]
  - name: slow
    Prototype: {'@body': fast}
    Property:
    - name: tau
      units: ms
      ArrayValue: {ArrayValueRow: [{index: 0, value: 8.0}, {index: 1, value: 9.0}]}
  MultiDynamicsProperties:
  - name: pair
    SubDynamicsProperties:
    - {name: a, Reference: {'@body': fast}}
    - {name: b, Reference: {'@body': slow}}
    EventReceivePortExposure:
    - {name: spike, sub_component: a, port: spike}
    - {name: late, sub_component: b, port: spike}
    AnalogSendPortExposure:
    - {name: i, sub_component: a, port: i}
  Population:
  - {name: P, Size: 2, Cell: {Reference: {'@body': pair}}}
"""


def model(text: str, **options: str) -> Model:
    return read(None, text.encode(), file="m.yml", log=Log(), options={"strict": "yes", **options})


def write(source: Model, form: str) -> bytes:
    export = FORMS[form]
    (made,) = export(source, scheme="auto", step=1e-4, source=Provenance(), log=Log(), name="m")
    return made.data


def again(source: Model, form: str) -> Model:
    data = write(source, form)
    return read(None, data, file=f"m.{form}", log=Log(), options={"strict": "yes"})


def same(one: Model, other: Model) -> list[str]:
    return differences(one, replace(other, name=one.name, provenance=one.provenance))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("text", [NESTED, NESTED + VALUES])
def test_everything_comes_back(form: str, text: str) -> None:
    source = model(text)
    data = write(source, form)
    assert b"SubDynamics" in data
    assert b"__" not in data.replace(b"__of_", b"")  # nothing is flat
    assert not same(source, again(source, form))


@pytest.mark.skipif(not (TOOLS / "nineml_shim.py").exists(), reason="the shim is not here")
@pytest.mark.skipif(importlib.util.find_spec("nineml") is None, reason="no NineML library")
@pytest.mark.parametrize("form", FORMS)
def test_the_library_takes_it(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(TOOLS))
    import nineml_shim

    path = tmp_path / f"m.{form}"
    path.write_bytes(write(model(NESTED + VALUES), form))
    document = nineml_shim.load(str(path))
    assert document["Whole"].sub_component("cell").component_class.name == "Adapting"
    assert document["pair"].sub_component("b").component.property("tau")
    sys.modules.pop("nineml_shim", None)


def test_what_was_changed_comes_back_flat() -> None:
    source = model(NESTED)
    whole = source.component("Adapting")
    other = replace(whole, derived_variables=whole.derived_variables[::-1])
    flat = again(replace(source, components=(other,)), "yml").component("Adapting")
    assert "theta__soma" in {p.name for p in flat.parameters}
    assert "assembly" not in flat.extras
    found = diff(
        Model(name="a", components=(whole,)), Model(name="b", components=(flat,)), log=Log()
    )
    assert found.verdict == "same"


def test_regimes_of_parts_are_chosen_together_or_alone() -> None:
    def start(**options: str) -> str:
        return model(NESTED, **options).component("Adapting").machines[0].initial

    assert start() == "integrating___growing"
    assert start(regime="resting") == "resting___growing"
    assert start(regime="Adaptation:full") == "integrating___full"
    assert start(regime="Adapting:resting___full") == "resting___full"
    for wrong in ("nothing", "Adapting:nothing", "Adaption:full"):
        with pytest.raises(ModelError) as found:
            start(regime=wrong)
        assert found.value.issues[0].code == "X131"


def test_parts_that_send_each_other_nothing_keep_their_regimes() -> None:
    text = "".join(
        line for line in NESTED.splitlines(keepends=True)
        if "receiver_name: adapt" not in line and "EventPortConnection:" not in line
    )  # fmt: skip
    found = model(text).component("Adapting")
    assert [m.initial for m in found.machines] == ["integrating", "growing"]


BRUNEL = SHARED / "models" / "nineml" / "catalog" / "network" / "Brunel2000" / "AI.yml"


@pytest.mark.skipif(not BRUNEL.exists(), reason="the shared models are not here")
def test_response_and_plasticity_come_back_apart() -> None:
    source = read(BRUNEL, None, log=Log())
    data = write(source, "yml")
    assert data.count(b"FromPlasticity") == 3
    assert not same(source, again(source, "yml"))
