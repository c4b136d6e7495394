"""Invariants of time-step programs, kernels and functions."""

from __future__ import annotations

from dataclasses import replace

import pytest
from interspike.canonical_model import model as m
from interspike.canonical_model import units as u
from interspike.canonical_model.expr_text import parse_expr as E
from interspike.canonical_model.query import nested
from interspike.canonical_model.serial import dumps, loads
from interspike.canonical_model.units import Quantity, Unit
from interspike.canonical_model.verify import verify_component

MS = Unit("ms", u.TIME, 1e-3)
V = u.VOLTAGE
CELL = m.Component(
    name="cell",
    parameters=(m.Parameter(name="tau", dimension=u.TIME, value=Quantity(10.0, MS)),),
    derived_parameters=(
        m.DerivedParameter(name="pause", kind=m.INTEGER, value=E("steps(2 ms)")),
        m.DerivedParameter(name="P", value=E("exp(-resolution() / tau)")),
    ),
    state_variables=(
        m.StateVariable(name="v", dimension=V),
        m.StateVariable(name="r", kind=m.INTEGER),
    ),
    kernels=(m.Kernel(name="k", value=E("exp(-t / tau)")),),
    functions=(
        m.Function(
            name="half",
            arguments=(m.Argument(name="x", dimension=V),),
            dimension=V,
            body=(
                m.Declare(name="y", dimension=V, value=E("x / 2")),
                m.If(branches=((E("y > 1 mV"), (m.Assign(target="y", value=E("1 mV")),)),)),
                m.Return(value=E("y")),
            ),
        ),
    ),
    odes=(m.Ode(variable="v", rhs=E("(convolve(k, in) * 1 mV - v) / tau + convolve(delta, in) * 1 mV")),),
    event_inputs=(m.EventPort(name="in", payload=("weight",)),),
    event_outputs=(m.EventPort(name="spike"),),
    update=(
        m.If(
            branches=((E("r > 0"), (m.Assign(target="r", value=E("r - 1")),)),),
            otherwise=(m.Integrate(variables=("v",)),),
        ),
        m.Declare(name="jump", dimension=V, value=E("half(arrived(in) * 1 mV)")),
        m.For(
            variable="i", start=E("0"), stop=E("3"), step=E("1"),
            body=(m.Assign(target="v", value=E("v + i * jump")),),
        ),
        m.While(test=E("v > 50 mV"), body=(m.Assign(target="v", value=E("v / 2")),)),
    ),
    checks=(m.Check(test=E("tau > 0 ms")),),
)  # fmt: skip


def codes(component: m.Component) -> set[str]:
    return {issue.code for issue in verify_component(component)}


def test_a_sound_program_passes_and_survives_its_text_form() -> None:
    assert not verify_component(CELL), verify_component(CELL)[0].message
    model = m.Model(name="m", components=(CELL,))
    assert loads(dumps(model)) == model


def test_nested_statements_come_in_the_order_written() -> None:
    assert CELL.update is not None
    kinds = [type(item).__name__ for item in nested(CELL.update)]
    assert kinds == ["If", "Assign", "Integrate", "Declare", "For", "Assign", "While", "Assign"]


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        (m.Assign(target="v", value=E("twice(v)")), "V115"),
        (m.Assign(target="v", value=E("half(v, v)")), "V115"),
        (m.Assign(target="v", value=E("arrived(out) * 1 mV")), "V115"),
        (m.Assign(target="v", value=E("v + i * jump")), "V102"),
        (m.Assign(target="pause", value=E("3")), "V103"),
        (m.Assign(target="r", value=E("steps(v)")), "U202"),
        (m.Declare(name="q", dimension=V, value=E("resolution()")), "U204"),
        (m.Integrate(variables=("r",)), "V116"),
        (m.Return(value=E("v")), "V116"),
        (m.Emit(port="out"), "V106"),
    ],
)
def test_each_mistake_has_its_code(statement: m.Statement, code: str) -> None:
    assert code in codes(replace(CELL, update=(statement,)))


def test_a_function_sees_no_states() -> None:
    body = (m.Return(value=E("v")),)
    function = m.Function(
        name="half", arguments=(m.Argument(name="x", dimension=V),), dimension=V, body=body
    )
    assert "V102" in codes(replace(CELL, functions=(function,)))


def test_a_misspelt_function_gets_a_suggestion() -> None:
    found = verify_component(replace(CELL, update=(m.Assign(target="r", value=E("exo(2)")),)))
    assert any("did you mean 'exp'" in issue.hint for issue in found)
