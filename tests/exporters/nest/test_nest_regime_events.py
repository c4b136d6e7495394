"""Events and regimes in NEST: one event after another, and conditions see what arrived in their step."""

from __future__ import annotations

import numpy as np
from interspike.canonical_model.circuit import Circuit, EventLink, EventTrain, Group, Probe
from interspike.canonical_model.diagnostics import Log
from interspike.canonical_model.model import Component, EventPort, Model
from interspike.canonical_model.passes.flatten import flatten
from interspike.exporters.nest.network_plan import order
from interspike.importers.nineml.reader import read
from interspike.solvers.grid import TICK, StepOrder
from interspike.solvers.simulate import simulate

OUT = EventPort(name="out")
ZERO = np.zeros(1, np.int64)

# both ports in one step lead on, in either order; what has arrived is tested in the same step
GATE = """\
NineML:
  '@namespace': http://nineml.net/9ML/1.0
  ComponentClass:
  - name: Gate
    Parameter: [{name: tau, dimension: time}]
    EventReceivePort: [{name: a}, {name: b}]
    EventSendPort: [{name: both}, {name: late}]
    AnalogSendPort: [{name: x, dimension: one}]
    Dynamics:
      StateVariable: [{name: x, dimension: one}]
      Regime:
      - name: none
        TimeDerivative: [{variable: x, MathInline: -x/tau}]
        OnEvent:
        - {port: a, target_regime: one, StateAssignment: [{variable: x, MathInline: x + 1}]}
        - {port: b, target_regime: one, StateAssignment: [{variable: x, MathInline: x + 1}]}
      - name: one
        TimeDerivative: [{variable: x, MathInline: -x/tau}]
        OnEvent:
        - {port: a, target_regime: two, StateAssignment: [{variable: x, MathInline: x + 1}]}
        - {port: b, target_regime: two, StateAssignment: [{variable: x, MathInline: x + 1}]}
      - name: two
        TimeDerivative: [{variable: x, MathInline: -x/tau}]
        OnCondition:
        - {target_regime: none, Trigger: {MathInline: x > 1.5}, OutputEvent: [{port: both}]}
        - {target_regime: none, Trigger: {MathInline: x < 0.5}, OutputEvent: [{port: late}]}
  Component:
  - name: gate
    Definition: {'@body': Gate}
    Property: [{name: tau, units: ms, SingleValue: 10.0}]
    Initial: [{name: x, units: un, SingleValue: 0.0}]
  Dimension: [{name: time, t: 1}, {name: one}]
  Unit: [{symbol: ms, dimension: time, power: -3}, {symbol: un, dimension: one}]
"""


def model() -> Model:
    return read(None, GATE.encode(), file="m.yml", log=Log())


def test_each_event_asks_for_the_regime_anew() -> None:
    from interspike.app.convert import convert

    result = convert(model(), to="nest", log=Log())
    (code,) = (a.data.decode() for a in result.artifacts if a.path.endswith("gate.h"))
    loops = code.split("for ( long k = 0;")[1:]
    assert len(loops) == 2
    assert all("const int heard = s.r_0;" in loop for loop in loops)
    assert code.count("else if ( heard == 1 )") == 2


def test_conditions_see_what_arrived_in_their_step() -> None:
    """Two events arrive at 5 ms: NEST tests with them there, the reference's own order integrates first."""
    component = flatten(model().component("gate")).component
    circuit = Circuit(
        name="c",
        groups=(
            Group(name="source", component=Component(name="s", event_outputs=(OUT,)), size=1),
            Group(name="gate", component=component, size=1),
        ),
        event_links=tuple(
            EventLink(source="source", source_port="out", target="gate", target_port=port,
                      pre=ZERO, post=ZERO, delay=np.full(1, 1e-3))
            for port in ("a", "b")
        ),
        trains=(EventTrain(group="source", port="out", times=np.array([4e-3]), index=ZERO),),
        event_probes=(Probe(label="both", group="gate", index=0, variable="both"),),
    )  # fmt: skip
    stages = order(circuit)
    for chosen, wanted in ((StepOrder(stages), 5.0e-3), (TICK, 5.1e-3)):
        found = simulate(circuit, mode="grid", length=0.01, step=1e-4, order=chosen)
        assert np.allclose(found.events["both"], [wanted])
