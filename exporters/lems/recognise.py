"""Components that are a NeuroML type under another name: found by their equations, proven at random points.

States and inputs are mapped by dimension, the values of the type's parameters are those for which all rates,
tests, assignments and initial values agree; if there are none, the component is another model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, islice, permutations
from typing import TYPE_CHECKING, Any, Protocol

from ...canonical_model.diagnostics import Log, ModelError
from ...canonical_model.expr import TIME, Binary, Expr, Name, substitute
from ...canonical_model.model import Component
from ...canonical_model.passes.flatten import flatten
from ...canonical_model.passes.literals import literals_in
from ...canonical_model.query import statics
from ...canonical_model.units import (
    CAPACITANCE,
    CONDUCTANCE,
    CURRENT,
    FREQUENCY,
    NEURO,
    NONE,
    VOLTAGE,
    Dimension,
    Quantity,
    si_quantity,
)
from ...canonical_model.units import TIME as TIME_DIMENSION
from ...lems_types import syntax
from ...lems_types.definitions import Definitions
from ...lems_types.library_reader import standard_units
from ...lems_types.lower import Lowering
from ...lems_types.types import Types
from .forms import MAX_STATES, Form, Jump, form_of
from .identify import identify

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# types without parts of their own, simpler ones first; those that draw cannot be proven this way
CELLS = (
    "iafTauCell", "iafTauRefCell", "iafCell", "iafRefCell", "izhikevichCell", "izhikevich2007Cell",
    "adExIaFCell", "fitzHughNagumo1969Cell", "fitzHughNagumoCell", "hindmarshRose1984Cell",
    "IF_curr_exp", "EIF_cond_exp_isfa_ista", "HH_cond_exp", "pinskyRinzelCA3Cell", "spikeGenerator",
)  # fmt: skip
ATTACHED = (
    "expOneSynapse", "alphaCurrentSynapse", "alphaSynapse", "expTwoSynapse", "pulseGenerator",
    "sineGenerator", "rampGenerator", "expThreeSynapse", "pulseGeneratorDL", "sineGeneratorDL",
    "rampGeneratorDL", "voltageClamp", "voltageClampTriple",
)  # fmt: skip
WEIGHT = "weight"
SCALE = "scale of "
GIVEN = ("i", "I")  # what an attached component gives its cell
POINTS, PROOF = 12, 64
MAX_WAYS = 48
MAX_RATIOS = 12
MAX_TIMES = 8
USUAL = frozenset(
    {CONDUCTANCE, CAPACITANCE, FREQUENCY, TIME_DIMENSION, CURRENT, CONDUCTANCE / VOLTAGE}
)
TIGHT = 1e-9
RANGES: Mapping[Dimension, tuple[float, float]] = {
    VOLTAGE: (-90.0, -30.0), CURRENT: (-200.0, 200.0), CONDUCTANCE: (0.1, 20.0), NONE: (-2.0, 2.0),
    TIME_DIMENSION: (1.0, 100.0),
}  # fmt: skip
# for the proof: what is another model below rest, above threshold or of the other sign is seen here
WIDE = {**RANGES, VOLTAGE: (-120.0, 60.0), CONDUCTANCE: (-20.0, 20.0)}
MOST = 1.0  # V: a potential beyond it is but a way to make a term vanish


@dataclass(frozen=True, slots=True)
class Recognised:
    """The type, its parameters' values, and what the component's parts are called in it."""

    type: str
    values: Mapping[str, Quantity]
    names: Mapping[str, str]
    component: Component


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A type's component in neutral units, with its form."""

    component: Component
    form: Form


_PATTERNS: dict[str, _Pattern | None] = {}


def recognise(component: Component, is_cell: bool) -> Recognised | None:
    """The NeuroML type that a component is, or None. `is_cell` says where instances of it stand."""
    try:
        flat = literals_in(flatten(component).component, NEURO)
    except ModelError:
        return None
    if any(p.value is None for p in flat.parameters):
        return None
    form = form_of(flat)
    if form is None or (not form.states and is_cell):
        return None
    for name in CELLS if is_cell else ATTACHED:
        pattern = _pattern(name)
        if pattern is not None and _could_be(form, flat, pattern):
            found = _match(name, form, flat, pattern)
            if found is not None:
                return found
    return None


