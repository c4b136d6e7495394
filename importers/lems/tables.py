"""Columns of bulk rows: cell references as integers, weights as floats, repeated texts shared."""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING

from ...canonical_model.diagnostics import ModelError, Span, error

if TYPE_CHECKING:
    from ...canonical_model.network import Floats, Ints

REFERENCES = frozenset({"preCellId", "postCellId", "preCell", "postCell", "target"})
FLOATS = frozenset({"weight", "location.x", "location.y", "location.z"})
QUANTITIES = frozenset({"delay"})
# names of rows say nothing (instances apart), and a point cell has no segments to be along
IGNORED = frozenset({
    "id", "neuroLexId", "metaid", "preFractionAlong", "postFractionAlong", "fractionAlong",
})  # fmt: skip
MAX_COLUMNS = 64
FEW_ROWS = 16

_LISTED = re.compile(r"^(?:\.\./)*([^/\[\]\n]+)/([0-9]{1,18})(?:/[^/\n]*)?$", re.M)
_INDEXED = re.compile(r"^(?:\.\./)*([^/\[\]\n]+)\[([0-9]{1,18})\]$", re.M)
_PLAIN = re.compile(r"^()([0-9]{1,18})$", re.M)
_QUANTITY = re.compile(
    r"^[ \t]*([-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)[ \t]*([A-Za-z_]\w*)?[ \t]*$",
    re.M,
)


@dataclass(slots=True)
class Quantities:
    """Magnitudes with the index of each one's unit in `units`; a text that is no quantity is kept
    whole in `units`, with NaN as its magnitude."""

    values: array[float] = field(default_factory=lambda: array("d"))
    codes: array[int] = field(default_factory=lambda: array("L"))
    units: dict[str, int] = field(default_factory=dict)

    def fill(self, count: int) -> None:
        """Absent values up to `count`: code 0 is the empty text."""
        missing = count - len(self.values)
        if missing > 0:
            self.units.setdefault("", len(self.units))
            self.values.extend([0.0] * missing)
            self.codes.extend([self.units[""]] * missing)


