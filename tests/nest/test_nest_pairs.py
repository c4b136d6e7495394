"""Neurons and synapses that were made together, run in NEST: against the same synapses on their own, which
read the spikes that every neuron of NEST keeps, and against a synapse computed event by event in Python."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from interspike.nest import build as building

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
needs_nest = pytest.mark.skipif(bool(building.missing()), reason=building.missing() or "builds")

RUN = """
import json, sys
from dataclasses import replace
from pathlib import Path
import interspike, nest, numpy as np
from interspike.app.convert import convert
from interspike.canonical_model import model as m, units as u
from interspike.canonical_model.expr_text import parse_expr as E
from interspike.canonical_model.units import Quantity, Unit
from interspike.nest.load import build_cached, install
fixtures, cache = sys.argv[1:]
nest.verbosity = nest.VerbosityLevel.ERROR
models = interspike.load(fixtures + "/nestml/pairs.nestml")
components = {c.name: c for c in models.components if c.name != "drift_synapse"}
MS, MV = Unit("ms", u.TIME, 1e-3), Unit("mV", u.VOLTAGE, 1e-3)
components["two_mode_cell"] = m.Component(  # no program of a step, but regimes
    name="two_mode_cell",
    parameters=(m.Parameter(name="tau", dimension=u.TIME, value=Quantity(15.0, MS)),
                m.Parameter(name="jump", dimension=u.VOLTAGE, value=Quantity(1.0, MV))),
    state_variables=(m.StateVariable(name="v", dimension=u.VOLTAGE),
                     m.StateVariable(name="since", dimension=u.TIME)),
    machines=(m.RegimeMachine(regimes=(
        m.Regime(name="open", initial=True, odes=(m.Ode(variable="v", rhs=E("-v / tau")),),
                 on_conditions=(m.OnCondition(test=E("v > 10 * jump"), body=(
                     m.Transition(regime="shut"), m.Emit(port="out"))),)),
        m.Regime(name="shut", on_entry=(m.Assign(target="v", value=E("0 * v")),
                                        m.Assign(target="since", value=E("t"))),
                 on_conditions=(m.OnCondition(test=E("t > since + 0.2 * tau"),
                                              body=(m.Transition(regime="open"),)),)),)),),
    event_inputs=(m.EventPort(name="in", payload=("weight",)),),
    event_outputs=(m.EventPort(name="out"),),
    on_events=(m.OnEvent(port="in", body=(m.Assign(target="v", value=E("v + jump * weight")),)),))
for name in ("after_synapse", "smooth_synapse"):
    components["free_" + name] = replace(components[name], name="free_" + name)
late = interspike.load(fixtures + "/nestml/late_neuron.nestml")
models = replace(models, components=(*components.values(), *late.components))
pairs = ["jump_neuron:after_synapse+smooth_synapse", "jump_neuron:reward_synapse:drive=over",
         "two_mode_cell:smooth_synapse"]
result = convert(models, to="nest", pairs=pairs)
built = build_cached(result.artifacts, Path(cache))
found = {"models": built.models}
draw = np.random.default_rng(11)
PRE = np.unique(np.round(draw.uniform(3, 300, 60), 1))
POST = np.unique(np.round(draw.uniform(3, 300, 50)))
MODS = np.unique(np.round(draw.uniform(3, 300, 12)))

def start(h=0.1, threads=1):
    nest.ResetKernel()
    nest.resolution = h
    nest.local_num_threads = threads
    install(built)

def drive(times, cell, weight, delay=0.1):
    times = np.unique(np.round(times / nest.resolution) * nest.resolution)
    source = nest.Create("spike_generator", params={"spike_times": times[times > 0]})
    nest.Connect(source, cell, syn_spec={"weight": weight, "delay": max(delay, nest.resolution)})

def weights(neuron, names, h=0.1, delays=(1.0, 2.3), threads=1, defaults={}):
    start(h, threads)
    pre, post = nest.Create("parrot_neuron", 2), nest.Create(neuron)
    drive(PRE, pre[0], 1.0)
    # some spikes of the source come just when those of the target have come back
    drive(np.concatenate([PRE[::2], POST + 0.1 + delays[0]]), pre[1], 1.0)
    drive(POST, post, 9000.0 if "jump" in neuron else 12.0)
    recorder = nest.Create("weight_recorder")
    for k, name in enumerate(names):
        nest.CopyModel(name, f"own_{k}", {"weight_recorder": recorder, **defaults})
        for source, delay in zip(pre, delays):
            nest.Connect(source, post, syn_spec={"synapse_model": f"own_{k}", "delay": delay})
    heard = nest.Create("spike_recorder")
    nest.Connect(post, heard)
    for length in (150.0, 3.0, 177.0):
        nest.Simulate(length)
    events = recorder.events
    order = np.lexsort((events["weights"], events["senders"], events["times"]))
    return [float(w) for w in events["weights"][order]], [float(t) for t in heard.events["times"]]

