"""A common stimulus for one component: current steps on analog inputs, spikes on event inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ...canonical_model.circuit import Circuit, EventLink, EventTrain, Group, Probe
from ...canonical_model.expr import Binary, Conditional, Name, Number
from ...canonical_model.model import (
    AnalogInput,
    Component,
    DerivedVariable,
    EventPort,
    Parameter,
)
from ...canonical_model.query import declared
from ...canonical_model.units import (
    CAPACITANCE,
    CURRENT,
    NEURO,
    NONE,
    TIME,
    VOLTAGE,
    Unit,
    si_quantity,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LENGTH, STEP = 0.15, 1e-4  # s
MOST = 600  # events of a kind, four a ms: more than any model sends that does not run away
ON, OFF = 0.02, 0.12  # s: when the current flows
SPIKES = (0.03, 0.05, 0.051, 0.09, 0.13)  # s: arrivals at every event input
CELL, SOURCE, OUT = "cell", "source", "out"
# steps of current (pA), of dimensionless input, of what else there is (in the field's units)
AMPLITUDES = {CURRENT: (0.0, 100.0, 400.0, 1500.0), NONE: (0.0, 5.0, 15.0, 40.0)}
OTHER = (0.0, 1.0, 5.0, 20.0)
STRENGTHS = (1.0, 10.0, 100.0, 1000.0)
WEIGHT = 20.0
SMALLEST = 20e-12  # F: capacitance below which currents are scaled down
RESTING = 0.01  # of its size is the range of a trace that hardly moves
BOUND = 1e25  # SI: what is larger is on its way to infinity
NEAR = 3  # samples around a spike that say nothing of a trace


@dataclass(frozen=True, slots=True, eq=False)
class Response:
    """Event times by port and traces by state, SI."""

    events: Mapping[str, Floats]
    times: Floats
    traces: Mapping[str, Floats]


def levels(component: Component, inputs: Sequence[str], *, few: bool = False) -> tuple[int, ...]:
    """Which runs tell enough: one for each amplitude where there is an input, one if `few` are wanted."""
    if few:
        return (2,)
    return (0, 1, 2, 3) if any(i.name in inputs for i in component.analog_inputs) else (0,)


def driven(
    component: Component,
    inputs: Sequence[Mapping[str, float]],
    ports: Sequence[str],
    traces: Sequence[str],
    *,
    step: float = STEP,
    length: float = LENGTH,
) -> Circuit:
    """One cell for each of `inputs`, with steps of these amplitudes (SI) and spikes at `ports`.

    Probes are labelled `<run>/<name>`, runs counted from 0.
    """
    ready, amplitudes = pulsed(component, inputs)
    count = len(inputs)
    groups = [Group(name=CELL, component=ready, size=count, parameters=amplitudes)]
    links: tuple[EventLink, ...] = ()
    trains: tuple[EventTrain, ...] = ()
    if ports:
        source = Component(name=SOURCE, event_outputs=(EventPort(name=OUT),))
        groups.append(Group(name=SOURCE, component=source, size=2 * len(ports)))
        links, trains = _spikes(ports, count)
    return Circuit(
        name="trial",
        groups=tuple(groups),
        event_links=links,
        trains=trains,
        probes=tuple(
            Probe(label=f"{k}/{n}", group=CELL, index=k, variable=n)
            for k in range(count)
            for n in traces
        ),
        event_probes=tuple(
            Probe(label=f"{k}/{port.name}", group=CELL, index=k, variable=port.name)
            for k in range(count)
            for port in component.event_outputs
        ),
        length=length,
        step=step,
        seed=1,
    )


def pulsed(
    component: Component, inputs: Sequence[Mapping[str, float]]
) -> tuple[Component, dict[str, Floats]]:
    """The component with its analog inputs replaced by steps whose amplitudes are parameters.

    The second value has, for each of these parameters, one amplitude (SI; 0 where none is given) for each
    of `inputs`.
    """
    import numpy as np

    taken = {item.name for item in declared(component)}
    stimulated, parameters, amplitudes = [], [], {}
    for item in component.analog_inputs:
        name = f"{item.name}_amplitude"
        while name in taken:
            name += "_"
        taken.add(name)
        zero = si_quantity(0.0, item.dimension)
        parameters.append(Parameter(name=name, dimension=item.dimension, value=zero))
        amplitudes[name] = np.array([values.get(item.name, 0.0) for values in inputs])
        stimulated.append(
            DerivedVariable(name=item.name, dimension=item.dimension, value=_pulse(name, item))
        )
    ready = replace(
        component,
        analog_inputs=(),
        parameters=(*component.parameters, *parameters),
        derived_variables=(*component.derived_variables, *stimulated),
    )
    return ready, amplitudes


def _pulse(amplitude: str, item: AnalogInput) -> Conditional:
    """The parameter `amplitude` from ON to OFF, else 0."""
    unit = None if item.dimension == NONE else si_quantity(0.0, item.dimension).unit
    second = Unit("s", TIME)
    during = Binary(
        "and",
        Binary(">=", Name("t"), Number(ON, second)),
        Binary("<", Name("t"), Number(OFF, second)),
    )
    return Conditional(((during, Name(amplitude)),), Number(0.0, unit))


def _spikes(
    ports: Sequence[str], count: int
) -> tuple[tuple[EventLink, ...], tuple[EventTrain, ...]]:
    """Two sources for each port, of weight WEIGHT and a little later of -WEIGHT, for `count` cells."""
    import numpy as np

    everyone = np.arange(count)
    links = tuple(
        EventLink(
            source=SOURCE, source_port=OUT, target=CELL, target_port=port,
            pre=np.repeat([2 * k, 2 * k + 1], count), post=np.concatenate([everyone, everyone]),
            weight=np.repeat([WEIGHT, -WEIGHT], count),
        )
        for k, port in enumerate(ports)
    )  # fmt: skip
    pairs = sorted((t + 0.0011 * k, k) for k in range(2 * len(ports)) for t in SPIKES)
    train = EventTrain(
        group=SOURCE, port=OUT, times=np.array([t for t, _ in pairs]),
        index=np.array([k for _, k in pairs]),
    )  # fmt: skip
    return links, (train,)


def amplitudes(
    component: Component, inputs: Sequence[str], level: int, factor: float = 1.0
) -> dict[str, float]:
    """The amplitudes (SI) of run `level`; only the first input of each dimension is driven."""
    found: dict[str, float] = {}
    seen = set()
    for item in component.analog_inputs:
        if item.name in inputs and item.dimension not in seen and item.dimension != VOLTAGE:
            seen.add(item.dimension)
            size = AMPLITUDES.get(item.dimension, OTHER)[level]
            if item.dimension == CURRENT:
                size *= _smallness(component)
            found[item.name] = factor * size * NEURO.size(item.dimension)
    return found


def strength(component: Component, inputs: Sequence[str]) -> float:
    """By what the usual amplitudes are multiplied so that the flat component fires: the least of STRENGTHS
    that does it, 1 where none does or there is nothing to drive."""
    from ...canonical_model.diagnostics import ModelError

    usual = amplitudes(component, inputs, len(AMPLITUDES[CURRENT]) - 1)
    if not usual or not component.event_outputs:
        return 1.0
    driving = [{name: value * factor for name, value in usual.items()} for factor in STRENGTHS]
    try:
        found = respond(driven(component, driving, (), ()), "grid")
    except ModelError:
        return 1.0
    for k, factor in enumerate(STRENGTHS):
        if any(len(found.events[f"{k}/{port.name}"]) for port in component.event_outputs):
            return factor
    return 1.0


def _smallness(component: Component) -> float:
    """1, less for a cell whose capacitance is below that of any neuron: it would fire without pause."""
    found = [p.value.si for p in component.parameters if p.dimension == CAPACITANCE and p.value]
    return min(1.0, found[0] / SMALLEST) if len(found) == 1 and found[0] > 0 else 1.0


def respond(circuit: Circuit, mode: str, scheme: str = "auto") -> Response:
    """Run on the reference simulator. Raises ModelError S2xx, S3xx."""
    from ...canonical_model.passes.arming import arm
    from ...solvers.simulate import simulate

    if mode == "grid":  # where conditions are tested in every step, as networks are wired for it
        groups = (replace(group, component=arm(group.component)) for group in circuit.groups)
        circuit = replace(circuit, groups=tuple(groups))
    result = simulate(circuit, mode=mode, scheme=scheme, rtol=1e-8, most=MOST)
    return Response(result.events, result.times, result.traces)


@dataclass(frozen=True, slots=True, kw_only=True)
class Distance:
    """How far two responses are apart: spikes of each, the latest shift (s), the traces' (share of range)."""

    name: str
    spikes: tuple[int, int]
    shift: float = 0.0
    trace: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """The distance as JSON-ready data."""
        return {
            "name": self.name,
            "spikes": list(self.spikes),
            "shift_s": self.shift,
            "trace": self.trace,
        }


