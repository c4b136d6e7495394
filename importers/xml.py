"""Read XML safely and fast: expat with places, no entities, bulk rows straight into columns.

Rows of big networks (connections, inputs, instances) never become objects: `Element.tables` holds
their attributes as columns. Everything else is a small tree with line and column.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO
from xml.parsers import expat

from ..canonical_model.diagnostics import ModelError, Span, error
from .tables import Table

MAX_DEPTH = 200
MAX_ELEMENTS = 2_000_000
MAX_ROWS = 100_000_000
MAX_TEXT = 100_000_000
MAX_TAG = 1 << 16
CHUNK = 1 << 20
MAX_TOKEN = 1 << 24
BATCH = 8192
# a table weighs as much in memory as several elements
TABLE_WEIGHT = 4

BULK_PARENTS = frozenset({
    "projection", "electricalProjection", "continuousProjection", "inputList", "population",
})  # fmt: skip
BULK_ROWS = frozenset({
    "connection", "connectionWD", "electricalConnection", "electricalConnectionInstance",
    "electricalConnectionInstanceW", "continuousConnection", "continuousConnectionInstance",
    "continuousConnectionInstanceW", "input", "inputW", "instance",
})  # fmt: skip

_ATTRIBUTE = re.compile(rb"\s+([^\s=/>]+)\s*=\s*(?:\"[^\"]*\"|'[^']*')")
# expat's terse reasons in plain words; {open} is the innermost element that is still open
_REASONS = {
    "no element found": "the document ends too early",
    "not well-formed (invalid token)": "a character cannot stand here",
    "unclosed token": "the document ends inside a tag",
    "mismatched tag": "a closing tag that does not fit",
    "duplicate attribute": "an attribute is given twice",
    "junk after document element": "something follows the end of the root element",
    "undefined entity": "an entity that XML does not define",
    "unknown encoding": "an encoding that is not supported",
    "encoding specified in XML declaration is incorrect": "the declared encoding is not the real one",
    "XML or text declaration not at start of entity": "the XML declaration is not at the very start",
    "reference to invalid character number": "a character number that XML does not allow",
    "unclosed CDATA section": "a CDATA section is not closed",
    "partial character": "the document ends inside a character",
}  # fmt: skip
_HINTS = {
    "not well-formed (invalid token)": "write &lt; for < and &amp; for &, and quote attributes",
    "undefined entity": "only &lt; &gt; &amp; &quot; &apos; and character numbers exist",
    "unknown encoding": "save the file as UTF-8",
    "encoding specified in XML declaration is incorrect": "save the file as UTF-8",
}


@dataclass(slots=True, eq=False)
class Source:
    """Where an element's text can be read again to find a column."""

    file: str
    data: bytes | None = None
    path: Path | None = None

    def read(self, start: int, size: int) -> bytes:
        """`size` bytes from offset `start`; nothing if the file has gone."""
        if self.data is not None:
            return self.data[start : start + size]
        if self.path is None:
            return b""
        try:
            with self.path.open("rb") as stream:
                stream.seek(start)
                return stream.read(size)
        except OSError:
            return b""


@dataclass(slots=True)
class Budget:
    """What reading may still grow to; shared by a document and all its includes."""

    elements: int = MAX_ELEMENTS
    rows: int = MAX_ROWS
    text: int = MAX_TEXT


# shared by elements without rows, which are most
_NO_TABLES: dict[str, Table] = {}
_NO_SOURCE = Source("")


@dataclass(slots=True, eq=False)
class Element:
    """An XML element: local name, attributes, children in order, its own text, its place."""

    tag: str
    attributes: dict[str, str]
    children: list[Element]
    text: str
    span: Span
    tables: dict[str, Table] = field(default_factory=lambda: _NO_TABLES)
    source: Source = _NO_SOURCE
    offset: int = 0

    def find(self, tag: str) -> Element | None:
        """The first child with this tag."""
        return next((child for child in self.children if child.tag == tag), None)

    def all(self, tag: str) -> list[Element]:
        """All children with this tag."""
        return [child for child in self.children if child.tag == tag]

    def attribute_span(self, name: str) -> Span:
        """The place of an attribute's value; the element's own place if it cannot be found."""
        text = self.source.read(self.offset, MAX_TAG)
        start = re.match(rb"<[^\s/>]+", text)
        place = start.end() if start else 0
        wanted = name.encode()
        while start and (match := _ATTRIBUTE.match(text, place)):
            if match[1] == wanted:
                return self._at(text[: match.end(1)], text[match.end(1) : match.end()])
            place = match.end()
        return self.span

    def _at(self, before: bytes, rest: bytes) -> Span:
        quote = re.search(rb"[\"']", rest)
        text = before + rest[: quote.end() if quote else 0]
        lines = text.decode("utf-8", "replace").split("\n")
        if len(lines) == 1:
            return Span(self.span.file, self.span.line, self.span.column + len(lines[0]))
        return Span(self.span.file, self.span.line + len(lines) - 1, len(lines[-1]) + 1)


