"""The balanced random network, one script for `pyNN.nest` and for SpiNNaker2.

    python balanced_network.py run --sim pyNN.nest --out nest.json
    python balanced_network.py run --sim interspike.spinnaker2.pynn --out chip.json
    python balanced_network.py compare nest.json chip.json [--plot figure.png]

Four excitatory cells to one inhibitory cell, connection probability 0.1, Gaussian weights and delays,
a Poisson source for each cell. Reported per seed: rate, coefficient of variation of inter-spike intervals,
mean correlation of spike counts in bins of 5 ms over all pairs of cells. `compare` holds the two sets of
seeds against each other by Welch's t-test, the test of Mann and Whitney and that of Kolmogorov and Smirnov:
they agree within Monte Carlo error if no p-value is below 0.01.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

CELL = {"cm": 0.25, "tau_m": 20.0, "v_rest": -65.0, "v_reset": -65.0, "v_thresh": -50.0,
        "tau_refrac": 2.0, "tau_syn_E": 2.0, "tau_syn_I": 4.0}  # fmt: skip
STEP = 0.5  # ms; delays of up to 8 steps fit the chip's synapse word
LONGEST = 8  # steps
PROBABILITY = 0.1
DRIVE = 600.0  # spikes/s into each cell
EXTERNAL = 0.3  # nA, weight of those spikes
SETTLING = 200.0  # ms that are not counted
BIN = 5.0  # ms
STATISTICS = ("rate", "cv", "correlation")


def simulate(name: str, size: int, length: float, seed: int, options: dict[str, Any]) -> Any:
    """Spike trains in ms of all cells after `length` ms."""
    sim = importlib.import_module(name)
    from pyNN.random import NumpyRNG, RandomDistribution

    sim.setup(
        timestep=STEP,
        min_delay=STEP,
        max_delay=LONGEST * STEP,
        spike_precision="on_grid",
        **options,
    )
    rng = NumpyRNG(seed=seed)
    excitatory, inhibitory = size * 4 // 5, size - size * 4 // 5
    start = RandomDistribution("uniform", low=-65.0, high=-51.0, rng=rng)
    cells_e = sim.Population(excitatory, sim.IF_curr_exp(**CELL), initial_values={"v": start})
    cells_i = sim.Population(inhibitory, sim.IF_curr_exp(**CELL), initial_values={"v": start})
    drive = sim.Population(size, sim.SpikeSourcePoisson(rate=DRIVE))
    # the sum of weights onto a cell does not depend on the size
    weight = 0.12 * 1000.0 / size
    delay = RandomDistribution(
        "normal_clipped", mu=1.5, sigma=0.5, low=STEP, high=LONGEST * STEP, rng=rng
    )
    connector = sim.FixedProbabilityConnector(PROBABILITY, rng=rng)
    for source, mean, receptor in (
        (cells_e, weight, "excitatory"),
        (cells_i, -6.0 * weight, "inhibitory"),
    ):
        low, high = sorted((0.0, 2.0 * mean))
        drawn = RandomDistribution(
            "normal_clipped", mu=mean, sigma=abs(mean) / 10, low=low, high=high, rng=rng
        )
        for target in (cells_e, cells_i):
            synapse = sim.StaticSynapse(weight=drawn, delay=delay)
            sim.Projection(source, target, connector, synapse, receptor_type=receptor)
    one_to_one, outside = sim.OneToOneConnector(), sim.StaticSynapse(weight=EXTERNAL, delay=STEP)
    sim.Projection(drive[:excitatory], cells_e, one_to_one, outside, receptor_type="excitatory")
    sim.Projection(drive[excitatory:], cells_i, one_to_one, outside, receptor_type="excitatory")
    cells_e.record("spikes")
    cells_i.record("spikes")
    sim.run(length)
    trains = [
        np.asarray(train.magnitude)
        for cells in (cells_e, cells_i)
        for train in cells.get_data("spikes").segments[0].spiketrains
    ]
    sim.end()
    return trains


def statistics(trains: Sequence[Any], length: float) -> dict[str, float]:
    """Mean rate (Hz), mean CV of intervals, mean correlation of counts over all pairs of cells."""
    kept = [train[train > SETTLING] for train in trains]
    rate = sum(len(train) for train in kept) / len(kept) / (length - SETTLING) * 1e3
    intervals = [np.diff(train) for train in kept if len(train) >= 5]
    cv = float(np.mean([np.std(item) / np.mean(item) for item in intervals])) if intervals else 0.0
    bins = round((length - SETTLING) / BIN)
    counts = np.zeros((len(kept), bins))
    for row, train in zip(counts, kept, strict=True):
        place = np.ceil((train - SETTLING) / BIN - 1e-6).astype(int) - 1
        np.add.at(row, np.clip(place, 0, bins - 1), 1.0)
    counts = counts[counts.std(axis=1) > 0]
    scores = (counts - counts.mean(axis=1, keepdims=True)) / counts.std(axis=1, keepdims=True)
    # the variance of the sum is that of all cells and all pairs
    number = len(scores)
    pairs = (float(scores.sum(axis=0).var()) - number) / max(1, number * (number - 1))
    return {"rate": rate, "cv": cv, "correlation": pairs}


def run(arguments: argparse.Namespace) -> None:
    """One line per seed; all of them, with the first raster, into a file."""
    options = json.loads(arguments.options)
    found: list[dict[str, float]] = []
    raster: list[list[float]] = []
    for seed in range(1, arguments.seeds + 1):
        began = time.perf_counter()
        own = dict(options)
        if arguments.sim.startswith("interspike"):
            own["seed"] = seed
        else:
            own["rng_seed"] = seed
        trains = simulate(arguments.sim, arguments.neurons, arguments.length, seed, own)
        found.append(statistics(trains, arguments.length))
        took = time.perf_counter() - began
        shown = "  ".join(f"{key} {found[-1][key]:.4g}" for key in STATISTICS)
        print(f"seed {seed}: {shown}  ({took:.1f} s)", flush=True)
        raster = raster or [train.tolist() for train in trains[:: max(1, len(trains) // 100)]]
        data = {
            "simulator": arguments.sim,
            "neurons": arguments.neurons,
            "seeds": found,
            "raster": raster,
        }
        Path(arguments.out).write_text(json.dumps(data), encoding="utf-8")


def compare(arguments: argparse.Namespace) -> int:
    """The table of both files with p-values; 1 if one is below 0.01."""
    from scipy.stats import ks_2samp, mannwhitneyu, ttest_ind

    first, second = (json.loads(Path(p).read_text(encoding="utf-8")) for p in arguments.files)
    counts = " and ".join(str(len(data["seeds"])) for data in (first, second))
    names = f"{first['simulator']} | {second['simulator']}"
    lines = [f"{first['neurons']} cells, {counts} seeds:", "",
             f"| | {names} | Welch | Mann-Whitney | Kolmogorov-Smirnov |",
             "|---|---|---|---|---|---|"]  # fmt: skip
    worst = 1.0
    for key in STATISTICS:
        a, b = ([seed[key] for seed in data["seeds"]] for data in (first, second))
        tests = (ttest_ind(a, b, equal_var=False), mannwhitneyu(a, b), ks_2samp(a, b))
        p = [float(test.pvalue) for test in tests]
        worst = min(worst, *p)
        shown = [f"{np.mean(x):.4g} ± {np.std(x, ddof=1):.2g}" for x in (a, b)]
        lines.append(f"| {key} | {' | '.join([*shown, *(f'{value:.2f}' for value in p)])} |")
    lines += ["", "They agree within Monte Carlo error: no p-value is below 0.01." if worst >= 0.01
              else f"They differ: the least p-value is {worst:.2g}."]  # fmt: skip
    print("\n".join(lines))
    if arguments.plot:
        draw(first, second, arguments.plot)
    return 0 if worst >= 0.01 else 1


def draw(first: dict[str, Any], second: dict[str, Any], path: str) -> None:
    """Rasters above, the statistics of all seeds below."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(9, 6), layout="constrained")
    grid = figure.add_gridspec(2, 6)
    for column, data in enumerate((first, second)):
        panel = figure.add_subplot(grid[0, 3 * column : 3 * column + 3])
        panel.eventplot(data["raster"], linewidths=0.6, colors="k")
        panel.set(title=data["simulator"], xlabel="t (ms)", ylabel="cell")
    for column, key in enumerate(STATISTICS):
        panel = figure.add_subplot(grid[1, 2 * column : 2 * column + 2])
        values = [[seed[key] for seed in data["seeds"]] for data in (first, second)]
        for k, own in enumerate(values):
            panel.plot(np.full(len(own), k), own, "o", alpha=0.6)
        panel.set(title=key, xlim=(-0.5, 1.5), xticks=(0, 1))
        panel.set_xticklabels(["NEST", "SpiNNaker2"])
    figure.savefig(path, dpi=90)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("run")
    one.add_argument("--sim", default="interspike.spinnaker2.pynn")
    one.add_argument("--neurons", type=int, default=1000)
    one.add_argument("--length", type=float, default=1000.0, help="ms")
    one.add_argument("--seeds", type=int, default=10)
    one.add_argument("--options", default="{}", help="further arguments of setup(), as JSON")
    one.add_argument("--out", default="balanced.json")
    two = commands.add_parser("compare")
    two.add_argument("files", nargs=2)
    two.add_argument("--plot", default="")
    arguments = parser.parse_args()
    if arguments.command == "run":
        run(arguments)
        return 0
    return compare(arguments)


if __name__ == "__main__":
    sys.exit(main())
