"""The canonical text form as a target and a source, and `inspect` on it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from interspike import convert, load
from interspike.app.cli import main
from interspike.canonical_model.compare import equal
from interspike.canonical_model.expr import Binary, Name, Number, Unary
from interspike.canonical_model.model import (
    Assign,
    Component,
    Emit,
    EventPort,
    Model,
    Ode,
    OnCondition,
    Parameter,
    StateVariable,
)
from interspike.canonical_model.units import TIME, VOLTAGE, Quantity, Unit

MILLI = {"ms": Unit("ms", TIME, 1e-3), "mV": Unit("mV", VOLTAGE, 1e-3)}


def voltage(name: str, value: float) -> Parameter:
    return Parameter(name=name, dimension=VOLTAGE, value=Quantity(value, MILLI["mV"]))


LIF = Component(
    name="lif",
    parameters=(
        voltage("E", -65),
        voltage("drive", 20),
        voltage("threshold", -50),
        Parameter(name="tau", dimension=TIME, value=Quantity(10, MILLI["ms"])),
    ),
    state_variables=(StateVariable(name="v", dimension=VOLTAGE, initial=Name("E")),),
    odes=(
        Ode(
            variable="v",
            rhs=Binary(
                "/",
                Binary("-", Binary("+", Name("E"), Name("drive")), Name("v")),
                Name("tau"),
            ),
        ),
    ),
    on_conditions=(
        OnCondition(
            test=Binary(">", Name("v"), Name("threshold")),
            body=(Assign(target="v", value=Name("E")), Emit(port="spike")),
        ),
    ),
    event_outputs=(EventPort(name="spike"),),
)
MODEL = Model(name="leaky", components=(LIF,))


def test_round_trip_through_a_file(tmp_path: Path) -> None:
    result = convert(MODEL, to="canonical", output=tmp_path / "out")
    assert result.report.exact
    again = load(tmp_path / "out/leaky.json")
    assert equal(again, MODEL)


def test_our_own_reports_are_no_models(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    convert(MODEL, to="canonical", output=tmp_path / "out")
    for name in ("report.json", "interspike.json"):
        assert main(["inspect", str(tmp_path / "out" / name)]) == 2
        assert "A005" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b'{"interspike": 1, "model": ', "M101"),
        (b'{"interspike": 99, "model": {}}', "M102"),
        (b'{"interspike": 1, "model": {"name": 3}}', "M103"),
        (b'{"interspike": 1, "model": {"name": "\xff"}}', "C001"),
    ],
)
def test_damaged_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, code: str
) -> None:
    (tmp_path / "m.json").write_bytes(content)
    assert main(["inspect", str(tmp_path / "m.json")]) == 2
    err = capsys.readouterr().err
    assert code in err
    assert "m.json" in err


def test_a_component_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    convert(MODEL, to="canonical", output=tmp_path / "out")
    arguments = ["inspect", str(tmp_path / "out/leaky.json"), "--component", "lief"]
    assert main(arguments) == 2
    assert "did you mean 'lif'?" in capsys.readouterr().err


def test_inspect_says_how_and_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    convert(MODEL, to="canonical", output=tmp_path / "out")
    assert main(["inspect", str(tmp_path / "out/leaky.json")]) == 0
    text = capsys.readouterr().out
    assert "dv/dt" in text
    assert "-65 mV" in text
    assert "exact: linear with constant coefficients" in text


def test_inspect_for_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    convert(MODEL, to="canonical", output=tmp_path / "out")
    assert main(["inspect", str(tmp_path / "out/leaky.json"), "--json", "--solver", "rk4"]) == 0
    (lif,) = json.loads(capsys.readouterr().out)["components"]
    assert lif["equations"] == {"v": "(E + drive - v) / tau"}
    assert lif["parameters"][0] == {
        "name": "E", "value": -65.0, "unit": "mV", "dimension": "voltage",
    }  # fmt: skip
    assert [block["scheme"] for block in lif["solved"]] == ["rk4"]


def test_what_cannot_be_solved_as_asked_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    square = Binary("/", Unary("-", Binary("*", Name("x"), Name("x"))), Name("tau"))
    curved = Component(
        name="curved",
        parameters=(LIF.parameters[3],),
        state_variables=(StateVariable(name="x", initial=Number(1.0)),),
        odes=(Ode(variable="x", rhs=square),),
    )
    convert(Model(name="c", components=(curved,)), to="canonical", output=tmp_path / "out")
    assert main(["inspect", str(tmp_path / "out/c.json"), "--solver", "exact"]) == 0
    assert "cannot be solved alone" in capsys.readouterr().out
