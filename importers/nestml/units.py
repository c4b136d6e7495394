"""The unit names of NESTML: SI, CGS and the usual others with prefixes, from a table of our own.

Two sizes go with a unit: `scale` is that in SI; `one` is what the bare number 1 stands for where NESTML
casts a quantity to a number or back. The engine counts in mV, pA and ms (so nS, pF, GOhm); all other
quantities keep the number in the unit in which they were written.

Codes: N040 an unknown unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from ...canonical_model import units
from ...canonical_model.diagnostics import Span, error, suggest
from ...canonical_model.units import Dimension, Unit
from . import syntax

_PREFIXES = {
    "": 0, "d": -1, "c": -2, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15, "a": -18, "z": -21, "y": -24,
    "r": -27, "q": -30, "da": 1, "h": 2, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18, "Z": 21,
    "Y": 24, "R": 27, "Q": 30,
}  # fmt: skip
_LONG_PREFIXES = {
    "deci": -1, "centi": -2, "milli": -3, "micro": -6, "nano": -9, "pico": -12, "femto": -15, "atto": -18,
    "zepto": -21, "yocto": -24, "deka": 1, "deca": 1, "hecto": 2, "kilo": 3, "mega": 6, "giga": 9,
    "tera": 12, "peta": 15, "exa": 18, "zetta": 21, "yotta": 24,
}  # fmt: skip
_D = Dimension
_FORCE, _ENERGY = _D(m=1, l=1, t=-2), _D(m=1, l=2, t=-2)
_POWER, _PRESSURE = _D(m=1, l=2, t=-3), _D(m=1, l=-1, t=-2)

# symbols and long names that take prefixes -> dimension and SI size
_PREFIXED: dict[str, tuple[Dimension, str]] = {
    "s": (_D(t=1), "1"), "m": (_D(l=1), "1"), "g": (_D(m=1), "1e-3"), "A": (_D(i=1), "1"),
    "K": (_D(k=1), "1"), "mol": (_D(n=1), "1"), "cd": (_D(j=1), "1"), "rad": (_D(), "1"),
    "sr": (_D(), "1"), "Hz": (_D(t=-1), "1"), "Bq": (_D(t=-1), "1"), "N": (_FORCE, "1"),
    "J": (_ENERGY, "1"), "W": (_POWER, "1"), "Pa": (_PRESSURE, "1"), "C": (units.CHARGE, "1"),
    "V": (units.VOLTAGE, "1"), "S": (units.CONDUCTANCE, "1"), "F": (units.CAPACITANCE, "1"),
    "Ohm": (units.RESISTANCE, "1"), "ohm": (units.RESISTANCE, "1"),
    "Wb": (_D(m=1, l=2, t=-2, i=-1), "1"), "T": (_D(m=1, t=-2, i=-1), "1"),
    "H": (_D(m=1, l=2, t=-2, i=-2), "1"), "lm": (_D(j=1), "1"), "lx": (_D(l=-2, j=1), "1"),
    "kat": (_D(t=-1, n=1), "1"), "Gy": (_D(l=2, t=-2), "1"), "Sv": (_D(l=2, t=-2), "1"),
    "l": (units.VOLUME, "1e-3"), "L": (units.VOLUME, "1e-3"), "a": (_D(t=1), "31557600"),
    "yr": (_D(t=1), "31557600"), "eV": (_ENERGY, "1.602176634e-19"), "t": (_D(m=1), "1000"),
    "u": (_D(m=1), "1.6605390689252e-27"), "Da": (_D(m=1), "1.6605390689252e-27"),
    "bar": (_PRESSURE, "1e5"), "b": (units.AREA, "1e-28"), "barn": (units.AREA, "1e-28"),
    "pc": (units.LENGTH, "30856775814913672.79"), "dyn": (_FORCE, "1e-5"), "erg": (_ENERGY, "1e-7"),
    "Ci": (_D(t=-1), "3.7e10"), "G": (_D(m=1, t=-2, i=-1), "1e-4"), "Gal": (_D(l=1, t=-2), "1e-2"),
    "P": (_D(m=1, l=-1, t=-1), "1e-1"), "St": (_D(l=2, t=-1), "1e-4"), "Ba": (_PRESSURE, "1e-1"),
    "Bi": (units.CURRENT, "10"), "abC": (units.CHARGE, "10"),
    "statA": (units.CURRENT, "3.3356409519815204e-10"),
    "Fr": (units.CHARGE, "3.3356409519815204e-10"), "kayser": (_D(l=-1), "100"),
    "second": (_D(t=1), "1"), "meter": (_D(l=1), "1"), "gram": (_D(m=1), "1e-3"),
    "ampere": (_D(i=1), "1"), "amp": (_D(i=1), "1"), "Kelvin": (_D(k=1), "1"), "mole": (_D(n=1), "1"),
    "candela": (_D(j=1), "1"), "radian": (_D(), "1"), "hertz": (_D(t=-1), "1"),
    "Hertz": (_D(t=-1), "1"), "becquerel": (_D(t=-1), "1"), "newton": (_FORCE, "1"),
    "Newton": (_FORCE, "1"), "joule": (_ENERGY, "1"), "Joule": (_ENERGY, "1"), "watt": (_POWER, "1"),
    "Watt": (_POWER, "1"), "pascal": (_PRESSURE, "1"), "Pascal": (_PRESSURE, "1"),
    "coulomb": (units.CHARGE, "1"), "volt": (units.VOLTAGE, "1"), "Volt": (units.VOLTAGE, "1"),
    "siemens": (units.CONDUCTANCE, "1"), "Siemens": (units.CONDUCTANCE, "1"),
    "farad": (units.CAPACITANCE, "1"), "Farad": (units.CAPACITANCE, "1"),
    "liter": (units.VOLUME, "1e-3"), "year": (_D(t=1), "31557600"), "annum": (_D(t=1), "31557600"),
    "weber": (_D(m=1, l=2, t=-2, i=-1), "1"), "tesla": (_D(m=1, t=-2, i=-1), "1"),
    "henry": (_D(m=1, l=2, t=-2, i=-2), "1"), "lumen": (_D(j=1), "1"), "lux": (_D(l=-2, j=1), "1"),
    "parsec": (units.LENGTH, "30856775814913672.79"),
}  # fmt: skip
_PLAIN: dict[str, tuple[Dimension, str]] = {
    "h": (_D(t=1), "3600"), "hr": (_D(t=1), "3600"), "hour": (_D(t=1), "3600"),
    "minute": (_D(t=1), "60"), "d": (_D(t=1), "86400"), "day": (_D(t=1), "86400"),
    "wk": (_D(t=1), "604800"), "week": (_D(t=1), "604800"), "sday": (_D(t=1), "86164.09053"),
    "fortnight": (_D(t=1), "1209600"), "micron": (units.LENGTH, "1e-6"),
    "AA": (units.LENGTH, "1e-10"), "Angstrom": (units.LENGTH, "1e-10"),
    "angstrom": (units.LENGTH, "1e-10"), "AU": (units.LENGTH, "149597870700"),
    "au": (units.LENGTH, "149597870700"), "lyr": (units.LENGTH, "9460730472580800"),
    "deg": (_D(), "0.017453292519943295"), "degree": (_D(), "0.017453292519943295"),
    "arcmin": (_D(), "0.0002908882086657216"), "arcsec": (_D(), "4.848136811095360e-6"),
    "mas": (_D(), "4.848136811095360e-9"), "uas": (_D(), "4.848136811095360e-12"),
    "tonne": (_D(m=1), "1000"), "cycle": (_D(), "6.283185307179586"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class UnitValue:
    """A unit with its meaning; `factors` are names and exponents for messages, `text` as written."""

    dimension: Dimension
    scale: Fraction | float
    one: Fraction | float
    factors: tuple[tuple[str, float], ...]
    text: str = ""

    @property
    def symbol(self) -> str:
        """As written, or composed: `mV*ms**-1`."""
        return self.text or symbol(self.factors)

    def __mul__(self, other: UnitValue) -> UnitValue:
        dimension = self.dimension * other.dimension
        factors = _merged(self.factors, other.factors, 1.0)
        return UnitValue(
            dimension, _times(self.scale, other.scale), _times(self.one, other.one), factors
        )

    def __truediv__(self, other: UnitValue) -> UnitValue:
        return self * other**-1.0

    def __pow__(self, power: float) -> UnitValue:
        factors = tuple((name, exponent * power) for name, exponent in self.factors)
        dimension = _rounded(self.dimension**power)
        return UnitValue(dimension, _power(self.scale, power), _power(self.one, power), factors)

    def unit(self) -> Unit:
        """As a unit of the canonical model, in a form that every version of NESTML reads."""
        return Unit(symbol(self.factors), self.dimension, float(self.scale))

    def cast(self) -> UnitValue:
        """The unit in which a bare number of this dimension is counted."""
        if electrical(self.dimension):
            return _engine(self.dimension)
        return UnitValue(self.dimension, self.one, self.one, self.factors, self._own_text())

    def _own_text(self) -> str:
        return self.text if self.scale == self.one else ""

    def same_size(self, other: UnitValue) -> bool:
        """True if no factor lies between the two."""
        return abs(float(self.scale) / float(other.scale) - 1.0) < 1e-12


def sound(value: UnitValue) -> bool:
    """True if the sizes are ordinary numbers."""
    if any(abs(exponent) > 100 for _, exponent in value.factors):
        return False
    try:
        return all(1e-300 < float(size) < 1e300 for size in (value.scale, value.one))
    except OverflowError:
        return False


NO_UNIT = UnitValue(units.NONE, Fraction(1), Fraction(1), ())


def symbol(factors: tuple[tuple[str, float], ...]) -> str:
    """`mV*ms/pF`, `1/ms`, `ms**-1/mV`; `1` for none. NESTML 9 stops at `1/(ms*mV)` behind a number.

    >>> symbol((("ms", -1.0), ("mV", -1.0)))
    'ms**-1/mV'
    """
    over = [name if e == 1 else f"{name}**{e:g}" for name, e in factors if e > 0]
    under = [(name, -e) for name, e in factors if e < 0]
    if not over and len(under) > 1:
        name, exponent = under.pop(0)
        over = [f"{name}**{-exponent:g}"]
    text = "*".join(over) or "1"
    for name, exponent in under:
        text += f"/{name}" if exponent == 1 else f"/{name}**{exponent:g}"
    return text


def electrical(dimension: Dimension) -> bool:
    """True for products of powers of voltage, current and time."""
    d = dimension
    return d.l == 2 * d.m and d.k == d.n == d.j == 0


@lru_cache(maxsize=256)
def _engine(dimension: Dimension) -> UnitValue:
    """What the engine counts a product of voltage, current and time in."""
    volt = dimension.m
    ampere = dimension.i + volt
    second = dimension.t + 3 * volt
    size = _times(
        _times(_power(Fraction(1, 1000), volt), _power(Fraction(1, 10**12), ampere)),
        _power(Fraction(1, 1000), second),
    )
    short = {(1, -1, 0): "GOhm", (-1, 1, 0): "nS", (-1, 1, 1): "pF", (0, 1, 1): "fC"}
    named = short.get((int(volt), int(ampere), int(second)))
    raw = (("mV", volt), ("pA", ampere), ("ms", second))
    factors = ((named, 1.0),) if named else tuple((n, float(e)) for n, e in raw if e)
    if any(e != int(e) for e in (volt, ampere, second)):
        factors = tuple((n, float(e)) for n, e in raw if e)
    return UnitValue(dimension, size, size, factors)


@lru_cache(maxsize=4096)
def atom(name: str) -> UnitValue | None:
    """The unit called `name`, None if there is none."""
    if name in ("min", "e", "M", "mM"):
        return None
    found = _PLAIN.get(name) or _with_prefix(name)
    if found is None:
        return None
    dimension, size = found
    scale = Fraction(size)
    one = _engine(dimension).scale if electrical(dimension) and dimension != units.NONE else scale
    return UnitValue(dimension, scale, one, ((name, 1.0),), name)


def _with_prefix(name: str) -> tuple[Dimension, str] | None:
    if name in _PREFIXED:
        return _PREFIXED[name]
    for prefixes, longest in ((_PREFIXES, 2), (_LONG_PREFIXES, 5)):
        for length in range(longest, 0, -1):
            power = prefixes.get(name[:length])
            base = name[length:]
            if power is None or base not in _PREFIXED or _is_word(base) != (longest == 5):
                continue
            dimension, size = _PREFIXED[base]
            return dimension, str(Fraction(size) * Fraction(10) ** power)
    return None


def _is_word(name: str) -> bool:
    """True for `volt`, which takes `milli`; false for `V`, which takes `m`."""
    return (len(name) > 3 and name not in ("barn", "statA")) or name == "amp"


def is_unit(name: str) -> bool:
    """True if a unit bears the name."""
    return atom(name) is not None


def value_of(unit: syntax.Unit, file: str) -> UnitValue:
    """The meaning of a unit as written. Raises ModelError N040."""
    total = NO_UNIT
    for factor in unit.factors:
        found = atom(factor.name)
        if found is None:
            raise unknown_unit(factor.name, Span(file, *factor.at))
        total = total * (found if factor.exponent == 1 else found**factor.exponent)
    if not sound(total):
        raise error("N040", f"the unit '{unit.text}' is beyond all numbers", Span(file, *unit.at))
    return UnitValue(total.dimension, total.scale, total.one, total.factors, unit.text)


COMMON = (
    "mV", "V", "pA", "nA", "A", "ms", "s", "us", "nS", "uS", "S", "pF", "nF", "F", "MOhm", "GOhm", "Ohm",
    "Hz", "kHz", "mmol", "mol", "um", "cm", "m", "K", "C", "pC", "uA", "mS", "uF", "kOhm", "l", "nmol",
)  # fmt: skip


def unknown_unit(name: str, span: Span) -> Exception:
    """The error about a name that is no unit."""
    special = {
        "mM": "a concentration is written 'mmol/l'", "M": "a concentration is written 'mol/l'",
        "degC": "temperatures are in 'K'", "min": "write '60 s', or 'minute'",
    }  # fmt: skip
    hint = special.get(name) or suggest(name, COMMON)
    return error("N040", f"there is no type or unit '{name}'", span, hint=hint)


def _merged(
    one: tuple[tuple[str, float], ...], other: tuple[tuple[str, float], ...], sign: float
) -> tuple[tuple[str, float], ...]:
    total = dict(one)
    for name, exponent in other:
        total[name] = total.get(name, 0.0) + sign * exponent
    return tuple((name, exponent) for name, exponent in total.items() if exponent)


def _times(one: Fraction | float, other: Fraction | float) -> Fraction | float:
    return one * other


def _power(base: Fraction | float, power: float) -> Fraction | float:
    """Exact for whole exponents."""
    if isinstance(base, Fraction) and power == int(power):
        return base ** int(power)
    return float(float(base) ** power)


def _rounded(dimension: Dimension) -> Dimension:
    """Exponents that are whole up to rounding made whole."""
    return Dimension(
        *(float(round(e)) if abs(e - round(e)) < 1e-9 else e for e in dimension.exponents)
    )
