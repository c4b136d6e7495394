"""Write straight-line programs: fresh names, derived variables evaluated where and when needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..canonical_model.algebra import times
from ..canonical_model.expr import TIME, Expr, Name, Number, is_random, substitute
from .plan import STEP, Instruction
from .system import System


@dataclass(slots=True)
class Names:
    """Hands out names that nothing else in the component or plan has."""

    taken: set[str]

    def fresh(self, wanted: str) -> str:
        """`wanted`, with underscores appended until it is free."""
        name = wanted
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        return name


@dataclass(slots=True)
class Builder:
    """The instructions of one program."""

    system: System
    names: Names
    instructions: list[Instruction] = field(default_factory=list)
    _held: dict[str, Expr] = field(default_factory=dict)

    def let(self, wanted: str, value: Expr) -> Expr:
        """A new local with this value; literals and names are passed on as they are."""
        if isinstance(value, Name | Number):
            return value
        name = self.names.fresh(wanted)
        self.instructions.append(Instruction(target=name, value=value))
        return Name(name)

    def stage(self, states: Mapping[str, Expr], fraction: float, suffix: str) -> Stage:
        """A point in the step: the states' values there and the time `t + fraction * h`."""
        values = dict(states)
        if fraction:
            from ..canonical_model.algebra import plus

            values[TIME] = plus(Name(TIME), times(Number(fraction), Name(STEP)))
        return Stage(self, values, suffix)


@dataclass(slots=True)
class Stage:
    """Evaluates expressions at one point of the step; derived variables are computed once each."""

    builder: Builder
    values: dict[str, Expr]
    suffix: str
    _derived: dict[str, Expr] = field(default_factory=dict)

    def need(self, names: Iterable[str]) -> None:
        """Compute these derived variables, and what they depend on, in order of dependence."""
        system = self.builder.system
        wanted = set(names) & system.definitions.values.keys()
        for name in tuple(wanted):
            wanted |= system.definitions.of_name(name) & system.definitions.values.keys()
        for name in system.order:
            if name in wanted and name not in self._derived:
                self._derived[name] = self._compute(name)

    def _compute(self, name: str) -> Expr:
        builder = self.builder
        definitions = builder.system.definitions
        moving = definitions.of_name(name) & self.values.keys()
        value = definitions.values[name]
        if moving or is_random(value):
            return builder.let(f"{name}{self.suffix}", self._bind(value))
        # the same at every stage: computed once in the program
        if name not in builder._held:
            builder._held[name] = builder.let(
                name if not self.suffix else f"{name}_0", self._bind(value)
            )
        return builder._held[name]

    def _bind(self, expr: Expr) -> Expr:
        return substitute(expr, {**self.values, **self._derived})

    def value(self, expr: Expr) -> Expr:
        """`expr` here, in terms of locals."""
        self.need(self.builder.system.definitions.depends(expr))
        return self._bind(expr)
