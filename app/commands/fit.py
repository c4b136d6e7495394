"""`interspike fit`: how many neurons fit a core of SpiNNaker2, by memory and by time. Nothing is run."""

from __future__ import annotations

import argparse
import json
from typing import Any

from ...canonical_model.diagnostics import Log
from .. import terminal
from ..convert import convert
from ..progress import Progress
from ._source import import_options, source


def run(arguments: argparse.Namespace) -> int:
    """Convert in memory and show what the cores would hold. Raises ModelError."""
    from ...spinnaker2.budget import PES_PER_CHIP, fit_rows
    from ...spinnaker2.memory import DATA

    log = Log()
    file, data = source(arguments)
    with Progress(file) as stage:
        found = convert(
            file,
            to="spinnaker2",
            solver=arguments.solver,
            dt=arguments.dt,
            component=arguments.component,
            search_path=arguments.search_path,
            data=data,
            log=log,
            stage=stage,
            import_options=import_options(arguments),
        )
    layout = json.loads(found.text("layout.json"))
    cores = len(layout["pes"]) if layout.get("form") == "application" else 1
    rows = fit_rows(layout, DATA.size)
    chips = -(-cores // PES_PER_CHIP)
    issues = [issue for issue in log if issue.code.startswith("T")]
    if arguments.json:
        facts = {"exit_code": 0, "cores": cores, "chips": chips, "step_s": layout["step_s"],
                 "programs": rows, "issues": [issue.to_json() for issue in issues]}  # fmt: skip
        print(json.dumps(facts, indent=2))
        return 0
    head = (
        f"{cores} cores on {chips} chip{'s' * (chips > 1)}, steps of {layout['step_s'] * 1e3:g} ms"
    )
    print(terminal.clean("\n".join([head, *map(_text, rows)])))
    for issue in issues:
        print(terminal.clean(issue.render()))
    return 0


def _text(row: dict[str, Any]) -> str:
    """A few lines a program."""
    times = ", ".join(f"{count} at {clock}" for clock, count in row["fit_in_time"].items())
    return (
        f"{row['program']}: {row['neurons']} neurons on {row['pes']} cores, {row['synapses']} synapses "
        f"({row['word']})\n"
        f"  about {row['instructions']:.0f} instructions, {row['cycles']:.0f} cycles per neuron and tick; "
        f"{row['bytes_per_neuron']} bytes per neuron with its synapses\n"
        f"  neurons per core: {row['fit_in_memory']} by memory; by time, without packets, {times}"
    )
