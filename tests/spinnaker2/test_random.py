"""Generators that the host prepares are those that the chip seeds itself."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path

import pytest
from interspike.exporters.spinnaker2.feeds import generator

RUNTIME = Path(__file__).resolve().parents[2] / "spinnaker2" / "runtime"


@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")
def test_seeds_give_the_same_state_on_host_and_chip(tmp_path: Path) -> None:
    place = tmp_path / "random.so"
    sources = [str(RUNTIME / name) for name in ("random.c", "mathf.c")]
    command = ["cc", "-std=c11", "-O2", "-shared", "-fPIC", *sources, "-o", str(place)]
    subprocess.run(command, check=True)
    library = ctypes.CDLL(str(place))
    for seed in (0, 1, 1234, 0xFFFFFFFF, 3307390636):
        state = (ctypes.c_uint32 * 4)()
        library.rt_seed(state, ctypes.c_uint32(seed))
        assert tuple(state) == generator(seed)
