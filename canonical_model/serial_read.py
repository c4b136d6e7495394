"""JSON data to model, guided by the data classes' own types; nothing in the text is trusted."""

from __future__ import annotations

import base64
import binascii
import math
import re
import typing
from collections.abc import Callable
from dataclasses import MISSING, replace
from typing import TYPE_CHECKING, NoReturn, TypeVar

from .diagnostics import ModelError, Span, error, suggest
from .expr_parse import parse_expr, parse_number
from .serial_write import (
    FLOATS,
    INTS,
    MAX_DEPTH,
    STATEMENTS,
    is_expression,
    is_statement,
    schema,
    without_none,
)
from .units import DIMENSION_NAMES, PURE, Dimension, Quantity

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_DIMENSIONS = {name: dimension for dimension, name in DIMENSION_NAMES.items()}
_NOT_FINITE = ("inf", "-inf", "nan")
_INT64 = 2**63
_SMALL = range(-99, 100)
T = TypeVar("T")


class Reader:
    """Reads one document; every failure is a ModelError that names the path of the field."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.span: Span | None = None
        self.depth = 0

    def fail(self, message: str, path: str, hint: str = "") -> NoReturn:
        """Raise M103 for the field at `path`."""
        raise error("M103", f"{path}: {message}", Span(self.file), hint=hint)

    def read(self, value: object, hint: object, path: str) -> object:
        """A value of the declared type `hint`, one level of JSON deeper."""
        self.depth += 1
        if self.depth > MAX_DEPTH + 1:  # the writer counts from 0
            raise error("M104", f"more than {MAX_DEPTH} levels of nesting", Span(self.file))
        found = self._read(value, hint, path)
        self.depth -= 1
        return found

    def _read(self, value: object, hint: object, path: str) -> object:
        hint, optional = without_none(hint)
        if value is None and optional:
            return None
        if is_expression(hint):
            return self.text(value, path, parse_expr)
        if is_statement(hint):
            return self.statement(value, path)
        if hint is FLOATS or hint is INTS:
            return self.array(value, hint, path)
        if hint is float or hint is int:
            return self.number(value, hint is int, path)
        if hint is str or hint is bool:
            if isinstance(value, bool if hint is bool else str):
                return value
            self.fail("true or false is expected" if hint is bool else "text is expected", path)
        if hint is Quantity:
            number = self.text(value, path, parse_number)
            return Quantity(number.value, number.unit or PURE)
        if hint is Dimension:
            return self.dimension(value, path)
        if hint is Span:
            return self.place(value, path)
        if typing.get_origin(hint) is tuple:
            return self.items(value, typing.get_args(hint), path)
        if typing.get_origin(hint) is not None:
            return self.mapping(value, typing.get_args(hint)[1], path)
        return self.record(value, typing.cast(type, hint), path)

    def text(self, value: object, path: str, parse: Callable[[str, Span | None], T]) -> T:
        """An expression or number in canonical notation; its nodes stand where their holder does."""
        if not isinstance(value, str):
            self.fail("an expression in quotation marks is expected", path)
        try:
            return parse(value, self.span)
        except ModelError as problem:
            issues = (
                replace(issue, message=f"{path}: {issue.message}", span=Span(self.file))
                for issue in problem.issues
            )
            raise ModelError(issues) from None

    def number(self, value: object, whole: bool, path: str) -> float | int:
        """A JSON number; infinities and NaN are text."""
        if isinstance(value, str) and value in _NOT_FINITE and not whole:
            return float(value)
        if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
            self.fail(f"a {'whole ' if whole else ''}number is expected", path)
        if abs(value) >= _INT64 and isinstance(value, int):
            self.fail("the number is too large", path)
        return value if whole else float(value)

    def dimension(self, value: object, path: str) -> Dimension:
        """A dimension by name or as seven exponents."""
        if isinstance(value, list) and len(value) == 7:
            exponents = [self.number(e, False, f"{path}[{i}]") for i, e in enumerate(value)]
            return Dimension(*(int(e) if e in _SMALL else e for e in exponents))
        known = _DIMENSIONS.get(value) if isinstance(value, str) else None
        if known is None:
            hint = suggest(value, _DIMENSIONS) if isinstance(value, str) else ""
            self.fail("a dimension's name or seven exponents are expected", path, hint)
        return known

    def place(self, value: object, path: str) -> Span:
        """`file:line:column`."""
        parts = value.rsplit(":", 2) if isinstance(value, str) else []
        if len(parts) != 3 or not all(re.fullmatch("[0-9]{1,9}", part) for part in parts[1:]):
            self.fail("a place is written 'file:line:column'", path)
        return Span(parts[0], int(parts[1]), int(parts[2]))

    def items(self, value: object, kinds: tuple[object, ...], path: str) -> tuple[object, ...]:
        """A list whose items have one type, or as many as there are types."""
        if not isinstance(value, list):
            self.fail("a list is expected", path)
        if kinds[-1] is Ellipsis:
            kinds = (kinds[0],) * len(value)
        if len(kinds) != len(value):
            self.fail(f"a list of {len(kinds)} is expected", path)
        found = []
        for index, (item, kind) in enumerate(zip(value, kinds, strict=True)):
            found.append(self.read(item, kind, f"{path}[{index}]"))
        return tuple(found)

    def braces(self, value: object, path: str) -> dict[str, object]:
        """A JSON object."""
        if not isinstance(value, dict):
            self.fail("an object in braces is expected", path)
        return value

    def mapping(self, value: object, kind: object, path: str) -> dict[str, object]:
        """An object with free keys."""
        found = {}
        for key, item in self.braces(value, path).items():
            found[key] = self.read(item, kind, f"{path}.{key[:60]}")
        return found

    def statement(self, value: object, path: str) -> object:
        """An object whose `kind` says which statement it is."""
        given = dict(self.braces(value, path))
        name = given.pop("kind", None)
        kind = STATEMENTS.get(name) if isinstance(name, str) else None
        if kind is None:
            listed = ", ".join(STATEMENTS)
            self.fail("this is not a statement", path, f"'kind' is one of {listed}")
        if "type" in given:  # a declaration has a kind of its own
            given["kind"] = given.pop("type")
        return self.record(given, kind, path)

    def record(self, value: object, kind: type, path: str) -> object:
        """An object with the fields of a data class."""
        given = self.braces(value, path)
        known = schema(kind)
        for key in given:
            if key not in known:
                self.fail(f"there is no field '{key[:60]}' here", path, suggest(key, known))
        outer = self.span
        if "span" in given:
            self.span = self.place(given["span"], f"{path}.span")
        found = {}
        for name, (item, hint) in known.items():
            if name in given:
                found[name] = self.read(given[name], hint, f"{path}.{name}")
            elif item.default is MISSING and item.default_factory is MISSING:
                self.fail(f"the field '{name}' is missing", path)
        self.span = outer
        return typing.cast(object, kind(**found))

    def array(self, value: object, hint: object, path: str) -> NDArray[np.generic]:
        """A vector as a list, or shape and values of any array."""
        import numpy as np

        kind, stored = (np.int64, "<i8") if hint is INTS else (np.float64, "<f8")
        if isinstance(value, list):
            numbers: list[float | int] = []
            for index, item in enumerate(value):
                numbers.append(self.number(item, hint is INTS, f"{path}[{index}]"))
            return np.array(numbers, dtype=kind)
        given = self.braces(value, path)
        shape = self.shape(given.get("shape"), path)
        if given.keys() == {"shape", "values"}:
            flat = self.array(given["values"], hint, f"{path}.values")
        elif given.keys() == {"shape", "base64"}:
            flat = np.frombuffer(self.packed(given["base64"], path), dtype=stored).astype(kind)
        else:
            self.fail("an array has 'shape' and either 'values' or 'base64'", path)
        if flat.ndim != 1 or math.prod(shape) != flat.size:
            self.fail(f"there are {flat.size} values for the shape {shape}", path)
        return flat.reshape(shape)

    def shape(self, value: object, path: str) -> tuple[int, ...]:
        """One to three sizes."""
        sizes = value if isinstance(value, list) else []
        whole = [size for size in sizes if type(size) is int and 0 <= size < _INT64]
        if not 1 <= len(sizes) <= 3 or len(whole) != len(sizes):
            self.fail("'shape' must be one to three sizes", path)
        return tuple(whole)

    def packed(self, value: object, path: str) -> bytes:
        """The bytes of base64 text: whole 8-byte numbers."""
        try:
            data = base64.b64decode(value if isinstance(value, str) else "?", validate=True)
        except (binascii.Error, ValueError):
            self.fail("'base64' cannot be decoded", path)
        if len(data) % 8:
            self.fail("'base64' does not hold whole 8-byte numbers", path)
        return data
