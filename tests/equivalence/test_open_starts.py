"""Conditions whose truth at the start depends on inputs or parameters, and runs that end in infinity."""

from __future__ import annotations

import numpy as np
import pytest
from interspike.app.behaviour.components import compare_components
from interspike.app.sensitivity import alike, horizon
from interspike.canonical_model.circuit import Circuit, Group, Probe
from interspike.canonical_model.diagnostics import ModelError
from interspike.canonical_model.expr import ONE, ZERO, Conditional, Number
from interspike.canonical_model.expr_text import parse_expr
from interspike.canonical_model.model import (
    AnalogInput,
    Component,
    Emit,
    EventPort,
    Ode,
    OnCondition,
    Parameter,
    StateVariable,
)
from interspike.canonical_model.passes.arming import arm
from interspike.canonical_model.units import PURE, Quantity
from interspike.solvers.simulate import simulate


def watcher(test: str, **parts: object) -> Component:
    """A component that sends an event when `test` becomes true; the test stays true after it."""
    return Component(
        name="w", event_outputs=(EventPort(name="spike"),),
        on_conditions=(
            OnCondition(test=parse_expr(test), body=(Emit(port="spike"),), rising=True),
        ),
        **parts,  # type: ignore[arg-type]
    )  # fmt: skip


def armed(component: Component) -> object:
    (state,) = [s for s in arm(component).state_variables if s.name.startswith("armed")]
    return state.initial


def test_what_an_input_is_at_the_start_nobody_knows() -> None:
    assert armed(watcher("i > 3", analog_inputs=(AnalogInput(name="i"),))) == ZERO


def test_parameters_decide_when_they_have_values() -> None:
    x = StateVariable(name="x", initial=Number(1.0))
    states = {"state_variables": (x,), "odes": (Ode(variable="x", rhs=parse_expr("1 / 1 ms")),)}
    given = Parameter(name="limit", value=Quantity(2.0, PURE))
    assert armed(watcher("x > limit", parameters=(given,), **states)) == ONE
    found = armed(watcher("x > limit", parameters=(Parameter(name="limit"),), **states))
    assert isinstance(found, Conditional)
    assert found.otherwise == ONE


def explosive(scale: float) -> Component:
    """dx/dt = x^2 / ms: infinite at t = 1 ms / scale."""
    return Component(
        name="e", state_variables=(StateVariable(name="x", initial=Number(scale)),),
        odes=(Ode(variable="x", rhs=parse_expr("x * x / 1 ms")),),
    )  # fmt: skip


def circuit(component: Component, length: float = 5e-3) -> Circuit:
    return Circuit(
        name="c", groups=(Group(name="cell", component=component, size=1),), length=length,
        step=1e-4, probes=(Probe(label="x", group="cell", index=0, variable="x"),),
    )  # fmt: skip


def test_infinity_is_an_error_in_continuous_time() -> None:
    with pytest.raises(ModelError, match="leaves all bounds") as caught:
        simulate(circuit(explosive(1.0)), mode="continuous")
    assert caught.value.issues[0].code == "S312"


def test_two_that_run_to_infinity_are_compared_before() -> None:
    assert not compare_components(explosive(1.0), explosive(1.0)).differences
    assert compare_components(explosive(1.0), explosive(0.5)).differences


def test_the_horizon_of_a_chaotic_map() -> None:
    """The logistic map doubles a difference in each step: 2^-24 is 1e-4 of the range after some 12 steps."""
    parameter = Parameter(name="r", value=Quantity(3.99, PURE))
    chaos = Component(
        name="map", parameters=(parameter,),
        state_variables=(StateVariable(name="x", initial=Number(0.3)),),
        update=(),
    )  # fmt: skip
    from dataclasses import replace

    from interspike.canonical_model.model import Assign

    chaos = replace(chaos, update=(Assign(target="x", value=parse_expr("r * x * (1 - x)")),))
    one = circuit(chaos, 1e-2)
    until = horizon(one, simulate(one, mode="grid"), "auto")
    assert 6e-4 < until < 2.5e-3
    still = circuit(replace(chaos, update=()), 1e-2)
    assert horizon(still, simulate(still, mode="grid"), "auto") == np.inf


def test_counts_of_random_events() -> None:
    assert alike(100, 130)
    assert not alike(100, 200)
