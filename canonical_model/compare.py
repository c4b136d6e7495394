"""Structural comparison of models: spans do not count, arrays count element by element.

Two quantities are equal if they say the same (0.02 V is not 20 mV here); NaN equals NaN.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING

from .expr import Binary, Call, Conditional, Name, Number, Select, Unary
from .expr_print import print_expr, unit_text
from .units import Dimension, Quantity, Unit, dimension_name

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .model import Component, Model
    from .network import Network

EXPRESSIONS = (Number, Name, Unary, Binary, Call, Conditional, Select)
MAX_DIFFERENCES = 1000
_SHOWN = 160


def equal(a: Model | Component | Network, b: Model | Component | Network) -> bool:
    """True if there is no difference."""
    return next(_compare(a, b, ""), None) is None


def differences(a: Model | Component | Network, b: Model | Component | Network) -> list[str]:
    """One line for each difference: path, what `a` has, what `b` has; at most MAX_DIFFERENCES.

    Items of lists that have names are paired by name; their order is compared as well.
    """
    found = []
    for difference in _compare(a, b, ""):
        found.append(difference)
        if len(found) == MAX_DIFFERENCES:
            break
    return found


def _compare(a: object, b: object, path: str) -> Iterator[str]:
    if a is b:
        return
    if isinstance(a, EXPRESSIONS) and isinstance(b, EXPRESSIONS):
        if print_expr(a) != print_expr(b):
            yield _line(path, a, b)
    elif hasattr(a, "dtype") or hasattr(b, "dtype"):
        yield from _compare_arrays(a, b, path)
    elif isinstance(a, Mapping) and isinstance(b, Mapping):
        yield from _compare_mappings(a, b, path)
    elif type(a) is not type(b) and not (_is_number(a) and _is_number(b)):
        yield _line(path, a, b)
    elif isinstance(a, tuple) and isinstance(b, tuple):
        yield from _compare_tuples(a, b, path)
    elif is_dataclass(a) and not isinstance(a, Dimension | Unit | Quantity):
        for item in fields(a):
            if item.name != "span":
                inner = f"{path}.{item.name}" if path else item.name
                yield from _compare(getattr(a, item.name), getattr(b, item.name), inner)
    elif a != b and not _is_nan_pair(a, b):
        yield _line(path, a, b)


def _compare_mappings(a: Mapping[str, object], b: Mapping[str, object], path: str) -> Iterator[str]:
    for key in dict.fromkeys([*a, *b]):
        inner = f"{path}[{key!r}]"
        if key not in b:
            yield _line(inner, a[key], None, missing="nothing")
        elif key not in a:
            yield _line(inner, None, b[key], missing="nothing")
        else:
            yield from _compare(a[key], b[key], inner)


def _compare_tuples(a: tuple[object, ...], b: tuple[object, ...], path: str) -> Iterator[str]:
    ours, theirs = _by_name(a), _by_name(b)
    if ours is None or theirs is None:
        for index, (one, other) in enumerate(zip(a, b, strict=False)):
            yield from _compare(one, other, f"{path}[{index}]")
        for index in range(min(len(a), len(b)), max(len(a), len(b))):
            one_ = a[index] if index < len(a) else None
            other_ = b[index] if index < len(b) else None
            yield _line(f"{path}[{index}]", one_, other_, missing="nothing")
        return
    yield from _compare_mappings(ours, theirs, path)
    common = [name for name in ours if name in theirs]
    order = [name for name in theirs if name in ours]
    if common != order:
        yield f"{path}: the order is {', '.join(common)} | {', '.join(order)}"


def _by_name(items: tuple[object, ...]) -> dict[str, object] | None:
    """Items by name, or None where one has no name of its own or two share one."""
    named: dict[str, object] = {}
    for item in items:
        name = getattr(item, "name", None)
        if isinstance(item, EXPRESSIONS) or not isinstance(name, str) or name in named:
            return None
        named[name] = item
    return named


def _compare_arrays(a: object, b: object, path: str) -> Iterator[str]:
    import numpy as np

    if not isinstance(a, np.ndarray) or not isinstance(b, np.ndarray):
        yield _line(path, a, b)
        return
    if a.shape != b.shape or a.dtype.kind != b.dtype.kind:
        yield f"{path}: {a.dtype} array {a.shape} | {b.dtype} array {b.shape}"
        return
    differs = a != b
    if a.dtype.kind == "f":
        differs &= ~(np.isnan(a) & np.isnan(b))
    count = int(np.count_nonzero(differs))
    if count:
        where = tuple(int(axis[0]) for axis in np.nonzero(differs))
        at = ", ".join(map(str, where))
        text = f"{_element(a, where)} | {_element(b, where)}"
        yield f"{path}[{at}]: {text} ({count} of {a.size} elements differ)"


def _element(array: NDArray[np.generic], where: tuple[int, ...]) -> str:
    return repr(array[where].item())


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_nan_pair(a: object, b: object) -> bool:
    """Quantities and floats that are equal except that NaN differs from itself."""
    return repr(a) == repr(b) and "nan" in repr(a)


def _line(path: str, a: object, b: object, missing: str = "") -> str:
    return f"{path or 'the whole'}: {_show(a, missing)} | {_show(b, missing)}"


def _show(value: object, missing: str = "") -> str:
    if value is None:
        return missing or "None"
    if isinstance(value, EXPRESSIONS):
        text = print_expr(value)
    elif isinstance(value, Dimension):
        text = dimension_name(value)
    elif isinstance(value, Quantity):
        text = f"{value.value!r} {unit_text(value.unit)}"
    else:
        text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
