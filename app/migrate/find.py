"""Find models below a folder by what the files hold, and say where each result will lie."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ...canonical_model.diagnostics import Issue, Level, ModelError, Span, error
from .. import registry
from ..convert import safe_name
from .options import STATE, Options

RESERVED = ("interspike_cells", "interspike_models", STATE)  # folders of indexes
COMMON_ENDINGS = (".xml", ".json", ".yml", ".yaml", ".h5", "")  # of all sorts of files
MAX_DEPTH = 64
MAX_FILES = 1_000_000


@dataclass(frozen=True, slots=True)
class Found:
    """A file or folder below the source; `language` is "" where `issue` says why it is no model."""

    path: str
    language: str = ""
    issue: Issue | None = None


def find(options: Options) -> list[Found]:
    """Every file in order of its path. Links are not followed, hidden names are not looked at.

    Raises ModelError A200 where the source is no folder, A202 if output and source contain each other
    in a way that would mix them, A203 for more than a million files.
    """
    root = options.source
    if not root.is_dir():
        raise error("A200", f"'{root}' is not a folder of models")
    output = options.output.resolve()
    if output == root.resolve() or output in root.resolve().parents:
        message = "the output folder must not hold the source folder"
        raise error("A202", message, hint="name another folder with -o")
    found = []
    for item in _walk(root, "", output, 0):
        found.append(_recognised(root, item, options.max_size) if item.issue is None else item)
        if len(found) > MAX_FILES:
            raise error("A203", f"more than {MAX_FILES} files lie below '{root}'")
    return sorted(found, key=lambda item: PurePosixPath(item.path).parts)


def _walk(root: Path, below: str, output: Path, depth: int) -> Iterator[Found]:
    place = root / below
    try:
        entries = sorted(os.scandir(place), key=lambda entry: entry.name)
    except OSError as problem:
        yield _skip(below, "A210", f"the folder cannot be read: {problem.strerror}", Level.ERROR)
        return
    for entry in entries:
        path = f"{below}/{entry.name}" if below else entry.name
        if entry.name.startswith("."):
            continue
        if not _is_text(entry.name):
            yield _skip(ascii(path), "A212", "the name is not valid text", Level.ERROR)
        elif entry.is_symlink():
            yield _skip(path, "A211", "a link, which is not followed")
        elif entry.is_dir(follow_symlinks=False):
            if depth >= MAX_DEPTH:
                yield _skip(path, "A210", "the folder lies too deep", Level.ERROR)
            elif Path(entry.path).resolve() != output:
                yield from _walk(root, path, output, depth + 1)
        else:
            yield Found(path)


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _recognised(root: Path, item: Found, max_size: int) -> Found:
    """The file with its language, told from its first bytes."""
    place = root / item.path
    try:
        facts = place.stat(follow_symlinks=False)
        if not stat.S_ISREG(facts.st_mode):
            return _skip(item.path, "A211", "not a regular file")
        with place.open("rb") as stream:
            head = stream.read(registry.HEAD)
    except OSError as problem:
        reason = problem.strerror or str(problem)
        return _skip(item.path, "A002", f"cannot be read: {reason}", Level.ERROR)
    try:
        language = registry.recognise(head, item.path).name
    except ModelError as problem:
        issue = problem.issues[0]
        if _names_a_language(item.path):
            message = f"{issue.message}, though its name ends like one"
            return _skip(item.path, "A214", message, Level.ERROR)
        return _skip(item.path, issue.code, issue.message)
    if facts.st_size > max_size:
        message = f"{facts.st_size} bytes are more than the limit of {max_size}"
        return _skip(item.path, "A213", message, Level.ERROR)
    return Found(item.path, language)


def _names_a_language(path: str) -> bool:
    """True for endings that nothing but a modelling language has."""
    suffix = PurePosixPath(path).suffix.lower()
    if suffix in COMMON_ENDINGS:
        return False
    return any(suffix in registry.resolve(item).endings for item in registry.IMPORTERS.values())


def _skip(path: str, code: str, message: str, level: Level = Level.NOTE) -> Found:
    return Found(path, issue=Issue(code, level, message, Span(path)))


def folders(sources: Sequence[str]) -> dict[str, str]:
    """For each source file the folder of its result, without the target: the file's path less its ending.

    Files that would meet (`a.xml` and `a.nml`, or `a.xml` beside a folder `a` with models) keep their
    endings. Names are compared without case.

    >>> folders(["x/a.xml", "x/b.xml", "x/b.nml"])
    {'x/a.xml': 'x/a', 'x/b.xml': 'x/b_xml', 'x/b.nml': 'x/b_nml'}
    """
    plain = {source: _plain(source) for source in sources}
    parents = {
        str(parent).casefold() for name in plain.values() for parent in PurePosixPath(name).parents
    }
    counts = Counter(name.casefold() for name in plain.values())
    taken = {name.casefold() for name in RESERVED} | parents
    single = {s for s, n in plain.items() if counts[n.casefold()] == 1}
    chosen: dict[str, str] = {}
    for source in sorted(sources, key=lambda s: (s not in single, s)):
        name = plain[source]
        if source not in single or name.casefold() in taken:
            name = f"{name}_{safe_name(PurePosixPath(source).suffix)}"
        first, number = name, 2
        while name.casefold() in taken:
            name, number = f"{first}_{number}", number + 1
        taken.add(name.casefold())
        chosen[source] = name
    return {source: chosen[source] for source in sources}


def _plain(source: str) -> str:
    path = PurePosixPath(source)
    parts = [safe_name(part) for part in path.parts[:-1]]
    return "/".join([*parts, safe_name(path.stem)])
