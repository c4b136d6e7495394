"""What LEMS has no word for comes back: notes, annotations, comments, kinds, roles, spellings of units."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from interspike.app.convert import convert
from interspike.app.load import load, load_bytes
from interspike.canonical_model.compare import differences
from interspike.canonical_model.model import Component, Model

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures"
UNSEEN = sorted((FIXTURES / "lems/unseen").glob("*.xml"))
# forms that LEMS writes otherwise: connections without types of their own, a type known by its equations
OTHERWISE = {"choices", "own_structure", "standard_cells_renamed", "synapse_on_own_event_ports"}


def back(model: Model) -> Model:
    (artifact,) = convert(model, to="lems").artifacts
    return load_bytes(artifact.data)


def only(model: Model) -> Component:
    (component,) = model.components
    return component


def test_notes_and_annotations_of_others_are_kept() -> None:
    model = load(FIXTURES / "lems/unseen/words_of_the_author.xml")
    speaker = model.component("speaker")
    assert speaker.description == "a cell whose author says a lot"
    assert speaker.extras["notes"] == "Fitted by hand, twice."
    assert speaker.extras["annotation:origin"] == "bench 4"
    assert back(model).component("speaker") == speaker


def test_what_nestml_says_comes_back_from_lems() -> None:
    model = load(FIXTURES / "nestml/pair_synapse.nestml")
    before, after = only(model), only(back(model))
    assert {port.role for port in after.event_inputs} == {port.role for port in before.event_inputs}
    assert dict(after.extras) == dict(before.extras)
    assert after.description == before.description
    again = convert(back(model), to="nestml").artifacts[0].data.decode()
    for text in before.extras.values():
        if "\n" not in text and len(text) > 8:
            assert text in again


@pytest.mark.parametrize("path", UNSEEN, ids=lambda path: path.stem)
def test_a_model_that_lems_can_hold_comes_back_equal(path: Path) -> None:
    model = load(path)
    found = back(model)
    told = differences(replace(model, name=found.name, provenance=found.provenance), found)
    assert path.stem in OTHERWISE or told == []
    assert [c.name for c in found.components] == [c.name for c in model.components]
