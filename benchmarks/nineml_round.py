"""Neurons that went to NineML and back: each stage on the grid, beside the original."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from nestml_drives import DRIVES
from nestml_trial import Drive, H, Run, on_grid


@dataclass(frozen=True, slots=True)
class Trip:
    """One neuron: spikes of the original, and how far NineML and NESTML again are from it."""

    name: str
    spikes: int
    nineml: str
    again: str
    worst: tuple[float, float]
    same: tuple[bool, bool]


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


def trip(path: Path, drive: Drive | None = None, scheme: str = "rkf45") -> Trip:
    """One neuron there and back. Raises ModelError where it is refused."""
    drive = drive or DRIVES[path.stem]
    components = stages(path)
    runs = [on_grid(component, drive, scheme) for component in components]
    far, same = zip(*(compare(runs[0], run) for run in runs[1:]), strict=True)
    return Trip(path.stem, len(runs[0].spikes), "", "", far, same)
