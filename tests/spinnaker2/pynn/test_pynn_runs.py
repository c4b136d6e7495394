"""Several runs on the chip: each program takes over what the one before left, whatever has changed."""

from __future__ import annotations

import shutil
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pyNN")

import interspike.spinnaker2.pynn as sim
from interspike.spinnaker2.emulator import missing_tools

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
needs_qemu = pytest.mark.skipif(bool(missing_tools("qemu")), reason="needs arm gcc and QEMU")


def spikes(population: Any) -> list[list[float]]:
    """Spike times in ms of all cells."""
    trains = population.get_data("spikes").segments[-1].spiketrains
    return [np.round(train.magnitude, 6).tolist() for train in trains]


def trace(population: Any, name: str = "v") -> Any:
    """A recorded variable as rows by cells."""
    return population.get_data(name).segments[-1].filter(name=name)[0].magnitude


def learning(backend: str, is_plastic: bool) -> tuple[Any, Any]:
    """Cells that drive each other with delays, a Poisson drive, and synapses that may learn."""
    sim.setup(timestep=0.1, backend=backend, seed=5)
    drive = sim.Population(4, sim.SpikeSourcePoisson(rate=400.0))
    cells = sim.Population(4, sim.IF_cond_exp())
    weight = sim.StaticSynapse(weight=0.02, delay=2.0)
    sim.Projection(drive, cells, sim.AllToAllConnector(), weight)
    kind: Any = sim.StaticSynapse(weight=0.003, delay=1.5)
    if is_plastic:
        kind = sim.STDPMechanism(
            sim.SpikePairRule(), sim.AdditiveWeightDependence(w_max=0.01), weight=0.003, delay=1.5
        )
    among = sim.Projection(cells, cells, sim.AllToAllConnector(), kind)
    cells.record(["spikes", "v"])
    return cells, among


@pytest.mark.parametrize(
    ("backend", "is_plastic"),
    [("host", False), pytest.param("qemu", False, marks=needs_qemu), ("host", True)],
)
def test_pieces_have_the_bits_of_the_whole(backend: str, is_plastic: bool) -> None:
    cells, among = learning(backend, is_plastic)
    sim.run(40.0)
    whole, v, weights = spikes(cells), trace(cells), among.get("weight", format="array")
    cells, among = learning(backend, is_plastic)
    for length in (20.0, 0.1, 19.9):
        sim.run(length)
    assert sum(map(len, whole)) > 10
    assert spikes(cells) == whole
    np.testing.assert_array_equal(trace(cells), v)
    np.testing.assert_array_equal(among.get("weight", format="array"), weights)
    assert np.all(weights != 0.003) == is_plastic


def test_learned_weights_are_those_of_the_reference() -> None:
    found = []
    for backend in ("reference", "host"):
        sim.setup(timestep=0.1, backend=backend)
        source = sim.Population(3, sim.SpikeSourceArray(spike_times=[[5.0, 30.0], [20.0], [9.0]]))
        cells = sim.Population(2, sim.IF_curr_exp(i_offset=[0.9, 1.2]))
        rule = sim.STDPMechanism(
            sim.SpikePairRule(A_plus=0.05, A_minus=0.06), sim.MultiplicativeWeightDependence(),
            weight=0.4, delay=1.0,
        )  # fmt: skip
        projection = sim.Projection(source, cells, sim.AllToAllConnector(), rule)
        sim.run(40.0)
        middle = projection.get("weight", format="array")
        projection.set(weight=0.5)
        sim.run(40.0)
        found.append((middle, projection.get("weight", format="array")))
    for ours, truth in zip(found[1], found[0], strict=True):
        assert np.ptp(truth) > 0
        np.testing.assert_allclose(ours, truth, rtol=1e-5)


def changing(backend: str) -> Any:
    """Weights, delays, parameters and states change, and a projection is added, with events under way."""
    sim.setup(timestep=0.1, backend=backend)
    times = np.arange(1.0, 60.0, 0.7)
    source = sim.Population(3, sim.SpikeSourceArray(spike_times=[times, times + 0.2, times[::2]]))
    cells = sim.Population(3, sim.IF_curr_exp(tau_m=[10.0, 15.0, 20.0]))
    delay = np.array([[0.3, 1.0, 2.4]] * 3)
    synapse = sim.StaticSynapse(weight=0.125, delay=delay)
    projection = sim.Projection(source, cells, sim.AllToAllConnector(), synapse)
    cells.record(["v", "isyn_exc", "isyn_inh"])
    sim.run(20.0)
    projection.set(weight=0.25)
    sim.run(0.5)
    projection.set(delay=0.1)
    sim.run(10.0)
    cells.set(tau_m=12.0, tau_syn_E=2.0)
    sim.run(10.0)
    down = sim.StaticSynapse(weight=-0.125, delay=1.0)
    sim.Projection(source, cells, sim.AllToAllConnector(), down, receptor_type="inhibitory")
    cells[1:2].initialize(v=-60.0)
    sim.run(10.0)
    return np.stack([trace(cells, name) for name in ("v", "isyn_exc", "isyn_inh")])


def test_everything_may_change_between_runs() -> None:
    truth, found = changing("reference"), changing("host")
    assert np.ptp(truth[2]) > 0.1
    np.testing.assert_allclose(found, truth, atol=2e-4)


def test_weights_may_change_beside_synapses_that_learn() -> None:
    found = []
    for backend in ("reference", "host"):
        sim.setup(timestep=0.1, backend=backend)
        times = np.arange(1.0, 40.0, 0.7)
        source = sim.Population(2, sim.SpikeSourceArray(spike_times=[times, times + 0.3]))
        cells = sim.Population(2, sim.IF_curr_exp())
        rule = sim.STDPMechanism(sim.SpikePairRule(), sim.AdditiveWeightDependence(), weight=0.1)
        sim.Projection(source, cells, sim.OneToOneConnector(), rule)
        delay = np.array([[0.3, 2.0], [1.1, 0.4]])
        static = sim.Projection(
            source, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1, delay=delay)
        )
        cells.record(["isyn_exc", "v"])
        sim.run(20.0)
        static.set(weight=0.3)
        sim.run(0.4)
        static.set(delay=0.5)
        sim.run(10.0)
        found.append(np.stack([trace(cells, "isyn_exc"), trace(cells)]))
    np.testing.assert_allclose(found[1], found[0], atol=2e-4)


def test_a_noisy_current_is_the_same_on_all_cores_and_goes_on() -> None:
    found = []
    for pieces in ([50.0], [20.0, 30.0]):
        sim.setup(timestep=0.1, backend="host")
        cells = sim.Population(600, sim.IF_curr_exp(tau_m=1e6, v_thresh=1e3))
        noise = sim.NoisyCurrentSource(mean=0.1, stdev=0.5, start=5.0, stop=45.0, dt=0.5)
        noise.inject_into(cells)
        noise.record()
        cells[[0, 300, 599]].record("v")
        for length in pieces:
            sim.run(length)
        found.append((trace(cells), noise.get_data().magnitude[:, 0]))
        assert not [issue for issue in sim.issues() if issue.code == "T310"]
    (v, current), (again, current_again) = found
    assert v.shape == (501, 3) and np.all(v[:, 0] == v[:, 1]) and np.all(v[:, 0] == v[:, 2])
    np.testing.assert_array_equal(v, again)
    np.testing.assert_array_equal(current, current_again)
    assert len(np.unique(current)) > 70
    # a capacitor of 1 nF sums the current up
    np.testing.assert_allclose(v[-1, 0] + 65.0, np.sum(current[:-1]) * 0.1, rtol=1e-3)
