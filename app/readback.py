"""Does what was written mean what the source means? It is read again, and both are run or compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..canonical_model.diagnostics import Log, ModelError
from ..canonical_model.model import Component, Model, Parameter
from ..canonical_model.passes.fuse import fuse
from ..canonical_model.units import Quantity, si_quantity
from . import registry
from .behaviour.components import compare_components
from .behaviour.match import pair_names, pair_states
from .behaviour.pairing import pair_components
from .behaviour.results import SAME, Comparison
from .convert import DEFAULT_STEP, wire_model
from .sensitivity import draws
from .simulate import DEFAULT_LENGTH
from .trial import Trial, compare_runs, together

if TYPE_CHECKING:
    from ..canonical_model.circuit import Circuit, Group, Probe
    from ..exporters.format import Exporter
    from ..solvers.results import Result

TRACE = 1e-3  # of a trace's range, away from spikes: both sides in double precision
EXACT_SHIFT = 0.1  # steps by which spikes may differ in continuous time
MAX_CELLS = 50  # of a population, whose events are compared


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What came of it: runs of networks, comparisons of components, components without a counterpart."""

    trials: tuple[Trial, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    missing: tuple[str, ...] = ()


def readable(folder: Path, paths: Sequence[str]) -> Iterator[Path]:
    """The files of a result that an importer takes."""
    for path in paths:
        head = (folder / path).read_bytes()[: registry.HEAD]
        try:
            registry.recognise(head, path)
        except ModelError:
            continue
        yield folder / path


def read_results(folder: Path, paths: Sequence[str]) -> list[Model]:
    """The models in a result, none if no importer takes any of its files. Raises what reading raises."""
    from .load import load

    return [load(path, search_path=(folder,)) for path in readable(folder, paths)]


def compare_models(
    source: Model,
    results: Sequence[Model],
    target: Exporter,
    *,
    length: float | None = None,
    step: float | None = None,
    confirm: bool = True,
    stage: Callable[[str], None] = lambda text: None,
) -> Account:
    """A network is run beside its network, on the grid; else components are compared as `diff` does.

    Where the result has no networks, the cells are compared, with what drives them as far as the target
    makes it part of them. `length` and `step` in seconds. Raises ModelError.
    """
    networks = [model for model in results if model.network is not None]
    if source.network is not None and networks:
        stage(f"running {source.network.name}")
        return Account(trials=(run_networks(source, networks[0], length, step),))
    ours = source.components if source.network is None else _cells(source, target)
    theirs = [component for model in results for component in model.components]
    pairs, alone = pair_components(ours, theirs)
    comparisons = []
    for one, other in pairs:
        stage(f"comparing {one.name}")
        comparisons.append(compare_components(one, other, confirm=confirm))
    missing = tuple(item.name for item, first in alone if first)
    return Account(comparisons=tuple(comparisons), missing=missing)


def _cells(source: Model, target: Exporter) -> list[Component]:
    """The components of a network's cells with the values that all cells of a population share."""
    natives = {c.name: c for c in source.components if c.update is not None}
    found: list[Component] = []
    network = source.network
    populations = {p.name: p.component for p in network.populations} if network else {}
    for group in together(wire_model(source, Log(), None), target).groups:
        if group.host:
            continue
        native = natives.get(populations.get(group.name, ""))
        component = native if native is not None else specialised(group)
        if not any(replace(known, name=component.name) == component for known in found):
            found.append(component)
    return found


def specialised(group: Group) -> Component:
    """The group's component with the values that all its cells share."""
    even = {n: float(v[0]) for n, v in group.parameters.items() if len(v) and (v == v[0]).all()}
    parameters = tuple(_with_value(item, even) for item in group.component.parameters)
    return replace(group.component, parameters=parameters)


def _with_value(item: Parameter, values: Mapping[str, float]) -> Parameter:
    if item.name not in values:
        return item
    unit = si_quantity(0.0, item.dimension).unit
    return replace(item, value=Quantity(values[item.name], unit))


def run_networks(
    source: Model, result: Model, length: float | None = None, step: float | None = None
) -> Trial:
    """Both networks on the grid, and in continuous time where they differ there: order within a step.

    Raises ModelError where one cannot be wired or run.
    """
    circuits = [fuse(wire_model(item, Log(), None), sources=True) for item in (source, result)]
    own = circuits[0]
    circuits = [
        replace(item, length=length or own.length or DEFAULT_LENGTH,
                step=step or own.step or DEFAULT_STEP, seed=own.seed)
        for item in circuits
    ]  # fmt: skip
    one, other = _probed(*circuits)
    name = source.network.name if source.network else source.name
    found = _beside(name, one, other, "grid")
    if found.verdict == SAME or any(draws(item) for item in (one, other)):
        return found
    try:
        again = _beside(f"{name}, continuous time", *_continuous(source, result, one), "continuous")
    except ModelError:
        return found
    return again if again.verdict == SAME else found


def _continuous(source: Model, result: Model, like: Circuit) -> tuple[Circuit, Circuit]:
    one, other = (
        replace(
            fuse(wire_model(item, Log(), None, continuous=True), sources=True),
            length=like.length, step=like.step, seed=like.seed,
        )
        for item in (source, result)
    )  # fmt: skip
    return _probed(one, other)


def _beside(name: str, one: Circuit, other: Circuit, mode: str) -> Trial:
    ours, theirs = _run(one, mode), _run(other, mode)
    shift = 2.01 if mode == "grid" else EXACT_SHIFT
    return compare_runs(name, one, ours, theirs, "result", shift=shift, trace=TRACE)


def _run(circuit: Circuit, mode: str) -> Result:
    from ..solvers.simulate import simulate

    return simulate(circuit, mode=mode, rtol=1e-8)


def _probed(one: Circuit, other: Circuit) -> tuple[Circuit, Circuit]:
    """Both with the same things recorded under the same labels: events of cells, states of the first."""
    ours = {group.name: group for group in one.groups if not group.host}
    theirs = {group.name: group for group in other.groups if not group.host}
    probes: tuple[list[Probe], list[Probe]] = [], []
    events: tuple[list[Probe], list[Probe]] = [], []
    for x, y in pair_names(list(ours), list(theirs)).items():
        a, b = ours[x], theirs[y]
        for mine, its in pair_names(*(_ports(group) for group in (a, b))).items():
            for index in range(min(a.size, b.size, MAX_CELLS)):
                _record(events, f"{x}[{index}]/{mine}", index, (x, mine), (y, its))
        for mine, its in pair_states(a.component, b.component).items():
            _record(probes, f"{x}[0]/{mine}", 0, (x, mine), (y, its))
    return (
        replace(one, probes=tuple(probes[0]), event_probes=tuple(events[0])),
        replace(other, probes=tuple(probes[1]), event_probes=tuple(events[1])),
    )


def _ports(group: Group) -> list[str]:
    return [port.name for port in group.component.event_outputs]


def _record(
    table: tuple[list[Probe], list[Probe]],
    label: str,
    index: int,
    *places: tuple[str, str],
) -> None:
    from ..canonical_model.circuit import Probe

    for probes, (group, variable) in zip(table, places, strict=True):
        probes.append(Probe(label=label, group=group, index=index, variable=variable))
