"""NEST gets the scheme that the reference takes, though its numbers are bare multiples of mV and ms."""

from __future__ import annotations

from interspike.canonical_model.diagnostics import Log
from interspike.canonical_model.passes.arming import arm
from interspike.canonical_model.passes.flatten import flatten
from interspike.exporters.nest.plan import plan_model
from interspike.importers.nineml.reader import read
from interspike.solvers.planner import plan_update

SPIKE = """\
NineML:
  '@namespace': http://nineml.net/9ML/1.0
  ComponentClass:
  - name: Fast
    Parameter: [{name: mV1, dimension: voltage}, {name: ms1, dimension: time}]
    AnalogSendPort: [{name: V, dimension: voltage}]
    Dynamics:
      StateVariable: [{name: V, dimension: voltage}, {name: m, dimension: one}]
      Alias: [{name: u, MathInline: V/mV1}]
      Regime:
      - name: only
        TimeDerivative:
        - {variable: V, MathInline: 'mV1/ms1*(0.3*(-54.4 - u) + 120*pow(m, 3)*(50 - u))'}
        - {variable: m, MathInline: '(0.05*exp((u + 65)/10)*(1 - m) - 4*exp(-(u + 65)/18)*m)/ms1'}
  Component:
  - name: fast
    Definition: {'@body': Fast}
    Property: [{name: mV1, units: mV, SingleValue: 1.0}, {name: ms1, units: ms, SingleValue: 1.0}]
    Initial: [{name: V, units: mV, SingleValue: -65.0}, {name: m, units: un, SingleValue: 0.01}]
  Dimension: [{name: time, t: 1}, {name: one}, {name: voltage, m: 1, l: 2, t: -3, i: -1}]
  Unit:
  - {symbol: ms, dimension: time, power: -3}
  - {symbol: mV, dimension: voltage, power: -3}
  - {symbol: un, dimension: one}
"""


def test_a_spike_is_tried_in_millivolts() -> None:
    (source,) = read(None, SPIKE.encode(), file="m.yml", log=Log()).components
    component = arm(flatten(source).component)
    ours = {block.scheme for block in plan_update(component, step=1e-4).blocks}
    theirs = plan_model(component, scheme="auto", step=1e-4, log=Log()).update.blocks
    assert {block.scheme for block in theirs} == ours
    assert "rk4" not in ours
