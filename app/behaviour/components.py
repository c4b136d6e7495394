"""Two components compared: at random points where their equations can be matched, and in simulation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256

from ...canonical_model.diagnostics import ModelError
from ...canonical_model.model import Component, Constant, Parameter
from ...canonical_model.units import (
    CAPACITANCE,
    CURRENT,
    NEURO,
    TIME,
    VOLTAGE,
    Dimension,
    Quantity,
    si_quantity,
)
from .causes import named_differences, told_apart, values_by_name
from .match import TOLERANCE, Match, Shift, best_match, pair_states, plain, shifts
from .points import carriers, moments, offered, subject
from .ports import with_common_ports
from .results import Comparison, Difference
from .runs import lasting, simulated
from .stimulus import LENGTH, Distance

# of parameters without a value, in the field's units: mV, ms, pA, pF
TYPICAL = {VOLTAGE: -30.0, TIME: 5.0, CURRENT: 100.0, CAPACITANCE: 100.0}


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
        named = list(named_differences(*subjects, match))
    pairs = _pairs(flats, match)
    shifted = match.shifts if match is not None else _shifted(flats, pairs)
    carries = [carriers(flat) for flat in flats]
    if bool(carries[0]) != bool(carries[1]):
        which = a.name if carries[0] else b.name
        remarks.append(f"events of one side only carry weights: those of '{which}'")
    remarks += [f"'{pairs[x]}' is '{x}' {shift.name}" for x, shift in shifted.items()]
    shown: list[Difference] = []
    distances: list[Distance] = []
    try:
        if confirm or match is None or named:
            shown, distances, remark = _simulated(flats, mode, pairs, match, shifted)
            remarks += remark
    except ModelError as problem:
        remarks.append(f"no simulation: {problem.issues[0].message}")
    form = [item for item in named if item.kind in ("rate", "value", "condition", "event")]
    decided = "points" if match is not None else "simulation"
    late = max(moments(*flats)) > LENGTH
    if form and len(form) == len(named) and distances and not shown and not late:
        remarks.append("the equations take different forms; in simulation there is no difference")
        named, decided = [], "simulation"
    named += told_apart(*flats)
    if shown and not named:
        named += values_by_name(*flats)
    unseen = all(map(offered, flats)) and max(moments(*flats)) > lasting(*flats)
    if unseen:
        remarks.append("what it does after the end of the run is not known")
    if match is None and (not distances or unseen):
        named.append(_undecided(a.name, b.name, remarks))
    return Comparison(
        name=a.name, other=b.name, differences=tuple([*named, *shown]), decided=decided,
        pairs=pairs, distances=tuple(distances), remarks=tuple(remarks),
    )  # fmt: skip


def _simulated(
    flats: tuple[Component, Component],
    mode: str,
    pairs: Mapping[str, str],
    match: Match | None,
    shifted: Mapping[str, Shift],
) -> tuple[list[Difference], list[Distance], list[str]]:
    """As `simulated`; on a grid where there is no solution in continuous time. Raises ModelError."""
    try:
        return (*simulated(flats, mode, pairs, match, shifted), [])
    except ModelError as problem:
        if mode == "grid" or match is not None:
            raise
        why = f"compared on a grid only: {problem.issues[0].message}"
        return (*simulated(flats, "grid", pairs, match, shifted), [why])


def _undecided(name: str, other: str, remarks: Sequence[str]) -> Difference:
    why = "; ".join(remarks) or "no common form"
    return Difference(kind="form", name=name, other=other, sentence=f"cannot be compared: {why}")


def _flat_pair(
    a: Component, b: Component, quantities: Mapping[str, float], others: Mapping[str, float]
) -> tuple[tuple[Component, Component], str, list[str]]:
    """Both flat: in continuous time if both have a meaning there, else as programs on a grid."""
    from ...canonical_model.passes.flatten import flatten

    try:
        one = flatten(a, quantities, continuous=True).component
        other = flatten(b, others, continuous=True).component
    except ModelError as problem:
        remark = f"compared on a grid only: {problem.issues[0].message}"
        one, other = flatten(a, quantities).component, flatten(b, others).component
        return _ready(one, other), "grid", [remark]
    return _ready(one, other), "continuous", []


def _ready(one: Component, other: Component) -> tuple[Component, Component]:
    """With ports in one form, and values for parameters that have none: by dimension and name.

    A language without open parameters has to write a number: where the other has no value, a zero is none.
    """
    sides = [{(plain(p.name), p.dimension): p.value for p in c.parameters} for c in (one, other)]

    def valued(
        flat: Component, theirs: Mapping[tuple[str, Dimension], Quantity | None]
    ) -> Component:
        def value(item: Parameter) -> Quantity:
            key = plain(item.name), item.dimension
            same = theirs.get(key)
            is_open = item.value is None or (
                key in theirs and same is None and not item.value.value
            )
            if not is_open and item.value is not None:
                return item.value
            return same if same is not None and same.value else typical(item)

        parameters = tuple(replace(item, value=value(item)) for item in flat.parameters)
        return with_common_ports(replace(flat, parameters=parameters))

    return valued(one, sides[1]), valued(other, sides[0])


def typical(item: Parameter) -> Quantity:
    """A value such as this field has; the same for the same name in another language."""
    spread = 1.0 + int(sha256(plain(item.name).encode()).hexdigest()[:4], 16) / 0x10000
    typical = TYPICAL.get(item.dimension, 1.0)
    return si_quantity(spread * typical * NEURO.size(item.dimension), item.dimension)


def _shifted(flats: tuple[Component, Component], pairs: Mapping[str, str]) -> dict[str, Shift]:
    """Voltages that one model counts from elsewhere, as their initial values tell."""
    tables: list[dict[str, Parameter | Constant]] = [
        {**{p.name: p for p in c.parameters}, **{p.name: p for p in c.constants}} for c in flats
    ]
    values = [{n: p.value.si for n, p in t.items() if p.value is not None} for t in tables]
    kinds = [{n: p.dimension for n, p in t.items()} for t in tables]
    starts = [_starts(flat) for flat in flats]
    found: dict[str, Shift] = {}
    for x, y in pairs.items():
        if x not in starts[0] or y not in starts[1]:
            continue
        gap = starts[1][y] - starts[0][x]
        ways = shifts(values[0], kinds[0], values[1], kinds[1])
        way = next((w for w in ways if abs(gap - w.value) <= TOLERANCE * abs(w.value)), None)
        if way is not None:
            found[x] = way
    return found


def _starts(flat: Component) -> dict[str, float]:
    """The initial values (SI) of the voltages."""
    from ...canonical_model.circuit import Circuit, Group
    from ...solvers.compile import compile_circuit
    from ...solvers.discrete import start

    voltages = [s.name for s in flat.state_variables if s.dimension == VOLTAGE]
    try:
        group = Group(name="c", component=flat, size=1)
        machine = start(compile_circuit(Circuit(name="start", groups=(group,)), 1))
    except ModelError:
        return {}
    slices = machine.engine.groups[0].slices
    return {name: float(machine.y[slices[name]][0]) for name in voltages if name in slices}


def _pairs(flats: tuple[Component, Component], match: Match | None) -> dict[str, str]:
    """States of one and the other; without a match by name, and the voltages."""
    if match is not None:
        return {x: y for x, (y, _) in match.states.items()}
    return pair_states(*flats)
