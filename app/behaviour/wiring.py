"""Two networks compared: populations, values of their cells, connections with weights and delays, inputs.

Names and order are no difference: populations are paired by name and component, connections by the cells
that they join.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from ...canonical_model.network import Input, Network, Population, Projection
from .match import pair_names
from .results import Difference

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Wires: TypeAlias = (
    "NDArray[np.float64]"  # rows: pre, post, weight, delay (s); or cell, weight, 0, 0
)

CLOSE = 1e-9  # of weights and delays


def network_differences(
    a: Network | None, b: Network | None, components: Mapping[str, str]
) -> list[Difference]:
    """What differs. `components` pairs names of components of A with those of B."""
    if a is None or b is None:
        return [] if a is b else [_only(a, b)]
    found: list[Difference] = []
    populations = _pair_populations(a.populations, b.populations, components)
    ours = {item.name: item for item in a.populations}
    theirs = {item.name: item for item in b.populations}
    for name in ours.keys() - populations.keys():
        found.append(
            _difference("population", name, "", f"population '{name}' is only in the first")
        )
    for name in theirs.keys() - set(populations.values()):
        found.append(
            _difference("population", "", name, f"population '{name}' is only in the second")
        )
    for name, other in populations.items():
        found += _populations(ours[name], theirs[other])
    found += _wires("projection", _projected(a, populations, components), _projected(b, {}, {}))
    found += _wires("input", _driven(a, populations, components), _driven(b, {}, {}))
    for name in sorted(a.quantities.keys() | b.quantities.keys()):
        one, two = a.quantities.get(name), b.quantities.get(name)
        if one is None or two is None or abs(one - two) > CLOSE * max(abs(one), abs(two)):
            sentence = f"the network's '{name}' is {_number(one)} | {_number(two)} (SI)"
            found.append(_difference("parameter", name, name, sentence))
    return found


def _only(a: Network | None, b: Network | None) -> Difference:
    which, network = ("first", a) if a is not None else ("second", b)
    name = network.name if network is not None else ""
    sentence = f"the network '{name}' is only in the {which} model"
    return _difference("part", name if a else "", name if b else "", sentence)


def _difference(kind: str, name: str, other: str, sentence: str) -> Difference:
    return Difference(kind=kind, name=name, other=other, sentence=sentence)


def _number(value: float | None) -> str:
    return "absent" if value is None else f"{value:.6g}"


def _pair_populations(
    ours: Sequence[Population], theirs: Sequence[Population], components: Mapping[str, str]
) -> dict[str, str]:
    """Pairs among populations of paired components: those of one size first, then what is left."""
    pairs: dict[str, str] = {}
    for needs_size in (True, False):
        rows: dict[Any, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
        for side, items in enumerate((ours, theirs)):
            taken = pairs.values() if side else pairs.keys()
            for item in items:
                if item.name in taken:
                    continue
                kind = item.component if side else components.get(item.component, item.component)
                rows[kind, item.size if needs_size else 0][side].append(item.name)
        for first, second in rows.values():
            pairs |= pair_names(first, second)
    return pairs


def _populations(a: Population, b: Population) -> Iterator[Difference]:
    """Sizes, and values that cells have of their own."""
    if a.size != b.size:
        sentence = f"population '{a.name}' has {a.size} cells where '{b.name}' has {b.size}"
        yield _difference("population", a.name, b.name, sentence)
        return
    for table, other in ((a.parameters, b.parameters), (a.initial, b.initial)):
        for name, partner in pair_names(list(table), list(other)).items():
            gap = _apart(table[name], other[partner])
            if gap:
                sentence = f"'{name}' of population '{a.name}' differs in {gap} of {a.size} cells"
                yield _difference("parameter", name, partner, sentence)


def _apart(one: Any, other: Any) -> int:
    """How many elements differ."""
    import numpy as np

    if len(one) != len(other):
        return max(len(one), len(other))
    scale = np.maximum(np.abs(one), np.abs(other))
    return int(np.count_nonzero(np.abs(one - other) > CLOSE * scale))


def _projected(
    network: Network, populations: Mapping[str, str], components: Mapping[str, str]
) -> dict[tuple[str, ...], Wires]:
    """The connections by source, target, kind and synapses, in the names of the second model."""
    found: dict[tuple[str, ...], list[Wires]] = defaultdict(list)
    for item in network.projections:
        key = (
            populations.get(item.source, item.source),
            populations.get(item.target, item.target),
            item.kind,
            components.get(item.synapse, item.synapse),
            components.get(item.pre_synapse, item.pre_synapse),
        )
        found[key].append(_rows(item))
    return {key: _sorted(rows) for key, rows in found.items()}


def _rows(item: Projection) -> Wires:
    import numpy as np

    count = len(item.pre)
    weight = np.ones(count) if item.weight is None else item.weight
    delay = np.zeros(count) if item.delay is None else item.delay
    return np.column_stack([item.pre, item.post, weight, delay]).astype(float)


def _driven(
    network: Network, populations: Mapping[str, str], components: Mapping[str, str]
) -> dict[tuple[str, ...], Wires]:
    """The inputs by population and component."""
    found: dict[tuple[str, ...], list[Wires]] = defaultdict(list)
    for item in network.inputs:
        key = (
            populations.get(item.population, item.population),
            components.get(item.component, item.component),
        )
        found[key].append(_cells(item))
    return {key: _sorted(rows) for key, rows in found.items()}


def _cells(item: Input) -> Wires:
    import numpy as np

    count = len(item.index)
    weight = np.ones(count) if item.weight is None else item.weight
    zero = np.zeros(count)
    return np.column_stack([item.index, weight, zero, zero]).astype(float)


def _sorted(rows: Sequence[Wires]) -> Wires:
    """All rows in one order, whatever order they were written in."""
    import numpy as np

    table = np.concatenate(rows)
    return table[np.lexsort(table.T[::-1])]


def _wires(
    kind: str, ours: Mapping[tuple[str, ...], Wires], theirs: Mapping[tuple[str, ...], Wires]
) -> Iterator[Difference]:
    """Connections or inputs that one has more, or that have other weights or delays."""
    columns = ("source cells", "target cells", "weights", "delays")
    if kind == "input":
        columns = ("cells", "weights", "", "")
    for key in sorted(ours.keys() | theirs.keys()):
        where = " to ".join(part for part in key[:2] if part)
        through = f" through '{key[3]}'" if kind == "projection" and key[3] else ""
        what = f"{'connections' if kind == 'projection' else 'inputs'} {where}{through}"
        one, other = ours.get(key), theirs.get(key)
        counts = [0 if rows is None else len(rows) for rows in (one, other)]
        if one is None or other is None or counts[0] != counts[1]:
            yield _difference(kind, where, where, f"{what}: {counts[0]} | {counts[1]}")
            continue
        for number, column in enumerate(columns):
            gap = _apart(one[:, number], other[:, number]) if column else 0
            if gap:
                k = int((abs(one[:, number] - other[:, number])).argmax())
                sample = f"{one[k, number]:.6g} | {other[k, number]:.6g}"
                sentence = f"{what}: {column} differ in {gap} of {len(one)}, e.g. {sample}"
                yield _difference(kind, where, where, sentence)
                break


__all__ = ["network_differences"]
