"""Which state, input, port and regime of one component is which of another's.

Candidates come from dimensions, the graph of dependence and names; the equations decide, evaluated at
random points. A quantity without dimension may stand for one with (a voltage as a number of mV).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from itertools import permutations
from typing import TYPE_CHECKING, Any

from ...canonical_model.expr import COMPARISONS, Binary, free_names, walk
from ...canonical_model.model import Component
from ...canonical_model.query import conditions
from ...canonical_model.units import CURRENT, NEURO, NONE, TIME, VOLTAGE, Dimension
from .points import NOW, Combination, Effect, Subject, dependencies, moments

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

COUNT = 256
TOLERANCE = 1e-6
MAX_TRIALS = 150
MAX_SHIFTS = 40
SEED = 20240
CLOSE = tuple(sign * 10.0**-k for k in range(2, 6) for sign in (1, -1))  # shares of a range

Pairs = dict[
    str, tuple[str, float]
]  # name of A -> name of B and the factor: b = factor * a + shift


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Something that is not the same at the points: where, and a sample.

    `kind` is rate, value, condition, event or weight.
    """

    kind: str
    name: str
    other: str
    regime: str
    share: float
    sample: str


@dataclass(frozen=True, slots=True)
class Shift:
    """B counts a state from elsewhere: `value` (SI) is added to A's, in words what `name` says."""

    value: float
    name: str


@dataclass(slots=True, eq=False)
class Match:
    """A way to see B as A, and what then still disagrees."""

    states: Pairs
    inputs: Pairs
    ports: dict[str, str]
    outputs: dict[str, str]
    regimes: dict[Combination, Combination]
    disagreements: list[Disagreement] = field(default_factory=list)
    shifts: dict[str, Shift] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)
    moments: tuple[float, ...] = (NOW,)

    def seen(self, x: str, values: Any) -> Any:
        """Values of A's state `x` as B counts them."""
        shift = self.shifts.get(x)
        return values * self.states[x][1] + (shift.value if shift else 0.0)


def best_match(a: Subject, b: Subject) -> Match | None:
    """The match with the fewest disagreements; None where states or regimes cannot be paired."""
    if len(a.states) != len(b.states) or len(a.combinations) != len(b.combinations):
        return None
    best: Match | None = None
    for number, match in enumerate(_candidates(a, b)):
        if number == MAX_TRIALS:
            break
        match.disagreements = compare(a, b, match, {})
        if best is None or len(match.disagreements) < len(best.disagreements):
            best = match
        if not best.disagreements:
            break
    if best is not None and best.disagreements:
        best = _shifted(a, b, best)
    if best is not None:
        best.moments = moments(a.component, b.component)
        best.disagreements = compare(a, b, best, {})
    return best


def _shifted(a: Subject, b: Subject, match: Match) -> Match:
    """The match with voltages counted from elsewhere (from rest, say), if that explains more."""
    best = match
    pairs = {x: y for x, (y, _) in match.states.items() if VOLTAGE in (a.states[x], b.states[y])}
    trials: list[tuple[bool, tuple[str, ...], Shift]] = []
    for x, y in pairs.items():
        factor = match.states[x][1]
        gap = b.initial[y] - a.initial[x] * factor
        for shift in shifts(a.statics, a.dimensions, b.statics, b.dimensions, factor):
            is_start = abs(gap - shift.value) <= TOLERANCE * abs(shift.value)
            several = {tuple(pairs), (x,)}
            trials += [(not is_start, names, shift) for names in sorted(several)]
    # what explains the initial values is the likeliest
    for _, names, shift in sorted(trials, key=lambda item: item[0])[:MAX_SHIFTS]:
        trial = replace(match, shifts=dict.fromkeys(names, shift))
        trial.disagreements = compare(a, b, trial, {})
        if len(trial.disagreements) < len(best.disagreements):
            best = trial
        if not best.disagreements:
            break
    return best


def shifts(
    ours: Mapping[str, float],
    kinds: Mapping[str, Dimension],
    theirs: Mapping[str, float],
    their_kinds: Mapping[str, Dimension],
    factor: float = 1.0,
) -> Iterator[Shift]:
    """Ways in which a voltage may be counted from elsewhere: by a fixed voltage of either model.

    The arguments are values (SI) and dimensions by name; `factor` brings A's to B's unit.
    """
    tables = ((ours, kinds, factor, "first"), (theirs, their_kinds, 1.0, "second"))
    for values, dimensions, size, which in tables:
        for name, value in values.items():
            if dimensions[name] == VOLTAGE and value:
                for sign, word in ((1.0, "+"), (-1.0, "-")):
                    yield Shift(sign * size * value, f"{word} '{name}' of the {which} model")


