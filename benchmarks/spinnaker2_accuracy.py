"""Accuracy on the chip: spikes and voltages against float64 and NEST, by model, solver and step size.

    python spinnaker2_accuracy.py [--length 1000] [--steps 0.1 1.0] [--write]

Each model gets one second of Poisson spikes, at whole milliseconds: every step size sees the same input.
Three runs per model and step: NEST, the float64 grid simulator, the chip's program (float32) on the emulator.
A fourth run with a step of 0.01 ms stands for the exact solution. `--write` makes docs/spinnaker2_accuracy.md
with its figure.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

DOCS = Path(__file__).resolve().parents[1] / "docs"
STEPS = (0.05, 0.1, 0.2, 0.25, 0.5, 1.0)
FINE = 0.01
CELLS = 20
DELAY = 1.0
WINDOW = 5.0  # ms within which two spikes can be the same one
SANE = 1e3  # mV beyond which a voltage counts as unstable

LIF = {"cm": 0.25, "tau_m": 10.0, "v_rest": -70.0, "v_reset": -70.0, "v_thresh": -55.0,
       "tau_refrac": 2.0, "tau_syn_E": 2.0, "tau_syn_I": 2.0, "i_offset": 0.2}  # fmt: skip
IZHIKEVICH = """model izhikevich_{scheme}:
    state:
        V_m mV = -65 mV
        U_m real = -13
    equations:
        V_m' = (0.04 * V_m * V_m / (1 mV) + 5.0 * V_m + (140 - U_m) * 1 mV) / (1 ms) + I_e * GOhm / (1 ms)
        U_m' = a * (b * V_m / (1 mV) - U_m) / (1 ms)
    parameters:
        a real = 0.02
        b real = 0.2
        c mV = -65 mV
        d real = 8.0
        V_th mV = 30 mV
        I_e pA = 4 pA
    input:
        spikes <- spike
    output:
        spike
    update:
        integrate_odes()
    onReceive(spikes):
        V_m += spikes * mV * s
    onCondition(V_m >= V_th):
        V_m = c
        U_m += d
        emit_spike()
"""


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Spike times (ms) of each cell, and voltages (mV), a row per step from the end of the first on."""

    spikes: list[Any]
    v: Any


@dataclass(frozen=True, slots=True)
class Case:
    """A model with its solver, the weights of its two inputs (spikes/s each) and how NEST names it."""

    title: str
    solver: str
    weights: tuple[float, float]
    rate: float
    nest: Callable[[], tuple[str, dict[str, float], float]]


def _nest_lif() -> tuple[str, dict[str, float], float]:
    values = {"C_m": 250.0, "tau_m": 10.0, "E_L": -70.0, "V_reset": -70.0, "V_th": -55.0, "t_ref": 2.0,
              "tau_syn_ex": 2.0, "tau_syn_in": 2.0, "I_e": 200.0, "V_m": -70.0}  # fmt: skip
    return "iaf_psc_exp", values, 1e3


def _nest_euler() -> tuple[str, dict[str, float], float]:
    return "izhikevich", {"I_e": 4.0, "V_m": -65.0, "U_m": -13.0}, 1.0


def _nest_rk4() -> tuple[str, dict[str, float], float]:
    """NEST has no fixed-step Runge-Kutta of its own: the module that the hub makes."""
    from interspike.nest.load import prepare

    import nest

    built = prepare(izhikevich("rk4"), solver="rk4")
    nest.Install(str(built.file.with_suffix("")))
    return built.models[0], {}, 1.0


CASES = {
    "lif": Case("LIF, exact", "auto", (0.25, -0.25), 700.0, _nest_lif),
    "izhikevich_euler": Case("Izhikevich, Euler", "euler", (2.0, -1.5), 250.0, _nest_euler),
    "izhikevich_rk4": Case("Izhikevich, RK4", "rk4", (2.0, -1.5), 250.0, _nest_rk4),
}


@lru_cache(maxsize=4)
def izhikevich(scheme: str) -> Path:
    """The model as a file; one name per scheme, for NEST's sake."""
    path = Path(tempfile.mkdtemp(prefix="accuracy_")) / f"izhikevich_{scheme}.nestml"
    path.write_text(IZHIKEVICH.format(scheme=scheme), encoding="utf-8")
    return path


def trains(case: Case, length: float) -> list[list[Any]]:
    """Spike times of both inputs of every cell: Poisson, each in the millisecond that it falls into."""
    rng = np.random.default_rng(11)
    found = []
    for _ in range(2):
        counts = rng.poisson(case.rate * 1e-3, (CELLS, int(length) - 1))
        found.append([np.repeat(np.arange(1, int(length)), row).astype(float) for row in counts])
    return found


