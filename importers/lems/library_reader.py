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

from ...canonical_model.diagnostics import ModelError, Span, error
from ...canonical_model.expr import Expr
from ...canonical_model.units import Dimension, Unit
from . import syntax

LIBRARY = Path(__file__).parent / "library"
UNITS_FILE = "units.types"

_HEAD = re.compile(r"^(type|file) ((?:.*\\\n)*.*)$", re.MULTILINE)
_TYPE = re.compile(r"((?:\w+, +)*\w+)(?: < (\w+))?")
_DERIVATIVE = re.compile(r"(\w+)' = (.+)")
_HANDLER = re.compile(r"(?:(start|enter)|(on|when) ([^:]+)):\s*(.*)")
_DERIVED = re.compile(r"(\w+)(?:: (\S+))?(?: (=|from) (.+))?")
_SELECT = re.compile(r"(optional )?(?:(sum|product) )?(\S+)")
_DIMENSION = re.compile(r"dimension (\w+):((?: [mltiknj]-?\d*)+)")
_UNIT = re.compile(r"(\w+) = (\S+?)(?: offset (\S+))?")

# keyword -> LEMS element; what follows the colon is a dimension, a type, or nothing
_OF_DIMENSION = {
    "parameter": "Parameter", "property": "Property", "constant": "Constant",
    "requires": "Requirement", "exposes": "Exposure",
}  # fmt: skip
_OF_TYPE = {
    "child": "Child", "children": "Children", "link": "Link", "reference": "ComponentReference",
    "attachments": "Attachments", "instance": "InstanceRequirement",
}  # fmt: skip
_BARE = {
    "text": "Text", "path": "Path", "index": "IndexParameter", "component": "ComponentRequirement",
    "receives": "EventPort", "sends": "EventPort", "fixed": "Fixed",
}  # fmt: skip
_DIRECTIONS = {"receives": "in", "sends": "out"}
_HANDLER_KINDS = {
    "start": "OnStart", "enter": "OnEntry", "on": "OnEvent", "when": "OnCondition",
}  # fmt: skip
_REDUCE = {"sum": "add", "product": "multiply"}
_SCHEME_FIELDS = {
    "nodes": "nodes", "edges": "edges", "stateVariable": "state_variable",
    "edgeSource": "edge_source", "edgeTarget": "edge_target",
    "forwardRate": "forward_rate", "reverseRate": "reverse_rate",
}  # fmt: skip
_KEYWORDS = (
    *_OF_DIMENSION, *_OF_TYPE, *_BARE, *_HANDLER_KINDS, "public", "state", "derived", "regime",
    "scheme", "structure", "simulation", "dynamics",
)  # fmt: skip


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


@dataclass(frozen=True, slots=True)
class _Line:
    """One line without comment and indent, and the lines nested below it."""

    text: str
    span: Span
    children: list[_Line] = field(default_factory=list)


@dataclass(slots=True)
class _Body:
    """What the lines of a type or regime have said so far."""

    members: list[syntax.Member] = field(default_factory=list)
    states: list[syntax.StateVariable] = field(default_factory=list)
    derived: list[syntax.DerivedVariable] = field(default_factory=list)
    derivatives: list[tuple[str, Expr]] = field(default_factory=list)
    handlers: list[syntax.Handler] = field(default_factory=list)
    regimes: list[syntax.Regime] = field(default_factory=list)
    schemes: list[syntax.KineticScheme] = field(default_factory=list)
    structure: tuple[syntax.Build, ...] = ()
    simulation: tuple[syntax.Build, ...] = ()
    has_dynamics: bool = False


@cache
def standard_type(name: str) -> syntax.ComponentType | None:
    """NeuroML2's standard type of that name as its definition stands (bases not merged), or None."""
    chunk = _library().types.get(name)
    return None if chunk is None else _read_type(name, chunk)


@cache
def standard_type_names() -> tuple[str, ...]:
    """The names of all standard types, in the order of the library's files."""
    return tuple(_library().types)


