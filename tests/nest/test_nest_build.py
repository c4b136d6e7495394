"""Modules built and run in NEST, in processes of their own; skipped where NEST or a compiler is missing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from interspike.app.convert import convert
from interspike.app.load import load
from interspike.canonical_model.diagnostics import Log, ModelError
from interspike.canonical_model.passes.fuse import fuse
from interspike.canonical_model.passes.wire import wire
from interspike.exporters.nest.ranks import split_ranks
from interspike.nest import build as building
from interspike.nest.run import run
from interspike.solvers.simulate import simulate

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "lems"
needs_nest = pytest.mark.skipif(bool(building.missing()), reason=building.missing() or "builds")

LEAKY = """
import json, sys
from dataclasses import replace
import interspike.nest.load, nest
nest.verbosity = nest.VerbosityLevel.ERROR
model = replace(interspike.load(sys.argv[1]), network=None)
names = interspike.nest.load(model, cache=sys.argv[2])
again = interspike.nest.load(model, cache=sys.argv[2])
found = {"names": names, "again": again}
nest.ResetKernel()
interspike.nest.load(model, cache=sys.argv[2])
cell = nest.Create("lif", params={"refract": 3.0})
twin = nest.Create("iaf_psc_delta", params={"E_L": -65.0, "V_m": -65.0, "V_th": -50.0,
    "V_reset": -65.0, "C_m": 200.0, "tau_m": 20.0, "t_ref": 3.0, "I_e": 0.0})
dc = nest.Create("dc_generator", params={"amplitude": 300.0})
heard = nest.Create("spike_recorder", 2)
for node, recorder in zip((cell, twin), heard):
    nest.Connect(dc, node, syn_spec={"delay": 0.1})
    nest.Connect(node, recorder)
nest.Simulate(300.0)
found["ours"], found["twin"] = [list(map(float, r.events["times"])) for r in heard]
try:
    cell.no_such_parameter = 1.0
except Exception as problem:
    found["problem"] = type(problem).__name__
print("RESULT " + json.dumps(found))
"""


def in_process(script: str, *arguments: str) -> dict[str, object]:
    """What a script prints after RESULT."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", script, *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    assert lines, done.stderr[-2000:]
    found: dict[str, object] = json.loads(lines[-1].removeprefix("RESULT "))
    return found


@needs_nest
def test_a_network_in_nest_gives_the_spikes_of_the_grid_simulator(tmp_path: Path) -> None:
    source = FIXTURES / "izhikevich_network.xml"
    folder = convert(source, to="nest", output=tmp_path / "out").write(tmp_path / "out")
    result = run(folder)
    circuit = fuse(split_ranks(wire(load(source), Log())), sources=True, peers=True)
    expected = simulate(circuit, mode="grid")
    assert sum(len(times) for times in expected.events.values()) > 20
    for label, times in expected.events.items():
        assert len(result.events[label]) == len(times), label
        assert np.max(np.abs(result.events[label] - times)) <= 1.001 * circuit.step
    pytest.importorskip("pyNN.nest", reason="PyNN is not installed")
    through = run(folder, backend="pynn")
    assert through.events.keys() == result.events.keys()
    for label, times in result.events.items():
        assert through.events[label] == pytest.approx(times, abs=1e-9)
    more = run(folder, threads=4)
    assert all(np.array_equal(more.events[label], result.events[label]) for label in more.events)


@needs_nest
def test_load_builds_once_and_agrees_with_a_hand_written_twin(tmp_path: Path) -> None:
    found = in_process(LEAKY, str(FIXTURES / "iaf.xml"), str(tmp_path))
    assert "lif" in found["names"] and found["names"] == found["again"]
    ours, twin = np.array(found["ours"]), np.array(found["twin"])
    assert len(ours) > 5
    # LEMS tests v > thresh and t > end of the pause, NEST >=: the period is one step longer at most
    assert np.all(np.abs(np.diff(ours) - np.diff(twin)[: len(ours) - 1]) <= 0.1001)
    assert found["problem"]


@needs_nest
def test_a_compile_error_names_the_line_of_the_model(tmp_path: Path) -> None:
    folder = convert(FIXTURES / "iaf.xml", to="nest").write(tmp_path / "out")
    header = folder / "models" / "lif.h"
    text = header.read_text()
    header.write_text(text.replace("s.s_v = q.given.p_reset;", "s.s_v = q.given.p_nothing;"))
    with pytest.raises(ModelError) as caught:
        building.build(folder)
    issue = caught.value.issues[0]
    assert issue.code == "B404" and "p_nothing" in issue.message
    assert issue.span is not None and issue.span.line > 0


def test_a_missing_compiler_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(ModelError) as caught:
        building.find_compiler()
    assert "no-such-compiler" in str(caught.value)


def test_a_folder_without_a_module(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        building.module_of(tmp_path)
    assert caught.value.issues[0].code == "B403"


def test_the_name_nest_means_the_simulator_in_a_checkout() -> None:
    root = Path(__file__).resolve().parents[2]
    code = "import importlib.util as u; s = u.find_spec('nest'); print(s is None or s.origin)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root
    )
    # without NEST only a namespace portion is found, which has no origin
    assert "interspike" not in done.stdout
