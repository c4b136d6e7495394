"""Connection rules of the standard library: which source is joined with which destination."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...canonical_model.diagnostics import Level, Log, Span, error, suggest
from .components import Given
from .dialect import RULE_NAMES, RULES
from .syntax import Library

if TYPE_CHECKING:
    from ...canonical_model.network import Ints

MAX_CONNECTIONS = 100_000_000
ROWS = 4_000_000  # pairs that are looked at in one go
RANDOM = frozenset({"Probabilistic", "RandomFanIn", "RandomFanOut"})


@dataclass(frozen=True, slots=True)
class Request:
    """A rule with its values, for `sources` times `targets` cells of the projection `name`."""

    library: Library
    given: Mapping[str, Given]
    sources: int
    targets: int
    name: str
    seed: int
    span: Span

    def value(self, *names: str) -> Given:
        """A parameter under one of its names. Raises ModelError X241."""
        plain = {name.lower(): given for name, given in self.given.items()}
        for name in names:
            if name.lower() in plain:
                return plain[name.lower()]
        message = f"the connection rule of '{self.name}' needs '{names[0]}'"
        raise error("X241", message, self.span)

    def single(self, *names: str) -> float:
        """A single number. Raises ModelError X241."""
        given = self.value(*names)
        if given.value.single is None:
            raise error("X241", f"'{names[0]}' is a single number", given.value.span)
        return given.value.single * given.unit.scale

    def indices(self, limit: int, *names: str) -> Ints:
        """Whole numbers from 0 below `limit`. Raises ModelError X242."""
        given = self.value(*names)
        values = given.value.array
        if values is None:
            values = () if given.value.single is None else (given.value.single,)
        found = np.asarray(values, dtype=float)
        bad = np.flatnonzero((found != np.floor(found)) | (found < 0) | (found >= limit))
        if len(bad):
            shown = values[int(bad[0])]
            message = f"the index {shown:g} of '{names[0]}' is not one of 0 to {limit - 1}"
            raise error("X242", message, given.value.span, hint="indices count from 0")
        return found.astype(np.int64)


def connect(request: Request, log: Log) -> tuple[Ints, Ints]:
    """Source and destination of every connection. Raises ModelError X240 to X244."""
    url = request.library.url
    rule = url.removeprefix(RULES)
    builder = _RULES.get(rule)
    if builder is None:
        message = f"the connection rule '{url[:80]}' is not known"
        hint = suggest(rule, RULE_NAMES) or f"known: {', '.join(RULE_NAMES)}"
        raise error("X240", message, request.library.url_span, hint=hint)
    pre, post = builder(request)
    if rule in RANDOM:
        message = (
            f"the {len(pre)} connections of '{request.name}' ({rule}) are drawn with the seed "
            f"{request.seed}"
        )
        log.add("X245", Level.NOTE, message, request.span, hint="another seed: option seed=N")
    return pre, post


def _bounded(count: float, request: Request) -> None:
    if count > MAX_CONNECTIONS:
        message = f"'{request.name}' would have {count:.3g} connections"
        raise error("X243", message, request.span, hint=f"at most {MAX_CONNECTIONS}")


def _random(request: Request) -> np.random.Generator:
    return np.random.default_rng([request.seed, zlib.crc32(request.name.encode())])


def _all_to_all(request: Request) -> tuple[Ints, Ints]:
    _bounded(float(request.sources) * request.targets, request)
    post, pre = np.divmod(np.arange(request.sources * request.targets), max(request.sources, 1))
    return pre, post


def _one_to_one(request: Request) -> tuple[Ints, Ints]:
    if request.sources != request.targets:
        message = (
            f"'{request.name}' joins {request.sources} with {request.targets} cells one to one"
        )
        raise error("X244", message, request.span)
    cells = np.arange(request.sources)
    return cells, cells.copy()


def _explicit(request: Request) -> tuple[Ints, Ints]:
    pre = request.indices(request.sources, "sourceIndices", "sourceIndicies")
    post = request.indices(request.targets, "destinationIndices", "destinationIndicies")
    if len(pre) != len(post):
        message = f"'{request.name}' has {len(pre)} source and {len(post)} destination indices"
        raise error("X242", message, request.span)
    return pre, post


def _probabilistic(request: Request) -> tuple[Ints, Ints]:
    chance = request.single("probability")
    if not 0 <= chance <= 1:
        raise error("X241", f"the probability {chance:g} is not between 0 and 1", request.span)
    total = float(request.sources) * request.targets
    _bounded(total * chance, request)
    _bounded(total / 100, request)
    random = _random(request)
    rows = max(1, ROWS // max(request.sources, 1))
    pre: list[Ints] = []
    post: list[Ints] = []
    for start in range(0, request.targets, rows):
        count = min(rows, request.targets - start)
        hits = np.argwhere(random.random((count, request.sources)) < chance)
        post.append(hits[:, 0] + start)
        pre.append(hits[:, 1])
    empty = np.zeros(0, dtype=np.int64)
    return np.concatenate([empty, *pre]), np.concatenate([empty, *post])


def _fan(request: Request, owners: int, partners: int) -> tuple[Ints, Ints]:
    """For each of `owners` cells `number` different partners."""
    wanted = request.single("number")
    number = int(wanted)
    if wanted != number or not 0 <= number <= partners:
        message = f"'{request.name}' asks for {wanted:g} different cells out of {partners}"
        raise error("X241", message, request.span)
    _bounded(float(owners) * number, request)
    random = _random(request)
    found = np.empty((owners, number), dtype=np.int64)
    for row in range(owners):
        found[row] = random.choice(partners, number, replace=False, shuffle=False)
    return np.repeat(np.arange(owners), number), found.ravel()


def _fan_in(request: Request) -> tuple[Ints, Ints]:
    post, pre = _fan(request, request.targets, request.sources)
    return pre, post


def _fan_out(request: Request) -> tuple[Ints, Ints]:
    return _fan(request, request.sources, request.targets)


_RULES: dict[str, Callable[[Request], tuple[Ints, Ints]]] = {
    "AllToAll": _all_to_all,
    "OneToOne": _one_to_one,
    "Explicit": _explicit,
    "Probabilistic": _probabilistic,
    "RandomFanIn": _fan_in,
    "RandomFanOut": _fan_out,
}
