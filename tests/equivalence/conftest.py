"""NESTML neurons there and back, and their spikes on the grid."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from interspike.canonical_model.diagnostics import Level, Log
from interspike.canonical_model.model import Component, Model, Provenance
from interspike.exporters.lems.emit import export as export_lems
from interspike.exporters.nestml.emit import export as to_nestml
from interspike.exporters.nineml.emit import export_yaml
from interspike.importers.lems.reader import read as read_lems
from interspike.importers.nestml.reader import read as read_nestml
from interspike.importers.nineml.reader import read as read_nineml

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
import nestml_trial

sys.path.pop(0)

STEP = nestml_trial.H
COMMON: dict[str, Any] = {"scheme": "auto", "step": STEP * 1e-3, "source": Provenance()}


def _by_nineml(model: Model, log: Log) -> Model:
    (there,) = export_yaml(model, **COMMON, log=log, name="there")
    return read_nineml(None, there.data, file=there.path, log=Log(), options={"strict": "yes"})


def _by_lems(model: Model, log: Log) -> Model:
    (there,) = export_lems(model, **COMMON, log=log, name="there")
    return read_lems(None, there.data, file=there.path, log=Log())


WAYS = {"nineml": _by_nineml, "lems": _by_lems}


def _there_and_back(text: str, way: str) -> tuple[Component, Component, bool]:
    """The component as it is and as it comes back, and whether something was said to be different."""
    log = Log()
    original = read_nestml(None, text.encode(), file="drawn.nestml", log=Log())
    found = to_nestml(WAYS[way](original, log), **COMMON, log=Log(), name="again")
    (again,) = [item for item in found if item.path.endswith(".nestml")]
    back = read_nestml(None, again.data, file=again.path, log=Log())
    told = any(issue.level is Level.APPROXIMATED for issue in log)
    return original.components[0], back.components[0], told


def _spikes(
    component: Component, weight: float = 40.0, *, current: float = 0.0, length: float = 30.0
) -> Any:
    """The steps at which it fires in `length` ms, with events of this weight and a current (pA)."""
    usual = nestml_trial.LENGTH
    try:
        nestml_trial.LENGTH = length
        found = nestml_trial.on_grid(component, nestml_trial.Drive(current, weight), "rk4").spikes
    finally:
        nestml_trial.LENGTH = usual
    return np.round(found / STEP)


@pytest.fixture(scope="session")
def there_and_back() -> Callable[[str, str], tuple[Component, Component, bool]]:
    """`there_and_back(text, "nineml" or "lems")`."""
    return _there_and_back


@pytest.fixture(scope="session")
def spikes() -> Callable[..., Any]:
    """`spikes(component, weight, current=.., length=..)`."""
    return _spikes
