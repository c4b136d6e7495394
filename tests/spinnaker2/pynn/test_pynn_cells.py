"""Cell types, current sources, spike sources and synapses with states of the PyNN back end."""

from __future__ import annotations

import shutil
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pyNN")

import interspike.spinnaker2.pynn as sim
from interspike.canonical_model.verify import verify_component
from interspike.spinnaker2.pynn.dynamic import pair_stdp, stochastic, tsodyks_markram

needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
BACKENDS = ["reference", pytest.param("host", marks=needs_compiler)]
NEURONS = [
    "IF_curr_exp", "IF_curr_alpha", "IF_curr_delta", "IF_cond_exp", "IF_cond_alpha",
    "IF_cond_exp_gsfa_grr", "EIF_cond_exp_isfa_ista", "EIF_cond_alpha_isfa_ista", "HH_cond_exp",
    "Izhikevich",
]  # fmt: skip


@pytest.fixture(params=BACKENDS)
def backend(request: Any) -> str:
    """Both engines that every machine can have."""
    return str(request.param)


def spikes(population: Any) -> list[list[float]]:
    """Spike times in ms of all cells."""
    trains = population.get_data("spikes").segments[-1].spiketrains
    return [np.round(train.magnitude, 6).tolist() for train in trains]


def trace(population: Any, name: str = "v") -> Any:
    """A recorded variable as rows by cells."""
    return population.get_data(name).segments[-1].filter(name=name)[0].magnitude


@pytest.mark.parametrize("name", NEURONS)
@pytest.mark.parametrize("injected", [True, False])
def test_definitions_have_consistent_units(name: str, injected: bool) -> None:
    component = getattr(sim, name)().component(injected)
    assert [issue.render() for issue in verify_component(component)] == []


@pytest.mark.parametrize("component", [tsodyks_markram(), stochastic(), pair_stdp("gutig")])
def test_synapses_have_consistent_units(component: Any) -> None:
    assert [issue.render() for issue in verify_component(component)] == []


def test_every_neuron_runs_alike_on_both_engines() -> None:
    if shutil.which("cc") is None:
        pytest.skip("no C compiler")

    def run(backend: str) -> list[Any]:
        sim.setup(timestep=0.05, backend=backend)
        source = sim.Population(1, sim.SpikeSourceArray(spike_times=[5.0, 7.0, 20.0]))
        found = []
        for name in NEURONS:
            own = {"i_offset": 0.01} if name == "Izhikevich" else {"i_offset": 0.3}
            cells = sim.Population(2, getattr(sim, name)(**own))
            is_conductance = "cond" in name
            weight = 0.01 if is_conductance else 0.5
            for receptor, sign in (("excitatory", 1), ("inhibitory", 1 if is_conductance else -1)):
                synapse = sim.StaticSynapse(weight=sign * weight, delay=1.0)
                connector = sim.AllToAllConnector()
                sim.Projection(source, cells[:1], connector, synapse, receptor_type=receptor)
            cells.record(["v", "spikes"])
            found.append(cells)
        sim.run(40.0)
        return [(trace(cells), spikes(cells)) for cells in found]

    for name, (v, s), (w, r) in zip(NEURONS, run("reference"), run("host"), strict=True):
        assert s == r, name
        np.testing.assert_allclose(w, v, atol=0.05, err_msg=name)


def test_hodgkin_huxley_gives_nest_s_spikes(backend: str) -> None:
    # hh_cond_exp_traub through pyNN.nest at 0.01 ms
    sim.setup(timestep=0.01, backend=backend)
    cell = sim.Population(1, sim.HH_cond_exp(i_offset=1.0))
    cell.initialize(v=-64.0)
    cell.record(["v", "spikes", "h"])
    sim.run(20.0)
    assert spikes(cell) == [[2.64, 10.44, 18.23]]
    expected = [-62.9581, -58.0239, -50.1757, -33.0362]
    np.testing.assert_allclose(trace(cell)[800:1200:100, 0], expected, atol=5e-3)
    assert trace(cell, "h")[0, 0] == 1.0


