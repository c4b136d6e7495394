"""Ordinary PyNN scripts under `pyNN.nest` and on the chip's program: only the import differs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pyNN")

import interspike.spinnaker2.pynn as chip
from pyNN.random import NumpyRNG, RandomDistribution
from pyNN.space import Grid2D, Space

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")

Script = Callable[[Any], dict[str, Any]]


def trains(count: int, seed: int) -> list[list[float]]:
    """Spike times in whole ms: `pyNN.nest` shifts times in floating point, which moves some others."""
    rng = np.random.default_rng(seed)
    return [np.unique(rng.integers(1, 100, 12)).astype(float).tolist() for _ in range(count)]


def data(population: Any) -> tuple[list[Any], Any]:
    """Spike times and voltages of the present segment."""
    segment = population.get_data().segments[-1]
    spikes = [np.round(train.magnitude, 4) for train in segment.spiketrains]
    return spikes, np.array(segment.filter(name="v")[0].magnitude)


def connectors(sim: Any) -> dict[str, Any]:
    """Connectors that draw, that list, and that look at distances; views, assemblies, changed weights."""
    rng = NumpyRNG(7)
    times = trains(16, 1)
    source = sim.Population(
        16, sim.SpikeSourceArray(spike_times=times), structure=Grid2D(dx=10.0, dy=10.0)
    )
    cells = sim.Population(16, sim.IF_curr_exp(tau_m=15.0), structure=Grid2D(dx=12.0, dy=12.0))
    others = sim.Population(5, sim.IF_curr_alpha())
    cells[2:6].set(tau_refrac=3.0)
    others.set(v_thresh=RandomDistribution("uniform", low=-55, high=-52, rng=NumpyRNG(4)))
    cells.initialize(v=RandomDistribution("uniform", low=-65, high=-55, rng=NumpyRNG(9)))
    synapse = sim.StaticSynapse(weight="0.4+d/200.0", delay=0.7)
    found = []
    for connector in (
        sim.FixedNumberPreConnector(4, rng=rng),
        sim.FixedNumberPostConnector(3, rng=rng),
        sim.DistanceDependentProbabilityConnector("exp(-d/40.0)", rng=rng),
        sim.ArrayConnector(np.random.default_rng(3).random((16, 16)) < 0.2),
        sim.FixedTotalNumberConnector(n=30, rng=rng),
    ):
        projection = sim.Projection(source, cells, connector, synapse, space=Space())
        found.append(sorted(projection.get("weight", format="list")))
    listed = sim.FromListConnector([(0, 1, -0.5, 1.0), (2, 3, -0.2, 2.0), (3, 2, -0.9, 0.3)])
    sim.Projection(cells, cells, listed, sim.StaticSynapse(), receptor_type="inhibitory")
    both = cells[0:6] + others
    drawn = RandomDistribution("normal", mu=0.8, sigma=0.1, rng=NumpyRNG(6))
    sim.Projection(
        source, both, sim.FixedProbabilityConnector(0.5, rng=NumpyRNG(5)),
        sim.StaticSynapse(weight=drawn, delay=1.0), receptor_type="excitatory",
    )  # fmt: skip
    changed = sim.Projection(source[0:5], cells[3:9], sim.AllToAllConnector(), synapse)
    changed.set(weight=np.arange(30).reshape(5, 6) * 0.05)
    both.record(["spikes", "v"])
    sim.run(100.0)
    return {"cells": data(cells), "others": data(others), "connections": found}


def currents(sim: Any) -> dict[str, Any]:
    """Every kind of current source, into cells, lists of cells and views; values that follow a function."""
    cells = sim.Population(7, sim.IF_curr_exp(v_thresh=-48.0))
    cells.set(tau_m=lambda i: 12.0 + i)
    sim.DCSource(amplitude=0.8, start=20.0, stop=80.0).inject_into(cells[0:1])
    steps = sim.StepCurrentSource(times=[10.0, 40.0, 70.0], amplitudes=[0.5, -0.3, 1.2])
    steps.inject_into(cells[1:3])
    wave = sim.ACSource(
        amplitude=0.9, offset=0.5, frequency=25.0, phase=30.0, start=15.0, stop=90.0
    )
    wave.inject_into([cells[3], cells[4]])
    cells[5].inject(sim.DCSource(amplitude=1.5, start=5.0, stop=95.0))
    steady = sim.NoisyCurrentSource(mean=0.6, stdev=0.0, start=10.0, stop=90.0, dt=1.0)
    cells[6:7].inject(steady)
    cells.record(["spikes", "v"])
    sim.run(100.0)
    return {"cells": data(cells)}


@pytest.mark.parametrize("script", [connectors, currents])
def test_scripts_do_what_they_do_under_nest(script: Script) -> None:
    nest = pytest.importorskip("pyNN.nest", reason="needs NEST and PyNN's back end for it")
    results = []
    for sim in (nest, chip):
        sim.setup(timestep=0.1, min_delay=0.1, max_delay=5.0, spike_precision="on_grid")
        results.append(script(sim))
        sim.end()
    expected, found = results
    count = 0
    for name in expected.keys() - {"connections"}:
        (spikes, v), (own, own_v) = expected[name], found[name]
        assert all(np.array_equal(a, b) for a, b in zip(spikes, own, strict=True)), name
        # the first row is PyNN's, which under NEST draws initial values anew for it
        np.testing.assert_allclose(own_v[1:], v[1:], atol=2e-3, err_msg=name)
        count += sum(map(len, spikes))
    assert count > 3
    for first, second in zip(
        expected.get("connections", ()), found.get("connections", ()), strict=True
    ):
        np.testing.assert_allclose(second, first, rtol=1e-9)
