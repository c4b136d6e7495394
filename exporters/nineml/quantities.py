"""Units and dimensions of a document: powers of ten only, whole exponents, named once each."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

from ...canonical_model.diagnostics import refuse
from ...canonical_model.units import (
    NONE,
    PURE,
    Dimension,
    Quantity,
    Unit,
    dimension_name,
    si_quantity,
)
from .markup import Node, Value
from .names import Names

_SI = {
    "time": "s", "voltage": "V", "current": "A", "conductance": "S", "resistance": "ohm",
    "capacitance": "F", "per_time": "Hz", "length": "m", "temperature": "K", "charge": "C",
    "none": "unitless", "area": "m2", "volume": "m3", "concentration": "mol_per_m3",
}  # fmt: skip
MAX_POWER = 99
BEYOND = 1e30  # stands for infinity: fits into 32 bits in every unit of the field


@dataclass(slots=True)
class Quantities:
    """What a document has used so far; `names` are those of the whole document."""

    names: Names
    dimensions: dict[Dimension, str] = field(default_factory=dict)
    units: dict[tuple[Dimension, int], str] = field(default_factory=dict)
    preferred: dict[tuple[Dimension, int], str] = field(default_factory=dict)

    def prefer(self, unit: Unit) -> None:
        """Take an author's symbol for every unit of its size, if it is the first."""
        power = _power(unit)
        if power is not None and unit != PURE and unit.symbol:
            self.preferred.setdefault((unit.dimension, power), unit.symbol)

    def dimension(self, dimension: Dimension) -> str:
        """The name of a dimension. Raises ModelError X310 for broken exponents."""
        if dimension not in self.dimensions:
            if any(power != int(power) for power in dimension.exponents):
                message = f"NineML has no dimension with broken exponents: {dimension}"
                raise refuse("X310", message)
            wanted = "dimensionless" if dimension == NONE else dimension_name(dimension)
            key = f"dimension {dimension}"
            self.dimensions[dimension] = self.names.get(_word(wanted), key)
        return self.dimensions[dimension]

    def quantity(self, quantity: Quantity) -> tuple[float, str]:
        """The number and the unit's symbol; in SI where the unit is no plain power of ten."""
        unit = quantity.unit
        if math.isnan(quantity.value):
            raise refuse("X311", f"NineML has no word for the value {quantity.value}")
        if math.isinf(quantity.value):
            # a bound that is never reached
            quantity = Quantity(math.copysign(BEYOND, quantity.value), unit)
        power = _power(unit)
        if power is None:
            plain = si_quantity(quantity.si, unit.dimension)
            return plain.value, self.unit(_base(unit.dimension), 0)
        return quantity.value, self.unit(unit, power)

    def unit(self, unit: Unit, power: int) -> str:
        """The symbol of a unit in this document."""
        key = (unit.dimension, power)
        if key not in self.units:
            self.dimension(unit.dimension)
            symbol = self.preferred.get(key, unit.symbol)
            if symbol in ("", PURE.symbol):
                symbol = "unitless" if unit.dimension == NONE and not power else ""
            symbol = symbol or f"{_base(unit.dimension).symbol}_e{power}"
            self.units[key] = self.names.get(_word(symbol), f"unit {unit.dimension} {power}")
        return self.units[key]

    def nodes(self) -> list[Node]:
        """Dimension and Unit elements, by name."""
        found = []
        for dimension, name in sorted(self.dimensions.items(), key=lambda item: item[1]):
            powers = {
                key: int(value)
                for key, value in zip("mltiknj", dimension.exponents, strict=True)
                if value
            }
            found.append(Node("Dimension", {"name": name, **powers}))
        for (dimension, power), symbol in sorted(self.units.items(), key=lambda item: item[1]):
            attributes: dict[str, Value] = {"symbol": symbol, "power": power}
            attributes["dimension"] = self.dimensions[dimension]
            found.append(Node("Unit", attributes))
        return found


def _power(unit: Unit) -> int | None:
    """The power of ten that a unit is, None for any other."""
    if unit.offset or unit.scale <= 0 or not math.isfinite(unit.scale):
        return None
    power = round(math.log10(unit.scale))
    is_exact = abs(power) <= MAX_POWER and float(f"1e{power}") == unit.scale
    return power if is_exact else None


def _base(dimension: Dimension) -> Unit:
    name = dimension_name(dimension)
    return Unit(_SI.get(name, f"SI_{_word(name)}"), dimension)


def _word(text: str) -> str:
    """A text such as `kg m2 s-3` or `mS/cm2` as a word."""
    text = text.replace("/", "_per_").replace("%", "percent").replace("µ", "u")
    text = re.sub(r"\^?-(\d)", r"m\1", text)
    return re.sub(r"[^A-Za-z0-9_]+", "_", text).strip("_") or "unit"
