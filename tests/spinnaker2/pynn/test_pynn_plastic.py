"""Synapses with states on many cores: NEST's own plastic synapses, the float64 reference, QEMU."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pyNN")

import interspike.spinnaker2.pynn as chip
from interspike.spinnaker2.emulator import missing_tools

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
needs_qemu = pytest.mark.skipif(bool(missing_tools("qemu")), reason="needs arm gcc and QEMU")

Rule = Callable[[Any], Any]


def stdp(dependence: str) -> Rule:
    """Pair rule with a weight dependence of w in [0, 0.6]."""

    def make(sim: Any) -> Any:
        timing = sim.SpikePairRule(tau_plus=18.0, tau_minus=25.0, A_plus=0.02, A_minus=0.015)
        return sim.STDPMechanism(
            timing, getattr(sim, dependence)(w_min=0.0, w_max=0.6), dendritic_delay_fraction=1.0
        )

    return make


def tsodyks(sim: Any) -> Any:
    """Depression and facilitation."""
    return sim.TsodyksMarkramSynapse(U=0.35, tau_rec=120.0, tau_facil=60.0)


RULES = {
    "additive": stdp("AdditiveWeightDependence"),
    "multiplicative": stdp("MultiplicativeWeightDependence"),
    "mixed": stdp("AdditivePotentiationMultiplicativeDepression"),
    "gutig": stdp("GutigWeightDependence"),
    "tsodyks": tsodyks,
}


def network(
    sim: Any, rule: Rule, *, cells: int = 5, length: float = 260.0, **options: Any
) -> tuple[list[Any], Any, Any]:
    """Spike times, voltages and weights: 20 senders, delays of 0.1 to 5 ms, many pairs in one step."""
    sim.setup(timestep=0.1, min_delay=0.1, max_delay=10.0, spike_precision="on_grid", **options)
    rng = np.random.default_rng(3)
    # the last spikes bring NEST's weights up to date
    times = [[*np.unique(rng.uniform(1, length - 80, 16).round(0)), length - 10] for _ in range(20)]
    drive = [np.unique(rng.uniform(1, length - 60, 25).round(0)).tolist() for _ in range(cells)]
    before = sim.Population(20, sim.SpikeSourceArray(spike_times=times))
    driver = sim.Population(cells, sim.SpikeSourceArray(spike_times=drive))
    after = sim.Population(cells, sim.IF_curr_exp(tau_syn_E=2.0, tau_refrac=1.0))
    strong = sim.StaticSynapse(weight=30.0, delay=1.0)
    one = sim.OneToOneConnector()
    sim.Projection(driver, after, one, strong, receptor_type="excitatory")
    pairs = [(i, j) for i in range(20) for j in range(cells) if rng.random() < 0.6]
    listed = [(i, j, rng.uniform(0.1, 0.4), rng.integers(1, 50) * 0.1) for i, j in pairs]
    connector = sim.FromListConnector(listed)
    learning = sim.Projection(before, after, connector, rule(sim), receptor_type="excitatory")
    after.record(["spikes", "v"])
    sim.run(length)
    segment = after.get_data().segments[0]
    spikes = [np.round(train.magnitude, 4) for train in segment.spiketrains]
    v = np.array(segment.filter(name="v")[0].magnitude)
    table = np.array(learning.get("weight", format="list"))
    weights = table[np.lexsort((table[:, 1], table[:, 0]))][:, 2]
    sim.end()
    return spikes, v, weights


def are_equal(first: list[Any], second: list[Any]) -> bool:
    """True if all cells have the same spike times."""
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("name", RULES)
def test_spikes_and_weights_are_those_of_nest(name: str) -> None:
    nest = pytest.importorskip("pyNN.nest", reason="needs NEST and PyNN's back end for it")
    spikes, v, weights = network(nest, RULES[name])
    assert sum(map(len, spikes)) > 100
    if name != "tsodyks":
        assert np.std(weights) > 0.02
    own, own_v, own_weights = network(chip, RULES[name], backend="reference")
    assert are_equal(own, spikes)
    np.testing.assert_allclose(own_v, v, atol=1e-9)
    np.testing.assert_allclose(own_weights, weights, atol=1e-12)
    found, found_v, found_weights = network(chip, RULES[name], backend="host")
    assert are_equal(found, spikes)
    # single precision: sums of some hundred additions, of weights that are 1e-7 exact
    np.testing.assert_allclose(found_v, v, atol=2e-3)
    np.testing.assert_allclose(found_weights, weights, atol=2e-5)


@needs_qemu
@pytest.mark.parametrize("name", ["additive", "tsodyks"])
def test_qemu_gives_the_bits_of_the_host(name: str) -> None:
    first, second = (
        network(chip, RULES[name], cells=3, length=150.0, backend=b) for b in ("host", "qemu")
    )
    assert are_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])
    np.testing.assert_array_equal(first[2], second[2])


def test_populations_with_states_in_synapses_are_spread(tmp_path: Path) -> None:
    found = []
    for backend in ("reference", "host"):
        folder = str(tmp_path) if backend == "host" else None
        chip.setup(timestep=0.1, backend=backend, folder=folder)
        times = [np.arange(1.0 + k, 60.0, 3.0 + k) for k in range(5)]
        before = chip.Population(5, chip.SpikeSourceArray(spike_times=times))
        cells = chip.Population(600, chip.IF_curr_exp(tau_syn_E=2.0))
        everyone = chip.AllToAllConnector()
        chip.Projection(before, cells, everyone, chip.StaticSynapse(weight=1.2, delay=1.0))
        learning = chip.Projection(before, cells, everyone, stdp("AdditiveWeightDependence")(chip))
        learning.set(weight=np.linspace(0.1, 0.5, 3000).reshape(5, 600), delay=2.0)
        cells.record("spikes")
        chip.run(60.0)
        trains = cells.get_data("spikes").segments[0].spiketrains
        found.append((
            [np.round(train.magnitude, 4) for train in trains],
            np.array(learning.get("weight", format="array")),
        ))  # fmt: skip
    assert not [issue for issue in chip.issues() if issue.code == "T310"]
    layout = json.loads((tmp_path / "layout.json").read_text())
    assert len(layout["pes"]) >= 3
    assert sum(len(own) for pe in layout["pes"] for own in pe["attached"]) == 3000
    (spikes, weights), (own, own_weights) = found
    assert sum(map(len, spikes)) > 600
    same = [np.array_equal(a, b) for a, b in zip(own, spikes, strict=True)]
    assert np.mean(same) > 0.95
    np.testing.assert_allclose(own_weights[:, same], weights[:, same], atol=1e-5)


def test_changed_connections_leave_events_under_way_as_they_are() -> None:
    found = []
    for backend in ("reference", "host"):
        chip.setup(timestep=0.1, backend=backend)
        before = chip.Population(3, chip.SpikeSourceArray(spike_times=[[5.0], [9.9, 10.0], [3.0]]))
        cells = chip.Population(3, chip.IF_curr_exp())
        chip.Projection(
            before, cells, chip.AllToAllConnector(),
            chip.TsodyksMarkramSynapse(weight=1.0, delay=7.0, U=0.4),
        )  # fmt: skip
        cells.record("v")
        chip.run(10.0)
        static = chip.StaticSynapse(weight=0.3, delay=0.5)
        chip.Projection(before, cells, chip.OneToOneConnector(), static)
        chip.run(15.0)
        found.append(cells.get_data("v").segments[0].analogsignals[0].magnitude)
    assert np.ptp(found[0]) > 1
    np.testing.assert_allclose(found[1], found[0], atol=2e-4)
