"""The adaptive solver against scipy on the same equations, and the library that can be chosen instead."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from interspike.nest import build as building
from numpy.typing import NDArray

pytestmark = pytest.mark.skipif(bool(building.missing()), reason=building.missing() or "builds")
Runner = Callable[..., dict[str, Any]]
Values = NDArray[np.float64]

RUN = """
import json, sys
import interspike.nest.load, nest
nest.verbosity = nest.VerbosityLevel.ERROR
solver, name = sys.argv[3], sys.argv[4]
interspike.nest.load(sys.argv[1], cache=sys.argv[2], solver=solver, component=name)
found = {}
limits = [1e-6, 1e-10, 1e-12]
cells = nest.Create(name, len(limits), params={
    "gsl_abs_error_tol": limits, "gsl_rel_error_tol": limits})
names = ["V_m", "theta"] if name == "adapting_cond_neuron" else ["V_m", "n", "m", "h"]
if name == "adapting_cond_neuron":
    for port, weight, times in (("AMPA", 9.0, [2.0, 9.0, 9.5]), ("GABA", 4.0, [5.0, 12.0])):
        source = nest.Create("spike_generator", params={"spike_times": times})
        number = nest.GetDefaults(name)["receptor_types"][port]
        nest.Connect(source, cells, syn_spec={"weight": weight, "delay": 1.0, "receptor_type": number})
meter = nest.Create("multimeter", params={"record_from": names, "interval": 0.1})
nest.Connect(meter, cells)
nest.Simulate(20.0)
for limit, cell in zip(limits, cells.tolist()):
    rows = meter.events["senders"] == cell
    found[str(limit)] = [meter.events[key][rows].tolist() for key in names]
found["times"] = meter.events["times"][rows].tolist()
print("RESULT " + json.dumps(found))
"""


def _conductances(t: float) -> tuple[float, float]:
    fast = sum(9.0 * (t - s) * np.exp(1 - (t - s) / 1.5) / 1.5 for s in (3.0, 10.0, 10.5) if t > s)
    slow = sum(4.0 * np.exp(-(t - s) / 8.0) for s in (6.0, 13.0) if t > s)
    return fast, slow


def _adapting(t: float, y: Values) -> list[float]:
    fast, slow = _conductances(t)
    v = y[0]
    spike = 12.0 * 2.0 * np.exp(min(v + 50.0, 20.0) / 2.0)
    return [(-12.0 * (v + 68.0) + spike - fast * v - slow * (v + 80.0)) / 200.0]


def _gated(t: float, y: Values) -> list[float]:
    v, n, m, h = y
    a_n = 0.01 * (v + 55) / (1 - np.exp(-(v + 55) / 10))
    a_m = 0.1 * (v + 40) / (1 - np.exp(-(v + 40) / 10))
    return [
        -120 * m**3 * h * (v - 50) - 36 * n**4 * (v + 77) - 0.3 * (v + 54.4) + 10.0,
        a_n * (1 - n) - 0.125 * np.exp(-(v + 65) / 80) * n,
        a_m * (1 - m) - 4 * np.exp(-(v + 65) / 18) * m,
        0.07 * np.exp(-(v + 65) / 20) * (1 - h) - h / (1 + np.exp(-(v + 35) / 10)),
    ]


def _solution(rates: Any, start: list[float], stops: list[float], times: list[float]) -> Values:
    """scipy's, restarted where conductances jump."""
    integrate = pytest.importorskip("scipy.integrate")
    rows, y, begin = [], np.array(start), 0.0
    for stop in [*stops, times[-1]]:
        inside = [t for t in times if begin < t <= stop + 1e-9]
        done = integrate.solve_ivp(
            rates,
            (begin, stop),
            y,
            "DOP853",
            t_eval=np.minimum(inside, stop),
            rtol=1e-13,
            atol=1e-13,
        )
        rows.append(done.y)
        y, begin = done.y[:, -1], stop
    return np.concatenate(rows, axis=1)


def test_conductances_that_are_followed_exactly(in_nest: Runner) -> None:
    found = in_nest(RUN, "auto", "adapting_cond_neuron")
    wanted = _solution(_adapting, [-68.0], [3.0, 6.0, 10.0, 10.5, 13.0], found["times"])[0]
    assert wanted.max() > -60 and wanted.max() < -45
    for limit, allowed in (("1e-06", 1e-4), ("1e-10", 1e-8), ("1e-12", 1e-9)):
        assert np.max(np.abs(np.array(found[limit][0]) - wanted)) < allowed, limit


def test_gates_whose_exponentials_are_shared(in_nest: Runner) -> None:
    found = in_nest(RUN, "auto", "gated_neuron")
    wanted = _solution(_gated, [-65.0, 0.32, 0.05, 0.6], [], found["times"])
    assert wanted[0].max() > 20
    # a spike of 100 mV in 1 ms: what is left is the solver's error on its flank
    for limit, allowed in (("1e-06", 1e-1), ("1e-10", 1e-5), ("1e-12", 1e-6)):
        assert np.max(np.abs(np.array(found[limit]) - wanted)) < allowed, limit


def test_the_library_that_can_be_chosen(in_nest: Runner) -> None:
    text = "#include <gsl/gsl_odeiv2.h>\n"
    compiler = shutil.which("g++") or shutil.which("c++") or ""
    command = [compiler, "-fsyntax-only", "-x", "c++", "-"]
    if subprocess.run(command, input=text, text=True, capture_output=True, check=False).returncode:
        pytest.skip("GSL's headers are not installed")
    library = in_nest(RUN, "gsl", "gated_neuron")
    own = in_nest(RUN, "auto", "gated_neuron")
    for limit, allowed in (("1e-06", 1e-1), ("1e-10", 1e-5), ("1e-12", 1e-6)):
        assert np.max(np.abs(np.array(library[limit]) - np.array(own[limit]))) < allowed, limit
