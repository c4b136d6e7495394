"""Neurons and a plastic synapse of NESTML 9's library: its own modules and ours, in one NEST, and our grid.

NESTML 9 generates and the compiler builds in the test: some 30 s of CPU.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import interspike
import numpy as np
import pytest
from interspike.nest import build as building

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = Path(sys.prefix) / "models"
SUFFIX = "_nestml9"


def helper(name: str) -> Any:
    """A module of benchmarks/, which is a folder of scripts."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.pop(0)


def why_not() -> str:
    if not LIBRARY.is_dir():
        return "NESTML 9's model library is not installed"
    return building.missing() or str(helper("nestml_peer").missing())


pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "all is there")

# relative deviation of any state in NEST and on the grid
NEURONS = [
    ("iaf_psc_exp_neuron", "exact", 1e-12, 1e-12),
    ("iaf_cond_exp_neuron", "rkf45", 1e-7, 1e-6),
]


@pytest.mark.parametrize(("stem", "scheme", "in_nest", "on_grid"), NEURONS)
def test_a_neuron_is_what_nestml_makes_of_it(
    stem: str, scheme: str, in_nest: float, on_grid: float, tmp_path: Path
) -> None:
    from interspike.nest.load import prepare

    peer, trial = helper("nestml_peer"), helper("nestml_trial")
    agreement, drives = helper("nestml_agreement"), helper("nestml_drives")
    path = LIBRARY / "neurons" / f"{stem}.nestml"
    drive = drives.DRIVES[stem]
    theirs = peer.make([path], tmp_path, stem, SUFFIX)
    ours = prepare(path, solver="rkf45", cache=tmp_path / "ours")
    component = interspike.load(path).components[0]
    names = {"theirs": f"{stem}{SUFFIX}", "ours": ours.models[0]}
    runs = trial.in_nest([theirs.file, ours.file], names, component, drive)
    assert len(runs["theirs"].spikes) > 5
    for run, bound in (
        (runs["ours"], in_nest),
        (trial.on_grid(component, drive, scheme), on_grid),
    ):
        found = agreement.difference(runs["theirs"], run)
        assert found.same_spikes and not found.missing
        assert found.worst < bound, found


PAIR = """
import json, sys
import nest, numpy as np
theirs, ours = sys.argv[1:]
nest.verbosity = nest.VerbosityLevel.ERROR
found = {}
draw = np.random.default_rng(3)
pre, post = (np.unique(np.round(draw.uniform(5, 900, 120), 1)) for _ in range(2))
neuron = "iaf_psc_delta_neuron_nestml9__with_stdp_synapse_nestml9"
synapse = "stdp_synapse_nestml9__with_iaf_psc_delta_neuron_nestml9"
for side, module in (("theirs", theirs), ("ours", ours)):
    nest.ResetKernel()
    nest.Install(module)
    cells = nest.Create("parrot_neuron"), nest.Create(neuron)
    cells[1].V_th = -69.0
    cells[1].refr_T = 0.05
    cells[1].tau_tr_post__for_stdp_synapse_nestml9 = 25.0
    for times, cell, weight in ((pre, cells[0], 1.0), (post, cells[1], 1000.0)):
        source = nest.Create("spike_generator", params={"spike_times": times})
        nest.Connect(source, cell, syn_spec={"weight": weight, "delay": 0.1})
    recorder = nest.Create("weight_recorder")
    nest.CopyModel(synapse, "own", {"weight_recorder": recorder})
    nest.Connect(*cells, syn_spec={"synapse_model": "own", "w": 0.3, "delay": 1.0})
    heard = nest.Create("spike_recorder")
    nest.Connect(cells[1], heard)
    nest.Simulate(950.0)
    found[side] = [list(map(float, v)) for v in (recorder.events["weights"], heard.events["times"])]
print("RESULT " + json.dumps(found))
"""


def test_a_plastic_pair_is_what_nestml_makes_of_it(tmp_path: Path) -> None:
    from interspike.nest.load import prepare

    peer = helper("nestml_peer")
    neuron = LIBRARY / "neurons" / "iaf_psc_delta_neuron.nestml"
    synapse = LIBRARY / "synapses" / "stdp_synapse.nestml"
    pair = {
        "neuron": "iaf_psc_delta_neuron",
        "synapses": {"stdp_synapse": {"post_ports": ["post_spikes"]}},
    }
    options = {"neuron_synapse_pairs": [pair], "weight_variable": {"stdp_synapse": "w"}}
    theirs = peer.make([neuron, synapse], tmp_path, "pair", SUFFIX, options)
    ours = prepare([neuron, synapse], pairs=[options], suffix=SUFFIX, cache=tmp_path / "ours")
    files = [theirs.file, ours.file]
    done = subprocess.run(
        [sys.executable, "-P", "-c", PAIR, *(str(file.with_suffix("")) for file in files)],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    assert lines, done.stderr[-2000:]
    found = json.loads(lines[-1].removeprefix("RESULT "))
    (weights, spikes), (own, own_spikes) = found["theirs"], found["ours"]
    assert len(weights) > 80 and len(spikes) > 80
    assert np.array_equal(spikes, own_spikes)
    assert np.ptp(weights) > 0.1
    assert weights == pytest.approx(own, rel=1e-12)
