"""What a person is told when the fault is ours."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path


def explain(problem: Exception, arguments: argparse.Namespace) -> None:
    """Name the fault on stderr; with `--debug` write the traceback to a file and say where."""
    name = type(problem).__name__
    print(f"interspike: internal error ({name}): {_first_line(problem)}", file=sys.stderr)
    print("This is a fault of interspike and not of your model: please report it.", file=sys.stderr)
    if not getattr(arguments, "debug", False):
        print("Run again with --debug for a traceback to attach.", file=sys.stderr)
        return
    try:
        place = _write(problem)
    except OSError as trouble:
        print(f"The traceback cannot be written: {trouble.strerror}", file=sys.stderr)
    else:
        print(f"The traceback is in {place}", file=sys.stderr)


def _first_line(problem: Exception) -> str:
    return (str(problem).strip().splitlines() or ["no message"])[0][:300]


def _write(problem: Exception) -> Path:
    import traceback

    from .. import __version__

    place = Path(f"interspike-debug-{os.getpid()}.txt")
    head = f"interspike {__version__}, Python {sys.version}, {sys.platform}\n\n"
    place.write_text(head + "".join(traceback.format_exception(problem)), encoding="utf-8")
    return place
