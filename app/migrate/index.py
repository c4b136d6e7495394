"""One file that leads to all results of a target, in the target's own way; where models come from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from ...exporters.artifact import Artifact
from .. import registry, writing
from .options import EXACT, LOSSY, Options, Row

ORIGIN = ("citation", "license", "licence", "copying", "authors", "notice", "readme")


def index_files(root: Path, target: str, places: Sequence[str]) -> tuple[Artifact, ...]:
    """The index of the results `places` below `root`; a plain list where the target has no own way."""
    if not places:
        return ()
    results = {place: _files(root / place) for place in places}
    exporter = registry.exporter(target)
    if exporter.index:
        make = registry.load_function(exporter.index, dict(exporter.needs), exporter.name)
        found: tuple[Artifact, ...] = make(results, lambda path: (root / path).read_bytes())
        return found
    lines = [
        f"{place}/{path}" for place, paths in results.items() for path in paths
        if path != "report.json"
    ]  # fmt: skip
    return (Artifact("index.txt", "".join(f"{line}\n" for line in lines).encode()),)


def _files(place: Path) -> tuple[str, ...]:
    known = writing.read_manifest(place)
    return tuple(sorted(known["files"])) if known else ()


def citation(options: Options, rows: Iterable[Row]) -> bytes:
    """Which file each result was made from, and the files that say whose work that is."""
    from ... import __version__

    lines = [
        "# Where these models come from",
        "",
        f"Interspike {__version__} made everything here from the folder `{_name(options.source)}`.",
        "The models are the work of their authors: cite them, and mind their licences. What the folder",
        "says of itself:",
        "",
    ]
    own = sorted(
        item.name for item in options.source.iterdir()
        if item.is_file() and item.name.lower().startswith(ORIGIN)
    )  # fmt: skip
    lines += [f"* `{_code(name)}`" for name in own] or ["* nothing (no CITATION, LICENSE, README)"]
    lines += ["", "| result | source | language | SHA-256 of the source |", "|---|---|---|---|"]
    for row in rows:
        if row.status in (EXACT, LOSSY):
            cells = (f"`{_code(row.folder)}`", f"`{_code(row.source)}`", row.language, row.sha256)
            lines.append(f"| {' | '.join(cells)} |")
    return ("\n".join(lines) + "\n").encode()


def _name(folder: Path) -> str:
    return _code(folder.resolve().name)


def _code(text: str) -> str:
    """Text within backquotes of a Markdown table."""
    return "".join("?" if c in "`|" or not c.isprintable() else c for c in text)
