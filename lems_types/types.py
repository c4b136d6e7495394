"""Component types with inheritance resolved, units and dimensions: what a document can refer to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..canonical_model.diagnostics import Span, error, suggest
from ..canonical_model.units import NONE, Dimension, Quantity, Unit, dimension_name
from . import syntax
from .definitions import Definitions
from .library_reader import (
    standard_dimensions,
    standard_type,
    standard_type_names,
    standard_units,
)

_QUANTITY = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(.*?)\s*$", re.DOTALL)
ANY_DIMENSION = "*"


@dataclass(frozen=True, slots=True)
class ResolvedType:
    """A component type with everything it inherits; `lineage` starts with the type itself."""

    name: str
    lineage: tuple[str, ...]
    members: tuple[syntax.Member, ...]
    dynamics: syntax.Dynamics | None
    structure: tuple[syntax.Build, ...]
    is_standard: bool
    description: str = ""
    span: Span | None = None

    def of_kind(self, *kinds: str) -> Iterator[syntax.Member]:
        """The members of these LEMS element names, bases first."""
        return (member for member in self.members if member.kind in kinds)


@dataclass(slots=True)
class Types:
    """Looks up types, dimensions and units: the document's own first, then NeuroML2's."""

    document: Definitions
    _resolved: dict[str, ResolvedType] = field(default_factory=dict)

    def find(self, name: str) -> syntax.ComponentType | None:
        """The type as written, or None."""
        return self.document.types.get(name) or standard_type(name)

    def names(self) -> list[str]:
        """Every known type name."""
        return [*self.document.types, *standard_type_names()]

    def resolve(self, name: str, span: Span | None = None) -> ResolvedType:
        """The type with its bases merged in. Raises ModelError L120 (unknown), L121 (cyclic)."""
        found = self._resolved.get(name)
        if found is None:
            found = self._resolved[name] = self._resolve(name, span)
        return found

    def _resolve(self, name: str, span: Span | None) -> ResolvedType:
        chain: list[syntax.ComponentType] = []
        while name:
            if any(item.name == name for item in chain):
                path = " -> ".join([*(item.name for item in chain), name])
                raise error("L121", f"component types extend each other: {path}", chain[-1].span)
            found = self.find(name)
            if found is None:
                where = chain[-1].span if chain else span
                message = f"there is no component type '{name}'"
                if chain:
                    message = f"'{chain[-1].name}' extends '{name}', which is not a known type"
                raise error("L120", message, where, hint=suggest(name, self.names()))
            chain.append(found)
            name = found.extends
        return _merge(chain)

    def is_a(self, name: str, base: str) -> bool:
        """True if type `name` is `base` or extends it (`Component` is every type's base)."""
        return base == "Component" or base in self.resolve(name).lineage

    def dimension(self, name: str, span: Span | None = None) -> Dimension:
        """A dimension by name. Raises ModelError L122."""
        found = self.document.dimensions.get(name) or standard_dimensions().get(name)
        if found is not None:
            return found
        if name in ("none", "", ANY_DIMENSION):
            return NONE
        known = [*self.document.dimensions, *standard_dimensions(), "none"]
        hint = suggest(name, known)
        raise error("L122", f"there is no dimension '{name}'", span, hint=hint)

    def unit(self, symbol: str) -> Unit | None:
        """A unit by symbol, or None."""
        return self.document.units.get(symbol) or standard_units().get(symbol)

    def quantity(self, text: str, expected: Dimension | None, span: Span | None) -> Quantity:
        """Read `-4.5 per_ms`; `expected` None accepts any dimension.

        Raises ModelError L123 (not a number), L124 (unknown unit), L125 (wrong dimension).
        """
        match = _QUANTITY.match(text)
        if not match:
            message = f"'{text}' is not a number with a unit"
            raise error("L123", message, span, hint="write for example -65mV, 0.2 nA or 3.5")
        number, symbol = match.groups()
        if not symbol:
            if expected is not None and expected != NONE:
                message = f"'{text}' has no unit, but a {dimension_name(expected)} is expected"
                raise error("L125", message, span, hint=self._example(expected))
            return Quantity(float(number))
        unit = self.unit(symbol)
        if unit is None:
            known = [*self.document.units, *standard_units()]
            message = f"there is no unit '{symbol}' in '{text.strip()}'"
            raise error("L124", message, span, hint=suggest(symbol, known))
        if expected is not None and unit.dimension != expected:
            message = (
                f"'{text.strip()}' is a {dimension_name(unit.dimension)}, "
                f"but a {dimension_name(expected)} is expected"
            )
            raise error("L125", message, span, hint=self._example(expected))
        return Quantity(float(number), unit)

    def _example(self, dimension: Dimension) -> str:
        units = {**standard_units(), **self.document.units}
        symbols = [unit.symbol for unit in units.values() if unit.dimension == dimension]
        return f"units of that dimension: {', '.join(symbols[:8])}" if symbols else ""


def _merge(chain: list[syntax.ComponentType]) -> ResolvedType:
    """Members of the bases first; a type's own member replaces an inherited one of that name."""
    members: dict[tuple[str, str], syntax.Member] = {}
    for item in reversed(chain):
        for member in item.members:
            group = "Fixed" if member.kind == "Fixed" else _namespace(member.kind)
            members[group, member.name] = member
    dynamics = next((item.dynamics for item in chain if item.dynamics is not None), None)
    if dynamics is not None and dynamics.extends_super:
        dynamics = _with_super([item.dynamics for item in chain if item.dynamics is not None])
    structure = next((item.structure for item in chain if item.structure), ())
    return ResolvedType(
        name=chain[0].name,
        lineage=tuple(item.name for item in chain),
        members=tuple(members.values()),
        dynamics=dynamics,
        structure=structure,
        is_standard=chain[0].is_standard,
        description=chain[0].description,
        span=chain[0].span,
    )


def _namespace(kind: str) -> str:
    """Quantities share one name space; exposures, ports and structural members have their own."""
    quantities = ("Parameter", "DerivedParameter", "Constant", "Property", "IndexParameter")
    return "quantity" if kind in quantities else kind


def _with_super(levels: list[syntax.Dynamics]) -> syntax.Dynamics:
    """`<Super/>`: the inherited dynamics with this type's additions after it."""
    merged = levels[-1]
    for level in reversed(levels[:-1]):
        if not level.extends_super:
            merged = level
            continue
        merged = syntax.Dynamics(
            state_variables=merged.state_variables + level.state_variables,
            derived_variables=merged.derived_variables + level.derived_variables,
            derivatives=merged.derivatives + level.derivatives,
            handlers=merged.handlers + level.handlers,
            regimes=merged.regimes + level.regimes,
            schemes=merged.schemes + level.schemes,
            span=level.span,
        )
    return merged