def _pattern(name: str) -> _Pattern | None:
    """The pattern of a type, made once."""
    if name not in _PATTERNS:
        lowering = Lowering(Types(Definitions()), Log())
        resolved = lowering.types.resolve(name)
        symbols: dict[Dimension, str] = {}
        for unit in standard_units().values():
            if not unit.offset:
                symbols.setdefault(unit.dimension, unit.symbol)
        fixed = {m.name for m in resolved.of_kind("Fixed")}
        values = {
            m.name: syntax.Text("1" + symbols.get(lowering.types.dimension(m.dimension), ""))
            for m in resolved.of_kind("Parameter")
            if m.name not in fixed
        }
        written = syntax.Component(tag=name, id=name, attributes=values)
        flat = flatten(lowering.lower(written, name)).component
        neutral = literals_in(flat, NEURO)
        form = form_of(neutral)
        _PATTERNS[name] = None if form is None else _Pattern(neutral, form)
    return _PATTERNS[name]


def _could_be(form: Form, flat: Component, pattern: _Pattern) -> bool:
    """Do the counts agree?"""
    other = pattern.form
    if len(form.states) != len(other.states):
        return False
    if len(form.modes) != len(other.modes):
        return False
    shapes = [
        [(j.target, j.sends, len(j.tests), j.wait is None) for j in m.jumps] for m in form.modes
    ]
    wanted = [
        [(j.target, j.sends, len(j.tests), j.wait is None) for j in m.jumps] for m in other.modes
    ]
    if shapes != wanted:
        return False
    counts = [len(m.events) for m in form.modes]
    if counts != [len(m.events) for m in other.modes]:
        return False
    return len(flat.event_outputs) <= 1 and len(flat.event_inputs) <= 1


def _match(name: str, form: Form, flat: Component, pattern: _Pattern) -> Recognised | None:
    inputs = _inputs(flat, pattern.component)
    if inputs is None:
        return None
    ways = list(islice(_assignments(form.states, pattern.form.states), MAX_WAYS))
    for scaled in (False, True):
        for states in ways:
            hidden = _hidden(form, states, pattern.form, scaled)
            if hidden is None:
                continue
            problem = _Problem(form, flat, pattern, states, inputs, hidden)
            found = problem.solve()
            if found is not None:
                return Recognised(name, found, problem.names(), pattern.component)
    return None


def _hidden(
    form: Form, states: Mapping[str, str], other: Form, scaled: bool
) -> frozenset[str] | None:
    """The type's states that may be a multiple of ours; None if this way needs more or nothing new."""
    unlike = {its for mine, its in states.items() if form.states[mine] != other.states[its]}
    if not scaled:
        return None if unlike else frozenset()
    free = {its for mine, its in states.items() if form.states[mine] != VOLTAGE}
    return frozenset(free) if free else None


def _assignments(
    own: Mapping[str, Dimension], other: Mapping[str, Dimension]
) -> Iterator[dict[str, str]]:
    """Ways to pair states, potentials with potentials: own name -> the type's."""
    if own == other:
        yield {name: name for name in own}
    names = list(own)
    # more states than these are told by their names, or not at all
    for order in permutations(other) if len(own) <= MAX_STATES else ():
        found = dict(zip(names, order, strict=True))
        # potentials are what they are; other states may be held in other units
        if all((own[a] == VOLTAGE) == (other[b] == VOLTAGE) for a, b in found.items()):
            yield found


def _inputs(flat: Component, other: Component) -> dict[str, str] | None:
    """Own inputs -> the type's; None if one has no counterpart."""
    found: dict[str, str] = {}
    for item in flat.analog_inputs:
        match = next(
            (
                i.name
                for i in other.analog_inputs
                if i.name not in found.values()
                and i.dimension == item.dimension
                and bool(i.reduce) == bool(item.reduce)
            ),
            None,
        )
        if match is None:
            return None
        found[item.name] = match
    return found


class _Both(Protocol):
    """Notes that two expressions must agree; `state` is the one that they are values of."""

    def __call__(self, one: Expr | None, two: Expr | None, state: str = "") -> None: ...