def test_adex_gives_the_published_spikes(backend: str) -> None:
    # times of PyNN's own scenario for this cell, met there within 1 %
    sim.setup(timestep=0.01, backend=backend)
    cell = sim.Population(
        1, sim.EIF_cond_alpha_isfa_ista(i_offset=1.0, tau_refrac=2.0, v_spike=-40.0)
    )
    cell.initialize(v=-65.0, w=0.0)
    cell.record("spikes")
    sim.run(50.0)
    np.testing.assert_allclose(spikes(cell)[0], [10.015, 25.515, 43.168], rtol=2e-3)


def test_alpha_conductance_peaks_at_the_weight_after_tau(backend: str) -> None:
    sim.setup(timestep=0.1, backend=backend)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.0]))
    cell = sim.Population(1, sim.IF_cond_alpha(tau_syn_E=2.0))
    synapse = sim.StaticSynapse(weight=0.004, delay=1.0)
    sim.Projection(source, cell, sim.AllToAllConnector(), synapse)
    cell.record("gsyn_exc")
    sim.run(10.0)
    g = trace(cell, "gsyn_exc")[:, 0]
    t = np.maximum(np.arange(101) * 0.1 - 2.0, 0.0)
    np.testing.assert_allclose(g, 0.004 * t / 2 * np.exp(1 - t / 2), rtol=1e-5, atol=1e-9)


def test_voltage_steps(backend: str) -> None:
    sim.setup(timestep=0.1, backend=backend)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.0]))
    cell = sim.Population(1, sim.IF_curr_delta())
    up = sim.StaticSynapse(weight=4.0, delay=1.0)
    sim.Projection(source, cell, sim.AllToAllConnector(), up, receptor_type="excitatory")
    cell.record("v")
    sim.run(22.0)
    assert trace(cell)[-1, 0] == pytest.approx(-65.0 + 4.0 * np.exp(-1.0), abs=1e-3)


def test_point_neuron_with_three_receptors(backend: str) -> None:
    sim.setup(timestep=0.1, backend=backend)
    kind = sim.PointNeuron(
        sim.LIF(v_rest=-60.0, v_reset=-60.0, tau_m=10.0),
        fast=sim.CurrExpPostSynapticResponse(tau_syn=1.0),
        slow=sim.CurrExpPostSynapticResponse(tau_syn=20.0),
    )
    cells = sim.Population(2, kind, initial_values={"v": -60.0})
    assert cells.get("slow.tau_syn") == 20.0
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.0]))
    synapse = sim.StaticSynapse(weight=0.2, delay=1.0)
    for receptor in ("fast", "slow"):
        connector = sim.AllToAllConnector()
        sim.Projection(source, cells, connector, synapse, receptor_type=receptor)
    cells.record(["fast.isyn", "slow.isyn"])
    sim.run(12.0)
    assert trace(cells, "fast.isyn")[-1, 1] == pytest.approx(0.2 * np.exp(-10.0), rel=1e-4)
    assert trace(cells, "slow.isyn")[-1, 1] == pytest.approx(0.2 * np.exp(-0.5), rel=1e-4)


def test_currents_are_what_they_say(backend: str) -> None:
    # a pure capacitor: v is the integral of the current
    sim.setup(timestep=0.1, backend=backend)
    cells = sim.Population(4, sim.IF_curr_exp(tau_m=1e6, v_thresh=1e3, cm=1.0))
    sim.DCSource(amplitude=0.5, start=2.0, stop=6.0).inject_into(cells[0:1])
    steps = sim.StepCurrentSource(times=[1.0, 3.0, 5.0], amplitudes=[1.0, -1.0, 0.0])
    cells[1].inject(steps)
    wave = sim.ACSource(start=1.0, stop=9.0, amplitude=0.5, offset=0.2, frequency=125.0)
    wave.inject_into([cells[2]])
    cells[3:4].inject(steps)
    steps.record()
    wave.record()
    cells.record("v")
    sim.run(10.0)
    v = trace(cells) + 65.0
    assert v[-1, 0] == pytest.approx(2.0, abs=1e-3)
    assert v[30, 1] == pytest.approx(2.0, abs=1e-3)
    assert v[-1, 1] == pytest.approx(0.0, abs=1e-3)
    assert v[-1, 2] == pytest.approx(0.2 * 8.0, abs=2e-3)
    np.testing.assert_array_equal(v[:, 3], v[:, 1])
    assert steps.get_data().magnitude[[9, 10, 29, 30, 50], 0].tolist() == [0, 1, 1, -1, 0]
    assert wave.get_data().magnitude[20, 0] == pytest.approx(
        0.2 + 0.5 * np.sin(2 * np.pi * 0.125), abs=1e-9
    )


