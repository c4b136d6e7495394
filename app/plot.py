"""Traces above, spikes below: the picture of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..canonical_model.diagnostics import error
from . import writing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..canonical_model.network import Floats

FORMATS = (".png", ".svg", ".pdf")
MAX_TRACES = 12  # more lines than that tell nobody anything
MAX_POINTS = 20_000  # per line: more than any paper resolves


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One recorded quantity: times in seconds and values in `unit`, both of shape (rows,)."""

    label: str
    times: Floats
    values: Floats
    unit: str = ""


def check(path: Path) -> None:
    """Before any work: can a picture of this name be drawn? Raises ModelError A040, A007."""
    if path.suffix.lower() not in FORMATS:
        message = f"'{path}': a picture is written as {', '.join(FORMATS)}"
        raise error("A040", message, hint="choose one of these endings")
    import importlib.util

    if importlib.util.find_spec("matplotlib") is None:
        message = "drawing needs the Python module 'matplotlib', which is not installed"
        raise error("A007", message, hint="pip install 'interspike[plot]'")


def draw(
    path: Path,
    title: str,
    traces: Sequence[Trace],
    spikes: Mapping[str, Sequence[float]],
    length: float,
) -> None:
    """Draw `traces` and `spikes` (seconds, by label) over `length` seconds into the file `path`.

    Raises ModelError A040, A007, and A023 where the file cannot be written.
    """
    check(path)
    import io

    from matplotlib import rc_context
    from matplotlib.figure import Figure

    traces = traces[:MAX_TRACES]
    panels = [name for name, shown in (("traces", traces), ("spikes", spikes)) if shown]
    rows = max(len(panels), 1)
    figure = Figure(figsize=(9, 1.2 + 2.6 * rows), layout="constrained")
    axes = figure.subplots(rows, 1, sharex=True, squeeze=False)[:, 0]
    for name, panel in zip(panels, axes, strict=False):
        if name == "traces":
            _traces(panel, traces)
        else:
            _raster(panel, spikes)
    axes[0].set_title(title)
    axes[-1].set_xlabel("time (ms)")
    axes[-1].set_xlim(0, length * 1e3 if length > 0 else None)
    stream = io.BytesIO()
    kind = path.suffix.lower().removeprefix(".")
    undated = {"Date": None} if kind == "svg" else {"CreationDate": None} if kind == "pdf" else {}
    # fixed ids and no date: the same run draws the same bytes
    with rc_context({"svg.hashsalt": "interspike"}):
        figure.savefig(stream, format=kind, dpi=120, metadata=undated)
    writing.write_file(path, stream.getvalue())


def _traces(panel: Axes, traces: Sequence[Trace]) -> None:
    for trace in traces:
        every = max(1, len(trace.times) // MAX_POINTS)
        label = f"{trace.label} ({trace.unit})" if trace.unit else trace.label
        panel.plot(trace.times[::every] * 1e3, trace.values[::every], linewidth=0.9, label=label)
    panel.legend(loc="upper right", fontsize="small", frameon=False)
    panel.margins(x=0)


def _raster(panel: Axes, spikes: Mapping[str, Sequence[float]]) -> None:
    labels = list(spikes)
    times = [[time * 1e3 for time in spikes[label]] for label in labels]
    panel.eventplot(times, lineoffsets=range(len(labels)), linelengths=0.8, colors="black")
    if len(labels) <= 40:
        panel.set_yticks(range(len(labels)), labels, fontsize="small")
    else:
        panel.set_ylabel("cell")
    panel.set_ylim(len(labels) - 0.5, -0.5)
