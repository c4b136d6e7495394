"""Model to JSON-ready data, and JSON-ready data to a readable layout."""

from __future__ import annotations

import base64
import functools
import json
import math
import textwrap
import types
import typing
from collections.abc import Hashable, Mapping
from dataclasses import MISSING, Field, fields
from typing import Annotated, TypeAlias, Union, cast

from .diagnostics import Span, error
from .expr import Expr, Number
from .expr_print import print_expr
from .model import Model, Statement
from .units import DIMENSION_NAMES, PURE, Dimension, Quantity

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

MAX_DEPTH = 200  # levels of JSON; three for each level of inner components
INLINE_ARRAY = 64  # longer arrays are written as base64
WIDTH = 100

FLOATS = Annotated[object, "<f8"]
INTS = Annotated[object, "<i8"]
EXPRESSIONS = frozenset(typing.get_args(Expr))
STATEMENTS: Mapping[str, type] = {
    kind.__name__.lower(): kind for kind in typing.get_args(Statement)
}


@functools.cache
def schema(kind: Hashable) -> dict[str, tuple[Field[object], object]]:
    """The fields of a data class by name with their resolved types."""
    owner = cast("type[Model]", kind)
    names = {"Floats": FLOATS, "Ints": INTS}
    hints = typing.get_type_hints(owner, localns=names, include_extras=True)
    return {item.name: (item, hints[item.name]) for item in fields(owner)}


@functools.cache
def without_none(hint: object) -> tuple[object, bool]:
    """`X | None` as (X, True), any other type as (type, False)."""
    if typing.get_origin(hint) not in (Union, types.UnionType):
        return hint, False
    parts = typing.get_args(hint)
    rest = tuple(part for part in parts if part is not types.NoneType)
    return (rest[0] if len(rest) == 1 else Union[rest]), len(rest) < len(parts)  # noqa: UP007


def is_expression(hint: object) -> bool:
    """Is this the type `Expr`?"""
    return frozenset(typing.get_args(hint)) == EXPRESSIONS


def is_statement(hint: object) -> bool:
    """Is this the type `Statement`?"""
    return frozenset(typing.get_args(hint)) == frozenset(STATEMENTS.values())


def write(value: object, hint: object, with_spans: bool = False) -> Json:
    """JSON-ready data for a value of the declared type `hint`. Raises ModelError M104."""
    return _Writer(with_spans).write(value, hint, 0)


def is_default(item: Field[object], value: object) -> bool:
    """Does the field hold what it would hold if it were not given?"""
    if item.default_factory is not MISSING:
        return isinstance(value, Mapping) and not value
    default = item.default
    if isinstance(default, float) and isinstance(value, int | float):
        return value == default
    return type(value) is type(default) and bool(value == default)


class _Writer:
    def __init__(self, with_spans: bool) -> None:
        self.with_spans = with_spans

    def write(self, value: object, hint: object, depth: int) -> Json:
        if depth > MAX_DEPTH:
            raise error("M104", "a model is nested too deeply for the canonical text form")
        hint, _ = without_none(hint)
        if value is None:
            return None
        if is_expression(hint):
            return print_expr(cast(Expr, value))
        if is_statement(hint):
            kind = type(value).__name__.lower()
            fields = self.record(value, depth)
            if "kind" in fields:  # a declaration's own; the statement's is written there
                fields["type"] = fields.pop("kind")
            return {"kind": kind, **fields}
        if hint is FLOATS or hint is INTS:
            return _array(value, hint)
        if typing.get_origin(hint) is tuple:
            return self.items(cast("tuple[object, ...]", value), hint, depth)
        if isinstance(value, Mapping):
            inner = typing.get_args(hint)[1]
            pairs: dict[str, Json] = {}
            for key, item in value.items():
                pairs[str(key)] = self.write(item, inner, depth + 1)
            return pairs
        if hint is float:
            return _float(float(cast(float, value)))
        return int(cast(int, value)) if hint is int else self.leaf(value, depth)

    def leaf(self, value: object, depth: int) -> Json:
        match value:
            case Span(file, line, column):
                return f"{file}:{line}:{column}"
            case Dimension():
                return DIMENSION_NAMES.get(value) or [_number(e) for e in value.exponents]
            case Quantity(number, unit):
                return print_expr(Number(number, None if unit == PURE else unit))
            case bool() | str():
                return value
        return self.record(value, depth)

    def items(self, value: tuple[object, ...], hint: object, depth: int) -> list[Json]:
        inner = typing.get_args(hint)
        listed: list[Json] = []
        for index, item in enumerate(value):
            own = inner[0] if inner[-1] is Ellipsis else inner[index]
            listed.append(self.write(item, own, depth + 1))
        return listed

    def record(self, value: object, depth: int) -> dict[str, Json]:
        kind = cast(Hashable, type(value))
        found: dict[str, Json] = {}
        for name, (item, hint) in schema(kind).items():
            own = getattr(value, name)
            if is_default(item, own) or (name == "span" and not self.with_spans):
                continue
            found[name] = self.write(own, hint, depth + 1)
        return found


