"""The line from source to artifacts, with formats that the test makes up."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import interspike
import pytest
from interspike.app import registry
from interspike.app.cli import main
from interspike.app.convert import Refusal, choose_step, convert, safe_name
from interspike.canonical_model.diagnostics import Level, Log, ModelError, Span, error, refuse
from interspike.canonical_model.model import Component, Model, Provenance
from interspike.exporters.artifact import Artifact
from interspike.exporters.format import Exporter
from interspike.importers.format import Importer


def read(path: Path | None, data: bytes | None, **options: Any) -> Model:
    """A made-up language: `cell NAME [WORD]` a line; words make the importer and exporter act."""
    text = (path.read_bytes() if path else data or b"").decode()
    log: Log = options["log"]
    cells = []
    for number, line in enumerate(text.splitlines()[1:], 2):
        span = Span(options["file"], number, 6)
        word, name, *rest = [*line.split(), ""]
        if word != "cell":
            log.add("T001", Level.ERROR, f"'{word}' is no cell", span)
        cells.append(Component(name=name, description=" ".join(rest).strip(), span=span))
    return Model(
        name="toy net",
        components=tuple(cells),
        provenance=Provenance(source=options["file"], language="Toy", sha256="00"),
    )


def export(model: Model, *, log: Log, name: str, **options: Any) -> tuple[Artifact, ...]:
    for cell in model.components:
        if cell.description == "lossy":
            log.add("T100", Level.APPROXIMATED, f"'{cell.name}' is rounded", cell.span)
        if cell.description == "impossible":
            raise refuse("T101", f"'{cell.name}' does not fit", cell.span)
        if cell.description == "wrong":
            raise error("T102", f"'{cell.name}' is wrong", cell.span)
        if cell.description == "crash":
            raise ZeroDivisionError("a fault of ours")
        if cell.description == "escape":
            return (Artifact("../escaped", b""),)
    text = f"{options['scheme']} {options['step']} {options['source'].source}"
    return (Artifact(f"{name}.txt", text.encode()),)


@pytest.fixture(autouse=True)
def formats(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("toy_formats")
    importer = Importer(
        name="toy", title="Toy", endings=(".toy",), read="toy_formats:read",
        sniff=lambda head: head.startswith(b"toy"),
    )  # fmt: skip
    exporter = Exporter(name="text", title="Text", export="toy_formats:export", takes="model")
    vars(module).update(read=read, export=export, IMPORTER=importer, EXPORTER=exporter)
    monkeypatch.setitem(sys.modules, "toy_formats", module)
    monkeypatch.setitem(registry.IMPORTERS, "toy", "toy_formats:IMPORTER")
    monkeypatch.setitem(registry.EXPORTERS, "text", "toy_formats:EXPORTER")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def source(folder: Path, *lines: str) -> str:
    (folder / "model.toy").write_text("\n".join(["toy", *lines]) + "\n")
    return "model.toy"


def test_library_call_gives_artifacts_and_report(folder: Path) -> None:
    result = interspike.convert(source(folder, "cell a", "cell b lossy"), to="text", dt="0.2ms")
    assert result.name == "toy_net"
    assert result.text("toy_net.txt") == "auto 0.0002 model.toy"
    assert [entry.status for entry in result.report.entries] == ["exact", "approximated"]
    assert result.report.summary() == "1 exact, 1 approximated"
    assert "is rounded" in result._repr_html_()
    assert [item.name for item in folder.iterdir()] == ["model.toy"]


def test_a_loaded_model_converts_too(folder: Path) -> None:
    model = interspike.load(source(folder, "cell a"))
    result = convert(model, to="text", output="out")
    assert (folder / "out/toy_net.txt").read_text() == "auto 0.0001 model.toy"
    assert result.report.exact


def test_default_output_and_stdout(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", source(folder, "cell a"), "--to", "text"]) == 0
    out, err = capsys.readouterr()
    assert out == "toy_net_text\n"
    assert "1 exact" in err
    names = sorted(item.name for item in (folder / "toy_net_text").iterdir())
    assert names == ["interspike.json", "report.json", "toy_net.txt"]


def test_same_input_same_bytes_wherever_it_lies(folder: Path) -> None:
    place = folder / "elsewhere"
    place.mkdir()
    source(folder, "cell a lossy")
    source(place, "cell a lossy")
    assert main(["convert", "model.toy", "--to", "text", "-o", "one"]) == 0
    assert main(["convert", str(place / "model.toy"), "--to", "text", "-o", "two"]) == 0
    one, two = ({p.name: p.read_bytes() for p in (folder / n).iterdir()} for n in ("one", "two"))
    assert one == two


def test_bad_input(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = source(folder, "cell a", "dog b")
    assert main(["convert", name, "--to", "text", "-o", "out"]) == 2
    out, err = capsys.readouterr()
    assert "model.toy:3:6: error T001" in err
    assert "dog b\n" in err
    assert out == ""
    assert not (folder / "out").exists()


def test_bad_input_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = source(folder, "dog b")
    assert main(["convert", name, "--to", "text", "--json"]) == 2
    data = json.loads(capsys.readouterr().out)
    assert data["exit_code"] == 2
    assert data["issues"][0]["span"] == {"file": "model.toy", "line": 2, "column": 6}


def test_refusal_with_report(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = source(folder, "cell a", "cell b impossible")
    assert main(["convert", name, "--to", "text", "-o", "out", "--report", "r.json"]) == 3
    assert "refused T101" in capsys.readouterr().err
    assert not (folder / "out").exists()
    report = json.loads((folder / "r.json").read_text())
    assert report["outcome"] == "refused"
    assert [entry["status"] for entry in report["entries"]] == ["exact", "refused"]


def test_an_error_of_the_exporter_is_bad_input(folder: Path) -> None:
    assert main(["convert", source(folder, "cell b wrong"), "--to", "text", "-o", "out"]) == 2
    assert not (folder / "out").exists()


def test_strict(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = source(folder, "cell b lossy")
    assert main(["convert", name, "--to", "text", "-o", "out", "--strict"]) == 3
    err = capsys.readouterr().err
    assert "approximated T100" in err
    assert "refused A103" in err
    assert not (folder / "out").exists()
    assert main(["convert", source(folder, "cell b"), "--to", "text", "-o", "out", "--strict"]) == 0
    with pytest.raises(Refusal) as problem:
        convert(source(folder, "cell b lossy"), to="text", strict=True)
    assert problem.value.refused
    assert problem.value.report.count("approximated") == 1


def test_our_own_fault(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = source(folder, "cell b crash")
    assert main(["convert", name, "--to", "text", "-o", "out"]) == 4
    err = capsys.readouterr().err
    assert "report" in err
    assert "Traceback" not in err
    assert sorted(item.name for item in folder.iterdir()) == ["model.toy"]
    assert main(["convert", name, "--to", "text", "--debug"]) == 4
    (trace,) = folder.glob("interspike-debug-*.txt")
    assert "ZeroDivisionError: a fault of ours" in trace.read_text()
    assert trace.name in capsys.readouterr().err


def test_an_artifact_outside_is_our_fault(folder: Path) -> None:
    assert main(["convert", source(folder, "cell b escape"), "--to", "text", "-o", "o/out"]) == 4
    assert sorted(item.name for item in folder.iterdir()) == ["model.toy"]


def test_a_foreign_folder_is_checked_before_any_work(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "out").mkdir()
    (folder / "out/mine").write_text("x")
    assert main(["convert", "missing.toy", "--to", "text", "-o", "out"]) == 2
    assert "A021" in capsys.readouterr().err


def test_interrupt(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any, **__: Any) -> Model:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.modules["toy_formats"], "read", interrupted)
    assert main(["convert", source(folder, "cell a"), "--to", "text", "-o", "out"]) == 130
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["missing.toy", "--to", "text"], "A001"),
        (["modle.toy", "--to", "text"], "did you mean 'model.toy'?"),
        ([".", "--to", "text"], "A002"),
        (["bad\0name", "--to", "text"], "A002"),
        (["model.toy", "--to", "txet"], "did you mean 'text'?"),
        (["model.toy", "--to", "text", "--dt", "5"], "A010"),
        (["model.toy", "--to", "text", "--dt", "0ms"], "A010"),
        (["model.toy", "--to", "text", "--dt", "1e999s"], "A010"),
        (["model.toy", "--to", "text", "-I", "nowhere"], "A011"),
        (["model.toy", "--to", "text", "-o", "model.toy"], "A020"),
        (["model.toy", "--to", "text", "-o", "model.toy/below"], "A023"),
    ],
)
def test_usage_errors(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: str
) -> None:
    source(folder, "cell a")
    assert main(["convert", *arguments]) == 2
    assert code in capsys.readouterr().err
    assert [item.name for item in folder.iterdir()] == ["model.toy"]


def test_the_step() -> None:
    log = Log()
    assert choose_step(None, 5e-5, log) == 5e-5
    assert not log.issues
    assert choose_step(None, 0.0, log) == 1e-4
    assert choose_step(1e-3, 5e-5, log) == 1e-3
    assert [issue.code for issue in log] == ["A102", "A101"]
    assert all(issue.level is Level.NOTE for issue in log)


@pytest.mark.parametrize(
    ("text", "name"), [("../x y", "x_y"), ("", "model"), ("..", "model"), ("a" * 99, "a" * 64)]
)
def test_names_are_safe_for_folders(text: str, name: str) -> None:
    assert safe_name(text) == name


def test_a_solver_that_does_not_exist() -> None:
    with pytest.raises(ModelError, match="did you mean 'implicit'"):
        convert("x", to="text", solver="impplicit")


TWO = b"""
model one:
    state:
        V_m mV = -70 mV
    equations:
        V_m' = -(V_m + 70 mV) / (10 ms)
    update:
        integrate_odes()
