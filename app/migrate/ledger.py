"""What is done, on disk: a migration goes on from here after whatever ended it."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from ...canonical_model.diagnostics import error
from .options import Row, dump

_SCHEMA = """
CREATE TABLE IF NOT EXISTS done(
    source TEXT, target TEXT, key TEXT NOT NULL, inputs TEXT NOT NULL, rows TEXT NOT NULL,
    PRIMARY KEY(source, target)
) WITHOUT ROWID
"""


class Ledger:
    """One record for each source and target. Use as a context manager."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._base = sqlite3.connect(path, isolation_level=None)
            self._base.execute("PRAGMA journal_mode=WAL")
            self._base.execute("PRAGMA synchronous=NORMAL")
            self._base.execute(_SCHEMA)
        except sqlite3.Error as problem:
            message = f"the ledger '{path}' cannot be used: {problem}"
            raise error("A205", message, hint="remove it to start anew") from problem

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._base.close()

    def record(
        self, source: str, target: str, key: str, inputs: Mapping[str, str], rows: Sequence[Row]
    ) -> None:
        """Note what became of `source` for `target`; `inputs` are the files read, with their hashes."""
        data = dump([row.to_json() for row in rows])
        values = (source, target, key, dump(dict(inputs)), data)
        self._base.execute("INSERT OR REPLACE INTO done VALUES (?, ?, ?, ?, ?)", values)

    def find(self, source: str, target: str) -> tuple[str, dict[str, str], list[Row]] | None:
        """Key, inputs and rows of what was recorded."""
        query = "SELECT key, inputs, rows FROM done WHERE source = ? AND target = ?"
        found = self._base.execute(query, (source, target)).fetchone()
        if found is None:
            return None
        rows = [Row.from_json(item) for item in json.loads(found[2])]
        return found[0], json.loads(found[1]), rows

    def names(self) -> Iterator[tuple[str, str]]:
        """Source and target of every record."""
        yield from self._base.execute("SELECT source, target FROM done ORDER BY source, target")

    def forget(self, source: str, target: str) -> None:
        """Remove a record."""
        query = "DELETE FROM done WHERE source = ? AND target = ?"
        self._base.execute(query, (source, target))


def digest(data: object) -> str:
    """SHA-256 of JSON-ready data."""
    return hashlib.sha256(dump(data).encode()).hexdigest()