@dataclass(slots=True)
class _Problem:
    """One way to map a component onto a type; `solve` finds the parameters or shows that there are none."""

    form: Form
    flat: Component
    pattern: _Pattern
    states: Mapping[str, str]
    inputs: Mapping[str, str]
    hidden: frozenset[str]

    def names(self) -> dict[str, str]:
        """What states and what shows them are called in the type."""
        found = {mine: its for mine, its in self.states.items() if its not in self.hidden}
        for exposure in self.flat.exposures:
            if exposure.variable in found:
                found[exposure.name] = self.states[exposure.variable]
        for exposure in self.flat.exposures:
            known = exposure.name in found or exposure.variable in self.states
            if exposure.name in self.form.outputs and not known:
                mine = self.output_pair(exposure.name)
                if mine is not None:
                    found[exposure.name] = mine
        return found

    def output_pair(self, name: str) -> str | None:
        """The type's exposure that stands for one of ours: what it gives, or the only fitting one."""
        sizes = {e.name: e.dimension for e in self.pattern.component.exposures}
        own = next(e.dimension for e in self.flat.exposures if e.name == name)
        outputs = {n: v for n, v in self.pattern.form.outputs.items() if sizes.get(n) == own}
        given = [n for n in outputs if n in GIVEN]
        if given:
            return given[0]
        states: list[Expr] = [Name(state) for state in self.pattern.form.states]
        rest = [n for n, v in outputs.items() if v not in states]
        return rest[0] if len(rest) == 1 else None

    def unknown(self) -> list[str]:
        """Parameters of the type that have to be found."""
        return [p.name for p in self.pattern.component.parameters if p.name != WEIGHT]

    def pairs(self) -> tuple[list[Expr], list[Expr]]:
        """Expressions of ours and of the type that must agree."""
        own: list[Expr] = []
        other: list[Expr] = []
        back = self.pattern.form

        multiples: dict[str, Expr] = {
            its: Binary("*", Name(SCALE + its), Name(its)) for its in self.hidden
        }

        def both(one: Expr | None, two: Expr | None, state: str = "") -> None:
            if one is not None and two is not None:
                own.append(one)
                two = substitute(two, multiples)
                other.append(Binary("/", two, Name(SCALE + state)) if state in self.hidden else two)

        for mine, its in self.states.items():
            both(self.form.initial[mine], back.initial[its], its)
        for one, two in zip(self.form.modes, back.modes, strict=True):
            for mine, its in self.states.items():
                both(one.rates[mine], two.rates[its], its)
            jumps = [
                *zip(one.jumps, two.jumps, strict=True),
                *zip(one.events, two.events, strict=True),
            ]
            for a, b in jumps:
                self.jump(a, b, both)
        for name in self.form.outputs:
            if name in {e.name for e in self.flat.exposures if e.variable in self.states}:
                continue
            its_name = self.output_pair(name)
            if its_name is not None:
                both(self.form.outputs[name], back.outputs[its_name])
        return own, other

    def jump(self, a: Jump, b: Jump, both: _Both) -> None:
        """Tests, values and durations."""

        for one, two in zip(a.tests, b.tests, strict=True):
            both(one, two)
        for mine, its in self.states.items():
            if mine in a.values or its in b.values:
                both(a.values.get(mine, Name(mine)), b.values.get(its, Name(its)), its)
        both(a.wait, b.wait)

    def solve(self) -> dict[str, Quantity] | None:
        """The parameters' values, None if no values make the two agree."""
        gives = [n for n in self.pattern.form.outputs if n in GIVEN]
        shown = [n for n in self.form.outputs if self.output_pair(n) in GIVEN]
        if bool(gives) != (len(shown) == 1):
            return None
        own, other = self.pairs()
        unknown = self.unknown()
        own_values = self.own_values()
        candidates = self.candidates(own_values)
        dimensions = {p.name: p.dimension for p in self.pattern.component.parameters}
        starts = {n: [si / NEURO.size(dimensions[n]) for si in candidates.get(dimensions[n], {})]
                  for n in unknown}  # fmt: skip
        namesakes = {s.name: s.dimension for s in statics(self.flat)}
        likely = {n: own_values[n] for n in unknown if namesakes.get(n) == dimensions[n]}
        scales = [SCALE + its for its in sorted(self.hidden)]
        found = identify(
            own, other, self.points(POINTS, 1, RANGES), self.points(PROOF, 2, WIDE),
            [*unknown, *scales], starts, TIGHT, frozenset(scales), likely,
        )  # fmt: skip
        if found is None:
            return None
        result = {}
        for name in unknown:
            dimension = dimensions[name]
            known = candidates.get(dimension, {})
            result[name] = _quantity(found[name], dimension, known)
            far = dimension == VOLTAGE and abs(result[name].si) > MOST
            if far and all(abs(si) <= MOST for si in known):
                return None
        return result

    def own_values(self) -> dict[str, float]:
        """Values of everything static, in neutral units."""
        from ...solvers.evaluate import parameter_values

        return {n: float(v) for n, v in parameter_values(self.flat, units=NEURO).items()}

    def candidates(self, values: Mapping[str, float]) -> dict[Dimension, dict[float, Quantity]]:
        """Quantities of the component by dimension, with their SI value."""
        found: dict[Dimension, dict[float, Quantity]] = {}
        for item in statics(self.flat):
            si = float(values[item.name]) * NEURO.size(item.dimension)
            written = item.value
            quantity = written if isinstance(written, Quantity) else si_quantity(si, item.dimension)
            found.setdefault(item.dimension, {}).setdefault(si, quantity)
        return _with_ratios(found)

    def points(
        self, count: int, seed: int, ranges: Mapping[Dimension, tuple[float, float]]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Values of all free names at random points within `ranges`, for ours and for the type."""
        import numpy as np

        from ...solvers.evaluate import parameter_values

        draw = np.random.default_rng(seed)

        def some(dimension: Dimension) -> Array:
            low, high = ranges.get(dimension, (0.5, 2.0))
            return draw.uniform(low, high, count)

        own: dict[str, Any] = dict(parameter_values(self.flat, units=NEURO))
        other: dict[str, Any] = {
            c.name: c.value.si / NEURO.size(c.dimension) for c in self.pattern.component.constants
        }
        times = [
            abs(float(own[s.name])) for s in statics(self.flat) if s.dimension == TIME_DIMENSION
        ]
        own[TIME] = other[TIME] = _moments(draw, times, count)
        for mine, its in self.states.items():
            own[mine] = other[its] = some(self.form.states[mine])
        for item in self.pattern.component.analog_inputs:
            other[item.name] = np.zeros(count)
        for item in self.flat.analog_inputs:
            own[item.name] = other[self.inputs[item.name]] = some(item.dimension)
        weight = draw.uniform(0.5, 2.0, count)
        is_weighted = any(WEIGHT in p.payload for p in self.flat.event_inputs) or any(
            p.name == WEIGHT for p in self.flat.parameters
        )
        other[WEIGHT] = weight if is_weighted else np.ones(count)
        own[WEIGHT] = other[WEIGHT]
        return own, other


def _moments(draw: np.random.Generator, times: Sequence[float], count: int) -> Array:
    """Points in time (ms), in the whole and as often between any two of those that are named or add up."""
    import numpy as np

    sums = (a + b for a, b in combinations(sorted(set(times))[:MAX_TIMES], 2))
    edges = np.array(sorted({0.0, 200.0, *times, *sums}))
    edges = np.append(edges, 1.1 * edges[-1])
    places = draw.integers(0, len(edges) - 1, count)
    between = draw.uniform(edges[places], edges[places + 1])
    return np.where(np.arange(count) % 2, between, draw.uniform(0.0, edges[-1], count))


def _with_ratios(
    known: dict[Dimension, dict[float, Quantity]],
) -> dict[Dimension, dict[float, Quantity]]:
    """Products and ratios of two quantities too: a conductance may be given as capacitance over time."""
    plain = [(d, si) for d, values in known.items() for si in values if si]
    if len(plain) > MAX_RATIOS:
        return known
    found = {dimension: dict(values) for dimension, values in known.items()}
    for d, x in [*plain, (NONE, 1.0)]:
        for e, y in plain:
            for dimension, value in ((d / e, x / y), (d * e, x * y)):
                if dimension in USUAL and dimension not in known:
                    found.setdefault(dimension, {}).setdefault(value, _nice(value, dimension))
    return found


def _quantity(value: float, dimension: Dimension, known: Mapping[float, Quantity]) -> Quantity:
    """A value in the neutral units as a quantity: one of the component's own where it agrees."""
    si = value * NEURO.size(dimension)
    for other, quantity in known.items():
        if abs(other - si) <= 1e-9 * abs(other):
            return quantity
    return _nice(si, dimension)


def _nice(si: float, dimension: Dimension) -> Quantity:
    """A value in SI as a quantity in the units of this field."""
    size = NEURO.size(dimension)
    for unit in standard_units().values():
        if unit.dimension == dimension and unit.scale == size and not unit.offset:
            return Quantity(float(f"{si / size:.12g}"), unit)
    return si_quantity(float(f"{si:.12g}"), dimension)


__all__ = ["Recognised", "recognise"]
