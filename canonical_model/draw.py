"""Connection rules and distributions of a network, drawn: the one place where that happens.

Every draw has a generator of its own, seeded with the seed and the CRC-32 of a name, so that it depends on
neither order nor platform: the same model gives the same network.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from .diagnostics import Span, error
from .lazy import np
from .network import Network, Population, Projection, Rule, Spread
from .rules import MAX_CONNECTIONS, bound, check_rule, sizes, start

if TYPE_CHECKING:
    from .network import Floats, Ints

PAIRS = 4_000_000  # pairs that are looked at in one go

Sampler = Callable[["np.random.Generator", int, "tuple[float, ...]"], object]
SAMPLERS: Mapping[str, Sampler] = {
    "uniform": lambda r, n, a: r.uniform(a[0], a[1], n),
    "normal": lambda r, n, a: r.normal(a[0], math.sqrt(a[1]), n),  # mean, variance
    "exponential": lambda r, n, a: r.exponential(1 / a[0], n),
    "poisson": lambda r, n, a: r.poisson(a[0], n),
    "gamma": lambda r, n, a: r.gamma(a[0], a[1], n),
    "log-normal": lambda r, n, a: r.lognormal(a[0], a[1], n),
    "bernoulli": lambda r, n, a: r.binomial(1, a[0], n),
    "binomial": lambda r, n, a: r.binomial(round(a[0]), a[1], n),
    "beta": lambda r, n, a: r.beta(a[0], a[1], n),
    "cauchy": lambda r, n, a: a[0] + a[1] * r.standard_cauchy(n),
    "chi-square": lambda r, n, a: r.chisquare(a[0], n),
    "geometric": lambda r, n, a: r.geometric(a[0], n),
    "laplace": lambda r, n, a: r.laplace(a[0], a[1], n),
    "logistic": lambda r, n, a: r.logistic(a[0], a[1], n),
    "pareto": lambda r, n, a: a[0] * (1 + r.pareto(a[1], n)),
    "weibull": lambda r, n, a: a[0] * r.weibull(a[1], n),
}


def generator(seed: int, key: str) -> np.random.Generator:
    """The generator of one draw.

    >>> bool(generator(1, "a").integers(100) == generator(1, "a").integers(100))
    True
    """
    return np.random.default_rng([seed, zlib.crc32(key.encode())])


def values(spread: Spread, count: int, span: Span | None = None) -> Floats:
    """`count` numbers in SI. Raises ModelError W214 for an array of another length, W215 for arguments
    that the distribution does not take."""
    if spread.kind == "constant":
        value = spread.arguments[0] * spread.scale + spread.offset
        return np.broadcast_to(np.float64(value), (count,))
    if spread.kind == "array":
        if len(spread.arguments) != count:
            message = f"'{spread.key}' has {len(spread.arguments)} values for {count} instances"
            raise error("W214", message, span)
        found = np.asarray(spread.arguments, dtype=float)
    else:
        try:
            random = generator(spread.seed, spread.key)
            found = np.asarray(SAMPLERS[spread.kind](random, count, spread.arguments), dtype=float)
        except (ValueError, ZeroDivisionError) as problem:
            message = (
                f"the distribution '{spread.kind}' of '{spread.key}' cannot be drawn: {problem}"
            )
            raise error("W215", message, span) from None
    return found * spread.scale + spread.offset


def connections(rule: Rule, sources: int, targets: int) -> tuple[Ints, Ints]:
    """Source and target of every connection, counted over all. The rule must pass `check_rule`."""
    random = generator(rule.seed, rule.key)
    match rule.kind:
        case "all_to_all":
            return np.tile(np.arange(sources), targets), np.repeat(np.arange(targets), sources)
        case "one_to_one":
            return np.arange(sources), np.arange(sources)
        case "probabilistic":
            return _probabilistic(rule.probability, sources, targets, random)
        case "fan_in":
            pre = _fan(targets, sources, rule.number, random)
            return pre, np.repeat(np.arange(targets), rule.number)
        case _:
            post = _fan(sources, targets, rule.number, random)
            return np.repeat(np.arange(sources), rule.number), post


def _probabilistic(
    chance: float, sources: int, targets: int, random: np.random.Generator
) -> tuple[Ints, Ints]:
    rows = max(1, PAIRS // max(sources, 1))
    pre, post = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for row in range(0, targets, rows):
        count = min(rows, targets - row)
        hits = np.argwhere(random.random((count, sources)) < chance)
        post.append(hits[:, 0] + row)
        pre.append(hits[:, 1])
    return np.concatenate(pre), np.concatenate(post)


def _fan(owners: int, partners: int, number: int, random: np.random.Generator) -> Ints:
    """For each of `owners` cells `number` different partners, owner by owner."""
    if number * number > partners:
        found = np.empty((owners, number), dtype=np.int64)
        for row in range(owners):
            found[row] = random.choice(partners, number, replace=False, shuffle=False)
        return found.ravel()
    # few of many: whole rows are drawn again until no partner comes twice, which favours nobody
    found = random.integers(0, max(partners, 1), (owners, number))
    waiting = np.arange(owners)
    while len(waiting):
        ranked = np.sort(found[waiting], axis=1)
        waiting = waiting[(ranked[:, 1:] == ranked[:, :-1]).any(axis=1)]
        found[waiting] = random.integers(0, max(partners, 1), (len(waiting), number))
    return found.ravel()


def drawn(
    network: Network,
    limit: int = MAX_CONNECTIONS,
    kept: Callable[[Projection], bool] = lambda item: False,
) -> Network:
    """The network with arrays in place of rules and distributions; itself where there are none.

    Projections for which `kept` is true stay as they are.

    Raises ModelError W213 (refused: more than `limit` connections), W214 to W216.
    """
    populations = tuple(_population(item) for item in network.populations)
    waiting = [p for p in network.projections if p.rule is not None and not kept(p)]
    if not waiting:
        same = all(a is b for a, b in zip(populations, network.populations, strict=True))
        return network if same else replace(network, populations=populations)
    bound(network, waiting, limit)
    known: list[tuple[Rule, _Whole]] = []
    projections = []
    for item in network.projections:
        if item.rule is None or kept(item):
            projections.append(item)
            continue
        whole = next((found for rule, found in known if rule == item.rule), None)
        if whole is None:
            whole = _Whole(item.rule, network, item.span)
            known = [*known[-1:], (item.rule, whole)]  # parts of a rule stand together
        projections.append(whole.part(item))
    return replace(network, populations=populations, projections=tuple(projections))


def _delays(rule: Rule, spread: Spread, count: int, span: Span | None) -> Floats:
    found = values(spread, count, span)
    bad = np.flatnonzero(~(np.isfinite(found) & (found >= 0)))
    if len(bad):
        message = f"the delay {found[bad[0]]:g} s of '{rule.key}' ({spread.kind}) is impossible"
        raise error("W215", message, span, hint="delays are finite and not negative")
    return found


def _population(item: Population) -> Population:
    if not (item.spread_parameters or item.spread_initial):
        return item
    made = [
        {**old, **{name: values(spread, item.size, item.span) for name, spread in new.items()}}
        for old, new in (
            (item.parameters, item.spread_parameters),
            (item.initial, item.spread_initial),
        )
    ]
    return replace(item, parameters=made[0], initial=made[1], spread_parameters={},
                   spread_initial={})  # fmt: skip


class _Whole:
    """All connections of a rule, of which each projection has a part."""

    def __init__(self, rule: Rule, network: Network, span: Span | None) -> None:
        sources, targets = sizes(network, rule)
        check_rule(rule, sources, targets, span)
        self.network, self.rule = network, rule
        self.pre, self.post = connections(rule, sources, targets)
        count = len(self.pre)
        self.weight = None if rule.weight is None else values(rule.weight, count, span)
        self.delay = None if rule.delay is None else _delays(rule, rule.delay, count, span)
        self.parameters = {n: values(s, count, span) for n, s in rule.parameters.items()}
        self.initial = {n: values(s, count, span) for n, s in rule.initial.items()}

    def part(self, item: Projection) -> Projection:
        """The projection with the connections between its two populations."""
        rule, network = self.rule, self.network
        pre_start = start(network, rule.sources, item.source)
        post_start = start(network, rule.targets, item.target)
        pre, post = self.pre, self.post
        where: Ints | slice = slice(None)
        if len(rule.sources) > 1 or len(rule.targets) > 1:
            pre_stop = pre_start + network.population(item.source).size
            post_stop = post_start + network.population(item.target).size
            where = np.flatnonzero(
                (pre >= pre_start) & (pre < pre_stop) & (post >= post_start) & (post < post_stop)
            )
        return replace(
            item,
            rule=None,
            pre=pre[where] - pre_start,
            post=post[where] - post_start,
            weight=None if self.weight is None else self.weight[where],
            delay=None if self.delay is None else self.delay[where],
            parameters={name: found[where] for name, found in self.parameters.items()},
            initial={name: found[where] for name, found in self.initial.items()},
        )
