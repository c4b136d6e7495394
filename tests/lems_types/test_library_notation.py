"""The notation of the library of standard types: what it means, and what its errors say."""

from __future__ import annotations

import pytest
from interspike.canonical_model.diagnostics import ModelError
from interspike.canonical_model.expr import Binary, Name, Number
from interspike.canonical_model.units import Quantity
from interspike.lems_types import syntax
from interspike.lems_types.library_notation import read_units
from interspike.lems_types.library_reader import (
    LIBRARY,
    read_types,
    standard_dimensions,
    standard_files,
    standard_type,
    standard_type_names,
    standard_units,
)


def _one(body: str) -> syntax.ComponentType:
    (item,) = read_types(f"type a < b\n{body}", "a.types")
    return item


def test_members_share_a_line_and_know_where_they_stand() -> None:
    item = _one("  parameter x, y: voltage  # two\n\n  property w = 2\n  sends spike\n")
    assert [(member.kind, member.name, member.dimension) for member in item.members] == [
        ("Parameter", "x", "voltage"),
        ("Parameter", "y", "voltage"),
        ("Property", "w", "none"),
        ("EventPort", "spike", "none"),
    ]
    assert [member.value for member in item.members] == ["", "", "2", ""]
    assert item.members[3].direction == "out"
    assert [str(member.span) for member in item.members] == [
        "a.types:2", "a.types:2", "a.types:4", "a.types:5",
    ]  # fmt: skip
    assert (item.name, item.extends, item.is_standard, item.dynamics) == ("a", "b", True, None)


def test_a_parameter_with_a_formula_is_derived() -> None:
    (member,) = _one("  parameter r: per_time = 1/tau\n").members
    assert (member.kind, member.dimension, member.value) == (
        "DerivedParameter",
        "per_time",
        "1/tau",
    )


def test_local_reference() -> None:
    plain, local = _one("  reference p: population\n  reference q: population local\n").members
    assert (plain.type, plain.local) == ("population", False)
    assert (local.type, local.local) == ("population", True)


def test_dynamics_of_every_form() -> None:
    dynamics = _one(
        "  public state v: voltage\n"
        "  derived x from optional product gates[*]/q\n"
        "  public derived y: ? = v + \\\n      1\n"
        "  derived z\n    if v .gt. 0: 1\n    else: 2\n"
        "  on in: nothing\n"
        "  when v .gt. 1:\n    v = 0\n    emit spike\n"
        "  regime r initial\n    v' = 1\n    enter: v = 2; go s\n"
    ).dynamics
    assert dynamics is not None
    assert dynamics.state_variables[0].exposure == "v"
    x, y, z = dynamics.derived_variables
    assert (x.select, x.reduce, x.required, x.value) == ("gates[*]/q", "multiply", False, None)
    assert (y.dimension, y.exposure) == ("", "y")
    assert y.value == Binary("+", Name("v"), Number(1.0))
    test = Binary(">", Name("v"), Number(0.0))
    assert z.cases == ((test, Number(1.0)), (None, Number(2.0)))
    on, when = dynamics.handlers
    assert (on.kind, on.port, on.actions) == ("OnEvent", "in", ())
    assert [action.kind for action in when.actions] == ["StateAssignment", "EventOut"]
    (regime,) = dynamics.regimes
    assert regime.initial
    assert regime.derivatives == (("v", Number(1.0)),)
    assert [(action.kind, action.target) for action in regime.handlers[0].actions] == [
        ("StateAssignment", "v"),
        ("Transition", "s"),
    ]


def test_types_that_share_a_head_share_the_body() -> None:
    first, second = read_types("type a, \\\n    b < c\n  text ion\n")
    assert (first.name, second.name) == ("a", "b")
    assert first.members == second.members
    assert first.members[0].span is not None
    assert first.members[0].span.line == 3


def test_structure_nests() -> None:
    (build,) = _one("  structure\n    Tunnel name=p\n      Assign property=w value=v\n").structure
    assert (build.tag, build.attributes) == ("Tunnel", {"name": "p"})
    assert build.children[0].attributes == {"property": "w", "value": "v"}


