"""The report of a conversion: for each thing in the source what became of it.

A thing is `exact` unless a loss names it. Losses of the model itself are `approximated`, `dropped` or
`refused`. What every conversion to a target shares (its number format, its fixed step) is a note and
no loss, or `--strict` would refuse everything.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any

from ..canonical_model.diagnostics import LOSSES, Issue, Level, Span
from ..canonical_model.model import Model

EXACT = "exact"
STATUSES = (EXACT, "approximated", "dropped", "refused")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What became of one thing (`kind` and `name`; kind `model` is the whole)."""

    kind: str
    name: str
    status: str
    code: str
    sentence: str
    span: Span | None = None
    hint: str = ""

    def to_json(self) -> dict[str, Any]:
        """The entry as JSON-ready data."""
        return {
            "kind": self.kind,
            "name": self.name,
            "status": self.status,
            "code": self.code,
            "sentence": self.sentence,
            "span": _place(self.span),
            "hint": self.hint,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The whole account. `entries` cover every thing of the source, `remarks` are notes and warnings."""

    source: str
    target: str
    language: str = ""
    sha256: str = ""
    options: dict[str, str]
    entries: tuple[Entry, ...] = ()
    remarks: tuple[Issue, ...] = ()
    artifacts: tuple[str, ...] = ()

    @property
    def losses(self) -> tuple[Entry, ...]:
        """The entries that are not exact."""
        return tuple(entry for entry in self.entries if entry.status != EXACT)

    @property
    def exact(self) -> bool:
        """True if nothing of the model was approximated, dropped or refused."""
        return not self.losses

    @property
    def outcome(self) -> str:
        """`converted`, or `refused` if anything was."""
        return (
            "refused" if any(entry.status == "refused" for entry in self.entries) else "converted"
        )

    def count(self, status: str) -> int:
        """How many things have this status."""
        return sum(entry.status == status for entry in self.entries)

    def summary(self) -> str:
        """`12 exact, 1 approximated`."""
        counts = [f"{self.count(status)} {status}" for status in STATUSES if self.count(status)]
        return ", ".join(counts) or "nothing to convert"

    def to_json(self) -> dict[str, Any]:
        """The report as JSON-ready data; the same for the same input on every machine and day."""
        from .. import __version__

        return {
            "interspike": __version__,
            "source": self.source,
            "language": self.language,
            "sha256": self.sha256,
            "target": self.target,
            "options": dict(sorted(self.options.items())),
            "outcome": self.outcome,
            "summary": {status: self.count(status) for status in STATUSES},
            "entries": [entry.to_json() for entry in self.entries],
            "remarks": [issue.to_json() for issue in self.remarks],
            "artifacts": list(self.artifacts),
        }

    def to_bytes(self) -> bytes:
        """`report.json` as it is written."""
        return (json.dumps(self.to_json(), indent=2, ensure_ascii=False) + "\n").encode()

    def _repr_html_(self) -> str:
        """A table for notebooks."""
        rows = "".join(
            "<tr>"
            + "".join(
                f"<td>{html.escape(cell)}</td>"
                for cell in (entry.kind, entry.name, entry.status, entry.code, entry.sentence)
            )
            + "</tr>"
            for entry in self.entries
        )
        head = "".join(f"<th>{name}</th>" for name in ("", "name", "status", "code", ""))
        title = html.escape(f"{self.source} → {self.target}: {self.summary()}")
        return f"<table><caption>{title}</caption><tr>{head}</tr>{rows}</table>"


def build(
    model: Model,
    issues: Iterable[Issue],
    *,
    source: str,
    target: str,
    options: dict[str, str],
    artifacts: tuple[str, ...] = (),
) -> Report:
    """Match the losses among `issues` with the things of `model`. Spans become relative to `source`."""
    issues = tuple(_relative(issue, source) for issue in issues)
    losses = [issue for issue in issues if issue.level in LOSSES]
    entries: list[Entry] = []
    placed: set[int] = set()
    for kind, name, span in _things(model):
        span = _relative_span(span, source)
        mine = [index for index, issue in enumerate(losses) if _concerns(issue, name, span, kind)]
        placed.update(mine)
        entries += [_lost(kind, name, losses[index]) for index in mine]
        if not mine:
            sentence = f"the {kind} is carried over as it is"
            entries.append(
                Entry(kind=kind, name=name, status=EXACT, code="A100", sentence=sentence, span=span)
            )
    entries += [
        _lost("model", model.name, issue)
        for index, issue in enumerate(losses)
        if index not in placed
    ]
    return Report(
        source=PurePath(source).name,
        target=target,
        language=f"{model.provenance.language} {model.provenance.version}".strip(),
        sha256=model.provenance.sha256,
        options=options,
        entries=tuple(entries),
        remarks=tuple(issue for issue in issues if issue.level in (Level.NOTE, Level.WARNING)),
        artifacts=artifacts,
    )


def _things(model: Model) -> Iterator[tuple[str, str, Span | None]]:
    """Kind, name and place of everything that a person would look for in the report."""
    for component in model.components:
        yield "component", component.name, component.span
    network = model.network
    if network is None:
        return
    for population in network.populations:
        yield "population", population.name, population.span
    for projection in network.projections:
        yield "projection", projection.name, projection.span
    for item in network.inputs:
        yield "input", item.name, item.span
    experiment = network.experiment
    if experiment is None:
        return
    yield "experiment", experiment.name, None
    for recording in experiment.recordings:
        yield "recording", recording.path, recording.span
    for events in experiment.events:
        yield "recording", f"{events.path}/{events.port}", events.span


def _concerns(issue: Issue, name: str, span: Span | None, kind: str) -> bool:
    """A loss is about the thing at its place, or about the thing that its sentence names."""
    if issue.span and span and issue.span.line and issue.span.file == span.file:
        return issue.span.line == span.line
    quoted = f"'{name}'" in issue.message
    return quoted and (kind == "component" or kind in issue.message)


def _lost(kind: str, name: str, issue: Issue) -> Entry:
    return Entry(
        kind=kind,
        name=name,
        status=issue.level.value,
        code=issue.code,
        sentence=issue.message,
        span=issue.span,
        hint=issue.hint,
    )


def _relative(issue: Issue, source: str) -> Issue:
    return replace(issue, span=_relative_span(issue.span, source))


def _relative_span(span: Span | None, source: str) -> Span | None:
    """The span with the file seen from the source's folder, so that reports do not name machines."""
    if span is None:
        return None
    try:
        file = PurePath(span.file).relative_to(PurePath(source).parent).as_posix()
    except ValueError:
        return span
    return replace(span, file=file)


def _place(span: Span | None) -> dict[str, Any] | None:
    if span is None:
        return None
    return {"file": span.file, "line": span.line, "column": span.column}
