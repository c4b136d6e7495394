"""Put artifacts on disk: whole or not at all, and never over what is not ours.

The output is written to a temporary folder beside its place and moved there. A folder that an
earlier conversion wrote holds a manifest with the hash of each file; only such a folder is replaced,
and only while nobody has changed it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from ..canonical_model.diagnostics import ModelError, Span, error
from ..exporters.artifact import Artifact

MANIFEST = "interspike.json"
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


def check(artifacts: Sequence[Artifact]) -> None:
    """Raise ValueError if a path is unsafe or given twice: the exporter that made it is wrong."""
    seen: set[str] = set()
    for artifact in artifacts:
        path = PurePosixPath(artifact.path)
        unsafe = path.is_absolute() or not path.parts or ".." in path.parts
        if unsafe or any(mark in artifact.path for mark in ("\\", "\0", ":", "\n")):
            raise ValueError(f"artifact path {artifact.path!r} is not inside the output folder")
        # files that differ in case only would overwrite each other on some file systems
        key = str(path).casefold()
        if key in seen or key == MANIFEST:
            raise ValueError(f"artifact path {artifact.path!r} is used twice")
        seen.add(key)
    for key in seen:
        if any(str(parent) in seen for parent in PurePosixPath(key).parents):
            raise ValueError(f"artifact path {key!r} lies below another file")


def manifest(artifacts: Sequence[Artifact], facts: dict[str, Any]) -> bytes:
    """The manifest: `facts` about the conversion and each file's SHA-256."""
    files = {item.path: hashlib.sha256(item.data).hexdigest() for item in artifacts}
    data = {**facts, "files": dict(sorted(files.items()))}
    return (json.dumps(data, indent=2, ensure_ascii=False) + "\n").encode()


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest in `folder`, or None if the folder has none that is ours."""
    try:
        data = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return None
    if isinstance(data, dict) and "interspike" in data and isinstance(data.get("files"), dict):
        return data
    return None


def may_write(folder: Path, scratch: Sequence[str] = ()) -> None:
    """Check before any work that `folder` is free, empty or ours and unchanged.

    `scratch` names sub-folders that building leaves. Raises ModelError A020 to A022.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise _taken("A020", folder, "exists and is not a folder")
    if not folder.exists():
        return
    names = sorted(item.name for item in folder.iterdir())
    if not names:
        return
    known = read_manifest(folder)
    if known is None:
        raise _taken("A021", folder, "exists and was not written by interspike")
    for path in sorted(_files(folder, scratch)):
        if path == MANIFEST:
            continue
        digest = known["files"].get(path)
        if digest is None:
            raise _taken("A022", folder, f"holds '{path}', which interspike did not write")
        if hashlib.sha256((folder / path).read_bytes()).hexdigest() != digest:
            raise _taken("A022", folder, f"holds '{path}', which was changed since it was written")


def write(
    folder: Path,
    artifacts: Sequence[Artifact],
    facts: dict[str, Any],
    scratch: Sequence[str] = (),
    staging: Path | None = None,
) -> None:
    """Write `artifacts` and the manifest as `folder`, replacing an earlier output of ours.

    `staging` is where the temporary folder is made (same file system), else beside `folder`.

    Raises ModelError A020 to A023; whatever happens, `folder` is as before or complete.
    """
    check(artifacts)
    try:
        may_write(folder, scratch)
        folder.parent.mkdir(parents=True, exist_ok=True)
        place = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=staging or folder.parent))
        try:
            for parent in {(place / item.path).parent for item in artifacts} - {place}:
                parent.mkdir(parents=True, exist_ok=True)
            for item in artifacts:
                (place / item.path).write_bytes(item.data)
            (place / MANIFEST).write_bytes(manifest(artifacts, facts))
            place.chmod(0o777 & ~_umask())
            _move(place, folder)
        finally:
            shutil.rmtree(place, ignore_errors=True)
    except OSError as problem:
        raise unwritable(folder, problem) from problem


def write_file(path: Path, data: bytes, staging: Path | None = None) -> None:
    """Write one file whole or not at all, by way of `staging` as in `write`. Raises ModelError A023."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=staging or path.parent)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
            os.chmod(name, 0o666 & ~_umask())
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as problem:
        raise unwritable(path, problem) from problem


def unwritable(path: Path, problem: OSError) -> ModelError:
    """The user's error behind a failed write: no room, no right, a name that is too long."""
    reason = problem.strerror or str(problem)
    return error("A023", f"'{path}' cannot be written: {reason}", hint="choose another place")


def _taken(code: str, folder: Path, why: str) -> ModelError:
    hint = "name another folder with -o, or remove this one first"
    return error(code, f"the output folder {why}", Span(str(folder)), hint=hint)


def _files(folder: Path, scratch: Sequence[str]) -> list[str]:
    """Relative paths of the files in `folder`, scratch folders left out; links count as files."""
    found = []
    for root, folders, names in os.walk(folder):
        links = [name for name in folders if (Path(root) / name).is_symlink()]
        folders[:] = [name for name in folders if name not in scratch and name not in links]
        found += [(Path(root) / name).relative_to(folder).as_posix() for name in [*names, *links]]
    return found


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _move(place: Path, folder: Path) -> None:
    """Make `place` become `folder`; the old folder, if any, ends up in `place`."""
    if not folder.exists():
        place.rename(folder)
        return
    if _exchange(place, folder):
        return
    # no atomic exchange here: two renames, the first undone if the second fails
    aside = place.with_name(place.name + ".old")
    folder.rename(aside)
    try:
        place.rename(folder)
    except OSError:
        aside.rename(folder)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _exchange(first: Path, second: Path) -> bool:
    """Swap two folders in one step where the system can (Linux); False if it cannot."""
    if not sys.platform.startswith("linux"):
        return False
    import ctypes

    try:
        rename = ctypes.CDLL(None).renameat2
    except (OSError, AttributeError):
        return False
    paths = (os.fsencode(first), os.fsencode(second))
    return bool(rename(_AT_FDCWD, paths[0], _AT_FDCWD, paths[1], _RENAME_EXCHANGE) == 0)
