"""Mistakes in NineML documents: a code, the right line, several at once, and bounded work."""

from __future__ import annotations

import base64
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from interspike.app import registry
from interspike.canonical_model.diagnostics import Issue, Level, Log, ModelError
from interspike.importers.nineml.reader import read

GOOD = """\
NineML:
  '@namespace': http://nineml.net/9ML/1.0
  ComponentClass:
  - name: Cell
    Parameter:
    - {name: tau, dimension: time}
    EventSendPort:
    - {name: spike}
    Dynamics:
      StateVariable:
      - {name: x, dimension: dimensionless}
      Regime:
      - name: sole
        TimeDerivative:
        - {variable: x, MathInline: (1 - x)/tau}
        OnCondition:
        - target_regime: sole
          Trigger: {MathInline: x > 0.5}
          StateAssignment:
          - {variable: x, MathInline: '0'}
          OutputEvent:
          - {port: spike}
  Component:
  - name: cell
    Definition: {'@body': Cell}
    Property:
    - {name: tau, units: ms, SingleValue: 10.0}
  Dimension:
  - {name: time, t: 1}
  - {name: dimensionless}
  Unit:
  - {symbol: ms, dimension: time, power: -3}
"""


def issues(text: str | bytes, **options: str) -> list[Issue]:
    data = text if isinstance(text, bytes) else text.encode()
    log = Log()
    with pytest.raises(ModelError) as caught:
        read(None, data, file="m.yml", log=log, options=options)
    assert not caught.value.refused
    return list(caught.value.issues)


def first(old: str, new: str, **options: str) -> tuple[str, int]:
    assert old in GOOD
    (issue, *_) = issues(GOOD.replace(old, new, 1), **options)
    assert issue.span is not None
    return issue.code, issue.span.line


def test_the_good_one_is_good() -> None:
    model = read(None, GOOD.encode(), log=Log(), options={"strict": "yes"})
    assert model.component("cell").parameters[0].value is not None


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        ("name: Cell\n", "name: 2Cell\n", "X030", 4),
        ("dimension: time}\n", "dimension: tim}\n", "X120", 6),
        ("    Parameter:\n    - {name", "    Parameter:\n      {name", "X011", 6),
        ("Parameter", "Parametre", "X013", 5),
        ("(1 - x)/tau", "(1 - x/tau", "X101", 15),
        ("(1 - x)/tau", "(1 - x)/tou", "X111", 15),
        ("(1 - x)/tau", "ln(x)/tau", "X101", 15),
        ("x > 0.5", "x", "X123", 17),
        ("target_regime: sole", "target_regime: other", "X114", 17),
        ("{port: spike}", "{port: spoke}", "X118", 22),
        ("SingleValue: 10.0", "SingleValue: ten", "X032", 27),
        ("SingleValue: 10.0", "SingleValue: on", "X032", 27),
        ("SingleValue: 10.0", "SingleValue: null", "X012", 27),
        ("units: ms, S", "units: sec, S", "X042", 27),
        ("'@body': Cell", "'@body': Coll", "X043", 25),
        ("Definition: {'@body': Cell}", "Definition: Cell", "X011", 25),
        ("name: dimensionless", "name: cell", "X041", 30),
        ("power: -3", "power: -3.5", "X032", 32),
        ("t: 1}", "t: 0.5}", "X032", 29),
        ("{name: tau, dimension: time}", "{name: tau, dimension: time, name: tau}", "X005", 6),
        ("9ML/1.0", "9ML/0.1", "X017", 2),
        ("  '@namespace': http://nineml.net/9ML/1.0\n", "", "X017", 2),
        ("NineML:", "Other:", "X010", 1),
        ("- {symbol: ms", "- !!python/object:os.system {symbol: ms", "X003", 32),
        ("(1 - x)/tau", "random.uniform()/tau", "X121", 15),
        ("'0'", "1 s", "X101", 20),
    ],
)
def test_one_mistake(old: str, new: str, code: str, line: int) -> None:
    assert first(old, new) == (code, line)


def test_columns_point_into_expressions() -> None:
    (issue,) = issues(GOOD.replace("(1 - x)/tau", "(1 - x)/tau/tou"))
    assert issue.span is not None
    assert issue.span.column == GOOD.splitlines()[14].index("tau") + 5
    assert issue.hint == "did you mean 'tau'?"


def test_several_mistakes_in_one_run() -> None:
    text = GOOD.replace("(1 - x)/tau", "(1 - y)/tau").replace("x > 0.5", "z > 0.5")
    assert [(i.code, i.span.line) for i in issues(text) if i.span] == [("X111", 15), ("X111", 18)]


