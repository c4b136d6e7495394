"""Simultaneous assignments (NineML) as a sequence in which each sees the old values (canonical)."""

from __future__ import annotations

from collections.abc import Mapping

from ...canonical_model.expr import Expr, Name, free_names, reads, substitute
from ...canonical_model.model import Assign, StateVariable
from ...canonical_model.scope import find_cycle
from ...canonical_model.units import Dimension
from .syntax import Assignment


def sequence(
    items: tuple[Assignment, ...],
    aliases: Mapping[str, Expr],
    dimensions: Mapping[str, Dimension],
    taken: set[str],
    extra: dict[str, StateVariable],
) -> tuple[Assign, ...]:
    """The assignments in an order in which none reads what another has changed.

    Where they read each other in a circle, a state variable keeps the old value of one: it is added to
    `extra`, its name to `taken`. `aliases` are the definitions that hold here.
    """
    targets = {item.name for item in items}
    values = {item.name: item.value for item in items}
    body: list[Assign] = []
    while True:
        needs = {name: reads(value, aliases) & targets for name, value in values.items()}
        # who reads a target comes before the one who changes it
        later = {name: {o for o in targets if o != name and name in needs[o]} for name in targets}
        circle = find_cycle(later)
        if not circle:
            break
        kept = circle[0]
        old = _fresh(f"{kept}_old", taken)
        extra[old] = StateVariable(name=old, dimension=dimensions[kept])
        body.append(Assign(target=old, value=Name(kept)))
        for name in targets - {kept}:
            if kept in needs[name]:
                plain = expand(values[name], aliases, {kept})
                values[name] = substitute(plain, {kept: Name(old)})
    spans = {item.name: item.span for item in items}
    placed: set[str] = set()
    while len(placed) < len(items):
        for item in items:
            if item.name not in placed and later[item.name] <= placed:
                placed.add(item.name)
                body.append(
                    Assign(target=item.name, value=values[item.name], span=spans[item.name])
                )
    return tuple(body)


def _fresh(wanted: str, taken: set[str]) -> str:
    name, number = wanted, 2
    while name.lower() in {item.lower() for item in taken}:
        name, number = f"{wanted}{number}", number + 1
    taken.add(name)
    return name


def expand(expr: Expr, aliases: Mapping[str, Expr], names: set[str]) -> Expr:
    """`expr` with every alias that depends on one of `names` written out."""
    inner = {
        name: expand(value, aliases, names)
        for name, value in aliases.items()
        if name in free_names(expr) and reads(value, aliases) & names
    }
    return substitute(expr, inner)
