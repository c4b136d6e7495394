"""LEMS expressions: precedence as jLEMS applies it (measured values), errors that point at the place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from interspike.canonical_model.diagnostics import ModelError, Span
from interspike.canonical_model.expr import Binary, Call, Name, Number, Unary
from interspike.lems_types.expressions import parse_expression


def value(text: str) -> float:
    """Evaluate arithmetic by walking the tree."""

    def of(node: object) -> float:
        match node:
            case Number(number):
                return number
            case Unary("-", operand):
                return -of(operand)
            case Unary("not", operand):
                return float(not of(operand))
            case Binary(op, left, right):
                a, b = of(left), of(right)
                table = {
                    "+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b,
                    "/": lambda: a / b, "^": lambda: a**b, "<": lambda: float(a < b),
                    ">": lambda: float(a > b), "<=": lambda: float(a <= b),
                    ">=": lambda: float(a >= b), "==": lambda: float(a == b),
                    "!=": lambda: float(a != b), "and": lambda: float(bool(a) and bool(b)),
                    "or": lambda: float(bool(a) or bool(b)),
                }  # fmt: skip
                return table[op]()
        raise AssertionError(node)

    return of(parse_expression(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2^3^2", 64), ("8/2*3", 12), ("2*-2^2", 8), ("-2^2", -4), ("(-2^2)", -4), ("2+-2^2", 6),
        ("1-2-3", -4), ("1-2+3", 2), ("2*3+4*5", 26), ("2 * (3 + 4)", 14), ("1e-3*1E+3", 1),
        (".5 + 2.", 2.5), ("1 .or. 0 .and. 0", 0), ("1 .or. (0 .and. 0)", 1),
        ("3 .gt. 2 .and. 2 .lt. 3", 1), ("2 .leq. 2", 1), ("2 .neq. 2", 0), ("12/4/3", 1),
        ("-3 + 5", 2), ("-3*2", -6), ("4 - -2", 6),
    ],
)  # fmt: skip
def test_precedence_is_that_of_jlems(text: str, expected: float) -> None:
    assert value(text) == pytest.approx(expected, rel=1e-15)


def test_functions_and_random() -> None:
    assert parse_expression("ln(x)") == Call("log", (Name("x"),))
    assert parse_expression("H(x)") == Call("heaviside", (Name("x"),))
    assert parse_expression("random(3)") == Binary("*", Call("uniform"), Number(3.0))


@pytest.mark.parametrize(
    ("text", "column", "fragment"),
    [
        ("v < 3", 2, ".lt."), ("v + ", 3, "expected a number"), ("(v + 1", 6, "')' is missing"),
        ("v ** 2", 3, "expected"), ("foo(v)", 0, "unknown function"), ("expp(v)", 0, "exp"),
        ("", 0, "missing"), ("a b", 2, "unexpected 'b'"), ("v = 1", 2, ".eq."),
    ],
)  # fmt: skip
def test_errors_name_the_column_and_what_was_meant(text: str, column: int, fragment: str) -> None:
    with pytest.raises(ModelError) as caught:
        parse_expression(text, Span("m.xml", 7, 10))
    issue = caught.value.issues[0]
    assert issue.code == "L101"
    assert issue.span == Span("m.xml", 7, 10 + column)
    assert fragment in issue.message + issue.hint


def test_deep_and_long_expressions_are_refused() -> None:
    for text in ("(" * 5000 + "1" + ")" * 5000, "1+" * 20000 + "1", "-" * 15000 + "1"):
        with pytest.raises(ModelError):
            parse_expression(text)


@given(st.text(alphabet="ab1.+-*/^() \tegtlorndH<=", max_size=40))
def test_any_text_gives_a_tree_or_a_model_error(text: str) -> None:
    try:
        parse_expression(text)
    except ModelError as problem:
        assert problem.issues[0].code in ("L101", "L102")
