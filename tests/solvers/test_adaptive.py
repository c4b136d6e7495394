"""The adaptive scheme on the grid: quantities of every size are kept to the same relative precision."""

from __future__ import annotations

import numpy as np
import pytest
from interspike.canonical_model import model as m
from interspike.canonical_model import units as u
from interspike.canonical_model.circuit import Circuit, Group, Probe
from interspike.canonical_model.expr_text import parse_expr as E
from interspike.solvers.simulate import simulate


@pytest.mark.parametrize(
    ("dimension", "unit"),
    [(u.CURRENT, "pA"), (u.VOLTAGE, "mV"), (u.CONDUCTANCE, "nS"), (u.NONE, "")],
)
def test_small_quantities_are_controlled_as_well(dimension: u.Dimension, unit: str) -> None:
    component = m.Component(
        name="decay",
        state_variables=(
            m.StateVariable(name="x", dimension=dimension, initial=E(f"10 {unit}".strip())),
        ),
        odes=(m.Ode(variable="x", rhs=E("-x / 0.0001 s")),),
    )
    circuit = Circuit(
        name="c",
        groups=(Group(name="cell", component=component, size=1),),
        probes=(Probe(label="x", group="cell", index=0, variable="x"),),
    )
    run = simulate(circuit, mode="grid", scheme="rkf45", step=1e-4, length=5e-4)
    wanted = run.traces["x"][0] * np.exp(-run.times / 1e-4)
    assert np.allclose(run.traces["x"], wanted, rtol=2e-5, atol=0)
