"""Neurons that went to NineML and back: each stage on the grid, beside the original."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from nestml_drives import DRIVES
from nestml_trial import Drive, H, Run, on_grid


@dataclass(frozen=True, slots=True)
class Trip:
    """One neuron: spikes of the original, how far it is from it when back, whether all spikes agree."""

    name: str
    spikes: int
    worst: float
    same: bool


def stages(path: Path, form: str = "yml") -> tuple[Any, Any, Any]:
    """The component as NESTML has it, as NineML has it, and as NESTML again."""
    from interspike.canonical_model.diagnostics import Log
    from interspike.canonical_model.model import Provenance
    from interspike.exporters.nestml.emit import export as to_nestml
    from interspike.exporters.nineml.emit import export_json, export_xml, export_yaml
    from interspike.importers.nestml.reader import read as read_nestml
    from interspike.importers.nineml.reader import read as read_nineml

    write = {"yml": export_yaml, "xml": export_xml, "json": export_json}[form]
    common: dict[str, Any] = {"scheme": "auto", "step": H * 1e-3, "source": Provenance()}
    original = read_nestml(path, None, log=Log())
    (text,) = write(original, **common, log=Log(), name="there")
    there = read_nineml(None, text.data, file=text.path, log=Log(), options={"strict": "yes"})
    artifacts = to_nestml(there, **common, log=Log(), name="again")
    (found,) = [item for item in artifacts if item.path.endswith(".nestml")]
    again = read_nestml(None, found.data, file=found.path, log=Log())
    return original.components[0], there.components[0], again.components[0]


def compare(wanted: Run, found: Run) -> tuple[float, bool]:
    """The largest deviation of a state of the original relative to its size, and whether spikes agree."""
    worst = 0.0
    for name, values in wanted.traces.items():
        other = found.traces.get(name)
        if other is not None:
            scale = float(np.abs(values).max()) or 1.0
            worst = max(worst, float(np.abs(values - other).max()) / scale)
    same = len(wanted.spikes) == len(found.spikes)
    return worst, same and bool(np.all(np.abs(wanted.spikes - found.spikes) < H / 10))


def _alike(original: Any, again: Any, traces: Mapping[str, Any]) -> dict[str, Any]:
    """The traces of what has the same unit when back: a counter of steps comes back as a clock."""
    clocks = {item.name: item.dimension for item in again.state_variables}
    counters = {
        item.name
        for item in original.state_variables
        if clocks.get(item.name, item.dimension) != item.dimension
    }
    return {name: values for name, values in traces.items() if name not in counters}


def trip(path: Path, drive: Drive | None = None, scheme: str = "rkf45") -> Trip:
    """One neuron there and back. Raises ModelError where it is refused."""
    drive = drive or DRIVES[path.stem]
    original, _, again = stages(path)
    wanted, found = (on_grid(component, drive, scheme) for component in (original, again))
    wanted = replace(wanted, traces=_alike(original, again, wanted.traces))
    worst, same = compare(wanted, found)
    return Trip(path.stem, len(wanted.spikes), worst, same)
