"""Expressions as text: print and parse are inverse; parentheses are few; errors name the column."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from interspike.canonical_model.diagnostics import ModelError
from interspike.canonical_model.expr import Binary, Conditional, Name, Number, Unary, add, walk
from interspike.canonical_model.expr_text import (
    COMMON_UNITS,
    InfixPrinter,
    PrinterTable,
    parse_expr,
    parse_number,
    print_expr,
    print_latex,
    print_math,
)
from interspike.canonical_model.units import Dimension, Unit


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_parse_is_the_inverse_of_print(expressions, data):
    expr = data.draw(expressions)
    text = print_expr(expr)
    assert parse_expr(text) == expr
    assert "\n" not in text


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=30) | st.text(alphabet="ab1.e-+*/^(){},<=`\\ \n", max_size=40))
def test_any_text_is_read_or_refused(text):
    with contextlib.suppress(ModelError):
        expr = parse_expr(text)
        assert print_expr(parse_expr(print_expr(expr))) == print_expr(expr)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_forms_for_people_accept_everything(expressions, data):
    expr = data.draw(expressions)
    assert print_math(expr).isprintable()
    latex = print_latex(expr)
    assert "$" not in latex.replace(r"\$", "")


@pytest.mark.parametrize(
    "text",
    [
        "a - (b - c)", "a - b - c", "a^b^c", "(a^b)^c", "-a^2", "(-a)^2", "(-2)^2", "-2^2", "-(2)",
        "--2", "a * -b", "a^-b", "not a < b and c == d", "(a < b) == c", "-(a + b)", "-a + b",
        "a / (b * c)", "a % b / c", "if(a < b, c, d)", "if(a < b, c, d > e, f, g)", "3.5 mV * x",
        "(3 mV)^2", "sum(`channels[*]/i`)", "select(`a/b`, optional)", "`a b` + x", "uniform()",
        "20 {mmHg, m=1, l=-1, t=-2, scale=133.322}", "20 degC", "expdd(a, b, c)", "inf - nan",
    ],
)  # fmt: skip
def test_canonical_text_is_kept(text):
    assert print_expr(parse_expr(text)) == text


def test_precedence_is_that_of_mathematics():
    a, b, c = Name("a"), Name("b"), Name("c")
    assert parse_expr("a + b * c") == Binary("+", a, Binary("*", b, c))
    assert parse_expr("a - b - c") == Binary("-", Binary("-", a, b), c)
    assert parse_expr("a^b^c") == Binary("^", a, Binary("^", b, c))
    assert parse_expr("-a^b") == Unary("-", Binary("^", a, b))
    assert parse_expr("a or b and c") == Binary("or", a, Binary("and", b, c))


@pytest.mark.parametrize("value", [0.1, 1e-300, 5e-324, 1.7976931348623157e308, -0.0, 1 / 3, 1e22])
def test_numbers_are_exact(value):
    assert repr(parse_number(print_expr(Number(value))).value) == repr(value)


def test_units_say_everything():
    odd = Unit("mV", Dimension(m=1), 3.0)
    assert parse_expr(print_expr(Number(1.0, odd))) == Number(1.0, odd)
    assert print_expr(Number(1.0, COMMON_UNITS["mV"])) == "1 mV"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a +", "column 4"),
        ("a b", "unexpected 'b' (column 3"),
        ("a < b < c", "comparisons do not chain"),
        ("3 mX", "not a common unit"),
        ("sin(a, b)", "takes 1"),
        ("if(a, b)", "one more"),
        ("(a", "expected ')'"),
        ("a == not b", "parentheses"),
        ("", "expected a value"),
    ],
)
def test_mistakes_are_named(text, message):
    with pytest.raises(ModelError, match="M120") as caught:
        parse_expr(text)
    assert message in str(caught.value)


@pytest.mark.parametrize("text", ["(" * 100_000, "-" * 50_000 + "x", "f(" * 99_999, "1" * 199_999])
def test_hostile_text_ends_soon(text):
    with contextlib.suppress(ModelError):
        parse_expr(text)


def test_long_sums_are_no_danger():
    total = add([Name(f"i{k}") for k in range(5000)])
    again = parse_expr(print_expr(total))
    assert sum(1 for _ in walk(again)) == 9999


def test_mathematics_for_people():
    expr = parse_expr("if(v <= 0, (iSyn + iMemb) / tau_m^2, -2 * exp(x))")
    assert print_math(expr) == "{(iSyn + iMemb)/tau_m^2 if v ≤ 0; -2*exp(x) otherwise}"
    fraction = parse_expr("(E - v) / tau_m")
    assert print_latex(fraction) == r"\frac{E - v}{\tau_{m}}"


def test_a_table_makes_another_language():
    class C(InfixPrinter):
        table = PrinterTable(
            {**InfixPrinter.table.operators, "^": "pow(", "and": " && "}, {"abs": "fabs"}
        )

        def conditional(self, parts):
            (test, _), (value, _), (otherwise, _) = parts
            return f"({test} ? {value} : {otherwise})", 9

    expr = parse_expr("if(a < b and c > d, x^2 * abs(y), 1)")
    assert C().text(expr) == "(a < b && c > d ? pow(x, 2) * fabs(y) : 1)"
    assert isinstance(expr, Conditional)
