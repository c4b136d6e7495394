"""What a user can decide about reading NineML, since the language leaves it open."""

from __future__ import annotations

from dataclasses import dataclass, field

IGNORE, APPLY = "ignore", "apply"


@dataclass(frozen=True, slots=True)
class Options:
    """Decisions of one run.

    `strict` makes spellings outside the 1.0 text errors. `regimes` maps a component's or class's name
    (`""`: any) to the regime in which it starts; without one the regime with most derivatives is taken,
    of equals the one written first. `offsets` says whether the offset of a unit (degC) is applied; ignored,
    as in the reference library, differences of temperatures come out right. `seed` draws
    connections and random values; without one it is that of our annotation, else 1.
    """

    strict: bool = False
    regimes: dict[str, str] = field(default_factory=dict)
    offsets: str = IGNORE
    seed: int | None = None
