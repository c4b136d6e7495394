"""The source that a command was given: a file, or standard input."""

from __future__ import annotations

import argparse
import sys

from ...canonical_model.diagnostics import error
from ..load import STDIN


def source(arguments: argparse.Namespace) -> tuple[str, bytes | None]:
    """The name to show and, for standard input, the bytes (kept to show lines of in messages)."""
    if arguments.source != "-":
        return str(arguments.source), None
    data = sys.stdin.buffer.read()
    arguments.sources = {STDIN: data}
    return STDIN, data


def import_options(arguments: argparse.Namespace) -> dict[str, str]:
    """The `--set NAME=VALUE` of a command. Raises ModelError A014."""
    found = {}
    for text in arguments.options:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise error("A014", f"'{text}' is not NAME=VALUE", hint="for example --set seed=2")
        found[name] = value
    return found
