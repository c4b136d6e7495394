"""The differences of two matched components by their causes: values first, then equations."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

from ...canonical_model.model import Component, Constant, Parameter
from .match import Match, compare, plain
from .points import Subject
from .results import Difference

MAX_SHOWN = 12


def named_differences(a: Subject, b: Subject, match: Match) -> Iterator[Difference]:
    """The differences at the points by their causes: values first, then equations."""
    yield from _initial_values(a, b, match)
    unheard = [port for port in a.ports if port not in match.ports]
    for port in unheard:
        yield Difference(
            kind="part",
            name=port,
            other="",
            sentence=f"event input '{port}' is only in '{a.component.name}'",
        )
    for port in b.ports:
        if port not in match.ports.values():
            yield Difference(
                kind="part",
                name="",
                other=port,
                sentence=f"event input '{port}' is only in '{b.component.name}'",
            )
    if not match.disagreements:
        return
    causes = _causes(a, b, match)
    for x, y in causes:
        sentence = f"parameter '{x}' is {_value(a, x)} where '{y}' is {_value(b, y)}"
        yield Difference(kind="parameter", name=x, other=y, sentence=sentence)
    rest = match.disagreements
    if causes:
        rest = compare(a, b, match, {y: a.statics[x] for x, y in causes})
    for item in rest[:MAX_SHOWN]:
        where = f" in regime {item.regime}" if item.regime else ""
        what = {"rate": f"d({item.name})/dt", "condition": f"the condition of '{item.name}'",
                "event": f"an event at '{item.name}'",
                "weight": f"what '{item.name}' sends"}[item.kind]  # fmt: skip
        sentence = f"{what}{where} differs at {item.share:.0%} of the points, e.g. {item.sample}"
        yield Difference(kind=item.kind, name=item.name, other=item.other, sentence=sentence)


def _initial_values(a: Subject, b: Subject, match: Match) -> Iterator[Difference]:
    for x, (y, _) in match.states.items():
        own, its = match.seen(x, a.initial[x]), b.initial[y]
        if abs(own - its) > 1e-9 * max(abs(own), abs(its)):
            sentence = f"'{x}' starts at {own:.6g} where '{y}' starts at {its:.6g} (SI)"
            yield Difference(kind="initial value", name=x, other=y, sentence=sentence)


def _value(subject: Subject, name: str) -> str:
    from ...canonical_model.units import si_quantity

    for item in subject.component.parameters:
        if item.name == name and item.value is not None:
            return str(item.value)
    return str(si_quantity(subject.statics[name], subject.dimensions[name]))


def _causes(a: Subject, b: Subject, match: Match) -> list[tuple[str, str]]:
    """Pairs of parameters whose different values are behind disagreements: the smallest such set."""
    for pairs in _parameter_pairs(a, b):
        unequal = [
            (x, y)
            for x, y in pairs.items()
            if abs(a.statics[x] - b.statics[y]) > 1e-9 * max(abs(a.statics[x]), abs(b.statics[y]))
        ]
        if not unequal:
            continue
        left = len(compare(a, b, match, {y: a.statics[x] for x, y in unequal}))
        if left >= len(match.disagreements):
            continue
        needed = list(unequal)
        for pair in unequal:
            fewer = [item for item in needed if item != pair]
            if len(compare(a, b, match, {y: a.statics[x] for x, y in fewer})) <= left:
                needed = fewer
        return needed
    return []


def _parameter_pairs(a: Subject, b: Subject) -> Iterator[dict[str, str]]:
    """Ways to pair parameters: by name, then what is left by dimension in every order."""
    theirs = {(plain(y), d): y for y, d in b.dimensions.items()}
    base = {x: theirs[plain(x), d] for x, d in a.dimensions.items() if (plain(x), d) in theirs}
    yield base
    ours = [x for x in a.dimensions if x not in base]
    rest = [y for y in b.dimensions if y not in base.values()]
    # equal values under two names are no news
    for x in list(ours):
        equal = [
            y for y in rest if b.dimensions[y] == a.dimensions[x] and b.statics[y] == a.statics[x]
        ]
        if equal:
            ours.remove(x)
            rest.remove(equal[0])
    if not ours or not rest or len(ours) > 4 or len(rest) > 4:
        return
    if len(ours) <= len(rest):
        options = (zip(ours, order, strict=False) for order in permutations(rest, len(ours)))
    else:
        options = (zip(order, rest, strict=False) for order in permutations(ours, len(rest)))
    for option in options:
        more = {x: y for x, y in option if a.dimensions[x] == b.dimensions[y]}
        if more:
            yield {**base, **more}


def values_by_name(a: Component, b: Component) -> Iterator[Difference]:
    """Parameters of one name with different values: likely causes where equations cannot be compared."""
    ours: list[Parameter | Constant] = [*a.parameters, *a.constants]
    its_own: list[Parameter | Constant] = [*b.parameters, *b.constants]
    theirs = {(plain(item.name), item.dimension): item for item in its_own}
    for item in ours:
        other = theirs.get((plain(item.name), item.dimension))
        if other is None or item.value is None or other.value is None:
            continue
        own, its = item.value.si, other.value.si
        if abs(own - its) > 1e-9 * max(abs(own), abs(its)):
            sentence = (
                f"parameter '{item.name}' is {item.value} where '{other.name}' is {other.value}"
            )
            yield Difference(kind="parameter", name=item.name, other=other.name, sentence=sentence)
