"""Recorded variables: pieces of tables from several runs, put together for PyNN."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(slots=True)
class Rows:
    """A recorded variable of a population: rows of `cells` from tick `first` on."""

    first: int
    cells: Any
    rows: Any


def table_of(parts: Sequence[Rows], cells: Any, first: int, last: int) -> Any:
    """Rows from tick `first` to `last`, a column for each of `cells`; NaN: not recorded."""
    table = np.full((max(0, last + 1 - first), len(cells)), np.nan)
    for part in parts:
        if not len(part.rows):
            continue
        rows = np.asarray(part.rows, dtype=float)
        own, where, source = np.intersect1d(cells, part.cells, return_indices=True)
        skipped, begin = max(0, first - part.first), max(0, part.first - first)
        rows = rows[skipped:, source] if len(own) else rows[:0]
        table[begin : begin + len(rows), where] = rows
    return table
