"""Literals with units become constants; values and dimensions stay."""

from __future__ import annotations

from interspike.canonical_model.expr import Name, walk
from interspike.canonical_model.expr import Number as Literal
from interspike.canonical_model.expr_parse import parse_expr
from interspike.canonical_model.model import Component, Ode, StateVariable
from interspike.canonical_model.passes.literals import name_literals
from interspike.canonical_model.units import TIME, VOLTAGE
from interspike.canonical_model.verify import verify_component


def test_literals_get_names_and_keep_their_values() -> None:
    component = Component(
        name="c",
        state_variables=(StateVariable(name="v", dimension=VOLTAGE, initial=parse_expr("-65 mV")),),
        odes=(Ode(variable="v", rhs=parse_expr("(2 mV - v) / (10 ms) + 0 * 2 mV / (10 ms)")),),
    )
    named = name_literals(component)
    assert verify_component(named) == verify_component(component) == []
    values = {item.name: item.value.si for item in named.constants}
    assert sorted(values.values()) == [-0.065, 0.002, 0.01] or sorted(values.values()) == [
        0.002,
        0.01,
        0.065,
    ]
    assert {item.dimension for item in named.constants} == {VOLTAGE, TIME}
    rhs = named.odes[0].rhs
    assert all(item.unit is None for item in walk(rhs) if isinstance(item, Literal))
    assert sum(isinstance(item, Name) for item in walk(rhs)) == 5


def test_a_component_without_them_is_the_same() -> None:
    component = Component(
        name="c",
        state_variables=(StateVariable(name="x"),),
        odes=(Ode(variable="x", rhs=parse_expr("1 - 2 * x")),),
    )
    assert name_literals(component) == component
