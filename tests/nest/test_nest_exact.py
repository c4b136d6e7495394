"""Refractory times to the step, time constants at their limit, and results that do not depend on threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from interspike.nest import build as building

pytestmark = pytest.mark.skipif(bool(building.missing()), reason=building.missing() or "builds")
Runner = Callable[..., dict[str, Any]]

START = """
import json, sys
import interspike.nest.load, nest, numpy as np
nest.verbosity = nest.VerbosityLevel.ERROR
def start(threads=1, **kernel):
    nest.ResetKernel()
    nest.set(local_num_threads=threads, **kernel)
    return interspike.nest.load(sys.argv[1], cache=sys.argv[2])
"""

PAUSES = (
    START
    + """
found = {}
for h in (0.01, 0.05, 0.0625, 0.1, 0.125, 0.2, 0.3, 0.7, 1.0):
    start(tics_per_ms=10000, resolution=h)
    steps = np.arange(1, 61)
    given = {"I_e": 1e6 / h, "refr_T": [float(k * h) for k in steps]}
    ours = nest.Create("leaky_exp_neuron", len(steps), params=given)
    twin = nest.Create("iaf_psc_exp", len(steps), params={
        "I_e": 1e6 / h, "t_ref": given["refr_T"], "tau_syn_ex": 2.0})
    heard = nest.Create("spike_recorder", 2, params={"time_in_steps": True})
    nest.Connect(ours, heard[0])
    nest.Connect(twin, heard[1])
    nest.Simulate(h * 200)
    rows = []
    for cells, recorder in zip((ours, twin), heard):
        events = recorder.events
        rows.append([np.diff(events["times"][events["senders"] == c]).tolist() for c in cells.tolist()])
    found[str(h)] = rows
print("RESULT " + json.dumps(found))
"""
)

GAPS = (
    START
    + """
start(resolution=0.1)
gaps = [0.0, *(s * 10.0 ** -k for k in range(1, 16) for s in (1.0, -1.0))]
found = {}
for name in ("leaky_exp_neuron", "leaky_alpha_neuron"):
    cells = nest.Create(name, len(gaps), params={"tau_syn": [10.0 * (1.0 + g) for g in gaps]})
    source = nest.Create("spike_generator", params={"spike_times": [1.0]})
    nest.Connect(source, cells, syn_spec={"weight": 250.0, "delay": 1.0})
    meter = nest.Create("multimeter", params={"record_from": ["V_m"], "interval": 7.0})
    nest.Connect(meter, cells)
    found[name] = cells.tolist(), meter
nest.Simulate(60.0)
result = {"gaps": gaps}
for name, (cells, meter) in found.items():
    events = meter.events
    rows = [events["senders"] == c for c in cells]
    result[name] = [[events["times"][r].tolist(), events["V_m"][r].tolist()] for r in rows]
print("RESULT " + json.dumps(result))
"""
)

THREADS = (
    START
    + """
from interspike.canonical_model import model as m
def run(threads):
    start(threads, resolution=0.1)
    draw = np.random.default_rng(3)
    cells = nest.Create("leaky_exp_neuron", 60, params={
        "I_e": list(draw.uniform(350.0, 420.0, 60)), "tau_syn": 2.0})
    cond = nest.Create("adapting_cond_neuron", 20, params={"I_e": list(draw.uniform(200.0, 400.0, 20))})
    nest.CopyModel("stdp_synapse", "plastic", {"Wmax": 200.0})
    rows = draw.integers(0, 60, (600, 2))
    pre, post = (np.array(cells.tolist())[rows[:, k]] for k in (0, 1))
    nest.Connect(pre, post, "one_to_one", {"synapse_model": "plastic",
        "weight": draw.uniform(20.0, 120.0, 600), "delay": np.round(draw.uniform(1.0, 5.0, 600), 1)})
    rows = draw.integers(0, 20, (200, 2))
    nest.Connect(np.array(cells.tolist())[rows[:, 0]], np.array(cond.tolist())[rows[:, 1]], "one_to_one",
        {"weight": np.full(200, 2.0), "delay": np.full(200, 1.0), "receptor_type": np.full(200, 1)})
    nest.Connect(np.array(cond.tolist())[rows[:, 1]], np.array(cells.tolist())[rows[:, 0]], "one_to_one",
        {"weight": np.full(200, -60.0), "delay": np.full(200, 1.5)})
    heard = nest.Create("spike_recorder")
    nest.Connect(cells, heard)
    nest.Connect(cond, heard)
    nest.Simulate(300.0)
    order = np.lexsort((heard.events["senders"], heard.events["times"]))
    weights = nest.GetConnections(synapse_model="plastic").get(["source", "target", "weight"])
    events = heard.events
    return ([float(t) for t in events["times"][order]], [int(s) for s in events["senders"][order]],
            sorted(zip(weights["source"], weights["target"], weights["weight"])))
print("RESULT " + json.dumps({"1": run(1), "4": run(4)}))
"""
)


@pytest.fixture(scope="module")
def gaps(in_nest: Runner) -> dict[str, Any]:
    return in_nest(GAPS)


def test_a_refractory_time_lasts_its_steps_at_any_resolution(in_nest: Runner) -> None:
    for h, (ours, twin) in in_nest(PAUSES).items():
        for steps, (mine, theirs) in enumerate(zip(ours, twin, strict=True), start=1):
            assert len(mine) > 1, (h, steps)
            # the step that crosses the threshold comes after the pause
            assert set(mine) == {steps + 1}, (h, steps)
            assert mine == theirs, (h, steps)


@pytest.mark.parametrize("name", ["leaky_exp_neuron", "leaky_alpha_neuron"])
def test_time_constants_at_and_near_each_other(gaps: dict[str, Any], name: str) -> None:
    mpmath = pytest.importorskip("mpmath")
    mpmath.mp.dps = 60
    for gap, (times, values) in zip(gaps["gaps"], gaps[name], strict=True):
        tau, slow = mpmath.mpf(10), mpmath.mpf(10.0 * (1.0 + gap))
        d = 1 / tau - 1 / slow
        for time, value in zip(times, values, strict=True):
            t = mpmath.mpf(time) - 2
            if t <= 0:
                wanted = mpmath.mpf(0)
            elif name == "leaky_exp_neuron":
                # exp(-t/tau) int_0^t exp(d u) du
                inner = t if d == 0 else mpmath.expm1(d * t) / d
                wanted = mpmath.exp(-t / tau) * inner
            else:
                inner = t**2 / 2 if d == 0 else (mpmath.exp(d * t) * (d * t - 1) + 1) / d**2
                wanted = mpmath.e / slow * mpmath.exp(-t / tau) * inner
            assert abs(value + 70 - float(wanted)) < 1e-9, (gap, time)


def test_one_thread_and_four_give_the_same_spikes_and_weights(in_nest: Runner) -> None:
    found = in_nest(THREADS)
    times, senders, weights = found["1"]
    assert len(times) > 300 and len(set(senders)) > 60
    assert len({weight for _, _, weight in weights}) > 300
    assert found["4"] == found["1"]
