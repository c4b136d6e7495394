"""Cells whose recorded reference carries lags, against scipy on the published equations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from interspike.canonical_model.diagnostics import Log
from interspike.canonical_model.passes.wire import wire
from interspike.importers.lems.reader import read
from interspike.solvers.simulate import simulate
from scipy.integrate import solve_ivp

FILES = ("Cells.xml", "PyNN.xml", "Networks.xml", "Simulation.xml")
HEAD = "".join(['<Lems><Target component="s"/>', *(f'<Include file="{name}"/>' for name in FILES)])


@pytest.fixture
def published_models() -> Path:
    folder = Path(__file__).resolve().parents[2].parent / "shared" / "models" / "neuroml"
    if not folder.is_dir():
        pytest.skip("the published models are not beside the checkout")
    return folder


def run(body: str, length: str, step: str, quantity: str):
    simulation = (
        f'<Simulation id="s" length="{length}" step="{step}" target="net">'
        f'<OutputFile id="o" fileName="o.dat"><OutputColumn id="v" quantity="{quantity}"/></OutputFile>'
        "</Simulation></Lems>"
    )
    log = Log()
    model = read(None, (HEAD + body + simulation).encode(), file="test.xml", log=log)
    return simulate(wire(model, log))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_adex_spikes_as_in_scipy_to_a_nanosecond() -> None:
    result = run(
        """<adExIaFCell id="c" C="281pF" gL="30nS" EL="-60mV" reset="-51mV" VT="-54mV" thresh="-30mV"
        delT="2mV" tauw="150ms" refract="0ms" a="200nS" b="0.1nA"/>
        <pulseGenerator id="p" delay="20ms" duration="50ms" amplitude="-0.5nA"/>
        <network id="net"><population id="pop" component="c" size="1"/>
        <explicitInput target="pop[0]" input="p"/></network>""",
        "100ms", "0.1ms", "pop[0]/v",
    )  # fmt: skip
    capacity, leak, a, rest, soft, limit, reset, slope, tau, jump = (
        2.81e-10, 3e-8, 2e-7, -0.06, -0.054, -0.03, -0.051, 0.002, 0.15, 1e-10,
    )  # fmt: skip

    def rates(_: float, y: np.ndarray, current: float) -> list[float]:
        v, w = y
        spike = leak * slope * np.exp((v - soft) / slope)
        return [(-leak * (v - rest) + spike - w + current) / capacity, (a * (v - rest) - w) / tau]

    def threshold(_: float, y: np.ndarray, current: float) -> float:
        return float(y[0] - limit)

    threshold.terminal, threshold.direction = True, 1  # type: ignore[attr-defined]
    y, expected = [rest, 0.0], []
    for start, stop, current in ((0.0, 0.02, 0.0), (0.02, 0.07, -5e-10), (0.07, 0.1, 0.0)):
        t = start
        while t < stop:
            found = solve_ivp(
                rates, (t, stop), y, args=(current,), events=threshold,
                method="DOP853", rtol=1e-12, atol=[1e-14, 1e-22],
            )  # fmt: skip
            t, y = found.t[-1], list(found.y[:, -1])
            if found.status == 1:
                expected.append(t)
                y = [reset, y[1] + jump]
    assert len(expected) >= 3
    assert np.allclose(result.events["pop[0]"], expected, rtol=0, atol=1e-9)


def test_pynn_hodgkin_huxley_crosses_as_in_scipy() -> None:
    result = run(
        """<HH_cond_exp id="c" cm="0.2" i_offset="0.2" tau_syn_E="0.2" tau_syn_I="2" v_init="-65"
        v_offset="-63" e_rev_E="0" e_rev_I="-80" e_rev_K="-90" e_rev_Na="50" e_rev_leak="-65"
        g_leak="0.01" gbar_K="6" gbar_Na="20"/>
        <network id="net"><population id="pop" component="c" size="1"/></network>""",
        "150ms", "0.01ms", "pop[0]/v",
    )  # fmt: skip

    def rates(_: float, y: np.ndarray) -> list[float]:
        """Traub and Miles 1991, as PyNN writes them: mV, ms, nA, uS, nF."""
        v, m, h, n = y
        x = v + 63.0
        am, bm = 0.32 * (13 - x) / np.expm1((13 - x) / 4), 0.28 * (x - 40) / np.expm1((x - 40) / 5)
        ah, bh = 0.128 * np.exp((17 - x) / 18), 4 / (1 + np.exp((40 - x) / 5))
        an, bn = 0.032 * (15 - x) / np.expm1((15 - x) / 5), 0.5 * np.exp((10 - x) / 40)
        i = 20 * m**3 * h * (50 - v) + 6 * n**4 * (-90 - v) + 0.01 * (-65 - v) + 0.2
        return [i / 0.2, am * (1 - m) - bm * m, ah * (1 - h) - bh * h, an * (1 - n) - bn * n]

    def crossing(_: float, y: np.ndarray) -> float:
        return float(y[0] + 18.4)

    crossing.direction = 1  # type: ignore[attr-defined]
    truth = solve_ivp(
        rates, (0, 150), [-65.0, 0, 0, 0], events=crossing, method="DOP853", rtol=1e-10, atol=1e-12
    )
    v = result.traces["pop[0]/v"] * 1e3
    k = np.flatnonzero((v[:-1] <= -18.4) & (v[1:] > -18.4))
    ours = 1e3 * (result.times[k] + (-18.4 - v[k]) / (v[k + 1] - v[k]) * 1e-5)
    assert len(ours) == len(truth.t_events[0])
    # linear interpolation between rows of 0.01 ms during the upstroke
    assert np.allclose(ours, truth.t_events[0], rtol=0, atol=5e-4)


def test_kinetic_scheme_of_lems_as_in_scipy(published_models: Path) -> None:
    log = Log()
    path = published_models / "19_lems_kinetic_scheme" / "model" / "example4_ref.xml"
    result = simulate(wire(read(path, None, log=log), log), step=1e-5)

    def pair(v: float, half: float, z: float, gamma: float, tau: float, least: float):
        x = z * (v - half) / 25.3e-3
        return 1 / (tau * np.exp(-gamma * x) + least), 1 / (tau * np.exp((1 - gamma) * x) + least)

    def rates(_: float, y: np.ndarray) -> list[float]:
        v, kc, ko, c1, c2, o1, c3 = y
        up, down = pair(v, 0.0, 1.5, 0.75, 3.2e-3, 3e-4)
        open_, close = pair(v, -35e-3, 2.5, 0.8, 1.5e-4, 1e-6)
        stop, go = pair(v, -70e-3, 1.1, 0.9, 8e-3, 1e-5)
        k, first = up * kc - down * ko, open_ * c1 - close * c2
        second, third = open_ * c2 - close * o1, stop * o1 - go * c3
        current = 400 * 20e-12 * o1 * (50e-3 - v) + 180 * 30e-12 * ko * (-77e-3 - v) + 1e-13
        return [current / 5e-13, -k, k, -first, first - second, second - third, third]

    truth = solve_ivp(
        rates, (0, 0.08), [-0.06, 1, 0, 1, 0, 0, 0], method="LSODA", rtol=1e-10, atol=1e-13,
        t_eval=result.times,
    )  # fmt: skip
    # 1e-4 of the spike's height: the rates are stiff (1e6/s), LSODA is good to 1e-5 here
    assert np.abs(result.traces["v"] - truth.y[0]).max() < 1e-5
