"""Update plans against independent truth: expm, closed forms, orders of convergence."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from interspike.canonical_model.circuit import Circuit, Group, Probe
from interspike.canonical_model.diagnostics import ModelError
from interspike.canonical_model.expr import TIME, Binary, Call, Expr, Name, Number
from interspike.canonical_model.expr_text import parse_expr
from interspike.canonical_model.model import (
    AnalogInput,
    Component,
    DerivedVariable,
    Ode,
    Parameter,
    Regime,
    RegimeMachine,
    StateVariable,
)
from interspike.canonical_model.units import Quantity
from interspike.solvers.evaluate import coefficient_values, evaluate, parameter_values
from interspike.solvers.numeric import expdd, exprel
from interspike.solvers.plan import STEP, UpdatePlan
from interspike.solvers.planner import plan_update
from interspike.solvers.simulate import simulate
from scipy.integrate import solve_ivp
from scipy.linalg import expm


def component(
    odes: dict[str, str], parameters: dict[str, float] | None = None, **more: Any
) -> Component:
    return Component(
        name="model",
        parameters=tuple(
            Parameter(name=name, value=Quantity(value))
            for name, value in (parameters or {}).items()
        ),
        state_variables=tuple(StateVariable(name=name) for name in odes),
        odes=tuple(Ode(variable=name, rhs=parse_expr(text)) for name, text in odes.items()),
        **more,
    )


def advance(
    model: Component,
    plan: UpdatePlan,
    state: dict[str, float],
    h: float,
    steps: int = 1,
    **inputs: float,
) -> dict[str, float]:
    """Interpret the plan's only program."""
    values = parameter_values(model)
    known = {**values, **coefficient_values(plan, values, h), **inputs}
    ((_, program),) = plan.programs
    for k in range(steps):
        local: dict[str, Any] = {**known, **state, TIME: k * h, STEP: h}
        for instruction in program.instructions:
            local[instruction.target] = evaluate(instruction.value, local)
        state = {**state, **{name: float(local[source]) for name, source in program.commits}}
    return state


rates = st.one_of(
    st.sampled_from([0.0, -1.0, -1.0 - 2**-52, -1.0 + 2**-53, -1e-3, -1e3, 0.5]),
    st.floats(-50, 1, allow_nan=False),
)
couplings = st.floats(-3, 3, allow_nan=False).map(lambda x: 0.0 if abs(x) < 1e-3 else x)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_triangular_systems_are_exact_also_at_equal_rates(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 4))
    matrix = np.zeros((size, size))
    odes, parameters = {}, {}
    for i in range(size):
        terms = []
        for j in range(i + 1):
            matrix[i, j] = data.draw(rates if i == j else couplings)
            parameters[f"a{i}{j}"] = matrix[i, j]
            terms.append(f"a{i}{j} * x{j}")
        odes[f"x{i}"] = " + ".join(terms)
    model = component(odes, parameters)
    state = {f"x{i}": float(i + 1) for i in range(size)}
    found = advance(model, plan_update(model, "exact"), state, 0.1)
    # scipy's expm loses digits where rates differ by many decades; mpmath does not
    with mpmath.workdps(40):
        exact = mpmath.expm(mpmath.matrix((matrix * 0.1).tolist())) * mpmath.matrix(
            list(state.values())
        )
        truth = np.array([float(x) for x in exact])
    assert np.allclose(list(found.values()), truth, rtol=1e-12, atol=1e-13 * np.abs(truth).max())


def test_coupled_systems_use_the_matrix_exponential() -> None:
    model = component(
        {"x": "-2 * x + 3 * y + u", "y": "-3 * x - y"}, analog_inputs=(AnalogInput(name="u"),)
    )
    plan = plan_update(model, "exact")
    assert plan.matrices
    found = advance(model, plan, {"x": 1.0, "y": -1.0}, 0.2, u=0.5)
    matrix = np.array([[-2.0, 3.0, 0.5], [-3.0, -1.0, 0.0], [0.0, 0.0, 0.0]])
    truth = expm(matrix * 0.2) @ [1.0, -1.0, 1.0]
    assert np.allclose([found["x"], found["y"]], truth[:2], rtol=1e-13)


def test_a_membrane_with_alpha_synapse_and_equal_time_constants() -> None:
    """tau = 2 for all: I = t e^(-t/2), V = integral, in closed form t^2/2 e^(-t/2)."""
    model = component(
        {"dI": "-dI / tau_s", "I": "dI - I / tau_s", "V": "-V / tau_m + I"},
        {"tau_s": 2.0, "tau_m": 2.0},
    )
    found = advance(model, plan_update(model), {"dI": 1.0, "I": 0.0, "V": 0.0}, 0.1, 30)
    t = 3.0
    assert found["I"] == pytest.approx(t * math.exp(-t / 2), rel=1e-13)
    assert found["V"] == pytest.approx(t * t / 2 * math.exp(-t / 2), rel=1e-13)


