"""The NESTML importer: a file with its models becomes a canonical `Model`.

Codes: N002 to N090 (docs/codes.md); N070 no model in the file, N071 the model that is asked for is not there,
N072 two models of one name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from ...canonical_model import model
from ...canonical_model.diagnostics import Level, Log, Span, error, suggest
from ...canonical_model.serial import ORIGIN
from . import syntax
from .doubts import doubts
from .lexer import decode, read_lines
from .lower import lower
from .old_model import modernise
from .parse import parse


def read(
    path: Path | None,
    data: bytes | None = None,
    *,
    file: str = "",
    search_path: Sequence[Path] = (),
    component: str | None = None,
    log: Log,
) -> model.Model:
    """Read NESTML from `path` or from `data` (named `file` in messages): one component for each model.

    `search_path` is not used: the language has no includes. Raises ModelError with every mistake found.
    """
    raw = path.read_bytes() if path is not None else data or b""
    file = file or (str(path) if path is not None else "")
    trees: list[syntax.ModelSyntax] = []
    with log.gather():
        text = decode(raw, file).partition(f"\n# {ORIGIN}")[0]
        trees = parse(read_lines(text, file, log), file, log)
        trees = [modernise(tree, file, log) for tree in trees]
    if not trees:
        log.stop_on_error()
        raise error("N070", "the file holds no model", Span(file), hint="write 'model NAME:'")
    _different(trees, file, log)
    components = tuple(lower(tree, file, log) for tree in trees)
    log.stop_on_error()
    for item in components:
        doubts(item, log)
    name = component or trees[0].name
    known = [item.name for item in components]
    if name not in known:
        raise error("N071", f"there is no model '{name}'", Span(file), hint=suggest(name, known))
    source = path.name if path else file
    return model.Model(
        name=name,
        components=components,
        provenance=model.Provenance(
            source=source, language="NESTML", version=_version(log),
            sha256=hashlib.sha256(raw).hexdigest(),
        ),
    )  # fmt: skip


def _different(trees: list[syntax.ModelSyntax], file: str, log: Log) -> None:
    seen: set[str] = set()
    for tree in trees:
        if tree.name in seen:
            message = f"there are two models '{tree.name}'"
            log.add("N072", Level.ERROR, message, Span(file, *tree.at))
        seen.add(tree.name)


def _version(log: Log) -> str:
    """What the file is in: 9, unless an older form was met."""
    return "older than 9" if any(issue.code == "N090" for issue in log) else "9"
