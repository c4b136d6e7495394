"""Functions inlined: the expression has the value that the body computes."""

from __future__ import annotations

import pytest
from interspike.canonical_model import model as m
from interspike.canonical_model.diagnostics import ModelError
from interspike.canonical_model.expr_text import parse_expr as E
from interspike.canonical_model.passes.inline import inline_functions
from interspike.solvers.evaluate import evaluate


def assign(target: str, value: str) -> m.Assign:
    return m.Assign(target=target, value=E(value))


def component(body: tuple[m.Statement, ...], call: str) -> m.Component:
    function = m.Function(name="f", arguments=(m.Argument(name="x"),), body=body)
    twice = m.Function(
        name="twice", arguments=(m.Argument(name="y"),), body=(m.Return(value=E("2 * y")),)
    )
    return m.Component(
        name="c",
        functions=(function, twice),
        state_variables=(m.StateVariable(name="s"),),
        derived_variables=(m.DerivedVariable(name="d", value=E(call)),),
    )


BRANCHING = (
    m.Declare(name="y", value=E("x + 1")),
    m.If(
        branches=((E("y > 3"), (assign("y", "10 * y"),)), (E("y > 2"), (m.Return(value=E("-1")),))),
    ),
    m.For(variable="i", start=E("0"), stop=E("3"), step=E("1"), body=(assign("y", "y + i * x"),)),
    m.Return(value=E("twice(y)")),
)


def python(x: float) -> float:
    y = x + 1
    if y > 3:
        y = 10 * y
    elif y > 2:
        return -1
    for i in range(3):
        y = y + i * x
    return 2 * y


@pytest.mark.parametrize("x", [-2.0, 0.0, 1.5, 2.0, 2.5, 7.0])
def test_branches_locals_and_loops(x: float) -> None:
    found = inline_functions(component(BRANCHING, "f(s) + f(2 * s)"))
    assert not found.functions
    assert evaluate(found.derived_variables[0].value, {"s": x}) == python(x) + python(2 * x)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ((m.Return(value=E("f(x - 1)")),), "calls itself"),
        ((m.If(branches=((E("x > 0"), (m.Return(value=E("x")),)),)),), "without returning"),
        (
            (m.While(test=E("x > 0"), body=(assign("x", "x - 1"),)), m.Return(value=E("x"))),
            "unknown",
        ),
    ],
)
def test_what_cannot_be_followed_is_refused(body: tuple[m.Statement, ...], why: str) -> None:
    with pytest.raises(ModelError, match=why):
        inline_functions(component(body, "f(s)"))
