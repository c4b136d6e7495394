"""Kernels as states: the impulse response of the states is the kernel itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from interspike.canonical_model import model as m
from interspike.canonical_model import units as u
from interspike.canonical_model.diagnostics import ModelError
from interspike.canonical_model.expr_text import parse_expr as E
from interspike.canonical_model.passes.kernels import lower_kernels
from interspike.canonical_model.units import Quantity
from interspike.canonical_model.verify import verify_component
from interspike.solvers.evaluate import evaluate
from scipy.integrate import solve_ivp

TIMES = np.linspace(0.0, 0.02, 50)
VALUES = {"tau": 2e-3, "other": 5e-3, "f": 900.0, "weight": 1.5}


def cell(kernel: m.Kernel) -> m.Component:
    return m.Component(
        name="cell",
        parameters=(
            *(
                m.Parameter(name=n, dimension=u.TIME, value=Quantity(VALUES[n], m_s()))
                for n in ("tau", "other")
            ),
            m.Parameter(name="f", dimension=u.FREQUENCY, value=Quantity(900.0, per_s())),
        ),
        state_variables=(m.StateVariable(name="x"),),
        odes=(m.Ode(variable="x", rhs=E("(convolve(k, in) - x) / tau")),),
        kernels=(kernel,),
        event_inputs=(m.EventPort(name="in", payload=("weight",)),),
        update=(m.Integrate(),),
    )  # fmt: skip


def m_s() -> u.Unit:
    return u.Unit("s", u.TIME)


def per_s() -> u.Unit:
    return u.Unit("Hz", u.FREQUENCY)


def response(component: m.Component, shown: str = "k__X__in") -> np.ndarray:
    """The convolution, or another variable, after one spike at t = 0."""
    names = list(component.traces)
    state = dict.fromkeys(names, 0.0)
    for handler in component.on_events:
        for statement in handler.body:
            assert isinstance(statement, m.Assign)
            state[statement.target] = float(evaluate(statement.value, {**VALUES, **state}))
    rates = {ode.variable: ode.rhs for ode in component.odes}

    def slope(_: float, y: np.ndarray) -> list[float]:
        known = {**VALUES, **dict(zip(names, y, strict=True))}
        return [float(evaluate(rates[name], known)) for name in names]

    start = [state[name] for name in names]
    run = solve_ivp(slope, (0, TIMES[-1]), start, t_eval=TIMES, rtol=1e-10, atol=1e-14)
    known = {**VALUES, **dict(zip(names, run.y, strict=True))}
    for item in component.derived_variables:
        known[item.name] = evaluate(item.value, known)
    return np.asarray(known[shown])


@pytest.mark.parametrize(
    "text",
    [
        "exp(-t / tau)",
        "t / tau * exp(1 - t / tau)",
        "(exp(-t / tau) - exp(-t / other)) / 2",
        "(t / tau)^2 * exp(-t / tau) + 0.1 * t / tau * exp(-t / tau)",
        "sin(f * t) * exp(-t / tau)",
        "exp(-t / other) * cos(f * t + 0.5)",
        "1 - exp(-t / tau)",
    ],
)
def test_the_impulse_response_is_the_kernel(text: str) -> None:
    lowered = lower_kernels(cell(m.Kernel(name="k", value=E(text))))
    assert not verify_component(lowered), verify_component(lowered)[0].message
    expected = 1.5 * np.asarray(evaluate(E(text), {**VALUES, "t": TIMES}))
    assert np.allclose(response(lowered), expected, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize(
    ("text", "slope", "bend"),
    [
        ("t / tau * exp(1 - t / tau)", "(1 - t / tau) / tau * exp(1 - t / tau)", None),
        ("exp(-t / tau) - exp(-t / other)", "exp(-t / other) / other - exp(-t / tau) / tau", None),
        (
            "(t / tau)^2 * exp(-t / tau)",
            "(2 * t / tau - (t / tau)^2) / tau * exp(-t / tau)",
            "(2 - 4 * t / tau + (t / tau)^2) / tau^2 * exp(-t / tau)",
        ),
    ],
)
def test_derivatives_are_shown_under_their_custom_names(
    text: str, slope: str, bend: str | None
) -> None:
    lowered = lower_kernels(cell(m.Kernel(name="k", value=E(text))), show=True)
    assert not verify_component(lowered), verify_component(lowered)[0].message
    shown = {"k__X__in": text, "k__X__in__d": slope, "k__X__in__d__d": bend}
    for name, value in shown.items():
        if value is None:
            assert name not in {item.name for item in lowered.exposures}
            continue
        expected = 1.5 * np.asarray(evaluate(E(value), {**VALUES, "t": TIMES}))
        assert np.allclose(response(lowered, name), expected, rtol=1e-7, atol=1e-6)


def test_a_kernel_of_odes() -> None:
    kernel = m.Kernel(
        name="k",
        odes=(
            m.Ode(variable="k", rhs=E("k__d")),
            m.Ode(variable="k__d", rhs=E("-2 / tau * k__d - k / tau^2")),
        ),
        initial=(
            m.StateVariable(name="k", initial=E("0")),
            m.StateVariable(name="k__d", dimension=u.FREQUENCY, initial=E("exp(1) / tau")),
        ),
    )
    lowered = lower_kernels(cell(kernel))
    assert [s.name for s in lowered.state_variables] == ["x", "k__X__in", "k__X__in__d"]
    expected = 1.5 * TIMES / 2e-3 * np.exp(1 - TIMES / 2e-3)
    assert np.allclose(response(lowered), expected, rtol=1e-7, atol=1e-9)


def test_auxiliary_variables_of_a_kernel_belong_to_its_port() -> None:
    kernel = m.Kernel(
        name="k",
        odes=(
            m.Ode(variable="k", rhs=E("`k$` + rise - k / tau")),
            m.Ode(variable="k$", rhs=E("-`k$` / tau")),
            m.Ode(variable="rise", rhs=E("-rise / tau")),
        ),
        initial=(
            m.StateVariable(name="k", initial=E("0")),
            m.StateVariable(name="k$", dimension=u.FREQUENCY, initial=E("exp(1) / tau")),
            m.StateVariable(name="rise", dimension=u.FREQUENCY, initial=E("0 / tau")),
        ),
    )
    lowered = lower_kernels(cell(kernel))
    names = [s.name for s in lowered.state_variables]
    assert names == ["x", "k__X__in", "k$__X__in", "rise__X__in"]
    expected = 1.5 * TIMES / 2e-3 * np.exp(1 - TIMES / 2e-3)
    assert np.allclose(response(lowered), expected, rtol=1e-7, atol=1e-9)


def test_delta_is_a_jump_after_each_integration() -> None:
    base = cell(m.Kernel(name="k", value=E("exp(-t / tau)")))
    component = replace(
        base,
        odes=(m.Ode(variable="x", rhs=E("-x / tau + 2 * j")),),
        derived_variables=(
            m.DerivedVariable(name="j", dimension=u.FREQUENCY, value=E("convolve(delta, in)")),
        ),
        update=(m.If(branches=((E("x > 0"), (m.Integrate(variables=("x",)),)),)),),
    )
    lowered = lower_kernels(component)
    assert lowered.update == (
        m.If(
            branches=(
                (
                    E("x > 0"),
                    (
                        m.Integrate(variables=("x",)),
                        m.Assign(target="x", value=E("x + 2 * arrived(in)")),
                    ),
                ),
            )
        ),
    )
    assert lowered.odes == (m.Ode(variable="x", rhs=E("-x / tau")),)


def test_what_is_no_kernel_is_refused_by_name() -> None:
    with pytest.raises(ModelError, match="K100"):
        lower_kernels(cell(m.Kernel(name="k", value=E("1 / (1 + t / tau)"))))
