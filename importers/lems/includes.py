"""Find and read included files: on the search path only, each once, never outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...canonical_model.diagnostics import Level, Log, Span, error, suggest
from .library_reader import standard_files
from .xml import Budget, Element, read_xml, read_xml_file

MODEL_SUFFIXES = (".xml", ".nml", ".h5", ".hdf5", ".lems")
HDF5_SUFFIXES = (".h5", ".hdf5")
MAX_FILES = 5000


@dataclass(slots=True)
class Documents:
    """The main document and all that it includes: `all` has includes before those who include them."""

    main: Element
    all: list[Element] = field(default_factory=list)
    hdf5: list[Path] = field(default_factory=list)


@dataclass(slots=True)
class _Loading:
    root: Path | None
    search_path: tuple[Path, ...]
    log: Log
    documents: list[Element] = field(default_factory=list)
    hdf5: list[Path] = field(default_factory=list)
    done: set[Path] = field(default_factory=set)
    open: list[Path] = field(default_factory=list)
    budget: Budget = field(default_factory=Budget)

    def roots(self) -> list[Path]:
        """Folders that may be read: the document's and those that the user named."""
        own = [self.root] if self.root is not None else []
        return [folder.resolve() for folder in (*own, *self.search_path)]

    def load(self, element: Element, folder: Path | None) -> None:
        """Read what `element` includes, depth first, then keep the element itself."""
        for child in element.children:
            if child.tag not in ("Include", "include"):
                continue
            name = child.attributes.get("file") or child.attributes.get("href")
            attribute = "file" if "file" in child.attributes else "href"
            if not name:
                raise error("L112", f"<{child.tag}> lacks the attribute 'file'", child.span)
            self.include(name, child.attribute_span(attribute), folder)
        self.documents.append(element)

    def include(self, name: str, span: Span, folder: Path | None) -> None:
        """One include."""
        if "://" in name:
            message = f"'{name}' is on a network; only files are included"
            raise error("L014", message, span, hint="download it beside the model")
        path = self.find(name, span, folder)
        if path is None:
            return
        if path in self.open:
            chain = " -> ".join(item.name for item in (*self.open, path))
            raise error("L013", f"files include each other: {chain}", span)
        if path in self.done:
            return
        self.done.add(path)
        if len(self.done) > MAX_FILES:
            raise error("L015", f"more than {MAX_FILES} files are included", span)
        self.open.append(path)
        self.load(self.read(path), path.parent)
        self.open.pop()

    def read(self, path: Path) -> Element:
        """The root of an XML file, or of the XML text inside an HDF5 file."""
        if path.suffix.lower() not in HDF5_SUFFIXES:
            return read_xml_file(path, self.shown(path), self.budget)
        from .hdf5 import embedded_document

        self.hdf5.append(path)
        return embedded_document(path, self.shown(path), self.budget)

    def shown(self, path: Path) -> str:
        """The path as messages show it: relative to the main document where possible."""
        if self.root is not None and path.is_relative_to(self.root.resolve()):
            return str(path.relative_to(self.root.resolve()))
        return path.name

    def find(self, name: str, span: Span, folder: Path | None) -> Path | None:
        """The file that an include means; None for NeuroML's core files, which are built in."""
        places = [self.root, folder, *self.search_path]
        tried: list[str] = []
        for place in dict.fromkeys(p for p in places if p is not None):
            candidate = place / name
            if candidate.is_file():
                path = candidate.resolve()
                self.check(name, path, span)
                if name in standard_files():
                    message = f"'{name}' beside the model replaces NeuroML's own file of that name"
                    self.log.add("L011", Level.WARNING, message, span)
                return path
            tried.append(str(place))
        if Path(name).name in standard_files():
            return None
        raise self.missing(name, span, [p for p in places if p is not None])

    def check(self, name: str, path: Path, span: Span) -> None:
        """Raise L012 for files outside the permitted folders.

        One level above the document's folder is permitted for model files only: published models keep
        sibling folders (`../channels/Na.nml`), and some two (`../../channels/Na.nml`).
        """
        roots = self.roots()
        if any(path.is_relative_to(root) for root in roots):
            return
        above = [root.parents[k] for root in roots for k in (0, 1) if len(root.parents) > k + 1]
        is_relative = not Path(name).is_absolute()
        is_model = path.suffix.lower() in MODEL_SUFFIXES
        if is_relative and is_model and any(path.is_relative_to(folder) for folder in above):
            return
        hint = "name its folder with -I if you trust it"
        message = f"'{name}' leaves the folder of the model and the search path"
        raise error("L012", message, span, hint=hint)

    def missing(self, name: str, span: Span, places: list[Path]) -> Exception:
        """An L010 error with the nearest file name."""
        known = [*standard_files()]
        for place in places:
            folder = (place / name).parent
            if folder.is_dir() and any(folder.resolve().is_relative_to(r) for r in self.roots()):
                known += [item.name for item in sorted(folder.iterdir())[:500]]
        hint = suggest(Path(name).name, known) or "add its folder with -I"
        return error("L010", f"the included file '{name}' does not exist", span, hint=hint)


def load_documents(
    path: Path | None, data: bytes | None, search_path: Sequence[Path], log: Log, file: str = ""
) -> Documents:
    """The main document (from `path`, or `data` named `file`) with its includes.

    Raises ModelError L001 to L015.
    """
    root = path.parent if path is not None else None
    loading = _Loading(root, tuple(search_path), log)
    if path is not None:
        resolved = path.resolve()
        loading.done.add(resolved)
        loading.open.append(resolved)
    if path is not None and data is None:
        main = loading.read(path)
    else:
        name = path.name if path is not None else file or "<stdin>"
        main = read_xml(data or b"", name, loading.budget)
    loading.load(main, root)
    return Documents(main, loading.documents, loading.hdf5)
