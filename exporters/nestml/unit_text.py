"""Units as NESTML spells them, and quantities written in them.

The system of NEST (mV, ms, pA, nS, pF, GOhm; with them um, amol, K) is coherent: numbers in it need no
factors, and NESTML 9 applies the factor between two prefixes of one unit twice.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from itertools import combinations

from ...canonical_model.diagnostics import refuse
from ...canonical_model.expr_print import number_text
from ...canonical_model.units import (
    CAPACITANCE,
    CONDUCTANCE,
    CURRENT,
    LENGTH,
    NEURO,
    NONE,
    RESISTANCE,
    TEMPERATURE,
    TIME,
    VOLTAGE,
    Dimension,
    Unit,
)

# the coherent units by name, those that people use most first
BASIC: Mapping[str, Dimension] = {
    "mV": VOLTAGE, "ms": TIME, "pA": CURRENT, "nS": CONDUCTANCE, "pF": CAPACITANCE,
    "GOhm": RESISTANCE, "um": LENGTH, "amol": Dimension(n=1), "K": TEMPERATURE,
    "cd": Dimension(j=1),
}  # fmt: skip
_GENERIC = ("mV", "ms", "pA", "um", "amol", "K", "cd")
MAX_WHOLE = 2**31  # larger literals would not fit an int of C++
_SCALES = {"": 0, "k": 3, "M": 6, "G": 9, "c": -2, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15}
_SYMBOLS: Mapping[str, Dimension] = {
    "V": VOLTAGE, "s": TIME, "A": CURRENT, "S": CONDUCTANCE, "F": CAPACITANCE, "Ohm": RESISTANCE,
    "m": LENGTH, "mol": Dimension(n=1), "K": TEMPERATURE, "C": TIME * CURRENT, "Hz": NONE / TIME,
    "Bq": NONE / TIME, "J": Dimension(m=1, l=2, t=-2), "N": Dimension(m=1, l=1, t=-2),
    "W": Dimension(m=1, l=2, t=-3), "Pa": Dimension(m=1, l=-1, t=-2), "cd": Dimension(j=1),
    "Wb": VOLTAGE * TIME, "T": VOLTAGE * TIME / LENGTH**2, "H": RESISTANCE * TIME,
    "l": LENGTH**3, "L": LENGTH**3, "g": Dimension(m=1),
}  # fmt: skip
_POWERS = {"l": -3, "L": -3, "g": -3}  # their size in SI
KNOWN: Mapping[str, Unit] = {
    prefix + symbol: Unit(prefix + symbol, dimension, float(f"1e{power + _POWERS.get(symbol, 0)}"))
    for prefix, power in {**_SCALES, "a": -18}.items()
    for symbol, dimension in _SYMBOLS.items()
}
_UNIT = re.compile(r"[A-Za-z0-9_*/() .+-]{1,80}\Z")
_WORD = re.compile(r"[A-Za-z_]+")
_PART = r"[A-Za-z]+(?:\*\*-?\d+(?:\.\d+)?)?"
_PRODUCT = re.compile(rf"(?:1|{_PART})(?: ?[*/] ?{_PART})*")
_FACTOR = re.compile(r"([*/]?) ?([A-Za-z]+)(?:\*\*(-?\d+(?:\.\d+)?))?")


@lru_cache(maxsize=512)
def unit_for(dimension: Dimension) -> str:
    """The unit of a dimension in NEST's system, `real` for pure numbers.

    >>> unit_for(VOLTAGE / TIME)
    'mV/ms'
    """
    if dimension == NONE:
        return "real"
    exponents = dimension.exponents
    if any(not math.isfinite(item) for item in exponents):
        raise refuse("N305", "a dimension has no finite exponents")
    alone = [(name, _power_of(dimension, basic)) for name, basic in BASIC.items()]
    single = [(name, power) for name, power in alone if power is not None]
    if single:
        return _powers([min(single, key=lambda item: item[1] != 1)])
    for first, second in combinations(BASIC, 2):
        for one in (1, 2, -1, -2, 3, -3):
            other = _power_of(dimension / BASIC[first] ** one, BASIC[second])
            if other is not None and other in (1, 2, 3, -1, -2, -3):
                return _powers([(first, one), (second, other)])
    return _powers(_generic(dimension))


def _power_of(dimension: Dimension, basic: Dimension) -> float | None:
    """p such that basic ** p is the dimension, or None."""
    index = next(k for k, item in enumerate(basic.exponents) if item)
    power = dimension.exponents[index] / basic.exponents[index]
    if power and basic**power == dimension:
        return power
    return None


def _generic(dimension: Dimension) -> list[tuple[str, float]]:
    """The dimension as a product of independent units: mass only occurs in volts."""
    m, l, t, i, k, n, j = dimension.exponents  # noqa: E741
    powers = (m, t + 3 * m, i + m, l - 2 * m, n, k, j)
    return [(name, power) for name, power in zip(_GENERIC, powers, strict=True) if power]


def _powers(factors: list[tuple[str, float]]) -> str:
    """`pF/um**2`, `1/ms`: positive powers first."""
    above = [_power(name, p) for name, p in factors if p > 0]
    below = [_power(name, -p) for name, p in factors if p < 0]
    return "*".join(above or ["1"]) + "".join(f"/{item}" for item in below)


def _power(name: str, power: float) -> str:
    if power == 1:
        return name
    return f"{name}**{int(power)}" if power == int(power) else f"{name}**{power!r}"


def is_unit_text(text: str) -> bool:
    """True for text that can only be a unit of NESTML: names, powers, products, quotients."""
    return bool(_UNIT.match(text)) and bool(_WORD.search(text)) and "//" not in text


def unit_words(text: str) -> set[str]:
    """The names of units in a unit expression."""
    return set(_WORD.findall(text))


def written_unit(unit: Unit) -> str:
    """The unit as its author wrote it if NESTML reads it in the same way, else one of ours."""
    known = KNOWN.get(unit.symbol)
    if known is not None and known.dimension == unit.dimension and known.scale == unit.scale:
        return unit.symbol
    found = None if known else _measures(unit.symbol)
    if found is not None and found[0] == unit.dimension and math.isclose(found[1], unit.scale):
        return unit.symbol
    return unit_for(unit.dimension)


@lru_cache(maxsize=512)
def _measures(text: str) -> tuple[Dimension, float] | None:
    """Dimension and scale of a product or quotient of known units, None for anything else."""
    if not _PRODUCT.fullmatch(text):
        return None
    dimension, scale = NONE, 1.0
    for sign, name, exponent in _FACTOR.findall(text):
        if name not in KNOWN:
            return None
        power = float(exponent or 1) * (-1 if sign == "/" else 1)
        dimension = dimension * KNOWN[name].dimension ** power
        scale *= KNOWN[name].scale ** power
    return dimension, scale


def coherent_value(value: float, unit: Unit) -> float:
    """A value in `unit` as a number in NEST's system, without rounding where only the point moves."""
    if not math.isfinite(value):
        return value
    if unit.offset:
        return (value * unit.scale + unit.offset) / NEURO.size(unit.dimension)
    factor = unit.scale / NEURO.size(unit.dimension)
    power = round(math.log10(factor)) if factor > 0 else 0
    if factor > 0 and abs(factor / float(f"1e{power}") - 1) < 1e-14:
        return float(Decimal(repr(float(value))).scaleb(power))
    return value * factor


def tidy(value: float) -> float:
    """The number without the noise that scaling leaves in its last digit."""
    short = float(f"{value:.15g}")
    return short if abs(short - value) <= 2 * math.ulp(value) else value


def real_text(value: float, whole: bool = False) -> str:
    """A number; `whole` keeps integers free of a point. Infinity is a word of the language."""
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    if math.isnan(value):
        raise refuse("N305", "a value is not a number")
    text = number_text(value)
    whole = whole and abs(value) < MAX_WHOLE
    return text if whole or not text.lstrip("-").isdigit() else f"{text}.0"
