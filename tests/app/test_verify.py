"""Source and result on one stimulus: where they agree, and that a disagreement is seen."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from interspike.app import cli
from interspike.app.behaviour.stimulus import event_distance, quiet, trace_distance
from interspike.app.convert import convert
from interspike.app.verify import verify
from interspike.canonical_model.diagnostics import ModelError
from interspike.nest import build as building

needs_nest = pytest.mark.skipif(bool(building.missing()), reason=building.missing() or "builds")
FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
needs_compiler = pytest.mark.skipif(
    not (shutil.which("make") and shutil.which("cc")), reason="needs make and a C compiler"
)


@needs_compiler
def test_a_component_runs_the_common_stimulus_on_the_emulator() -> None:
    found = verify(FIXTURES / "nestml/adaptive_lif_neuron.nestml", length="60ms")
    assert found.verdict == "same", found.to_json()
    (trial,) = found.trials
    events = [d for d in trial.distances if d.name.endswith("events spike")]
    assert [d.name for d in events] == [f"run {k}, events spike" for k in (1, 2, 3, 4)]
    assert max(item.spikes[0] for item in events) > 0
    # single precision against double
    assert max(d.trace for trial in found.trials for d in trial.distances) < 0.01


@needs_compiler
def test_a_network_runs_its_own_experiment(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = str(FIXTURES / "lems/iaf.xml")
    picture = tmp_path / "both.svg"
    assert cli.main(["verify", source, "--plot", str(picture), "--length", "100ms"]) == 0
    assert capsys.readouterr().out.endswith("same\n")
    text = picture.read_text()
    assert "reference" in text or "<svg" in text


def test_what_can_be_read_back_is(capsys: pytest.CaptureFixture[str]) -> None:
    source = str(FIXTURES / "nestml/adaptive_lif_neuron.nestml")
    assert cli.main(["verify", source, "--to", "canonical", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["verdict"], data["how"]) == ("same", "read back")


def test_mistakes() -> None:
    with pytest.raises(ModelError, match="A004"):
        verify(FIXTURES / "lems/iaf.xml", to="nowhere")
    with pytest.raises(ModelError, match="A012"):
        verify(FIXTURES / "lems/iaf.xml", solver="nowhere")


def test_distances_are_what_they_say() -> None:
    times = np.arange(0.0, 0.1, 1e-4)
    one = np.sin(100 * times)
    found = event_distance("x", np.array([0.01, 0.02]), np.array([0.01, 0.0203, 0.05]))
    assert found.spikes == (2, 3)
    assert found.shift == pytest.approx(3e-4)
    everywhere = np.ones(len(times), dtype=bool)
    assert trace_distance("x", one, one + 0.02, everywhere).trace == pytest.approx(0.01, rel=1e-3)
    broken = one.copy()
    broken[5] = np.nan
    assert trace_distance("x", one, broken, everywhere).trace == np.inf
    still = quiet(times, [np.array([0.05])])
    assert not still[500]
    assert still[510]


@needs_nest
def test_an_adaptive_solver_is_held_against_an_adaptive_one() -> None:
    """In NEST a program's equations are integrated adaptively; a fixed step would spike elsewhere."""
    found = verify(FIXTURES / "nestml/spiking_sodium_neuron.nestml", to="nest", length="100ms")
    (trial,) = found.trials
    events = {d.name: d.spikes for d in trial.distances if d.name.startswith("run")}
    assert events["run 4, events spike"][0] > 3
    assert found.verdict == "same", found.to_json()


SYNAPSE = """
model rewarded_synapse:
    state:
        w nS = 2 nS
        before real = 0
        after real = 0
        reward real = 0
    equations:
        before' = -before / (15 ms)
        after' = -after / (25 ms)
        reward' = -reward / (40 ms)
    input:
        pre_spikes <- spike
        post_spikes <- spike
        mod_spikes <- spike
    output:
        spike
    onReceive(post_spikes):
        after += 1
        w += 0.1 nS * before * (1 + reward)
    onReceive(pre_spikes):
        before += 1
        w -= 0.04 nS * after * (1 + reward)
        emit_spike(w)
    onReceive(mod_spikes):
        reward += 0.5
    update:
        integrate_odes()
"""


@needs_nest
def test_a_synapse_is_run_as_a_connection(tmp_path: Path) -> None:
    """What one connection sends in NEST, added up, beside the synapse as a node of the reference."""
    file = tmp_path / "rewarded.nestml"
    file.write_text(SYNAPSE)
    found = verify(file, to="nest", length="100ms")
    (trial,) = found.trials
    assert [d.name for d in trial.distances] == ["target", "received"]
    assert trial.verdict == "same", trial.to_json()
    assert trial.distances[1].trace < 1e-9
    # weights are sent in nS, and they change
    (reference,) = (c for c in trial.traces if c.label == "received (reference)")
    jumps = np.unique(np.round(np.diff(reference.values), 6))
    assert 1 < jumps[1] < 10 and len(jumps) > 10


UNEVEN = b"""<Lems>
  <Target component="sim"/>
  <Include file="Cells.xml"/><Include file="Synapses.xml"/><Include file="Inputs.xml"/>
  <Include file="Networks.xml"/><Include file="Simulation.xml"/>
  <iafCell id="cell" leakReversal="-65mV" thresh="-50mV" reset="-65mV" C="100pF" leakConductance="5nS"/>
  <expTwoSynapse id="slow" gbase="2nS" erev="0mV" tauRise="1ms" tauDecay="8ms"/>
  <spikeGenerator id="clock" period="4ms"/>
  <network id="net">
    <population id="cells" component="cell" size="2"/>
    <population id="drive" component="clock" size="1"/>
    <projection id="p" presynapticPopulation="drive" postsynapticPopulation="cells" synapse="slow">
      <connection id="0" preCellId="../drive[0]" postCellId="../cells[1]"/>
    </projection>
  </network>
  <Simulation id="sim" length="30ms" step="0.1ms" target="net"/>
</Lems>"""


def test_a_synapse_that_some_cells_lack_is_in_the_model() -> None:
    """A cell written for all of a population has it; without spikes it does nothing."""
    found = verify("-", data=UNEVEN, to="nestml")
    assert found.verdict == "same"
    text = convert("-", data=UNEVEN, to="nestml").text("cell.nestml")
    assert "slow_in <- spike" in text and "present real = 0" not in text
