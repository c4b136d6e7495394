"""`interspike migrate`: a whole folder of models in one command."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from ...canonical_model.diagnostics import error
from .. import terminal
from ..migrate.options import Options
from ..migrate.run import Progress, migrate
from ..migrate.summary import text
from ..quantities import seconds

QUIET = 10.0  # s between lines where the output is no terminal


def run(arguments: argparse.Namespace) -> int:
    """Migrate, tell. Raises ModelError."""
    options = _options(arguments)
    shown = _Line()
    summary = migrate(options, resume=arguments.resume, on_progress=shown)
    shown.end()
    if arguments.json:
        data = {
            "exit_code": summary.exit_code,
            "output": str(options.output),
            "counts": summary.to_json(),
        }
        print(json.dumps(data, indent=2))
    else:
        print(terminal.clean(text(summary, options.targets, options.output)))
    return summary.exit_code


def _options(arguments: argparse.Namespace) -> Options:
    jobs = arguments.jobs if arguments.jobs is not None else len(os.sched_getaffinity(0))
    if jobs < 1:
        raise error("A207", f"--jobs {jobs}: at least one is needed")
    if arguments.memory < 1:
        raise error("A207", f"--memory {arguments.memory}: a limit must be positive")
    return Options(
        source=Path(arguments.source),
        output=Path(arguments.output),
        targets=tuple(dict.fromkeys(arguments.targets)),
        solver=arguments.solver,
        dt=arguments.dt,
        strict=arguments.strict,
        jobs=jobs,
        seconds=seconds(arguments.time, "--time") or 60.0,
        memory=arguments.memory << 20,
    )


class _Line:
    """Progress on stderr: one line that changes on a terminal, else a line now and then."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._last = 0.0

    def __call__(self, progress: Progress) -> None:
        wait = 0.2 if self._is_terminal else QUIET
        if progress.elapsed - self._last < wait:
            return
        self._last = progress.elapsed
        line = (
            f"{progress.done}/{progress.total} files, {progress.rate:.1f} a second, "
            f"{progress.left:.0f} s left, {progress.failed} failed"
        )
        if self._is_terminal:
            print(f"\r\x1b[2K{line}", end="", file=sys.stderr, flush=True)
        else:
            print(line, file=sys.stderr, flush=True)

    def end(self) -> None:
        """Leave a clean line."""
        if self._is_terminal:
            print("\r\x1b[2K", end="", file=sys.stderr, flush=True)
