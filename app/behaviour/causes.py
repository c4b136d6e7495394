"""The differences of two matched components by their causes: values first, then equations."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

from ...canonical_model.expr import free_names
from ...canonical_model.model import Component, Constant, Parameter
from ...canonical_model.passes.change import all_expressions
from ..sensitivity import draws_numbers
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
        what = {"rate": f"d({item.name})/dt", "value": f"'{item.name}'",
                "condition": f"the condition of '{item.name}'",
                "event": f"an event at '{item.name}'",
                "weight": f"what '{item.name}' sends"}[item.kind]  # fmt: skip
        sentence = f"{what}{where} differs at {item.share:.0%} of the points, e.g. {item.sample}"
        yield Difference(kind=item.kind, name=item.name, other=item.other, sentence=sentence)


def _initial_values(a: Subject, b: Subject, match: Match) -> Iterator[Difference]:
    for x, (y, _) in match.states.items():
        own, its = match.seen(x, a.initial[x]), b.initial[y]
        if not _is_near(own, its):
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
        unequal = [(x, y) for x, y in pairs.items() if not _is_near(a.statics[x], b.statics[y])]
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


def told_apart(a: Component, b: Component) -> Iterator[Difference]:
    """What no run has to show: other times of events that are listed, and other values in what are the
    same random equations, where chance hides a small difference."""
    ours, theirs = (sorted(x for item in c.timed_events for x in item.times) for c in (a, b))
    if ours and theirs and not (len(ours) == len(theirs) and all(map(_is_near, ours, theirs))):
        pairs = zip(ours, theirs, strict=False)
        apart = next((f"{x:.6g} s | {y:.6g} s" for x, y in pairs if not _is_near(x, y)), "")
        shown = apart or f"{len(ours)} | {len(theirs)} of them"
        sentence = f"the listed times of events differ: {shown}"
        yield Difference(kind="spikes", name=a.name, other=b.name, sentence=sentence)
    read = [tuple(all_expressions(c)) for c in (a, b)]
    if draws_numbers(a) and read[0] == read[1]:
        names = frozenset[str]().union(*map(free_names, read[0]))
        yield from (item for item in values_by_name(a, b) if item.name in names)


def _is_near(one: float, other: float) -> bool:
    return abs(one - other) <= 1e-9 * max(abs(one), abs(other))


def values_by_name(a: Component, b: Component) -> Iterator[Difference]:
    """Parameters of one name with different values: likely causes where equations cannot be compared."""
    ours: list[Parameter | Constant] = [*a.parameters, *a.constants]
    its_own: list[Parameter | Constant] = [*b.parameters, *b.constants]
    theirs = {(plain(item.name), item.dimension): item for item in its_own}
    for item in ours:
        other = theirs.get((plain(item.name), item.dimension))
        if other is None or item.value is None or other.value is None:
            continue
        if not _is_near(item.value.si, other.value.si):
            sentence = (
                f"parameter '{item.name}' is {item.value} where '{other.name}' is {other.value}"
            )
            yield Difference(kind="parameter", name=item.name, other=other.name, sentence=sentence)
