"""Pairs of neuron and synapse, three ways in one NEST: as NESTML 9 makes them, as we do, and NEST's own.

Every synapse of NESTML 9's library runs at the same spikes and delays, on iaf_psc_exp_neuron; some spikes of
the source come just when those of the target have come back. Compared are spikes, weights and what the
connections hold at the end. Writes `docs/nest_pairs.md`. NESTML 9's modules are kept in a cache folder.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import nestml_peer as peer
from interspike.app.convert import convert
from interspike.nest.load import build_cached

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "nest_pairs.md"
LIBRARY = Path(sys.prefix) / "models"
NEURON = "iaf_psc_exp_neuron"
SUFFIX = "_nestml"
PLAN = ((0.1, 1.0, 3), (0.1, 1.5, 4), (1.0, 1.0, 5))  # resolution and delay in ms, seed
STDP = {
    "lambda": 0.01,
    "alpha": 1.0,
    "tau_plus": 20.0,
    "mu_plus": 1.0,
    "mu_minus": 1.0,
    "Wmax": 100.0,
}


@dataclass(frozen=True, slots=True)
class Case:
    """A synapse: its options, NEST's twin with the twin's values, values of the connection, a remark."""

    synapse: str
    options: str = ""
    twin: str = ""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    of_neuron: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    silent: bool = False
    apart: bool = False
    dense: bool = False
    remark: str = ""

    @property
    def is_modulated(self) -> bool:
        return "vt=" in self.options

    @property
    def is_paired(self) -> bool:
        return self.synapse not in ("static_synapse", "noisy_synapse", "tsodyks_synapse")


TRIPLET = {
    "tau_plus": 16.8, "tau_plus_triplet": 101.0, "Aplus": 7.5e-10, "Aplus_triplet": 9.3e-3,
    "Aminus": 7e-3, "Aminus_triplet": 2.3e-4, "Wmax": 100.0,
}  # fmt: skip
DOPAMINE = {
    "A_plus": 1.0, "A_minus": 1.5, "tau_plus": 20.0, "tau_c": 1000.0, "tau_n": 200.0, "b": 0.0,
    "Wmin": -1e9, "Wmax": 1e9,
}  # fmt: skip
TRACE = {"tau_minus": 20.0}
TRIPLET_TRACES = {"tau_minus": 33.7, "tau_minus_triplet": 125.0}
CASES = (
    Case("static_synapse", twin="static_synapse"),
    Case("noisy_synapse", values={"A_noise": 0.0}, remark="without its noise: draws differ"),
    Case("tsodyks_synapse", twin="tsodyks_synapse", values={"tau_fac": 50.0},
         defaults={"tau_fac": 50.0, "u": 0.5}, remark="tau_fac 50 ms"),
    Case("stdp_synapse", twin="stdp_synapse", defaults=STDP, of_neuron=TRACE),
    Case("stdp_nn_symm_synapse", twin="stdp_nn_symm_synapse", defaults=STDP, of_neuron=TRACE,
         remark="NEST's own lets spikes of both ends that come together go by"),
    Case("stdp_nn_symm_synapse", twin="stdp_nn_symm_synapse", defaults=STDP, of_neuron=TRACE,
         apart=True, remark="none come together"),
    Case("stdp_nn_restr_symm_synapse", twin="stdp_nn_restr_synapse", defaults=STDP, of_neuron=TRACE,
         remark="NEST's own lets spikes of both ends that come together go by"),
    Case("stdp_nn_restr_symm_synapse", twin="stdp_nn_restr_synapse", defaults=STDP, of_neuron=TRACE,
         apart=True, remark="none come together"),
    Case("stdp_nn_pre_centered_synapse", twin="stdp_nn_pre_centered_synapse", defaults=STDP,
         of_neuron=TRACE),
    Case("stdp_triplet_synapse", twin="stdp_triplet_synapse", defaults=TRIPLET,
         of_neuron=TRIPLET_TRACES,
         remark="NESTML 9 makes 0.75 of the default of A2_plus, 7.5e-10"),
    Case("stdp_triplet_synapse", values={"A2_plus": 7.5e-10},
         remark="A2_plus given; NESTML 9 forgets the spike before one that was not yet seen"),
    Case("stdp_triplet_synapse", values={"A2_plus": 7.5e-10}, dense=True,
         remark="A2_plus given; a spike of the source in every step, so that all are seen at once"),
    Case("neuromodulated_stdp_synapse", "vt=mod_spikes", twin="stdp_dopamine_synapse",
         defaults=DOPAMINE, of_neuron=TRACE,
         remark="NESTML 9 advances the synapse twice between its events"),
    Case("stdsp_synapse", "dAP_trace=I_syn_exc", values={
         "permanence": 50.0, "lambda_plus": 0.05, "lambda_h": 1e-4, "lambda_minus": 0.005,
         "permanence_threshold": 10.0, "dt_min": 0.5}, remark="reads a current of the neuron"),
)  # fmt: skip

RUN = r"""
import json, sys
import nest, numpy as np
job = json.loads(sys.argv[1])
nest.verbosity = nest.VerbosityLevel.ERROR
found = {}


