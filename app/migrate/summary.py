"""What became of every file: as numbers, CSV, JSON, a page, an index for each target, and a citation.

Nothing in the files depends on when or how fast they were made.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ...canonical_model.diagnostics import Issue, Level, Span
from .. import writing
from .find import Found
from .index import citation, index_files
from .ledger import Ledger
from .options import (
    CRASHED,
    EXACT,
    FAILED,
    INCLUDED,
    LOSSY,
    REFUSED,
    SKIPPED,
    STATUSES,
    Options,
    Row,
)
from .outputs import remove_file
from .page import page

SOUND = (EXACT, LOSSY, REFUSED)
SUMMARY = ("migration.csv", "migration.json", "index.html")
_COLUMNS = (
    "source", "part", "target", "status", "language", "folder", "exact", "approximated", "dropped",
    "refused", "codes", "reason", "sha256",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Numbers of rows by target and status; `folders` of results by target, relative to the target's.

    `kept` are targets of an earlier run, whose results were left as they are.
    """

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    folders: dict[str, set[str]] = field(default_factory=dict)
    kept: tuple[str, ...] = ()

    def count(self, status: str) -> int:
        """How many rows have this status."""
        return sum(number for (_, each), number in self.counts.items() if each == status)

    @property
    def exit_code(self) -> int:
        """1 if something failed, 3 if a target refused something, else 0."""
        if self.count(FAILED) or self.count(CRASHED):
            return 1
        return 3 if self.count(REFUSED) else 0

    def to_json(self) -> dict[str, dict[str, int]]:
        """Counts by target ("" for files that are no models) and status."""
        found: dict[str, dict[str, int]] = {}
        for (target, status), number in sorted(self.counts.items()):
            found.setdefault(target, {})[status] = number
        return found


def write_summary(
    options: Options, found: Sequence[Found], ledger: Ledger, staging: Path
) -> Summary:
    """Write the summary files, indices and the citation into the output folder. Raises ModelError A023."""
    readers = _readers(options, found, ledger)

    def rows() -> Iterator[Row]:
        return _rows(options, found, ledger, readers)

    def write(path: str, data: bytes) -> None:
        writing.write_file(options.output / path, data, staging)

    kept = sorted({target for _, target in ledger.names()} - set(options.targets))
    summary = Summary(folders={target: set() for target in options.targets}, kept=tuple(kept))
    for row in rows():
        summary.counts[row.target, row.status] += 1
        if row.folder:
            summary.folders[row.target].add(row.folder.partition("/")[2])
    write("migration.csv", _csv(rows()))
    write("migration.json", _json(options, summary, rows()))
    title = options.source.resolve().name
    write("index.html", page(title, summary.to_json(), rows()))
    write("CITATION.md", citation(options, rows()))
    for target in options.targets:
        places = sorted(summary.folders[target])
        artifacts = index_files(options.output / target, target, places)
        files = {f"{target}/{artifact.path}": artifact.data for artifact in artifacts}
        ledger.note_indexes(files)
        for path, data in files.items():
            write(path, data)
        for path in sorted(ledger.indexes() - set(files)):
            if path.startswith(f"{target}/"):
                remove_file(options.output / path, options.output)
                ledger.forget_index(path)
    return summary


def _readers(options: Options, found: Sequence[Found], ledger: Ledger) -> dict[str, str]:
    """For each file that a sound model reads besides itself, the first such model."""
    readers: dict[str, str] = {}
    for item in found:
        for target in options.targets if item.language else ():
            known = ledger.find(item.path, target)
            if known is None or not any(row.status in SOUND for row in known[2]):
                continue
            for path in known[1]:
                if path != item.path:
                    readers.setdefault(path, item.path)
    return readers


def _rows(
    options: Options, found: Sequence[Found], ledger: Ledger, readers: dict[str, str]
) -> Iterator[Row]:
    for item in found:
        if not item.language:
            yield _other(item, readers)
            continue
        for target in options.targets:
            known = ledger.find(item.path, target)
            for row in known[2] if known else ():
                yield _as_included(row, readers)


def _as_included(row: Row, readers: dict[str, str]) -> Row:
    """A file that does not stand alone, but is read by a sound model, is no failure."""
    reader = readers.get(row.source)
    if row.status != FAILED or reader is None:
        return row
    message = f"no model of its own: '{reader}' reads it"
    issue = Issue("A220", Level.NOTE, message, Span(row.source))
    return replace(row, status=INCLUDED, reasons=(issue.to_json(),))


def _other(item: Found, readers: dict[str, str]) -> Row:
    """A file in no language that we know, or one that cannot be read."""
    assert item.issue is not None
    row = Row(
        source=item.path, target="", counts={}, reasons=(item.issue.to_json(),),
        status=FAILED if item.issue.level is Level.ERROR else SKIPPED,
    )  # fmt: skip
    if item.path in readers:
        return _as_included(replace(row, status=FAILED), readers)
    return row


def _csv(rows: Iterable[Row]) -> bytes:
    stream = io.StringIO(newline="")
    table = csv.writer(stream, lineterminator="\n")
    table.writerow(_COLUMNS)
    for row in rows:
        counts = [row.counts.get(name, 0) for name in ("exact", "approximated", "dropped")]
        codes = " ".join(dict.fromkeys(str(reason["code"]) for reason in row.reasons))
        reason = str(row.reasons[0]["message"]) if row.reasons else ""
        cells = [row.source, row.part, row.target, row.status, row.language, row.folder, *counts]
        cells += [row.counts.get("refused", 0), codes, reason, row.sha256]
        table.writerow([_cell(cell) for cell in cells])
    return stream.getvalue().encode()


def _cell(value: object) -> object:
    """A spreadsheet must not take a text of a model for a formula."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return value


def _json(options: Options, summary: Summary, rows: Iterable[Row]) -> bytes:
    from ... import __version__

    head = {
        "interspike": __version__,
        "source": options.source.resolve().name,
        "targets": list(options.targets),
        "options": options.meaning(),
        "counts": summary.to_json(),
    }
    text = json.dumps(head, indent=2, ensure_ascii=False).removesuffix("\n}")
    lines = [json.dumps(row.to_json(), ensure_ascii=False) for row in rows]
    body = ",\n    ".join(lines)
    return f'{text},\n  "files": [\n    {body}\n  ]\n}}\n'.encode()


def text(summary: Summary, targets: Sequence[str], output: Path) -> str:
    """The summary for a terminal: a line a target, a column a status that occurs."""
    shown = [status for status in STATUSES if summary.count(status)]
    names = [*targets, *([""] if any(target == "" for target, _ in summary.counts) else [])]
    width = max([len(name) for name in names] + [len("other files")])
    lines = [" " * width + "".join(f"  {status:>8}" for status in shown)]
    for name in names:
        cells = "".join(f"  {summary.counts[name, status] or '':>8}" for status in shown)
        lines.append(f"{name or 'other files':{width}}{cells}".rstrip())
    lines += [f"  {status}: {STATUSES[status]}" for status in shown]
    if summary.kept:
        lines.append(f"left as they were: results for {', '.join(summary.kept)}")
    lines.append(f"each with its reasons: {output / 'index.html'}")
    return "\n".join(lines)
