"""Broken and hostile documents in all serializations: a code at a line, in bounded time, no crash."""

from __future__ import annotations

import time

import pytest
from interspike.canonical_model.diagnostics import Log, ModelError
from interspike.canonical_model.model import Provenance
from interspike.exporters.nineml.emit import export_json, export_xml
from interspike.importers.nineml.reader import read

YML = """\
NineML:
  '@namespace': http://nineml.net/9ML/1.0
  ComponentClass:
  - name: Cell
    Parameter: [{name: tau, dimension: time}]
    AnalogSendPort: [{name: x, dimension: one}]
    Dynamics:
      StateVariable: [{name: x, dimension: one}]
      Regime:
      - name: sole
        TimeDerivative: [{variable: x, MathInline: -x/tau}]
  - name: All
    ConnectionRule: {standard_library: 'http://nineml.net/9ML/1.0/connectionrules/AllToAll'}
  Component:
  - name: cell
    Definition: {'@body': Cell}
    Property: [{name: tau, units: ms, SingleValue: 10.0}]
  - {name: all, Definition: {'@body': All}}
  Dimension: [{name: time, t: 1}, {name: one}]
  Unit: [{symbol: ms, dimension: time, power: -3}]
"""
MODEL = read(None, YML.encode(), file="m.yml", log=Log())
COMMON = {"scheme": "auto", "step": 1e-4, "source": Provenance(), "name": "m"}
XML = export_xml(MODEL, log=Log(), **COMMON)[0].data.decode()  # type: ignore[arg-type]
JSON = export_json(MODEL, log=Log(), **COMMON)[0].data.decode()  # type: ignore[arg-type]
BOMB = "".join(f'<!ENTITY l{k} "{f"&l{k - 1};" * 10}">' for k in range(1, 10))


def doctype(inner: str, value: str) -> str:
    head, body = XML.split("?>", 1)
    return f"{head}?><!DOCTYPE NineML {inner}>{body.replace('10.0', value)}"


def value(text: str) -> str:
    return YML.replace("SingleValue: 10.0", f"SingleValue: {text}")


def selections(*items: str) -> str:
    """Selections S0, S1, ... of these things each, and a projection from the last to the population."""
    text = (
        YML
        + "  Population: [{name: P, Size: 2, Cell: {Reference: {'@body': cell}}}]\n  Selection:\n"
    )
    for k, item in enumerate(items):
        parts = [f"{{index: {i}, Reference: {{'@body': {x}}}}}" for i, x in enumerate(item.split())]
        text += f"  - {{name: S{k}, Concatenate: {{Item: [{', '.join(parts)}]}}}}\n"
    return f"""{text}  Projection:
  - name: p
    Source: {{Reference: {{'@body': S{len(items) - 1}}}}}
    Destination: {{Reference: {{'@body': P}}}}
    Connectivity: {{Reference: {{'@body': all}}}}
    Response: {{Reference: {{'@body': cell}}}}
"""


def multis(*items: str) -> str:
    """Multi-dynamics M0, M1, ... of these parts each."""
    text = YML + "  MultiDynamics:\n"
    for k, item in enumerate(items):
        text += f"  - name: M{k}\n    SubDynamics:\n"
        for i, part in enumerate(item.split()):
            text += f"    - {{name: s{i}, Reference: {{'@body': {part}}}}}\n"
    return text