def start(h, modules):
    nest.ResetKernel()
    nest.resolution = h
    for module in modules:
        nest.Install(module)


def target(neuron, of_neuron, times, h):
    cell = nest.Create(neuron)
    quiet = {"V_th": -60.0, "refr_T": 3 + h / 2} if job["apart"] else {"V_th": -69.0, "refr_T": h / 2}
    cell.set({**quiet, **of_neuron})
    source = nest.Create("spike_generator", params={"spike_times": times})
    weight = 0.0 if job["silent"] else 4000.0
    nest.Connect(source, cell, syn_spec={"weight": weight, "delay": h})
    heard = nest.Create("spike_recorder")
    nest.Connect(cell, heard)
    return cell, heard


def apart(pre, h, modules, neuron, of_neuron, post):
    # spikes of the source that come when none of the target has just come back
    start(h, modules)
    _, heard = target(neuron, of_neuron, post, h)
    nest.Simulate(950.0)
    back = np.asarray(heard.events["times"]) + job["delay"] - h
    return np.array([t for t in pre if np.min(np.abs(back - t)) > 1e-6])


for side, (modules, neuron, synapse, defaults, of_neuron, values) in job["sides"].items():
    h = job["h"]
    draw = np.random.default_rng(job["seed"])
    post = np.unique(np.round(draw.uniform(5, 900, 100)))
    back = post[::3] + job["delay"] + (0.1 if h < 1 else 0.0)
    pre = np.unique(np.round(np.concatenate([draw.uniform(5, 900, 80), back]) / h) * h)
    mods = np.unique(np.round(draw.uniform(5, 900, 40)))
    if job["dense"]:
        pre = np.arange(2, 150, h)
    if job["apart"]:
        pre = apart(pre, h, modules, neuron, of_neuron, post)
    start(h, modules)
    parrot = nest.Create("parrot_neuron")
    cell, heard = target(neuron, of_neuron, post, h)
    cells = parrot, cell
    source = nest.Create("spike_generator", params={"spike_times": pre})
    nest.Connect(source, parrot, syn_spec={"delay": h})
    recorder = nest.Create("weight_recorder")
    common = {"weight_recorder": recorder}
    if job["modulated"]:
        third = nest.Create("parrot_neuron")
        common["volume_transmitter"] = nest.Create("volume_transmitter", params={"deliver_interval": 10})
        source = nest.Create("spike_generator", params={"spike_times": mods})
        nest.Connect(source, third, syn_spec={"delay": 1.0})
        nest.Connect(third, common["volume_transmitter"], syn_spec={"delay": 1.0})
    nest.CopyModel(synapse, "own", {**common, **defaults})
    spec = {"synapse_model": "own", "delay": job["delay"], **values}
    if job["silent"]:
        spec["weight"] = 1e-3
    nest.Connect(*cells, syn_spec=spec)
    nest.Simulate(500.0)
    nest.Simulate(450.0)
    status = nest.GetConnections(*cells).get()
    state = {k: float(v) for k, v in status.items() if isinstance(v, (int, float))}
    events = recorder.events
    found[side] = [[float(x) for x in a]
                   for a in (events["weights"], events["times"], heard.events["times"])] + [state]