both = "jump_neuron__with_after_synapse_and_smooth_synapse"
for short in ("after", "smooth"):
    made = f"{short}_synapse__with_{both}"
    found[short] = weights(both, [made]), weights("jump_neuron", [f"free_{short}_synapse"])
    found[short + " coarse"] = (weights(both, [made], 0.5, (1.0, 2.5)),
                                weights("jump_neuron", [f"free_{short}_synapse"], 0.5, (1.0, 2.5)))
made = [f"{short}_synapse__with_{both}" for short in ("after", "smooth")]
found["threads"] = weights(both, made), weights(both, made, threads=4)
found["regimes"] = (weights("two_mode_cell__with_smooth_synapse", ["smooth_synapse__with_two_mode_cell"]),
                    weights("two_mode_cell", ["free_smooth_synapse"]))
more = "jump_neuron__with_reward_synapse"

start()
pre, post, other = nest.Create("parrot_neuron"), nest.Create(more), nest.Create("parrot_neuron")
drive(PRE, pre, 1.0); drive(POST, post, 9000.0); drive(MODS, other, 1.0, 1.0)
for_all = nest.Create("volume_transmitter", params={"deliver_interval": 7})
nest.Connect(other, for_all, syn_spec={"delay": 1.0})
try:
    nest.Connect(pre, post, syn_spec={"synapse_model": "reward_synapse__with_jump_neuron"})
except nest.NESTError as problem:
    found["no transmitter"] = str(problem)
recorder = nest.Create("weight_recorder")
nest.CopyModel("reward_synapse__with_jump_neuron", "own",
               {"weight_recorder": recorder, "volume_transmitter": for_all})
nest.Connect(pre, post, syn_spec={"synapse_model": "own", "delay": 1.3})
try:
    nest.Connect(pre, other, syn_spec={"synapse_model": "own"})
except nest.NESTError as problem:
    found["wrong neuron"] = str(problem)
shown = ["over", "drive_memory__for_reward_synapse"]
meter = nest.Create("multimeter", params={"interval": 0.1, "record_from": shown})
nest.Connect(meter, post)
heards = nest.Create("spike_recorder", 3)
for node, recorder_ in zip((pre, post, other), heards):
    nest.Connect(node, recorder_)
nest.Simulate(330.0)
found["reward"] = [float(w) for w in recorder.events["weights"]]
found["spikes"] = [[float(t) for t in r.events["times"]] for r in heards]
found["over"] = [float(v) for v in meter.events["over"]]
found["memory"] = [float(v) for v in meter.events["drive_memory__for_reward_synapse"]]
found["final"] = float(nest.GetConnections(pre, post).get("w"))

start()
late = nest.Create("late_neuron")
meter = nest.Create("multimeter", params={"interval": 0.1, "record_from": ["u", "drive__delayed"]})
nest.Connect(meter, late)
nest.Simulate(20.0)
nest.Simulate(30.0)
found["late"] = [float(v) for v in meter.events["u"]]
found["drive"] = [float(v) for v in meter.events["drive__delayed"]]

try:
    import pyNN.nest as sim
except ImportError:
    sim = None
if sim is not None:
    from interspike.nest.pynn import cell_types

    sim.setup(timestep=0.1, min_delay=0.1, max_delay=5.0)
    types = cell_types(models, pairs=pairs, cache=cache)
    sources = sim.Population(2, sim.SpikeSourceArray(spike_times=[[5.0, 25.0], [12.0, 31.0]]))
    cells = sim.Population(1, types["two_mode_cell__with_smooth_synapse"]())
    loud = sim.Population(1, sim.SpikeSourceArray(spike_times=[8.0, 20.0]))
    cells.record(["spikes", "bump__for_smooth_synapse__X__post_spikes__for_smooth_synapse"])
    plastic = types["smooth_synapse__with_two_mode_cell"](weight=2.0, delay=1.0, gain=0.5)
    learns = sim.Projection(sources, cells, sim.AllToAllConnector(), plastic)
    static = sim.StaticSynapse(weight=12.0, delay=0.5)
    sim.Projection(loud, cells, sim.AllToAllConnector(), static)
    sim.run(50.0)
    data = cells.get_data().segments[0]
    found["pynn"] = [float(len(data.spiketrains[0])), float(data.analogsignals[0].magnitude.max())]
    found["learnt"] = [float(w) for w in np.ravel(learns.get("weight", format="array"))]