def test_noise_has_mean_and_deviation(backend: str) -> None:
    sim.setup(timestep=0.1, backend=backend)
    cell = sim.Population(1, sim.IF_curr_exp(v_thresh=1e3))
    noise = sim.NoisyCurrentSource(mean=0.3, stdev=0.1, start=10.0, stop=210.0, dt=0.5)
    noise.inject_into(cell)
    noise.record()
    sim.run(250.0)
    current = noise.get_data().magnitude[:, 0]
    assert np.all(current[:100] == 0) and np.all(current[2100:] == 0)
    drawn = current[100:2100:5]
    np.testing.assert_array_equal(current[100:2100].reshape(-1, 5), np.repeat(drawn[:, None], 5, 1))
    assert abs(drawn.mean() - 0.3) < 5 * 0.1 / np.sqrt(400)
    assert abs(drawn.std() - 0.1) < 5 * 0.1 / np.sqrt(800)


@pytest.mark.parametrize("where", ["host", "chip"])
def test_poisson_trains(where: str, backend: str) -> None:
    from scipy.stats import kstest

    sim.setup(timestep=0.1, backend=backend, poisson=where, seed=7)
    rates = np.array([50.0, 100.0, 500.0])
    source = sim.Population(3, sim.SpikeSourcePoisson(rate=rates, start=100.0, duration=2000.0))
    source.record("spikes")
    sim.run(2200.0)
    for rate, train in zip(rates, spikes(source), strict=True):
        assert train[0] >= 100.0 and train[-1] <= 2100.0 + 0.1
        assert abs(len(train) - 2 * rate) < 5 * np.sqrt(2 * rate)
        # intervals are whole steps: a step of the distribution more than Kolmogorov's bound
        bound = 1.95 / np.sqrt(len(train)) + 0.1e-3 * rate
        assert kstest(np.diff(train), "expon", args=(0, 1e3 / rate)).statistic < bound


def test_gamma_sources() -> None:
    sim.setup(timestep=0.1, backend="reference")
    regular = sim.Population(1, sim.SpikeSourceGamma(alpha=8, beta=800.0))
    varying = sim.Population(
        1, sim.SpikeSourceInhGamma(a=[4.0, 4.0], b=[0.0025, 0.00125], tbins=[0.0, 2000.0])
    )
    dead = sim.Population(1, sim.SpikeSourcePoissonRefractory(rate=50.0, tau_refrac=10.0))
    for source in (regular, varying, dead):
        source.record("spikes")
    sim.run(4000.0)
    times = np.array(spikes(regular)[0])
    assert len(times) == pytest.approx(400, abs=5 * 20 / np.sqrt(8))
    assert np.std(np.diff(times)) / np.mean(np.diff(times)) == pytest.approx(8**-0.5, abs=0.06)
    times = np.array(spikes(varying)[0])
    assert np.sum(times < 2000) == pytest.approx(200, abs=40)
    assert np.sum(times >= 2000) == pytest.approx(400, abs=60)
    assert np.diff(spikes(dead)[0]).min() >= 9.9


def test_short_term_plasticity_follows_the_equations(backend: str) -> None:
    # u and x from spike to spike by hand, with resources back instantly after release (tau_psc short)
    sim.setup(timestep=0.1, backend=backend)
    times = [10.0, 20.0, 30.0, 130.0]
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=times))
    cell = sim.Population(1, sim.IF_cond_exp(tau_syn_E=0.5))
    synapse = sim.TsodyksMarkramSynapse(
        weight=0.01, delay=1.0, U=0.4, tau_rec=100.0, tau_facil=50.0
    )
    sim.Projection(source, cell, sim.AllToAllConnector(), synapse)
    cell.record("gsyn_exc")
    sim.run(140.0)
    g = trace(cell, "gsyn_exc")[:, 0]
    u, x, y, last, expected = 0.0, 1.0, 0.0, 0.0, []
    for t in times:
        age, psc = t - last, 0.5
        back, decay = np.exp(-age / 100.0), np.exp(-age / psc)
        z = 1 - x - y
        u *= np.exp(-age / 50.0)
        x += ((back - 1) * 100.0 - (decay - 1) * psc) / (psc - 100.0) * y + (1 - back) * z
        y *= decay
        u += 0.4 * (1 - u)
        expected.append(u * x)
        y, x, last = y + u * x, x - u * x, t
    # one step after arrival the conductance has decayed by one step
    found = [g[round((t + 1.0) * 10) + 1] / (0.01 * np.exp(-0.2)) for t in times]
    np.testing.assert_allclose(found, expected, rtol=2e-4)


