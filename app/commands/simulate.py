"""`interspike simulate`: the reference simulator, and the files that the experiment names."""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...canonical_model.diagnostics import Log, error
from ...exporters.artifact import Artifact
from .. import plot, terminal, writing
from ..convert import safe_name
from ..progress import Progress
from ..simulate import Run, traces
from ..simulate import run as simulate
from ._source import import_options
from ._source import source as find_source


def run(arguments: argparse.Namespace) -> int:
    """Simulate, write, tell. Raises ModelError."""
    picture = Path(arguments.plot) if arguments.plot else None
    if picture is not None:
        plot.check(picture)
    if arguments.output is not None:
        writing.may_write(Path(arguments.output))
    file, data = find_source(arguments)
    log = Log()
    with Progress(file) as stage:
        found = simulate(
            file,
            data=data,
            mode=arguments.mode,
            length=arguments.length,
            dt=arguments.dt,
            solver=arguments.solver,
            seed=arguments.seed,
            component=arguments.component,
            search_path=arguments.search_path,
            import_options=import_options(arguments),
            log=log,
            stage=stage,
        )
    folder = Path(arguments.output or f"{safe_name(found.result.name)}_results")
    artifacts = _artifacts(found, arguments)
    _write(folder, artifacts, found)
    if picture is not None:
        spikes = {label: list(times) for label, times in found.result.events.items()}
        plot.draw(picture, found.result.name, traces(found), spikes, found.length)
    terminal.show(log, getattr(arguments, "sources", {}))
    _tell(found, folder, artifacts, arguments)
    return 0


def _artifacts(found: Run, arguments: argparse.Namespace) -> Sequence[Artifact]:
    """The results in the form asked for; without a wish as the experiment says, else as CSV."""
    from ...solvers.results import csv_files, output_files

    if arguments.npz:
        return [Artifact("results.npz", _npz(found))]
    named = [] if arguments.csv else output_files(found.result, found.circuit)
    return named or csv_files(found.result)


def _npz(found: Run) -> bytes:
    """Arrays `t`, `trace:LABEL` and `events:LABEL`, all in SI units."""
    import numpy as np

    arrays: dict[str, Any] = {"t": found.result.times}
    arrays |= {f"trace:{label}": values for label, values in found.result.traces.items()}
    arrays |= {f"events:{label}": times for label, times in found.result.events.items()}
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def _write(folder: Path, artifacts: Sequence[Artifact], found: Run) -> None:
    """Names of files come from the model: two alike, or unsafe ones, are its mistake."""
    from ... import __version__

    try:
        writing.check(artifacts)
    except ValueError as problem:
        message = f"the files that the experiment names cannot be written: {problem}"
        raise error("A042", message, hint="use --csv or --npz") from problem
    facts = {"interspike": __version__, "name": found.result.name, "results": found.result.mode}
    writing.write(folder, artifacts, facts)


def _tell(
    found: Run, folder: Path, artifacts: Sequence[Artifact], arguments: argparse.Namespace
) -> None:
    result = found.result
    if arguments.json:
        data = {
            "exit_code": 0,
            "output": str(folder),
            "files": [item.path for item in artifacts],
            "mode": result.mode,
            "step_s": result.step,
            "length_s": found.length,
            "traces": list(result.traces),
            "events_s": {
                label: [float(t) for t in times] for label, times in result.events.items()
            },
        }
        print(json.dumps(data, indent=2))
        return
    count = sum(len(times) for times in result.events.values())
    text = f"{folder}: {len(result.traces)} traces, {count} events in {len(artifacts)} files"
    print(terminal.clean(text), file=sys.stderr)
    print(folder)
