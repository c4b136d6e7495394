"""Pieces of text that network.c is made of."""

from __future__ import annotations

from typing import Any

import numpy as np

from .plan import GroupPlan

EDGE = 1e-9  # of a step: a delay that is a whole number of steps up to rounding stays so
NEVER = 2**31 - 1  # ticks: no run is so long


def ticks_of(times: Any, step: float) -> Any:
    """Times or delays in seconds as whole ticks, rounded up; what no run reaches is NEVER."""
    found = np.ceil(np.asarray(times, dtype=float) / step - EDGE)
    return np.minimum(found, NEVER).astype(np.int64)


def c_function(head: str, lines: list[str]) -> str:
    body = "\n".join(f"    {line}" if line else "" for line in lines)
    return f"{head}\n{{\n{body}\n}}\n"


def model_call(item: GroupPlan, function: str, index: str, extra: str = "") -> str:
    """A call of a model function for one instance."""
    g, m = item.number, item.model.name
    return (
        f"{m}_{function}(&g{g}_state[{index}], &g{g}_params[{index}], g{g}_shared, "
        f"&g{g}_input[{index}], t{extra})"
    )


def each_of(item: GroupPlan) -> str:
    return f"for (uint32_t i = 0u; i < g{item.number}_size; i++)"
