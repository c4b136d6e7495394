"""The PyNN back end: networks, control and recording, on the reference and on the chip's program."""

from __future__ import annotations

import shutil
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pyNN")

import interspike.spinnaker2.pynn as sim
from interspike.canonical_model.diagnostics import ModelError

needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
BACKENDS = ["reference", pytest.param("host", marks=needs_compiler)]


@pytest.fixture(params=BACKENDS)
def backend(request: Any) -> str:
    """Both engines that every machine can have."""
    return str(request.param)


def spikes(population: Any, segment: int = -1) -> list[list[float]]:
    """Spike times in ms of all cells."""
    trains = population.get_data("spikes").segments[segment].spiketrains
    return [np.round(train.magnitude, 6).tolist() for train in trains]


def trace(population: Any, name: str = "v", segment: int = -1) -> Any:
    """A recorded variable as rows by cells."""
    return population.get_data(name).segments[segment].filter(name=name)[0].magnitude


def test_two_populations_give_nest_s_spikes(backend: str) -> None:
    # recorded with pyNN.nest 0.13 and NEST 3.10 on the grid, the same script
    sim.setup(timestep=0.1, min_delay=0.1, backend=backend)
    source = sim.Population(
        3, sim.SpikeSourceArray(spike_times=[[1.0, 5.0, 10.0], [2.0, 3.0], [20.0, 21.0, 22.0]])
    )
    first = sim.Population(3, sim.IF_curr_exp(tau_refrac=2.0, i_offset=0.5))
    second = sim.Population(
        2, sim.IF_curr_exp(tau_refrac=2.0), initial_values={"v": [-60.0, -55.0]}
    )
    strong = sim.StaticSynapse(weight=4.0, delay=1.5)
    sim.Projection(source, first, sim.OneToOneConnector(), strong)
    sim.Projection(first, second, sim.AllToAllConnector(), sim.StaticSynapse(weight=3.0, delay=0.7))
    for population in (source, first, second):
        population.record("spikes")
    first.record("v")
    sim.run(60.0)
    assert spikes(source) == [[1.0, 5.0, 10.0], [2.0, 3.0], [20.0, 21.0, 22.0]]
    assert spikes(first) == [[7.0, 12.9], [6.1, 17.9], [23.3, 28.1]]
    assert spikes(second) == [[10.1, 18.6, 26.7, 36.9], [9.1, 17.1, 25.0, 33.1]]
    v = trace(first)
    assert v.shape == (601, 3)
    np.testing.assert_allclose(
        v[::100, 0],
        [-65.0, -61.406305, -54.167359, -50.975633, -52.082807, -53.166174, -53.879005],
        atol=2e-4,
    )


def test_several_runs_are_one_long_run(backend: str) -> None:
    def build() -> Any:
        sim.setup(timestep=0.1, backend=backend, seed=5)
        drive = sim.Population(4, sim.SpikeSourcePoisson(rate=400.0))
        cells = sim.Population(4, sim.IF_cond_exp())
        weight = sim.StaticSynapse(weight=0.02, delay=2.0)
        sim.Projection(drive, cells, sim.AllToAllConnector(), weight)
        cells.record(["spikes", "v"])
        return cells

    cells = build()
    sim.run(90.0)
    whole, v = spikes(cells), trace(cells)
    cells = build()
    for length in (30.0, 0.1, 59.9):
        sim.run(length)
    assert sim.get_current_time() == pytest.approx(90.0)
    assert sum(map(len, whole)) > 10
    assert spikes(cells) == whole
    np.testing.assert_array_equal(trace(cells), v)


def test_reset_begins_a_segment_with_the_same_result(backend: str) -> None:
    sim.setup(timestep=0.5, backend=backend)
    cells = sim.Population(2, sim.IF_curr_exp(i_offset=[0.9, 1.1], tau_refrac=1.0))
    cells.record(["v", "spikes"])
    for _ in range(2):
        sim.run(50.0)
        sim.reset()
    data = cells.get_data()
    assert len(data.segments) == 2
    first, second = (segment.analogsignals[0].magnitude for segment in data.segments)
    np.testing.assert_array_equal(first, second)
    assert len(data.segments[0].spiketrains[1]) > 0