def _float(value: float) -> Json:
    """JSON has no infinities and no NaN; they are written as text."""
    return value if math.isfinite(value) else repr(value)


def _number(value: float) -> Json:
    return int(value) if value == int(value) else value


def _array(value: object, hint: object) -> Json:
    """A short vector as a list; else shape and values, the values of long ones as base64."""
    import numpy as np

    array = np.asarray(value, dtype="<f8" if hint is FLOATS else "<i8")
    if array.size > INLINE_ARRAY:
        packed = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")
        return {"shape": list(array.shape), "base64": packed}
    values: list[Json] = [_float(v) if hint is FLOATS else v for v in array.ravel().tolist()]
    return values if array.ndim == 1 else {"shape": list(array.shape), "values": values}


def layout(value: Json) -> str:
    """JSON that people can read: what fits into a line stands on one line. ASCII only, since names
    from strangers may hold characters that editors and terminals obey."""
    return "\n".join(_lines(value, "", "", 0))


def _lines(value: Json, before: str, after: str, indent: int) -> list[str]:
    """The lines of one value; `before` is its key, `after` the comma that follows."""
    pad = "  " * indent
    width = WIDTH - len(pad) - len(before) - len(after)
    if not isinstance(value, dict | list) or not value or _fits(value, width):
        return [f"{pad}{before}{json.dumps(value, allow_nan=False)}{after}"]
    last = len(value) - 1
    inner: list[str] = []
    if isinstance(value, dict):
        for index, (key, item) in enumerate(value.items()):
            comma = "," if index < last else ""
            inner += _lines(item, f"{json.dumps(key)}: ", comma, indent + 1)
        return [f"{pad}{before}{{", *inner, f"{pad}}}{after}"]
    if any(isinstance(item, dict | list | str) for item in value):
        for index, item in enumerate(value):
            inner += _lines(item, "", "," if index < last else "", indent + 1)
    else:
        inner = _packed(value, "  " * (indent + 1))
    return [f"{pad}{before}[", *inner, f"{pad}]{after}"]


def _packed(values: list[Json], pad: str) -> list[str]:
    """Numbers, as many on a line as fit."""
    words = [json.dumps(value, allow_nan=False) for value in values]
    words = [*(f"{word}," for word in words[:-1]), words[-1]]
    return textwrap.wrap(
        " ".join(words), WIDTH, initial_indent=pad, subsequent_indent=pad, break_on_hyphens=False
    )


def _fits(value: Json, width: int) -> bool:
    """Is the flat text at most `width` long? Stops counting as soon as it is not."""
    stack: list[Json] = [value]
    while stack and width >= 0:
        item = stack.pop()
        if isinstance(item, dict):
            width -= 2 + sum(len(key) + 6 for key in item)
            stack.extend(item.values())
        elif isinstance(item, list):
            width -= 2 + 2 * len(item)
            stack.extend(item)
        else:
            width -= len(json.dumps(item, allow_nan=False))
    return width >= 0