def test_a_held_input_is_integrated_exactly_even_without_leak() -> None:
    model = component(
        {"v": "(EL - v) / tau + i / C", "q": "i"},
        {"EL": -65.0, "tau": 10.0, "C": 2.0},
        analog_inputs=(AnalogInput(name="i"),),
    )
    found = advance(model, plan_update(model, "exact"), {"v": -70.0, "q": 1.0}, 0.5, i=3.0)
    assert found["v"] == pytest.approx(-65 + 15 + (-70 - -50) * math.exp(-0.05), rel=1e-14)
    assert found["q"] == pytest.approx(2.5)


@pytest.mark.parametrize(
    ("scheme", "order"), [("euler", 1), ("rk4", 4), ("expeuler", 1), ("implicit", 2)]
)
def test_orders_of_convergence(scheme: str, order: int) -> None:
    """x' = -x^2 driven by an exactly solvable state, y' = -y: the whole system at the scheme's order."""
    model = component({"y": "-y", "x": "-x^2 + y"})
    from scipy.integrate import solve_ivp

    truth = solve_ivp(
        lambda t, s: [-s[0], -(s[1] ** 2) + s[0]], (0, 1), [1.0, 2.0], rtol=1e-13, atol=1e-14
    )
    plan = plan_update(model, scheme)
    errors = [
        abs(advance(model, plan, {"y": 1.0, "x": 2.0}, 1 / n, n)["x"] - truth.y[1, -1])
        for n in (16, 32)
    ]
    assert math.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.35)


def test_auto_keeps_order_four_when_an_exact_state_drives_a_nonlinear_one() -> None:
    model = component({"y": "-y", "x": "-x^2 + y"})
    plan = plan_update(model)
    assert [block.scheme for block in plan.blocks] == ["exact", "rk4"]
    from scipy.integrate import solve_ivp

    truth = solve_ivp(
        lambda t, s: [-s[0], -(s[1] ** 2) + s[0]], (0, 1), [1.0, 2.0], rtol=1e-13, atol=1e-14
    )
    errors = [
        abs(advance(model, plan, {"y": 1.0, "x": 2.0}, 1 / n, n)["x"] - truth.y[1, -1])
        for n in (16, 32)
    ]
    assert math.log2(errors[0] / errors[1]) == pytest.approx(4, abs=0.35)


def test_implicit_is_stable_on_a_stiff_system_and_auto_chooses_it() -> None:
    model = component({"x": "-1e6 * (x^3 - c)"}, {"c": 1.0})
    model = Component(
        name="stiff", parameters=model.parameters, odes=model.odes,
        state_variables=(StateVariable(name="x", initial=Number(2.0)),),
    )  # fmt: skip
    plan = plan_update(model, step=0.01)
    assert plan.blocks[0].scheme == "implicit"
    assert "per step" in plan.blocks[0].reason
    assert advance(model, plan, {"x": 2.0}, 0.01, 40)["x"] == pytest.approx(1.0, abs=1e-3)


def test_conditionally_linear_gates_take_exponential_euler_when_stiff() -> None:
    model = component({"m": "(v - m) / tau", "v": "-m * v"}, {"tau": 1e-6})
    plan = plan_update(model, step=1e-4)
    assert {block.scheme for block in plan.blocks} == {"expeuler"}


def test_what_has_no_exact_solution_is_named_with_the_reason() -> None:
    with pytest.raises(ModelError, match=r"S201.*dx/dt is not linear"):
        plan_update(component({"x": "x^2"}), "exact")
    with pytest.raises(ModelError, match=r"S200.*'rk5'"):
        plan_update(component({"x": "-x"}), "rk5")


def test_circles_of_derived_variables_are_named() -> None:
    circle = (
        DerivedVariable(name="a", value=Name("b")),
        DerivedVariable(name="b", value=Binary("+", Name("a"), Number(1.0))),
    )
    with pytest.raises(ModelError, match=r"S210.*a.*b"):
        plan_update(component({"x": "a"}, derived_variables=circle))


def test_each_combination_of_regimes_has_its_program() -> None:
    def regime(name: str, rate: str) -> Regime:
        return Regime(name=name, odes=(Ode(variable="x", rhs=parse_expr(rate)),))

    machine = RegimeMachine(regimes=(regime("up", "1 - x"), Regime(name="hold")))
    plan = plan_update(
        Component(name="m", state_variables=(StateVariable(name="x"),), machines=(machine,))
    )
    assert [names for names, _ in plan.programs] == [("up",), ("hold",)]
    assert [len(program.commits) for _, program in plan.programs] == [1, 0]
    many = tuple(RegimeMachine(name=f"m{k}", regimes=machine.regimes) for k in range(5))
    with pytest.raises(ModelError, match="S204"):
        plan_update(Component(name="m", state_variables=(StateVariable(name="x"),), machines=many))


def test_plans_are_deterministic() -> None:
    model = component(
        {"dI": "-dI / a", "I": "dI - I / a", "V": "-V / b + I", "u": "V^2 - u"},
        {"a": 1.0, "b": 2.0},
    )
    assert plan_update(model) == plan_update(model)


