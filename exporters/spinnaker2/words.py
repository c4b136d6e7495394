"""Synapse words: how weight, delay, receptor type and target index share 16 or 32 bits.

The stock word is weight 4 | delay 3 | type 1 | index 8. Ours has the fields that a program needs; the
weight takes what is left, 16 bits at most.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ...canonical_model.network import Floats

MAX_WEIGHT_BITS = 16
EXACT = 1e-6  # of a unit: weights this near to whole multiples of it count as exact


@dataclass(frozen=True, slots=True)
class WordSpec:
    """Bits of a synapse word, from high to low: weight, delay, type, index."""

    size: int
    weight: int
    delay: int
    type: int
    index: int

    @property
    def bytes(self) -> int:
        """Length of a word in memory."""
        return self.size // 8

    @property
    def largest(self) -> int:
        """The largest weight."""
        return (1 << self.weight) - 1

    @property
    def slots(self) -> int:
        """Delays that a word can name, and slots of the ring."""
        return 1 << self.delay

    def __str__(self) -> str:
        return (
            f"{self.size} bit: weight {self.weight}, delay {self.delay}, type {self.type}, "
            f"index {self.index}"
        )


STOCK = WordSpec(16, 4, 3, 1, 8)


def bits(count: int) -> int:
    """Bits that tell `count` things apart."""
    return max(0, (count - 1).bit_length())


def own_word(size: int, delays: int, types: int, neurons: int) -> WordSpec | None:
    """A word for so many delays, types and neurons; None if no weight bit is left."""
    delay, kind, index = bits(delays), bits(types), bits(neurons)
    rest = size - delay - kind - index
    if rest < 1:
        return None
    return WordSpec(size, min(rest, MAX_WEIGHT_BITS), delay, kind, index)


@dataclass(frozen=True, slots=True)
class Scale:
    """The weight of one unit, and the largest and root mean square error of rounding to units."""

    unit: float
    worst: float
    rms: float
    zeros: int


def choose_scale(weights: Floats, largest: int, used: float = 0.0) -> Scale:
    """The unit for these magnitudes: one that divides them all if it can, else the largest / `largest`.

    `used` is the unit of weights under way, which it should divide as well.
    """
    top = float(np.max(weights, initial=0.0))
    if top == 0.0:
        return Scale(used or 1.0, 0.0, 0.0, len(weights))
    # above 24 bits a sum of weights would not be exact in single precision anyway
    wanted = np.append(weights, used) if 0.0 < used <= top * 16 else weights
    smallest = float(np.min(wanted[wanted > 0]))
    unit = top / largest
    for parts in range(1, 17):
        candidate = smallest / parts
        counts = wanted / candidate
        if np.rint(top / candidate) > largest:
            break
        if np.all(np.abs(counts - np.rint(counts)) <= EXACT):
            unit = candidate
            break
    rounded = np.rint(weights / unit)
    off = rounded * unit - weights
    zeros = int(np.count_nonzero((rounded == 0) & (weights > 0)))
    worst, rms = float(np.max(np.abs(off))), float(np.sqrt(np.mean(off**2)))
    exact = worst <= EXACT * unit
    return Scale(unit, 0.0 if exact else worst, 0.0 if exact else rms, zeros)


def pack(spec: WordSpec, weight: object, delay: object, kind: object, index: object) -> object:
    """Words as uint32; every field must fit (checked by the caller)."""
    w, d, t, i = (np.asarray(v, dtype=np.uint32) for v in (weight, delay, kind, index))
    low = spec.type + spec.index
    return w << np.uint32(low + spec.delay) | d << np.uint32(low) | t << np.uint32(spec.index) | i