def _candidates(a: Subject, b: Subject) -> Iterator[Match]:
    inputs = _pair_inputs(a, b)
    ports = pair_names(a.ports, b.ports)
    outputs = pair_names(a.outputs, b.outputs)
    seen = pair_shown(a.shown, b.shown)
    for states in _pair_states(a, b):
        for regimes in _pair_regimes(a, b):
            for factors in _factors(a, b, states):
                pairs = {x: (y, factors[x]) for x, y in states.items()}
                yield Match(pairs, inputs, ports, outputs, regimes, shown=seen)


def likeness(one: str, other: str) -> float:
    """How alike two names are, from 0 to 1, without case and underscores."""
    first, second = plain(one), plain(other)
    if first == second:
        return 1.0
    return 0.9 * SequenceMatcher(None, first, second).ratio()


def plain(name: str) -> str:
    """A name without case, underscores and what merely says what it is.

    >>> plain("V_m") == plain("v_M")
    True
    """
    return re.sub(r"[^a-z0-9]", "", name.lower())


def pair_names(ours: Sequence[str], theirs: Sequence[str]) -> dict[str, str]:
    """Pairs by likeness, each name once; the only two names are a pair whatever they are."""
    if len(ours) == len(theirs) == 1:
        return {ours[0]: theirs[0]}
    ranked = sorted(
        ((-likeness(x, y), i, j) for i, x in enumerate(ours) for j, y in enumerate(theirs))
    )
    pairs: dict[str, str] = {}
    for _, i, j in ranked:
        if ours[i] not in pairs and theirs[j] not in pairs.values():
            pairs[ours[i]] = theirs[j]
    return pairs


def pair_shown(ours: Mapping[str, Dimension], theirs: Mapping[str, Dimension]) -> dict[str, str]:
    """What others see of two components: of one name and dimension, or the only ones of a dimension."""
    pairs: dict[str, str] = {}
    for is_named in (True, False):
        for x, dimension in ours.items():
            left = [y for y, d in theirs.items() if d == dimension and y not in pairs.values()]
            if is_named:
                left = [y for y in left if plain(y) == plain(x)]
            alone = sum(d == dimension for o, d in ours.items() if o not in pairs) == 1
            if x not in pairs and len(left) == 1 and (is_named or alone):
                pairs[x] = left[0]
    return pairs


def pair_states(a: Component, b: Component) -> dict[str, str]:
    """States of the same name and dimension, case and underscores aside, and the only voltages."""
    ours, theirs = ({s.name: s.dimension for s in c.state_variables} for c in (a, b))
    pairs = {x: x for x, dimension in ours.items() if theirs.get(x) == dimension}
    left = {(plain(y), d): y for y, d in reversed(theirs.items()) if y not in pairs}
    for x, dimension in ours.items():
        if x not in pairs and (plain(x), dimension) in left:
            pairs[x] = left.pop((plain(x), dimension))
    voltages = [[n for n, d in names.items() if d == VOLTAGE] for names in (ours, theirs)]
    if len(voltages[0]) == len(voltages[1]) == 1:
        pairs[voltages[0][0]] = voltages[1][0]
    return pairs


def _pair_states(a: Subject, b: Subject) -> Iterator[dict[str, str]]:
    """Assignments of states, the most likely first."""
    ours, theirs = _colours(a), _colours(b)

    def rank(x: str, y: str) -> float:
        return 2.0 * (ours[x] == theirs[y]) + likeness(x, y)

    names = sorted(a.states, key=lambda x: -max(rank(x, y) for y in b.states))
    fits = {
        x: sorted(
            (y for y in b.states if _may_be(a.states[x], b.states[y])), key=lambda y: -rank(x, y)
        )
        for x in names
    }

    def extend(chosen: dict[str, str]) -> Iterator[dict[str, str]]:
        if len(chosen) == len(names):
            yield dict(chosen)
            return
        x = names[len(chosen)]
        for y in fits[x]:
            if y not in chosen.values():
                yield from extend({**chosen, x: y})

    yield from extend({})


def _may_be(one: Dimension, other: Dimension) -> bool:
    return one == other or NONE in (one, other)


def _colours(subject: Subject) -> dict[str, object]:
    """What a state is in the graph of dependence, names left out: three rounds of refinement."""
    graph = dependencies(subject.component)
    colours: dict[str, object] = {name: len(graph.get(name, ())) for name in subject.states}
    for _ in range(3):
        colours = {
            name: (
                hash(colours[name]),
                tuple(sorted(hash(colours[o]) for o in graph.get(name, ()) if o in colours)),
            )
            for name in colours
        }
    return colours