def event_distance(
    name: str, one: Floats, other: Floats, *, end: float = float("inf"), allowed: float = 0.0
) -> Distance:
    """Of two spike trains; the shift is over those that both have.

    What one has more within `allowed` seconds of the `end` of the run the other may have just after it.
    """
    import numpy as np

    count = min(len(one), len(other))
    one, other = (
        train[: max(count, int(np.searchsorted(train, end - allowed)))] for train in (one, other)
    )
    shift = float(np.abs(one[:count] - other[:count]).max(initial=0.0))
    return Distance(name=name, spikes=(len(one), len(other)), shift=shift)


def trace_distance(name: str, one: Floats, other: Floats, quiet: Any, slack: int = 0) -> Distance:
    """The greatest difference as a share of the range of `one`, at the samples `quiet` only.

    What `other` has within `slack` samples counts as no difference.
    """
    import numpy as np

    count = min(len(one), len(other), len(quiet))
    keep = quiet[:count]
    low, high = _envelope(other[:count], slack)
    first, low, high = one[:count][keep], low[keep], high[keep]
    if not len(first):
        return Distance(name=name, spikes=(0, 0))
    until = [_until(first), max(_until(low), _until(high))]
    if abs(until[0] - until[1]) > NEAR:
        return Distance(name=name, spikes=(0, 0), trace=float("inf"))
    # what runs to infinity is compared up to shortly before it does
    end = len(first) if min(until) == len(first) else max(min(until) - NEAR, 0)
    first, low, high = first[:end], low[:end], high[:end]
    span = float(np.ptp(first)) if len(first) else 0.0
    # what hardly moves is measured by its size: rounding is no difference
    size = max(span, RESTING * float(np.abs(first).max(initial=0.0)), 1e-300)
    apart = np.maximum(np.maximum(first - high, low - first), 0.0)
    return Distance(name=name, spikes=(0, 0), trace=float(apart.max(initial=0.0)) / size)


