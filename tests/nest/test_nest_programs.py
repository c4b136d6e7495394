"""Time-step programs and plastic synapses in NEST: against the grid simulator's order of a step, written
out in plain Python, and against NEST's own models. Run in processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from interspike.nest import build as building

needs_nest = pytest.mark.skipif(bool(building.missing()), reason=building.missing() or "builds")

MODEL = """
import json, sys
from interspike.canonical_model import model as m, units as u
from interspike.canonical_model.expr_text import parse_expr as E
from interspike.canonical_model.units import Quantity, Unit
MS, MV, PA, PF = (Unit("ms", u.TIME, 1e-3), Unit("mV", u.VOLTAGE, 1e-3), Unit("pA", u.CURRENT, 1e-12),
                  Unit("pF", u.CAPACITANCE, 1e-12))

def parameter(name, dimension, value, unit):
    return m.Parameter(name=name, dimension=dimension, value=Quantity(value, unit))

neuron = m.Component(
    name="leaky",
    parameters=(
        parameter("tau", u.TIME, 10.0, MS), parameter("ts", u.TIME, 10.0, MS),
        parameter("C", u.CAPACITANCE, 250.0, PF), parameter("E_L", u.VOLTAGE, -70.0, MV),
        parameter("V_th", u.VOLTAGE, -55.0, MV), parameter("I_e", u.CURRENT, 0.0, PA),
        parameter("pause", u.TIME, 0.7, MS), parameter("unit", u.CURRENT, 1.0, PA),
    ),
    checks=(m.Check(test=E("C > 0 * C"), message="C must be positive"),),
    state_variables=(
        m.StateVariable(name="V_m", dimension=u.VOLTAGE, initial=E("E_L")),
        m.StateVariable(name="timer", dimension=u.TIME),
    ),
    kernels=(m.Kernel(name="k", value=E("exp(-t / ts)")),),
    odes=(
        m.Ode(variable="V_m", rhs=E("(E_L - V_m) / tau + (I_e + unit * convolve(k, spikes)) / C")),
        m.Ode(variable="timer", rhs=E("-1")),
    ),
    update=(m.If(branches=((E("timer > 0 * tau"), (m.Integrate(variables=("timer",)),)),),
                 otherwise=(m.Integrate(variables=("V_m",)),)),),
    on_conditions=(m.OnCondition(test=E("V_m >= V_th"), body=(
        m.Assign(target="V_m", value=E("E_L")), m.Assign(target="timer", value=E("pause")),
        m.Emit(port="spike"))),),
    event_inputs=(m.EventPort(name="spikes", payload=("weight",)),),
    event_outputs=(m.EventPort(name="spike"),),
)

def trace(name):
    return m.Ode(variable=name, rhs=E(f"-{name} / tau"))

plastic = m.Component(
    name="plastic",
    parameters=(parameter("tau", u.TIME, 20.0, MS), m.Parameter(name="rate", value=Quantity(0.01))),
    state_variables=(m.StateVariable(name="w", initial=E("1")), m.StateVariable(name="a"),
                     m.StateVariable(name="b")),
    odes=(trace("a"), trace("b")),
    update=(m.Integrate(),),
    event_inputs=(m.EventPort(name="pre", role="pre", payload=("weight",)),
                  m.EventPort(name="post", role="post", payload=("weight",))),
    event_outputs=(m.EventPort(name="spike"),),
    on_events=(
        m.OnEvent(port="post", body=(m.Assign(target="w", value=E("w + rate * (100 - w) * a")),
                                     m.Assign(target="b", value=E("b + 1")))),
        m.OnEvent(port="pre", body=(m.Assign(target="w", value=E("w - rate * w * b")),
                                    m.Assign(target="a", value=E("a + 1")),
                                    m.Emit(port="spike", weight=E("w")))),
    ),
)
model = m.Model(name="both", components=(neuron, plastic))
import interspike.nest.load, nest, numpy as np
nest.verbosity = nest.VerbosityLevel.ERROR
found = {}

def start(threads=1):
    nest.ResetKernel()
    nest.local_num_threads = threads
    return interspike.nest.load(model, cache=sys.argv[1])

found["names"] = start()
try:
    nest.Create("leaky", params={"C": -1.0})
except Exception as problem:
    found["check"] = str(problem)