CASES: dict[str, tuple[str | bytes, str, int]] = {
    **{
        f"number {text}": (value(text), "X032", 17)
        for text in (
            "1_000", "0o17", "017", "0x1F", "0b1", "1:30", ".inf", "-.inf", ".nan", "2020-01-01",
            "yes", "10 ms", "1.5e", "1e999", "9" * 5000, "''", "!!str ten",
        )
    },
    "null": (value("~"), "X012", 17),
    "list for one": (value("[1.0]"), "X011", 17),
    "set": (value("!!set {a}"), "X003", 17),
    "python": (YML.replace("Cell\n", "!!python/object/apply:os.system [ls]\n", 1), "X003", 4),
    "merge": (YML.replace("Property: [{", "Property: [{<<: {a: 1}, "), "X013", 17),
    "tab": (YML.replace("    Dynamics", "\tDynamics"), "X001", 7),
    "latin-1": (YML.replace("Cell", "C\xe9ll").encode("latin-1"), "X001", 4),
    "utf-32": (YML.encode("utf-32"), "X001", 1),
    "nul": (YML.replace("Cell", "C\0ell"), "X001", 4),
    "nothing": ("# nothing\n", "X001", 1),
    "two documents": (f"{YML}---\n{YML}", "X001", 21),
    "two roots": (f"{YML}Other: 1\n", "X010", 1),
    "list": ("- NineML: {}", "X010", 1),
    "key twice": (YML.replace("  Unit:", "  Component: []\n  Unit:"), "X005", 20),
    "a class of no class": (YML.replace("'@body': Cell", "'@body': cell"), "X046", 15),
    "prototypes": (YML.replace("Definition: {'@body': Cell", "Prototype: {'@body': cell"), "X045", 16),
    "selections in a circle": (selections("S1", "S0"), "X252", 24),
    "selections that double": (selections("P P", *(f"S{k} S{k}" for k in range(40))), "X255", 24),
    "empty selections that double": (
        selections("", *(f"S{k} S{k}" for k in range(40))), "", 0
    ),
    "a whole in itself": (multis("M0"), "X140", 22),
    "wholes in a circle": (multis("M1", "M0"), "X140", 22),
    "wholes that double": (multis("Cell Cell", *(f"M{k} M{k}" for k in range(19))), "X141", 58),
    "json, key twice": (JSON.replace('"name": "x"', '"name": "x", "name": "y"', 1), "X005", 15),
    "json, NaN": (JSON.replace("10.0", "NaN"), "X001", 56),
    "json, infinity": (JSON.replace("10.0", "-Infinity"), "X001", 56),
    "json, true": (JSON.replace("10.0", "true"), "X032", 56),
    "json, no end": (JSON.rstrip()[:-1], "X001", 78),
    "json, latin-1": (JSON.replace("Cell", "C\xe9ll").encode("latin-1"), "X001", 6),
    "json, half a pair": (JSON.replace("Cell", "C\\ud800ell"), "X030", 6),
    "xml, bomb": (doctype(f'[<!ENTITY l0 "lol">{BOMB}]', "&l9;"), "L001", 1),
    "xml, file": (doctype('[<!ENTITY e SYSTEM "file:///etc/passwd">]', "&e;"), "L001", 1),
    "xml, external": (doctype('SYSTEM "http://example.org/n.dtd"', "1"), "L001", 1),
    "xml, namespace": (XML.replace("nineml.net/9ML/1.0", "example.org"), "X017", 2),
    "xml, draft": (XML.replace("nineml.net/9ML/1.0", "nineml.incf.org/9ML/0.3"), "X017", 2),
    "xml, deep": ('<NineML xmlns="http://nineml.net/9ML/1.0">' + "<a>" * 99_999, "L003", 1),
    "xml, include": (XML.replace("<Dynamics>", '<i:include xmlns:i="x" href="y"/><Dynamics>'), "X013", 6),
    "xml, code page": (XML.replace("UTF-8", "KLINGON"), "L002", 1),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_clear_end(name: str) -> None:
    text, code, line = CASES[name]
    data = text if isinstance(text, bytes) else text.encode()
    start = time.process_time()
    found: tuple[str, int] = ("", 0)
    try:
        read(None, data, file="m", log=Log())
    except ModelError as problem:
        issue = problem.issues[0]
        found = issue.code, issue.span.line if issue.span else 0
        assert len(issue.message) < 300
    assert found == (code, line)
    assert time.process_time() - start < 6


@pytest.mark.parametrize("change", [
    lambda: "\ufeff" + YML, lambda: YML.replace("\n", "\r\n"), lambda: f"%YAML 1.1\n---\n{YML}...\n",
    lambda: YML.encode("utf-16"), lambda: "\ufeff" + JSON, lambda: XML.replace("<Param", "<?a b?><Param"),
    lambda: XML.replace("<Param", "<!-- c --><Param"), lambda: XML.replace(">Cell<", "> Cell <"),
    lambda: value("'1e1'"), lambda: value("!!binary MTA="), lambda: value("+10."),
])  # fmt: skip
def test_what_is_no_mistake(change: object) -> None:
    text = change()  # type: ignore[operator]
    data = text if isinstance(text, bytes) else text.encode()
    model = read(None, data, file="m", log=Log())
    assert [p.value and p.value.si for p in model.component("cell").parameters] == [0.01]