def _until(values: Floats) -> int:
    """How many samples there are before the first that is not finite, or beyond all bounds."""
    import numpy as np

    with np.errstate(invalid="ignore"):
        beyond = ~(np.abs(values) < BOUND)
    return int(np.argmax(beyond)) if beyond.any() else len(values)


def bounded_until(times: Floats, traces: Sequence[Floats]) -> float:
    """The time (s) shortly before the first of the traces runs to infinity; inf where none does."""
    first = min((_until(trace) for trace in traces), default=len(times))
    return float(times[max(first - NEAR, 0)]) if first < len(times) else float("inf")


def _envelope(values: Floats, slack: int) -> tuple[Floats, Floats]:
    """The lowest and the highest value within `slack` samples of each."""
    import numpy as np

    if not slack or not len(values):
        return values, values
    padded = np.pad(values, slack, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * slack + 1)
    return windows.min(axis=1), windows.max(axis=1)


def away_from(times: Floats, events: Sequence[Floats], width: float) -> Any:
    """Which samples are further than `width` seconds from every event."""
    import numpy as np

    keep = np.ones(len(times), dtype=bool)
    for moment in np.concatenate([np.zeros(0), *events]):
        first, last = np.searchsorted(times, [moment - width, moment + width])
        keep[first:last] = False
    return keep


def quiet(times: Floats, events: Sequence[Floats], width: float = 0.0) -> Any:
    """Which samples lie away from spikes and from the edges of the stimulus, by `width` seconds at least."""
    import numpy as np

    step = times[1] - times[0] if len(times) > 1 else STEP
    away = max(NEAR * step, width)
    return away_from(times, [np.array([ON, OFF]), *events], away)
