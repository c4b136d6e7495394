"""Structural comparison."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from interspike.canonical_model.compare import differences, equal
from interspike.canonical_model.diagnostics import Span
from interspike.canonical_model.expr import Name, add
from interspike.canonical_model.expr_text import COMMON_UNITS, parse_expr
from interspike.canonical_model.model import Component, Model, Ode, Parameter
from interspike.canonical_model.network import Network, Population
from interspike.canonical_model.units import VOLTAGE, Quantity

CELL = Component(
    name="cell",
    parameters=(
        Parameter(name="a", dimension=VOLTAGE, value=Quantity(1.0, COMMON_UNITS["mV"])),
        Parameter(name="b"),
    ),
    odes=(Ode(variable="v", rhs=parse_expr("a - v")),),
)


def network(values, **more):
    population = Population(name="p", component="cell", size=3, parameters={"a": values}, **more)
    return Model(name="m", network=Network(name="n", populations=(population,)))


def test_spans_do_not_count():
    moved = replace(
        CELL, span=Span("x", 1), odes=(Ode(variable="v", rhs=parse_expr("a - v", Span("y"))),)
    )
    assert equal(CELL, moved)


def test_a_difference_has_path_and_both_values():
    other = replace(CELL, odes=(Ode(variable="v", rhs=parse_expr("a + v")),))
    assert differences(CELL, other) == ["odes[0].rhs: a - v | a + v"]
    volts = replace(CELL.parameters[0], value=Quantity(0.001, COMMON_UNITS["V"]))
    changed = replace(CELL, parameters=(volts, CELL.parameters[1]))
    assert differences(CELL, changed) == ["parameters['a'].value: 1.0 mV | 0.001 V"]


def test_named_items_are_paired_by_name():
    first, second = CELL.parameters
    assert differences(CELL, replace(CELL, parameters=(second, first))) == [
        "parameters: the order is a, b | b, a"
    ]
    (line,) = differences(CELL, replace(CELL, parameters=(second,)))
    assert line.startswith("parameters['a']: Parameter(")
    assert line.endswith("| nothing")


def test_arrays_are_compared_element_by_element():
    one, other = network(np.array([1.0, 2.0, np.nan])), network(np.array([1.0, 3.0, np.nan]))
    path = "network.populations['p'].parameters['a']"
    assert equal(one, network(np.array([1.0, 2.0, np.nan])))
    assert differences(one, other) == [f"{path}[1]: 2.0 | 3.0 (1 of 3 elements differ)"]
    (line,) = differences(one, network(np.array([1.0])))
    assert "(3,)" in line
    assert "(1,)" in line


def test_missing_parts():
    (line,) = differences(Model(name="m"), network(np.zeros(3)))
    assert line.startswith("network: None | Network(")
    assert not equal(network(np.zeros(3)), network(np.zeros(3), positions=np.zeros((3, 3))))


def test_long_sums_are_compared():
    long = add([Name("x")] * 3000)
    one = Component(name="c", odes=(Ode(variable="v", rhs=long),))
    again = Component(name="c", odes=(Ode(variable="v", rhs=add([Name("x")] * 3000)),))
    assert equal(one, again)
