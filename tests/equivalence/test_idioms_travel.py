"""Ways in which modellers write pauses, bursts and plateaus: to NineML and LEMS and back, the same spikes."""

from __future__ import annotations

import sys
from pathlib import Path
from textwrap import indent
from typing import Any

import numpy as np
import pytest
from interspike.canonical_model.diagnostics import Log
from interspike.canonical_model.model import Provenance
from interspike.exporters.lems.emit import export as to_lems
from interspike.exporters.nestml.emit import export as to_nestml
from interspike.exporters.nineml.emit import export_yaml as to_nineml
from interspike.importers.lems.reader import read as read_lems
from interspike.importers.nestml.reader import read as read_nestml
from interspike.importers.nineml.reader import read as read_nineml

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
import nestml_trial

LEAK = "(E_L - V)/tau + (I_e + I_stim)/C"
FRAME = """model {name}_neuron:
    state:
        V mV = -70 mV
{states}
    equations:
{equations}
    parameters:
        E_L mV = -70 mV
        tau ms = 10 ms
        fast ms = 3 ms
        C pF = 100 pF
        I_e pA = 280 pA
        V_th mV = -50 mV
        V_low mV = -60 mV
        V_high mV = -55 mV
        pause ms = 4 ms
        per_burst integer = 3
    internals:
        n integer = steps(pause)
        k integer = steps(2 ms)
    input:
        I_stim pA <- continuous
    output:
        spike
    update:
{update}
"""
# states, equations, update
IDIOMS = {
    "only the test waits": (
        "r integer = 0\nth mV = 0 mV",
        f"V' = {LEAK}\nth' = -th/tau",
        "integrate_odes()\nif r > 0:\n    r -= 1\nelif V > V_th + th:\n    r = n\n    th += 4 mV\n"
        "    V = E_L\n    emit_spike()",
    ),
    "slopes by level": (
        "w pA = 0 pA",
        "inline slope real = V < V_low ? 1 : 0.5\nV' = slope*(E_L - V)/tau + (I_e - w)/C\n"
        "w' = V > V_high ? (20 pA - w)/fast : -w/tau",
        "integrate_odes()\nif V >= V_th:\n    V = E_L\n    emit_spike()",
    ),
    "bursts": (
        "left integer = 0\nr integer = 0",
        f"V' = {LEAK}",
        "if r > 0:\n    r -= 1\nelse:\n    integrate_odes()\n    if V > V_th:\n        V = E_L\n"
        "        emit_spike()\n        left += 1\n        if left >= per_burst:\n            left = 0\n"
        "            r = n\n        else:\n            r = k",
    ),
    "plateau with a phase": (
        "phase integer = 0\nr integer = 0",
        f"V' = phase == 1 ? (V_high - V)/fast : {LEAK}",
        "integrate_odes()\nif phase == 0 and V > V_th:\n    phase = 1\n    r = n\n    emit_spike()\n"
        "elif phase == 1:\n    r -= 1\n    if r <= 0:\n        phase = 0\n        V = E_L",
    ),
    "flag in the equation": (
        "r integer = 0\non boolean = false",
        f"V' = on ? (E_L - V)/fast : {LEAK}",
        "integrate_odes()\nif on:\n    r -= 1\n    if r <= 0:\n        on = false\n"
        "elif V > V_th:\n    on = true\n    r = n\n    emit_spike()",
    ),
    "a count that stops at nothing": (
        "r integer = 0",
        f"V' = {LEAK}",
        "integrate_odes()\nr = max(0, r - 1)\nif V >= V_th and r == 0:\n    V = E_L\n    r = n\n"
        "    emit_spike()",
    ),
    "a time that stops at nothing": (
        "r ms = 0 ms",
        f"V' = {LEAK}",
        "r = max(r - resolution(), 0 ms)\nif r <= resolution() / 2:\n    integrate_odes()\n"
        "    if V > V_th:\n        V = E_L\n        r = pause\n        emit_spike()",
    ),
}  # fmt: skip


def spikes(component: Any) -> Any:
    """The steps at which it fires."""
    found = nestml_trial.on_grid(component, nestml_trial.Drive(300.0, 0.0), "rk4").spikes
    return np.round(found / nestml_trial.H)


@pytest.mark.parametrize("way", ["nineml", "lems"])
@pytest.mark.parametrize("name", IDIOMS)
def test_idioms_come_back_with_the_same_spikes(name: str, way: str) -> None:
    states, equations, update = IDIOMS[name]
    inner = " " * 8
    text = FRAME.format(
        name=name.replace(" ", "_"),
        states=indent(states, inner),
        equations=indent(equations, inner),
        update=indent(update, inner),
    )
    common: dict[str, Any] = {"scheme": "auto", "step": 1e-4, "source": Provenance()}
    original = read_nestml(None, text.encode(), file="a.nestml", log=Log())
    if way == "nineml":
        (there,) = to_nineml(original, **common, log=Log(), name="there")
        model = read_nineml(None, there.data, file="a.yml", log=Log(), options={"strict": "yes"})
    else:
        (there,) = to_lems(original, **common, log=Log(), name="there")
        model = read_lems(None, there.data, file="a.xml", log=Log())
    found = to_nestml(model, **common, log=Log(), name="again")
    (again,) = [item for item in found if item.path.endswith(".nestml")]
    back = read_nestml(None, again.data, file="again.nestml", log=Log())
    wanted = spikes(original.components[0])
    assert len(wanted) > 5
    assert np.array_equal(wanted, spikes(back.components[0]))
