"""What a migration was asked to do, and the data that its parts exchange."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

STATE = ".interspike"  # folder in the output: ledger, lock, staging

EXACT, LOSSY, REFUSED, FAILED, CRASHED = "exact", "lossy", "refused", "failed", "crashed"
INCLUDED, SKIPPED = "included", "skipped"
STATUSES: Mapping[str, str] = {
    EXACT: "converted, nothing lost",
    LOSSY: "converted, with losses that are stated",
    REFUSED: "sound, but the target cannot hold it",
    FAILED: "the source is wrong",
    CRASHED: "stopped by a limit, or by a fault of ours",
    INCLUDED: "no model of its own, read by others",
    SKIPPED: "no model",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`seconds` of wall time a conversion, `memory` and `max_size` (of a source file) in bytes."""

    source: Path
    output: Path
    targets: tuple[str, ...]
    solver: str = "auto"
    dt: str | None = None
    strict: bool = False
    jobs: int = 1
    seconds: float = 60.0
    memory: int = 2 << 30
    max_size: int = 64 << 20

    @property
    def state(self) -> Path:
        """The folder of what is ours alone."""
        return self.output / STATE

    def meaning(self) -> dict[str, Any]:
        """The options on which the bytes of a result depend."""
        return {"solver": self.solver, "dt": self.dt, "strict": self.strict}


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One source file (path below the source folder) and, by target, the folder of its result.

    That folder is relative to the target's own below the output.
    """

    source: str
    language: str
    folders: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """The job as JSON-ready data."""
        folders = dict(self.folders)
        return {"source": self.source, "language": self.language, "folders": folders}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What became of one source (or `part` of it) for one target; `reasons` are issues as JSON data.

    `folder` is where the result lies below the output ("" if there is none), `manifest` the SHA-256
    of its manifest, `counts` how many things have each status of a report.
    """

    source: str
    target: str
    status: str
    part: str = ""
    language: str = ""
    sha256: str = ""
    folder: str = ""
    manifest: str = ""
    counts: Mapping[str, int]
    reasons: tuple[Mapping[str, Any], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The row as JSON-ready data."""
        return {**asdict(self), "counts": dict(self.counts), "reasons": list(self.reasons)}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Row:
        """The inverse of `to_json`."""
        return Row(**{**data, "reasons": tuple(data["reasons"])})


def dump(data: object) -> str:
    """JSON in one line, the same for the same data."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"))