@pytest.mark.parametrize("points", [(0.0, 0.0, 0.0), (1.0, 1.0 + 1e-15, 1.0 - 1e-15), (-30.0, 0.0, 2.0),
                                    (-1e-9, 0.0, 1e-9), (-700.0, -1.0, -1.0, 0.0)])  # fmt: skip
def test_divided_differences_keep_their_digits(points: tuple[float, ...]) -> None:
    with mpmath.workdps(200):
        # distinct points by tiny moves in high precision give the limit
        moved = [mpmath.mpf(p) + mpmath.mpf(10) ** -25 * k for k, p in enumerate(points)]
        table = [mpmath.exp(p) for p in moved]
        for level in range(1, len(moved)):
            table = [
                (table[k + 1] - table[k]) / (moved[k + level] - moved[k])
                for k in range(len(table) - 1)
            ]
        truth = float(table[0])
    assert float(expdd(*points)) == pytest.approx(truth, rel=2e-13)


def test_exprel_at_zero() -> None:
    assert exprel(0.0) == 1.0
    assert float(exprel(1e-12)) == pytest.approx(1.0, rel=1e-11)


def sympy_of(expr: Expr) -> Any:
    import sympy

    match expr:
        case Number(value):
            return sympy.Float(value, 30)
        case Name(name):
            return sympy.Symbol(name, real=True)
        case Binary(op, left, right):
            a, b = sympy_of(left), sympy_of(right)
            return {"+": a + b, "-": a - b, "*": a * b, "/": a / b, "^": a**b}[op]
        case Call(function, args):
            table = {"log10": lambda x: sympy.log(x, 10), "expm1": lambda x: sympy.exp(x) - 1,
                     "abs": sympy.Abs}  # fmt: skip
            return table.get(function, getattr(sympy, function, None))(*map(sympy_of, args))
    raise AssertionError(expr)


@pytest.mark.parametrize("text", [
    "sin(x) * cos(x)", "tan(x)", "exp(-x^2)", "log(x) / x", "sqrt(x)", "x^x", "x^3", "3^x", "tanh(x)",
    "sinh(x) - cosh(x)", "asin(x) + acos(x)", "atan(x)", "log10(x)", "expm1(x)", "erf(x)", "abs(x)",
    "1 / (1 + exp((x - 2) / 3))", "x / (1 - exp(-x))",
])  # fmt: skip
def test_derivatives_agree_with_sympy(text: str) -> None:
    import sympy
    from interspike.canonical_model.algebra import Definitions

    expr = parse_expr(text)
    ours = Definitions({}).derivative(expr, "x")
    if isinstance(expr, Binary):
        pass
    truth = sympy.diff(sympy_of(_plain(expr)), sympy.Symbol("x", real=True))
    for x in (0.3, 0.7):
        expected = float(truth.subs(sympy.Symbol("x", real=True), x))
        assert float(evaluate(ours, {"x": x})) == pytest.approx(expected, rel=1e-12)


def _plain(expr: Expr) -> Expr:
    """Unary minus as a product, which `sympy_of` knows."""
    from interspike.canonical_model.expr import Unary, rebuild

    if isinstance(expr, Unary):
        return Binary("*", Number(-1.0), _plain(expr.operand))
    return rebuild(expr, _plain)


@pytest.mark.parametrize("scheme", ["rk4", "expeuler", "implicit", "rkf45", "euler"])
def test_a_state_may_be_called_h(scheme: str) -> None:
    """h is a gate in every second channel model, and the step in every second book."""
    names = {"h": "(1 - h) / 0.01 - h * h * 3", "m": "h - m / 0.02"}
    gates = Component(
        name="gates",
        state_variables=tuple(StateVariable(name=n, initial=Number(0.2)) for n in names),
        odes=tuple(Ode(variable=n, rhs=parse_expr(rhs)) for n, rhs in names.items()),
    )
    probes = tuple(Probe(label=n, group="g", index=0, variable=n) for n in names)
    group = Group(name="g", component=gates, size=1)
    run = simulate(
        Circuit(name="c", groups=(group,), probes=probes),
        mode="grid", scheme=scheme, length=0.02, step=1e-5,
    )  # fmt: skip
    truth = solve_ivp(
        lambda t, y: [(1 - y[0]) / 0.01 - 3 * y[0] ** 2, y[0] - y[1] / 0.02],
        (0, 0.02), [0.2, 0.2], t_eval=run.times, rtol=1e-10, atol=1e-12,
    )  # fmt: skip
    assert np.abs(run.traces["h"] - truth.y[0]).max() < 1e-3
    assert np.abs(run.traces["m"] - truth.y[1]).max() < 1e-3


def test_dividing_by_a_parameter_of_zero_is_no_crash() -> None:
    assert math.isinf(evaluate(parse_expr("a / b"), {"a": 1.0, "b": 0.0}))
    assert evaluate(parse_expr("if(b == 0, 2, a / b)"), {"a": 1.0, "b": 0.0}) == 2.0
