"""YAML to plain data with places: events only, no objects, aliases and depth bounded.

Both forms that exist are read: plain text, and the `!!binary` (base64) strings that the NineML
library writes on Python 3.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import Any

from ...canonical_model.diagnostics import ModelError, Span, error
from .tree import (
    INTEGER,
    MAX_DEPTH,
    MAX_EXPANDED,
    NOTHING,
    NUMBER,
    TEXT,
    TRUTH,
    Data,
    Items,
    Pairs,
    Scalar,
    size_of,
)

_PREFIX = "tag:yaml.org,2002:"
_KINDS = {
    "str": TEXT, "int": INTEGER, "float": NUMBER, "bool": TRUTH, "null": NOTHING,
    "timestamp": TEXT, "merge": TEXT, "value": TEXT,
}  # fmt: skip


def read_yaml(data: bytes, file: str) -> Data:
    """The one document in `data`. Raises ModelError X001 (not YAML), X002 (bounds), X003, X004."""
    import yaml

    kind: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    loader = kind(data)
    builder = _Builder(file, loader)
    try:
        while loader.check_event():
            builder.take(loader.get_event())
    except yaml.YAMLError as problem:
        raise _malformed(problem, file, data) from None
    except (ValueError, RecursionError) as problem:
        raise error("X001", f"the YAML cannot be read: {problem}", Span(file)) from None
    finally:
        loader.dispose()
    if builder.root is None:
        raise error("X001", "the document is empty", Span(file, 1, 1))
    return builder.root


def _malformed(problem: Any, file: str, data: bytes) -> ModelError:
    mark = getattr(problem, "problem_mark", None)
    place = getattr(problem, "position", None)  # of an octet, where the text cannot be decoded
    if mark:
        span = Span(file, mark.line + 1, mark.column + 1)
    elif isinstance(place, int):
        before = data[:place]
        span = Span(file, before.count(b"\n") + 1, place - before.rfind(b"\n"))
    else:
        span = Span(file)
    reason = getattr(problem, "problem", None) or getattr(problem, "reason", None) or "malformed"
    hint = "indent with blanks" if "'\\t'" in str(reason) or "a tab" in str(reason) else ""
    if "octet" in str(reason) or "UTF" in str(reason):
        hint = "save the file as UTF-8"
    return error("X001", f"the YAML is malformed: {reason}", span, hint=hint)


@dataclass(slots=True)
class _Frame:
    """A collection under construction; `key` waits for its value."""

    is_mapping: bool
    span: Span
    anchor: str | None
    pairs: list[tuple[Scalar, Data]] = field(default_factory=list)
    items: list[Data] = field(default_factory=list)
    keys: dict[str, Span | None] = field(default_factory=dict)
    key: Scalar | None = None
    size: int = 1

    def finish(self) -> Data:
        """The finished collection."""
        if self.is_mapping:
            return Pairs(tuple(self.pairs), self.span, self.size)
        return Items(tuple(self.items), self.span, self.size)


@dataclass(slots=True)
class _Builder:
    """Takes YAML events; no recursion, so that no document can exhaust the stack."""

    file: str
    loader: Any
    stack: list[_Frame] = field(default_factory=list)
    anchors: dict[str, Data | None] = field(default_factory=dict)
    root: Data | None = None
    documents: int = 0
    expanded: int = 0

    def span(self, event: Any) -> Span:
        """Where an event begins."""
        return Span(self.file, event.start_mark.line + 1, event.start_mark.column + 1)

    def take(self, event: Any) -> None:
        """One event."""
        match type(event).__name__:
            case "DocumentStartEvent":
                self.documents += 1
                if self.documents > 1:
                    message = "there is a second document in the file"
                    raise error("X001", message, self.span(event), hint="keep one '---' at most")
            case "ScalarEvent":
                self.add(self.scalar(event), event.anchor)
            case "AliasEvent":
                self.add(self.alias(event), None)
            case "MappingStartEvent" | "SequenceStartEvent":
                self.open(event)
            case "MappingEndEvent" | "SequenceEndEvent":
                frame = self.stack.pop()
                self.add(frame.finish(), frame.anchor)

    def open(self, event: Any) -> None:
        """A mapping or list begins."""
        is_mapping = type(event).__name__ == "MappingStartEvent"
        wanted = _PREFIX + ("map" if is_mapping else "seq")
        if event.tag not in (None, "!", wanted):
            raise self.bad_tag(event)
        if len(self.stack) >= MAX_DEPTH:
            message = f"values are nested more than {MAX_DEPTH} deep"
            raise error("X002", message, self.span(event))
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        self.stack.append(_Frame(is_mapping, self.span(event), event.anchor))

    def bad_tag(self, event: Any) -> ModelError:
        """An X003 error."""
        shown = str(event.tag).removeprefix(_PREFIX)[:60]
        message = f"the tag '{shown}' has no meaning in NineML"
        return error("X003", message, self.span(event), hint="leave the tag out")

    def scalar(self, event: Any) -> Scalar:
        """A scalar with the kind that YAML 1.1 gives it."""
        import yaml

        tag, span = event.tag, self.span(event)
        if tag in (None, "!"):
            tag = self.loader.resolve(yaml.ScalarNode, event.value, event.implicit)
        name = tag.removeprefix(_PREFIX)
        if name == "binary":
            return Scalar(self.decoded(event.value, span), TEXT, span)
        if name not in _KINDS:
            raise self.bad_tag(event)
        if event.style in ("'", '"'):
            span = Span(span.file, span.line, span.column + 1)
        is_literal = event.style not in ("|", ">") and event.start_mark.line == event.end_mark.line
        return Scalar(event.value, _KINDS[name], span, is_literal)

    def decoded(self, text: str, span: Span) -> str:
        """The text in a base64 string."""
        try:
            return base64.b64decode("".join(text.split()), validate=True).decode("utf-8")
        except (binascii.Error, ValueError):
            message = "a !!binary value is not the base64 form of a text"
            raise error("X001", message, span) from None

    def alias(self, event: Any) -> Data:
        """What an alias stands for; a value cannot contain itself."""
        if event.anchor not in self.anchors:
            raise error("X004", f"there is no anchor '&{event.anchor}'", self.span(event))
        found = self.anchors[event.anchor]
        if found is None:
            message = f"the alias '*{event.anchor}' stands inside of what it names"
            raise error("X004", message, self.span(event))
        self.expanded += size_of(found)
        if self.expanded > MAX_EXPANDED:
            message = f"aliases stand for more than {MAX_EXPANDED} values"
            raise error("X002", message, self.span(event))
        return found

    def add(self, data: Data, anchor: str | None) -> None:
        """A finished value goes to where it belongs; aliases count as often as they are used."""
        if anchor is not None:
            self.anchors[anchor] = data
        if not self.stack:
            self.root = data
            return
        frame = self.stack[-1]
        frame.size += size_of(data)
        if not frame.is_mapping:
            frame.items.append(data)
        elif frame.key is None:
            self.key(frame, data)
        else:
            frame.pairs.append((frame.key, data))
            frame.key = None

    def key(self, frame: _Frame, data: Data) -> None:
        """A key: a text that has not been there before."""
        if not isinstance(data, Scalar):
            raise error("X003", "a key is a text, not a list or mapping", data.span)
        if data.text in frame.keys:
            first = frame.keys[data.text]
            where = f" (first in line {first.line})" if first else ""
            message = f"the key '{data.text[:60]}' is given twice{where}"
            raise error("X005", message, data.span)
        frame.keys[data.text] = data.span
        frame.key = data
