"""Flattening: names, requirements up the tree, selects, events between relatives."""

from __future__ import annotations

import pytest
from interspike.canonical_model import model
from interspike.canonical_model.diagnostics import ModelError
from interspike.canonical_model.expr import ONE, ZERO, Binary, Name, Number, Select
from interspike.canonical_model.passes.flatten import flatten
from interspike.canonical_model.units import Quantity


def gate(name: str) -> model.Component:
    return model.Component(
        name=name,
        parameters=(model.Parameter(name="rate", value=Quantity(2.0)),),
        state_variables=(model.StateVariable(name="q"),),
        odes=(model.Ode(variable="q", rhs=Binary("*", Name("rate"), Name("v"))),),
        analog_inputs=(model.AnalogInput(name="v"),),
        exposures=(model.Exposure(name="fcond", variable="q"),),
    )


def cell(*children: model.Child, **fields: object) -> model.Component:
    product = Select("gates[*]/fcond", "multiply")
    return model.Component(
        name="cell",
        state_variables=(model.StateVariable(name="v", initial=ONE),),
        derived_variables=(model.DerivedVariable(name="open", value=product),),
        odes=(model.Ode(variable="v", rhs=Name("open")),),
        exposures=(model.Exposure(name="v", variable="v"),),
        children=children,
        **fields,
    )


def child(name: str) -> model.Child:
    return model.Child(name="gates", id=name, component=gate(name), is_list=True)


def test_names_are_the_shortest_unique_suffix_and_requirements_find_the_ancestor() -> None:
    flat = flatten(cell(child("m"), child("h")))
    component = flat.component
    assert [state.name for state in component.state_variables] == ["v", "m_q", "h_q"]
    assert component.odes[1].rhs == Binary("*", Name("m_rate"), Name("v"))
    assert component.derived_variables[0].value == Binary("*", Name("m_q"), Name("h_q"))
    assert component.analog_inputs == ()
    assert flat.locate("m/q") == "m_q"
    assert flat.locate("gates[1]/fcond") == "h_q"
    assert flat.locate("nowhere/q") is None


def test_an_empty_product_is_one_and_becomes_a_derived_parameter() -> None:
    component = flatten(cell()).component
    assert component.derived_variables == ()
    assert component.derived_parameters[0].value == ONE


def test_a_requirement_without_provider_stays_an_input_or_takes_the_networks_value() -> None:
    lonely = gate("m")
    assert [item.name for item in flatten(lonely).component.analog_inputs] == ["v"]
    bound = flatten(lonely, {"v": 0.5}).component
    assert bound.analog_inputs == ()
    assert bound.parameters[-1].value == Quantity(0.5)


def test_flattening_twice_changes_nothing() -> None:
    once = flatten(cell(child("m"), child("h"))).component
    assert flatten(once).component == once


def test_what_is_missing_and_needed_is_named() -> None:
    broken = cell()
    broken = model.Component(
        name="broken",
        state_variables=(model.StateVariable(name="v"),),
        derived_variables=(model.DerivedVariable(name="g", value=Select("channel/g")),),
        odes=(model.Ode(variable="v", rhs=Name("g")),),
    )
    with pytest.raises(ModelError, match=r"L151.*dv/dt.*channel/g"):
        flatten(broken)


def relay(**fields: object) -> model.Component:
    """A part whose `in` counts and sends on."""
    return model.Component(
        name="relay",
        state_variables=(model.StateVariable(name="n", initial=ZERO),),
        on_events=(
            model.OnEvent(
                port="in",
                body=(
                    model.Assign(target="n", value=Binary("+", Name("n"), Number(1.0))),
                    model.Emit(port="out"),
                ),
            ),
        ),
        event_inputs=(model.EventPort(name="in"),),
        event_outputs=(model.EventPort(name="out"),),
        **fields,
    )


def test_events_to_a_child_are_inlined_where_they_are_sent() -> None:
    inner = relay(
        event_routes=(model.EventRoute(source="..", source_port="", target="", target_port=""),)
    )
    outer = relay(children=(model.Child(name="part", id="part", component=inner),))
    body = flatten(outer).component.on_events[0].body
    assert [type(item).__name__ for item in body] == ["Assign", "Emit", "Assign"]
    assert body[2].target == "part_n"


def test_a_circle_of_events_is_an_error() -> None:
    down = model.EventRoute(source="..", source_port="", target="", target_port="")
    up = model.EventRoute(source="", source_port="", target="..", target_port="")
    inner = relay(event_routes=(down, up))
    outer = relay(children=(model.Child(name="part", id="part", component=inner),))
    with pytest.raises(ModelError, match="L152"):
        flatten(outer)


def test_loops_stay_in_bodies() -> None:
    again = Binary("<", Name("x"), Number(3.0))
    step = model.Assign(target="x", value=Binary("+", Name("x"), ONE))
    body = (model.Declare(name="y", value=ONE), model.While(test=again, body=(step,)))
    source = model.Component(
        name="source",
        state_variables=(model.StateVariable(name="x", initial=ZERO),),
        on_conditions=(model.OnCondition(test=again, body=body),),
    )
    assert flatten(source).component.on_conditions == source.on_conditions
