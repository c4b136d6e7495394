"""More mistakes of modellers: the code, the place, and a hint that names what to write instead."""

from __future__ import annotations

import pytest
from interspike.app.verify import verify
from interspike.canonical_model.diagnostics import Issue, Level, Log, ModelError
from interspike.exporters.nineml.emit import export_yaml
from interspike.importers.nineml.reader import read

CELL = """\
NineML:
  '@namespace': http://nineml.net/9ML/1.0
  ComponentClass:
  - name: Cell
    Parameter: [{name: tau, dimension: time}, {name: dead, dimension: time}]
    AnalogReducePort: [{name: drive, dimension: one, operator: +}]
    AnalogSendPort: [{name: x, dimension: one}, {name: y, dimension: one}]
    EventSendPort: [{name: spike}]
    Dynamics:
      StateVariable: [{name: x, dimension: one}, {name: until, dimension: time}]
      Alias: [{name: y, MathInline: x + drive}]
      Regime:
      - name: up
        TimeDerivative: [{variable: x, MathInline: (drive - x)/tau}]
        OnCondition:
        - target_regime: dead
          Trigger: {MathInline: x > 0.5}
          StateAssignment: [{variable: x, MathInline: '0'}, {variable: until, MathInline: t + dead}]
          OutputEvent: [{port: spike}]
      - {name: dead, OnCondition: [{target_regime: up, Trigger: {MathInline: t > until}}]}
  Component:
  - name: cell
    Definition: {'@body': Cell}
    Property: [{name: tau, units: ms, SingleValue: 10.0}, {name: dead, units: ms, SingleValue: 2.0}]
  Dimension: [{name: time, t: 1}, {name: one}]
  Unit: [{symbol: ms, dimension: time, power: -3}, {symbol: un, dimension: one}]
"""
JOINED = """\
  MultiDynamics:
  - name: Pair
    SubDynamics: [{name: a, Reference: {'@body': Cell}}, {name: b, Reference: {'@body': Cell}}]
    AnalogPortConnection:
    - {sender_name: a, send_port: x, receiver_name: b, receive_port: drive}
    AnalogSendPortExposure: [{name: x, sub_component: a, port: x}, {name: x2, sub_component: b, port: x}]
  Dimension:"""
PAIR = CELL.replace("  Dimension:", JOINED)


def issues(text: str) -> list[Issue]:
    log = Log()
    try:
        read(None, text.encode(), file="m.yml", log=log)
    except ModelError as problem:
        return list(problem.issues)
    return list(log)


@pytest.mark.parametrize(
    ("old", "new", "code", "at", "hint"),
    [
        ("x > 0.5}", "x == 0.5}", "X124", "== 0.5", "'<'"),
        ("x + drive}", "x + 1/0}", "X125", "/0}", "infinity"),
        ("x + drive}", "x + drive/(2 - 2)}", "X125", "/(2", "infinity"),
        ("x + drive}", "x + nan}", "X111", "nan", "finite"),
        ("x + drive}", "x + true}", "X111", "true", "truth"),
        ("x > 0.5}", "x > 0.5 and x > 0}", "X101", "and x", "'&&'"),
        ("x > 0.5}", "x > 5 mV}", "X101", "mV}", "Constant"),
        ("x + drive}", "x \u2212 drive}", "X101", "\u2212", "'-'"),
        ("x + drive}", "x if x > 1 else 2}", "X101", "if x", "regimes"),
        ("x + drive}", "x(drive)}", "X101", "x(drive", "'*' multiplies"),
        ("target_regime: up", "target_regime: off", "X114", "off", "up, dead"),
        ("operator: +", "operator: sum", "X033", "sum", "'+'"),
        ("9ML/1.0", "9ML/3.0", "X017", "'@namespace", "1.0"),
    ],
)
def test_one_mistake(old: str, new: str, code: str, at: str, hint: str) -> None:
    assert old in CELL
    text = CELL.replace(old, new, 1)
    found = next(i for i in issues(text) if i.code == code)
    assert found.span is not None
    line = text.splitlines()[found.span.line - 1]
    assert line[found.span.column - 1 :].startswith(at)
    assert hint in found.hint


@pytest.mark.parametrize(
    ("old", "new", "code", "words"),
    [
        ("name: x2", "name: x", "X141", "two ports that are called 'x'"),
        ("send_port: x, receiver_name: b", "send_port: spike, receiver_name: b", "X143", "events"),
        (
            "send_port: x, receiver_name: b, receive_port: drive}",
            "send_port: y, receiver_name: b, receive_port: drive}\n"
            "    - {sender_name: b, send_port: y, receiver_name: a, receive_port: drive}",
            "X113", "need each other through ports",
        ),
    ],
)  # fmt: skip
def test_a_mistake_of_joining(old: str, new: str, code: str, words: str) -> None:
    assert not [i for i in issues(PAIR) if i.level is Level.ERROR]
    (found, *_) = [i for i in issues(PAIR.replace(old, new, 1)) if i.level is Level.ERROR]
    assert found.code == code and words in found.message
    assert found.span is not None and found.span.line > 24


def test_a_uniform_distribution_upside_down() -> None:
    text = CELL.replace(
        "  Component:\n",
        """\
  - name: U
    Parameter: [{name: minimum, dimension: one}, {name: maximum, dimension: one}]
    RandomDistribution: {standard_library: 'http://www.uncertml.org/distributions/uniform'}
  Component:
  - name: u
    Definition: {'@body': U}
    Property: [{name: minimum, units: un, SingleValue: 3.0}, {name: maximum, units: un, SingleValue: 2.0}]
""",
        1,
    ).replace(
        "units: ms, SingleValue: 10.0",
        "units: ms, RandomDistributionValue: {Reference: {'@body': u}}",
    )
    (found, *_) = [i for i in issues(text) if i.level is Level.ERROR]
    assert found.code == "X211" and "'minimum'" in found.message and "3" in found.message


def test_a_regime_is_not_called_as_a_quantity() -> None:
    """The real library finds things by their names only: `dead` is a parameter and a regime here."""
    model = read(None, CELL.encode(), file="m.yml", log=Log())
    (text,) = export_yaml(
        model, scheme="auto", step=1e-4, source=model.provenance, log=Log(), name="m"
    )
    written = text.data.decode()
    assert "name: dead_2" in written and "target_regime: dead_2" in written


def test_parts_without_values_do_not_stop_the_rest() -> None:
    log = Log()
    model = read(None, PAIR.encode(), file="m.yml", log=Log())
    assert verify(model, to="spinnaker2", log=log).verdict == "same"
    assert "A233" in {issue.code for issue in log}
