"""Conditions that become one trigger in NineML, and what of each is done at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ...canonical_model.diagnostics import refuse
from ...canonical_model.expr import Binary, Expr, reads, rebuild, substitute
from ...canonical_model.model import Component, OnCondition, Regime
from ...canonical_model.passes.guards import targets, usual_values, values_after
from ...canonical_model.passes.intervals import certain


def together(component: Component, regimes: tuple[Regime, ...]) -> tuple[Regime, ...]:
    """Regimes without two conditions of the same trigger: NineML knows `<` and `>` only.

    They are done one after the other where the first leaves the test as it is; where it ends the test, the
    second never comes to act. Raises ModelError X313 where that is not known.
    """
    aliases = {item.name: item.value for item in component.derived_variables}
    return tuple(
        replace(regime, on_conditions=_joined(component, regime, aliases)) for regime in regimes
    )


def _joined(
    component: Component, regime: Regime, aliases: Mapping[str, Expr]
) -> tuple[OnCondition, ...]:
    aliases = {**aliases, **{item.name: item.value for item in regime.derived_variables}}
    found: dict[Expr, OnCondition] = {}
    for item in regime.on_conditions:
        trigger = _trigger(item.test)
        first = found.get(trigger)
        if first is None:
            found[trigger] = item
        elif not reads(item.test, aliases) & targets(first.body):
            found[trigger] = replace(first, body=(*first.body, *item.body))
        elif not _ends(component, item.test, first, aliases):
            message = (
                f"two conditions of '{component.name}' become the same trigger in NineML, which "
                "would have to do both at once"
            )
            raise refuse("X313", message, item.span or component.span)
    return tuple(found.values())


def _ends(
    component: Component, test: Expr, first: OnCondition, aliases: Mapping[str, Expr]
) -> bool:
    """Is a test certainly false after the body of another condition?"""
    values = values_after(first.body)
    if values is None or reads(test, aliases) & aliases.keys():
        return False
    return certain(substitute(test, values), usual_values(component)) is False


def _trigger(expr: Expr) -> Expr:
    """A test as NineML has it: `<=` is `<`, and `a < b` is `b > a`."""
    inner = rebuild(expr, _trigger)
    match inner:
        case Binary("<" | "<=", left, right):
            return Binary(">", right, left)
        case Binary(">=", left, right):
            return Binary(">", left, right)
        case _:
            return inner


__all__ = ["together"]