def _factors(a: Subject, b: Subject, states: Mapping[str, str]) -> Iterator[dict[str, float]]:
    """Scales of the paired states: units where one has none, else the ratio of initial values."""
    plain_ones = {x: _unit_factor(a.states[x], b.states[y]) for x, y in states.items()}
    yield plain_ones
    ratios = dict(plain_ones)
    for x, y in states.items():
        own, other = a.initial[x], b.initial[y]
        free = a.states[x] == NONE or b.states[y] == NONE
        if free and own and other and abs(other / own / plain_ones[x] - 1) > TOLERANCE:
            ratios[x] = other / own
    if ratios != plain_ones:
        yield ratios


def _unit_factor(one: Dimension, other: Dimension) -> float:
    if one == other:
        return 1.0
    return NEURO.size(other) if one == NONE else 1.0 / NEURO.size(one)


def _pair_inputs(a: Subject, b: Subject) -> Pairs:
    pairs: Pairs = {}
    for exact in (True, False):
        ours = [x for x in a.inputs if x not in pairs]
        taken = {y for y, _ in pairs.values()}
        theirs = [y for y in b.inputs if y not in taken]
        ranked = sorted(
            (-likeness(x, y), x, y)
            for x in ours
            for y in theirs
            if (a.inputs[x] == b.inputs[y] if exact else _may_be(a.inputs[x], b.inputs[y]))
        )
        for _, x, y in ranked:
            if x not in pairs and y not in {other for other, _ in pairs.values()}:
                pairs[x] = (y, _unit_factor(a.inputs[x], b.inputs[y]))
    return pairs


def _pair_regimes(a: Subject, b: Subject) -> Iterator[dict[Combination, Combination]]:
    ours = [c for c in a.combinations if c != a.start]
    theirs = [c for c in b.combinations if c != b.start]
    for number, order in enumerate(permutations(theirs)):
        if number == 24:
            return
        yield {a.start: b.start, **dict(zip(ours, order, strict=True))}


def compare(
    a: Subject, b: Subject, match: Match, values: Mapping[str, float]
) -> list[Disagreement]:
    """Everything that disagrees at the points. `values` replace parameters of B."""
    import numpy as np

    random = np.random.default_rng(SEED)
    states, inputs = sample(a, random, COUNT), sample_inputs(a, random, COUNT)
    theirs = {y: match.seen(x, states[x]) for x, (y, _) in match.states.items()}
    their_inputs = {y: inputs[x] * factor for x, (y, factor) in match.inputs.items()}
    one = a.machine(COUNT, inputs)
    other = b.machine(COUNT, {**values, **their_inputs})
    weight = random.uniform(0.5, 5.0, COUNT) * random.choice((-1.0, 1.0), COUNT)
    found: dict[tuple[str, str, str, str], Disagreement] = {}
    for one.t in match.moments:
        other.t = one.t
        for ours, its in match.regimes.items():
            where = _regime_name(a, ours)

            def both(ours: Combination = ours, its: Combination = its) -> None:
                a.place(one, states, ours)
                b.place(other, theirs, its)

            for item in _disagreeing(a, b, match, (one, other), both, where, weight):
                found.setdefault((item.kind, item.name, item.other, item.regime), item)
    return list(found.values())


def _disagreeing(
    a: Subject,
    b: Subject,
    match: Match,
    machines: tuple[Any, Any],
    place: Callable[[], None],
    where: str,
    weight: Floats,
) -> Iterator[Disagreement]:
    """What disagrees in one combination of regimes at one time; `place` puts both machines to the points."""
    one, other = machines
    place()
    first, second = a.rates(one), b.rates(other)
    for x, (y, factor) in match.states.items():
        bad = differing(first[x] * factor, second[y])
        if bad.any():
            yield _at("rate", x, y, where, bad, first[x] * factor, second[y])
    seen, their = a.values(one), b.values(other)
    for x, y in match.shown.items():
        bad = differing(seen[x], their[y])
        if bad.any():
            yield _at("value", x, y, where, bad, seen[x], their[y])
    place()
    yield from _effects("condition", "", match, a.settle(one), b.settle(other), where, a)
    for port, its_port in match.ports.items():
        place()
        effects = a.deliver(one, port, weight), b.deliver(other, its_port, weight)
        yield from _effects("event", port, match, *effects, where, a)


