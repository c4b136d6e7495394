"""Published NeuroML and LEMS models in NEST, against our grid simulator and their own engine's spike times.

Writes `docs/nest_published.md`. `--models` is the folder with MANIFEST.json, no part of this repository.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

PAGE = Path(__file__).resolve().parents[1] / "docs" / "nest_published.md"
Times = NDArray[np.float64]
RANDOM = {
    "06_pynn_cells": "its Poisson sources draw from NEST's generator",
    "16_inputs": "the same",
}


@dataclass(frozen=True, slots=True)
class Found:
    """Of one case: spikes, the largest distance to the grid and to the engine in steps, that of intervals."""

    case: str
    step: float
    spikes: int
    grid: str
    engine: str
    intervals: str


def main() -> None:
    """Run every case; write the page."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--models", type=Path, required=True)
    options.add_argument("--only", nargs="*", default=[], help="cases; then no page is written")
    arguments = options.parse_args()
    cases = json.loads((arguments.models / "MANIFEST.json").read_text())["cases"]
    chosen = [c for c in cases if not arguments.only or c["case"] in arguments.only]
    rows = []
    for entry in chosen:
        found = compare(arguments.models, entry)
        rows.append(
            f"| {found.case} | {found.step * 1e3:g} | {found.spikes} | {found.grid} | {found.engine} "
            f"| {found.intervals} |"
        )
        print(rows[-1], flush=True)
    if not arguments.only:
        PAGE.write_text(HEAD + "\n".join(rows) + "\n")


def compare(models: Path, entry: dict[str, Any]) -> Found:
    """Build and run one case in NEST with its own step and length."""
    from interspike.app.convert import convert
    from interspike.app.load import load
    from interspike.canonical_model.diagnostics import Log
    from interspike.canonical_model.passes.fuse import fuse
    from interspike.canonical_model.passes.wire import wire
    from interspike.exporters.nest.ranks import split_ranks
    from interspike.nest.run import run
    from interspike.solvers.simulate import simulate

    case = entry["case"]
    path = models / case / entry["instrumented_file"]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "module"
        result = run(convert(path, to="nest", output=place).write(place))
    circuit = wire(load(path), Log())
    reference = simulate(fuse(split_ranks(circuit), sources=True, peers=True), mode="grid")
    step = circuit.step
    grid = [
        _off(result.events[name], times, step)
        for name, times in reference.events.items()
        if name in result.events
    ]
    count = sum(len(times) for times in result.events.values())
    if case in RANDOM:
        shown = RANDOM[case]
    else:
        shown = _worst(grid)
    checks = json.loads((models / case / "ref" / "expected.json").read_text())["checks"]
    engine, intervals = [], []
    for label, rule in entry["compare"]["events"].items():
        if label in result.events:
            check = next(
                item
                for item in checks
                if item.get("source") == label or item.get("select") == label
            )
            best = np.array(check[rule["best_reference"]])[: rule["n"]]
            own = result.events[label][: rule["n"]]
            engine.append(_off(own, best, step))
            intervals.append(_off(np.diff(own), np.diff(best), step))
    return Found(case, step, count, shown, _worst(engine), _worst(intervals))


def _off(ours: Times, theirs: Times, step: float) -> float:
    """The largest distance in steps; infinite if there are more spikes on one side."""
    if len(ours) != len(theirs):
        return float("inf")
    return float(np.max(np.abs(ours - theirs), initial=0.0)) / step


def _worst(values: list[float]) -> str:
    if not values:
        return "none to compare"
    bad = sum(1 for value in values if not np.isfinite(value))
    worst = max((value for value in values if np.isfinite(value)), default=0.0)
    return f"{worst:.2f}" + (f", {bad} of {len(values)} trains with other counts" if bad else "")


HEAD = """# Published NeuroML and LEMS models in NEST

Written by `python benchmarks/nest_published.py --models FOLDER`. Each network is converted, built and run in
NEST as `interspike run` does, with its own step. Distances are the largest of all spikes, in steps: to our
grid simulator (float64, the same order of a step), and to the times of the model's own engine (jNeuroML;
extrapolated to step 0 where its record calls that the better reference: the method's error is in it).

A spike on the grid is at most a step late, and so is the end of a pause; what follows starts late, so that
distances add up over a train. Intervals between spikes, the last column, tell the error of one spike.

| model | step, ms | spikes in NEST | to the grid simulator | to its own engine | intervals |
|---|---|---|---|---|---|
"""


if __name__ == "__main__":
    main()
