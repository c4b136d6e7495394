"""Pictures of runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from interspike.app import plot
from interspike.canonical_model.diagnostics import ModelError

pytest.importorskip("matplotlib")
TIMES = np.linspace(0, 0.1, 1001)
TRACE = plot.Trace(label="pop[0]/v", times=TIMES, values=np.sin(TIMES * 300), unit="mV")
HEADS = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}


@pytest.mark.parametrize("ending", plot.FORMATS)
def test_draws_the_same_bytes_twice(tmp_path: Path, ending: str) -> None:
    for name in ("a", "b"):
        path = tmp_path / f"{name}{ending}"
        plot.draw(path, "title", [TRACE], {"pop[0]": [0.01, 0.02], "pop[1]": []}, 0.1)
    assert (tmp_path / f"a{ending}").read_bytes().startswith(HEADS[ending])
    assert (tmp_path / f"a{ending}").read_bytes() == (tmp_path / f"b{ending}").read_bytes()


@pytest.mark.parametrize(
    ("traces", "spikes"), [([], {}), ([TRACE] * 30, {}), ([], {str(n): [0.01] for n in range(99)})]
)
def test_any_amount_of_data(
    tmp_path: Path, traces: list[plot.Trace], spikes: dict[str, list[float]]
) -> None:
    plot.draw(tmp_path / "p.png", "", traces, spikes, 0.0)
    assert (tmp_path / "p.png").stat().st_size > 1000


def test_unknown_endings_are_told_before_any_work() -> None:
    with pytest.raises(ModelError, match="A040"):
        plot.check(Path("picture.docx"))