def test_stochastic_synapses_transmit_with_their_probability(backend: str) -> None:
    sim.setup(timestep=0.1, backend=backend)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=np.arange(1.0, 1000.0, 5.0)))
    cells = sim.Population(3, sim.IF_curr_exp(tau_syn_E=0.5, v_thresh=1e3))
    synapse = sim.SimpleStochasticSynapse(weight=1.0, delay=1.0, p=np.array([[0.0, 0.4, 1.0]]))
    sim.Projection(source, cells, sim.AllToAllConnector(), synapse)
    cells.record("isyn_exc")
    sim.run(1000.0)
    hits = np.sum(np.diff(trace(cells, "isyn_exc"), axis=0) > 0.5, axis=0)
    assert hits[0] == 0 and hits[2] >= 199
    assert abs(hits[1] - 80) < 5 * np.sqrt(200 * 0.24)


def test_pair_stdp_gives_nest_s_weights(backend: str) -> None:
    # stdp_synapse through pyNN.nest, additive, after the presynaptic spike at 200 ms
    expected = {
        ((20.0,), (5.0,)): 0.009492030835395376,
        ((20.0, 40.0, 60.0), (5.0,)): 0.009098307494893135,
        ((20.0,), (5.0, 10.0)): 0.00889193617337504,
        ((5.0,), (20.0, 30.0)): 0.010706152766509502,
        ((5.0, 6.0, 8.0, 60.0), (20.0, 30.0)): 0.011752368496777226,
    }
    sim.setup(timestep=0.1, backend=backend)
    count = len(expected)
    before = [[*pre, 200.0] for pre, _ in expected]
    source = sim.Population(count, sim.SpikeSourceArray(spike_times=before))
    drive = [list(post) for _, post in expected]
    driver = sim.Population(count, sim.SpikeSourceArray(spike_times=drive))
    cells = sim.Population(count, sim.IF_curr_exp(tau_refrac=2.0, tau_syn_E=0.5))
    strong = sim.StaticSynapse(weight=100.0, delay=0.1)
    sim.Projection(driver, cells, sim.OneToOneConnector(), strong)
    rule = sim.STDPMechanism(
        sim.SpikePairRule(tau_plus=20.0, tau_minus=30.0, A_plus=0.05, A_minus=0.04),
        sim.AdditiveWeightDependence(w_min=0.0, w_max=0.02),
        weight=0.01,
        delay=1.0,
    )
    projection = sim.Projection(source, cells, sim.OneToOneConnector(), rule)
    sim.run(210.0)
    found = projection.get("weight", format="list", with_address=False)
    # the chip's weights are single-precision numbers
    np.testing.assert_allclose(
        found, list(expected.values()), rtol=1e-9 if backend == "reference" else 2e-6
    )


MODEL = """<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="m">
<iafCell id="iaf" leakReversal="-60mV" thresh="-40mV" reset="-70mV" C="0.2nF"
  leakConductance="0.01uS"/>
<expOneSynapse id="syn" gbase="1nS" erev="0mV" tauDecay="3ms"/>
<izhikevich2007Cell id="izh" v0="-60mV" C="100pF" k="0.7nS_per_mV" vr="-60mV" vt="-40mV"
  vpeak="35mV" a="0.03per_ms" b="-2nS" c="-50.0mV" d="100pA"/>
</neuroml>"""