@cache
def standard_dimensions() -> Mapping[str, Dimension]:
    """NeuroML2's dimensions by name."""
    return MappingProxyType(_read_units(_text(UNITS_FILE), UNITS_FILE)[0])


@cache
def standard_units() -> Mapping[str, Unit]:
    """NeuroML2's units by symbol."""
    return MappingProxyType(_read_units(_text(UNITS_FILE), UNITS_FILE)[1])


@cache
def standard_files() -> Mapping[str, tuple[str, ...]]:
    """For each of NeuroML2's core files (`Cells.xml`) the types that including it brings in."""
    index = _library()
    return MappingProxyType({name: tuple(_provided(index, name)) for name in index.includes})


def read_types(text: str, file: str = "") -> tuple[syntax.ComponentType, ...]:
    """All types of a text in the library's notation. Raises ModelError (L190)."""
    index = _Index()
    _scan(text, file, index)
    return tuple(_read_type(name, chunk) for name, chunk in index.types.items())


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
    for match, end in zip(heads, ends, strict=True):
        words = match[2].replace("\\\n", " ").partition("#")[0].rstrip()
        if match[1] == "file":
            core, *rest = words.split()
            if core not in index.includes or rest:
                index.includes[core] = tuple(rest[1:])
            index.defines.setdefault(core, [])
            continue
        head = _TYPE.fullmatch(words)
        if not head:
            message = f"'type {words}' is not of the form 'type a, b < base'"
            raise _fault(message, Span(file, text.count("\n", 0, match.start()) + 1))
        chunk = _Chunk(file, text, match.start(), match.end(), end, head[2] or "")
        for name in re.split(r",\s+", head[1]):
            if name in index.types:
                line = text.count("\n", 0, match.start()) + 1
                raise _fault(f"the type '{name}' is defined twice", Span(file, line))
            index.types[name] = chunk
            if core:
                index.defines[core].append(name)


def _fault(message: str, span: Span, text: str = "", hint: str = "") -> ModelError:
    return error("L190", message, span, text, hint)


def _read_type(name: str, chunk: _Chunk) -> syntax.ComponentType:
    first = chunk.text.count("\n", 0, chunk.start) + 1
    body = _Body()
    for line in _tree(chunk.text[chunk.start : chunk.end], chunk.file, first):
        _statement(line, body, in_regime=False)
    return syntax.ComponentType(
        name=name,
        extends=chunk.extends,
        members=tuple(body.members),
        dynamics=_dynamics(body),
        structure=body.structure,
        simulation=body.simulation,
        is_standard=True,
        span=Span(chunk.file, chunk.text.count("\n", 0, chunk.head) + 1),
    )


def _dynamics(body: _Body) -> syntax.Dynamics | None:
    if not body.has_dynamics:
        return None
    return syntax.Dynamics(
        state_variables=tuple(body.states),
        derived_variables=tuple(body.derived),
        derivatives=tuple(body.derivatives),
        handlers=tuple(body.handlers),
        regimes=tuple(body.regimes),
        schemes=tuple(body.schemes),
    )


def _tree(text: str, file: str, first: int) -> list[_Line]:
    """Lines nested by indent; comments dropped, lines that end in a backslash joined."""
    roots: list[_Line] = []
    levels: list[tuple[int, list[_Line]]] = [(-1, roots)]
    lines = enumerate(text.split("\n"), first)
    for number, raw in lines:
        if "#" in raw:
            raw = raw.partition("#")[0]
        content = raw.strip()
        if not content:
            continue
        indent = raw.index(content[0])
        while content.endswith("\\"):
            content = f"{content[:-1].rstrip()} {next(lines, (0, ''))[1].strip()}"
        line = _Line(content, Span(file, number))
        while indent < levels[-1][0]:
            levels.pop()
        if indent == levels[-1][0]:
            levels.pop()
        elif levels[-1][1] is not roots or (roots and indent > 0):
            pass
        siblings = levels[-1][1]
        siblings.append(line)
        levels.append((indent, line.children))
    return roots
