"""Formats by name: built-in ones as dotted paths, outside ones through entry points.

Nothing is imported before its name is asked for. Installed plug-ins are looked up only when a name or
a file's content is not known here, because that search costs more than the rest of the start.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from ..canonical_model.diagnostics import Span, error, suggest
from ..exporters.format import Exporter
from ..importers.format import Importer

IMPORTER_GROUP = "interspike.importers"
EXPORTER_GROUP = "interspike.exporters"
HEAD = 65536  # bytes that a sniff function sees: licence comments come before the root element

IMPORTERS: dict[str, str] = {
    "lems": "interspike.importers.lems.format:FORMAT",
    "nestml": "interspike.importers.nestml.format:FORMAT",
    "canonical": "interspike.importers.canonical.format:FORMAT",
    "nineml": "interspike.importers.nineml.format:FORMAT",
}
EXPORTERS: dict[str, str] = {
    "spinnaker2": "interspike.exporters.spinnaker2.format:FORMAT",
    "nestml": "interspike.exporters.nestml.format:FORMAT",
    "nest": "interspike.exporters.nest.format:FORMAT",
    "canonical": "interspike.exporters.canonical.format:FORMAT",
    "lems": "interspike.exporters.lems.format:FORMAT",
    "nineml": "interspike.exporters.nineml.format:FORMAT",
    "nineml-xml": "interspike.exporters.nineml.format:XML",
    "nineml-json": "interspike.exporters.nineml.format:JSON",
}

F = TypeVar("F", Importer, Exporter)


def resolve(path: str) -> Any:
    """The object at `package.module:name`."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


def importer(name: str) -> Importer:
    """The importer called `name`. Raises ModelError A003."""
    return _find(name, IMPORTERS, IMPORTER_GROUP, Importer, "source format", "A003")


def exporter(name: str) -> Exporter:
    """The exporter called `name`. Raises ModelError A004."""
    return _find(name, EXPORTERS, EXPORTER_GROUP, Exporter, "target", "A004")


def importers() -> list[tuple[Importer, str]]:
    """Every importer with its origin, built-in ones first."""
    return list(_every(IMPORTERS, IMPORTER_GROUP, Importer))


def exporters() -> list[tuple[Exporter, str]]:
    """Every exporter with its origin, built-in ones first."""
    return list(_every(EXPORTERS, EXPORTER_GROUP, Exporter))


def recognise(head: bytes, file: str) -> Importer:
    """The importer whose language the first bytes of a file are in, by content and never by ending.

    Raises ModelError A005 for an unknown content, A006 where plug-ins contend for it.
    """
    for path in IMPORTERS.values():
        candidate: Importer = resolve(path)
        if candidate.sniff(head):
            return candidate
    outside = _outside(IMPORTERS, IMPORTER_GROUP, Importer)
    takers = [(item, origin) for item, origin in outside if item.sniff(head)]
    if len(takers) > 1:
        names = ", ".join(f"'{item.name}' ({origin})" for item, origin in takers)
        raise error("A006", f"several importers take this file: {names}", Span(file))
    if takers:
        return takers[0][0]
    known = ", ".join([*IMPORTERS, *(item.name for item, _ in outside)])
    what = "the file is empty" if not head.strip() else "this is no model that any importer reads"
    raise error("A005", what, Span(file), hint=f"formats read: {known}")


def load_function(dotted: str, needs: dict[str, str], name: str) -> Any:
    """The working function of a format. Raises ModelError A007 naming what to install."""
    try:
        return resolve(dotted)
    except ModuleNotFoundError as problem:
        missing = (problem.name or "").partition(".")[0]
        if missing in ("", "interspike"):
            raise
        install = needs.get(missing, missing)
        raise error(
            "A007",
            f"the format '{name}' needs the Python module '{missing}', which is not installed",
            hint=f"pip install {install}",
        ) from problem


def _find(
    name: str, built_in: dict[str, str], group: str, kind: type[F], what: str, code: str
) -> F:
    path = built_in.get(name)
    if path is not None:
        found: F = resolve(path)
        return found
    outside: list[tuple[F, str]] = _outside(built_in, group, kind)
    for item, _ in outside:
        if item.name == name:
            return item
    known = [*built_in, *(item.name for item, _ in outside)]
    hint = suggest(name, known) or f"known: {', '.join(known)}"
    raise error(code, f"there is no {what} '{name}'", hint=hint)


def _every(built_in: dict[str, str], group: str, kind: type[F]) -> Iterator[tuple[F, str]]:
    for path in built_in.values():
        yield resolve(path), "interspike"
    yield from _outside(built_in, group, kind)


def _outside(built_in: dict[str, str], group: str, kind: type[F]) -> list[tuple[F, str]]:
    """What installed packages add to `group`. Raises ModelError A008 (duplicate), A009 (broken)."""
    if not _mentioned(group):
        return []
    from importlib.metadata import entry_points

    found: list[tuple[F, str]] = []
    origins = dict.fromkeys(built_in, "interspike itself")
    for point in sorted(entry_points(group=group), key=lambda point: (point.name, point.value)):
        package = point.dist.name if point.dist else "an unknown package"
        origin = f"{package} ({point.value})"
        if point.name in origins:
            message = f"two packages bring a format called '{point.name}': {{}} and {{}}"
            raise error(
                "A008",
                message.format(origins[point.name], origin),
                hint=f"uninstall one: pip uninstall {package}",
            )
        try:
            item = point.load()
        except ImportError as problem:
            message = f"the plug-in '{point.name}' of {origin} cannot be loaded: {problem}"
            raise error("A009", message, hint=f"pip install --upgrade {package}") from problem
        if not isinstance(item, kind) or item.name != point.name:
            message = f"the plug-in '{point.name}' of {origin} is no {kind.__name__} of that name"
            raise error("A009", message, hint=f"pip uninstall {package}")
        origins[point.name] = origin
        found.append((item, package))
    return found


def _mentioned(group: str) -> bool:
    """True if an installed package speaks of `group`: a look that is ten times cheaper than
    importlib.metadata, which is then asked only when there is something to find."""
    import sys

    wanted = f"[{group}]".encode()
    for entry in dict.fromkeys(sys.path):
        folder = Path(entry or ".")
        if not folder.is_dir():
            continue
        for pattern in ("*.dist-info/entry_points.txt", "*.egg-info/entry_points.txt"):
            for file in folder.glob(pattern):
                try:
                    if wanted in file.read_bytes():
                        return True
                except OSError:
                    continue
    return False
