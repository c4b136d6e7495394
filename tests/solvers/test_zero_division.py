"""A quantity that nothing drives is 0: what is divided by it is infinite, as in C, and no crash."""

from __future__ import annotations

import math

from interspike.canonical_model import model as m
from interspike.canonical_model.circuit import Circuit, Group, Probe
from interspike.canonical_model.expr_text import parse_expr as E
from interspike.canonical_model.units import Quantity
from interspike.solvers.evaluate import evaluate
from interspike.solvers.planner import plan_update
from interspike.solvers.simulate import simulate


def test_division_by_an_input_without_source() -> None:
    cell = m.Component(
        name="cell",
        state_variables=(m.StateVariable(name="x"),),
        analog_inputs=(m.AnalogInput(name="drive", reduce="add"),),
        derived_variables=(m.DerivedVariable(name="rate", value=E("1 / drive")),),
        odes=(m.Ode(variable="x", rhs=E("-x")),),
    )
    circuit = Circuit(
        name="c",
        groups=(Group(name="cell", component=cell, size=1),),
        probes=(Probe(label="rate", group="cell", index=0, variable="rate"),),
    )
    for mode in ("grid", "continuous"):
        trace = simulate(circuit, mode=mode, length=0.01, step=1e-3).traces["rate"]
        assert all(math.isinf(value) for value in trace)


def test_infinite_numbers_are_evaluated() -> None:
    for text, wanted in (("x - 1e999", -math.inf), ("1 / (x + 1e999)", 0.0), ("-1e999", -math.inf)):
        assert evaluate(E(text), {"x": 1.0}) == wanted


def test_a_scheme_is_chosen_where_a_rate_divides_by_zero() -> None:
    cell = m.Component(
        name="cell",
        parameters=(m.Parameter(name="p", value=Quantity(0.0)),),
        state_variables=(m.StateVariable(name="x", initial=E("1")),),
        odes=(m.Ode(variable="x", rhs=E("x * x * (1 / p)")),),
    )
    assert plan_update(cell, "auto", step=1e-4).blocks
