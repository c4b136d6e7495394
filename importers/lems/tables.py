"""Columns of bulk rows: cell references as integers, weights as floats, repeated texts shared."""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...canonical_model.diagnostics import ModelError, Span, error

if TYPE_CHECKING:
    from ...canonical_model.network import Floats, Ints

REFERENCES = frozenset({"preCellId", "postCellId", "preCell", "postCell", "target"})
FLOATS = frozenset({"weight", "location.x", "location.y", "location.z"})
# names of rows say nothing, except for instances, whose ids are the cells' indices
NAMES = frozenset({"id", "neuroLexId", "metaid"})

_REFERENCE = re.compile(r"(?:\.\./)*([^/\[\]]+)(?:/(\d+)(?:/[^/]*)?|\[(\d+)\])$")


@dataclass(slots=True)
class Table:
    """Rows of one tag; every column has one entry per row.

    `cells[name]` are cell indices, `populations[name]` the populations that the references named (with
    the line of the first); `numbers[name]` are floats (NaN: absent), `texts[name]` strings ("" absent).
    """

    file: str
    tag: str
    lines: array[int] = field(default_factory=lambda: array("I"))
    cells: dict[str, array[int]] = field(default_factory=dict)
    populations: dict[str, dict[str, int]] = field(default_factory=dict)
    numbers: dict[str, array[float]] = field(default_factory=dict)
    texts: dict[str, list[str]] = field(default_factory=dict)
    _shared: dict[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.lines)

    def add(self, attributes: dict[str, str], line: int) -> None:
        """Append a row. Raises ModelError L033 for what is neither a reference nor a number."""
        count = len(self.lines)
        filled = 0
        for name, text in attributes.items():
            if name in REFERENCES:
                self._cell(name, text, line, count)
            elif name in FLOATS:
                self._number(name, text, line, count)
            elif name in NAMES and self.tag != "instance":
                continue
            else:
                column = self.texts.get(name)
                if column is None:
                    column = self.texts[name] = [""] * count
                column.append(self._shared.setdefault(text, text))
            filled += 1
        self.lines.append(line)
        if filled != len(self.cells) + len(self.numbers) + len(self.texts):
            self._fill(count + 1)

    def _cell(self, name: str, text: str, line: int, count: int) -> None:
        column = self.cells.get(name)
        if column is None:
            column = self.cells[name] = array("q", [-1]) * count
            self.populations[name] = {}
        match = _REFERENCE.match(text)
        if match:
            population, listed, indexed = match.groups()
            column.append(int(listed or indexed))
            seen = self.populations[name]
            if population not in seen:
                seen[population] = line
        elif text.isdigit() and len(text) < 19:
            column.append(int(text))
        else:
            raise self.fault(f"'{text}' is not a reference to a cell", line)

    def _number(self, name: str, text: str, line: int, count: int) -> None:
        column = self.numbers.get(name)
        if column is None:
            column = self.numbers[name] = array("d", [float("nan")]) * count
        try:
            column.append(float(text))
        except ValueError:
            raise self.fault(f"{name}='{text}' is not a number", line) from None

    def _fill(self, count: int) -> None:
        """A row lacked some columns: put the absent value there."""
        for cells in self.cells.values():
            if len(cells) < count:
                cells.append(-1)
        for numbers in self.numbers.values():
            if len(numbers) < count:
                numbers.append(float("nan"))
        for texts in self.texts.values():
            if len(texts) < count:
                texts.append("")

    def fault(self, message: str, line: int) -> ModelError:
        """An L033 error at a row."""
        hint = "write ../population/0/component or ../population[0]"
        return error("L033", f"<{self.tag}>: {message}", Span(self.file, line), hint=hint)

    def index(self, name: str) -> Ints:
        """A column of cell indices. Raises ModelError L112 if a row lacks it."""
        import numpy as np

        column = self.cells.get(name)
        values = np.frombuffer(column, dtype=np.int64) if column else np.zeros(0, dtype=np.int64)
        if len(values) != len(self):
            values = np.full(len(self), -1)
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
