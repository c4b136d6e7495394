"""The source that a command was given: a file, or standard input."""

from __future__ import annotations

import argparse
import sys

from ..load import STDIN


def source(arguments: argparse.Namespace) -> tuple[str, bytes | None]:
    """The name to show and, for standard input, the bytes (kept to show lines of in messages)."""
    if arguments.source != "-":
        return str(arguments.source), None
    data = sys.stdin.buffer.read()
    arguments.sources = {STDIN: data}
    return STDIN, data
