"""Comments and long lines."""

from __future__ import annotations

import re
from collections.abc import Iterator

WIDTH = 110
SHORT = 60
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def comment_lines(text: str) -> Iterator[str]:
    """Text as lines of comment; nothing in it can end the comment."""
    for line in plain(text).splitlines():
        yield f"# {line}".rstrip()


def plain(text: str) -> str:
    """Text without control characters."""
    return _CONTROL.sub(" ", text).strip("\n")


def quoted(text: str) -> str:
    """Text for between double quotes."""
    return plain(text).replace("\n", " ").replace("\\", "\\\\").replace('"', '\\"')


def declaration(text: str, about: str) -> Iterator[str]:
    """A declaration with its comment beside it, or above it where it is long."""
    note = plain(about)
    if not note:
        yield text
    elif "\n" in note or len(text) + len(note) > WIDTH or len(note) > SHORT:
        yield from comment_lines(note)
        yield text
    else:
        yield f"{text}    # {note}"


def wrapped(line: str) -> str:
    """A long line continued by backslashes at blanks; comments and text in quotes stay whole."""
    if len(line) <= WIDTH or line.lstrip().startswith("#") or '"' in line:
        return line
    code, mark, note = line.partition("    # ")
    indent = " " * (len(code) - len(code.lstrip()) + 8)
    parts, rest = [], code
    while len(rest) > WIDTH:
        cut = max(
            rest.rfind(sign, len(indent) + 20, WIDTH - 2)
            for sign in (" + ", " - ", " * ", " / ", " ? ", " : ", " and ", " or ")
        )
        if cut < 0:
            break
        parts.append(f"{rest[:cut]} \\")
        rest = indent + rest[cut + 1 :]
    return "\n".join([*parts, rest]) + mark + note