def test_cleared_data_does_not_come_again(backend: str) -> None:
    sim.setup(timestep=0.1, backend=backend)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.0, 12.0]))
    source.record("spikes")
    sim.run(10.0)
    block = source.get_data("spikes", clear=True)
    assert block.segments[0].spiketrains[0].magnitude.tolist() == [1.0]
    sim.run(10.0)
    assert spikes(source) == [[12.0]]


def test_changed_parameters_hold_from_the_change_on(backend: str) -> None:
    # v relaxes to v_rest + i_offset * tau_m / cm: 10 mV in the second part, back in the third
    sim.setup(timestep=0.1, backend=backend)
    cells = sim.Population(2, sim.IF_curr_exp(v_thresh=0.0))
    cells.record("v")
    sim.run(20.0)
    cells[0:1].set(i_offset=0.5)
    sim.run(20.0)
    cells.set(i_offset=0.0)
    sim.run(20.0)
    v = trace(cells)
    peak = 10.0 * (1 - np.exp(-1.0))
    assert np.all(v[:201, 0] == -65.0) and np.all(v[:, 1] == -65.0)
    assert v[400, 0] == pytest.approx(-65.0 + peak, abs=1e-3)
    assert v[600, 0] == pytest.approx(-65.0 + peak * np.exp(-1.0), abs=1e-3)


def test_initialize_between_runs_sets_the_state(backend: str) -> None:
    sim.setup(timestep=0.1, backend=backend)
    cells = sim.Population(1, sim.IF_curr_exp())
    cells.record("v")
    sim.run(5.0)
    cells.initialize(v=-55.0)
    sim.run(20.0)
    assert trace(cells)[-1, 0] == pytest.approx(-65.0 + 10.0 * np.exp(-1.0), abs=1e-3)


def test_new_spike_times_are_added_to_what_was_sent(backend: str) -> None:
    sim.setup(timestep=0.1, backend=backend)
    source = sim.Population(2, sim.SpikeSourceArray(spike_times=[2.0]))
    source.record("spikes")
    sim.run(10.0)
    source[0:1].set(spike_times=[1.0, 11.0, 13.0])
    sim.run(10.0)
    assert spikes(source) == [[2.0, 11.0, 13.0], [2.0]]


def test_changed_weights_hold_from_the_change_on(backend: str) -> None:
    sim.setup(timestep=0.1, backend=backend)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.0, 11.0]))
    cells = sim.Population(1, sim.IF_curr_exp())
    projection = sim.Projection(
        source, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1, delay=0.5)
    )
    cells.record("isyn_exc")
    sim.run(10.0)
    projection.set(weight=0.3)
    sim.run(10.0)
    current = trace(cells, "isyn_exc")[:, 0]
    assert current[16] == pytest.approx(0.1 * np.exp(-0.02))
    assert current[116] == pytest.approx(0.1 * np.exp(-10.1 / 5) + 0.3 * np.exp(-0.02), rel=1e-3)


def test_what_is_added_between_runs_acts_from_then_on(backend: str) -> None:
    sim.setup(timestep=0.1, backend=backend)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.0, 11.0]))
    cells = sim.Population(1, sim.IF_curr_exp())
    cells.record("isyn_exc")
    sim.run(10.0)
    sim.Projection(source, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1, delay=0.5))
    sim.run(10.0)
    current = trace(cells, "isyn_exc")[:, 0]
    assert np.all(current[:116] == 0.0)
    assert current[116] == pytest.approx(0.1 * np.exp(-0.02))


def test_views_and_assemblies_reach_the_right_cells(backend: str) -> None:
    sim.setup(timestep=0.1, backend=backend)
    source = sim.Population(3, sim.SpikeSourceArray(spike_times=[[1.0], [2.0], [3.0]]))
    first = sim.Population(3, sim.IF_curr_exp(tau_refrac=50.0))
    second = sim.Population(2, sim.IF_curr_exp(tau_refrac=50.0))
    both = first[1:] + second
    pairs = [(0, 0, 60.0, 1.0), (1, 1, 60.0, 2.0), (2, 3, 60.0, 3.0), (0, 2, 60.0, 0.1)]
    sim.Projection(source, both, sim.FromListConnector(pairs))
    (first + second).record("spikes")
    sim.run(20.0)
    found = [train[0] if train else None for train in spikes(first) + spikes(second)]
    # the threshold is reached within the first steps after arrival at 2, 4, 1.1 and 6 ms
    assert found[0] is None
    assert [round(t) for t in found[1:] if t is not None] == [2, 4, 1, 6]
    assert len(both.get_data().segments[0].spiketrains) == 4


