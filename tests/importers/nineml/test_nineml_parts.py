"""Parts of multi-dynamics with regimes of their own: each stays what it is alone, also at one moment."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from interspike.app.verify import verify
from interspike.canonical_model.circuit import Circuit, Group, Probe
from interspike.canonical_model.diagnostics import Log, ModelError
from interspike.canonical_model.passes.flatten import flatten
from interspike.importers.nineml.reader import read
from interspike.solvers.simulate import simulate

CELL = """\
  - name: Cell
    Parameter: [{name: tau, dimension: time}, {name: pause, dimension: time}]
    AnalogReducePort: [{name: drive, dimension: one, operator: +}]
    AnalogSendPort: [{name: v, dimension: one}]
    EventSendPort: [{name: spike}]
    Dynamics:
      StateVariable: [{name: v, dimension: one}, {name: free, dimension: time}]
      Regime:
      - name: up
        TimeDerivative: [{variable: v, MathInline: (drive - v)/tau}]
        OnCondition:
        - target_regime: rest
          Trigger: {MathInline: v > 1}
          StateAssignment: [{variable: v, MathInline: '0'}, {variable: free, MathInline: t + pause}]
          OutputEvent: [{port: spike}]
      - {name: rest, OnCondition: [{target_regime: up, Trigger: {MathInline: t > free}}]}
"""
HEAD = "NineML:\n  '@namespace': http://nineml.net/9ML/1.0\n  ComponentClass:\n"
TAIL = """\
  Dimension: [{name: time, t: 1}, {name: one}]
  Unit: [{symbol: ms, dimension: time, power: -3}, {symbol: un, dimension: one}]
"""
TWINS = f"""{HEAD}{CELL}  - name: Count
    EventReceivePort: [{{name: a}}, {{name: b}}]
    EventSendPort: [{{name: hit}}]
    AnalogSendPort: [{{name: n, dimension: one}}]
    Dynamics:
      StateVariable: [{{name: n, dimension: one}}]
      Regime:
      - name: r
        OnEvent:
        - port: a
          target_regime: r
          StateAssignment: [{{variable: n, MathInline: n + 1}}]
          OutputEvent: [{{port: hit}}]
        - {{port: b, target_regime: r, StateAssignment: [{{variable: n, MathInline: n + 100}}]}}
  Component:
  - name: cell
    Definition: {{'@body': Cell}}
    Property: [{{name: tau, units: ms, SingleValue: 10.0}}, {{name: pause, units: ms, SingleValue: 2.0}}]
  - {{name: count, Definition: {{'@body': Count}}}}
  MultiDynamicsProperties:
  - name: twins
    SubDynamicsProperties:
    - {{name: one, Reference: {{'@body': cell}}}}
    - {{name: two, Reference: {{'@body': cell}}}}
    - {{name: counter, Reference: {{'@body': count}}}}
LINKS    AnalogReducePortExposure:
    - {{name: first, sub_component: one, port: drive}}
    - {{name: second, sub_component: two, port: drive}}
    EventSendPortExposure:
    - {{name: spike, sub_component: one, port: spike}}
    - {{name: other, sub_component: two, port: spike}}
{TAIL}"""
LINKS = """\
    EventPortConnection:
    - {sender_name: one, send_port: spike, receiver_name: counter, receive_port: a}
    - {sender_name: two, send_port: spike, receiver_name: counter, receive_port: b}
"""
PERIOD = 10.0 * np.log(1.5 / 0.5) + 2.0


@pytest.mark.parametrize("mode", ["continuous", "grid"])
@pytest.mark.parametrize("links", ["", LINKS])
def test_twins_spike_together(links: str, mode: str) -> None:
    """Both cells get 1.5: each waits 10 ms * ln 3 and rests 2 ms; the counter hears both at one moment."""
    text = TWINS.replace("LINKS", links)
    component = flatten(read(None, text.encode(), file="m", log=Log()).component("twins")).component
    inputs = tuple(replace(item, default=1.5) for item in component.analog_inputs)
    component = replace(component, analog_inputs=inputs)
    circuit = Circuit(
        name="c",
        groups=(Group(name="g", component=component, size=1),),
        event_probes=tuple(
            Probe(label=name, group="g", index=0, variable=name) for name in ("spike", "other")
        ),
        probes=(Probe(label="n", group="g", index=0, variable="n__counter"),),
    )
    found = simulate(circuit, mode=mode, length=0.1, step=1e-4)
    wanted = np.arange(7) * PERIOD + (PERIOD - 2.0)
    wanted = wanted[wanted < 100.0]
    for name in ("spike", "other"):
        allowed = 1e-6 if mode == "continuous" else 0.2 * len(wanted)
        assert np.allclose(found.events[name] * 1e3, wanted, atol=allowed)
    assert found.traces["n"][-1] == (101.0 * len(wanted) if links else 0.0)


def test_a_handler_that_nobody_has() -> None:
    links = LINKS.replace("receive_port: b", "receive_port: c")
    with pytest.raises(ModelError) as caught:
        read(None, TWINS.replace("LINKS", links).encode(), file="m", log=Log())
    assert {issue.code for issue in caught.value.issues} == {"X143"}


def test_one_event_is_heard_in_one_regime() -> None:
    """Three regimes in turn, each left on the same port: in NESTML one event is one step, not three."""
    turn = "".join(
        f"      - {{name: r{k}, OnEvent: [{{port: a, target_regime: r{(k + 1) % 3}, {body}}}]}}\n"
        for k, body in enumerate((*["OutputEvent: []"] * 2, "OutputEvent: [{port: third}]"))
    )
    text = f"""{HEAD}  - name: Turn
    EventReceivePort: [{{name: a}}]
    EventSendPort: [{{name: third}}]
    Dynamics:
      Regime:
{turn}  Component:
  - {{name: turn, Definition: {{'@body': Turn}}}}
{TAIL}"""
    model = read(None, text.encode(), file="m", log=Log())
    assert verify(model, to="nestml", log=Log()).verdict == "same"


def test_the_class_that_the_library_writes_beside_is_no_model_of_its_own() -> None:
    """The library writes `NAME_dynamics` beside the joined components `NAME`, for nobody else."""
    beside = """\
  MultiDynamics:
  - name: twins_dynamics
    SubDynamics: [{name: one, Reference: {'@body': Cell}}, {name: two, Reference: {'@body': Cell}}]
    EventSendPortExposure: [{name: spike, sub_component: one, port: spike}]
"""
    text = TWINS.replace("LINKS", LINKS).replace(TAIL, beside + TAIL)
    model = read(None, text.encode(), file="m", log=Log())
    assert {item.name for item in model.components} == {"cell", "count", "twins"}
