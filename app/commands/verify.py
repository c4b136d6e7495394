"""`interspike verify`: the source and its conversion run side by side."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ...canonical_model.diagnostics import LOSSES, Log
from .. import plot, terminal
from ..diff import SAME
from ..progress import Progress
from ..verify import Trial, Verified, verify
from ._source import import_options, source
from .diff import comparison_lines


def run(arguments: argparse.Namespace) -> int:
    """Verify, tell: 0 the same, 1 different. Raises ModelError."""
    picture = Path(arguments.plot) if arguments.plot else None
    if picture is not None:
        plot.check(picture)
    file, data = source(arguments)
    log = Log()
    with Progress(file) as stage:
        found = verify(
            file,
            data=data,
            to=arguments.to,
            component=arguments.component,
            length=arguments.length,
            dt=arguments.dt,
            solver=arguments.solver,
            search_path=arguments.search_path,
            import_options=import_options(arguments),
            log=log,
            stage=stage,
        )
    if picture is not None and found.trials:
        shown = found.trials[-1]
        spikes = {label: list(times) for label, times in shown.spikes.items()}
        plot.draw(picture, shown.name, list(shown.traces), spikes, shown.length)
    code = 0 if found.verdict == SAME else 1
    terminal.show(
        (issue for issue in log if issue.level in LOSSES), getattr(arguments, "sources", {})
    )
    if arguments.json:
        print(json.dumps({"exit_code": code, **found.to_json()}, indent=2))
    else:
        print(terminal.clean(text(found)))
    return code


def text(found: Verified) -> str:
    """A line a recorded quantity; the verdict is the last line."""
    lines = [f"{found.target}: {found.how}"]
    for trial in found.trials:
        lines += _trial_lines(trial)
    for item in found.comparisons:
        lines += comparison_lines(item)
    lines += [f"not in the result: {name}" for name in found.missing]
    return "\n".join([*lines, found.verdict])


def _trial_lines(trial: Trial) -> list[str]:
    lines = [f"{trial.name}: {trial.verdict}"]
    for item in trial.distances:
        if any(item.spikes) or item.shift:
            one, other = item.spikes
            numbers = f"{one} | {other} events, at most {item.shift * 1e3:.4g} ms apart"
        else:
            numbers = f"at most {item.trace:.3%} of the range apart" if item.trace else "the same"
        lines.append(f"  {item.name}: {numbers}")
    if trial.until < trial.length:
        lines.append(
            f"  compared until {trial.until * 1e3:.4g} ms: from there on the source itself runs to "
            "infinity, or elsewhere when its numbers are rounded to single precision"
        )
    return lines