@pytest.mark.parametrize("word", ["on", "yes", "off", "No", "true"])
def test_truth_values_in_disguise(word: str) -> None:
    text = GOOD.replace("x", word).replace("e" + word, "ex")
    text = GOOD.replace("{name: x,", f"{{name: {word},").replace(
        "variable: x,", f"variable: {word},"
    )
    text = text.replace("1 - x", f"1 - {word}").replace("x > 0.5", f"{word} > 0.5")
    codes = {issue.code for issue in issues(text, strict="yes")}
    assert codes == {"X020"}
    log = Log()
    model = read(None, text.encode(), log=log)
    assert model.component("cell").state_variables[0].name == word
    assert all(issue.level is not Level.ERROR for issue in log)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("target_regime: sole", "targetRegime: sole"),
        ("target_regime: sole", "target: sole"),
        ("OutputEvent", "EventOut"),
        (
            "    EventSendPort:\n    - {name: spike}",
            "    EventPort:\n    - {name: spike, mode: send}",
        ),
        ("  Unit:\n", "  Unit:\n  - {symbol: ms, dimension: time, power: -3}\n"),
        ("power: -3}", "scale: 0.001}"),
        ("power: -3}", "power: -6, scale: 1000}"),
    ],
)
def test_dialects_are_read_with_a_warning_or_refused(old: str, new: str) -> None:
    text = GOOD.replace(old, new, 1)
    log = Log()
    read(None, text.encode(), log=log)
    assert [issue.level for issue in log if issue.code == "X020"] == [Level.WARNING]
    if "EventPort" not in new and "EventOut" not in new:
        assert "X020" in {issue.code for issue in issues(text, strict="yes")}


def test_an_omitted_target_means_stay() -> None:
    text = GOOD.replace("- target_regime: sole\n          Trigger", "- Trigger")
    assert read(None, text.encode(), log=Log(), options={"strict": "yes"}).component("cell")


# --- bounded work


def test_alias_bombs_stop_early() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for k in range(1, 12):
        again = ", ".join([f"*a{k - 1}"] * 10)
        lines.append(f"a{k}: &a{k} [{again}]")
    start = time.process_time()
    (issue,) = issues("\n".join(lines))
    assert issue.code == "X002" and time.process_time() - start < 2


def test_a_value_cannot_contain_itself() -> None:
    assert issues("NineML: &a {x: *a}")[0].code == "X004"
    assert issues("NineML: *nothing")[0].code in ("X001", "X004")


@pytest.mark.parametrize("opened", ["[", "{a: ", "- "])
def test_deep_nesting(opened: str) -> None:
    assert issues(opened * 100_000)[0].code in ("X001", "X002")


def test_deep_json() -> None:
    assert issues(b'{"NineML":' + b"[" * 100_000)[0].code == "X002"


def test_long_expressions() -> None:
    for text in ("(" * 5000 + "x" + ")" * 5000, "+".join(["x"] * 5000), "-" * 5000 + "x"):
        assert issues(GOOD.replace("(1 - x)/tau", text))[0].code == "X102"


def test_bad_base64() -> None:
    text = GOOD.replace("name: Cell", "name: !!binary '%%%'")
    assert issues(text)[0].code == "X001"
    good = GOOD.replace("name: Cell", f"name: !!binary {base64.b64encode(b'Cell').decode()}")
    assert read(None, good.encode(), log=Log()).component("cell")


def test_files_outside_are_not_read(tmp_path: Path) -> None:
    for url in ("/etc/passwd", "../../../../../../etc/passwd", "http://example.org/a.xml"):
        text = GOOD.replace("{'@body': Cell}", f"{{'@body': Cell, url: {url}}}")
        path = tmp_path / "m.yml"
        path.write_text(text)
        with pytest.raises(ModelError) as caught:
            read(path, None, log=Log())
        assert caught.value.issues[0].code == "X044"


def test_prototypes_in_a_circle() -> None:
    text = GOOD.replace("Definition: {'@body': Cell}", "Prototype: {'@body': cell}")
    assert issues(text)[0].code == "X045"


def test_options_are_checked() -> None:
    assert issues(GOOD, offsets="maybe")[0].code == "X060"
    assert issues(GOOD, regim="sole")[0].code == "X060"


@pytest.mark.parametrize("head", [
    b"NineML:\n", b"# c\nNineML:", b'{"NineML": {', b'<?xml version="1.0"?><NineML xmlns="x">',
    b"? !!binary |\n  TmluZU1M\n: x", "\ufeffNineML: {}".encode(),
])  # fmt: skip
def test_the_language_is_told_from_the_content(head: bytes) -> None:
    assert registry.recognise(head, "m").name == "nineml"


# --- anything else


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.binary(max_size=4)), max_size=5))
def test_changed_bytes_never_crash(changes: list[tuple[int, bytes]]) -> None:
    data = bytearray(GOOD.encode())
    for place, new in changes:
        data[place : place + 1] = new
    try:
        read(None, bytes(data), file="m.yml", log=Log())
    except ModelError as problem:
        assert problem.issues


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="xt0123.+-*/^()<>=!&| ,eandomriupwl", max_size=40))
def test_any_expression(text: str) -> None:
    import json

    try:
        read(None, GOOD.replace("x > 0.5", json.dumps(text)).encode(), log=Log())
    except ModelError as problem:
        assert problem.issues
