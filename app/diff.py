"""Are two models the same? Names, order and units are no difference; behaviour decides."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

from ..canonical_model.diagnostics import Log, ModelError, error, suggest
from ..canonical_model.model import Component, Constant, Model, Parameter
from ..canonical_model.units import VOLTAGE
from .behaviour import stimulus
from .behaviour.match import Match, best_match, compare, likeness, pair_names, plain
from .behaviour.points import Subject, subject
from .behaviour.ports import with_common_ports
from .behaviour.stimulus import Distance, amplitudes, driven, respond
from .convert import read_source

SHIFT = 1e-5  # s by which spikes may differ in continuous time
GRID_SHIFT = 2.01  # steps, on a grid
TRACE = 1e-3  # of a trace's range, away from spikes
SAME, DIFFERENT = "same", "different"
MAX_SHOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One real difference: `kind` (parameter, initial value, rate, condition, event, spikes, trace, part)."""

    kind: str
    name: str
    other: str
    sentence: str

    def to_json(self) -> dict[str, str]:
        """The difference as JSON-ready data."""
        return {
            "kind": self.kind,
            "name": self.name,
            "other": self.other,
            "sentence": self.sentence,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two components compared. `pairs` are names of one and the other, `remarks` what could not be done."""

    name: str
    other: str
    differences: tuple[Difference, ...] = ()
    pairs: Mapping[str, str]
    distances: tuple[Distance, ...] = ()
    remarks: tuple[str, ...] = ()
    decided: str = ""

    @property
    def verdict(self) -> str:
        """`same` or `different`."""
        return DIFFERENT if self.differences else SAME

    def to_json(self) -> dict[str, Any]:
        """The comparison as JSON-ready data."""
        return {
            "name": self.name,
            "other": self.other,
            "verdict": self.verdict,
            "decided_by": self.decided,
            "differences": [item.to_json() for item in self.differences],
            "pairs": dict(self.pairs),
            "distances": [item.to_json() for item in self.distances],
            "remarks": list(self.remarks),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """Two models compared: their components in pairs, and what has no counterpart."""

    comparisons: tuple[Comparison, ...] = ()
    parts: tuple[Difference, ...] = ()

    @property
    def verdict(self) -> str:
        """`same` or `different`."""
        bad = self.parts or any(item.differences for item in self.comparisons)
        return DIFFERENT if bad else SAME

    def to_json(self) -> dict[str, Any]:
        """The whole as JSON-ready data."""
        return {
            "verdict": self.verdict,
            "components": [item.to_json() for item in self.comparisons],
            "parts": [item.to_json() for item in self.parts],
        }


def diff(
    a: str | Path | Model,
    b: str | Path | Model,
    *,
    component: str | None = None,
    other: str | None = None,
    search_path: Sequence[str | Path] = (),
    log: Log | None = None,
    stage: Callable[[str], None] = lambda text: None,
) -> Diff:
    """Compare two models. `component` and `other` choose one of each (else all are paired by name).

    Components are matched by structure, dimensions and values, then compared at random points and on one
    stimulus. Raises ModelError for models that cannot be read or run.
    """
    log = Log() if log is None else log
    stage("reading")
    models = [read_source(item, None, None, search_path, log) for item in (a, b)]
    chosen = [_choose(model, name) for model, name in zip(models, (component, other), strict=True)]
    quantities = [dict(model.network.quantities) if model.network else {} for model in models]
    pairs, alone = pair_components(*chosen)
    comparisons = []
    for one, its in pairs:
        stage(f"comparing {one.name}")
        comparisons.append(compare_components(one, its, *quantities))
    parts = [_alone(item.name, first) for item, first in alone]
    return Diff(comparisons=tuple(comparisons), parts=tuple(parts))


def _choose(model: Model, name: str | None) -> tuple[Component, ...]:
    if not model.components:
        raise error("A230", f"'{model.name}' holds no component to compare")
    if name is None:
        return model.components
    for component in model.components:
        if component.name == name:
            return (component,)
    names = [item.name for item in model.components]
    raise error("A231", f"there is no component '{name}'", hint=suggest(name, names))


def _alone(name: str, first: bool) -> Difference:
    which = "first" if first else "second"
    sentence = f"component '{name}' is only in the {which} model"
    return Difference(kind="part", name=name if first else "", other="" if first else name,
                      sentence=sentence)  # fmt: skip


def pair_components(
    ours: Sequence[Component], theirs: Sequence[Component]
) -> tuple[list[tuple[Component, Component]], list[tuple[Component, bool]]]:
    """Pairs, and what is left of the first (True) and the second model."""
    if len(ours) == len(theirs) == 1:
        return [(ours[0], theirs[0])], []
    ranked = sorted(
        (-likeness(x.name, y.name) - 0.1 * (_size(x) == _size(y)), i, j)
        for i, x in enumerate(ours)
        for j, y in enumerate(theirs)
    )
    pairs: dict[int, int] = {}
    for rank, i, j in ranked:
        if i not in pairs and j not in pairs.values() and -rank > 0.5:
            pairs[i] = j
    # what is left over may still be one thing under two names
    left = [i for i in range(len(ours)) if i not in pairs]
    right = [j for j in range(len(theirs)) if j not in pairs.values()]
    if len(left) == len(right) == 1:
        pairs[left[0]] = right[0]
        left, right = [], []
    alone = [(ours[i], True) for i in left] + [(theirs[j], False) for j in right]
    return [(ours[i], theirs[pairs[i]]) for i in sorted(pairs)], alone


def _size(component: Component) -> tuple[int, int]:
    return len(component.state_variables), len(component.on_conditions)


def compare_components(
    a: Component,
    b: Component,
    quantities: Mapping[str, float] | None = None,
    others: Mapping[str, float] | None = None,
    *,
    confirm: bool = True,
) -> Comparison:
    """Compare two components, composite or flat. Raises ModelError where one has no flat form.

    Without `confirm`, what is the same at all points is not simulated as well.
    """
    flats, mode, remarks = _flat_pair(a, b, quantities or {}, others or {})
    match, subjects = None, None
    if mode == "continuous":
        try:
            subjects = subject(flats[0]), subject(flats[1])
            match = best_match(*subjects)
            if match is None:
                remarks.append("the equations take different forms, so simulation decides")
        except ModelError as problem:
            remarks.append(problem.issues[0].message)
    named: list[Difference] = []
    if match is not None and subjects is not None:
        named = list(_named(*subjects, match))
    pairs = _pairs(flats, match)
    shown: list[Difference] = []
    distances: list[Distance] = []
    try:
        if confirm or match is None or named:
            shown, distances = _simulated(flats, mode, pairs, match)
    except ModelError as problem:
        remarks.append(f"no simulation: {problem.issues[0].message}")
    form = [item for item in named if item.kind in ("rate", "condition", "event")]
    decided = "points" if match is not None else "simulation"
    if form and len(form) == len(named) and distances and not shown:
        remarks.append("the equations take different forms; in simulation there is no difference")
        named, decided = [], "simulation"
    if match is None and shown:
        named += _values_by_name(*flats)
    if match is None and not distances:
        named.append(_undecided(a.name, b.name, remarks))
    return Comparison(
        name=a.name, other=b.name, differences=tuple([*named, *shown]), decided=decided,
        pairs=pairs, distances=tuple(distances), remarks=tuple(remarks),
    )  # fmt: skip


def _values_by_name(a: Component, b: Component) -> Iterator[Difference]:
    """Parameters of one name with different values: likely causes where equations cannot be compared."""
    ours: list[Parameter | Constant] = [*a.parameters, *a.constants]
    its_own: list[Parameter | Constant] = [*b.parameters, *b.constants]
    theirs = {(plain(item.name), item.dimension): item for item in its_own}
    for item in ours:
        other = theirs.get((plain(item.name), item.dimension))
        if other is None or item.value is None or other.value is None:
            continue
        own, its = item.value.si, other.value.si
        if abs(own - its) > 1e-9 * max(abs(own), abs(its)):
            sentence = (
                f"parameter '{item.name}' is {item.value} where '{other.name}' is {other.value}"
            )
            yield Difference(kind="parameter", name=item.name, other=other.name, sentence=sentence)


def _undecided(name: str, other: str, remarks: Sequence[str]) -> Difference:
    why = "; ".join(remarks) or "no common form"
    return Difference(kind="form", name=name, other=other, sentence=f"cannot be compared: {why}")


def _flat_pair(
    a: Component, b: Component, quantities: Mapping[str, float], others: Mapping[str, float]
) -> tuple[tuple[Component, Component], str, list[str]]:
    """Both flat: in continuous time if both have a meaning there, else as programs on a grid."""
    from ..canonical_model.passes.flatten import flatten

    try:
        one = with_common_ports(flatten(a, quantities, continuous=True).component)
        other = with_common_ports(flatten(b, others, continuous=True).component)
    except ModelError as problem:
        remark = f"compared on a grid only: {problem.issues[0].message}"
        one = with_common_ports(flatten(a, quantities).component)
        other = with_common_ports(flatten(b, others).component)
        return (one, other), "grid", [remark]
    return (one, other), "continuous", []


def _pairs(flats: tuple[Component, Component], match: Match | None) -> dict[str, str]:
    """States of one and the other; without a match by name, and the voltages."""
    if match is not None:
        return {x: y for x, (y, _) in match.states.items()}
    a, b = flats
    names = {plain(state.name): state.name for state in b.state_variables}
    pairs = {s.name: names[plain(s.name)] for s in a.state_variables if plain(s.name) in names}
    voltages = [
        [state.name for state in flat.state_variables if state.dimension == VOLTAGE]
        for flat in flats
    ]
    if len(voltages[0]) == len(voltages[1]) == 1 and voltages[1][0] not in pairs.values():
        pairs[voltages[0][0]] = voltages[1][0]
    return pairs


def _named(a: Subject, b: Subject, match: Match) -> Iterator[Difference]:
    """The differences at the points by their causes: values first, then equations."""
    yield from _initial_values(a, b, match)
    unheard = [port for port in a.ports if port not in match.ports]
    for port in unheard:
        yield Difference(
            kind="part",
            name=port,
            other="",
            sentence=f"event input '{port}' is only in '{a.component.name}'",
        )
    for port in b.ports:
        if port not in match.ports.values():
            yield Difference(
                kind="part",
                name="",
                other=port,
                sentence=f"event input '{port}' is only in '{b.component.name}'",
            )
    if not match.disagreements:
        return
    causes = _causes(a, b, match)
    for x, y in causes:
        sentence = f"parameter '{x}' is {_value(a, x)} where '{y}' is {_value(b, y)}"
        yield Difference(kind="parameter", name=x, other=y, sentence=sentence)
    rest = match.disagreements
    if causes:
        rest = compare(a, b, match, {y: a.statics[x] for x, y in causes})
    for item in rest[:MAX_SHOWN]:
        where = f" in regime {item.regime}" if item.regime else ""
        what = {"rate": f"d({item.name})/dt", "condition": f"the condition of '{item.name}'",
                "event": f"an event at '{item.name}'"}[item.kind]  # fmt: skip
        sentence = f"{what}{where} differs at {item.share:.0%} of the points, e.g. {item.sample}"
        yield Difference(kind=item.kind, name=item.name, other=item.other, sentence=sentence)


def _initial_values(a: Subject, b: Subject, match: Match) -> Iterator[Difference]:
    for x, (y, factor) in match.states.items():
        own, its = a.initial[x] * factor, b.initial[y]
        if abs(own - its) > 1e-9 * max(abs(own), abs(its)):
            sentence = f"'{x}' starts at {own:.6g} where '{y}' starts at {its:.6g} (SI)"
            yield Difference(kind="initial value", name=x, other=y, sentence=sentence)


def _value(subject: Subject, name: str) -> str:
    from ..canonical_model.units import si_quantity

    for item in subject.component.parameters:
        if item.name == name and item.value is not None:
            return str(item.value)
    return str(si_quantity(subject.statics[name], subject.dimensions[name]))


def _causes(a: Subject, b: Subject, match: Match) -> list[tuple[str, str]]:
    """Pairs of parameters whose different values are behind disagreements: the smallest such set."""
    for pairs in _parameter_pairs(a, b):
        unequal = [
            (x, y)
            for x, y in pairs.items()
            if abs(a.statics[x] - b.statics[y]) > 1e-9 * max(abs(a.statics[x]), abs(b.statics[y]))
        ]
        if not unequal:
            continue
        left = len(compare(a, b, match, {y: a.statics[x] for x, y in unequal}))
        if left >= len(match.disagreements):
            continue
        needed = list(unequal)
        for pair in unequal:
            fewer = [item for item in needed if item != pair]
            if len(compare(a, b, match, {y: a.statics[x] for x, y in fewer})) <= left:
                needed = fewer
        return needed
    return []


def _parameter_pairs(a: Subject, b: Subject) -> Iterator[dict[str, str]]:
    """Ways to pair parameters: by name, then what is left by dimension in every order."""
    theirs = {(plain(y), d): y for y, d in b.dimensions.items()}
    base = {x: theirs[plain(x), d] for x, d in a.dimensions.items() if (plain(x), d) in theirs}
    yield base
    ours = [x for x in a.dimensions if x not in base]
    rest = [y for y in b.dimensions if y not in base.values()]
    # equal values under two names are no news
    for x in list(ours):
        equal = [
            y for y in rest if b.dimensions[y] == a.dimensions[x] and b.statics[y] == a.statics[x]
        ]
        if equal:
            ours.remove(x)
            rest.remove(equal[0])
    if not ours or not rest or len(ours) > 4 or len(rest) > 4:
        return
    if len(ours) <= len(rest):
        options = (zip(ours, order, strict=False) for order in permutations(rest, len(ours)))
    else:
        options = (zip(order, rest, strict=False) for order in permutations(ours, len(rest)))
    for option in options:
        more = {x: y for x, y in option if a.dimensions[x] == b.dimensions[y]}
        if more:
            yield {**base, **more}


def _simulated(
    flats: tuple[Component, Component], mode: str, pairs: Mapping[str, str], match: Match | None
) -> tuple[list[Difference], list[Distance]]:
    """Both on the same stimulus. Raises ModelError S2xx, S3xx where one cannot be run."""
    a, b = flats
    inputs = {x: pair for x, pair in match.inputs.items()} if match else _inputs_by_name(a, b)
    ports = match.ports if match else pair_names(*([p.name for p in f.event_inputs] for f in flats))
    outputs = pair_names(*([p.name for p in f.event_outputs] for f in flats))
    factors = {x: factor for x, (_, factor) in match.states.items()} if match else {}
    distances: list[Distance] = []
    differences: list[Difference] = []
    # points that could be compared tell most: one strong stimulus confirms
    for level in stimulus.levels(a, list(inputs), few=match is not None):
        ours = amplitudes(a, list(inputs), level)
        theirs = {inputs[x][0]: value * inputs[x][1] for x, value in ours.items()}
        one = respond(driven(a, ours, list(ports), list(pairs)), mode)
        other = respond(driven(b, theirs, list(ports.values()), list(pairs.values())), mode)
        label = f"run {level + 1}"
        bad = False
        for x, y in outputs.items():
            distance = stimulus.event_distance(f"{label}, {x}", one.events[x], other.events[y])
            distances.append(distance)
            allowed = SHIFT if mode == "continuous" else GRID_SHIFT * stimulus.STEP
            if distance.spikes[0] != distance.spikes[1] or distance.shift > allowed:
                bad = True
                differences.append(_spikes(x, y, distance, ours))
        if bad:
            continue
        still = stimulus.quiet(one.times, [*one.events.values(), *other.events.values()])
        for x, y in pairs.items():
            scaled = one.traces[x] * factors.get(x, 1.0)
            distance = stimulus.trace_distance(f"{label}, {x}", scaled, other.traces[y], still)
            distances.append(distance)
            if distance.trace > TRACE:
                sentence = (
                    f"'{x}' and '{y}' are {distance.trace:.2%} of their range apart {_at(ours)}"
                )
                differences.append(Difference(kind="trace", name=x, other=y, sentence=sentence))
    return differences[:MAX_SHOWN], distances


def _inputs_by_name(a: Component, b: Component) -> dict[str, tuple[str, float]]:
    pairs = pair_names([i.name for i in a.analog_inputs], [i.name for i in b.analog_inputs])
    ours = {i.name: i.dimension for i in a.analog_inputs}
    theirs = {i.name: i.dimension for i in b.analog_inputs}
    return {x: (y, 1.0) for x, y in pairs.items() if ours[x] == theirs[y]}


def _spikes(x: str, y: str, distance: Distance, ours: Mapping[str, float]) -> Difference:
    first, second = distance.spikes
    if first != second:
        sentence = f"{first} events from '{x}', {second} from '{y}' {_at(ours)}"
    else:
        sentence = f"events of '{x}' and '{y}' are {distance.shift * 1e3:.4g} ms apart {_at(ours)}"
    return Difference(kind="spikes", name=x, other=y, sentence=sentence)


def _at(ours: Mapping[str, float]) -> str:
    shown = ", ".join(f"{name} = {value:.4g}" for name, value in ours.items())
    return f"with {shown} (SI)" if shown else "on the spike trains"
