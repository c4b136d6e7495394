"""Events under way to synapses with states, as a PE's memory holds them (see runtime/attached.h)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

CODE_BITS, DELAY_BITS = 8, 13  # of the first word of a run; the rest counts its instances
WEIGHTED = 1 << 8  # of a code: the run carries weights
HEAD_WORDS, GROUP_WORDS = 10, 9  # of the table of attached groups

Words = NDArray[np.uint32]


@dataclass(frozen=True, slots=True, eq=False)
class Arrival:
    """Events that reach instances of a group by its link number `rank` in `tick`."""

    group: str
    rank: int
    tick: int
    instances: Any
    weights: Any


def arrivals(
    values: Words, table: int, groups: Sequence[tuple[str, Any]], tick: int
) -> list[Arrival]:
    """What waits in the wheel at `table` (in words) when the run ends before `tick`, in its order."""
    codes, _, wheel, mask, pool = (int(w) for w in values[table + 4 : table + 9])
    slots = values[wheel // 4 : wheel // 4 + mask + 1].view("<u2").reshape(-1, 2)
    found = []
    for slot in np.flatnonzero(slots[:, 0]).tolist():
        place = int(slots[slot, 0])
        while place:
            following, run = (int(w) for w in values[pool // 4 + 2 * place :][:2])
            due = tick + (slot - tick) % (mask + 1)
            found.append(_arrival(values, codes // 4, run // 4, groups, due))
            place = following
    return found


def _arrival(
    values: Words, codes: int, run: int, groups: Sequence[tuple[str, Any]], due: int
) -> Arrival:
    head = int(values[run])
    count = head >> (CODE_BITS + DELAY_BITS)
    code = int(values[codes + (head & ((1 << CODE_BITS) - 1))])
    name, instances = groups[code >> 16]
    local = values[run + 1 : run + 1 + (count + 1) // 2].view("<u2")[:count]
    weights = np.ones(count)
    if code & WEIGHTED:
        at = run + 1 + (count + 1) // 2
        weights = values[at : at + count].view("<f4").astype(float)
    return Arrival(name, code & (WEIGHTED - 1), due, instances[local], weights)
