"""Priorities of handlers come back, also where there is only one handler."""

from __future__ import annotations

import pytest
from interspike.canonical_model.diagnostics import Log
from interspike.exporters.nestml.emit import export
from interspike.importers.nestml.reader import read

TEXT = """model probe:
    state:
        V mV = 0 mV
    input:
        one <- spike
        two <- spike
    onReceive(one{0}):
        V = 1 mV
    onReceive(two{1}):
        V = 2 mV
"""
ALONE = TEXT.split("    onReceive(two")[0]


@pytest.mark.parametrize(
    "text",
    [ALONE.format(", priority=1"), ALONE.format(""), TEXT.format("", ""),
     TEXT.format(", priority=1", ", priority=7")],
)  # fmt: skip
def test_priorities_come_back(text: str) -> None:
    model = read(None, text.encode(), file="f", log=Log())
    files = export(
        model, scheme="auto", step=1e-4, source=model.provenance, log=Log(), name="probe"
    )
    back = read(None, files[0].data, file="back", log=Log())
    assert back.components[0].on_events == model.components[0].on_events
