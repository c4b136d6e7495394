"""`simulate` on our own files, against closed forms."""

from __future__ import annotations

import json
import math
from pathlib import Path

import interspike
import numpy as np
import pytest
from interspike.app.cli import main

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures/lems"
IAF = str(FIXTURES / "iaf.xml")
# tau 20 ms, drive 25 mV, margin 15 mV, pause 2 ms
FIRST = 0.020 * math.log(25 / 10)
SPIKES = [FIRST + n * (FIRST + 0.002) for n in range(9)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_library_call_agrees_with_the_closed_form() -> None:
    result = interspike.simulate(IAF)
    (times,) = result.events.values()
    assert np.allclose(times, SPIKES, rtol=0, atol=1e-9)


def test_the_files_that_the_experiment_names(folder: Path) -> None:
    assert main(["simulate", IAF]) == 0
    names = sorted(path.name for path in (folder / "iaf_results").iterdir())
    assert names == ["iaf.dat", "iaf.spikes", "interspike.json"]
    rows = np.loadtxt(folder / "iaf_results/iaf.dat")
    assert rows.shape == (2001, 2)
    assert rows[0, 1] == pytest.approx(-0.065)
    spikes = np.loadtxt(folder / "iaf_results/iaf.spikes")
    assert np.allclose(spikes[:, 0], SPIKES, rtol=0, atol=1e-9)
    assert main(["simulate", IAF]) == 0


def test_csv_npz_and_picture(folder: Path) -> None:
    pytest.importorskip("matplotlib")
    short = ["simulate", IAF, "--length", "30ms"]
    assert main([*short, "-o", "a", "--csv"]) == 0
    assert (folder / "a/traces.csv").read_text().startswith("t_s,")
    assert main([*short, "-o", "b", "--npz", "--plot", "p.png"]) == 0
    with np.load(folder / "b/results.npz") as data:
        assert len(data["t"]) == 301
        assert {name.partition(":")[0] for name in data} == {"t", "trace", "events"}
    assert (folder / "p.png").read_bytes().startswith(b"\x89PNG")


def test_a_model_that_records_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [str(FIXTURES / "hodgkin_huxley.nml"), "--length", "15ms", "--dt", "0.05ms"]
    assert main(["simulate", *arguments, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert "axons[0]/v" in data["traces"]
    (times,) = data["events_s"].values()
    assert len(times) == 1
    assert times[0] == pytest.approx(0.01163, abs=2e-5)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([IAF, "--length", "0s"], "A010"),
        ([IAF, "--plot", "p.doc"], "A040"),
        (["nowhere.xml"], "A001"),
    ],
)
def test_mistakes(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: str
) -> None:
    assert main(["simulate", *arguments]) == 2
    assert code in capsys.readouterr().err
    assert list(folder.iterdir()) == []


def test_a_mode_that_does_not_exist() -> None:
    with pytest.raises(interspike.ModelError, match="A013"):
        interspike.simulate(IAF, mode="girdle")
