"""Dimensions and units of a document: NeuroML's own where they fit, declared ones for the rest."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

from ...canonical_model.diagnostics import refuse
from ...canonical_model.units import NONE, Dimension, Quantity, Unit, dimension_name
from ...lems_types.library_reader import standard_dimensions, standard_units
from .markup import Node, number
from .names import Names

MAX_POWER = 40
HUGE = 1e30  # what stands for infinity, in the unit of the value


@dataclass(slots=True)
class Quantities:
    """Hands out names of dimensions and symbols of units, and keeps what has to be declared."""

    names: Names = field(default_factory=Names)
    dimensions: dict[Dimension, str] = field(default_factory=dict)
    units: dict[tuple[Dimension, float, float], str] = field(default_factory=dict)
    made: list[Node] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dimensions[NONE] = "none"
        self.names.taken.add("none")
        for name, dimension in standard_dimensions().items():
            self.dimensions.setdefault(dimension, name)
            self.names.taken.add(name)
        symbols = standard_units()
        for symbol, unit in symbols.items():
            self.units.setdefault((unit.dimension, unit.scale, unit.offset), symbol)
        self.names.taken.update(f"unit {symbol}" for symbol in symbols)

    def dimension(self, dimension: Dimension) -> str:
        """The name of a dimension. Raises ModelError P202 for broken exponents."""
        if dimension not in self.dimensions:
            if any(value != int(value) for value in dimension.exponents):
                message = f"LEMS knows whole exponents only, and this dimension is {dimension}"
                raise refuse("P202", message)
            name = self.names.fresh(_word(dimension_name(dimension)))
            powers = {
                key: str(int(value))
                for key, value in zip("mltiknj", dimension.exponents, strict=True)
                if value
            }
            self.dimensions[dimension] = name
            self.made.append(Node("Dimension", {"name": name, **powers}))
        return self.dimensions[dimension]

    def text(self, quantity: Quantity) -> str:
        """A quantity as an attribute: `-65mV`. Raises ModelError P203 where it is not finite."""
        unit = quantity.unit
        if math.isnan(quantity.si):
            raise refuse("P203", f"LEMS has no word for the number {quantity}")
        if math.isinf(quantity.value):
            return self.text(Quantity(math.copysign(HUGE, quantity.value), unit))
        if unit.dimension == NONE:
            return number(quantity.si)
        known = standard_units().get(unit.symbol)
        if known == unit:
            return number(quantity.value) + unit.symbol
        return number(quantity.value) + self.symbol(unit)

    def symbol(self, unit: Unit) -> str:
        """The symbol of a unit, which is declared if NeuroML does not know it."""
        key = (unit.dimension, unit.scale, unit.offset)
        if key not in self.units:
            dimension = self.dimension(unit.dimension)
            symbol = self._fresh(unit)
            attributes = {"symbol": symbol, "dimension": dimension}
            power = _power(unit.scale)
            if power is None:
                attributes["scale"] = number(unit.scale)
            elif power:
                attributes["power"] = str(power)
            if unit.offset:
                # LEMS adds the offset first
                attributes["offset"] = number(unit.offset / unit.scale)
            self.units[key] = symbol
            self.made.append(Node("Unit", attributes))
        return self.units[key]

    def _fresh(self, unit: Unit) -> str:
        wanted = _word(unit.symbol) or f"SI_{self.dimension(unit.dimension)}"
        # a leading e would be read as part of the number
        wanted = f"u_{wanted}" if wanted[0] in "eE" else wanted
        symbol, count = wanted, 2
        while f"unit {symbol}" in self.names.taken:
            symbol, count = f"{wanted}_{count}", count + 1
        self.names.taken.add(f"unit {symbol}")
        return symbol


def _power(scale: float) -> int | None:
    """The power of ten that a scale is, None for any other."""
    power = round(math.log10(scale)) if scale > 0 else 0
    return power if abs(power) <= MAX_POWER and float(f"1e{power}") == scale else None


def _word(text: str) -> str:
    """A text such as `kg m2 s-3` or `mS/cm2` as a word."""
    text = text.replace("/", "_per_").replace("%", "percent").replace("µ", "u").replace("*", "_")
    text = re.sub(r"\^?-(\d)", r"m\1", text)
    clean = re.sub(r"[^A-Za-z0-9_]+", "_", text).strip("_")
    return f"SI_{clean}" if clean[:1].isdigit() else clean
