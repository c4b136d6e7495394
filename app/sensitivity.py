"""Until when does a run depend on its equations alone, and from when on rounding as well?

A model that amplifies small differences (chaos, a steep rise met by a fixed step) runs apart from itself when
its numbers are rounded to single precision. What comes later says nothing of a conversion.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from ..canonical_model.expr import is_random
from ..canonical_model.model import Component, Parameter
from ..canonical_model.passes.change import all_expressions
from ..canonical_model.units import Quantity

if TYPE_CHECKING:
    from ..canonical_model.circuit import Circuit, Group
    from .trial import Ran

APART = 1e-4  # of a trace's range: a hundredth of what two engines may differ by
DEVIATIONS = 4.0
SHAKE = 2.0**-24  # relative: half a unit in the last place of single precision


def horizon(circuit: Circuit, reference: Ran, scheme: str) -> float:
    """Seconds after which the grid run of `circuit` differs from `reference`, the same without rounding.

    Infinite where it never does. Raises what a run raises.
    """
    import numpy as np

    from ..solvers.simulate import simulate

    shaken = simulate(
        replace(circuit, groups=tuple(_shaken(group) for group in circuit.groups)),
        mode="grid", scheme=scheme,
    )  # fmt: skip
    found = [np.inf]
    for label, times in reference.events.items():
        theirs = shaken.events[label]
        count = min(len(times), len(theirs))
        apart = np.flatnonzero(np.abs(times[:count] - theirs[:count]) > reference.step / 2)
        found += [min(times[k], theirs[k]) for k in apart[:1]]
        found += [train[count] for train in (times, theirs) if len(train) > count]
    for label, values in reference.traces.items():
        span = np.ptp(values[np.isfinite(values)]) if np.isfinite(values).any() else 0.0
        with np.errstate(invalid="ignore"):
            apart = np.flatnonzero(np.abs(values - shaken.traces[label]) > APART * span)
        found += [reference.times[k] for k in apart[:1]]
    return float(min(found))


def _shaken(group: Group) -> Group:
    """The group with every value a little larger or smaller."""
    changed = {
        name: values * (1.0 + (-1.0) ** k * SHAKE)
        for k, (name, values) in enumerate(group.parameters.items())
    }
    initial = {name: values * (1.0 + SHAKE) for name, values in group.initial.items()}
    return replace(group, component=_moved(group.component), parameters=changed, initial=initial)


def _moved(component: Component) -> Component:
    def moved(k: int, item: Parameter) -> Parameter:
        if item.value is None or item.kind != "real":
            return item
        value = Quantity(item.value.value * (1.0 + (-1.0) ** k * SHAKE), item.value.unit)
        return replace(item, value=value)

    return replace(
        component, parameters=tuple(moved(k, item) for k, item in enumerate(component.parameters))
    )


def draws(circuit: Circuit) -> bool:
    """Does anything in the circuit draw random numbers?"""
    return any(map(draws_numbers, {id(g.component): g.component for g in circuit.groups}.values()))


def draws_numbers(component: Component) -> bool:
    """Does an expression of the component, its statements' included, draw random numbers?"""
    return any(is_random(expr) for expr in all_expressions(component))


def alike(one: int, other: int) -> bool:
    """May two counts of random events have the same mean? Four standard deviations of their difference."""
    return abs(one - other) <= DEVIATIONS * math.sqrt(one + other)
