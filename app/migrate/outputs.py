"""Results on disk: are they as recorded, and which belong to nothing any more?"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ...canonical_model.diagnostics import ModelError
from .. import registry, writing
from .options import Options, Row
from .work import file_digest


def intact(options: Options, row: Row) -> bool:
    """True if the row has no result, or its result lies there as it was written."""
    if not row.folder:
        return True
    place = options.output / row.folder
    if file_digest(place / writing.MANIFEST) != row.manifest:
        return False
    try:
        writing.may_write(place, registry.exporter(row.target).scratch)
    except (ModelError, OSError):
        return False
    known = writing.read_manifest(place) or {"files": {}}
    return all((place / path).is_file() for path in known["files"])


def sweep(options: Options, target: str, wanted: set[str], staging: Path, *, exact: bool) -> None:
    """Remove the results of `target` that are not among `wanted` folders (below the target's own).

    Without `exact`, results below a wanted folder stay (parts of a file). What somebody changed stays.
    """
    root = options.output / target
    scratch = registry.exporter(target).scratch
    for place in list(_results(root)):
        name = place.relative_to(root).as_posix()
        if name in wanted or (not exact and any(str(p) in wanted for p in Path(name).parents)):
            continue
        with suppress(ModelError, OSError):
            writing.may_write(place, scratch)
            grave = tempfile.mkdtemp(dir=staging)
            place.rename(Path(grave) / "old")
            shutil.rmtree(grave, ignore_errors=True)
            _remove_empty(place.parent, options.output)


def remove_file(path: Path, root: Path) -> None:
    """Remove a file and the folders below `root` that it leaves empty, as far as that can be done."""
    with suppress(OSError):
        path.unlink()
        _remove_empty(path.parent, root)


def _results(root: Path) -> Iterator[Path]:
    """Folders with a manifest, outermost ones only."""
    for place, below, names in os.walk(root):
        if writing.MANIFEST in names:
            below.clear()
            yield Path(place)


def _remove_empty(place: Path, root: Path) -> None:
    while place != root:
        place.rmdir()
        place = place.parent
