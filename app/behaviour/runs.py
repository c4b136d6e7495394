"""Two components run side by side on the common stimulus."""

from __future__ import annotations

from collections.abc import Mapping

from ...canonical_model.model import Component
from . import stimulus
from .match import Match, pair_names
from .results import Difference
from .stimulus import Distance, amplitudes, driven, respond

SHIFT = 1e-5  # s by which spikes may differ in continuous time
GRID_SHIFT = 2.01  # steps, on a grid
TRACE = 1e-3  # of a trace's range, away from spikes
MAX_SHOWN = 12


def simulated(
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
    levels = stimulus.levels(a, list(inputs), few=match is not None)
    ours = [amplitudes(a, list(inputs), level) for level in levels]
    theirs = [{inputs[x][0]: v * inputs[x][1] for x, v in each.items()} for each in ours]
    one = respond(driven(a, ours, list(ports), list(pairs)), mode)
    other = respond(driven(b, theirs, list(ports.values()), list(pairs.values())), mode)
    for k, level in enumerate(levels):
        label = f"run {level + 1}"
        bad = False
        events = [(one.events[f"{k}/{x}"], other.events[f"{k}/{y}"]) for x, y in outputs.items()]
        for (x, y), (first, second) in zip(outputs.items(), events, strict=True):
            distance = stimulus.event_distance(f"{label}, {x}", first, second)
            distances.append(distance)
            allowed = SHIFT if mode == "continuous" else GRID_SHIFT * stimulus.STEP
            if distance.spikes[0] != distance.spikes[1] or distance.shift > allowed:
                bad = True
                differences.append(_spikes(x, y, distance, ours[k]))
        if bad:
            continue
        still = stimulus.quiet(one.times, [times for pair in events for times in pair])
        for x, y in pairs.items():
            scaled = one.traces[f"{k}/{x}"] * factors.get(x, 1.0)
            distance = stimulus.trace_distance(
                f"{label}, {x}", scaled, other.traces[f"{k}/{y}"], still
            )
            distances.append(distance)
            if distance.trace > TRACE:
                sentence = (
                    f"'{x}' and '{y}' are {distance.trace:.2%} of their range apart {_at(ours[k])}"
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