def _effects(
    kind: str, port: str, match: Match, one: Effect, other: Effect, where: str, a: Subject
) -> Iterator[Disagreement]:
    """Differences of what happened: events sent and what they carry, states, regimes."""
    for x, y in match.outputs.items():
        bad = one.sent[x] != other.sent[y]
        if bad.any():
            yield _at(kind, port or x, y, where, bad, one.sent[x], other.sent[y], "events sent")
        elif x in one.carried and y in other.carried:
            ours, theirs = one.carried[x], other.carried[y]
            bad = differing(ours, theirs)
            if bad.any():
                yield _at("weight", x, y, where, bad, ours, theirs, "weight sent")
    for x, (y, _) in match.states.items():
        ours = match.seen(x, one.states[x])
        bad = differing(ours, other.states[y])
        if bad.any():
            yield _at(kind, port or x, y, where, bad, ours, other.states[y], x)
    wanted = [match.regimes[tuple(map(int, each))] for each in zip(*one.regimes, strict=True)]
    real = [tuple(map(int, each)) for each in zip(*other.regimes, strict=True)]
    count = sum(x != y for x, y in zip(wanted, real, strict=True))
    if count:
        share = count / len(wanted)
        yield Disagreement(kind, port or "regime", "regime", where, share, "another regime follows")


def differing(one: Floats, other: Floats) -> NDArray[np.bool_]:
    """Where two arrays differ by more than rounding; NaN equals NaN."""
    import numpy as np

    size = np.nanmedian(np.abs(one)) if np.isfinite(one).any() else 0.0
    with np.errstate(all="ignore"):
        close = np.abs(one - other) <= TOLERANCE * np.maximum(
            np.maximum(abs(one), abs(other)), size
        )
    same_kind = ~np.isfinite(one) & ~np.isfinite(other)
    result: NDArray[np.bool_] = ~(close | same_kind)
    return result


def _at(
    kind: str,
    name: str,
    other: str,
    regime: str,
    bad: Any,
    ours: Floats,
    theirs: Floats,
    what: str = "",
) -> Disagreement:
    k = int(bad.argmax())
    head = f"{what}: " if what else ""
    sample_text = f"{head}{ours[k]:.6g} | {theirs[k]:.6g}"
    return Disagreement(kind, name, other, regime, float(bad.mean()), sample_text)


def _regime_name(subject: Subject, combination: Combination) -> str:
    machines = subject.component.machines
    pairs = zip(machines, combination, strict=True)
    return ", ".join(machine.regimes[index].name for machine, index in pairs)


def sample(subject: Subject, random: np.random.Generator, count: int) -> dict[str, Floats]:
    """Values of the states: around what the model itself names, voltages on both sides of every threshold."""
    return {
        name: _draw(subject, name, dimension, random, count)
        for name, dimension in subject.states.items()
    }


def sample_inputs(subject: Subject, random: np.random.Generator, count: int) -> dict[str, Floats]:
    """Values of the inputs: as large as this field's are."""
    sizes = {CURRENT: 500.0, VOLTAGE: 80.0, NONE: 20.0}
    return {
        name: random.uniform(-1, 1, count) * sizes.get(dimension, 10.0) * NEURO.size(dimension)
        for name, dimension in subject.inputs.items()
    }


def _limits(subject: Subject, name: str) -> list[float]:
    """What conditions compare a state with, where that is fixed: numbers in tests are nobody's parameters."""
    from ...solvers.evaluate import evaluate

    found = []
    for condition in conditions(subject.component):
        for node in walk(condition.test):
            if not isinstance(node, Binary) or node.op not in COMPARISONS:
                continue
            for side, other in ((node.left, node.right), (node.right, node.left)):
                if name in free_names(side) and free_names(other) <= subject.statics.keys():
                    found.append(float(evaluate(other, subject.statics)))
    return [value for value in found if math.isfinite(value)]


def _draw(
    subject: Subject, name: str, dimension: Dimension, random: np.random.Generator, count: int
) -> Floats:
    import numpy as np

    initial = subject.initial[name]
    limits = _limits(subject, name)
    anchors = [initial, *limits]
    if dimension == VOLTAGE:
        own = (subject.statics[n] for n, d in subject.dimensions.items() if d == VOLTAGE)
        anchors += [value for value in own if abs(value) < 0.5]
    elif dimension == TIME:
        anchors += [0.0, 0.01]
    elif dimension == NONE:
        anchors += [0.0, 1.0]
    else:
        anchors += [0.0, 10 * NEURO.size(dimension)]
    low, high = min(anchors), max(anchors)
    margin = 0.25 * (high - low) if dimension == VOLTAGE or limits else 0.0
    if high == low:
        margin = 0.1 * abs(high) or NEURO.size(dimension)
    values: Floats = random.uniform(low - margin, high + margin, count)
    # a limit that is a little elsewhere shows close to it only
    for k, limit in enumerate(dict.fromkeys(limits[: count // (2 * len(CLOSE))])):
        values[k * len(CLOSE) : (k + 1) * len(CLOSE)] = limit + (high - low) * np.array(CLOSE)
    return np.asarray(values)