model two:
    state:
        V_m mV = -70 mV
    equations:
        V_m' = -(V_m + 70 mV) / (20 ms)
    update:
        integrate_odes()
"""


@pytest.mark.parametrize("target", ["nest", "nestml", "lems", "nineml", "canonical"])
def test_one_component_of_a_file(target: str) -> None:
    result = convert("two.nestml", data=TWO, to=target, component="two")
    text = b"".join(item.data for item in result.artifacts).decode()
    assert "10 ms" not in text and "tau = 10" not in text
    assert not any("one" in item.path.split(".")[0] for item in result.artifacts)


def test_infinite_values_are_spelled_for_python() -> None:
    text = """
model bounded_neuron:
    state:
        V_m mV = 0 mV
    equations:
        V_m' = -V_m / tau
    parameters:
        tau ms = 10 ms
        V_min mV = -inf * 1 mV
    output:
        spike
    update:
        integrate_odes()
        V_m = max(V_m, V_min)
    onCondition(V_m > 1 mV):
        emit_spike()
"""
    for target in ("spinnaker2", "nest"):
        made = convert("bounded.nestml", data=text.encode(), to=target)
        for artifact in made.artifacts:
            if artifact.path.endswith(".py"):
                tree = ast.parse(artifact.data)
                names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
                assert not names & {"inf", "nan"}, artifact.path
