"""Which components of one model are which of another's."""

from __future__ import annotations

from collections.abc import Sequence

from ...canonical_model.model import Component
from .match import likeness, plain


def pair_components(
    ours: Sequence[Component], theirs: Sequence[Component]
) -> tuple[list[tuple[Component, Component]], list[tuple[Component, bool]]]:
    """Pairs, and what is left of the first (True) and the second model."""
    if len(ours) == len(theirs) == 1:
        return [(ours[0], theirs[0])], []
    mine, its = [_quantities(x) for x in ours], [_quantities(y) for y in theirs]
    ranked = []
    for i, x in enumerate(ours):
        for j, y in enumerate(theirs):
            alike = likeness(x.name, y.name) + 0.1 * (_size(x) == _size(y))
            if alike > 0.5:
                ranked.append((-alike - 0.5 * _common(mine[i], its[j]), i, j))
    pairs: dict[int, int] = {}
    for _, i, j in sorted(ranked):
        if i not in pairs and j not in pairs.values():
            pairs[i] = j
    # what is left over may still be one thing under two names
    left = [i for i in range(len(ours)) if i not in pairs]
    right = [j for j in range(len(theirs)) if j not in pairs.values()]
    if len(left) == len(right) == 1:
        pairs[left[0]] = right[0]
        left, right = [], []
    alone = [(ours[i], True) for i in left] + [(theirs[j], False) for j in right]
    return [(ours[i], theirs[pairs[i]]) for i in sorted(pairs)], alone


def _quantities(component: Component) -> set[str]:
    """The names of what the component is given from outside."""
    names = [item.name for item in component.parameters]
    return {plain(name) for name in [*names, *(item.name for item in component.analog_inputs)]}


def _common(one: set[str], other: set[str]) -> float:
    """The share of names that both have."""
    return len(one & other) / max(1, len(one | other))


def _size(component: Component) -> tuple[int, int]:
    return len(component.state_variables), len(component.on_conditions)
