"""Every way in which a NESTML neuron may say that it is refractory travels to LEMS, NineML and back.

The source on a fine grid is compared with what the other language says in continuous time.
"""

from __future__ import annotations

from pathlib import Path

import interspike
import numpy as np
import pytest

STEP = 0.02  # ms
NEURON = """model cell_neuron:
    state:
        V_m mV = -70 mV
        w pA = 0 pA
        {state}
    equations:
        V_m' = -(V_m - E_L) / tau_m + (I_e - w) / C_m
        w' = -w / tau_w
        {equations}
    parameters:
        E_L mV = -70 mV
        tau_m ms = 10 ms
        tau_w ms = 40 ms
        C_m pF = 250 pF
        I_e pA = 520 pA
        V_th mV = -55 mV
        V_reset mV = -66 mV
        t_ref ms = 3 ms
    internals:
        n_ref integer = steps(t_ref)
    output:
        spike
    update:
        {update}
{blocks}
"""
SPIKE = "V_m = V_reset\n            w += 20 pA\n            emit_spike()"
IDIOMS: dict[str, dict[str, str]] = {
    "integer counter": dict(
        state="r integer = 0",
        update=f"""if r == 0:
            integrate_odes()
        else:
            r -= 1
            integrate_odes(w)
        if V_m >= V_th:
            r = n_ref
            {SPIKE}""",
    ),
    "counter and clamp in one chain": dict(
        state="r integer = 0",
        update=f"""integrate_odes()
        if r > 0:
            r -= 1
            V_m = V_reset
        elif V_m >= V_th:
            r = n_ref
            {SPIKE}""",
    ),
    "clamp, then a test of its own": dict(
        state="r integer = 0",
        update=f"""integrate_odes()
        if r != 0:
            r = r - 1
            V_m = V_reset
        if r == 0 and V_m >= V_th:
            r = n_ref
            {SPIKE}""",
    ),
    "test within a test": dict(
        state="r integer = 0",
        update=f"""if r > 0:
            r -= 1
            integrate_odes(w)
        else:
            integrate_odes()
        if r == 0:
            if V_m >= V_th:
                r = n_ref
                {SPIKE.replace(" " * 12, " " * 16)}""",
    ),
    "timer by hand with a flag": dict(
        state="left ms = 0 ms\n        resting boolean = false",
        update="""if resting:
            left -= resolution()
            integrate_odes(w)
        else:
            integrate_odes()""",
        blocks=f"""    onCondition(V_m >= V_th):
            left = t_ref
            resting = true
            {SPIKE}
    onCondition(resting and left <= resolution() / 2):
            resting = false
            left = 0 ms""",
    ),
    "timer with an equation": dict(
        state="left ms = 0 ms",
        equations="left' = -1",
        update="""if left > 0 ms:
            integrate_odes(left, w)
        else:
            integrate_odes(V_m, w)""",
        blocks=f"""    onCondition(left <= 0 ms and V_m >= V_th):
            left = t_ref
            {SPIKE}""",
    ),
    "time of the last spike": dict(
        state="last ms = -100 ms",
        update=f"""if t > last + t_ref:
            integrate_odes(V_m, w)
        else:
            integrate_odes(w)
        if V_m >= V_th:
            last = t
            {SPIKE}""",
    ),
    "lower bound beside": dict(
        state="r integer = 0",
        update=f"""if r == 0:
            integrate_odes()
        else:
            r -= 1
            integrate_odes(w)
        V_m = V_m < -72 mV ? -72 mV : V_m
        if V_m >= V_th:
            r = n_ref
            {SPIKE.replace("V_reset", "V_reset - 10 mV")}""",
    ),
}


def text(idiom: dict[str, str]) -> str:
    parts = {name: idiom.get(name, "") for name in ("state", "equations", "update", "blocks")}
    lines = NEURON.format(**parts).split("\n")
    return "\n".join(line for line in lines if line.strip()) + "\n"


def spikes(path: Path, mode: str) -> np.ndarray:
    result = interspike.simulate(path, mode=mode, length="120ms", dt=f"{STEP} ms")
    (times,) = result.events.values()
    return np.asarray(times) * 1e3


@pytest.mark.parametrize("name", IDIOMS)
def test_every_idiom_travels(name: str, tmp_path: Path) -> None:
    source = tmp_path / "cell.nestml"
    source.write_text(text(IDIOMS[name]), encoding="utf-8")
    truth = spikes(source, "grid")
    assert len(truth) >= 4
    # on the grid each spike is up to a step late, and each pause up to a step longer
    late = 2.5 * STEP * np.arange(1, len(truth) + 1)
    for target, file in (("lems", "cell_neuron.xml"), ("nineml-xml", "cell.xml"), ("nestml", "")):
        folder = tmp_path / target
        report = interspike.convert(source, to=target, output=folder).report
        assert report.exact, report.summary()
        if target == "nestml":
            file = next(item.name for item in folder.glob("*.nestml"))
        path = folder / file if (folder / file).is_file() else next(folder.glob("*.xml"))
        found = spikes(path, "grid" if target == "nestml" else "continuous")
        assert len(found) == len(truth), target
        assert np.all(np.abs(found - truth) < late), (target, found - truth)