def ours(name: str, step: float, length: float, backend: str) -> Run:
    """A run with the PyNN back end: `reference` is float64, `host` the chip's program."""
    import interspike.spinnaker2.pynn as sim

    case = CASES[name]
    sim.setup(timestep=step, min_delay=step, backend=backend, solver=case.solver)
    if name == "lif":
        kind, v = sim.IF_curr_exp(**LIF), "v"
        receptors = ("excitatory", "inhibitory")
        start = {"v": LIF["v_rest"]}
    else:
        kind, v = sim.native_cell_type(izhikevich(case.solver))(), "V_m"
        receptors, start = ("spikes", "spikes"), {}
    cells = sim.Population(CELLS, kind, initial_values=start)
    for weight, times, receptor in zip(case.weights, trains(case, length), receptors, strict=True):
        source = sim.Population(CELLS, sim.SpikeSourceArray(spike_times=times))
        synapse = sim.StaticSynapse(weight=weight, delay=DELAY)
        sim.Projection(source, cells, sim.OneToOneConnector(), synapse, receptor_type=receptor)
    cells.record(["spikes", v])
    sim.run(length)
    segment = cells.get_data().segments[0]
    spikes = [np.asarray(train.magnitude) for train in segment.spiketrains]
    return Run(spikes, segment.filter(name=v)[0].magnitude[1:])


def nest_run(name: str, step: float, length: float) -> Run:
    """The same in NEST."""
    import nest

    case = CASES[name]
    nest.ResetKernel()
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.resolution = step
    model, values, scale = case.nest()
    cells = nest.Create(model, CELLS, params=values)
    for weight, times in zip(case.weights, trains(case, length), strict=True):
        sources = nest.Create("spike_generator", CELLS)
        sources.set([{"spike_times": train.tolist()} for train in times])
        nest.Connect(sources, cells, "one_to_one", {"weight": weight * scale, "delay": DELAY})
    meter = nest.Create("multimeter", params={"record_from": ["V_m"], "interval": step})
    nest.Connect(meter, cells, syn_spec={"delay": step})
    heard = nest.Create("spike_recorder")
    nest.Connect(cells, heard, syn_spec={"delay": step})
    # what happened in the last step is reported one step later
    nest.Simulate(length + 2 * step)
    sent = heard.events
    first = min(cells.tolist())
    spikes = [np.sort(sent["times"][sent["senders"] == first + k]) for k in range(CELLS)]
    spikes = [train[train <= length + step / 2] for train in spikes]
    rows = meter.events
    order = np.lexsort((rows["senders"], rows["times"]))
    v = rows["V_m"][order].reshape(-1, CELLS)
    return Run(spikes, v[: round(length / step)])


@dataclass(frozen=True, slots=True)
class Spikes:
    """How two sets of spike trains differ: times in ms; `first` is NaN where all are the same."""

    count: int
    ratio: float
    first: float
    mean: float
    unmatched: int

    @property
    def same(self) -> bool:
        """True if all spike times are identical."""
        return bool(np.isnan(self.first))


def compare_spikes(found: list[Any], truth: list[Any], resolution: float) -> Spikes:
    """Pairs of nearest spikes within WINDOW; times closer than `resolution` are the same."""
    first, gaps, missed = np.inf, [], 0
    for own, other in zip(found, truth, strict=True):
        own, other = list(own), list(other)
        for a, b in zip(own, other, strict=False):
            if abs(a - b) > resolution:
                first = min(first, a, b)
                break
        else:
            if len(own) != len(other):
                first = min(first, max(own, other, key=len)[min(len(own), len(other))])
        pairs = _pairs(own, other)
        gaps += [abs(a - b) for a, b in pairs]
        missed += len(own) + len(other) - 2 * len(pairs)
    count, wanted = sum(map(len, found)), sum(map(len, truth))
    mean = float(np.mean(gaps)) if gaps else float("nan")
    ratio = count / wanted if wanted else float("nan")
    return Spikes(count, ratio, first if np.isfinite(first) else float("nan"), mean, missed)


def _pairs(own: list[float], other: list[float]) -> list[tuple[float, float]]:
    """Each spike with the first unused one of the other train within WINDOW."""
    found, k = [], 0
    for a in own:
        while k < len(other) and other[k] < a - WINDOW:
            k += 1
        if k < len(other) and abs(other[k] - a) <= WINDOW:
            found.append((a, other[k]))
            k += 1
    return found


def voltage_errors(chip: Run, truth: Run, step: float) -> tuple[float, float]:
    """Largest and root mean square difference (mV) of each cell up to its first deviating spike."""
    kept = []
    for k in range(CELLS):
        seen = compare_spikes([chip.spikes[k]], [truth.spikes[k]], step / 2)
        last = len(truth.v) if seen.same else max(0, round(seen.first / step) - 1)
        kept.append(chip.v[:last, k] - truth.v[:last, k])
    errors = np.concatenate(kept)
    return float(np.max(np.abs(errors))), float(np.sqrt(np.mean(errors**2)))


@dataclass(frozen=True, slots=True)
class Row:
    """All figures of a model and step (ms): against NEST, in float32, and against the fine step."""

    name: str
    step: float
    nest: Spikes
    nest_v: float
    chip: Spikes
    v_max: float
    v_rms: float
    fine: Spikes
    extreme: float


