"""Run an exported network: build its module, start its script in a process of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..canonical_model.diagnostics import error
from ..exporters.artifact import Artifact
from .build import build, module_of
from .load import cache_folder, sources_key

BACKENDS = ("pynest",)
TIMEOUT = 3600


@dataclass(frozen=True, slots=True, eq=False)
class NestResult:
    """Event times (s) and traces (SI) by label; `times` are those of the traces, from the first step on."""

    events: dict[str, NDArray[np.float64]]
    times: NDArray[np.float64]
    traces: dict[str, NDArray[np.float64]]


SCRIPTS = {"pynest": "network.py", "pynn": "network_pynn.py"}


def run(
    folder: str | Path, *, backend: str = "pynest", length: float | None = None, threads: int = 1
) -> NestResult:
    """Build and run an exported folder for `length` seconds (None: as exported), through PyNEST or `pynn`.

    Raises ModelError B400 to B404 where the module cannot be built, B405 for a folder without a network,
    B406 where the run fails.
    """
    place = Path(folder).resolve()
    script = place / SCRIPTS[backend]
    if not script.is_file():
        module_of(place)
        message = f"'{place.name}' holds models for NEST, but no network to run"
        raise error("B405", message, hint="create cells of them in PyNEST (see README.md)")
    build_once(place)
    with tempfile.TemporaryDirectory() as name:
        output = Path(name) / "result.npz"
        # the script for PyNN imports the other one, which lies beside it
        safe = ["-P"] if backend == "pynest" else []
        command = [sys.executable, *safe, str(script), "--output", str(output)]
        command += ["--threads", str(threads)]
        if length is not None:
            command += ["--length", repr(length * 1e3)]
        in_child(command, name)
        with np.load(output) as found:
            arrays = {key: found[key] for key in found.files}
    return NestResult(
        events={key[6:]: value for key, value in arrays.items() if key.startswith("event/")},
        times=arrays["times"],
        traces={key[6:]: value for key, value in arrays.items() if key.startswith("trace/")},
    )


def in_child(command: Sequence[str], folder: str | Path) -> str:
    """What a command prints that runs NEST in `folder`. Raises ModelError B406 where it fails."""
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=TIMEOUT, check=False, cwd=folder,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise error("B406", f"NEST stopped with code {done.returncode}: {last}")
    return done.stdout


def build_once(place: Path) -> None:
    """Build the module, or take it from the cache, where the same sources have been built before."""
    paths = [p for ending in ("*.h", "*.cpp") for p in place.rglob(ending)]
    sources = [Artifact(p.relative_to(place).as_posix(), p.read_bytes()) for p in paths]
    name = f"{module_of(place)}.so"
    kept = cache_folder() / "runs" / sources_key(sources) / name
    target = place / "build" / name
    if kept.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(kept, target)
        return
    build(place)
    # the cache is a help: where it cannot be written, the next run builds again
    with suppress(OSError):
        kept.parent.mkdir(parents=True, exist_ok=True)
        trial = kept.with_name(f"{name}.{os.getpid()}")
        shutil.copyfile(target, trial)
        trial.replace(kept)
