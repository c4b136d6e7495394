"""`interspike inspect`: what a model file holds and how it would be solved."""

from __future__ import annotations

import argparse
import json

from ...canonical_model.diagnostics import Log
from .. import terminal
from ..convert import DEFAULT_STEP, read_source
from ..inspect import Inspected, describe_blocks, inspect, to_json
from ..progress import Progress
from ..quantities import seconds
from ._source import import_options, source


def run(arguments: argparse.Namespace) -> int:
    """Print the model. Raises ModelError."""
    step = seconds(arguments.dt, "--dt")
    file, data = source(arguments)
    log = Log()
    with Progress(file) as stage:
        stage("reading")
        model = read_source(
            file,
            data,
            arguments.component,
            arguments.search_path,
            log,
            import_options(arguments),
        )
        experiment = model.network.experiment if model.network else None
        step = step or (experiment.step if experiment else 0.0) or DEFAULT_STEP
        stage("planning")
        inspected = inspect(model, arguments.solver, step)
    terminal.show(log, getattr(arguments, "sources", {}))
    if arguments.json:
        print(json.dumps(to_json(model, inspected), indent=2))
        return 0
    from ...canonical_model.display import describe_network

    parts = [_text(item) for item in inspected]
    if model.network is not None:
        parts.append(describe_network(model.network))
    print(terminal.clean("\n\n".join(part.rstrip() for part in parts)))
    return 0


def _text(item: Inspected) -> str:
    from ...canonical_model.display import describe_component

    parts = [describe_component(item.component).rstrip(), describe_blocks(item)]
    parts += [f"cannot be solved alone: {issue.message}" for issue in item.trouble]
    return "\n".join(part for part in parts if part)
