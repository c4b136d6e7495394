"""What a simulation gives back, and the files that a LEMS Simulation names."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from ..canonical_model.circuit import Circuit
from .numeric import Array

if TYPE_CHECKING:
    from ..exporters.artifact import Artifact


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """Rows at `times` (s), `traces` by label in SI, `events` by label as ascending times (s)."""

    name: str
    mode: str
    step: float
    times: Array
    traces: dict[str, Array]
    events: dict[str, Array]
    notes: tuple[str, ...] = field(default=())

    def _repr_html_(self) -> str:
        """A small table for notebooks."""
        rows = [
            f"<tr><td>{escape(k)}</td><td>{len(v)} events</td></tr>" for k, v in self.events.items()
        ]
        rows += [
            f"<tr><td>{escape(k)}</td><td>{v.min():.6g} to {v.max():.6g}</td></tr>"
            for k, v in self.traces.items()
            if len(v)
        ]
        caption = f"{escape(self.name)}, {self.mode}, {len(self.times)} rows"
        return f"<table><caption>{caption}</caption>{''.join(rows)}</table>"


def output_files(result: Result, circuit: Circuit) -> list[Artifact]:
    """The files that the experiment names: columns of SI values, and event files."""
    from ..exporters.artifact import Artifact

    found: list[Artifact] = []
    for name in dict.fromkeys(p.file for p in circuit.probes if p.file):
        columns = [result.traces[p.label] for p in circuit.probes if p.file == name]
        found.append(Artifact(_safe(name), _rows(result.times, columns, "\t").encode()))
    for name in dict.fromkeys(p.file for p in circuit.event_probes if p.file):
        found.append(Artifact(_safe(name), _events(result, circuit, name).encode()))
    return found


def csv_files(result: Result) -> list[Artifact]:
    """`traces.csv` and `events.csv` with headings."""
    from ..exporters.artifact import Artifact

    heading = ",".join(_quote(label) for label in ("t_s", *result.traces))
    traces = f"{heading}\n{_rows(result.times, list(result.traces.values()), ',')}"
    pairs = sorted((float(t), label) for label, times in result.events.items() for t in times)
    events = "t_s,source\n" + "".join(f"{t!r},{_quote(label)}\n" for t, label in pairs)
    return [Artifact("traces.csv", traces.encode()), Artifact("events.csv", events.encode())]


def _rows(times: Array, columns: list[Array], separator: str) -> str:
    table = np.column_stack([times, *columns])
    return "".join(separator.join(repr(float(x)) for x in row) + "\n" for row in table)


def _events(result: Result, circuit: Circuit, name: str) -> str:
    probes = [probe for probe in circuit.event_probes if probe.file == name]
    pairs = sorted((float(t), k) for k, p in enumerate(probes) for t in result.events[p.label])
    time_first = any(probe.format == "TIME_ID" for probe in probes)
    lines = [f"{t!r}\t{k}" if time_first else f"{k}\t{t!r}" for t, k in pairs]
    return "".join(f"{line}\n" for line in lines)


def _safe(name: str) -> str:
    """A file name that stays inside the output folder."""
    parts = [p for p in PurePosixPath(name.replace("\\", "/")).parts if p not in ("/", "..", ".")]
    return "/".join(parts) or "output.dat"


def _quote(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if set(text) & set(',"\n') else text
