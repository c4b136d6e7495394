"""CPU time and peak memory of a command, as the system accounts them; which code it was."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Cost:
    """`cpu` is user plus system time in seconds, `peak` the largest resident size in MB."""

    cpu: float
    peak: float


def once(command: Sequence[str], folder: Path | None = None) -> Cost:
    """Run a command to its end. Raises RuntimeError with its last words if it fails.

    Python may keep what it compiles, as it does for everything that is installed: `best` of several runs
    does not count our compilation where the peer's was done by its installer.
    """
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryFile() as words:
        process = subprocess.Popen(command, cwd=folder, stdout=words, stderr=words, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            words.seek(0)
            raise RuntimeError(words.read().decode("utf-8", "replace").strip()[-500:])
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def best(command: Sequence[str], folder: Path | None = None, times: int = 5) -> Cost:
    """The cheapest of several runs: what the work costs where nothing disturbs it."""
    costs = [once(command, folder) for _ in range(times)]
    return Cost(min(cost.cpu for cost in costs), min(cost.peak for cost in costs))


def jneuroml() -> Path | None:
    """The program's file inside of pyNeuroML; None where it is not installed."""
    found = importlib.util.find_spec("pyneuroml")
    folders = list(found.submodule_search_locations or ()) if found else []
    pattern = "lib/jNeuroML-*-jar-with-dependencies.jar"
    return next(iter(sorted(Path(folders[0]).glob(pattern))), None) if folders else None


def version() -> str:
    """A digest of the package's code."""
    digest = hashlib.sha256()
    for path in sorted(ROOT.rglob("*.py")):
        if path.relative_to(ROOT).parts[0] not in ("tests", "benchmarks", "docs"):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