print("RESULT " + json.dumps(found))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-P", "-c", RUN, str(FIXTURES), str(tmp_path_factory.mktemp("cache"))],
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
        env={**os.environ, "CXXFLAGS": "-O0"},  # what is computed is the same, and built sooner
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    assert lines, done.stderr[-3000:]
    result: dict[str, object] = json.loads(lines[-1].removeprefix("RESULT "))
    return result


SAME = {
    "after": 2e-6,
    "after coarse": 2e-6,
    "smooth": 1e-12,
    "smooth coarse": 1e-12,
    "regimes": 1e-12,
}


@needs_nest
@pytest.mark.parametrize("case", SAME)
def test_what_the_neuron_keeps_is_what_the_synapse_would_have(
    found: dict[str, list[list[list[float]]]], case: str
) -> None:
    (weights, spikes), (own, own_spikes) = found[case]
    assert len(weights) > 100 and len(spikes) > 40 and np.ptp(weights) > 1
    assert spikes == own_spikes
    # the solver's tolerance where a trace decays nonlinearly
    assert weights == pytest.approx(own, rel=SAME[case])


@needs_nest
def test_threads_do_not_matter_to_pairs(found: dict[str, list[object]]) -> None:
    one, two = found["threads"]
    assert one == two


@needs_nest
def test_what_a_pair_needs_is_said(found: dict[str, str]) -> None:
    assert "volume_transmitter" in found["no transmitter"]
    assert "jump_neuron__with_reward_synapse only" in found["wrong neuron"]


@needs_nest
def test_third_factors_come_when_they_are_due(found: dict[str, list[float]]) -> None:
    """The neuron's drive without delay, its memory a dendritic delay ago, rewards in order of time."""
    tau = {"tag": 100.0, "reward": 50.0, "memory": 20.0}
    delay, rate = 1.3, 0.01
    over, memory = np.array(found["over"]), np.array(found["memory"])
    pre, post, rewards = (np.array(times) for times in found["spikes"])
    events = [(t, 2, "pre") for t in pre] + [(t + delay, 1, "post") for t in post]
    events += [(t + 1.0, 0, "reward") for t in rewards]
    w, now, sent = 1.0, 0.0, []
    tag = reward = near = 0.0
    for time, _, kind in sorted((round(t, 6), order, kind) for t, order, kind in events):
        if time > pre[-1]:
            break
        passed, fade = time - now, 1 / tau["tag"] + 1 / tau["reward"]
        w += rate / tau["memory"] * tag * reward * -np.expm1(-passed * fade) / fade
        tag *= np.exp(-passed / tau["tag"])
        reward *= np.exp(-passed / tau["reward"])
        near *= np.exp(-passed / tau["memory"])
        now, step = (
            time,
            round(time / 0.1) - 1,
        )  # what is recorded first is the end of the first step
        if kind == "reward":
            reward += 1
        elif kind == "post":
            tag += near * over[step] / 5
        else:
            near += 1
            tag -= 0.1 * memory[step - 13] + 0.01 * over[step]
            sent.append(w)
    assert len(sent) == len(found["reward"]) > 40 and np.ptp(sent) > 1e-3
    assert found["reward"] == pytest.approx(sent, rel=1e-6)


@needs_nest
def test_delayed_variables_are_those_of_the_past(found: dict[str, list[float]]) -> None:
    """u' = -u(t - 5 ms) / 12 ms, held within a step; before the start u is what it was then."""
    past, u, expected = [2.0] * 51, 2.0, []
    for _ in found["late"]:
        past = [*past[1:], u]
        u -= 0.1 * past[0] / 12
        expected.append(u)
    assert len(expected) > 400
    assert found["late"] == pytest.approx(expected, rel=1e-12, abs=1e-12)
    assert found["drive"][100] == pytest.approx(10 * expected[100 - 31], rel=1e-12)


@needs_nest
def test_pynn_knows_both_ends_of_a_pair(found: dict[str, list[float]]) -> None:
    if "pynn" not in found:
        pytest.skip("PyNN is not installed")
    spikes, memory = found["pynn"]
    assert spikes == 2 and 0.5 < memory < 2
    assert len(found["learnt"]) == 2 and all(w != 2.0 for w in found["learnt"])
