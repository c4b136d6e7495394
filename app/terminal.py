"""What a person sees: issues with the source line underlined, colour only where it belongs."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import islice
from typing import TextIO

from ..canonical_model.diagnostics import Issue, Level, Span

MAX_SHOWN = 20  # issues of one kind on the terminal; the report has all
_WIDTH = 100  # of a source line that is shown
_COLOURS = {
    Level.NOTE: "36", Level.WARNING: "33", Level.ERROR: "1;31", Level.APPROXIMATED: "33",
    Level.DROPPED: "35", Level.REFUSED: "1;31",
}  # fmt: skip
_HEAD = re.compile(r"\b(note|warning|error|approximated|dropped|refused) ([A-Z]+\d+)(?=:)")
_WORD = re.compile(r"[\w.]+|\S")


def has_colour(stream: TextIO) -> bool:
    """True for a terminal whose user has not set NO_COLOR."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def clean(text: str) -> str:
    """`text` without control characters: a model file must not be able to drive the terminal.

    >>> clean("a\\x1b[31m")
    'a\\\\x1b[31m'
    """
    return "".join(
        char if char == "\n" or char.isprintable() else repr(char)[1:-1] for char in text
    )


def render(issue: Issue, sources: Mapping[str, bytes], *, colour: bool = False) -> str:
    """The issue as text, with the line of the source that it is about and `^` below the place.

    `sources` holds the bytes of inputs that are no files (standard input), by the name in the span.
    """
    shown = _excerpt(issue.span, sources) if issue.span else ""
    if shown:
        issue = replace(issue, text=shown)
    text = clean(issue.render())
    if colour:
        code = _COLOURS[issue.level]
        text = _HEAD.sub(lambda match: f"\x1b[{code}m{match[0]}\x1b[0m", text, count=1)
        text = re.sub(r"(?m)^( +)(\^~*)$", "\\1\x1b[32m\\2\x1b[0m", text)
    return text


def show(
    issues: Iterable[Issue], sources: Mapping[str, bytes], stream: TextIO | None = None
) -> None:
    """Print issues, at most MAX_SHOWN of them."""
    stream = sys.stderr if stream is None else stream
    issues = list(issues)
    colour = has_colour(stream)
    for issue in issues[:MAX_SHOWN]:
        print(render(issue, sources, colour=colour), file=stream)
    if len(issues) > MAX_SHOWN:
        print(f"... and {len(issues) - MAX_SHOWN} more", file=stream)


def _excerpt(span: Span, sources: Mapping[str, bytes]) -> str:
    """The source line and the mark below it; "" where the line cannot be had."""
    if not span.line:
        return ""
    line = _line(span, sources)
    if not line.strip():
        return ""
    column = min(max(span.column - 1, 0), len(line))
    start = max(0, column - _WIDTH // 2) if len(line) > _WIDTH else 0
    shown = line[start : start + _WIDTH]
    if not span.column:
        return shown.strip()
    indent = len(shown) - len(shown.lstrip())
    place = column - start - indent
    if place < 0:
        return shown.strip()
    length = _extent(shown, column - start)
    return f"{shown.strip()}\n    {' ' * place}^{'~' * (length - 1)}"


def _extent(text: str, start: int) -> int:
    """How many characters the mark covers: an attribute's value from its start on, else a word."""
    quote = text[start - 1] if start else ""
    if quote and quote in "\"'":
        end = text.find(quote, start)
        if end > start:
            return end - start
    word = _WORD.match(text, start)
    return len(word[0]) if word else 1


def _line(span: Span, sources: Mapping[str, bytes]) -> str:
    data = sources.get(span.file)
    try:
        if data is not None:
            lines = data.splitlines()
            raw = lines[span.line - 1] if span.line <= len(lines) else b""
        else:
            with open(span.file, "rb") as stream:
                raw = next(islice(stream, span.line - 1, None), b"")
    except (OSError, ValueError):
        return ""
    return raw.decode("utf-8", "replace").expandtabs(1).rstrip()
