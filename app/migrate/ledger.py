"""What is done, on disk: a migration goes on from here after whatever ended it."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from ...canonical_model.diagnostics import error
from .options import Row, dump

_SCHEMA = """
CREATE TABLE IF NOT EXISTS done(
    source TEXT, target TEXT, key TEXT NOT NULL, inputs TEXT NOT NULL, rows TEXT NOT NULL,
    PRIMARY KEY(source, target)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS indexes(path TEXT PRIMARY KEY) WITHOUT ROWID;
"""


class Ledger:
    """One record for each source and target, and the index files. Use as a context manager.

    Every method raises ModelError A205 where the file is damaged or none of ours.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._usable():
            self._base = sqlite3.connect(path, isolation_level=None)
            self._base.execute("PRAGMA journal_mode=WAL")
            self._base.execute("PRAGMA synchronous=NORMAL")
            self._base.executescript(_SCHEMA)

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as problem:
            message = f"the ledger '{self._path}' cannot be used: {problem}"
            hint = "remove it: --resume then converts everything again"
            raise error("A205", message, hint=hint) from problem

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
        with self._usable():
            self._base.execute("INSERT OR REPLACE INTO done VALUES (?, ?, ?, ?, ?)", values)

    def find(self, source: str, target: str) -> tuple[str, dict[str, str], list[Row]] | None:
        """Key, inputs and rows of what was recorded; None too for a record that cannot be read."""
        query = "SELECT key, inputs, rows FROM done WHERE source = ? AND target = ?"
        with self._usable():
            found = self._base.execute(query, (source, target)).fetchone()
        if found is None:
            return None
        try:
            inputs = {str(path): str(value) for path, value in json.loads(found[1]).items()}
            return found[0], inputs, [Row.from_json(item) for item in json.loads(found[2])]
        except (ValueError, TypeError, KeyError, AttributeError):
            return None

    def names(self) -> list[tuple[str, str]]:
        """Source and target of every record."""
        with self._usable():
            query = "SELECT source, target FROM done ORDER BY source, target"
            return self._base.execute(query).fetchall()

    def forget(self, source: str, target: str) -> None:
        """Remove a record."""
        with self._usable():
            query = "DELETE FROM done WHERE source = ? AND target = ?"
            self._base.execute(query, (source, target))

    def indexes(self) -> set[str]:
        """Paths of the index files, below the output."""
        with self._usable():
            return {path for (path,) in self._base.execute("SELECT path FROM indexes")}

    def note_indexes(self, paths: Iterable[str]) -> None:
        """These index files are written, or will be next."""
        with self._usable():
            rows = [(path,) for path in paths]
            self._base.executemany("INSERT OR IGNORE INTO indexes VALUES (?)", rows)

    def forget_index(self, path: str) -> None:
        """Remove an index file from the list."""
        with self._usable():
            self._base.execute("DELETE FROM indexes WHERE path = ?", (path,))


def digest(data: object) -> str:
    """SHA-256 of JSON-ready data."""
    return hashlib.sha256(dump(data).encode()).hexdigest()