def measure(name: str, step: float, length: float, fine: Run) -> Row:
    """Three runs and their differences."""
    engine, grid, chip = (
        nest_run(name, step, length),
        ours(name, step, length, "reference"),
        ours(name, step, length, "host"),
    )
    v_max, v_rms = voltage_errors(chip, grid, step)
    return Row(
        name=name,
        step=step,
        nest=compare_spikes(grid.spikes, engine.spikes, step / 2),
        nest_v=float(np.max(np.abs(grid.v - engine.v))),
        chip=compare_spikes(chip.spikes, grid.spikes, step / 2),
        v_max=v_max,
        v_rms=v_rms,
        fine=compare_spikes(chip.spikes, fine.spikes, step / 2),
        extreme=float(np.max(np.abs(chip.v))),
    )


def fine_run(name: str, length: float) -> Run:
    """The float64 solution with a step of FINE; Izhikevich's by Runge-Kutta for both schemes."""
    return ours(
        "izhikevich_rk4" if name.startswith("izhikevich") else name, FINE, length, "reference"
    )


def _time(value: float) -> str:
    return "none" if np.isnan(value) else f"{value:.1f}"


def table(rows: list[Row]) -> str:
    """Three Markdown tables."""
    lines = [
        "## Float64: the grid simulator and NEST",
        "",
        "| model | step (ms) | spikes | identical to NEST | largest difference of V (mV) |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {CASES[r.name].title} | {r.step:g} | {r.nest.count} | "
        f"{'all' if r.nest.same else f'first differs at {r.nest.first:.2f} ms'} | {r.nest_v:.1e} |"
        for r in rows
    ]
    lines += [
        "",
        "## Float32: the chip's program and float64 on the same grid",
        "",
        "V is compared in each cell up to its first deviating spike; Izhikevich's largest are on the "
        "upstroke of a spike, where V rises by tens of mV in a step.",
        "",
        "| model | step (ms) | max of dV (mV) | rms of dV (mV) | first deviating spike (ms) | "
        "mean of dt (ms) | count ratio | spikes without partner |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {CASES[r.name].title} | {r.step:g} | {r.v_max:.1e} | {r.v_rms:.1e} | {_time(r.chip.first)} | "
        f"{r.chip.mean:.2g} | {r.chip.ratio:.4f} | {r.chip.unmatched} |"
        for r in rows
    ]
    lines += [
        "",
        f"## The step itself: the chip's program and float64 with {FINE:g} ms",
        "",
        "| model | step (ms) | mean of dt (ms) | count ratio | spikes without partner | stable |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {CASES[r.name].title} | {r.step:g} | {r.fine.mean:.2g} | {r.fine.ratio:.4f} | "
        f"{r.fine.unmatched} | {'yes' if r.extreme < SANE else f'no: V reaches {r.extreme:.2g} mV'} |"
        for r in rows
    ]
    return "\n".join(lines)


def draw(rows: list[Row], path: Path) -> None:
    """Voltage error, spike time error and count ratio over the step size."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    plt.rcParams["svg.hashsalt"] = "accuracy"
    figure, panels = plt.subplots(1, 3, figsize=(10, 3.2), layout="constrained")
    for name in dict.fromkeys(r.name for r in rows):
        own = [r for r in rows if r.name == name]
        steps = [r.step for r in own]
        panels[0].loglog(steps, [r.v_rms for r in own], "o-", label=CASES[name].title)
        panels[1].loglog(steps, [r.fine.mean for r in own], "o-")
        panels[2].semilogx(steps, [r.fine.ratio for r in own], "o-")
    titles = ("float32 - float64: rms of V (mV)", f"spike times, to {FINE:g} ms: mean (ms)",
              f"spike count, to {FINE:g} ms")  # fmt: skip
    for panel, title in zip(panels, titles, strict=True):
        panel.set(title=title, xlabel="step (ms)")
        panel.set_xticks(STEPS, [f"{step:g}" for step in STEPS], fontsize=7)
        panel.minorticks_off()
    panels[0].legend(fontsize=7)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


HEAD = """# Accuracy on SpiNNaker2

    python benchmarks/spinnaker2_accuracy.py --write

makes this page: {cells} cells of each model get {length:g} ms of Poisson spikes, excitatory and inhibitory,
at whole milliseconds, so that every step size sees the same input. NEST 3.10 runs its own `iaf_psc_exp` and
`izhikevich` (forward Euler) and, for Runge-Kutta, the module that the hub makes of the same model. The chip's
program runs on the emulator; QEMU gives the same bits.

![errors over the step size](spinnaker2_accuracy.svg)

"""


def main() -> int:
    """Command line; 1 if a spike differs from NEST's."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--length", type=float, default=1000.0, help="ms")
    parser.add_argument("--steps", type=float, nargs="+", default=STEPS)
    parser.add_argument("--models", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    rows = []
    for name in options.models:
        fine = fine_run(name, options.length)
        for step in options.steps:
            rows.append(measure(name, step, options.length, fine))
            print(rows[-1], flush=True)
    text = table(rows)
    print(text)
    if options.write:
        head = HEAD.format(cells=CELLS, length=options.length)
        (DOCS / "spinnaker2_accuracy.md").write_text(head + text + "\n", encoding="utf-8")
        draw(rows, DOCS / "spinnaker2_accuracy.svg")
    return 0 if all(r.nest.same for r in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