def read_xml(data: bytes, file: str, budget: Budget | None = None) -> Element:
    """The root element of a document in memory. Raises ModelError L001 to L004."""
    reader = _Reader(Source(file, data=data), budget or Budget())
    view = memoryview(data)
    for start in range(0, len(data), CHUNK):
        reader.feed(view[start : start + CHUNK], False)
    reader.feed(b"", True)
    return reader.result()


def read_xml_file(path: Path, file: str | None = None, budget: Budget | None = None) -> Element:
    """The root element of a file, streamed. Raises ModelError L001 to L004, L010."""
    name = file or path.name
    try:
        with path.open("rb") as stream:
            return _read_stream(stream, Source(name, path=path), budget or Budget())
    except OSError as problem:
        message = f"'{name}' cannot be read: {problem.strerror or problem}"
        raise error("L010", message, Span(name)) from None


def _read_stream(stream: BinaryIO, source: Source, budget: Budget) -> Element:
    reader = _Reader(source, budget)
    while chunk := stream.read(CHUNK):
        reader.feed(chunk, False)
    reader.feed(b"", True)
    return reader.result()


class _Reader:
    """One expat run. Handlers build the tree; bulk rows are gathered and go to tables in batches."""

    def __init__(self, source: Source, budget: Budget) -> None:
        self.source = source
        self.budget = budget
        self.stack: list[Element] = []
        self.root: Element | None = None
        self.fed = 0
        self.is_bulk = False
        self.skip = 0
        self.row: list[str] | None = None
        self.row_line = 0
        self.batch_tag = ""
        self.batch_names: list[str] = []
        self.batch: list[str] = []
        self.lines: list[int] = []
        self.texts: list[list[str]] = []
        parser = self.parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.ordered_attributes = True
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end
        parser.CharacterDataHandler = self.characters
        parser.StartDoctypeDeclHandler = self.doctype
        parser.EntityDeclHandler = self.entity
        parser.ExternalEntityRefHandler = self.external

    def here(self) -> Span:
        """The parser's present place."""
        parser = self.parser
        return Span(self.source.file, parser.CurrentLineNumber, parser.CurrentColumnNumber + 1)

    def feed(self, data: bytes | memoryview, final: bool) -> None:
        """Parse a piece of the document."""
        try:
            self.parser.Parse(data, final)
        except expat.ExpatError as problem:
            raise self.malformed(problem) from None
        except (LookupError, UnicodeError, ValueError) as problem:
            raise error("L002", f"the text cannot be decoded: {problem}", self.here()) from None
        self.fed += len(data)
        if self.fed - self.parser.CurrentByteIndex > MAX_TOKEN:
            message = f"a single tag or text is longer than {MAX_TOKEN >> 20} MB"
            raise error("L004", message, self.here())

    def malformed(self, problem: expat.ExpatError) -> ModelError:
        """An L002 error that shows the line."""
        span = Span(self.source.file, problem.lineno, problem.offset + 1)
        reason = expat.ErrorString(problem.code) or "malformed"
        if self.root is None and not self.stack:
            if reason == "no element found":
                return error("L002", "the document is empty", Span(self.source.file, 1, 1))
            if self.source.read(0, 4096).count(b"\0"):
                message = "this is binary data and not an XML document"
                return error("L002", message, Span(self.source.file, 1, 1))
            hint = "is this an XML file?"
        elif self.stack and reason in ("mismatched tag", "no element found", "unclosed token"):
            hint = f"<{self.stack[-1].tag}> of line {self.stack[-1].span.line} is still open"
        else:
            hint = _HINTS.get(reason, "")
        message = f"the XML is malformed: {_REASONS.get(reason, reason)}"
        return error("L002", message, span, self.line(), hint)

    def line(self) -> str:
        """The text of the line where the parser stopped, shortened."""
        place = max(self.parser.ErrorByteIndex, 0)
        start = max(place - 80, 0)
        before = self.source.read(start, place - start).rpartition(b"\n")[2]
        after = self.source.read(place, 80).partition(b"\n")[0]
        text = (before + after).decode("utf-8", "replace").strip()
        return "".join(c if c.isprintable() else "?" for c in text)[:120]

    def result(self) -> Element:
        """The finished root."""
        if self.root is None:
            raise error("L002", "the document is empty", Span(self.source.file, 1, 1))
        return self.root

    def start(self, tag: str, flat: list[str]) -> None:
        """An element opens; `flat` is name, value, name, value, ..."""
        if ":" in tag:
            tag = tag.rpartition(":")[2]
        if self.row is not None:
            self.skip += 1
            if len(self.stack) + self.skip >= MAX_DEPTH:
                raise self.too_deep()
            for k in range(0, len(flat), 2):
                self.row += (f"{tag}.{flat[k]}", flat[k + 1])
            return
        if self.is_bulk and tag in BULK_ROWS:
            self.row = flat
            self.row_line = self.parser.CurrentLineNumber
            return
        self.spend_element(1)
        stack = self.stack
        if len(stack) >= MAX_DEPTH:
            raise self.too_deep()
        if flat:
            self.spend_text(sum(map(len, flat)))
        attributes = dict(zip(flat[::2], flat[1::2], strict=True))
        element = Element(
            tag, attributes, [], "", self.here(), source=self.source,
            offset=self.parser.CurrentByteIndex,
        )  # fmt: skip
        if stack:
            if self.lines:
                self.flush()
            stack[-1].children.append(element)
        stack.append(element)
        self.texts.append([])
        self.descend()

    def descend(self) -> None:
        """After a change of the open element: are its children rows? Text among rows is not read."""
        self.is_bulk = bool(self.stack) and self.stack[-1].tag in BULK_PARENTS
        self.parser.CharacterDataHandler = None if self.is_bulk else self.characters

    def end(self, tag: str) -> None:
        """An element closes."""
        row = self.row
        if row is not None:
            if self.skip:
                self.skip -= 1
                return
            self.row = None
            names = row[::2]
            if tag != self.batch_tag or names != self.batch_names or len(self.lines) >= BATCH:
                self.flush()
                self.batch_tag = tag
                self.batch_names = names
            self.batch += row
            self.lines.append(self.row_line)
            return
        if self.lines:
            self.flush()
        element = self.stack.pop()
        element.text = "".join(self.texts.pop()).strip()
        self.descend()
        if not self.stack:
            self.root = element

    def flush(self) -> None:
        """Put the gathered rows into their table."""
        if not self.lines:
            return
        tag = self.batch_tag.rpartition(":")[2]
        element = self.stack[-1]
        if not element.tables:
            element.tables = {}
        table = element.tables.get(tag)
        if table is None:
            self.spend_element(TABLE_WEIGHT)
            table = element.tables[tag] = Table(self.source.file, tag)
        self.budget.rows -= len(self.lines)
        if self.budget.rows < 0:
            raise error("L004", f"there are more than {MAX_ROWS} rows in networks", self.here())
        if len(set(self.batch_names)) == len(self.batch_names):
            table.extend(self.batch_names, self.batch, self.lines)
        else:
            self.add_repeated(table)
        self.batch, self.lines = [], []

    def too_deep(self) -> ModelError:
        """An L003 error."""
        return error("L003", f"elements are nested more than {MAX_DEPTH} deep", self.here())

    def spend_element(self, count: int) -> None:
        """Take elements from the budget. Raises ModelError L004 when it is used up."""
        self.budget.elements -= count
        if self.budget.elements < 0:
            message = f"there are more than {MAX_ELEMENTS} elements outside of networks"
            raise error("L004", message, self.here())

    def spend_text(self, size: int) -> None:
        """Take characters from the budget. Raises ModelError L004 when it is used up."""
        self.budget.text -= size
        if self.budget.text < 0:
            message = f"there are more than {MAX_TEXT} characters of text and attributes"
            raise error("L004", message, self.here())

    def add_repeated(self, table: Table) -> None:
        """Rows with several children of one kind: the first of each counts."""
        step = 2 * len(self.batch_names)
        for k, line in enumerate(self.lines):
            row: dict[str, str] = {}
            flat = self.batch[k * step : (k + 1) * step]
            for name, value in zip(flat[::2], flat[1::2], strict=True):
                row.setdefault(name, value)
            table.add(row, line)

    def characters(self, text: str) -> None:
        """Text between tags."""
        if self.texts and not text.isspace():
            self.spend_text(len(text))
            self.texts[-1].append(text)

    def doctype(self, name: str, system: str | None, public: str | None, internal: bool) -> None:
        """A document type: refused, since it can only bring in entities."""
        message = "a DOCTYPE is not allowed: entities and external definitions are never expanded"
        raise error("L001", message, self.here(), hint="remove the <!DOCTYPE ...> declaration")

    def entity(self, *_: object) -> None:
        """An entity declaration: refused."""
        raise error("L001", "entity declarations are not allowed", self.here())

    def external(self, *_: object) -> int:
        """An external entity: refused."""
        raise error("L001", "external entities are not allowed", self.here())