@dataclass(slots=True)
class Table:
    """Rows of one tag; every column has one entry per row.

    `cells[name]` are cell indices, `populations[name]` the populations that the references named (with
    the line of the first); `numbers[name]` are floats (NaN: absent), `quantities[name]` magnitudes with
    units, `texts[name]` strings ("" absent).
    """

    file: str
    tag: str
    lines: array[int] = field(default_factory=lambda: array("L"))
    cells: dict[str, array[int]] = field(default_factory=dict)
    populations: dict[str, dict[str, int]] = field(default_factory=dict)
    numbers: dict[str, array[float]] = field(default_factory=dict)
    quantities: dict[str, Quantities] = field(default_factory=dict)
    texts: dict[str, list[str]] = field(default_factory=dict)
    _shared: dict[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.lines)

    def add(self, attributes: dict[str, str], line: int) -> None:
        """Append a row. Raises ModelError L033 for what is neither a reference nor a number."""
        flat = [part for item in attributes.items() for part in item]
        self.extend(list(attributes), flat, [line])

    def extend(self, names: Sequence[str], flat: Sequence[str], lines: Sequence[int]) -> None:
        """Append rows that all have the attributes `names`; `flat` is name, value, name, value, ...

        Raises ModelError L033 for what is neither a reference nor a number, L004 for too many columns.
        """
        step = 2 * len(names)
        for k, name in enumerate(names):
            values = flat[2 * k + 1 :: step]
            if name in REFERENCES:
                self._cells(name, values, lines)
            elif name == "id" and self.tag == "instance":
                self._ids(values, lines)
            elif name in FLOATS:
                self._numbers(name, values, lines)
            elif name in QUANTITIES:
                self._quantities(name, values)
            elif name not in IGNORED:
                column = self.texts.setdefault(name, [])
                if len(column) < len(self):
                    column.extend([""] * (len(self) - len(column)))
                column.extend(map(self._shared.setdefault, values, values))
        self.lines.extend(lines)
        if len(self.texts) > MAX_COLUMNS:
            message = f"rows of <{self.tag}> have more than {MAX_COLUMNS} different attributes"
            raise error("L004", message, Span(self.file, lines[0]))
        self._fill()

    def _cells(self, name: str, texts: Sequence[str], lines: Sequence[int]) -> None:
        column = self.cells.setdefault(name, array("q"))
        seen = self.populations.setdefault(name, {})
        column.extend([-1] * (len(self) - len(column)))
        joined = "\n".join(texts)
        if joined.count("\n") == len(texts) - 1:
            for form in (_LISTED, _INDEXED, _PLAIN):
                found = form.findall(joined)
                if len(found) == len(texts):
                    named, cells = zip(*found, strict=True)
                    column.extend(map(int, cells))
                    for population in set(named) - seen.keys() - {""}:
                        seen[population] = lines[named.index(population)]
                    return
        if len(texts) == 1:
            raise self.fault(f"'{texts[0]}' is not a reference to a cell", lines[0])
        # rows of several forms, or a wrong one: halve until each part is of one form
        middle = len(texts) // 2
        for part in (slice(0, middle), slice(middle, None)):
            self._append_cells(name, texts[part], lines[part])

    def _append_cells(self, name: str, texts: Sequence[str], lines: Sequence[int]) -> None:
        """As `_cells`, but row by row where few are left."""
        if len(texts) > FEW_ROWS:
            self._cells(name, texts, lines)
            return
        for text, line in zip(texts, lines, strict=True):
            forms = (_LISTED, _INDEXED, _PLAIN)
            match = next((m for form in forms if (m := form.fullmatch(text))), None)
            if match is None:
                raise self.fault(f"'{text}' is not a reference to a cell", line)
            self.cells[name].append(int(match[2]))
            if match[1]:
                self.populations[name].setdefault(match[1], line)

    def _ids(self, texts: Sequence[str], lines: Sequence[int]) -> None:
        column = self.cells.setdefault("id", array("q"))
        column.extend([-1] * (len(self) - len(column)))
        for text, line in zip(texts, lines, strict=True):
            if not _PLAIN.fullmatch(text):
                hint = "number the cells 0, 1, 2, ..."
                message = f"the instance id '{text}' is not a cell number"
                raise error("L033", message, Span(self.file, line), hint=hint)
            column.append(int(text))

    def _numbers(self, name: str, texts: Sequence[str], lines: Sequence[int]) -> None:
        column = self.numbers.setdefault(name, array("d"))
        column.extend([float("nan")] * (len(self) - len(column)))
        try:
            values = array("d", map(float, texts))
            if all(map(isfinite, values)):
                column.extend(values)
                return
        except ValueError:
            pass
        for text, line in zip(texts, lines, strict=True):
            if not _is_finite(text):
                place = Span(self.file, line)
                raise error("L123", f"<{self.tag}>: {name}='{text}' is not a number", place)

    def _quantities(self, name: str, texts: Sequence[str]) -> None:
        column = self.quantities.setdefault(name, Quantities())
        column.fill(len(self))
        joined = "\n".join(texts)
        found = _QUANTITY.findall(joined)
        if len(found) != len(texts) or joined.count("\n") != len(texts) - 1:
            matches = map(_QUANTITY.fullmatch, texts)
            found = [
                match.groups("") if match else ("nan", text)
                for match, text in zip(matches, texts, strict=True)
            ]
        values, units = zip(*found, strict=True)
        for unit in dict.fromkeys(units):
            column.units.setdefault(unit, len(column.units))
        column.values.extend(map(float, values))
        column.codes.extend(map(column.units.__getitem__, units))

    def _fill(self) -> None:
        """Where rows lacked columns: put the absent value there."""
        count = len(self)
        for cells in self.cells.values():
            if len(cells) < count:
                cells.extend([-1] * (count - len(cells)))
        for numbers in self.numbers.values():
            if len(numbers) < count:
                numbers.extend([float("nan")] * (count - len(numbers)))
        for quantities in self.quantities.values():
            quantities.fill(count)
        for texts in self.texts.values():
            if len(texts) < count:
                texts.extend([""] * (count - len(texts)))

    def fault(self, message: str, line: int) -> ModelError:
        """An L033 error at a row."""
        hint = "write ../population/0/component or ../population[0]"
        return error("L033", f"<{self.tag}>: {message}", Span(self.file, line), hint=hint)

    def index(self, name: str) -> Ints:
        """A column of cell indices. Raises ModelError L112 if a row lacks it."""
        import numpy as np

        column = self.cells.get(name)
        values = np.array(column if column else [-1] * len(self), dtype=np.int64)
        missing = np.flatnonzero(values < 0)
        if len(missing):
            place = Span(self.file, self.lines[int(missing[0])])
            raise error("L112", f"<{self.tag}> lacks the attribute '{name}'", place)
        return values

    def floats(self, name: str, default: float) -> Floats | None:
        """A column of numbers with absent ones replaced; None if no row has it."""
        import numpy as np

        column = self.numbers.get(name)
        if column is None:
            return None
        values = np.array(column, dtype=float)
        return np.where(np.isnan(values), default, values)


def _is_finite(text: str) -> bool:
    try:
        return isfinite(float(text))
    except ValueError:
        return False
