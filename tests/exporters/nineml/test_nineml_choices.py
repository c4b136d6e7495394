"""Branches in what happens at a condition: they test what was assigned before them, in NineML too."""

from __future__ import annotations

import pytest
from interspike.app.diff import diff
from interspike.canonical_model.diagnostics import Log
from interspike.canonical_model.model import Provenance
from interspike.exporters.nineml.emit import export_yaml
from interspike.importers.nestml.reader import read as read_nestml
from interspike.importers.nineml.reader import read

MODEL = """\
model bursts_neuron:
    state:
        x real = 0
        made integer = 0
        level real = 0
    equations:
        x' = (drive - x)/tau
    parameters:
        drive real = 1.6
        tau ms = 9 ms
    output:
        spike
    update:
        integrate_odes()
    onCondition(x > 1):
        x = 0
        BODY
"""
BODIES = {
    "counted, then asked": "made += 1\n        if made >= 4:\n            made = 0\n"
    "            emit_spike()",
    "an equality of counts": "made += 1\n        if made == 4:\n            made = 0\n"
    "            emit_spike()",
    "no equality": "made += 1\n        if made != 4:\n            level += 1\n        else:\n"
    "            made = 0\n            emit_spike()",
    "a chain": "made += 1\n        level = 2*made\n        if level > 5:\n            made = -1\n"
    "        if level > 5:\n            emit_spike()",
    "a branch sets what the next one asks": "made += 1\n        if made > 2:\n"
    "            made = 0\n            level += 1\n        if level > 1:\n            level = 0\n"
    "            emit_spike()",
    "a choice in a value": "made += 1\n        level = made > 2 ? level + made : level\n"
    "        if level > 6:\n            level = 0\n            made = 0\n            emit_spike()",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_branch_asks_for_what_is_new(body: str) -> None:
    source = read_nestml(None, MODEL.replace("BODY", body).encode(), file="m.nestml", log=Log())
    (text,) = export_yaml(
        source, scheme="auto", step=1e-4, source=Provenance(), log=Log(), name="m"
    )
    back = read(None, text.data, file="m.yml", log=Log(), options={"strict": "yes"})
    found = diff(source, back, log=Log())
    assert found.verdict == "same", [c.differences for c in found.comparisons]
