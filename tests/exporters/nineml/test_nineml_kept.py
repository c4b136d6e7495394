"""What has no population to take it comes back all the same: arrays, distributions, lone rules."""

from __future__ import annotations

import pytest
from interspike.canonical_model.compare import differences
from interspike.canonical_model.diagnostics import Log
from interspike.canonical_model.model import Model, Provenance
from interspike.exporters.nineml.emit import export_json, export_xml, export_yaml
from interspike.importers.nineml.reader import read

CELL = """\
NineML:
  '@namespace': http://nineml.net/9ML/1.0
  ComponentClass:
  - name: Leak
    Parameter: [{name: tau, dimension: time}, {name: gain, dimension: dimensionless}]
    AnalogSendPort: [{name: x, dimension: dimensionless}]
    Dynamics:
      StateVariable: [{name: x, dimension: dimensionless}]
      Regime:
      - name: sole
        TimeDerivative: [{variable: x, MathInline: (gain - x)/tau}]
  - name: Gamma
    Parameter: [{name: shape, dimension: dimensionless}, {name: scale, dimension: dimensionless}]
    RandomDistribution: {standard_library: 'http://www.uncertml.org/distributions/gamma'}
  Component:
  - name: spread
    Definition: {'@body': Gamma}
    Property:
    - {name: shape, units: one, SingleValue: 2.0}
    - {name: scale, units: one, SingleValue: 0.5}
  - name: leak
    Definition: {'@body': Leak}
    Property:
    - name: tau
      units: ms
      ArrayValue: {ArrayValueRow: [{index: 0, value: 8.0}, {index: 1, value: 9.5}]}
    - {name: gain, units: one, RandomDistributionValue: {Reference: {'@body': spread}}}
    Initial:
    - name: x
      units: one
      ArrayValue: {ArrayValueRow: [{index: 0, value: 0.25}, {index: 1, value: -1.0}]}
  Dimension: [{name: time, t: 1}, {name: dimensionless}]
  Unit: [{symbol: ms, dimension: time, power: -3}, {symbol: one, dimension: dimensionless, power: 0}]
"""
RULE = """\
NineML:
  '@namespace': http://nineml.net/9ML/1.0
  ComponentClass:
  - name: Some
    Parameter: [{name: probability, dimension: dimensionless}]
    ConnectionRule: {standard_library: 'http://nineml.net/9ML/1.0/connectionrules/Probabilistic'}
  Dimension: [{name: dimensionless}]
"""
FORMS = {"yml": export_yaml, "xml": export_xml, "json": export_json}


def again(model: Model, form: str) -> tuple[Model, Log]:
    log = Log()
    (text,) = FORMS[form](model, scheme="auto", step=1e-4, source=Provenance(), log=log, name="m")
    return read(None, text.data, file=text.path, log=Log(), options={"strict": "yes"}), log


@pytest.mark.parametrize("form", FORMS)
def test_open_values_come_back(form: str) -> None:
    model = read(None, CELL.encode(), file="m.yml", log=Log())
    found, log = again(model, form)
    assert not differences(model.component("leak"), found.component("leak"))
    assert "X324" not in {issue.code for issue in log}


@pytest.mark.parametrize("form", FORMS)
def test_a_lone_rule_comes_back(form: str) -> None:
    model = read(None, RULE.encode(), file="m.yml", log=Log())
    found, _ = again(model, form)
    assert found.provenance.notes == model.provenance.notes
    assert len(found.provenance.notes) == 1
