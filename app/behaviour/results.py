"""What a comparison of two components says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .stimulus import Distance

SAME, DIFFERENT = "same", "different"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One real difference: `kind` (parameter, initial value, rate, condition, event, weight, spikes, trace,
    part)."""

    kind: str
    name: str
    other: str
    sentence: str

    def to_json(self) -> dict[str, str]:
        """The difference as JSON-ready data."""
        return {
            "kind": self.kind,
            "name": self.name,
            "other": self.other,
            "sentence": self.sentence,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two components compared. `pairs` are names of one and the other, `remarks` what could not be done."""

    name: str
    other: str
    differences: tuple[Difference, ...] = ()
    pairs: Mapping[str, str]
    distances: tuple[Distance, ...] = ()
    remarks: tuple[str, ...] = ()
    decided: str = ""

    @property
    def verdict(self) -> str:
        """`same` or `different`."""
        return DIFFERENT if self.differences else SAME

    def to_json(self) -> dict[str, Any]:
        """The comparison as JSON-ready data."""
        return {
            "name": self.name,
            "other": self.other,
            "verdict": self.verdict,
            "decided_by": self.decided,
            "differences": [item.to_json() for item in self.differences],
            "pairs": dict(self.pairs),
            "distances": [item.to_json() for item in self.distances],
            "remarks": list(self.remarks),
        }
