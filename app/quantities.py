"""Times as a person types them on the command line: `0.1ms`."""

from __future__ import annotations

import math
import re

from ..canonical_model.diagnostics import error

_TIME = re.compile(r"\s*(\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)\s*([a-zA-Z]*)\s*")
# a division by a power of ten is exact to the last bit, a multiplication by 1e-3 is not
_PER_SECOND = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}


def seconds(value: str | float | None, what: str) -> float | None:
    """Seconds of `0.1ms` (a bare number is already in seconds in Python, an error as text).

    Raises ModelError A010.

    >>> seconds("0.1ms", "--dt")
    0.0001
    """
    if value is None:
        return None
    if isinstance(value, str):
        match = _TIME.fullmatch(value)
        if match is None or match[2] not in _PER_SECOND:
            hint = "write a number and a unit: 0.1ms, 50us, 1s"
            raise error("A010", f"{what}: '{value}' is not a time", hint=hint)
        value = float(match[1]) / _PER_SECOND[match[2]]
    if not (math.isfinite(value) and value > 0):
        raise error("A010", f"{what}: a time must be positive and finite")
    return value


def show(value: float) -> str:
    """A time in the unit in which it reads best.

    >>> show(1e-4)
    '0.1 ms'
    """
    for unit, per_second in (("s", 1.0), ("ms", 1e3), ("us", 1e6)):
        scaled = value * per_second
        if scaled >= (0.1 if unit != "s" else 1.0) or unit == "us":
            return f"{scaled:.6g} {unit}"
    return f"{value:g} s"