@pytest.mark.parametrize(
    ("body", "line", "message"),
    [
        ("  parmeter x: voltage\n", 2, "'parmeter' does not start a statement"),
        ("  text ion\n  parameter : voltage\n", 3, "parameter name, name"),
        ("  parameter x y: voltage\n", 2, "parameter name, name"),
        ("  constant K: voltage\n", 2, "constant name: dimension = value"),
        ("  requires v: voltage = 3\n", 2, "requires name: dimension = value"),
        ("  text ion: voltage\n", 2, "'text name'"),
        ("  child a\n", 2, "child name: type"),
        ("  state v voltage\n", 2, "state name, name: dimension"),
        ("  derived x: voltage\n", 2, "derived name: dimension = expression"),
        ("  derived x: voltage = 3\n    if v .gt. 0: 1\n", 2, "derived name"),
        ("  derived x\n    when v: 1\n", 3, "if test: value"),
        ("  derived x from sum a b\n", 2, "from optional sum path"),
        ("  v' : 3\n", 2, "x' = expression"),
        ("  v' = 3 +\n", 2, "expected a number, name"),
        ("  parameter x = 3 +\n", 2, "expected a number, name"),
        ("  when v .gt. 3\n", 2, "when test: action"),
        ("  when v .gt. 3: send spike\n", 2, "emit port"),
        ("  on in:\n", 2, "on port: nothing"),
        ("  regime r first\n", 2, "regime name initial"),
        ("  regime r\n    parameter x\n", 3, "'parameter' does not start a statement here"),
        ("  scheme ks: nodes=states\n", 2, "scheme name: nodes="),
        ("  structure\n    With instance\n", 3, "Tag key=value"),
        ("  text ion\n    text more\n", 3, "nothing may be nested below 'text ion'"),
        ("  text ion\n text more\n", 3, "not in line with those above"),
        ("text ion\n", 2, "not in line with those above"),
    ],
)
def test_errors_name_the_line_and_the_form(body: str, line: int, message: str) -> None:
    with pytest.raises(ModelError) as caught:
        _one(body)
    (issue,) = caught.value.issues
    assert message in issue.message
    assert issue.code in ("L190", "L101")
    assert issue.span is not None
    assert (issue.span.file, issue.span.line) == ("a.types", line)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("type a\ntype b\ntype a\n", 3, "the type 'a' is defined twice"),
        ("type a extends b\n", 1, "is not of the form 'type a, b < base'"),
        ("# ours\ntpye a\ntype b\n", 2, "a line outside of any type"),
        ("file A.xml\n  text ion\ntype b\n", 2, "a line outside of any type"),
    ],
)
def test_errors_of_heads(text: str, line: int, message: str) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        read_types(text, "a.types")
    assert str(caught.value.issues[0].span) == f"a.types:{line}"


def test_a_misspelt_keyword_gets_a_hint() -> None:
    with pytest.raises(ModelError, match="did you mean 'parameter'"):
        _one("  parmeter x\n")


def test_units_with_offset_and_their_errors() -> None:
    dimensions, units = read_units("dimension temp: k\n  K = 1, F = 0.5 offset 400\n", "u.types")
    assert units["K"].dimension == dimensions["temp"]
    assert Quantity(100.0, units["F"]).si == 250.0
    for text in ("dimension x\n", "dimension x: y2\n", "  K = 1\n", "dimension x: k\n  K 1\n"):
        with pytest.raises(ModelError, match="L190"):
            read_units(text, "u.types")


def test_the_library_reads_as_one_consistent_whole() -> None:
    names = set(standard_type_names())
    dimensions = {*standard_dimensions(), "none", "*"}
    for name in names:
        item = standard_type(name)
        assert item is not None
        assert item.extends in names | {""}
        for member in item.members:
            assert member.dimension in dimensions
            assert member.type in names | {"", "Component"}
        for variable in item.dynamics.state_variables if item.dynamics else ():
            assert variable.dimension in dimensions
    assert set().union(*standard_files().values()) == names
    assert standard_type(name) is standard_type(name)
    assert standard_type("noSuchType") is None


def test_temperatures_and_small_units() -> None:
    units = standard_units()
    assert Quantity(32.0, units["degC"]).si == pytest.approx(305.15)
    assert Quantity(-65.0, units["mV"]).si == pytest.approx(-0.065)
    assert Quantity(0.3, units["mS_per_cm2"]).si == pytest.approx(3.0)


def test_lines_of_the_library_fit() -> None:
    for path in LIBRARY.glob("*.types"):
        lines = path.read_text(encoding="utf-8").splitlines()
        assert all(len(line) <= 100 and line == line.rstrip() for line in lines), path.name
