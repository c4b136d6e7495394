"""Parameters that change during a run: values that the program itself puts in place at known ticks.

A parameter that changes becomes a state without an equation; at each tick of a change a timed event
assigns the values that were set then, which travel as further parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...canonical_model.circuit import Group
from ...canonical_model.expr import Name
from ...canonical_model.model import Assign, Component, Parameter, StateVariable, TimedEvents


@dataclass(frozen=True, slots=True)
class Change:
    """New parameters and new states from a tick on; arrays of one value per instance, in SI."""

    tick: int
    parameters: dict[str, Any]
    states: dict[str, Any]


def schedule(group: Group, changes: Sequence[Change], step: float) -> Group:
    """The group with changes built in; `step` in seconds. Without changes it is the same group."""
    if not changes:
        return group
    component = group.component
    moving = {name for change in changes for name in change.parameters}
    dimensions = {item.name: item.dimension for item in component.parameters}
    dimensions.update({item.name: item.dimension for item in component.state_variables})
    values = dict(group.parameters)
    extra: list[Parameter] = []
    timed: list[TimedEvents] = []

    def carry(name: str, label: str, array: Any) -> Name:
        """A parameter that brings an array to the chip."""
        own = f"{name}_{label}"
        extra.append(Parameter(name=own, dimension=dimensions[name]))
        values[own] = np.asarray(array, dtype=float)
        return Name(own)

    first = {name: carry(name, "at_0", values.pop(name)) for name in sorted(moving)}
    for number, change in enumerate(changes, 1):
        body = tuple(
            Assign(target=name, value=carry(name, f"at_{number}", array))
            for name, array in {**change.parameters, **change.states}.items()
        )
        timed.append(TimedEvents(times=(change.tick * step,), body=body))
    return replace(
        group,
        component=_with(component, moving, first, extra, timed),
        parameters=values,
    )


def _with(
    component: Component,
    moving: set[str],
    first: dict[str, Name],
    extra: list[Parameter],
    timed: list[TimedEvents],
) -> Component:
    kept = tuple(item for item in component.parameters if item.name not in moving)
    states = tuple(
        StateVariable(name=item.name, dimension=item.dimension, initial=first[item.name])
        for item in component.parameters
        if item.name in moving
    )
    return replace(
        component,
        parameters=(*kept, *extra),
        # before the others: their initial values may read them
        state_variables=(*states, *component.state_variables),
        timed_events=(*component.timed_events, *timed),
    )