def test_native_cell_types(tmp_path: Any, backend: str) -> None:
    path = tmp_path / "model.nml"
    path.write_text(MODEL)
    kind = sim.native_cell_type(path, "iaf", receptors={"excitatory": "syn"})
    assert kind.default_parameters["C"] == pytest.approx(0.2) and kind.units["C"] == "nF"
    sim.setup(timestep=0.1, backend=backend)
    cells = sim.Population(2, kind(leakReversal=[-60.0, -65.0]))
    cells[1:2].initialize(v=-65.0)
    cells[0].inject(sim.DCSource(amplitude=0.05, start=0.0))
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[10.0]))
    synapse = sim.StaticSynapse(weight=2.0, delay=1.0)
    sim.Projection(source, cells[1:2], sim.AllToAllConnector(), synapse)
    cells.record(["v", "syn_g"])
    sim.run(20.0)
    v, g = trace(cells), trace(cells, "syn_g")
    assert v[200, 0] == pytest.approx(-60.0 + 5.0 * (1 - np.exp(-1.0)), abs=1e-3)
    assert g[-1, 1] == pytest.approx(0.002 * np.exp(-3.0), rel=1e-4)
    assert v[100, 1] == pytest.approx(-65.0) and v[150, 1] > -64.0


def test_a_native_type_must_be_chosen(tmp_path: Any) -> None:
    from interspike.canonical_model.diagnostics import ModelError

    path = tmp_path / "model.nml"
    path.write_text(MODEL)
    with pytest.raises(ModelError, match="Y204"):
        sim.native_cell_type(path)
    with pytest.raises(ModelError, match="did you mean 'iaf'"):
        sim.native_cell_type(path, "iaff")


PROGRAM = """model leaky_neuron:
    state:
        V_m mV = E_L
        I_syn pA = 0 pA

    equations:
        I_syn' = -I_syn / tau_syn
        V_m' = -(V_m - E_L) / tau_m + I_syn / C_m

    parameters:
        C_m pF = 250 pF
        tau_m ms = 10 ms
        tau_syn ms = 2 ms
        E_L mV = -70 mV
        V_th mV = -55 mV

    input:
        spikes <- spike

    output:
        spike

    update:
        integrate_odes()

    onReceive(spikes):
        I_syn += spikes * pA * s

    onCondition(V_m >= V_th):
        V_m = E_L
        emit_spike()
"""


def test_a_time_step_program_is_a_cell_type(tmp_path: Any, backend: str) -> None:
    path = tmp_path / "leaky_neuron.nestml"
    path.write_text(PROGRAM)
    kind = sim.native_cell_type(path)
    assert kind.units["C_m"] == "nF" and kind.default_parameters["C_m"] == pytest.approx(0.25)
    sim.setup(timestep=0.1, backend=backend)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.0]))
    cells = sim.Population(1, kind())
    synapse = sim.StaticSynapse(weight=500.0, delay=1.0)
    sim.Projection(source, cells, sim.AllToAllConnector(), synapse)
    cells.record(["V_m", "I_syn"])
    sim.run(12.0)
    age = 10.0
    assert trace(cells, "I_syn")[-1, 0] == pytest.approx(0.5 * np.exp(-age / 2), rel=1e-4)
    peak = 500.0 / 250.0 / (1 / 2 - 1 / 10)
    v = -70.0 + peak * (np.exp(-age / 10) - np.exp(-age / 2))
    assert trace(cells, "V_m")[-1, 0] == pytest.approx(v, abs=1e-3)


def test_poisson_sources_may_send_several_spikes_in_a_step(backend: str) -> None:
    sim.setup(timestep=1.0, backend=backend, poisson="chip", seed=3)
    rates = np.array([500.0, 3000.0, 12000.0])
    source = sim.Population(3, sim.SpikeSourcePoisson(rate=rates))
    cells = sim.Population(3, sim.IF_curr_exp(tau_syn_E=5.0, v_thresh=1e3))
    synapse = sim.StaticSynapse(weight=0.01, delay=1.0)
    sim.Projection(source, cells, sim.OneToOneConnector(), synapse)
    source.record("spikes")
    cells.record("isyn_exc")
    sim.run(1000.0)
    counts = np.array([len(train) for train in spikes(source)])
    assert np.all(np.abs(counts - rates) < 5 * np.sqrt(rates))
    per_step = np.bincount(np.round(spikes(source)[2]).astype(int), minlength=1001)[1:]
    # a Poisson number has its mean as variance
    assert 0.7 < per_step.var() / per_step.mean() < 1.4
    # what arrives is what was sent: the current is a sum of exponentials
    mean = trace(cells, "isyn_exc")[200:].mean(axis=0)
    np.testing.assert_allclose(mean, 0.01 * rates * 1e-3 / (np.exp(0.2) - 1), rtol=0.15)
