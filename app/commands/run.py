"""`interspike run`: build what a conversion wrote and run it on the target's emulator."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from ...canonical_model.diagnostics import Span, error, suggest
from ...exporters.format import Executed, Exporter
from .. import plot, registry, terminal, writing
from ..progress import Progress
from ..quantities import seconds

MAX_TIMES = 12  # spike times shown per cell; --json gives all


def run(arguments: argparse.Namespace) -> int:
    """Build, run, show spike times. Raises ModelError."""
    folder = Path(arguments.folder)
    picture = Path(arguments.plot) if arguments.plot else None
    if picture is not None:
        plot.check(picture)
    target, name = _target(folder)
    backend = _backend(target, arguments.backend)
    length = seconds(arguments.length, "--length")
    execute: Callable[..., Executed] = registry.load_function(
        target.run, dict(target.needs), target.name
    )
    with Progress(str(folder)) as stage:
        stage(f"running on {backend}")
        found = execute(folder, backend=backend, length=length)
    spikes = {label: [float(t) for t in times] for label, times in found.events.items()}
    if picture is not None:
        _draw(picture, f"{name}, {target.name} ({backend})", found, spikes, length)
    if arguments.json:
        data = {"exit_code": 0, "backend": backend, "events_s": spikes}
        print(json.dumps(data, indent=2))
    else:
        print(terminal.clean(_text(backend, spikes)))
        if picture is not None:
            print(f"drawn: {picture}")
    return 0


def _target(folder: Path) -> tuple[Exporter, str]:
    """What wrote the folder, and the model's name. Raises ModelError A030, A031."""
    known = writing.read_manifest(folder)
    if known is None or "target" not in known:
        message = "this folder was not written by `interspike convert`"
        raise error("A030", message, Span(str(folder)), hint="convert a model first")
    target = registry.exporter(str(known["target"]))
    if not target.run:
        message = f"what is written for '{target.name}' cannot be run here"
        raise error("A031", message, Span(str(folder)))
    return target, str(known.get("name", folder.name))


def _backend(target: Exporter, wanted: str | None) -> str:
    if wanted is None:
        return target.backends[0]
    if wanted not in target.backends:
        known = suggest(wanted, target.backends) or f"known: {', '.join(target.backends)}"
        raise error("A032", f"'{target.name}' has no backend '{wanted}'", hint=known)
    return wanted


def _text(backend: str, spikes: dict[str, list[float]]) -> str:
    """A line a cell: how many spikes and when, in ms."""
    total = sum(len(times) for times in spikes.values())
    lines = [f"ran on {backend}: {total} spikes; times in ms"]
    width = max((len(label) for label in spikes), default=0)
    for label, times in spikes.items():
        shown = " ".join(f"{time * 1e3:.6g}" for time in times[:MAX_TIMES])
        more = f" ... ({len(times)} in all)" if len(times) > MAX_TIMES else ""
        lines.append(f"  {label:{width}}  {shown or 'silent'}{more}")
    return "\n".join(lines)


def _draw(
    picture: Path,
    title: str,
    found: Executed,
    spikes: dict[str, list[float]],
    length: float | None,
) -> None:
    import numpy as np

    times = np.asarray(found.times, dtype=np.float64)
    traces = [
        plot.Trace(label=label, times=times, values=np.asarray(values, dtype=np.float64))
        for label, values in found.traces.items()
    ]
    last = [max(each) for each in spikes.values() if each]
    end = length or (float(times[-1]) if len(times) else max(last, default=0.0))
    plot.draw(picture, title, traces, spikes, end)
