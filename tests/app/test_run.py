"""`run` with a target that the test makes up."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from interspike.app import registry, writing
from interspike.app.cli import main
from interspike.exporters.artifact import Artifact
from interspike.exporters.format import Exporter


@dataclass
class Executed:
    events: dict[str, list[float]]
    times: list[float] = field(default_factory=list)
    traces: dict[str, list[float]] = field(default_factory=dict)


def execute(folder: Path, *, backend: str, length: float | None) -> Executed:
    times = [0.001 * n for n in range(20 if backend == "fast" else 1)]
    return Executed({"cell[0]": times, "cell[1]": []}, [0.0, length or 0.1], {"v": [0.0, 1.0]})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    module = ModuleType("toy_target")
    options: dict[str, Any] = {"title": "Toy", "export": "x:y", "takes": "model"}
    backends = ("fast", "slow")
    toy = Exporter(name="toy", run="toy_target:execute", backends=backends, **options)
    vars(module).update(execute=execute, TOY=toy, PAPER=Exporter(name="paper", **options))
    monkeypatch.setitem(sys.modules, "toy_target", module)
    monkeypatch.setitem(registry.EXPORTERS, "toy", "toy_target:TOY")
    monkeypatch.setitem(registry.EXPORTERS, "paper", "toy_target:PAPER")
    for target in ("toy", "paper"):
        facts = {"interspike": "0", "name": "net", "target": target}
        writing.write(tmp_path / target, [Artifact("a", b"")], facts)
    monkeypatch.chdir(tmp_path)
    return "toy"


def test_times_are_shown(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", folder]) == 0
    out = capsys.readouterr().out
    assert "ran on fast: 20 spikes" in out
    assert "cell[0]  0 1 2 3" in out
    assert "(20 in all)" in out
    assert "cell[1]  silent" in out


def test_for_programs(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", folder, "--backend", "slow", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data == {"exit_code": 0, "backend": "slow", "events_s": {"cell[0]": [0], "cell[1]": []}}


def test_a_picture(folder: str) -> None:
    pytest.importorskip("matplotlib")
    assert main(["run", folder, "--length", "50ms", "--plot", "p.png"]) == 0
    assert Path("p.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["toy", "--backend", "fats"], "did you mean 'fast'?"),
        (["toy", "--length", "5"], "A010"),
        (["toy", "--plot", "p.doc"], "A040"),
        (["paper"], "A031"),
        (["nowhere"], "A030"),
        (["."], "A030"),
    ],
)
def test_mistakes(
    folder: str, capsys: pytest.CaptureFixture[str], arguments: list[str], code: str
) -> None:
    assert main(["run", *arguments]) == 2
    assert code in capsys.readouterr().err
