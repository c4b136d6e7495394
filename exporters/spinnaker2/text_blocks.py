"""Indentation of generated code."""

from __future__ import annotations

from collections.abc import Iterable


def indented(lines: Iterable[str], depth: int = 1) -> list[str]:
    """Lines further to the right."""
    return [f"{'    ' * depth}{line}" if line else line for line in lines]
