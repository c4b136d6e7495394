"""What printers of C and C++ share."""

from __future__ import annotations


def unwrapped(text: str) -> str:
    """Text without the parentheses around the whole of it, for `if (...)`.

    >>> unwrapped("(a < b)"), unwrapped("(a) < (b)")
    ('a < b', '(a) < (b)')
    """
    depth = 0
    for position, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return text[1:-1] if position and position == len(text) - 1 else text
    return text
