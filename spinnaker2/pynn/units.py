"""PyNN's unit words as dimensions and SI factors."""

from __future__ import annotations

from ...canonical_model.diagnostics import error
from ...canonical_model.units import (
    CAPACITANCE,
    CONDUCTANCE,
    CURRENT,
    FREQUENCY,
    NONE,
    TIME,
    VOLTAGE,
    Dimension,
)

WORDS: dict[str, tuple[Dimension, float]] = {
    "mV": (VOLTAGE, 1e-3), "ms": (TIME, 1e-3), "s": (TIME, 1.0), "nA": (CURRENT, 1e-9),
    "pA": (CURRENT, 1e-12), "uS": (CONDUCTANCE, 1e-6), "nS": (CONDUCTANCE, 1e-9),
    "nF": (CAPACITANCE, 1e-9), "Hz": (FREQUENCY, 1.0), "/ms": (FREQUENCY, 1e3),
    "mV/ms": (VOLTAGE / TIME, 1.0), "": (NONE, 1.0), "dimensionless": (NONE, 1.0),
}  # fmt: skip

# the unit in which PyNN states a quantity of a dimension
USUAL = {VOLTAGE: "mV", TIME: "ms", CURRENT: "nA", CONDUCTANCE: "uS", CAPACITANCE: "nF",
         FREQUENCY: "Hz", VOLTAGE / TIME: "mV/ms", NONE: "dimensionless"}  # fmt: skip


def dimension_of(word: str) -> Dimension:
    """The dimension of a unit word. Raises ModelError Y201."""
    return _entry(word)[0]


def si_factor(word: str) -> float:
    """What one such unit is in SI. Raises ModelError Y201."""
    return _entry(word)[1]


def _entry(word: str) -> tuple[Dimension, float]:
    found = WORDS.get(word)
    if found is None:
        raise error("Y201", f"'{word}' is no unit of PyNN", hint=", ".join(filter(None, WORDS)))
    return found


def usual_unit(dimension: Dimension) -> tuple[str, float]:
    """PyNN's unit word for a dimension and its SI factor; SI where PyNN has none."""
    word = USUAL.get(dimension)
    if word is not None:
        return word, WORDS[word][1]
    return str(dimension), 1.0
