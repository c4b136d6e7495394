"""PyNN cell types of generated models in pyNN.nest, and a module built by CMake."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from interspike.app.convert import convert
from interspike.nest import build as building

pytestmark = pytest.mark.skipif(bool(building.missing()), reason=building.missing() or "builds")
needs_pynn = pytest.mark.skipif(importlib.util.find_spec("pyNN") is None, reason="needs PyNN")
needs_cmake = pytest.mark.skipif(shutil.which("cmake") is None, reason="needs cmake")
Runner = Callable[..., dict[str, Any]]
FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"

PYNN = """
import json, sys
import numpy as np
import pyNN.nest as sim
from interspike.nest.pynn import cell_types
sim.setup(timestep=0.1, min_delay=0.1)
types = cell_types(sys.argv[1], cache=sys.argv[2])
found = {"types": {name: {
    "parameters": t.default_parameters, "start": t.default_initial_values, "receptors": t.receptor_types,
    "recordable": t.recordable, "units": t.units, "given in": t.parameter_units,
    "injectable": t.injectable, "conductance": t.conductance_based} for name, t in types.items()}}

cond = sim.Population(3, types["adapting_cond_neuron"](I_e=[0.0, 0.0, 500.0], tau_slow=6.0),
    initial_values={"V_m": -66.0})
leaky = sim.Population(2, types["leaky_exp_neuron"](refr_T=3.0))
source = sim.Population(1, sim.SpikeSourceArray(spike_times=[10.0]))
every, weight = sim.AllToAllConnector(), sim.StaticSynapse(weight=0.004, delay=1.0)
sim.Projection(source, cond[0:1], every, weight, receptor_type="AMPA")
sim.Projection(source, cond[1:2], every, weight, receptor_type="GABA")
sim.Projection(source, leaky[0:1], every, sim.StaticSynapse(weight=0.1, delay=1.0),
    receptor_type="excitatory")
sim.Projection(source, leaky[1:2], every, sim.StaticSynapse(weight=-0.1, delay=1.0),
    receptor_type="inhibitory")
cond.record(["V_m", "theta", "spikes"])
leaky.record(["V_m", "spikes"])
current = sim.DCSource(amplitude=0.5, start=50.0, stop=90.0)
current.inject_into(leaky[1:2])
sim.run(100.0)
for name, cells in (("cond", cond), ("leaky", leaky)):
    data = cells.get_data().segments[0]
    found[name] = {a.name: [a.units.dimensionality.string, a.magnitude.T.tolist()]
                   for a in data.analogsignals}
    found[name]["spikes"] = [[float(t) for t in s] for s in data.spiketrains]
found["set"] = [float(v) for v in np.atleast_1d(cond.get("tau_slow"))]
print("RESULT " + json.dumps(found))
"""

LOADED = """
import json, sys
import nest
nest.verbosity = nest.VerbosityLevel.ERROR
nest.Install(sys.argv[3])
cell = nest.Create("lif")
print("RESULT " + json.dumps({"v": cell.v, "models": [m for m in nest.node_models if m == "lif"]}))
"""


@pytest.fixture(scope="module")
def found(in_nest: Runner) -> dict[str, Any]:
    return in_nest(PYNN)


@needs_pynn
def test_cell_types_tell_what_the_model_has(found: dict[str, Any]) -> None:
    types = found["types"]
    cond, leaky = types["adapting_cond_neuron"], types["leaky_exp_neuron"]
    assert cond["parameters"]["tau_theta"] == 40.0 and cond["given in"]["tau_theta"] == "ms"
    assert cond["given in"]["g_L"] == "nS" and cond["given in"]["C_m"] == "pF"
    assert cond["start"]["V_m"] == -68.0
    assert cond["receptors"] == ["AMPA", "GABA"] and cond["conductance"]
    assert leaky["receptors"] == ["excitatory", "inhibitory"] and not leaky["conductance"]
    assert {"V_m", "theta", "I_fast", "spikes"} <= set(cond["recordable"])
    assert cond["units"]["V_m"] == "mV" and cond["units"]["I_fast"] == "pA"
    assert leaky["injectable"] and not types["gated_neuron"]["injectable"]
    assert types["gated_neuron"]["receptors"] == []


@needs_pynn
def test_populations_run_and_record(found: dict[str, Any]) -> None:
    unit, voltages = found["cond"]["V_m"]
    assert unit == "mV" and found["set"] == [6.0]
    assert all(row[0] == -66.0 for row in voltages)
    before, after = 109, 140
    rise = [row[after] - row[before] for row in voltages[:2]]
    assert rise[0] > 0.3 > -0.1 > rise[1]
    assert len(found["cond"]["spikes"][2]) > 5 and not found["cond"]["spikes"][0]
    assert max(found["cond"]["theta"][1][2]) >= 4.0


@needs_pynn
def test_signed_receptors_and_injected_currents(found: dict[str, Any]) -> None:
    _, voltages = found["leaky"]["V_m"]
    assert voltages[0][150] > -69.0 and voltages[1][150] < -71.0
    # 0.1 nA for a moment, at equal time constants: w / C t exp(-t / tau), 5 ms after it comes
    assert voltages[0][160] + 70 == pytest.approx(100 / 250 * 5 * 2.718281828459045**-0.5, rel=1e-9)
    times = found["leaky"]["spikes"][1]
    assert times and min(times) > 50.0 and max(times) < 91.0


@needs_cmake
def test_cmake_builds_what_nest_loads(tmp_path: Path, in_nest: Runner) -> None:
    folder = convert(FIXTURES / "lems" / "iaf.xml", to="nest").write(tmp_path / "out")
    configure = ["cmake", "-S", ".", "-B", "build", f"-DNEST_PYTHON={sys.executable}"]
    for command in (configure, ["cmake", "--build", "build"]):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
    (module,) = (folder / "build").glob("*.so")
    loaded = in_nest(LOADED, str(module.with_suffix("")))
    assert loaded["models"] == ["lif"] and loaded["v"] == -65.0


@needs_cmake
def test_cmake_says_that_nest_is_missing(tmp_path: Path) -> None:
    folder = convert(FIXTURES / "lems" / "iaf.xml", to="nest").write(tmp_path / "out")
    command = ["cmake", "-S", ".", "-B", "build", "-DNEST_PYTHON=/no/such/python"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode and "no NEST in /no/such/python" in " ".join(done.stderr.split())
