"""Generators that the host prepares are those that the chip seeds itself."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from interspike.exporters.spinnaker2.application import pe_seed
from interspike.exporters.spinnaker2.feeds import generator

RUNTIME = Path(__file__).resolve().parents[2] / "spinnaker2" / "runtime"


pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The runtime's generator, compiled for this computer."""
    place = tmp_path_factory.mktemp("random") / "random.so"
    sources = [str(RUNTIME / name) for name in ("random.c", "mathf.c")]
    command = ["cc", "-std=c11", "-O2", "-shared", "-fPIC", *sources, "-o", str(place)]
    subprocess.run(command, check=True)
    return ctypes.CDLL(str(place))


def test_seeds_give_the_same_state_on_host_and_chip(library: ctypes.CDLL) -> None:
    for seed in (0, 1, 1234, 0xFFFFFFFF, 3307390636):
        state = (ctypes.c_uint32 * 4)()
        library.rt_seed(state, ctypes.c_uint32(seed))
        assert tuple(state) == generator(seed)


@pytest.mark.parametrize("seed", [1, 1234])
def test_cores_draw_independent_numbers(library: ctypes.CDLL, seed: int) -> None:
    cores, draws = 150, 2000
    library.rt_uniform.restype = ctypes.c_float
    drawn = np.empty((cores, draws))
    for number in range(cores):
        state = (ctypes.c_uint32 * 4)()
        library.rt_seed(state, ctypes.c_uint32(pe_seed(seed, number)))
        library.rt_use(state)
        drawn[number] = [library.rt_uniform() for _ in range(draws)]
    scores = (drawn - 0.5) * np.sqrt(12)
    pairs = cores * (cores - 1) / 2
    for lag in (0, 1, 5):
        early, late = scores[:, : draws - lag], scores[:, lag:]
        r = early @ late.T / np.sqrt(draws - lag)
        own = r[np.triu_indices(cores, 1)]
        # correlations of independent streams, in units of their standard error
        assert abs(own.mean()) < 4 / np.sqrt(pairs)
        assert abs(own.std() - 1) < 5 / np.sqrt(2 * pairs) + 0.01
        assert np.abs(own).max() < 6
    # what is common to all cores would show in their sum
    assert abs(scores.sum(axis=0).var() / cores - 1) < 5 * np.sqrt(2 / draws)
