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

from ...canonical_model.diagnostics import ModelError, Span, error
from .tables import Table

MAX_DEPTH = 200
MAX_ELEMENTS = 2_000_000
MAX_BULK = 200_000_000
CHUNK = 1 << 20

BULK_PARENTS = frozenset({
    "projection", "electricalProjection", "continuousProjection", "inputList", "population",
})  # fmt: skip
BULK_ROWS = frozenset({
    "connection", "connectionWD", "electricalConnection", "electricalConnectionInstance",
    "electricalConnectionInstanceW", "continuousConnection", "continuousConnectionInstance",
    "continuousConnectionInstanceW", "input", "inputW", "instance",
})  # fmt: skip


@dataclass(slots=True, eq=False)
class Source:
    """Where an element's text can be read again to find a column."""

    file: str
    data: bytes | None = None
    path: Path | None = None

    def read(self, start: int, size: int) -> bytes:
        """`size` bytes from offset `start`."""
        if self.data is not None:
            return self.data[start : start + size]
        if self.path is None:
            return b""
        with self.path.open("rb") as stream:
            stream.seek(start)
            return stream.read(size)


@dataclass(slots=True, eq=False)
class Element:
    """An XML element: local name, attributes, children in order, its own text, its place."""

    tag: str
    attributes: dict[str, str]
    children: list[Element]
    text: str
    span: Span
    tables: dict[str, Table] = field(default_factory=dict)
    source: Source | None = None
    offset: int = 0

    def find(self, tag: str) -> Element | None:
        """The first child with this tag."""
        return next((child for child in self.children if child.tag == tag), None)

    def all(self, tag: str) -> list[Element]:
        """All children with this tag."""
        return [child for child in self.children if child.tag == tag]

    def attribute_span(self, name: str) -> Span:
        """The place of an attribute's value; the element's own place if it cannot be found."""
        if self.source is None:
            return self.span
        text = self.source.read(self.offset, 65536)
        match = re.search(rb"[\s:]" + re.escape(name.encode()) + rb"\s*=\s*[\"']", text)
        if not match:
            return self.span
        before = text[: match.end()].decode("utf-8", "replace")
        lines = before.split("\n")
        if len(lines) == 1:
            return Span(self.span.file, self.span.line, self.span.column + len(before))
        return Span(self.span.file, self.span.line + len(lines) - 1, len(lines[-1]) + 1)


def read_xml(data: bytes, file: str) -> Element:
    """The root element of a document in memory. Raises ModelError L001 to L004."""
    reader = _Reader(Source(file, data=data))
    reader.feed(data, True)
    return reader.result()


def read_xml_file(path: Path, file: str | None = None) -> Element:
    """The root element of a file, streamed. Raises ModelError L001 to L004, L010."""
    name = file or path.name
    try:
        with path.open("rb") as stream:
            return _read_stream(stream, Source(name, path=path))
    except OSError as problem:
        message = f"'{name}' cannot be read: {problem.strerror or problem}"
        raise error("L010", message, Span(name)) from None


def _read_stream(stream: BinaryIO, source: Source) -> Element:
    reader = _Reader(source)
    while chunk := stream.read(CHUNK):
        reader.feed(chunk, False)
    reader.feed(b"", True)
    return reader.result()


class _Reader:
    """One expat run. Handlers build the tree; bulk rows go to tables."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.stack: list[Element] = []
        self.root: Element | None = None
        self.count = 0
        self.skip = 0
        self.row: dict[str, str] | None = None
        self.texts: list[list[str]] = []
        parser = self.parser = expat.ParserCreate()
        parser.buffer_text = True
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

    def feed(self, data: bytes, final: bool) -> None:
        """Parse a piece of the document."""
        try:
            self.parser.Parse(data, final)
        except expat.ExpatError as problem:
            raise self.malformed(problem) from None
        except (LookupError, UnicodeError, ValueError) as problem:
            raise error("L002", f"the text cannot be decoded: {problem}", self.here()) from None

    def malformed(self, problem: expat.ExpatError) -> ModelError:
        """An L002 error that shows the line."""
        span = Span(self.source.file, problem.lineno, problem.offset + 1)
        reason = expat.ErrorString(problem.code) or "malformed"
        hint = ""
        if self.root is None and not self.stack:
            hint = "is this an XML file?"
        elif self.stack and reason in ("mismatched tag", "no element found", "unclosed token"):
            hint = f"<{self.stack[-1].tag}> of line {self.stack[-1].span.line} is still open"
        return error(
            "L002", f"the XML is malformed: {reason}", span, self.line(problem.lineno), hint
        )

    def line(self, number: int) -> str:
        """The text of a line, shortened, where the document is in memory or short."""
        head = self.source.read(0, 1 << 20).split(b"\n")
        if number > len(head):
            return ""
        text = head[number - 1].decode("utf-8", "replace").strip()
        return "".join(c if c.isprintable() else "?" for c in text)[:120]

    def result(self) -> Element:
        """The finished root."""
        if self.root is None:
            raise error("L002", "the document is empty", Span(self.source.file, 1, 1))
        return self.root

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element opens."""
        if ":" in tag:
            tag = tag.rpartition(":")[2]
        if self.row is not None:
            self.skip += 1
            for name, value in attributes.items():
                self.row.setdefault(f"{tag}.{name}", value)
            return
        stack = self.stack
        if stack and tag in BULK_ROWS and stack[-1].tag in BULK_PARENTS:
            self.row = attributes
            return
        self.count += 1
        if self.count > MAX_ELEMENTS:
            message = f"the document has more than {MAX_ELEMENTS} elements outside of networks"
            raise error("L004", message, self.here())
        if len(stack) >= MAX_DEPTH:
            raise error("L003", f"elements are nested more than {MAX_DEPTH} deep", self.here())
        element = Element(
            tag, attributes, [], "", self.here(), source=self.source,
            offset=self.parser.CurrentByteIndex,
        )  # fmt: skip
        if stack:
            stack[-1].children.append(element)
        stack.append(element)
        self.texts.append([])

    def end(self, tag: str) -> None:
        """An element closes."""
        if self.row is not None:
            if self.skip:
                self.skip -= 1
                return
            if ":" in tag:
                tag = tag.rpartition(":")[2]
            tables = self.stack[-1].tables
            table = tables.get(tag)
            if table is None:
                table = tables[tag] = Table(self.source.file, tag)
            if len(table) > MAX_BULK:
                raise error("L004", f"more than {MAX_BULK} rows of <{tag}>", self.here())
            table.add(self.row, self.parser.CurrentLineNumber)
            self.row = None
            return
        element = self.stack.pop()
        element.text = "".join(self.texts.pop()).strip()
        if not self.stack:
            self.root = element

    def characters(self, text: str) -> None:
        """Text between tags."""
        if self.row is None and self.texts and not text.isspace():
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
