"""What a projection joins, and explicit lists of connections as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...canonical_model import network as canonical
from .components import Given
from .connectivity import Request, explicit
from .syntax import Group, Projection

if TYPE_CHECKING:
    from ...canonical_model.network import Floats, Ints


@dataclass(frozen=True, slots=True)
class Ends:
    """The populations at both ends, in order, and how many cells they have."""

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    source_size: int
    target_size: int


@dataclass(frozen=True, slots=True)
class Values:
    """What differs between connections."""

    delay: Given | None
    parameters: Mapping[str, Given]
    initial: Mapping[str, Given]


def several(values: Mapping[str, Given]) -> dict[str, Given]:
    """The values that are not single numbers."""
    return {name: given for name, given in values.items() if given.value.single is None}


def drawn_only(values: Mapping[str, Given]) -> dict[str, Given]:
    """The values that are distributions."""
    return {name: given for name, given in values.items() if given.kind}


def nothing() -> Ints:
    """No connections."""
    import numpy as np

    return np.zeros(0, dtype=np.int64)


def listed(
    request: Request,
    ends: Ends,
    populations: Mapping[str, canonical.Population],
    thing: Projection | Group,
    synapse: str,
    links: tuple[canonical.PortLink, ...],
    values: Values,
) -> list[canonical.Projection]:
    """One projection for each pair of populations that the list joins. Raises ModelError X212, X242."""
    import numpy as np

    pre, post = explicit(request)
    seed, count = request.seed, len(pre)

    def numbers(table: Mapping[str, Given]) -> dict[str, Floats]:
        return {n: g.numbers(count, seed, f"{thing.name}/{n}") for n, g in table.items()}

    delay = numbers({"delay": values.delay}).get("delay") if values.delay else None
    parameters, initial = numbers(values.parameters), numbers(values.initial)
    found = []
    starts = [
        np.cumsum([0, *(populations[p].size for p in n)]) for n in (ends.sources, ends.targets)
    ]
    for i, source in enumerate(ends.sources):
        for j, target in enumerate(ends.targets):
            where = (pre >= starts[0][i]) & (pre < starts[0][i + 1])
            where &= (post >= starts[1][j]) & (post < starts[1][j + 1])
            names = [source] * (len(ends.sources) > 1) + [target] * (len(ends.targets) > 1)
            if not where.any() and names:
                continue
            found.append(
                canonical.Projection(
                    name="_".join([thing.name, *names]),
                    source=source,
                    target=target,
                    pre=pre[where] - starts[0][i],
                    post=post[where] - starts[1][j],
                    synapse=synapse,
                    delay=None if delay is None else delay[where],
                    links=links,
                    parameters={name: item[where] for name, item in parameters.items()},
                    initial={name: item[where] for name, item in initial.items()},
                    span=thing.span,
                )
            )
    return found
