"""NeuroML2's standard types, dimensions and units, read from `library/*.types` when asked for.

One pass of a regular expression finds where each type stands; its lines are read on first use only.
`library/README.md` describes the notation. A fault in a library text is a `ModelError` of code L190.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType

from ..canonical_model.diagnostics import Span
from ..canonical_model.units import Dimension, Unit
from . import syntax
from .library_notation import fault, read_type, read_units

LIBRARY = Path(__file__).parent / "library"
UNITS_FILE = "units.types"

_HEAD = re.compile(r"^(type|file|dimension) ((?:.*\\\n)*.*)$", re.MULTILINE)
_TYPE = re.compile(r"((?:\w+, +)*\w+)(?: < (\w+))?")


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Where a type stands: `text[start:end]` are the lines below its head."""

    file: str
    text: str
    head: int
    start: int
    end: int
    extends: str


@dataclass(frozen=True, slots=True)
class _Index:
    """Types by name; for each core file what it includes and the types it defines itself."""

    types: dict[str, _Chunk] = field(default_factory=dict)
    includes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    defines: dict[str, list[str]] = field(default_factory=dict)


@cache
def standard_type(name: str) -> syntax.ComponentType | None:
    """NeuroML2's standard type of that name as its definition stands (bases not merged), or None."""
    chunk = _library().types.get(name)
    return None if chunk is None else _read(name, chunk)


@cache
def standard_type_names() -> tuple[str, ...]:
    """The names of all standard types, in the order of the library's files."""
    return tuple(_library().types)


@cache
def standard_dimensions() -> Mapping[str, Dimension]:
    """NeuroML2's dimensions by name."""
    return MappingProxyType(read_units(_text(UNITS_FILE), UNITS_FILE)[0])


@cache
def standard_units() -> Mapping[str, Unit]:
    """NeuroML2's units by symbol."""
    return MappingProxyType(read_units(_text(UNITS_FILE), UNITS_FILE)[1])


@cache
def standard_files() -> Mapping[str, tuple[str, ...]]:
    """For each of NeuroML2's core files (`Cells.xml`) the types that including it brings in."""
    index = _library()
    return MappingProxyType({name: tuple(_provided(index, name)) for name in index.includes})


def read_types(text: str, file: str = "") -> tuple[syntax.ComponentType, ...]:
    """All types of a text in the library's notation. Raises ModelError (L190)."""
    index = _Index()
    _scan(text, file, index)
    return tuple(_read(name, chunk) for name, chunk in index.types.items())


def _provided(index: _Index, name: str) -> dict[str, None]:
    found: dict[str, None] = {}
    for included in index.includes[name]:
        found.update(_provided(index, included))
    return found | dict.fromkeys(index.defines[name])


def _text(file: str) -> str:
    return (LIBRARY / file).read_text(encoding="utf-8")


@cache
def _library() -> _Index:
    index = _Index()
    for path in sorted(LIBRARY.glob("*.types")):
        _scan(path.read_text(encoding="utf-8"), path.name, index)
    return index


def _scan(text: str, file: str, index: _Index) -> None:
    """Add the heads of `text` to the index."""
    heads = list(_HEAD.finditer(text))
    ends = [match.start() for match in heads[1:]] + [len(text)]
    core = ""
    _expect_no_lines(text[: heads[0].start() if heads else None], file, 1)
    for match, end in zip(heads, ends, strict=True):
        words = match[2].replace("\\\n", " ").partition("#")[0].rstrip()
        if match[1] == "file":
            core, *rest = words.split()
            if core not in index.includes or rest:
                index.includes[core] = tuple(rest[1:])
            index.defines.setdefault(core, [])
            _expect_no_lines(text[match.end() : end], file, text.count("\n", 0, match.end()) + 1)
            continue
        if match[1] == "dimension":
            continue
        head = _TYPE.fullmatch(words)
        if not head:
            message = f"'type {words}' is not of the form 'type a, b < base'"
            raise fault(message, Span(file, text.count("\n", 0, match.start()) + 1))
        chunk = _Chunk(file, text, match.start(), match.end(), end, head[2] or "")
        for name in re.split(r",\s+", head[1]):
            if name in index.types:
                line = text.count("\n", 0, match.start()) + 1
                raise fault(f"the type '{name}' is defined twice", Span(file, line))
            index.types[name] = chunk
            if core:
                index.defines[core].append(name)


def _expect_no_lines(text: str, file: str, first: int) -> None:
    """Outside types there are only comments."""
    for number, line in enumerate(text.split("\n"), first):
        if line and not line.isspace() and not line.lstrip().startswith("#"):
            message = "a line outside of any type"
            raise fault(message, Span(file, number), line.strip())


def _read(name: str, chunk: _Chunk) -> syntax.ComponentType:
    text = chunk.text
    head = Span(chunk.file, text.count("\n", 0, chunk.head) + 1)
    first = text.count("\n", 0, chunk.start) + 1
    return read_type(name, chunk.extends, text[chunk.start : chunk.end], head, first)
