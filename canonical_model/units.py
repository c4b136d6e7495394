"""Dimensions (seven SI exponents), units (dimension, scale, offset) and quantities.

One algebra for every language: SI value = value * scale + offset.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

BASE = ("m", "l", "t", "i", "k", "n", "j")  # mass length time current temperature amount luminous
BASE_SYMBOLS = ("kg", "m", "s", "A", "K", "mol", "cd")


@dataclass(frozen=True, slots=True)
class Dimension:
    """Exponents of mass, length, time, current, temperature, amount and luminous intensity.

    >>> str(Dimension(m=1, l=2, t=-3, i=-1))
    'kg m2 s-3 A-1'
    """

    m: float = 0
    l: float = 0  # noqa: E741
    t: float = 0
    i: float = 0
    k: float = 0
    n: float = 0
    j: float = 0

    @property
    def exponents(self) -> tuple[float, ...]:
        """The seven exponents in the order of BASE."""
        return (self.m, self.l, self.t, self.i, self.k, self.n, self.j)

    def __mul__(self, other: Dimension) -> Dimension:
        return Dimension(*(a + b for a, b in zip(self.exponents, other.exponents, strict=True)))

    def __truediv__(self, other: Dimension) -> Dimension:
        return Dimension(*(a - b for a, b in zip(self.exponents, other.exponents, strict=True)))

    def __pow__(self, power: float) -> Dimension:
        return Dimension(*(a * power for a in self.exponents))

    def __str__(self) -> str:
        parts = [
            symbol if exponent == 1 else f"{symbol}{exponent:g}"
            for symbol, exponent in zip(BASE_SYMBOLS, self.exponents, strict=True)
            if exponent
        ]
        return " ".join(parts) or "1"


NONE = Dimension()
TIME = Dimension(t=1)
VOLTAGE = Dimension(m=1, l=2, t=-3, i=-1)
CURRENT = Dimension(i=1)
CONDUCTANCE = Dimension(m=-1, l=-2, t=3, i=2)
RESISTANCE = Dimension(m=1, l=2, t=-3, i=-2)
CAPACITANCE = Dimension(m=-1, l=-2, t=4, i=2)
FREQUENCY = Dimension(t=-1)
LENGTH = Dimension(l=1)
AREA = Dimension(l=2)
VOLUME = Dimension(l=3)
TEMPERATURE = Dimension(k=1)
CONCENTRATION = Dimension(l=-3, n=1)
CHARGE = Dimension(t=1, i=1)

# names a person would use for the dimensions of this field
DIMENSION_NAMES: Mapping[Dimension, str] = {
    NONE: "none", TIME: "time", VOLTAGE: "voltage", CURRENT: "current",
    CONDUCTANCE: "conductance", RESISTANCE: "resistance", CAPACITANCE: "capacitance",
    FREQUENCY: "per_time", LENGTH: "length", AREA: "area", VOLUME: "volume",
    TEMPERATURE: "temperature", CONCENTRATION: "concentration", CHARGE: "charge",
    CONDUCTANCE / AREA: "conductanceDensity", CURRENT / AREA: "currentDensity",
    CAPACITANCE / AREA: "specificCapacitance", CONDUCTANCE / VOLTAGE: "conductance_per_voltage",
    NONE / VOLTAGE: "per_voltage", FREQUENCY / VOLTAGE: "per_voltage_per_time",
}  # fmt: skip


def dimension_name(dimension: Dimension) -> str:
    """`voltage` where the field has a word for it, else the SI product `kg m2 s-3`."""
    return DIMENSION_NAMES.get(dimension) or str(dimension)


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit by symbol: SI value = value * scale + offset."""

    symbol: str
    dimension: Dimension = NONE
    scale: float = 1.0
    offset: float = 0.0


PURE = Unit("")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number in the unit in which its author wrote it."""

    value: float
    unit: Unit = PURE

    @property
    def si(self) -> float:
        """The value in SI units."""
        return self.value * self.unit.scale + self.unit.offset

    @property
    def dimension(self) -> Dimension:
        """The dimension of the unit."""
        return self.unit.dimension

    def __str__(self) -> str:
        return f"{self.value:g} {self.unit.symbol}".rstrip()


def si_quantity(value: float, dimension: Dimension) -> Quantity:
    """A quantity given in coherent SI units."""
    symbol = "" if dimension == NONE else str(dimension)
    return Quantity(value, Unit(symbol, dimension))


@dataclass(frozen=True, slots=True)
class UnitSystem:
    """A coherent set of units: each base unit's size in SI as a power of ten, in the order of BASE.

    Equations that are right in SI are right, unchanged, in any coherent set; only values scale.
    """

    powers: tuple[int, ...] = (0,) * 7

    def size(self, dimension: Dimension) -> float:
        """The size in SI of this set's unit for `dimension`; divide SI values by it."""
        pairs = zip(self.powers, dimension.exponents, strict=True)
        power = sum(power * exponent for power, exponent in pairs)
        return float(f"1e{int(power)}") if power == int(power) else 10.0**power


SI = UnitSystem()
# mV, ms, pA, and with them nS, pF, GOhm; um for lengths, mol/m3 (= mM) for concentrations
NEURO = UnitSystem((-12, -6, -3, -12, 0, -18, 0))
