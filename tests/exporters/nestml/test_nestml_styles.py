"""Models in the styles that people write, from today's back to those with `end`: read, run, written again,
and converted, or refused for a reason that is named here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from interspike.app.convert import convert
from interspike.app.simulate import simulate
from interspike.canonical_model.diagnostics import Log, ModelError
from interspike.canonical_model.model import Component, Model
from interspike.canonical_model.verify import verify_component
from interspike.exporters.nestml.emit import export
from interspike.importers.nestml.reader import read

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures" / "nestml"
FILES = ("styles", "styles_older", "styles_ended", "void_neuron")
# third factors and delays have no form in the NEST nodes that are made here
REFUSED = {
    ("nest", "fhn_delay"): {"B301"}, ("nest", "clopath_synapse"): {"B303"},
    ("nest", "reward_stdp_synapse"): {"B303"},
}  # fmt: skip


def models() -> dict[str, Model]:
    """Each model of the files by name, on its own."""
    found = {}
    for name in FILES:
        model = read(FIXTURES / f"{name}.nestml", log=Log())
        for item in model.components:
            found[item.name] = Model(
                name=item.name, components=(item,), provenance=model.provenance
            )
    return found


MODELS = models()


def written(model: Model) -> str:
    (file,) = export(
        model, scheme="auto", step=1e-4, source=model.provenance, log=Log(), name=model.name
    )
    return file.data.decode()


def test_they_are_many() -> None:
    assert len(MODELS) >= 25


@pytest.mark.parametrize("name", MODELS)
def test_what_is_written_is_the_same_model(name: str) -> None:
    text = written(MODELS[name])
    back = read(None, text.encode(), file="back", log=Log())
    first: Component = MODELS[name].components[0]
    assert verify_component(first) == []
    assert back.components[0] == first
    assert written(back) == text


@pytest.mark.parametrize("name", MODELS)
def test_it_runs(name: str) -> None:
    result = simulate(MODELS[name], length=0.02, dt=1e-4)
    assert all(np.isfinite(values).all() for values in result.traces.values())


@pytest.mark.parametrize("target", ["nest", "spinnaker2"])
@pytest.mark.parametrize("name", MODELS)
def test_it_is_converted_or_refused_for_a_reason(name: str, target: str) -> None:
    wanted = REFUSED.get((target, name), set())
    try:
        assert convert(MODELS[name], to=target).artifacts
    except ModelError as problem:
        assert {issue.code for issue in problem.issues} == wanted
        return


def test_nestml_9_accepts_some_of_them(
    nestml_complaints: Callable[[Mapping[str, str]], dict[str, list[str]]],
) -> None:
    chosen = (
        "void_neuron",
        "iaf_alpha_ho",
        "unit_torture",
        "poisson_dead",
        "my_triplet",
        "gif_two",
    )
    texts = {name: written(MODELS[name]) for name in chosen}
    assert nestml_complaints(texts) == {name: [] for name in chosen}
