"""NEST gets the scheme that the reference takes, though its numbers are bare multiples of mV and ms."""

from __future__ import annotations

from pathlib import Path

import pytest
from interspike.canonical_model.diagnostics import Log
from interspike.canonical_model.passes.arming import arm
from interspike.canonical_model.passes.flatten import flatten
from interspike.exporters.nest.plan import plan_model
from interspike.importers.nineml.reader import read
from interspike.solvers.planner import plan_update

MODELS = Path(__file__).resolve().parents[3].parent / "shared" / "models" / "nineml"
HH = MODELS / "catalog" / "neuron" / "HodgkinHuxley.xml"


@pytest.mark.skipif(not HH.exists(), reason="the shared models are not here")
def test_a_spike_is_tried_in_millivolts() -> None:
    for source in read(HH, None, log=Log()).components:
        component = arm(flatten(source).component)
        ours = {block.scheme for block in plan_update(component, step=1e-4).blocks}
        theirs = plan_model(component, scheme="auto", step=1e-4, log=Log()).update.blocks
        assert {block.scheme for block in theirs} == ours == {"expeuler"}
