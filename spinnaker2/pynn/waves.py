"""Current sources as canonical components: one variable `i`, in nA."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ...canonical_model.diagnostics import refuse
from ...canonical_model.expr import Binary, Name, Number
from ...canonical_model.expr_parse import parse_expr
from ...canonical_model.model import Assign, Component, DerivedVariable, StateVariable, TimedEvents
from ...canonical_model.units import CURRENT
from .fragments import assemble, fragment, with_constants

MAX_STEPS = 2000
WINDOW = {"start": "ms", "stop": "ms"}


def step_component(ticks: Any, amplitudes: Any, dt: float) -> Component:
    """A current that takes amplitudes[k] (nA) at ticks[k]; the first tick is 0; dt in ms.

    Raises ModelError Y302 for more than MAX_STEPS changes: each is code on the chip.
    """
    if len(ticks) > MAX_STEPS:
        message = f"a current source changes {len(ticks)} times, more than {MAX_STEPS}"
        raise refuse("Y302", message, hint="use NoisyCurrentSource or ACSource for fast changes")
    levels = [Binary("*", Number(float(a)), Name("ONE_nA")) for a in amplitudes]
    timed = tuple(
        TimedEvents(times=(float(tick) * dt * 1e-3,), body=(Assign(target="i", value=level),))
        for tick, level in zip(ticks[1:], levels[1:], strict=True)
    )
    state = StateVariable(name="i", dimension=CURRENT, initial=levels[0])
    whole = replace(_bare("StepCurrent"), state_variables=(state,), timed_events=timed)
    return with_constants(whole)


def _bare(name: str) -> Component:
    return replace(assemble(name, []), event_outputs=())


def ac_component(dt: float) -> Component:
    """offset + amplitude * sin(2 pi frequency (t - start) + phase) within a window; phase in radians."""
    part = fragment(
        parameters={"amplitude": "nA", "offset": "nA", "frequency": "Hz", "phase": "", **WINDOW}
    )
    text = (
        f"(offset + amplitude * sin(6.283185307179586 * frequency * (t - start) + phase))"
        f" * (heaviside((t - start) / ONE_ms + {dt / 2!r}) * heaviside((stop - t) / ONE_ms - {dt / 2!r}))"
    )
    value = DerivedVariable(name="i", dimension=CURRENT, value=parse_expr(text))
    whole = assemble("AlternatingCurrent", [part])
    return with_constants(replace(whole, event_outputs=(), derived_variables=(value,)))


def noise_component(dt: float) -> Component:
    """mean + stdev * N(0, 1), drawn anew every `interval` within a window."""
    del dt
    draw = "mean + stdev * normal()"
    part = fragment(
        parameters={"mean": "nA", "stdev": "nA", "interval": "ms", **WINDOW},
        states={"i": "nA", "t_next": "ms"},
        initial={
            "i": f"heaviside((0 * ONE_ms - start) / ONE_ms + 1e-6) * ({draw})",
            "t_next": "max(start, 0 * ONE_ms) + interval * heaviside((0 * ONE_ms - start) / ONE_ms + 1e-6)",
        },
        when=[
            ("t >= t_next and t < stop", [f"i = {draw}", "t_next = t_next + interval"]),
            ("t >= stop", ["i = 0 * mean"]),
        ],
    )
    return replace(assemble("NoisyCurrent", [part]), event_outputs=())
