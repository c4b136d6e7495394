"""Two components run side by side on the common stimulus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...canonical_model.circuit import Circuit
from ...canonical_model.diagnostics import ModelError
from ...canonical_model.model import Component
from ...canonical_model.query import handlers
from ...canonical_model.units import TIME
from ..sensitivity import alike, draws_numbers
from . import stimulus
from .match import Match, Shift, pair_names, pair_shown
from .points import moments, offered
from .results import Difference
from .stimulus import Distance, Response, amplitudes, driven, respond

SHIFT = 1e-5  # s by which spikes may differ in continuous time
GRID_SHIFT = 2.01  # steps, on a grid
TRACE = 1e-3  # of a trace's range, away from spikes
GRID_TRACE = 1e-2  # on a grid, where both may be solved by different schemes
FINER = 10
LATER = 4  # steps by which each period may be longer on a grid: one for each change of regime
SHRUNK = 0.3  # what may remain of a shift when the step is a tenth
MAX_SHOWN = 12
LONGEST = 3.0  # s
COPIES = 24  # cells of a kind where chance rules: their events are counted together
UNBOUNDED = "S312"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """What is compared with what: inputs (factors), event ports, outputs, states (factors, shifts)."""

    inputs: Mapping[str, tuple[str, float]]
    ports: Mapping[str, str]
    outputs: Mapping[str, str]
    states: Mapping[str, str]
    factors: Mapping[str, float]
    shifts: Mapping[str, float]
    draws: bool = False  # random numbers, which the two draw in another order: counts are compared


def simulated(
    flats: tuple[Component, Component],
    mode: str,
    pairs: Mapping[str, str],
    match: Match | None,
    shifted: Mapping[str, Shift],
) -> tuple[list[Difference], list[Distance]]:
    """Both on the same stimulus; `shifted` holds where there is no match.

    Raises ModelError S2xx, S3xx where one cannot be run.
    Differences on a grid that a ten times finer one does not show are no differences of the models.
    """
    a, b = flats
    pairing = Pairing(
        inputs=match.inputs if match else _inputs_by_name(a, b),
        ports=match.ports
        if match
        else pair_names(*([p.name for p in f.event_inputs] for f in flats)),
        outputs=pair_names(*([p.name for p in f.event_outputs] for f in flats)),
        states={
            x: y
            for x, y in {**pair_shown(offered(a), offered(b)), **pairs}.items()
            if not _is_clock(a, x) and not _is_clock(b, y)
        },
        factors={x: factor for x, (_, factor) in match.states.items()} if match else {},
        shifts={x: shift.value for x, shift in (match.shifts if match else shifted).items()},
        draws=any(map(draws_numbers, flats)),
    )
    # points that could be compared tell most: one strong stimulus confirms
    levels = stimulus.levels(a, list(pairing.inputs), few=match is not None)
    if pairing.draws:
        levels *= COPIES // len(levels)
    factor = stimulus.strength(a, list(pairing.inputs))
    driving = [amplitudes(a, list(pairing.inputs), level, factor) for level in levels]
    found = _at_step(flats, mode, pairing, levels, driving, stimulus.STEP)
    if mode == "continuous" or not found[0] or pairing.draws:
        return found
    finer = _at_step(flats, mode, pairing, levels, driving, stimulus.STEP / FINER)
    return ([], finer[1]) if _vanish(found[1], finer[1]) else finer


def lasting(a: Component, b: Component) -> float:
    """How long (s) the run is: inputs that hear nothing have all their time, up to LONGEST."""
    alone = all(offered(flat) and not any(e.body for e in handlers(flat)) for flat in (a, b))
    return min(max(stimulus.LENGTH, *moments(a, b)), LONGEST) if alone else stimulus.LENGTH


def _is_clock(flat: Component, name: str) -> bool:
    """A time that is kept may count up, down, or hold a moment: only what follows from it matters."""
    return any(s.name == name and s.dimension == TIME for s in flat.state_variables)


def _vanish(coarse: Sequence[Distance], fine: Sequence[Distance]) -> bool:
    """Do shifts of events and gaps of traces shrink as the step does, with as many events?"""
    known = {item.name: item for item in coarse}

    def shrinks(item: Distance) -> bool:
        before = known.get(item.name)
        trace = GRID_TRACE if before is None else max(SHRUNK * before.trace, GRID_TRACE)
        shift = GRID_SHIFT * stimulus.STEP
        shift = shift if before is None else max(SHRUNK * before.shift, shift)
        return item.spikes[0] == item.spikes[1] and item.shift <= shift and item.trace <= trace

    return all(shrinks(item) for item in fine)


def _at_step(
    flats: tuple[Component, Component],
    mode: str,
    pairing: Pairing,
    levels: Sequence[int],
    ours: Sequence[Mapping[str, float]],
    step: float,
) -> tuple[list[Difference], list[Distance]]:
    """Both runs with steps of `step` seconds; `ours` are the first one's amplitudes at each of `levels`."""
    a, b = flats
    pairs, outputs, inputs = pairing.states, pairing.outputs, pairing.inputs
    jumping = offered(a)  # an input may begin in a sample or just after it
    theirs = [{inputs[x][0]: v * inputs[x][1] for x, v in each.items()} for each in ours]
    ports = list(pairing.ports.values())
    length = lasting(a, b)
    circuits = (
        driven(a, ours, list(pairing.ports), list(pairs), step=step, length=length),
        driven(b, theirs, ports, list(pairs.values()), step=step, length=length),
    )
    one, other = (_response(circuit, mode) for circuit in circuits)
    if isinstance(one, ModelError) and isinstance(other, ModelError):
        raise one
    for mine, name, failed in ((True, a.name, one), (False, b.name, other)):
        if isinstance(failed, ModelError):
            said = f"of '{name}': {failed.issues[0].message}, the {'second' if mine else 'first'} runs on"
            return [Difference(kind="trace", name=a.name, other=b.name, sentence=said)], []
    assert not isinstance(one, ModelError) and not isinstance(other, ModelError)
    allowed = SHIFT if mode == "continuous" else GRID_SHIFT * stimulus.STEP
    slack = 0 if mode == "continuous" else round(allowed / step)
    limit = TRACE if mode == "continuous" else GRID_TRACE
    distances: list[Distance] = []
    differences: list[Difference] = []
    for k, level in enumerate(levels):
        label = f"run {level + 1}"
        bad = False
        traces = [(one.traces[f"{k}/{x}"], other.traces[f"{k}/{y}"]) for x, y in pairs.items()]
        end = stimulus.bounded_until(one.times, [trace for pair in traces for trace in pair])
        events = [
            (first[first < end], second[second < end])
            for first, second in (
                (one.events[f"{k}/{x}"], other.events[f"{k}/{y}"]) for x, y in outputs.items()
            )
        ]
        for (x, y), (first, second) in zip(outputs.items(), events, strict=True):
            distance = stimulus.event_distance(
                f"{label}, {x}", first, second, end=min(end, length), allowed=allowed
            )
            distances.append(distance)
            if pairing.draws:
                continue
            drift = 0.0 if mode == "continuous" else LATER * step * len(first)
            if distance.spikes[0] != distance.spikes[1] or distance.shift > allowed + drift:
                bad = True
                differences.append(_spikes(x, y, distance, ours[k]))
        if bad or pairing.draws:
            continue
        moments = [times for pair in events for times in pair]
        still = stimulus.quiet(one.times, moments, 2 * allowed)
        late = (
            0 if mode == "continuous" else LATER * max((len(pair[0]) for pair in events), default=0)
        )
        for x, y in pairs.items():
            scaled = one.traces[f"{k}/{x}"] * pairing.factors.get(x, 1.0)
            scaled = scaled + pairing.shifts.get(x, 0.0)
            distance = stimulus.trace_distance(
                f"{label}, {x}",
                scaled,
                other.traces[f"{k}/{y}"],
                still,
                slack + late + (x in jumping),
            )
            distances.append(distance)
            if distance.trace > limit:
                sentence = (
                    f"'{x}' and '{y}' are {distance.trace:.2%} of their range apart {_at(ours[k])}"
                )
                differences.append(Difference(kind="trace", name=x, other=y, sentence=sentence))
    if pairing.draws:
        return _by_counts(outputs, distances)
    return differences[:MAX_SHOWN], distances


def _by_counts(
    outputs: Mapping[str, str], distances: Sequence[Distance]
) -> tuple[list[Difference], list[Distance]]:
    """Outputs whose events are more or fewer than chance explains, all cells together."""
    differences, totals = [], []
    for x, y in outputs.items():
        counts = [item.spikes for item in distances if item.name.endswith(f", {x}")]
        one, other = (sum(each) for each in zip(*counts, strict=True))
        totals.append(Distance(name=f"{len(counts)} runs, {x}", spikes=(one, other)))
        if not alike(one, other):
            sentence = f"{one} events from '{x}', {other} from '{y}' in {len(counts)} runs"
            differences.append(Difference(kind="spikes", name=x, other=y, sentence=sentence))
    return differences, totals


def _response(circuit: Circuit, mode: str) -> Response | ModelError:
    """The response, or that a state leaves all bounds. Raises other ModelErrors."""
    try:
        return respond(circuit, mode)
    except ModelError as problem:
        if problem.issues[0].code != UNBOUNDED:
            raise
        return problem


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
