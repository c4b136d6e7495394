"""Columns of bulk rows: cell references as integers, weights as floats, texts as codes."""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING

from ..canonical_model.diagnostics import ModelError, Span, error

if TYPE_CHECKING:
    from ..canonical_model.network import Floats, Ints

REFERENCES = frozenset({"preCellId", "postCellId", "preCell", "postCell", "target"})
FLOATS = frozenset({"weight", "location.x", "location.y", "location.z"})
QUANTITIES = frozenset({"delay"})
TEXTS = frozenset({"synapse", "preComponent", "postComponent", "destination"})
# what each means where a cell has one segment only
SEGMENTS = {
    "preSegmentId": 0.0, "postSegmentId": 0.0, "preSegment": 0.0, "postSegment": 0.0,
    "segmentId": 0.0, "preFractionAlong": 0.5, "postFractionAlong": 0.5, "fractionAlong": 0.5,
}  # fmt: skip
# names of rows say nothing (instances apart), nor do remarks
SILENT = frozenset({"id", "neuroLexId", "metaid", "i", "j", "k"})
REMARKS = frozenset({"notes", "annotation", "property"})
MAX_IGNORED = 64
FEW_ROWS = 16

_LISTED = re.compile(r"^(?:\.\./)*([^/\[\]\n]+)/([0-9]{1,18})(?:/[^/\n]*)?$", re.M)
_INDEXED = re.compile(r"^(?:\.\./)*([^/\[\]\n]+)\[([0-9]{1,18})\]$", re.M)
_PLAIN = re.compile(r"^()([0-9]{1,18})$", re.M)
_QUANTITY = re.compile(
    r"^[ \t]*([-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)[ \t]*([A-Za-z_]\w*)[ \t]*$",
    re.M,
)
_FORMS = (_LISTED, _INDEXED, _PLAIN)


@dataclass(slots=True)
class CellColumn:
    """Cell numbers (-1 absent) and the populations that were named, with the line of the first."""

    values: array[int] = field(default_factory=lambda: array("q"))
    populations: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class TextColumn:
    """Codes of texts: `index` maps a text to its code, `first` has each code's first line.

    Code 0 is the empty text, which stands for an absent one.
    """

    values: array[int] = field(default_factory=lambda: array("q"))
    index: dict[str, int] = field(default_factory=lambda: {"": 0})
    first: list[int] = field(default_factory=lambda: [0])


