"""Values that may change between two runs: what they were when, for engines that start again at t = 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(slots=True)
class History:
    """`present` are the values now; `changes` the (tick, values) by which they came about after t = 0."""

    present: dict[str, Any]
    changes: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    start: dict[str, Any] = field(default_factory=dict)
    version: int = 0

    def __post_init__(self) -> None:
        self.start = dict(self.present)

    def change(self, tick: int, values: Mapping[str, Any], *, is_event: bool = False) -> None:
        """New values from `tick` on. `is_event`: setting the same value again counts as a change."""
        fresh = {
            name: value
            for name, value in values.items()
            if is_event or name not in self.present or not _same(self.present[name], value)
        }
        if not fresh:
            return
        self.present.update(fresh)
        self.version += 1
        if tick == 0:
            self.start.update(fresh)
        elif self.changes and self.changes[-1][0] == tick:
            self.changes[-1][1].update(fresh)
        else:
            self.changes.append((tick, fresh))

    def forget(self) -> None:
        """The present counts from the start."""
        self.start = dict(self.present)
        self.changes.clear()


def _same(first: Any, second: Any) -> bool:
    first, second = np.asarray(first), np.asarray(second)
    if first.dtype == object or second.dtype == object:
        return len(first) == len(second) and all(a is b for a, b in zip(first, second, strict=True))
    return bool(np.array_equal(first, second))