# equal time constants: alpha-shaped response, exact; refractory period of 7 steps of 0.1 ms
def drive(threads):
    start(threads)
    ours = nest.Create("leaky", 4, params={"I_e": [0.0, 500.0, 510.0, 700.0]})
    source = nest.Create("spike_generator", params={"spike_times": [1.0, 5.0]})
    nest.Connect(source, ours[0], syn_spec={"weight": 100.0, "delay": 1.0})
    meter = nest.Create("multimeter", params={"record_from": ["V_m"], "interval": 0.1})
    nest.Connect(meter, ours[0])
    heard = nest.Create("spike_recorder")
    nest.Connect(ours, heard)
    nest.Simulate(200.0)
    order = np.lexsort((heard.events["senders"], heard.events["times"]))
    return meter.events, [float(t) for t in heard.events["times"][order]]

events, spikes = drive(1)
t = np.asarray(events["times"])
wanted = -70.0 + sum(
    np.where(t > s, 100.0 / 250.0 * (t - s) * np.exp(-(t - s) / 10.0), 0.0) for s in (2.0, 6.0))
found["deviation"] = float(np.max(np.abs(events["V_m"] - wanted)))
found["spikes"], found["threads"] = spikes, drive(4)[1]

def twin(name, **values):
    nest.ResetKernel()
    interspike.nest.load(model, cache=sys.argv[1])
    node = nest.Create(name, params=values)
    heard = nest.Create("spike_recorder")
    nest.Connect(node, heard)
    nest.Simulate(200.0)
    return [float(t) for t in heard.events["times"]]

found["ours"] = twin("leaky", I_e=500.0, ts=2.0)
found["theirs"] = twin("iaf_psc_exp", I_e=500.0, t_ref=0.7)

def weights(name, **values):
    nest.ResetKernel()
    interspike.nest.load(model, cache=sys.argv[1])
    draw = np.random.default_rng(5)
    pre, post = (np.unique(np.round(draw.uniform(5, 500, 80))) for _ in range(2))
    cells = nest.Create("parrot_neuron"), nest.Create("iaf_psc_delta", params={"V_th": -69.0, "t_ref": 0.1})
    for times, cell, weight in ((pre, cells[0], 1.0), (post, cells[1], 1e3)):
        source = nest.Create("spike_generator", params={"spike_times": times})
        nest.Connect(source, cell, syn_spec={"weight": weight, "delay": 0.1})
    recorder = nest.Create("weight_recorder")
    nest.CopyModel(name, "own", {"weight_recorder": recorder})
    nest.Connect(*cells, syn_spec={"synapse_model": "own", "weight": 0.5, "delay": 1.0, **values})
    nest.Simulate(520.0)
    return [float(w) for w in recorder.events["weights"]]

found["plastic"] = weights("plastic")
found["stdp"] = weights("stdp_synapse", Wmax=100.0, mu_plus=1.0, mu_minus=1.0, alpha=1.0, **{"lambda": 0.01})
print("RESULT " + json.dumps(found))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-P", "-c", MODEL, str(tmp_path_factory.mktemp("cache"))],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    assert lines, done.stderr[-3000:]
    result: dict[str, object] = json.loads(lines[-1].removeprefix("RESULT "))
    return result


@needs_nest
def test_equal_time_constants_are_exact(found: dict[str, float]) -> None:
    assert found["deviation"] < 1e-9


@needs_nest
def test_a_countdown_lasts_its_steps_as_in_the_hand_written_twin(
    found: dict[str, list[float]],
) -> None:
    assert len(found["ours"]) > 5
    assert found["ours"] == pytest.approx(found["theirs"], abs=1e-9)


@needs_nest
def test_threads_do_not_matter(found: dict[str, list[float]]) -> None:
    assert len(found["spikes"]) > 20
    assert found["spikes"] == found["threads"]


@needs_nest
def test_checks_speak_in_the_models_words(found: dict[str, str]) -> None:
    assert "C must be positive" in found["check"]


@needs_nest
def test_a_plastic_synapse_gives_the_weights_of_nests_own(found: dict[str, list[float]]) -> None:
    assert len(found["plastic"]) > 50
    assert found["plastic"] == pytest.approx(found["stdp"], rel=1e-12)
