"""What a language cannot hold is told: nothing of a model is missing after a conversion without a word."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from interspike.app.convert import convert
from interspike.app.load import load
from interspike.app.readback import read_results
from interspike.canonical_model.diagnostics import LOSSES, Level, Log, ModelError
from interspike.canonical_model.draw import drawn
from interspike.canonical_model.model import Model

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
SOURCES = sorted([
    *(FIXTURES / "lems").glob("*.*"), *(FIXTURES / "lems/unseen").glob("*.xml"),
    *(FIXTURES / "nestml").glob("*.nestml"), *(FIXTURES / "nineml").glob("*.yml"),
])  # fmt: skip
# what the importer's meaning of a model has, and words by which a loss of it is told
WORDS = {
    "cells": ("cells", "network"),
    "connections": ("connections", "network"),
    "driven cells": ("network", "input", "left out", "cells of"),
    "weights": ("weights", "network"),
    "delays": ("delays", "network"),
    "positions": ("positions", "network"),
    "properties": ("properties", "network"),
    "length": ("length", "experiment"),
    "recordings": ("record", "experiment"),
    "checks": ("checks",),
    "descriptions": ("description", "words"),
}


def items(model: Model) -> Iterator[tuple[str, int]]:
    """How many of each thing a model has."""
    network = model.network
    yield "checks", sum(len(c.checks) for c in model.components)
    if network is None:
        return
    network = drawn(network)
    yield "cells", sum(p.size for p in network.populations)
    yield "connections", sum(len(p.pre) for p in network.projections)
    yield "weights", sum(_set(p.weight, 1.0) for p in network.projections if not p.parameters)
    yield "delays", sum(_set(p.delay, 0.0) for p in network.projections)
    yield "positions", sum(p.positions is not None for p in network.populations)
    yield "properties", sum(len(p.properties) for p in network.populations)
    experiment = network.experiment
    yield "length", int(bool(experiment and experiment.length))
    if experiment is not None:
        yield "recordings", len(experiment.recordings) + len(experiment.events)


def stays(key: str, count: int, target: str, left: dict[str, int], model: Model) -> bool:
    """Is a thing there under another form? One cell is a NESTML model; NineML's weights are parameters."""
    if target == "nestml" and key == "cells":
        return count == 1
    if target == "nineml" and key == "weights":
        return left.get("connections", 0) >= dict(items(model))["connections"]
    return False


def _set(values: object, default: float) -> int:
    return 0 if values is None else int(np.count_nonzero(np.asarray(values) != default))


@pytest.mark.parametrize("target", ["canonical", "lems", "nineml", "nestml"])
@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_what_is_missing_was_told(source: Path, target: str) -> None:
    try:
        model = load(source)
        log = Log()
        result = convert(model, to=target, log=log)
    except ModelError as problem:
        # refused whole, by name: nothing was written
        assert all(issue.code and issue.message for issue in problem.issues)
        return
    told = " ".join(issue.message for issue in log if issue.level in (*LOSSES, Level.NOTE))
    with tempfile.TemporaryDirectory() as name:
        folder = result.write(Path(name) / "out")
        found = read_results(folder, [item.path for item in result.artifacts])
    left: dict[str, int] = {}
    for other in found:
        for key, count in items(other):
            left[key] = left.get(key, 0) + count
    for key, count in items(model):
        if left.get(key, 0) < count and not stays(key, count, target, left, model):
            assert any(word in told for word in WORDS[key]), (key, count, left, told)
    things = {(e.kind, e.name) for e in result.report.entries}
    assert {("component", c.name) for c in model.components} <= things
    for entry in result.report.losses:
        assert entry.code and entry.sentence
