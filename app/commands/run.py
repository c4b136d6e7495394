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

MAX_CORES = 40  # cores shown; --json gives all
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
    profile = _profile(folder, found, backend) if arguments.profile else None
    if arguments.json:
        data: dict[str, object] = {"exit_code": 0, "backend": backend, "events_s": spikes}
        if profile is not None:
            data["profile"] = profile
        print(json.dumps(data, indent=2))
    else:
        print(terminal.clean(_text(backend, spikes)))
        if profile is not None:
            print(terminal.clean(_profile_text(profile)))
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


def _profile(folder: Path, found: Executed, backend: str) -> list[dict[str, object]]:
    """What every core needs. Raises ModelError A034 where the target does not say."""
    counters = getattr(found, "counters", ())
    if not counters:
        message = "this program was not spread over cores, so that nothing is known of each"
        raise error("A034", message, Span(str(folder)))
    from dataclasses import asdict

    from ...spinnaker2.budget import profile

    layout = json.loads((folder / "layout.json").read_text())
    times = getattr(found, "time_done", ())
    return [asdict(item) for item in profile(layout, counters, times, backend)]


def _profile_text(profile: list[dict[str, object]]) -> str:
    """A line a core. Cycles are an estimate."""
    lines = ["core  population        neurons  SRAM used   free  packets  synaptic events  "
             "instr/tick  cycles/tick  most  missed at 150, 300 MHz"]  # fmt: skip
    for row in profile[:MAX_CORES]:
        missed = row["missed"]
        late = ", ".join(str(n) for n in missed) if isinstance(missed, tuple | list) else ""
        lines.append(
            f"{row['pe']:4}  {str(row['population'])[:16]:16}  {row['neurons']:7}  {row['used']:9}  "
            f"{row['free']:5}  {row['packets']:7}  {row['events']:15}  {row['instructions']:10.0f}  "
            f"{row['cycles']:11.0f}  {row['most_cycles']:4.0f}  {late}"
        )
    if len(profile) > MAX_CORES:
        lines.append(f"... {len(profile)} cores in all")
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
