"""Random update programs to NineML or LEMS and back: the same spikes at the same steps, or a reason.

Pauses are counted down, counted up, kept by a timer with an equation or by hand, by the time of the last
spike or by a flag; what is tested where, and in which words, is drawn. More of them: PROGRAMS=500.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from textwrap import indent
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from interspike.canonical_model.diagnostics import ModelError
from interspike.exporters.nineml.format import REFUSALS as NINEML_REFUSALS

# kind -> states, equations, words for a pause, for none, how it is counted, how it is begun
HALF = "resolution() / 2"
PAUSES: dict[str, tuple[tuple[str, ...], ...]] = {
    "down": (
        ("r integer = 0", "r integer = n"), (),
        ("r > 0", "r != 0", "r >= 1", "not (r == 0)", "0 < r", "not (r <= 0)"),
        ("r == 0", "r <= 0", "r < 1", "not (r > 0)", "0 == r"),
        ("r -= 1", "r = r - 1", "r = -1 + r"), ("r = n", "r = n + 1", "r = n - 1"),
    ),
    "up": (
        ("r integer = n", "r integer = 0"), (),
        ("r < n", "r != n", "r <= n - 1", "n > r", "not (r == n)"),
        ("r >= n", "r == n", "not (r < n)", "n <= r"),
        ("r += 1", "r = r + 1", "r = 1 + r"), ("r = 0",),
    ),
    "equation": (
        ("r ms = 0 ms", "r ms = pause"), ("r' = -1",),
        ("r > 0 ms", "not (r <= 0 ms)", f"r > {HALF}"),
        ("r <= 0 ms", "not (r > 0 ms)", f"r <= {HALF}"),
        ("integrate_odes(r)",), ("r = pause",),
    ),
    "by hand": (
        ("r ms = 0 ms", "r ms = pause"), (), (f"r > {HALF}", f"not (r <= {HALF})"),
        (f"r <= {HALF}", f"not (r > {HALF})"), ("r -= resolution()", "r = r - resolution()"),
        ("r = pause",),
    ),
    "since": (
        ("r ms = -100 ms", "r ms = 0 ms - pause"), (),
        (f"t - r < pause + {HALF}", f"t <= r + pause - {HALF}"),
        (f"t > r + pause + {HALF}", f"t - r >= pause - {HALF}"), ("",), ("r = t",),
    ),
    "flag": (
        ("r ms = 0 ms\nf boolean = false",), ("r' = -1",), ("f",), ("not f",),
        ("integrate_odes(r)",), ("r = pause\nf = true",),
    ),
}  # fmt: skip
PHASES = (  # another counter, which pushes the potential
    "if q >= period:\n{kick}\nelse:\n    q += 1",
    "if q == period - 1:\n{kick}\nelse:\n    q += 1",
    "q += 1\nif q >= period:\n{kick}",
    "if q < period:\n    q += 1\nelse:\n{kick}",
)
ABOVE = ("V_m >= theta", "V_m > theta", "theta <= V_m", "not (V_m < theta)")
FRAME = """model drawn_neuron:
    state:
        V_m mV = 0 mV
{states}
    equations:
        kernel k = exp(-t / tau_s)
        V_m' = -V_m / tau + (I_e + convolve(k, spikes) * pA) / C
{equations}
    parameters:
        tau ms = 10 ms
        tau_s ms = 2 ms
        C pF = 200 pF
        I_e pA = 600 pA
        theta mV = 15 mV
        reset mV = 0 mV
        pause ms = {pause} ms
    internals:
        n integer = steps(pause)
        period integer = steps(3 ms)
    input:
        spikes <- spike
    output:
        spike
    update:
{update}
{conditions}
"""


@dataclass(slots=True)
class Words:
    """One of several spellings, drawn."""

    draw: Any

    def __call__(self, *items: Any) -> Any:
        return self.draw(st.sampled_from(items))


def inner(text: str) -> str:
    return indent(text, "    ")


@st.composite
def programs(draw: Any, *, kicks: bool = True) -> str:
    """The text of a neuron; with `kicks` something else may move the potential."""
    one = Words(draw)
    kind = one(*PAUSES)
    state, equations, busy, free, count, begin = PAUSES[kind]
    waits, runs, counts = one(*busy), one(*free), one(*count)
    body = draw(
        st.permutations([one(*begin), "emit_spike()", one("V_m = reset", "V_m = reset", "")])
    )
    spike = "\n".join(item for item in body if item)
    where = one("condition", "after", "nested", "instead", "before")
    test = one(*ABOVE)
    fires = f"if {test}:\n{inner(spike)}"
    integrates = "integrate_odes(V_m)"
    if where == "nested":
        integrates += f"\n{fires}"
    shape = one("else", "otherwise", "two", "clamped")
    if shape == "else" and counts:
        lines = [f"if {waits}:\n{inner(counts)}\nelse:\n{inner(integrates)}"]
    elif shape == "otherwise" and counts:
        lines = [f"if {runs}:\n{inner(integrates)}\nelse:\n{inner(counts)}"]
    elif shape == "clamped" and where != "nested":
        held = f"{counts}\nV_m = reset" if counts else "V_m = reset"
        lines = ["integrate_odes(V_m)", f"if {waits}:\n{inner(held)}"]
        if where == "instead":
            lines[1] += f"\nelif {test}:\n{inner(spike)}"
    else:
        lines = [f"if {runs}:\n{inner(integrates)}"]
        if counts:
            lines.insert(one(0, 1), f"if {waits}:\n{inner(counts)}")
    guarded = one(test, f"{runs} and {test}", f"{test} and {runs}")
    if where in ("before", "after") or (where == "instead" and shape != "clamped"):
        place = 0 if where == "before" else len(lines)
        lines.insert(place, f"if {guarded}:\n{inner(spike)}")
    conditions = [f"onCondition({guarded}):\n{inner(spike)}"] if where == "condition" else []
    if kind == "flag":
        ends = f"onCondition({one('f and r <= 0 ms', 'r <= 0 ms and f')}):\n    f = false"
        conditions.insert(one(0, len(conditions)), ends)
    states = [one(*state)]
    if kicks and one(True, False, False):
        states.append("q integer = 0")
        lines.insert(
            one(*range(len(lines) + 1)), one(*PHASES).format(kick=inner("q = 0\nV_m += 3 mV"))
        )
    return FRAME.format(
        states=indent("\n".join(states), " " * 8),
        equations=indent("\n".join(equations), " " * 8),
        pause=one("2", "1.3", "0.5"),
        update=indent("\n".join(lines), " " * 8),
        conditions=inner("\n".join(conditions)),
    )


CLAMPED = """integrate_odes(V_m)
if r > resolution() / 2:
    r -= resolution()
    V_m = reset