def test_probabilities_and_distributions(backend: str) -> None:
    del backend
    sim.setup(timestep=0.1, min_delay=0.5, max_delay=4.0, backend="reference")
    rng = sim.NumpyRNG(seed=3)
    cells = sim.Population(80, sim.IF_curr_exp())
    weight = sim.RandomDistribution("normal_clipped", mu=0.2, sigma=0.05, low=0, high=9, rng=rng)
    delay = sim.RandomDistribution("uniform", low=0.5, high=4.0, rng=rng)
    connector = sim.FixedProbabilityConnector(0.2, allow_self_connections=False, rng=rng)
    projection = sim.Projection(
        cells, cells, connector, sim.StaticSynapse(weight=weight, delay=delay)
    )
    expected = 0.2 * 80 * 79
    assert abs(len(projection) - expected) < 5 * np.sqrt(expected)
    table = projection.get("weight", format="array")
    assert np.all(np.isnan(np.diag(table)))
    assert np.nanmean(table) == pytest.approx(0.2, abs=0.01)
    listed = np.array(projection.get(["weight", "delay"], format="list"))
    assert listed.shape == (len(projection), 4)
    assert listed[:, 3].min() >= 0.5
    projection.set(weight=0.7)
    assert projection[0].weight == 0.7
    assert sim.get_min_delay() == 0.5 and sim.get_max_delay() == 4.0


def test_delays_are_checked() -> None:
    from pyNN.errors import ConnectionError as PyNNConnectionError

    sim.setup(timestep=0.1, min_delay=1.0, max_delay=5.0, backend="reference")
    cells = sim.Population(2, sim.IF_curr_exp())
    for delay in (0.5, 5.1):
        with pytest.raises(PyNNConnectionError):
            sim.Projection(
                cells, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=1.0, delay=delay)
            )


def test_what_is_not_available_is_named() -> None:
    sim.setup(backend="reference")
    with pytest.raises(ModelError, match="ElectricalSynapse"):
        sim.ElectricalSynapse(weight=0.1)
    with pytest.raises(ModelError, match=r"Y101.*\n.*reference"):
        sim.setup(backend="referenz")


def test_sampling_interval(backend: str) -> None:
    sim.setup(timestep=0.1, backend=backend)
    cells = sim.Population(2, sim.IF_curr_exp(i_offset=0.2))
    cells.record("v", sampling_interval=0.5)
    sim.run(10.0)
    signal = cells.get_data().segments[0].analogsignals[0]
    assert signal.shape == (21, 2)
    expected = -65.0 + 4.0 * (1 - np.exp(-np.arange(0, 10.1, 0.5) / 20.0))
    np.testing.assert_allclose(signal.magnitude[:, 0], expected, atol=2e-4)


def test_ten_thousand_cells_are_built_quickly() -> None:
    import time

    from interspike.spinnaker2.pynn import simulator
    from interspike.spinnaker2.pynn.build import Builder

    sim.setup(timestep=1.0, backend="reference")
    began = time.process_time()
    cells = sim.Population(10_000, sim.IF_curr_exp())
    source = sim.Population(10_000, sim.SpikeSourceArray(spike_times=[1.0]))
    sim.Projection(source, cells, sim.OneToOneConnector(), sim.StaticSynapse(weight=1.0))
    connector = sim.FixedNumberPreConnector(10, rng=sim.NumpyRNG(seed=1))
    sim.Projection(cells, cells, connector, sim.StaticSynapse(weight=1.0))
    circuit = Builder(simulator.state).build(10)
    assert time.process_time() - began < 20.0
    assert sum(len(link.pre) for link in circuit.event_links) == 110_000
