"""What literals, units and operators mean: values that were worked out by hand from the documentation."""

from __future__ import annotations

import math
from typing import Any

import pytest
from interspike.canonical_model.expr import Binary, Call, Name, Number, Unary
from interspike.canonical_model.expr_print import print_expr


@pytest.mark.parametrize(
    ("expr", "kind", "expected"),
    [
        # section 5: a number and its unit are one literal; a prefix counts once
        ("1 V", "mV", 1.0),
        ("3 mV + 1 V", "mV", 1.003),
        ("-3 mV", "mV", -0.003),
        ("10 Hz * 1 s", "real", 10.0),
        ("10 1/s * 1 s", "real", 10.0),
        ("1 mV*ms / 1 ms", "mV", 1e-3),
        ("6 mV / 2 ms / 3 ms", "mV/ms**2", 6e-3 / 2e-3 / 3e-3),
        ("6 mV / 2 ms * 3 ms", "mV", 9e-3),
        ("42 pA / tau", "pA/ms", 42e-12 / 10e-3),
        ("1 ms * one / tau", "real", 0.1),
        ("20 mV / 2 ms / tau", "mV/ms**2", 0.02 / 2e-3 / 10e-3),
        ("1 (mV/ms) * 1 ms", "mV", 1e-3),
        ("2 ms**-1 * 1 s", "real", 2000.0),
        ("1 MOhm * 1 nA", "mV", 1e-3),
        ("exp(-1 ms / tau)", "real", math.exp(-0.1)),
        # section 4: precedence
        ("-2 ** 2", "real", -4.0),
        ("2 ** -1", "real", 0.5),
        ("2 ** 3 ** 2", "real", 512.0),
        ("2 - 3 - 4", "real", -5.0),
        ("16 / 4 / 2", "real", 2.0),
        ("1 + 2 * 3 % 2", "real", 1.0),
        ("-5 // 2", "real", -2.0),
        ("5 // 2", "real", 2.0),
        ("-5 % 3", "real", -2.0),
        ("5 / 2", "real", 2.5),
        ("7 & 3 == 3 ? 1 : 2", "real", 1.0),
        ("1 << 2 + 1", "real", 8.0),
        ("not 2 == 1 ? 1 : 0", "real", 1.0),
        ("(1 == 1 or 1 == 2 and 1 == 3) ? 1 : 0", "real", 1.0),
        ("1 == 2 ? 10 : 1 == 1 ? 20 : 30", "real", 20.0),
        # functions
        ("clip(7, 1, 3)", "real", 3.0),
        ("clip(-7, 1, 3)", "real", 1.0),
        ("min(2 mV, 1 V)", "mV", 0.002),
        ("ln(e)", "real", 1.0),
        ("log10(1000)", "real", 3.0),
        ("round(2.5)", "real", 3.0),
        ("round(-2.5)", "real", -3.0),
        ("ceil(1.2 mV)", "mV", 0.002),
        ("abs(-3 mV)", "mV", 0.003),
        ("pow(3 mV, 2) / 1 mV", "mV", 0.009),
        ("erf(0.5) + erfc(0.5)", "real", 1.0),
        ("expm1(1e-9) * 1e9", "real", 1.0000000005),
        # silent casts: the engine's numbers, in mV, ms, pA, nS
        ("tau", "real", 10.0),
        ("1 / tau", "real", 0.1),
        ("C", "real", 250.0),
        ("exp(tau)", "real", math.exp(10.0)),
        ("tau + 3", "ms", 0.013),
    ],
)  # fmt: skip
def test_value(nestml: Any, expr: str, kind: str, expected: float) -> None:
    assert nestml.value(expr, kind) == pytest.approx(expected, rel=1e-12)


def test_integers_divide_as_real_numbers_and_the_difference_is_remarked(nestml: Any) -> None:
    parts = {"parameters": "five integer = 5\n        two integer = 2", "update": "r = five / two"}
    component = nestml.load(**parts)
    assert print_expr(component.update[-1].value) == "five / two"
    assert "N061" in nestml.remarks(**parts)


def test_spans_are_exact(nestml: Any) -> None:
    text = "model m:\n    state:\n        x mV = 1 mV + 2 pA\n"
    (issue,) = nestml.failures(text)
    assert (issue.span.line, issue.span.column) == (3, 21)
    assert "'1 mV' is in mV" in issue.message
    assert "'2 pA' is in pA" in issue.message