print("RESULT " + json.dumps(found))
"""


@dataclass(frozen=True, slots=True)
class Row:
    """What one case gave: spikes of the target, weights sent, deviations from NESTML 9 and from the twin."""

    case: Case
    spikes: int
    weights: int
    theirs: str
    twin: str


def sides(case: Case, cache: Path) -> dict[str, tuple[Any, ...]]:
    """Modules, names and values of each side."""
    neuron = LIBRARY / "neurons" / f"{NEURON}.nestml"
    ports: dict[str, Any] = {"post_ports": ["post_spikes"]}
    text = f":{case.synapse}"
    if case.is_paired:
        text = f"{NEURON}:{case.synapse}" + (f":{case.options}" if case.options else "")
    if case.is_modulated:
        ports["vt_ports"] = [case.options.removeprefix("vt=")]
    elif case.options:
        ports["post_ports"].append(case.options.split("="))
    pair = {"neuron": NEURON, "synapses": {case.synapse: ports}}
    options: dict[str, Any] = {"weight_variable": {case.synapse: "w"}}
    options["neuron_synapse_pairs"] = [pair] if case.is_paired else []
    files = [neuron, LIBRARY / "synapses" / f"{case.synapse}.nestml"]
    theirs = peer.make(files, cache, f"pair_{case.synapse}", SUFFIX, options)
    made = convert(files, to="nest", pairs=[text], suffix=SUFFIX)
    ours = build_cached(made.artifacts, cache / "ours")
    names = (NEURON + SUFFIX, case.synapse + SUFFIX)
    if case.is_paired:
        n, s = names
        names = f"{n}__with_{s}", f"{s}__with_{n}"
    own = dict(case.values)
    found: dict[str, tuple[Any, ...]] = {
        "theirs": ([str(theirs.file.with_suffix(""))], *names, {}, {}, own),
        "ours": ([str(ours.file.with_suffix(""))], *names, {}, {}, own),
    }
    if case.twin:
        module = [str(ours.file.with_suffix(""))]
        given = (dict(case.defaults), dict(case.of_neuron), {})
        found["twin"] = (module, NEURON + SUFFIX, case.twin, *given)
    return found


def result(case: Case, cache: Path) -> Row:
    """All runs of a case."""
    parts = sides(case, cache)
    worst: dict[str, list[str | float]] = {"theirs": [], "twin": []}
    spikes = weights = 0
    for h, delay, seed in PLAN:
        job = {"sides": parts, "h": h, "delay": delay, "seed": seed, "silent": case.silent,
               "apart": case.apart, "dense": case.dense,
               "modulated": case.is_modulated}  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-P", "-c", RUN, json.dumps(job)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
        if not lines:
            raise RuntimeError(f"{case.synapse}: {done.stderr[-1500:]}")
        found = json.loads(lines[-1].removeprefix("RESULT "))
        spikes, weights = spikes + len(found["ours"][2]), weights + len(found["ours"][0])
        for side in worst.keys() & found.keys():
            worst[side].append(difference(found[side], found["ours"], side == "theirs"))
    return Row(case, spikes, weights, *(shown(worst[side]) for side in ("theirs", "twin")))


def difference(one: Any, other: Any, with_state: bool) -> str | float:
    """The largest relative deviation of a weight or, between modules of one model, of a final state."""
    if one[2] != other[2] or one[1] != other[1]:
        return "spikes differ"
    pairs = list(zip(one[0], other[0], strict=True))
    if with_state:
        keys = (one[3].keys() & other[3].keys()) - {"sizeof", "size_of", "synapse_id"}
        pairs += [(one[3][key], other[3][key]) for key in keys]
    return max((abs(a - b) / max(abs(a), 1e-6) for a, b in pairs), default=0.0)


def shown(found: list[str | float]) -> str:
    """The worst of several runs."""
    if not found:
        return ""
    texts = [item for item in found if isinstance(item, str)]
    return texts[0] if texts else f"{max(x for x in found if not isinstance(x, str)):.1e}"


SPEED = r"""
import json, resource, sys
import nest
job = json.loads(sys.argv[1])
nest.verbosity = nest.VerbosityLevel.ERROR
nest.Install(job["module"])
cells = nest.Create(job["neuron"], 500)
cells.set({"I_e": 380.0, **job["of_neuron"]})
noise = nest.Create("poisson_generator", params={"rate": 8000.0})
nest.Connect(noise, cells, syn_spec={"weight": 20.0, "delay": 1.0})
nest.CopyModel(job["synapse"], "own", job["defaults"])
nest.Connect(cells, cells, {"rule": "fixed_indegree", "indegree": 100},
             {"synapse_model": "own", "weight": 1.0, "delay": 1.5})
