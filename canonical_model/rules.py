"""Connection rules without drawing them: how many connections they make, and whether they can be followed.

`draw.py` draws.
"""

from __future__ import annotations

import math
from dataclasses import replace

from .diagnostics import Span, error, refuse
from .network import Network, Projection, Rule

MAX_CONNECTIONS = 100_000_000
FIXED = ("constant", "array")  # spreads that need no generator
RANDOM_RULES = frozenset({"probabilistic", "fan_in", "fan_out"})
RULES = frozenset({"all_to_all", "one_to_one"}) | RANDOM_RULES


def expected(rule: Rule, sources: int, targets: int) -> float:
    """How many connections the rule makes (probabilistic: on average), counted without drawing.

    >>> expected(Rule(kind="fan_in", sources=("a",), targets=("b",), number=3), 10, 5)
    15.0
    """
    match rule.kind:
        case "all_to_all":
            return float(sources) * targets
        case "probabilistic":
            return float(sources) * targets * rule.probability
        case "fan_in":
            return float(targets) * rule.number
        case "fan_out":
            return float(sources) * rule.number
        case _:
            return float(min(sources, targets))


def check_rule(rule: Rule, sources: int, targets: int, span: Span | None = None) -> None:
    """Raises ModelError W216 where the rule cannot be followed between so many cells."""
    message, name = "", rule.key
    if rule.kind == "one_to_one" and sources != targets:
        message = f"'{name}' joins {sources} with {targets} cells one to one"
    elif rule.kind == "probabilistic" and not 0 <= rule.probability <= 1:
        message = f"the probability {rule.probability:g} of '{name}' is not between 0 and 1"
    elif rule.kind in ("fan_in", "fan_out"):
        partners = sources if rule.kind == "fan_in" else targets
        if not 0 <= rule.number <= partners:
            message = f"'{name}' asks for {rule.number} different cells out of {partners}"
    elif rule.kind not in RULES:
        message = f"the rule '{rule.kind}' of '{name}' is not known"
    if message:
        raise error("W216", message, span)


def sizes(network: Network, rule: Rule) -> tuple[int, int]:
    """How many cells the rule counts at either side."""
    source = sum(network.population(name).size for name in rule.sources)
    return source, sum(network.population(name).size for name in rule.targets)


def share(network: Network, item: Projection) -> float:
    """How many connections a projection has; of a rule its part on average, not drawn."""
    if item.rule is None:
        return float(len(item.pre))
    sources, targets = sizes(network, item.rule)
    own = (network.population(item.source).size, network.population(item.target).size)
    if item.rule.kind == "one_to_one":
        starts = start(network, item.rule.sources, item.source)
        others = start(network, item.rule.targets, item.target)
        stop = min(starts + own[0], others + own[1])
        return float(max(0, stop - max(starts, others)))
    pairs = float(sources) * targets
    return expected(item.rule, sources, targets) * own[0] * own[1] / pairs if pairs else 0.0


def own_rule(item: Projection) -> Rule | None:
    """The rule of a part between its own two populations, None where other parts have a say in it.

    A rule that draws every pair by itself, or every owner of a fan, does the same for each part.
    """
    rule = item.rule
    if rule is None:
        return None
    single = (len(rule.sources) == 1, len(rule.targets) == 1)
    splits = {"all_to_all": True, "probabilistic": True, "fan_in": single[0], "fan_out": single[1]}
    if not splits.get(rule.kind, all(single)):
        return None
    return replace(rule, sources=(item.source,), targets=(item.target,))


def start(network: Network, names: tuple[str, ...], name: str) -> int:
    """The place of a population's first cell among those of `names`."""
    before = names[: names.index(name)]
    return sum(network.population(other).size for other in before)


def bound(network: Network, items: list[Projection], limit: int) -> None:
    """Raises ModelError W213 (refused) where the rules of `items` make more than `limit` connections."""
    total = sum(share(network, item) for item in items)
    pairs = max(
        math.prod(map(float, sizes(network, item.rule))) for item in items if item.rule is not None
    )
    if total > limit or pairs / 100 > limit:
        count = f"{total:,.0f}" if total < 1e9 else f"{total:.3g}"
        message = (
            f"the rules of '{network.name}' make {count} connections, which would have to be drawn "
            f"one by one; at most {limit:,}"
        )
        raise refuse("W213", message, items[0].span)
