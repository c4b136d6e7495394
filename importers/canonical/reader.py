"""Read the canonical text form."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...canonical_model.diagnostics import Log, Span, error, suggest
from ...canonical_model.model import Model
from ...canonical_model.serial import loads


def read(
    path: Path | None,
    data: bytes | None,
    *,
    file: str,
    search_path: Sequence[Path] = (),
    component: str | None = None,
    log: Log,
) -> Model:
    """The model as it was written. The form is complete in itself: `search_path` is not used.

    Raises ModelError C001 (not UTF-8), C002 (`component` is not in it), M1xx (see `serial`).
    """
    raw = path.read_bytes() if path is not None else data or b""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as problem:
        line = raw.count(b"\n", 0, problem.start) + 1
        message = f"byte {problem.start} is not UTF-8 text"
        raise error("C001", message, Span(file, line)) from None
    model = loads(text, file)
    if component is not None:
        names = [item.name for item in model.components]
        if component not in names:
            hint = suggest(component, names)
            raise error("C002", f"there is no component '{component}'", Span(file), hint=hint)
    return model
