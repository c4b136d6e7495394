"""Connection rules: what they draw, how often, and that it depends on nothing but seed and names."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from interspike.canonical_model.diagnostics import ModelError
from interspike.canonical_model.draw import SAMPLERS, connections, drawn, values
from interspike.canonical_model.model import Component, Model
from interspike.canonical_model.network import Network, Population, Projection, Rule, Spread
from interspike.canonical_model.rules import expected, share
from interspike.canonical_model.serial import dumps, loads
from interspike.canonical_model.verify import verify_model
from scipy import stats

EMPTY = np.zeros(0, dtype=np.int64)


def network(rule: Rule, **sizes: int) -> Network:
    """A projection for each pair of the rule's populations."""
    pairs = [(a, b) for a in rule.sources for b in rule.targets]
    return Network(
        name="net",
        populations=tuple(Population(name=n, component="c", size=s) for n, s in sizes.items()),
        projections=tuple(
            Projection(name=f"{a}_{b}", source=a, target=b, pre=EMPTY, post=EMPTY, rule=rule)
            for a, b in pairs
        ),
    )


def rule(kind: str, **more: object) -> Rule:
    return Rule(kind=kind, sources=("a",), targets=("b",), key="p", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(("number", "partners"), [(3, 40), (20, 30), (0, 5), (5, 5), (1, 1)])
@pytest.mark.parametrize("kind", ["fan_in", "fan_out"])
def test_fans_have_different_partners(kind: str, number: int, partners: int) -> None:
    sizes = (partners, 200) if kind == "fan_in" else (200, partners)
    pre, post = connections(rule(kind, number=number), *sizes)
    owners, others = (post, pre) if kind == "fan_in" else (pre, post)
    assert len(pre) == 200 * number == expected(rule(kind, number=number), *sizes)
    assert np.array_equal(np.bincount(owners, minlength=200), np.full(200, number))
    assert len({*zip(owners, others, strict=True)}) == len(pre)
    assert not len(others) or others.max() < partners


@pytest.mark.parametrize("number", [3, 20])
def test_no_partner_is_favoured(number: int) -> None:
    """Either way of drawing gives every partner the same chance (chi-square of the counts)."""
    pre, _ = connections(rule("fan_in", number=number), 40, 4000)
    counts = np.bincount(pre, minlength=40)
    # counts of draws without replacement vary less than those with
    spread = counts.var() / (4000 * number / 40 * (1 - number / 40))
    assert 0.5 < spread < 1.8 and stats.chisquare(counts).pvalue > 0.01


def test_probabilistic_joins_pairs_at_the_stated_rate() -> None:
    pre, post = connections(rule("probabilistic", probability=0.07), 300, 500)
    assert abs(len(pre) - 150_000 * 0.07) < 5 * np.sqrt(150_000 * 0.07 * 0.93)
    assert len({*zip(pre, post, strict=True)}) == len(pre)


def test_what_is_drawn_depends_on_seed_and_key_alone() -> None:
    one = rule("probabilistic", probability=0.3)
    again = connections(replace(one, sources=("x",)), 50, 50)
    assert np.array_equal(connections(one, 50, 50)[0], again[0])
    for other in (replace(one, seed=2), replace(one, key="q")):
        assert not np.array_equal(connections(one, 50, 50)[0], connections(other, 50, 50)[0])


def test_parts_of_a_rule_make_the_whole() -> None:
    """Between selections every part has its share, and together each target has its number of sources."""
    delay = Spread(kind="uniform", arguments=(1.0, 2.0), scale=1e-3, key="p/delay")
    whole = Rule(
        kind="fan_in", sources=("a", "b"), targets=("c", "d"), number=7, key="p", delay=delay
    )
    undrawn = network(whole, a=30, b=10, c=20, d=5)
    found = drawn(undrawn)
    assert sum(share(undrawn, item) for item in undrawn.projections) == 25 * 7
    for target, size in (("c", 20), ("d", 5)):
        counts = np.zeros(size)
        for item in found.projections:
            assert item.delay is not None and item.rule is None
            assert len(item.delay) == len(item.pre) == len(item.post)
            if item.target == target:
                counts += np.bincount(item.post, minlength=size)
        assert np.array_equal(counts, np.full(size, 7))
    pre, post = connections(whole, 40, 25)
    first = found.projections[0]
    assert np.array_equal(first.pre, pre[(pre < 30) & (post < 20)])


def test_one_to_one_goes_across_populations() -> None:
    joined = Rule(kind="one_to_one", sources=("a",), targets=("c", "d"), key="p")
    found = drawn(network(joined, a=25, c=20, d=5))
    assert np.array_equal(found.projections[1].pre, np.arange(20, 25))
    assert np.array_equal(found.projections[1].post, np.arange(5))


def test_populations_are_drawn_as_well() -> None:
    spread = Spread(kind="normal", arguments=(-60.0, 4.0), scale=1e-3, key="p/v")
    population = Population(name="p", component="c", size=4000, spread_initial={"v": spread})
    found = drawn(Network(name="n", populations=(population,))).population("p")
    assert not found.spread_initial
    assert found.initial["v"].mean() == pytest.approx(-0.06, abs=2e-4)
    assert found.initial["v"].std() == pytest.approx(0.002, rel=0.05)


MEANS = {
    "uniform": ((2.0, 4.0), 3.0), "normal": ((2.0, 4.0), 2.0), "exponential": ((4.0,), 0.25),
    "poisson": ((3.0,), 3.0), "gamma": ((2.0, 3.0), 6.0), "log-normal": ((0.0, 0.5), np.exp(0.125)),
    "bernoulli": ((0.3,), 0.3), "binomial": ((10.0, 0.3), 3.0), "beta": ((2.0, 3.0), 0.4),
    "chi-square": ((3.0,), 3.0), "geometric": ((0.25,), 4.0), "laplace": ((1.0, 2.0), 1.0),
    "logistic": ((1.0, 2.0), 1.0), "pareto": ((2.0, 5.0), 2.5), "weibull": ((2.0, 1.0), 2.0),
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(MEANS))
def test_distributions_have_their_mean(kind: str) -> None:
    arguments, mean = MEANS[kind]
    found = values(Spread(kind=kind, arguments=arguments, scale=10.0, key="x"), 20_000)
    assert abs(found.mean() - 10 * mean) < 6 * found.std() / np.sqrt(20_000)
    assert {*MEANS, "cauchy"} == SAMPLERS.keys()


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (rule("fan_in", number=31), "W216"),
        (rule("probabilistic", probability=1.5), "W216"),
        (rule("one_to_one"), "W216"),
        (rule("somehow"), "W216"),
        (rule("all_to_all", delay=Spread(kind="array", arguments=(1.0, 2.0))), "W214"),
        (rule("all_to_all", delay=Spread(arguments=(-1.0,))), "W215"),
        (rule("all_to_all", delay=Spread(kind="gamma", arguments=(-1.0, 1.0))), "W215"),
    ],
)
def test_rules_that_cannot_be_followed(wrong: Rule, code: str) -> None:
    with pytest.raises(ModelError) as caught:
        drawn(network(wrong, a=30, b=20))
    assert caught.value.issues[0].code == code


def test_too_many_connections_are_refused_before_they_are_drawn() -> None:
    with pytest.raises(ModelError) as caught:
        drawn(network(rule("all_to_all"), a=1_000_000, b=1_000_000))
    assert caught.value.refused and "1e+12" in caught.value.issues[0].message
    with pytest.raises(ModelError):
        drawn(network(rule("all_to_all"), a=100, b=100), limit=9_999)


def test_rules_survive_the_text_form_and_are_verified() -> None:
    given = {"w": Spread(kind="array", arguments=(1.0, 2.0))}
    some = rule("all_to_all", delay=Spread(arguments=(1.0,), scale=1e-3), parameters=given)
    model = Model(name="m", components=(Component(name="c"),), network=network(some, a=2, b=1))
    again = loads(dumps(model))
    assert again.network is not None and again.network.projections[0].rule == some
    assert not verify_model(model)
    assert model.network is not None
    for wrong in (replace(some, sources=("b",)), replace(some, kind="one_to_one")):
        other = network(some, a=2, b=1)
        item = replace(other.projections[0], rule=wrong)
        issues = verify_model(replace(model, network=replace(other, projections=(item,))))
        assert {issue.code for issue in issues} <= {"V152", "W216"} and issues