@dataclass(slots=True)
class Table:
    """Rows of one tag; every column has one entry per row.

    `numbers` are floats (NaN: absent). A quantity has its number there and its unit in `texts`, where a
    text that is not a number with a unit stands whole, with NaN as its number. `ignored` are unknown
    attributes, and children as `<tag>`; `segments` are attributes that only matter for cells with
    several segments; both with the first line.
    """

    file: str
    tag: str
    lines: array[int] = field(default_factory=lambda: array("L"))
    cells: dict[str, CellColumn] = field(default_factory=dict)
    numbers: dict[str, array[float]] = field(default_factory=dict)
    texts: dict[str, TextColumn] = field(default_factory=dict)
    ignored: dict[str, int] = field(default_factory=dict)
    segments: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.lines)

    def place(self, row: int) -> Span:
        """Where a row stands."""
        return Span(self.file, self.lines[row])

    def add(self, attributes: dict[str, str], line: int) -> None:
        """Append a row. Raises ModelError L033 for what is neither a reference nor a number."""
        flat = [part for item in attributes.items() for part in item]
        self.extend(list(attributes), flat, [line])

    def extend(self, names: Sequence[str], flat: Sequence[str], lines: Sequence[int]) -> None:
        """Append rows that all have the attributes `names`; `flat` is name, value, name, value, ...

        Raises ModelError L033 for what is neither a reference nor a number, L004 for junk columns.
        """
        step = 2 * len(names)
        for k, name in enumerate(names):
            values = flat[2 * k + 1 :: step]
            if name in REFERENCES:
                self._cells(name, values, lines)
            elif name in FLOATS:
                self._numbers(name, values, lines)
            elif name in TEXTS:
                self._texts(name, values, lines)
            elif name in QUANTITIES:
                self._quantities(name, values, lines)
            elif name in SEGMENTS:
                self._segments(name, values, lines)
            elif name == "id" and self.tag == "instance":
                self._ids(values, lines)
            elif name not in SILENT:
                self._ignore(name, lines[0])
        self.lines.extend(lines)
        self._fill()

    def _ignore(self, name: str, line: int) -> None:
        child, dot, _ = name.partition(".")
        if dot and child in REMARKS:
            return
        self.ignored.setdefault(f"<{child}>" if dot and child != "location" else name, line)
        if len(self.ignored) > MAX_IGNORED:
            message = f"rows of <{self.tag}> have more than {MAX_IGNORED} unknown attributes"
            raise error("L004", message, Span(self.file, line))

    def _cells(self, name: str, texts: Sequence[str], lines: Sequence[int]) -> None:
        """References in one of the three forms; where forms are mixed, parts are read alone."""
        column = self._column(name)
        joined = "\n".join(texts)
        if joined.count("\n") == len(texts) - 1:
            for form in _FORMS:
                found = form.findall(joined)
                if len(found) == len(texts):
                    named, cells = zip(*found, strict=True)
                    column.values.extend(map(int, cells))
                    for population in set(named) - column.populations.keys() - {""}:
                        column.populations[population] = lines[named.index(population)]
                    return
        if len(texts) > FEW_ROWS:
            middle = len(texts) // 2
            self._cells(name, texts[:middle], lines[:middle])
            self._cells(name, texts[middle:], lines[middle:])
            return
        for text, line in zip(texts, lines, strict=True):
            reference = parse_reference(text)
            if reference is None:
                raise self.fault(f"'{text[:80]}' is not a reference to a cell", line)
            column.values.append(reference[1])
            if reference[0]:
                column.populations.setdefault(reference[0], line)

    def _column(self, name: str) -> CellColumn:
        column = self.cells.setdefault(name, CellColumn())
        if len(column.values) < len(self):
            column.values.extend([-1] * (len(self) - len(column.values)))
        return column

    def _ids(self, texts: Sequence[str], lines: Sequence[int]) -> None:
        column = self._column("id")
        for text, line in zip(texts, lines, strict=True):
            if not _PLAIN.fullmatch(text):
                hint = "number the cells 0, 1, 2, ..."
                message = f"the instance id '{text[:80]}' is not a cell number"
                raise error("L033", message, Span(self.file, line), hint=hint)
            column.values.append(int(text))

    def _numbers(self, name: str, texts: Sequence[str], lines: Sequence[int]) -> None:
        column = self.numbers.setdefault(name, array("d"))
        column.extend([float("nan")] * (len(self) - len(column)))
        try:
            values = array("d", map(float, texts))
        except ValueError:
            values = array("d")
        if len(values) != len(texts) or not all(map(isfinite, values)):
            row = next(k for k, text in enumerate(texts) if not _is_finite(text))
            place = Span(self.file, lines[row])
            message = f"<{self.tag}>: {name}='{texts[row][:80]}' is not a number"
            raise error("L033", message, place)
        column.extend(values)

    def _texts(self, name: str, texts: Sequence[str], lines: Sequence[int]) -> None:
        column = self.texts.setdefault(name, TextColumn())
        column.values.extend([0] * (len(self) - len(column.values)))
        index = column.index
        new = set(texts) - index.keys()
        if new:
            for text, line in zip(texts, lines, strict=True):
                if text in new:
                    new.discard(text)
                    index[text] = len(index)
                    column.first.append(line)
        column.values.extend(map(index.__getitem__, texts))

    def _quantities(self, name: str, texts: Sequence[str], lines: Sequence[int]) -> None:
        """Numbers apart from their units, so that a million different texts are not kept."""
        joined = "\n".join(texts)
        found = _QUANTITY.findall(joined)
        if len(found) != len(texts) or joined.count("\n") != len(texts) - 1:
            found = []
            for text in texts:
                match = _QUANTITY.fullmatch(text)
                found.append(match.groups() if match else ("nan", text))
        values, units = zip(*found, strict=True)
        self._texts(name, units, lines)
        column = self.numbers.setdefault(name, array("d"))
        column.extend([float("nan")] * (len(self) - len(column)))
        column.extend(map(float, values))

    def _segments(self, name: str, texts: Sequence[str], lines: Sequence[int]) -> None:
        if name in self.segments:
            return
        usual = SEGMENTS[name]
        odd = {text for text in set(texts) if text and not _is_number(text, usual)}
        if odd:
            self.segments[name] = next(lines[k] for k, text in enumerate(texts) if text in odd)

    def _fill(self) -> None:
        """Where rows lacked columns: put the absent value there."""
        count = len(self)
        for cells in self.cells.values():
            if len(cells.values) < count:
                cells.values.extend([-1] * (count - len(cells.values)))
        for numbers in self.numbers.values():
            if len(numbers) < count:
                numbers.extend([float("nan")] * (count - len(numbers)))
        for texts in self.texts.values():
            if len(texts.values) < count:
                texts.values.extend([0] * (count - len(texts.values)))

    def fault(self, message: str, line: int) -> ModelError:
        """An L033 error at a row."""
        hint = "write ../population/0/component or ../population[0]"
        return error("L033", f"<{self.tag}>: {message}", Span(self.file, line), hint=hint)

    def index(self, name: str) -> Ints:
        """A column of cell indices. Raises ModelError L112 if a row lacks it."""
        import numpy as np

        column = self.cells.get(name)
        values = np.array(column.values if column else [-1] * len(self), dtype=np.int64)
        missing = np.flatnonzero(values < 0)
        if len(missing):
            message = f"<{self.tag}> lacks the attribute '{name}'"
            raise error("L112", message, self.place(int(missing[0])))
        return values

    def floats(self, name: str, default: float) -> Floats | None:
        """A column of numbers with absent ones replaced; None if no row has it."""
        import numpy as np

        column = self.numbers.get(name)
        if column is None:
            return None
        values = np.array(column, dtype=float)
        return np.where(np.isnan(values), default, values)

    def codes(self, name: str) -> tuple[Ints, list[str]]:
        """A column of texts as codes, and the text of each code; 0 is the absent text."""
        import numpy as np

        column = self.texts.get(name)
        if column is None:
            return np.zeros(len(self), dtype=np.int64), [""]
        return np.array(column.values, dtype=np.int64), list(column.index)


def parse_reference(text: str) -> tuple[str, int] | None:
    """Population and number of `../pop/3/cell`, `pop[3]` or `3` (no population); None for others."""
    match = next((found for form in _FORMS if (found := form.fullmatch(text))), None)
    return (match[1], int(match[2])) if match else None


def _is_finite(text: str) -> bool:
    try:
        return isfinite(float(text))
    except ValueError:
        return False


def _is_number(text: str, value: float) -> bool:
    try:
        return float(text) == value
    except ValueError:
        return False
