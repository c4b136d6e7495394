"""Connection rules of the standard library as canonical rules; explicit lists as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...canonical_model.diagnostics import Span, error, suggest
from ...canonical_model.network import Rule
from .components import Given
from .dialect import RULE_NAMES, RULES
from .syntax import Library

if TYPE_CHECKING:
    from ...canonical_model.network import Ints

EXPLICIT = "Explicit"
KINDS: Mapping[str, str] = {
    "AllToAll": "all_to_all",
    "OneToOne": "one_to_one",
    "Probabilistic": "probabilistic",
    "RandomFanIn": "fan_in",
    "RandomFanOut": "fan_out",
}


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
        import numpy as np

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


def kind_of_rule(library: Library) -> str:
    """The rule's name in the standard library. Raises ModelError X240."""
    name = library.url.removeprefix(RULES)
    if name not in KINDS and name != EXPLICIT:
        message = f"the connection rule '{library.url[:80]}' is not known"
        hint = suggest(name, RULE_NAMES) or f"known: {', '.join(RULE_NAMES)}"
        raise error("X240", message, library.url_span, hint=hint)
    return name


def canonical_rule(
    request: Request, sources: tuple[str, ...], targets: tuple[str, ...]
) -> Rule | None:
    """The rule, not drawn; None for an explicit list. Raises ModelError X240, X241, X244."""
    name = kind_of_rule(request.library)
    if name == EXPLICIT:
        return None
    rule = Rule(
        kind=KINDS[name],
        sources=sources,
        targets=targets,
        probability=_probability(request) if name == "Probabilistic" else 1.0,
        number=_number(request, name) if name.startswith("RandomFan") else 0,
        seed=request.seed,
        key=request.name,
    )
    if name == "OneToOne" and request.sources != request.targets:
        message = (
            f"'{request.name}' joins {request.sources} with {request.targets} cells one to one"
        )
        raise error("X244", message, request.span)
    return rule


def _probability(request: Request) -> float:
    chance = request.single("probability")
    if not 0 <= chance <= 1:
        raise error("X241", f"the probability {chance:g} is not between 0 and 1", request.span)
    return chance


def _number(request: Request, name: str) -> int:
    wanted = request.single("number")
    partners = request.sources if name == "RandomFanIn" else request.targets
    if wanted != int(wanted) or not 0 <= wanted <= partners:
        message = f"'{request.name}' asks for {wanted:g} different cells out of {partners}"
        raise error("X241", message, request.span)
    return int(wanted)


def explicit(request: Request) -> tuple[Ints, Ints]:
    """Source and destination of every connection of a list. Raises ModelError X241, X242."""
    pre = request.indices(request.sources, "sourceIndices", "sourceIndicies")
    post = request.indices(request.targets, "destinationIndices", "destinationIndicies")
    if len(pre) != len(post):
        message = f"'{request.name}' has {len(pre)} source and {len(post)} destination indices"
        raise error("X242", message, request.span)
    return pre, post
