"""Conditions on time alone: `t > last + refract` switches at a time that can be computed.

At the switch itself such a comparison counts as reached, so that a pause of length zero ends at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..canonical_model.algebra import Definitions
from ..canonical_model.expr import TIME, Binary, Expr, Unary, free_names

if TYPE_CHECKING:
    from .compile import Compiled
    from .discrete import Index, Machine

ULPS = 1e-14  # relative slack at the switch: a few units in the last place of t


@dataclass(frozen=True, slots=True)
class Comparison:
    """slope * t + offset compared with 0 by `op`."""

    op: str
    slope: Expr
    offset: Expr


@dataclass(frozen=True, slots=True)
class TimeTest:
    """A condition made of comparisons that are affine in t, combined by and, or, not."""

    tree: Any
    comparisons: tuple[Comparison, ...]

    def switches(self, machine: Machine, item: Compiled, where: Index) -> list[Any]:
        """The switching time of every comparison, per instance (inf: never)."""
        found = []
        for comparison in self.comparisons:
            slope = machine.value(item, comparison.slope, where, {})
            offset = machine.value(item, comparison.offset, where, {})
            with np.errstate(all="ignore"):
                at = np.where(np.asarray(slope) == 0, math.inf, -np.asarray(offset) / slope)
            found.append(np.broadcast_to(at, where.shape))
        return found

    def next_switch(self, machine: Machine, item: Compiled, where: Index) -> float:
        """The first switching time after the present."""
        soonest = math.inf
        for at in self.switches(machine, item, where):
            slack = ULPS * np.maximum(abs(machine.t), np.abs(at))
            later = at[np.isfinite(at) & (at > machine.t + slack)]
            if len(later):
                soonest = min(soonest, float(later.min()))
        return soonest

    def truth(self, machine: Machine, item: Compiled, where: Index, *, passed: bool = False) -> Any:
        """The condition now; with `passed` what is reached only now does not count yet."""
        values = []
        for comparison, at in zip(
            self.comparisons, self.switches(machine, item, where), strict=True
        ):
            slope = np.broadcast_to(machine.value(item, comparison.slope, where, {}), where.shape)
            offset = np.broadcast_to(machine.value(item, comparison.offset, where, {}), where.shape)
            slack = np.where(np.isfinite(at), ULPS * np.maximum(abs(machine.t), np.abs(at)), 0.0)
            rising = (slope > 0) == (comparison.op in (">", ">="))
            reached = machine.t >= at - slack
            if passed:
                reached = np.where(rising, machine.t > at + slack, reached)
            fixed = _compare(comparison.op, offset)
            values.append(np.where(slope == 0, fixed, np.where(rising, reached, ~reached)))
        return _combine(self.tree, values)


def _compare(op: str, value: Any) -> Any:
    table = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}
    return table[op](value, 0.0)


def _combine(tree: Any, values: list[Any]) -> Any:
    if isinstance(tree, int):
        return values[tree]
    op, *parts = tree
    inner = [_combine(part, values) for part in parts]
    if op == "not":
        return ~inner[0]
    return inner[0] & inner[1] if op == "and" else inner[0] | inner[1]


def time_test(item: Compiled, test: Expr) -> TimeTest | None:
    """The condition as a `TimeTest`, or None if anything but t changes continuously in it."""
    from .compile import _moving

    moving = _moving(item)
    names = free_names(test)
    if TIME not in names or names & moving:
        return None
    comparisons: list[Comparison] = []
    tree = _tree(test, comparisons)
    return None if tree is None else TimeTest(tree, tuple(comparisons))


def _tree(test: Expr, comparisons: list[Comparison]) -> Any:
    match test:
        case Unary("not", operand):
            inner = _tree(operand, comparisons)
            return None if inner is None else ("not", inner)
        case Binary("and" | "or", left, right):
            a, b = _tree(left, comparisons), _tree(right, comparisons)
            return None if a is None or b is None else (test.op, a, b)
        case Binary("<" | "<=" | ">" | ">=", left, right):
            form = Definitions({}).linear(Binary("-", left, right), frozenset({TIME}))
            if form is None:
                return None
            from ..canonical_model.expr import ZERO

            slope = form.coefficients.get(TIME, ZERO)
            comparisons.append(Comparison(test.op, slope, form.rest))
            return len(comparisons) - 1
    return None
