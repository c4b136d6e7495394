"""Spikes and voltages against NEST and float64: the short form of docs/spinnaker2_accuracy.md."""

from __future__ import annotations

import importlib
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from interspike.spinnaker2.emulator import missing_tools

pytest.importorskip("pyNN")
BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
LENGTH = 150.0
pytestmark = pytest.mark.skipif(bool(missing_tools("host")), reason="needs make and a C compiler")


def has_nest() -> bool:
    """True if the simulator is installed (not only the folder of that name in a checkout)."""
    found = find_spec("nest")
    return found is not None and found.origin is not None


@pytest.fixture(scope="module")
def bench() -> Any:
    sys.path.insert(0, str(BENCHMARKS))
    try:
        return importlib.import_module("spinnaker2_accuracy")
    finally:
        sys.path.remove(str(BENCHMARKS))


@pytest.mark.skipif(not has_nest(), reason="needs NEST")
@pytest.mark.parametrize(("name", "step"), [("lif", 0.1), ("izhikevich_euler", 1.0)])
def test_spikes_in_float64_are_those_of_nest(bench: Any, name: str, step: float) -> None:
    engine = bench.nest_run(name, step, LENGTH)
    grid = bench.ours(name, step, LENGTH, "reference")
    found = bench.compare_spikes(grid.spikes, engine.spikes, step / 2)
    assert found.same and found.count > 15
    assert np.max(np.abs(grid.v - engine.v)) < 1e-8


@pytest.mark.parametrize(
    ("name", "step", "rms"),
    [("lif", 0.1, 5e-4), ("izhikevich_euler", 0.5, 0.05), ("izhikevich_rk4", 0.5, 0.05)],
)
def test_single_precision_keeps_near_double(bench: Any, name: str, step: float, rms: float) -> None:
    grid = bench.ours(name, step, LENGTH, "reference")
    chip = bench.ours(name, step, LENGTH, "host")
    found = bench.compare_spikes(chip.spikes, grid.spikes, step / 2)
    assert found.ratio == 1.0 and found.mean <= step
    assert bench.voltage_errors(chip, grid, step)[1] < rms
