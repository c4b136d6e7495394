"""Brunel's network at full size in NEST, from NineML, beside NEST's own neuron at the same parameters.

    python benchmarks/nineml_brunel.py AI.yml --work DIR [--length MS]

AI.yml is the catalogue's network. It is converted and built as `interspike run` does; the twin is made of
`iaf_psc_alpha` and `poisson_generator`. Prints, as lines of a table, mean rates and the mean coefficient of
variation of intervals after the first 50 ms.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

SETTLING = 50.0  # ms that are not counted
SIZES = {"Exc": 10_000, "Inh": 2_500}
FAN_IN = {"Exc": 1000, "Inh": 250}
WEIGHT = {"Exc": 13.7707633471e3, "Inh": -68.8538167356e3, "Ext": 13.7707633471e3}  # pA
RATE, DELAY, TAU_SYN = 52638.7053487, 1.5, 0.1  # Hz, ms, ms
CELL = {"tau_m": 20.0, "C_m": 20.0 / 1.5 * 1e3, "E_L": 0.0, "V_th": 20.0, "V_reset": 10.0,
        "t_ref": 2.0, "tau_syn_ex": TAU_SYN, "tau_syn_in": TAU_SYN, "I_e": 0.0}  # fmt: skip


def statistics(times: Any, senders: Any, size: int, length: float) -> tuple[float, float]:
    """Mean rate (Hz) and mean coefficient of variation of intervals of cells with three spikes or more."""
    keep = times > SETTLING
    times, senders = times[keep], senders[keep]
    order = np.lexsort((times, senders))
    trains = np.split(times[order], np.flatnonzero(np.diff(senders[order])) + 1)
    ratios = [np.std(np.diff(t)) / np.mean(np.diff(t)) for t in trains if len(t) > 2]
    return len(times) / size / (length - SETTLING) * 1e3, float(np.mean(ratios))


def ours(folder: Path, length: float) -> dict[str, tuple[float, float]]:
    """The network as it was converted; what sources send is not recorded."""
    import nest

    spec = importlib.util.spec_from_file_location("network", folder / "network.py")
    assert spec and spec.loader
    network = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(network)
    network.TRACES = []
    network.EVENTS = [item for item in network.EVENTS if item[1] in SIZES]
    _, _, recorders = network.build()
    nest.Simulate(length)
    return {
        name: statistics(*_events(recorders[name]), size, length) for name, size in SIZES.items()
    }


def theirs(length: float) -> dict[str, tuple[float, float]]:
    """NEST's own neuron. Its weight is the peak of the current, that of the catalogue e times as much."""
    import nest

    nest.ResetKernel()
    nest.set(resolution=0.1, rng_seed=1)
    cells = {name: nest.Create("iaf_psc_alpha", size, CELL) for name, size in SIZES.items()}
    drive = nest.Create("poisson_generator", params={"rate": RATE})
    recorders = {name: nest.Create("spike_recorder") for name in SIZES}
    for name, group in cells.items():
        group.V_m = np.random.default_rng(1).uniform(0.0, 20.0, len(group)).tolist()
        nest.Connect(drive, group, syn_spec={"weight": WEIGHT["Ext"] / math.e, "delay": DELAY})
        for source, indegree in FAN_IN.items():
            rule = {"rule": "fixed_indegree", "indegree": indegree, "allow_multapses": False}
            weight = {"weight": WEIGHT[source] / math.e, "delay": DELAY}
            nest.Connect(cells[source], group, rule, weight)
        nest.Connect(group, recorders[name])
    nest.Simulate(length)
    return {
        name: statistics(*_events(recorders[name]), size, length) for name, size in SIZES.items()
    }


def _events(recorder: Any) -> tuple[Any, Any]:
    found = recorder.get("events")
    return found["times"], found["senders"]


def rows(model: Path, work: Path, length: float) -> list[list[str]]:
    """Each population: rates and variations of ours and of NEST's own; runs in processes of their own."""
    folder = work / "brunel"
    if not (folder / "build").exists():
        command = [sys.executable, "-P", "-m", "interspike", "convert", str(model), "--to", "nest",
                   "-o", str(folder), "--build"]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True)
    found = []
    for what in ("ours", "theirs"):
        command = [sys.executable, "-P", __file__, str(model), "--work", str(work), "--only", what,
                   "--length", str(length)]  # fmt: skip
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found.append(json.loads(done.stdout.splitlines()[-1]))
    return [
        [name, str(size), *(f"{run[name][0]:.2f}" for run in found),
         *(f"{run[name][1]:.3f}" for run in found)]
        for name, size in SIZES.items()
    ]  # fmt: skip


def main() -> None:
    """Both runs, or one of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--length", type=float, default=300.0, help="ms")
    parser.add_argument("--only", choices=("ours", "theirs"))
    given = parser.parse_args()
    if given.only:
        run = ours(given.work / "brunel", given.length) if given.only == "ours" else None
        print(json.dumps(run or theirs(given.length)))
        return
    for row in rows(given.model, given.work, given.length):
        print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main()