nest.Simulate(50.0)
start = resource.getrusage(resource.RUSAGE_SELF)
nest.Simulate(500.0)
end = resource.getrusage(resource.RUSAGE_SELF)
print("RESULT", end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime)
"""


def speeds(cache: Path, times: int = 5) -> dict[str, float]:
    """Median CPU seconds of a network of stdp_synapse, the sides by turns."""
    case = next(item for item in CASES if item.synapse == "stdp_synapse")
    jobs = {}
    for side, (modules, neuron, synapse, defaults, of_neuron, _) in sides(case, cache).items():
        jobs[side] = {"module": modules[0], "neuron": neuron, "synapse": synapse,
                      "defaults": {**defaults, "Wmax": 2.0}, "of_neuron": of_neuron}  # fmt: skip
    costs: dict[str, list[float]] = {side: [] for side in jobs}
    for _ in range(times):
        for side, job in jobs.items():
            done = subprocess.run(
                [sys.executable, "-P", "-c", SPEED, json.dumps(job)],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            costs[side].append(float(done.stdout.rpartition("RESULT ")[2]))
    return {side: median(values) for side, values in costs.items()}


def page(rows: list[Row], cpu: Mapping[str, float]) -> str:
    """The page."""
    lines = [
        "# Pairs of neurons and synapses in NEST",
        "",
        "Written by `benchmarks/nest_pairs.py`. Each synapse of NESTML 9's library ends at",
        "`iaf_psc_exp_neuron`: (a) in the module that NESTML 9 generates, (b) in ours, (c) NEST's own",
        "synapse of that kind on our neuron. About 110 spikes of the source, a third of which come just",
        "when one of the target has come back along the dendrite, in 950 ms; steps and delays of 0.1 and",
        "1, 0.1 and 1.5, 1 and 1 ms. A deviation is the largest relative one of the weights sent and,",
        "between (a) and (b), of what the connection holds at the end; spike times are the same where",
        "nothing else is said.",
        "",
        "| synapse | spikes of the target | weights | (a)-(b) | (c)-(b) | NEST's own | remark |",
        "|---|---|---|---|---|---|---|",
    ]
    last = ""
    for row in rows:
        name = f"{row.case.synapse}" if row.case.synapse != last else "..."
        last = row.case.synapse
        cells = (
            name,
            row.spikes,
            row.weights,
            row.theirs,
            row.twin,
            row.case.twin,
            row.case.remark,
        )
        lines.append(f"| {' | '.join(str(cell) for cell in cells)} |")
    ours = cpu["ours"]
    lines += [
        "",
        "CPU time of `Simulate` for 500 neurons with 100 plastic synapses each (stdp_synapse), 500 ms,",
        f"medians of runs by turns: ours / NESTML 9's {ours / cpu['theirs']:.2f}, ours / NEST's own",
        f"synapse on our neuron {ours / cpu['twin']:.2f}.",
    ]
    return "\n".join([*lines, ""])


def main() -> None:
    """Build, run, compare; write the page."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--cache", type=Path, default=Path("nestml9-modules"))
    options.add_argument("--only", default="", help="synapses whose name holds this; no page")
    given = options.parse_args()
    why = peer.missing()
    if why:
        raise SystemExit(why)
    cache = given.cache.resolve()
    rows = []
    for case in CASES:
        if given.only in case.synapse:
            rows.append(result(case, cache))
            print(rows[-1], flush=True)
    if not given.only:
        PAGE.write_text(page(rows, speeds(cache)))


if __name__ == "__main__":
    main()
