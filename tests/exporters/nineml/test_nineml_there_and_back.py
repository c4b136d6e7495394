"""NESTML neurons as NineML and as NESTML again: the same spikes at the same steps, and the same voltage."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
LIBRARY = Path(sys.prefix) / "models" / "neurons"
IDIOMS = sorted((ROOT / "fixtures" / "nestml" / "idioms").glob("*.nestml"))
NAMES = ("iaf_psc_exp_neuron", "iaf_psc_delta_fixed_timestep_neuron", "izhikevich_neuron")


def helper(name: str) -> Any:
    """A module of benchmarks/, which is a folder of scripts."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.pop(0)


@pytest.mark.parametrize("path", IDIOMS, ids=lambda path: path.stem)
def test_pauses_in_every_spelling(path: Path) -> None:
    """Timers with and without a clamped voltage, without a reset, as a flag, read by event handlers."""
    found = helper("nineml_round").trip(path, helper("nestml_trial").Drive(420.0, 60.0))
    assert found.spikes > 3 and found.same
    assert found.worst < 0.06  # a timer may stand at a rounding error instead of zero


@pytest.mark.skipif(not LIBRARY.is_dir(), reason="NESTML 9's model library is not installed")
@pytest.mark.parametrize("name", NAMES)
def test_neurons_of_the_library(name: str) -> None:
    found = helper("nineml_round").trip(LIBRARY / f"{name}.nestml")
    assert found.spikes > 3 and found.same and found.worst < 1e-9
