"""A cache of built modules for all tests of this folder, and scripts run in processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

NEURONS = Path(__file__).resolve().parents[2] / "fixtures" / "nest" / "neurons.nestml"
Runner = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def nest_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("modules")


@pytest.fixture(scope="session")
def in_nest(nest_cache: Path) -> Runner:
    """Runs a script, given the neurons and the cache first; what it prints after RESULT."""

    def run(script: str, *arguments: str) -> dict[str, Any]:
        command = [sys.executable, "-P", "-c", script, str(NEURONS), str(nest_cache), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
        assert lines, done.stderr[-3000:]
        found: dict[str, Any] = json.loads(lines[-1].removeprefix("RESULT "))
        return found

    return run
