"""Ways in which modellers write pauses, bursts and plateaus: to NineML and LEMS and back, the same spikes."""

from __future__ import annotations

from textwrap import indent
from typing import Any

import numpy as np
import pytest

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


@pytest.mark.parametrize("way", ["nineml", "lems"])
@pytest.mark.parametrize("name", IDIOMS)
def test_idioms_come_back_with_the_same_spikes(
    there_and_back: Any, spikes: Any, name: str, way: str
) -> None:
    states, equations, update = IDIOMS[name]
    inner = " " * 8
    text = FRAME.format(
        name=name.replace(" ", "_"),
        states=indent(states, inner),
        equations=indent(equations, inner),
        update=indent(update, inner),
    )
    original, back, _ = there_and_back(text, way)
    wanted, found = (spikes(c, 0.0, current=300.0, length=200.0) for c in (original, back))
    assert len(wanted) > 5
    assert np.array_equal(wanted, found)
