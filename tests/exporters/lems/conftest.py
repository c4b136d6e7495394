"""jNeuroML for the tests that read what is written with the language's own engine."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest


@dataclass
class Played:
    """Event times by id, and rows of numbers by file."""

    events: dict[str, list[float]] = field(default_factory=dict)
    rows: dict[str, list[list[float]]] = field(default_factory=dict)


def _jar() -> Path | None:
    found = importlib.util.find_spec("pyneuroml")
    if found is None or not found.submodule_search_locations:
        return None
    folder = Path(next(iter(found.submodule_search_locations))) / "lib"
    return next(iter(sorted(folder.glob("jNeuroML-*-jar-with-dependencies.jar"))), None)


@pytest.fixture(scope="session")
def play() -> Callable[[bytes, Path], Played]:
    """Run a document with jNeuroML in a folder; fails with the engine's words if it does not."""
    jar, java = _jar(), shutil.which("java")
    if jar is None or java is None:
        pytest.skip("jNeuroML (pyNeuroML and Java) is not installed")

    def run(data: bytes, folder: Path) -> Played:
        (folder / "model.xml").write_bytes(data)
        command = [
            java, "-Xmx700m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
            "-Djava.awt.headless=true", "-jar", str(jar), "model.xml", "-nogui",
        ]  # fmt: skip
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
        said = done.stdout + done.stderr
        assert done.returncode == 0, said[-3000:]
        assert "ERROR" not in said, said[-3000:]
        played = Played()
        for path in sorted(folder.glob("*")):
            if path.suffix == ".dat":
                lines = path.read_text().splitlines()
                played.rows[path.name] = [[float(x) for x in line.split()] for line in lines]
            elif path.suffix == ".spikes":
                for line in path.read_text().splitlines():
                    name, time = line.split()
                    played.events.setdefault(name, []).append(float(time))
        return played

    return run
