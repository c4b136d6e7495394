"""Issues, losses and spans: how every stage tells a modeller what it found.

User mistakes are values (`Issue`), gathered in a `Log`; `ModelError` carries them out of a stage that
cannot go on. Codes are stable: the letter names the stage, the number the rule (docs/codes.md).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum


class Level(Enum):
    """How much an issue matters. All but ERROR and REFUSED let the conversion go on."""

    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"
    APPROXIMATED = "approximated"
    DROPPED = "dropped"
    REFUSED = "refused"


MAX_TEXT = 2000  # characters of a sentence that a person should read
FATAL = (Level.ERROR, Level.REFUSED)
LOSSES = (Level.APPROXIMATED, Level.DROPPED, Level.REFUSED)


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a source file; line and column count from 1, 0 means unknown."""

    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        parts = [self.file or "<input>"]
        if self.line:
            parts.append(str(self.line))
            if self.column:
                parts.append(str(self.column))
        return ":".join(parts)


@dataclass(frozen=True, slots=True)
class Issue:
    """One finding: stable code, level, sentence, place, offending text and what to do about it."""

    code: str
    level: Level
    message: str
    span: Span | None = None
    text: str = ""
    hint: str = ""

    def __post_init__(self) -> None:
        """Sentences quote models, whose names may have any length."""
        for name in ("message", "text", "hint"):
            value = getattr(self, name)
            if len(value) > MAX_TEXT:
                object.__setattr__(self, name, f"{value[: MAX_TEXT - 3]}...")

    def render(self) -> str:
        """Plain text as a compiler prints it: place, level, code, sentence, source text, hint."""
        where = f"{self.span}: " if self.span else ""
        lines = [f"{where}{self.level.value} {self.code}: {self.message}"]
        if self.text:
            lines.append(f"    {self.text}")
        if self.hint:
            lines.append(f"    hint: {self.hint}")
        return "\n".join(lines)

    def to_json(self) -> dict[str, object]:
        """The issue as JSON-ready data."""
        place = self.span and {
            "file": self.span.file,
            "line": self.span.line,
            "column": self.span.column,
        }
        return {
            "code": self.code,
            "level": self.level.value,
            "message": self.message,
            "span": place,
            "text": self.text,
            "hint": self.hint,
        }


class ModelError(Exception):
    """A stage cannot go on; `issues` say why. Raised for user mistakes only, never for our own bugs."""

    def __init__(self, issues: Issue | Iterable[Issue]) -> None:
        self.issues = (issues,) if isinstance(issues, Issue) else tuple(issues)
        super().__init__("\n".join(issue.render() for issue in self.issues))

    @property
    def refused(self) -> bool:
        """True when the target refused a sound model (exit code 3), False for bad input (exit code 2)."""
        return all(issue.level is not Level.ERROR for issue in self.issues)


def error(
    code: str, message: str, span: Span | None = None, text: str = "", hint: str = ""
) -> ModelError:
    """A `ModelError` with one issue of level ERROR."""
    return ModelError(Issue(code, Level.ERROR, message, span, text, hint))


def refuse(
    code: str, message: str, span: Span | None = None, text: str = "", hint: str = ""
) -> ModelError:
    """A `ModelError` with one issue of level REFUSED: a sound model that the target cannot hold."""
    return ModelError(Issue(code, Level.REFUSED, message, span, text, hint))


@dataclass(slots=True)
class Log:
    """Issues gathered by one run, in order; equal ones are kept once."""

    issues: list[Issue] = field(default_factory=list)
    _seen: set[Issue] = field(default_factory=set)

    def add(
        self,
        code: str,
        level: Level,
        message: str,
        span: Span | None = None,
        text: str = "",
        hint: str = "",
    ) -> None:
        """Record one issue."""
        issue = Issue(code, level, message, span, text, hint)
        if issue not in self._seen:
            self._seen.add(issue)
            self.issues.append(issue)

    def __iter__(self) -> Iterator[Issue]:
        return iter(self.issues)

    @contextmanager
    def gather(self) -> Iterator[None]:
        """Keep the errors of the block in the log and go on after it: one run reports several."""
        try:
            yield
        except ModelError as problem:
            for issue in problem.issues:
                self.add(issue.code, issue.level, issue.message, issue.span, issue.text, issue.hint)

    def stop_on_error(self) -> None:
        """Raise `ModelError` with every fatal issue, if there is one."""
        fatal = [issue for issue in self.issues if issue.level in FATAL]
        if fatal:
            raise ModelError(fatal)


def suggest(name: str, candidates: Iterable[str]) -> str:
    """A hint that names the candidate nearest to `name`, or nothing.

    >>> suggest("iafcell", ["iafCell", "izhikevichCell"])
    "did you mean 'iafCell'?"
    """
    known = list(candidates)
    lowered = {item.lower(): item for item in known}
    match = lowered.get(name.lower())
    near = [match] if match else difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f"did you mean '{near[0]}'?" if near else ""
