"""Are two models the same? Names, order and units are no difference; behaviour decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..canonical_model.diagnostics import Log, error, suggest
from ..canonical_model.model import Component, Model
from .behaviour.components import compare_components
from .behaviour.pairing import pair_components
from .behaviour.results import DIFFERENT, SAME, Comparison, Difference
from .behaviour.values import settings, with_values
from .behaviour.wiring import network_differences
from .convert import read_source


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """Two models compared: their components in pairs, and what has no counterpart or is wired otherwise."""

    comparisons: tuple[Comparison, ...] = ()
    parts: tuple[Difference, ...] = ()

    @property
    def verdict(self) -> str:
        """`same` or `different`."""
        bad = self.parts or any(item.differences for item in self.comparisons)
        return DIFFERENT if bad else SAME

    def to_json(self) -> dict[str, Any]:
        """The whole as JSON-ready data."""
        return {
            "verdict": self.verdict,
            "components": [item.to_json() for item in self.comparisons],
            "parts": [item.to_json() for item in self.parts],
        }


def diff(
    a: str | Path | Model,
    b: str | Path | Model,
    *,
    component: str | None = None,
    other: str | None = None,
    values: Mapping[str, str | float] | None = None,
    match: bool = False,
    search_path: Sequence[str | Path] = (),
    log: Log | None = None,
    stage: Callable[[str], None] = lambda text: None,
) -> Diff:
    """Compare two models. `component` and `other` choose one of each (else all are paired by name).

    `values` (`{"a": "0.1 per_ms"}`, or a number in SI) replace parameters of the second model's components
    before they are compared; with `match` each of its parameters takes the value of the first model's
    parameter of that name, so that what is left is no difference of values.
    Components are matched by structure, dimensions and values, then compared at random points and on one
    stimulus. Raises ModelError for models that cannot be read or run.
    """
    log = Log() if log is None else log
    stage("reading")
    models = [read_source(item, None, None, search_path, log) for item in (a, b)]
    chosen = [_choose(model, name) for model, name in zip(models, (component, other), strict=True)]
    quantities = [dict(model.network.quantities) if model.network else {} for model in models]
    pairs, alone = pair_components(*chosen)
    comparisons = []
    wanted = settings(values or {}, [its for _, its in pairs])
    for one, its in pairs:
        stage(f"comparing {one.name}")
        its, changed = with_values(one, its, wanted, match)
        found = compare_components(one, its, *quantities)
        comparisons.append(replace(found, remarks=(*changed, *found.remarks)))
    parts = [_alone(item.name, first) for item, first in alone]
    if component is None and other is None:
        stage("comparing networks")
        names = {one.name: its.name for one, its in pairs}
        parts += network_differences(models[0].network, models[1].network, names)
    return Diff(comparisons=tuple(comparisons), parts=tuple(parts))


def _choose(model: Model, name: str | None) -> tuple[Component, ...]:
    if not model.components:
        raise error("A230", f"'{model.name}' holds no component to compare")
    if name is None:
        return model.components
    for component in model.components:
        if component.name == name:
            return (component,)
    names = [item.name for item in model.components]
    raise error("A231", f"there is no component '{name}'", hint=suggest(name, names))


def _alone(name: str, first: bool) -> Difference:
    which = "first" if first else "second"
    sentence = f"component '{name}' is only in the {which} model"
    return Difference(kind="part", name=name if first else "", other="" if first else name,
                      sentence=sentence)  # fmt: skip


__all__ = ["DIFFERENT", "SAME", "Comparison", "Diff", "Difference", "diff"]
