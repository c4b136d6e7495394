"""A file that an exporter wants written; only `app` touches the disk."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Artifact:
    """`data` at `path`, which is relative to the output folder, with forward slashes."""

    path: str
    data: bytes
