"""JSON to plain data with places, without recursion."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field

from ...canonical_model.diagnostics import ModelError, Span, error
from .tree import (
    INTEGER,
    MAX_DEPTH,
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

_BLANK = re.compile(r"[ \t\r\n]*+")
_TOKEN = re.compile(
    r"(?P<text>\"(?:[^\"\\\x00-\x1f]|\\.)*+\")"
    r"|(?P<number>-?(?:0|[1-9]\d*+)(?P<fraction>(?:\.\d++)?(?:[eE][-+]?\d++)?))"
    r"|(?P<word>true|false|null)|(?P<sign>[\[\]{},:])",
    re.ASCII,
)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_PLAIN = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", '"': '"', "\\": "\\", "/": "/"}


def read_json(data: bytes, file: str) -> Data:
    """The value in `data`. Raises ModelError X001 (not JSON), X002 (too deep), X005 (key twice)."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        before = data[: problem.start]
        place = Span(file, before.count(b"\n") + 1, problem.start - before.rfind(b"\n"))
        hint = "save the file as UTF-8"
        raise error("X001", "the text is not UTF-8", place, hint=hint) from None
    return _Reader(text, file).run()


@dataclass(slots=True)
class _Frame:
    """An object or array under construction."""

    is_mapping: bool
    span: Span
    pairs: list[tuple[Scalar, Data]] = field(default_factory=list)
    items: list[Data] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    key: Scalar | None = None
    size: int = 1


@dataclass(slots=True)
class _Reader:
    """A token at a time; `wanted` says what may come next: value, key, colon, more, end."""

    text: str
    file: str
    starts: list[int] = field(init=False)
    offset: int = 0
    stack: list[_Frame] = field(default_factory=list)
    wanted: str = "value"
    root: Data | None = None

    def __post_init__(self) -> None:
        self.starts = [0, *(match.end() for match in re.finditer("\n", self.text))]

    def span(self, offset: int) -> Span:
        """Line and column of an offset."""
        line = bisect_right(self.starts, offset)
        return Span(self.file, line, offset - self.starts[line - 1] + 1)

    def fail(self, message: str) -> ModelError:
        """An X001 error here."""
        return error("X001", f"the JSON is malformed: {message}", self.span(self.offset))

    def run(self) -> Data:
        """The whole text as one value."""
        while True:
            blank = _BLANK.match(self.text, self.offset)
            self.offset = blank.end() if blank else self.offset
            if self.offset >= len(self.text):
                if self.root is None or self.stack:
                    raise self.fail("the document ends too early")
                return self.root
            match = _TOKEN.match(self.text, self.offset)
            if match is None or self.root is not None:
                raise self.fail(f"unexpected {self.text[self.offset]!r}")
            self.token(match)
            self.offset = match.end()

    def token(self, match: re.Match[str]) -> None:
        """One token where it may stand."""
        kind = match.lastgroup or ""
        text = match[0]
        if kind == "sign":
            self.sign(text)
            return
        span = self.span(self.offset)
        if kind == "text":
            inner = Span(span.file, span.line, span.column + 1)
            value = Scalar(self.unescaped(text[1:-1]), TEXT, inner, "\\" not in text)
        elif kind == "word":
            value = Scalar(text, NOTHING if text == "null" else TRUTH, span, True)
        else:
            value = Scalar(text, NUMBER if match["fraction"] else INTEGER, span, True)
        if self.wanted.startswith("key") and kind == "text":
            self.key(value)
        elif self.wanted.startswith("value"):
            self.add(value)
        else:
            raise self.fail(f"unexpected '{text[:40]}'")

    def key(self, value: Scalar) -> None:
        """An object's next key."""
        frame = self.stack[-1]
        if value.text in frame.keys:
            message = f"the key '{value.text[:60]}' is given twice"
            raise error("X005", message, value.span)
        frame.keys.add(value.text)
        frame.key, self.wanted = value, "colon"

    def sign(self, text: str) -> None:
        """Punctuation."""
        frame = self.stack[-1] if self.stack else None
        if text in "[{" and self.wanted.startswith("value"):
            if len(self.stack) >= MAX_DEPTH:
                message = f"values are nested more than {MAX_DEPTH} deep"
                raise error("X002", message, self.span(self.offset))
            self.stack.append(_Frame(text == "{", self.span(self.offset)))
            self.wanted = "key or end" if text == "{" else "value or end"
        elif text == ":" and self.wanted == "colon":
            self.wanted = "value"
        elif text == "," and self.wanted == "more" and frame:
            self.wanted = "key" if frame.is_mapping else "value"
        elif (
            frame
            and text == ("}" if frame.is_mapping else "]")
            and (self.wanted == "more" or self.wanted.endswith("or end"))
        ):
            self.stack.pop()
            done: Data = (
                Pairs(tuple(frame.pairs), frame.span, frame.size)
                if frame.is_mapping
                else Items(tuple(frame.items), frame.span, frame.size)
            )
            self.add(done)
        else:
            raise self.fail(f"unexpected '{text}'")

    def add(self, data: Data) -> None:
        """A finished value goes to where it belongs."""
        if not self.stack:
            self.root = data
            return
        frame = self.stack[-1]
        frame.size += size_of(data)
        if frame.is_mapping and frame.key is not None:
            frame.pairs.append((frame.key, data))
            frame.key = None
        else:
            frame.items.append(data)
        self.wanted = "more"

    def unescaped(self, text: str) -> str:
        """A string's text; pairs of surrogates are joined."""
        if "\\" not in text:
            return text

        def plain(match: re.Match[str]) -> str:
            word = match[1]
            if len(word) == 5:
                return chr(int(word[1:], 16))
            if word not in _PLAIN:
                raise self.fail(f"there is no escape '\\{word}'")
            return _PLAIN[word]

        joined = _ESCAPE.sub(plain, text)
        return joined.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
