"""The canonical services on the published NeuroML and LEMS models: all sound, all written and read back."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

import pytest
from interspike.canonical_model.compare import differences
from interspike.canonical_model.diagnostics import Log
from interspike.canonical_model.display import describe_component, describe_model
from interspike.canonical_model.model import Model
from interspike.canonical_model.passes.wire import wire
from interspike.canonical_model.serial import dumps, loads
from interspike.canonical_model.verify import verify_component, verify_model
from interspike.importers.lems.reader import read

MODELS = Path(__file__).resolve().parents[2].parent / "shared" / "models" / "neuroml"
MANIFEST = MODELS / "MANIFEST.json"
CASES = json.loads(MANIFEST.read_text())["cases"] if MANIFEST.exists() else []

pytestmark = pytest.mark.skipif(
    not CASES, reason="the published models are not beside the checkout"
)


@lru_cache(maxsize=2)
def model_of(case: str) -> Model:
    entry = next(item for item in CASES if item["case"] == case)
    return read(MODELS / case / entry["instrumented_file"], None, log=Log())


@pytest.mark.parametrize("case", [item["case"] for item in CASES])
class TestPublished:
    def test_round_trip(self, case):
        model = model_of(case)
        text = dumps(model, with_spans=True)
        again = loads(text)
        assert differences(model, again) == []
        assert dumps(again, with_spans=True) == text

    def test_sound_before_and_after_flattening(self, case):
        model = model_of(case)
        assert [issue.render() for issue in verify_model(model)] == []
        for group in wire(model, Log()).groups:
            assert [issue.render() for issue in verify_component(group.component)] == []

    def test_described(self, case):
        model = model_of(case)
        text = describe_model(model)
        for component in model.components[:50]:
            assert component.name in text
            own = describe_component(component)
            assert all(f"d{ode.variable}/dt = " in own for ode in component.odes)
