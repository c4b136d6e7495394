"""Functions of expressions that numpy lacks, vectorised over instances, in float64."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

try:
    from ..canonical_model.lazy import np
except ImportError:  # beside generated host classes this file stands alone
    import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Array: TypeAlias = "NDArray[np.float64]"
Value: TypeAlias = "float | Array"


def heaviside(x: Value) -> Any:
    """0 below zero, 1 above, 0.5 at zero (LEMS `H`)."""
    return np.heaviside(x, 0.5)


def factorial(x: Value) -> Any:
    """x! of the nearest integer, NaN for negative arguments."""
    return np.vectorize(_factorial, otypes=[float])(x)


def _factorial(x: float) -> float:
    n = round(x)
    return math.nan if n < 0 else (math.inf if n > 170 else float(math.factorial(n)))


def erf(x: Value) -> Any:
    """The error function."""
    return np.vectorize(math.erf, otypes=[float])(x)


def erfc(x: Value) -> Any:
    """1 - erf(x) without cancellation."""
    return np.vectorize(math.erfc, otypes=[float])(x)


def round_half_away(x: Value) -> Any:
    """The nearest whole number, halves away from zero (C's `round`)."""
    whole = np.trunc(x)
    return np.where(np.abs(x - whole) >= 0.5, whole + np.copysign(1.0, x), whole)


def _integers(*values: Value) -> list[Any]:
    return [np.asarray(value).astype(np.int64) for value in values]


def bitand(a: Value, b: Value) -> Any:
    """Bitwise and of whole numbers."""
    x, y = _integers(a, b)
    return (x & y).astype(float)


def bitor(a: Value, b: Value) -> Any:
    """Bitwise or of whole numbers."""
    x, y = _integers(a, b)
    return (x | y).astype(float)


def bitxor(a: Value, b: Value) -> Any:
    """Bitwise exclusive or of whole numbers."""
    x, y = _integers(a, b)
    return (x ^ y).astype(float)


def bitnot(a: Value) -> Any:
    """Bitwise complement of a whole number."""
    (x,) = _integers(a)
    return (~x).astype(float)


def shiftleft(a: Value, b: Value) -> Any:
    """a shifted left by b bits."""
    x, y = _integers(a, b)
    return (x << y).astype(float)


def shiftright(a: Value, b: Value) -> Any:
    """a shifted right by b bits."""
    x, y = _integers(a, b)
    return (x >> y).astype(float)


def exprel(x: Value) -> Any:
    """expm1(x)/x, 1 at x = 0."""
    x = np.asarray(x, dtype=float)
    small = np.abs(x) < 1e-300
    safe = np.where(small, 1.0, x)
    return np.where(small, 1.0, np.expm1(safe) / safe)


def expdd(*points: Value) -> Any:
    """The divided difference exp[x0, ..., xn], right to rounding at equal and near-equal points.

    It is the corner element of exp of a bidiagonal matrix (Opitz 1964): points on the diagonal, ones
    above. A Taylor series about their mean, with scaling and squaring, never cancels.
    """
    arrays = np.broadcast_arrays(*(np.asarray(point, dtype=float) for point in points))
    if arrays[0].ndim == 0:
        return _expdd([float(item) for item in arrays])
    flat = np.stack([item.ravel() for item in arrays])
    return np.array([_expdd(list(column)) for column in flat.T]).reshape(arrays[0].shape)


def _expdd(points: list[float]) -> float:
    size = len(points)
    top = max(points)
    matrix = np.diag(np.array(points) - top) + np.diag(np.ones(size - 1), 1)
    # all entries off the diagonal are positive and the shift keeps the diagonal non-positive
    squarings = max(0, math.ceil(math.log2(max(1.0, float(np.abs(matrix).sum(axis=1).max())))) + 3)
    scaled = matrix / 2.0**squarings
    # exp(D + N) with D <= 0: shift so that the series has positive terms only
    shift = float(np.min(np.diag(scaled)))
    positive = scaled - shift * np.eye(size)
    term = np.eye(size)
    total = np.eye(size)
    for k in range(1, 30):
        term = term @ positive / k
        total = total + term
    total = total * math.exp(shift)
    for _ in range(squarings):
        total = total @ total
    return float(total[0, -1]) * math.exp(top)


def propagator(entries: list[list[Value]], h: float) -> Any:
    """exp(h * entries) of a matrix whose entries may be arrays over instances, as rows of values."""
    from scipy.linalg import expm

    cells = np.broadcast_arrays(*(np.asarray(e, dtype=float) for row in entries for e in row))
    n = len(entries)
    shape = cells[0].shape
    matrices = np.stack(cells, axis=-1).reshape(*shape, n, n)
    return np.moveaxis(expm(matrices * h), (-2, -1), (0, 1))
