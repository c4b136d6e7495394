"""Find, read and keep the files of a model: each once, below the permitted folders only."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...canonical_model.diagnostics import Level, Log, Span, error, suggest
from ...canonical_model.units import Dimension, Unit
from .. import xml
from .annotations import annotation_text
from .check_tree import check_tree
from .dialect import Dialect
from .elements import from_data, from_xml
from .json_text import read_json
from .options import APPLY, Options
from .parse import Parser
from .syntax import Document, Properties, Reference, Thing
from .tree import MAX_BYTES, Element
from .yaml_text import read_yaml

ENDINGS = (".xml", ".yml", ".yaml", ".json", ".9ml", ".nineml")
MAX_FILES = 500
MAX_PROTOTYPES = 50
MAX_POWER = 99
_NAMESPACE = re.compile(r"https?://nineml\.net/9ML/(\d+)\.(\d+)/?")
_OLD = re.compile(r"nineml|9ML", re.IGNORECASE)


@dataclass(slots=True)
class Documents:
    """The main document and those that it refers to."""

    search_path: tuple[Path, ...]
    log: Log
    options: Options
    root: Path | None = None
    main: Document = field(default_factory=lambda: Document("", 1))
    known: dict[Path, Document] = field(default_factory=dict)
    folders: dict[str, Path | None] = field(default_factory=dict)
    by_file: dict[str, Document] = field(default_factory=dict)
    budget: xml.Budget = field(default_factory=xml.Budget)

    def load(self, path: Path | None, data: bytes | None, file: str) -> Document:
        """The main document from `path` or `data`. Raises ModelError X001 to X036, X040."""
        if path is not None:
            self.root = path.parent
        name = path.name if path is not None else file or "<stdin>"
        raw = data if data is not None else self.bytes_of(path, name)
        self.main = self.read(raw, name, self.root)
        if path is not None:
            self.known[path.resolve()] = self.main
        return self.main

    def bytes_of(self, path: Path | None, name: str) -> bytes:
        """A file's bytes. Raises ModelError X040."""
        assert path is not None
        try:
            with path.open("rb") as stream:
                found = stream.read(MAX_BYTES + 1)
        except OSError as problem:
            message = f"'{name}' cannot be read: {problem.strerror or problem}"
            raise error("X040", message, Span(name)) from None
        if len(found) > MAX_BYTES:
            raise error("X002", f"the file has more than {MAX_BYTES >> 20} MB", Span(name))
        return found

    def read(self, raw: bytes, file: str, folder: Path | None) -> Document:
        """One document: serialisation by content, shape checked, things parsed."""
        root = self.tree(raw, file)
        if root.tag != "NineML":
            message = f"the root element is '{root.tag[:60]}', not 'NineML'"
            raise error("X010", message, root.span)
        version = self.version(root)
        self.log.stop_on_error()
        root = Dialect(self.log, self.options.strict).element(root)
        check_tree(root, self.log)
        self.log.stop_on_error()
        document = self.parsed(root, file, version)
        self.folders[file] = folder
        self.by_file[file] = document
        self.log.stop_on_error()
        return document

    def tree(self, raw: bytes, file: str) -> Element:
        """The element tree of any serialisation, which the first character tells."""
        start = raw[:4096].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xfe\xff \t\r\n")[:1]
        if not start:
            raise error("X001", "the document is empty", Span(file, 1, 1))
        if start == b"<":
            return from_xml(xml.read_xml(raw, file, self.budget))
        data = read_json(raw, file) if start == b"{" else read_yaml(raw, file)
        return from_data(data, file, self.log)

    def version(self, root: Element) -> int:
        """1 or 2. Raises ModelError X017 for older drafts and what is no NineML."""
        found = _NAMESPACE.fullmatch(root.namespace)
        if found and found[1] in ("1", "2"):
            if (found[1], found[2]) not in (("1", "0"), ("2", "0")):
                message = f"NineML {found[1]}.{found[2]} is read as {found[1]}.0"
                self.log.add("X018", Level.WARNING, message, root.span)
            return int(found[1])
        hint = "1.0 is xmlns (YAML: '@namespace') http://nineml.net/9ML/1.0"
        if not root.namespace:
            raise error(
                "X017", "the document does not say which NineML it is", root.span, hint=hint
            )
        shown = root.namespace[:80]
        what = "an older draft of NineML" if _OLD.search(shown) else "not NineML"
        what = "a version of NineML that is not known here" if found and found[1] != "0" else what
        raise error("X017", f"the namespace '{shown}' is {what}", root.span, hint=hint)

    def parsed(self, root: Element, file: str, version: int) -> Document:
        """Syntax objects of a checked tree; X041 for names given twice."""
        parser = Parser(file, self.log)
        things: dict[str, Thing] = {}
        places: dict[str, Element] = {}
        units: list[Element] = []
        dimensions: dict[str, Dimension] = {}
        for element in root.children:
            if element.tag == "Annotations":
                continue
            name = element.get("symbol" if element.tag == "Unit" else "name")
            if name in places and not self.is_same(places[name], element):
                first = places[name]
                message = f"'{name}' names two things (first in line {first.span.line})"
                self.log.add("X041", Level.ERROR, message, element.span)
                continue
            places[name] = element
            with self.log.gather():
                if element.tag == "Unit":
                    units.append(element)
                elif element.tag == "Dimension":
                    dimensions[name] = self.dimension(element, parser)
                else:
                    things[name] = parser.thing(element)
        found = {}
        for element in units:
            with self.log.gather():
                found[element.get("symbol")] = self.unit(element, parser, dimensions)
        return Document(file, version, things, dimensions, found, annotation_text(root))

    def is_same(self, first: Element, again: Element) -> bool:
        """Units and dimensions that say the same twice are a known habit; a warning (X020)."""
        repeats = first.tag == again.tag and first.tag in ("Unit", "Dimension")
        plain = [{k: v.text for k, v in item.attributes.items()} for item in (first, again)]
        if not repeats or plain[0] != plain[1]:
            return False
        dialect = Dialect(self.log, self.options.strict)
        dialect.remark(f"{first.tag} '{again.get('name') or again.get('symbol')}' is given twice",
                       again.span)  # fmt: skip
        return True

    def dimension(self, element: Element, parser: Parser) -> Dimension:
        """Whole exponents of the seven base quantities."""
        parser.name(element)
        powers = {}
        for key in "mltiknj":
            value = element.attributes.get(key)
            if value is not None:
                power = parser.integer(value, element.at(key), f"the power '{key}'")
                if abs(power) > MAX_POWER:
                    raise error("X032", f"the power {power} is out of range", element.at(key))
                powers[key] = float(power)
        return Dimension(**powers)

    def unit(self, element: Element, parser: Parser, dimensions: dict[str, Dimension]) -> Unit:
        """A power of ten of the SI unit; an offset counts only if the user wants it."""
        symbol = parser.name(element, "symbol")
        wanted = element.get("dimension")
        if wanted not in dimensions:
            message = f"the unit '{symbol}' has the dimension '{wanted}', which is not defined"
            raise error("X042", message, element.at("dimension"), hint=suggest(wanted, dimensions))
        power, offset = (element.attributes.get(key) for key in ("power", "offset"))
        exponent = parser.integer(power, element.at("power"), "a unit's power") if power else 0
        if abs(exponent) > MAX_POWER:
            raise error("X032", f"the power {exponent} is out of range", element.at("power"))
        shift = parser.number(offset, element.at("offset"), "an offset") if offset else 0.0
        kept = shift if self.options.offsets == APPLY else 0.0
        if shift:
            done = "is applied" if kept else "is ignored, as the reference library does"
            message = f"the offset {shift:g} of the unit '{symbol}' {done}"
            hint = "right for differences; for absolute temperatures choose offsets=apply"
            self.log.add("X050", Level.NOTE, message, element.span, hint="" if kept else hint)
        return Unit(symbol, dimensions[wanted], float(f"1e{exponent}"), kept)

    # --- references

    def find(self, reference: Reference) -> tuple[Thing, Document]:
        """The thing that is meant, and the document in which it stands. Raises ModelError X043."""
        document = self.by_file[reference.document]
        if reference.inline is not None:
            return reference.inline, document
        if reference.url:
            document = self.other(reference, document)
        found = document.things.get(reference.name)
        if found is None:
            where = f" in '{document.file}'" if reference.url else ""
            message = f"there is no '{reference.name[:60]}'{where}"
            hint = suggest(reference.name, document.things)
            raise error("X043", message, reference.span, hint=hint)
        return found, document

    def other(self, reference: Reference, document: Document) -> Document:
        """The document at a url, read once. Raises ModelError X044 (not found or not permitted)."""
        url = reference.url.removeprefix("file:") if "://" not in reference.url else reference.url
        if "://" in url:
            message = f"'{url[:80]}' is on a network; only files are read"
            raise error("X044", message, reference.span, hint="download it beside the model")
        path = self.locate(url, document, reference.span)
        if path not in self.known:
            if len(self.known) >= MAX_FILES:
                raise error("X044", f"more than {MAX_FILES} files are referred to", reference.span)
            name = self.shown(path)
            self.known[path] = Document(name, 1)
            self.known[path] = self.read(self.bytes_of(path, name), name, path.parent)
        return self.known[path]

    def shown(self, path: Path) -> str:
        """A name for messages that tells files apart."""
        name = path.name
        if self.root is not None and path.is_relative_to(self.root.resolve()):
            name = str(path.relative_to(self.root.resolve()))
        while name in self.by_file:
            name = f"{path.parent.name}/{name}"
        return name

    def locate(self, url: str, document: Document, span: Span) -> Path:
        """The file of a url, relative to its document, then on the search path."""
        places = [self.folders.get(document.file), *self.search_path]
        is_outside = False
        for place in places:
            if place is None:
                continue
            try:
                path = (place / url).resolve()
                if not self.permits(url, path):
                    is_outside = True
                    continue
                if path.is_file():
                    return path
            except (OSError, ValueError, RuntimeError):
                continue
        if is_outside:
            message = f"'{url[:120]}' leaves the folder of the model and the search path"
            raise error("X044", message, span, hint="name its folder with -I if you trust it")
        message = f"there is no file '{url[:120]}'"
        raise error("X044", message, span, hint="add its folder with -I")

    def permits(self, url: str, path: Path) -> bool:
        """Below the document's folder, below two above it for model files, or on the search path."""
        roots = [folder.resolve() for folder in (self.root, *self.search_path) if folder]
        if any(path.is_relative_to(root) for root in roots):
            return True
        if self.root is None or Path(url).is_absolute() or path.suffix.lower() not in ENDINGS:
            return False
        parents = self.root.resolve().parents
        above = [parents[k] for k in (0, 1) if len(parents) > k + 1]
        return any(path.is_relative_to(folder) for folder in above)

    # --- components

    def resolved(self, reference: Reference) -> tuple[Properties, Thing, tuple[Document, ...]]:
        """A component with its prototypes' values under its own, its class, and their documents.

        Raises ModelError X045 (prototypes in a circle or too deep), X046 (not a component).
        """
        chain: list[tuple[Properties, Document]] = []
        seen: set[tuple[str, str]] = set()
        current = reference
        while True:
            thing, document = self.find(current)
            if not isinstance(thing, Properties):
                message = f"'{current.name}' is not a component"
                raise error("X046", message, current.span)
            key = (document.file, thing.name)
            if key in seen or len(chain) > MAX_PROTOTYPES:
                names = " -> ".join(item.name for item, _ in chain)
                raise error("X045", f"prototypes refer to each other: {names}", current.span)
            seen.add(key)
            chain.append((thing, document))
            if thing.definition is not None:
                break
            assert thing.prototype is not None
            current = thing.prototype
        definition, home = self.find(thing.definition)
        return chain[0][0], definition, (*(document for _, document in chain), home)

    def values(self, reference: Reference) -> tuple[Properties, ...]:
        """The component and its prototypes, nearest first."""
        found: list[Properties] = []
        current: Reference | None = reference
        while current is not None and len(found) <= MAX_PROTOTYPES:
            thing, _ = self.find(current)
            if not isinstance(thing, Properties):
                break
            found.append(thing)
            current = thing.prototype
        return tuple(found)


def load_documents(
    path: Path | None,
    data: bytes | None,
    search_path: Sequence[Path],
    log: Log,
    file: str,
    options: Options,
) -> Documents:
    """The main document; others are read when something refers to them."""
    documents = Documents(tuple(search_path), log, options)
    documents.load(path, data, file)
    return documents


__all__ = ["Documents", "load_documents"]