def test_a_port_counts_per_second_in_programs_and_is_a_train_in_equations(nestml: Any) -> None:
    component = nestml.load(
        equations="w' = 3 pA * spikes",
        blocks="onReceive(spikes):\n        w += 1 pA * spikes * 1 s",
        update="w += 1 pA * spikes * 1 s\n        integrate_odes(w)",
    )
    assert component.odes[1].rhs.right == Call("convolve", (Name("delta"), Name("spikes")))
    weight = component.on_events[0].body[0].value.right.left.right.left
    assert weight == Name("weight")
    assert component.update[1].value.right.left.right.left == Call("arrived", (Name("spikes"),))


def test_convolution_with_a_dirac_kernel_counts_per_ms(nestml: Any) -> None:
    component = nestml.load(
        equations="kernel D = delta(t) * 2\n        w' = 1 pA/ms * convolve(spikes, D)",
        update="integrate_odes(w)",
    )
    assert print_expr(component.odes[1].rhs).endswith("* (2 * (convolve(delta, spikes) * 1 ms))")


def test_higher_order_equations_and_primes(nestml: Any) -> None:
    component = nestml.load(
        state="g nS = 0 nS\n        g' nS/ms = 1 nS/ms",
        equations="g'' = -g' / tau - g / tau**2",
        update="g' += 2 nS/ms\n        integrate_odes(g)",
    )
    assert [ode.variable for ode in component.odes] == ["V", "g", "g__d"]
    assert component.odes[1].rhs == Name("g__d")
    assert component.update[1].target == "g__d"


def test_ode_kernels_take_their_states_along(nestml: Any) -> None:
    component = nestml.load(
        state="q real = 0\n        q$ real = 3",
        equations=(
            "kernel q' = q$ * 1 1/ms - q / tau,   # rise\n"
            "               q$' = -q$ / tau\n        inline c real = convolve(q, spikes)"
        ),
    )
    (_, kernel) = component.kernels
    assert [ode.variable for ode in kernel.odes] == ["q", "q$"]
    assert [state.initial for state in kernel.initial] == [Number(0.0), Number(3.0)]
    assert "q" not in {state.name for state in component.state_variables}
    assert kernel.description == "rise"


def test_delayed_variables(nestml: Any) -> None:
    component = nestml.load(equations="inline late mV = V(t - 2 ms)")
    assert print_expr(component.derived_variables[0].value) == "delayed(V, 2 ms)"


def test_random_draws_are_made_of_standard_ones(nestml: Any) -> None:
    component = nestml.load(
        update="V = random_normal(1 mV, 2 mV)\n        n = random_poisson(3)\n"
        "        r = random_uniform(1, 2)"
    )
    shown = [print_expr(item.value) for item in component.update[1:]]
    assert shown == ["1 mV + 2 mV * normal()", "poisson(3)", "1 + 2 * uniform()"]


def test_constants_are_folded_exactly(nestml: Any) -> None:
    component = nestml.load(
        parameters="p mV = 10 mV + 20 mV\n        q mV = -inf * 1 mV\n        s real = 0.1 + 0.2\n"
        "        z mV = p / 2"
    )
    values = {item.name: item.value for item in component.parameters}
    assert values["p"].value == 30.0 and str(values["p"].unit.symbol) == "mV"
    assert values["q"].value == -math.inf
    assert values["s"].value == 0.3
    assert component.extras["parameter:z"] == "settable"


def test_truth_literals_as_conditions(nestml: Any) -> None:
    component = nestml.load(update="ok = true\n        if ok == False:\n            r = 1")
    assert component.update[1].value == Number(1.0)
    assert isinstance(component.update[2].branches[0][0], Binary)


def test_initial_values_of_states_that_read_others(nestml: Any) -> None:
    component = nestml.load(state="y mV = V + 1 mV\n        z mV = 2 * y")
    initial = {item.name: print_expr(item.initial) for item in component.state_variables}
    assert initial["y"] == "0 mV + 1 mV"
    assert initial["z"] == "2 * (0 mV + 1 mV)"


def test_negative_literals_keep_their_sign_apart(nestml: Any) -> None:
    component = nestml.load(update="V = -3 mV")
    assert isinstance(component.update[-1].value, Unary)
