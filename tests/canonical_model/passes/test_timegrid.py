"""Countdown timers on the grid: a pause of n steps lasts n steps, whatever float rounding says."""

from __future__ import annotations

import numpy as np
import pytest
from interspike.canonical_model import model as m
from interspike.canonical_model import units as u
from interspike.canonical_model.circuit import Circuit, Group, Probe
from interspike.canonical_model.expr_text import parse_expr as E
from interspike.canonical_model.passes.timegrid import SLACK, on_grid
from interspike.canonical_model.units import Quantity, Unit
from interspike.solvers.simulate import simulate

MS = Unit("ms", u.TIME, 1e-3)


def paused(pause: float, rate: str = "-1") -> m.Component:
    """Fires in the first step in which its countdown is over, and then pauses."""
    return m.Component(
        name="paused",
        parameters=(m.Parameter(name="pause", dimension=u.TIME, value=Quantity(pause, MS)),),
        state_variables=(m.StateVariable(name="left", dimension=u.TIME),),
        odes=(m.Ode(variable="left", rhs=E(rate)),),
        event_outputs=(m.EventPort(name="spike"),),
        update=(m.If(branches=((E("left > 0 ms"), (m.Integrate(variables=("left",)),)),)),),
        on_conditions=(
            m.OnCondition(
                test=E("left <= 0 ms"),
                body=(m.Assign(target="left", value=E("pause")), m.Emit(port="spike")),
            ),
        ),
    )


def circuit(component: m.Component) -> Circuit:
    return Circuit(
        name="c",
        groups=(Group(name="cell", component=component, size=1),),
        event_probes=(Probe(label="spikes", group="cell", index=0, variable="spike"),),
    )


@pytest.mark.parametrize("steps", [3, 5, 7, 11, 20, 23, 57, 101])
@pytest.mark.parametrize("rate", ["-1", "-(1 ms / 1 ms)"])
def test_a_countdown_of_n_steps_lasts_n_steps(steps: int, rate: str) -> None:
    subject = circuit(paused(steps * 0.1, rate))
    found = simulate(subject, mode="grid", step=1e-4, length=(3 * steps + 2) * 1e-4)
    ticks = np.round(found.events["spikes"] / 1e-4).astype(int)
    assert len(ticks) >= 3
    assert set(np.diff(ticks)) == {steps}


def test_what_moves_is_no_timer() -> None:
    component = paused(1.0, "-left / pause")
    names = [p.name for p in on_grid(circuit(component), 1e-4).groups[0].component.parameters]
    assert SLACK not in names
