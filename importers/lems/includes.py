"""Find and read included files: on the search path only, each once, never outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...canonical_model.diagnostics import Level, Log, Span, error, suggest
from ...lems_types.library_reader import standard_files
from ..xml import Budget, Element, read_xml, read_xml_file

MODEL_SUFFIXES = (".xml", ".nml", ".h5")
HDF5_SUFFIXES = (".h5", ".hdf5")
MAX_FILES = 5000
# each level costs two Python frames of the thousand that there are
MAX_NESTING = 320
HDF5_START = b"\x89HDF\r\n\x1a\n"


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
        if len(self.open) >= MAX_NESTING:
            raise error("L015", f"includes are nested more than {MAX_NESTING} deep", span)
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
        named = (self.root, folder, *self.search_path)
        places = list(dict.fromkeys(place for place in named if place is not None))
        outside = 0
        for place in places:
            try:
                path = (place / name).resolve()
                # asked first, so that a message never tells whether a file outside exists
                if not self.permits(name, path):
                    outside += 1
                    continue
                found = path.is_file()
            except (OSError, ValueError, RuntimeError):
                # a name that no file can have, or links that lead in a circle
                found = False
            if found:
                if name in standard_files():
                    message = f"'{name}' beside the model replaces NeuroML's own file of that name"
                    self.log.add("L011", Level.WARNING, message, span)
                return path
        if Path(name).name in standard_files():
            return None
        if outside:
            hint = "name its folder with -I if you trust it"
            message = f"'{name}' leaves the folder of the model and the search path"
            raise error("L012", message, span, hint=hint)
        raise self.missing(name, span, places)

    def permits(self, name: str, path: Path) -> bool:
        """Whether the file lies in the permitted folders.

        Two levels above the document's folder are permitted for model files only: published models
        keep sibling folders (`../channels/Na.nml`), and some two (`../../channels/Na.nml`).
        """
        if any(path.is_relative_to(root) for root in self.roots()):
            return True
        if self.root is None or Path(name).is_absolute():
            return False
        parents = self.root.resolve().parents
        # never the root of the file system
        above = [parents[k] for k in (0, 1) if len(parents) > k + 1]
        is_model = path.suffix.lower() in MODEL_SUFFIXES
        return is_model and any(path.is_relative_to(folder) for folder in above)

    def missing(self, name: str, span: Span, places: list[Path]) -> Exception:
        """An L010 error with the places searched and the nearest file name."""
        known = [*standard_files()]
        for place in places:
            try:
                folder = (place / name).resolve().parent
                if folder.is_dir() and any(folder.is_relative_to(r) for r in self.roots()):
                    known += [item.name for item in sorted(folder.iterdir())[:500]]
            except (OSError, ValueError, RuntimeError):
                continue
        hint = suggest(Path(name).name[:200], known) or "add its folder with -I"
        if places:
            hint += f" (looked in {', '.join(str(place) for place in places)})"
        message = f"the included file '{name[:200]}' does not exist"
        return error("L010", message, span, hint=hint)


def load_documents(
    path: Path | None, data: bytes | None, search_path: Sequence[Path], log: Log, file: str = ""
) -> Documents:
    """The main document (from `path`, or `data` named `file`) with its includes.

    Raises ModelError L001 to L015, L040.
    """
    if path is None and data is not None and data.startswith(HDF5_START):
        message = "HDF5 can be read from a file only, not from a stream"
        raise error("L040", message, Span(file or "<stdin>"), hint="give the name of the file")
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
