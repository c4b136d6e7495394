"""Convert one source file to its targets. Runs in a process of its own, within limits."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Any

from ...canonical_model.diagnostics import LOSSES, Issue, Level, Log, ModelError, Span
from ...canonical_model.model import Model
from .. import registry, writing
from ..convert import Refusal, convert, read_source, safe_name
from ..report import STATUSES as REPORTED
from .options import CRASHED, EXACT, FAILED, INCLUDED, LOSSY, REFUSED, Row

MAX_REASONS = 40  # of one conversion in tables; the conversion's own report has all
# sound sources that are not all that this target needs: values of parameters, a cell to create
INCOMPLETE = frozenset({"S211", "B300"})
_ENDINGS = (".xml", ".nml", ".h5")
NOTHING = dict.fromkeys(REPORTED, 0)
Send = Callable[[Mapping[str, Any]], None]


def work(job: Mapping[str, Any], config: Mapping[str, Any], send: Send) -> None:
    """Load, then convert to each target; `send` hears of each step as soon as it is done.

    Messages: `{"inputs": {path: sha256}, "language": ...}` once, then `{"target", "rows"}` for each.
    The current folder is the source folder, so that no message depends on where that lies.
    """
    source = str(job["source"])
    opened = watch_reads(Path.cwd())
    log = Log()
    model: Model | None = None
    trouble: tuple[str, tuple[Issue, ...]] | None = None
    try:
        model = read_source(source, None, None, (".",), log, as_written=False)
    except ModelError as problem:
        trouble = (FAILED, problem.issues)
    except (Exception, RecursionError) as problem:
        trouble = (CRASHED, (_fault(problem, source),))
    send({"inputs": _digests({source, *opened()})})
    for target, folder in job["folders"].items():
        if model is None or trouble is not None:
            status, issues = trouble or (FAILED, ())
            rows = [make_row(source, target, status, issues, language=job["language"])]
        else:
            rows = list(_convert(model, log, source, target, folder, config))
        send({"target": target, "rows": [row.to_json() for row in rows]})


def watch_reads(root: Path) -> Callable[[], set[str]]:
    """Take note of every file that is opened from now on; what is returned ends it.

    It gives the files below `root`, and those within two folders above it that are named like models:
    no include leads further (`importers/lems/includes.py`).
    """
    seen: set[str] = set()
    watching = True

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if watching and event == "open" and isinstance(arguments[0], str | os.PathLike):
            seen.add(os.fsdecode(os.fspath(arguments[0])))

    def end() -> set[str]:
        nonlocal watching
        watching = False
        real = {os.path.realpath(path) for path in seen}
        return {path for name in real if _is_input(path := os.path.relpath(name, root.resolve()))}

    sys.addaudithook(hook)
    return end


def _is_input(path: str) -> bool:
    """Whether a file that was opened, seen from the source folder, is one that a model was made from."""
    parts = PurePath(path).parts
    outside = parts.count("..")
    return not outside or (outside <= 2 and PurePath(path).suffix.lower() in _ENDINGS)


def _digests(paths: set[str]) -> dict[str, str]:
    return {path: digest for path in sorted(paths) if (digest := file_digest(Path(path)))}


def file_digest(path: Path) -> str:
    """SHA-256 of a file; "" if it cannot be read."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""


def _convert(
    model: Model, log: Log, source: str, target: str, folder: str, config: Mapping[str, Any]
) -> Iterator[Row]:
    """A row, or one for each component where the target takes one at a time and no network says more."""
    if model.network is None and not model.components:
        message = "the file only defines what other files use"
        issue = Issue("A220", Level.NOTE, message, Span(source))
        yield make_row(source, target, INCLUDED, [issue], language=model.provenance.language)
        return
    several = model.network is None and len(model.components) > 1
    if not several or registry.exporter(target).takes != "circuit":
        yield _guarded(model, log, source, target, folder, "", config)
        return
    for component in model.components:
        part = replace(model, name=component.name, components=(component,))
        place = f"{folder}/{safe_name(component.name)}"
        yield _guarded(part, log, source, target, place, component.name, config)


def _guarded(
    model: Model,
    log: Log,
    source: str,
    target: str,
    folder: str,
    part: str,
    config: Mapping[str, Any],
) -> Row:
    """Convert and write; whatever goes wrong is a row, so that the other targets still have theirs."""
    facts = {"part": part, "language": model.provenance.language, "sha256": model.provenance.sha256}
    own = Log()
    for issue in log:
        own.add(*(getattr(issue, name) for name in Issue.__slots__))
    try:
        result = convert(
            model,
            to=target,
            solver=config["solver"],
            dt=config["dt"],
            strict=config["strict"],
            log=own,
        )
        place = Path(config["output"]) / target / folder
        result.write(place, staging=Path(config["staging"]))
    except Refusal as problem:
        counts = {status: problem.report.count(status) for status in REPORTED}
        return make_row(source, target, REFUSED, problem.issues, counts, **facts)
    except ModelError as problem:
        codes = {issue.code for issue in problem.issues}
        status = REFUSED if problem.refused or codes <= INCOMPLETE else FAILED
        return make_row(source, target, status, problem.issues, NOTHING, **facts)
    except (Exception, RecursionError) as problem:
        return make_row(source, target, CRASHED, [_fault(problem, source)], NOTHING, **facts)
    losses = [issue for issue in own if issue.level in LOSSES or issue.level is Level.WARNING]
    counts = {status: result.report.count(status) for status in REPORTED}
    status = EXACT if result.report.exact else LOSSY
    digest = file_digest(place / writing.MANIFEST)
    return make_row(
        source, target, status, losses, counts, folder=f"{target}/{folder}",
        manifest=digest, **facts,
    )  # fmt: skip


def _fault(problem: BaseException, source: str) -> Issue:
    """Not the user's fault: a limit, or a fault of ours."""
    if isinstance(problem, MemoryError):
        message = "more memory was needed than the limit allows"
        return Issue("A222", Level.ERROR, message, Span(source), hint="raise it with --memory")
    text = (str(problem).strip().splitlines() or ["no message"])[0][:300]
    message = f"internal error ({type(problem).__name__}): {text}"
    return Issue("A223", Level.ERROR, message, Span(source), hint="please report this fault")


def make_row(
    source: str,
    target: str,
    status: str,
    issues: Iterable[Issue],
    counts: Mapping[str, int] = NOTHING,
    **facts: str,
) -> Row:
    """A row with the first MAX_REASONS of `issues`, equal ones once."""
    distinct = tuple(dict.fromkeys(issues))
    reasons = [issue.to_json() for issue in distinct[:MAX_REASONS]]
    if len(distinct) > MAX_REASONS:
        more = Issue("A221", Level.NOTE, f"and {len(distinct) - MAX_REASONS} more")
        reasons.append(more.to_json())
    return Row(
        source=source, target=target, status=status, counts=dict(counts), reasons=tuple(reasons),
        **facts,
    )  # fmt: skip
