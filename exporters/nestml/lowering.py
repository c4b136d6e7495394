"""What is gathered while a component becomes the program of a time step."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...canonical_model.expr import (
    Binary,
    Call,
    Expr,
    Name,
    Number,
)
from ...canonical_model.model import (
    Component,
    DerivedParameter,
    Function,
    Statement,
    StateVariable,
)
from ...canonical_model.units import TIME as TIME_DIMENSION

HALF = "half_step"


@dataclass(slots=True)
class Lowering:
    """A component on its way, and the names that it has."""

    component: Component
    taken: set[str]
    statics: list[DerivedParameter] = field(default_factory=list)
    states: list[StateVariable] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)
    start: list[Statement] = field(default_factory=list)
    finish: list[Statement] = field(default_factory=list)

    def fresh(self, wanted: str) -> str:
        """A name that the component does not have yet."""
        name = wanted
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        return name

    def half_step(self) -> Expr:
        """Half of the step, as an internal quantity made when first needed."""
        if not any(item.name == HALF for item in self.statics):
            self.taken.add(HALF)
            value = Binary("*", Number(0.5), Call("resolution"))
            self.statics.append(
                DerivedParameter(
                    name=HALF,
                    dimension=TIME_DIMENSION,
                    value=value,
                    description="events count at the nearest end of a step",
                )
            )
        return Name(HALF)
