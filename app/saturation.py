"""Sources that ask for more events than a grid can give."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..canonical_model.diagnostics import Level, Log, ModelError
from ..canonical_model.expr import TIME, ZERO, Call, Expr, Name, Number, is_random, rebuild
from ..canonical_model.model import Assign, Component, Emit, Model
from ..canonical_model.passes.arming import SHORTEST, caught_up
from ..canonical_model.query import conditions, nested

TYPICAL = 1.0 - math.exp(-1.0)  # of a uniform draw: an exponential waiting time then has its mean


def warn_saturated(model: Model, step: float, log: Log) -> None:
    """Say (A105) which components wait for less than a `step` (s) from one event to the next, on average."""
    for component in model.components:
        for interval, shortest in _intervals(component, step):
            if 0.0 < interval < shortest:
                message = (
                    f"'{component.name}' asks for {1 / interval:.4g} events a second; a grid of "
                    f"{step * 1e3:g} ms gives {1 / shortest:.4g} a second at most"
                )
                hint = "take a smaller step, or more sources of a lower rate"
                log.add("A105", Level.WARNING, message, component.span, hint=hint)
                break


def _intervals(component: Component, step: float) -> Iterator[tuple[float, float]]:
    """Mean waiting times (s) of sources that draw when they send the next event, and the shortest that a
    grid gives: a step, unless the source can catch up."""
    from ..solvers.evaluate import evaluate, parameter_values

    try:
        values = {**parameter_values(component), TIME: 0.0}
    except ModelError:
        return
    for condition in conditions(component):
        body = tuple(nested(condition.body))
        if not any(isinstance(item, Emit) for item in body):
            continue
        shortest = step if caught_up(component, condition) is None else 10 * SHORTEST.value
        for item in body:
            if isinstance(item, Assign) and is_random(item.value):
                try:
                    found = float(evaluate(_settled(item.value), values))
                except (ModelError, KeyError, ArithmeticError):
                    continue
                if _waits(component, item.target):
                    yield found, shortest


def _waits(component: Component, name: str) -> bool:
    """Is the state a time that nothing but events change?"""
    from ..canonical_model.query import odes
    from ..canonical_model.units import TIME as TIME_DIMENSION

    state = next(s for s in component.state_variables if s.name == name)
    return state.dimension == TIME_DIMENSION and all(o.variable != name for o in odes(component))


def _settled(expr: Expr) -> Expr:
    """Every draw as a number that is typical of it."""
    match expr:
        case Call("uniform", ()):
            return Number(TYPICAL)
        case Call("normal", ()):
            return ZERO
        case Name():
            return expr
    return rebuild(expr, _settled)


__all__ = ["warn_saturated"]