if V_m >= theta:
    emit_spike()
    r = pause
    V_m = reset
"""
KICK = "if q >= period:\n    q = 0\n    V_m += 3 mV\nelse:\n    q += 1\n"
# states, equations, pause, update, conditions
TOGETHER = {  # what ends or begins a pause, and something else in the same step
    "kick ends with the pause": ("r ms = 0 ms\nq integer = 0", "", "0.5", CLAMPED + KICK.replace(
        "else:\n    q += 1\n", "").replace("if q", "q += 1\nif q"), ""),
    "kick begins with the pause": ("r ms = 0 ms\nq integer = 0", "", "0.5", KICK + CLAMPED, ""),
    "kick behind the pause": ("r ms = 0 ms\nq integer = 0", "", "1.3", CLAMPED + KICK, ""),
    "kick before it is held": ("r ms = 0 ms\nq integer = 0", "", "0.5",
        CLAMPED.replace("if r", KICK + "if r", 1), ""),
    "above the threshold when the pause ends": (
        "r ms = 0 ms\nf boolean = false", "r' = -1", "0.5",
        "if f:\n    integrate_odes(r)\nelse:\n    integrate_odes(V_m)",
        "onCondition(f and r <= 0 ms):\n    f = false\n"
        "onCondition(not f and V_m >= theta):\n    r = pause\n    f = true\n    emit_spike()",
    ),
    "kick as a flag ends the pause": (
        "r ms = 0 ms\nf boolean = false\nq integer = 0", "r' = -1", "0.5",
        "integrate_odes(V_m)\nif f:\n    integrate_odes(r)\n    V_m = reset\n"
        "q += 1\nif q >= period:\n    q = 0\n    V_m += 3 mV\n",
        "onCondition(not f and V_m >= theta):\n    r = pause\n    f = true\n    emit_spike()\n"
        "    V_m = reset\nonCondition(f and r <= 0 ms):\n    f = false",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TOGETHER)
def test_two_things_in_one_step_keep_their_order(
    there_and_back: Any, spikes: Any, name: str
) -> None:
    states, equations, pause, update, conditions = TOGETHER[name]
    text = FRAME.format(
        states=indent(states, " " * 8),
        equations=indent(equations, " " * 8),
        pause=pause,
        update=indent(update, " " * 8),
        conditions=inner(conditions),
    )
    original, again, told = there_and_back(text, "nineml")
    wanted = spikes(original)
    assert len(wanted) > 2
    assert np.array_equal(wanted, spikes(again)) and not told


MANY = settings(
    max_examples=int(os.environ.get("PROGRAMS", "8")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


@MANY
@given(programs())
def test_programs_come_back_from_nineml_with_the_same_spikes_or_a_reason(
    there_and_back: Any, spikes: Any, text: str
) -> None:
    try:
        original, again, told = there_and_back(text, "nineml")
    except ModelError as problem:
        assert problem.issues[0].code in NINEML_REFUSALS, problem.issues[0].message
        return
    assert told or np.array_equal(spikes(original), spikes(again)), text


@MANY
@given(programs(kicks=False))
def test_programs_come_back_from_lems_with_the_same_spikes_or_a_reason(
    there_and_back: Any, spikes: Any, text: str
) -> None:
    try:
        original, again, told = there_and_back(text, "lems")
    except ModelError as problem:
        assert problem.issues[0].code == "K120", problem.issues[0].message
        return
    # events of LEMS carry no weight of their own: it is 1 there
    assert told or np.array_equal(spikes(original, 1.0), spikes(again, 1.0)), text


def test_a_timer_of_a_mode_lasts_its_steps_in_lems(there_and_back: Any, spikes: Any) -> None:
    """jLEMS's regimes hear no common events, so that the timer's rate is chosen by a state there."""
    text = FRAME.format(
        states=indent("r ms = 0 ms", " " * 8), equations="", pause="0.5", conditions="",
        update=indent("if r > resolution() / 2:\n    r -= resolution()\nelse:\n"
        "    integrate_odes(V_m)\n    if V_m >= theta:\n        V_m = reset\n        r = pause\n"
        "        emit_spike()", " " * 8),
    )  # fmt: skip
    original, again, _ = there_and_back(text, "lems")
    wanted = spikes(original, 1.0)
    assert len(wanted) > 2
    assert np.array_equal(wanted, spikes(again, 1.0))


def test_nobody_passes_through_two_modes_in_a_step_of_lems(
    there_and_back: Any, spikes: Any
) -> None:
    """What is above the threshold in two modes fires once a step."""
    text = FRAME.format(
        states=indent("r ms = 0 ms", " " * 8), equations=indent("r' = -1", " " * 8), pause="0.5",
        update=indent("if r > 0 ms:\n    integrate_odes(r)\nelse:\n    integrate_odes(V_m)", " " * 8),
        conditions=inner("onCondition(V_m >= theta):\n    r = pause\n    emit_spike()"),
    )  # fmt: skip
    original, again, _ = there_and_back(text, "lems")
    wanted = spikes(original, 1.0)
    assert len(wanted) > 2
    assert np.array_equal(wanted, spikes(again, 1.0))
