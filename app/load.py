"""Read a model in whatever language it is written."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ..canonical_model.diagnostics import Log, Span, error
from ..canonical_model.model import Model
from ..importers.format import Importer
from . import registry

STDIN = "<stdin>"
RECURSION = 10_000


def load(
    source: str | Path,
    *,
    component: str | None = None,
    search_path: Sequence[str | Path] = (),
    log: Log | None = None,
    options: Mapping[str, str] | None = None,
) -> Model:
    """The model in the file `source`, its language told from its content.

    `component` chooses the component, network or simulation that the model is made of where the file
    itself does not; `search_path` holds folders in which includes are looked for besides the file's
    own; `options` are those of the source's language (`Importer.options`). What the importer
    remarks goes to `log`. Raises ModelError for everything wrong with the file.
    """
    path = Path(source)
    head = _head(path)
    return _read(path, None, head, str(source), component, search_path, log, options)


def load_bytes(
    data: bytes,
    *,
    file: str = STDIN,
    component: str | None = None,
    search_path: Sequence[str | Path] = (),
    log: Log | None = None,
    options: Mapping[str, str] | None = None,
) -> Model:
    """The model in `data`, as `load` reads it; includes are found on `search_path` only."""
    return _read(None, data, data[: registry.HEAD], file, component, search_path, log, options)


def _head(path: Path) -> bytes:
    """The first bytes. Raises ModelError A001 (no such file), A002 (cannot be read)."""
    try:
        with path.open("rb") as stream:
            return stream.read(registry.HEAD)
    except FileNotFoundError:
        hint = _neighbour(path)
        raise error("A001", f"there is no file '{path}'", hint=hint) from None
    except IsADirectoryError:
        hint = "name the model file inside it"
        raise error("A002", f"'{path}' is a folder, not a model file", hint=hint) from None
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        raise error("A002", f"'{path}' cannot be read: {reason}") from None


def _neighbour(path: Path) -> str:
    from ..canonical_model.diagnostics import suggest

    try:
        names = [item.name for item in path.parent.iterdir()]
    except OSError:
        return f"the folder '{path.parent}' does not exist either"
    return suggest(path.name, names)


def _read(
    path: Path | None,
    data: bytes | None,
    head: bytes,
    file: str,
    component: str | None,
    search_path: Sequence[str | Path],
    log: Log | None,
    options: Mapping[str, str] | None,
) -> Model:
    from ..canonical_model.verify import verify_model

    # passes recurse into expressions, whose depth verification bounds (V117)
    sys.setrecursionlimit(max(sys.getrecursionlimit(), RECURSION))
    log = Log() if log is None else log
    folders = tuple(Path(folder) for folder in search_path)
    for folder in folders:
        if not folder.is_dir():
            raise error("A011", f"the search path '{folder}' is not a folder")
    chosen = registry.recognise(head, file)
    given = _options(chosen, options or {})
    read: Callable[..., Model] = registry.load_function(
        chosen.read, dict(chosen.needs), chosen.name
    )
    try:
        model = read(
            path, data, file=file, search_path=folders, component=component, log=log, **given
        )
    except OSError as problem:
        message = f"reading failed: {problem.strerror or problem}"
        raise error("A002", message, Span(file)) from problem
    log.stop_on_error()
    # whatever the language: no model with a broken invariant reaches a pass
    for issue in verify_model(model):
        log.add(issue.code, issue.level, issue.message, issue.span, issue.text, issue.hint)
    log.stop_on_error()
    return model


def _options(chosen: Importer, options: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """What `read` takes besides. Raises ModelError A014 for an option that the language does not have."""
    for name in options:
        if name not in chosen.options:
            known = ", ".join(chosen.options) or "none"
            message = f"there is no option '{name}' for {chosen.title}"
            raise error("A014", message, hint=f"options: {known}")
    return {"options": dict(options)} if options else {}
