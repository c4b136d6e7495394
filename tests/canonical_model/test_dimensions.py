"""Dimensions of expressions, with equations of textbook cells as the independent check."""

from __future__ import annotations

import pytest
from interspike.canonical_model import units as u
from interspike.canonical_model.diagnostics import Span
from interspike.canonical_model.dimensions import infer, problems
from interspike.canonical_model.expr_text import parse_expr

KNOWN = {
    "v": u.VOLTAGE, "E": u.VOLTAGE, "g": u.CONDUCTANCE, "i": u.CURRENT, "C": u.CAPACITANCE,
    "tau": u.TIME, "k": u.NONE, "r": u.FREQUENCY, "x": u.NONE, "A": u.AREA,
}  # fmt: skip


def codes(text, expected=None, **options):
    return [issue.code for issue in problems(parse_expr(text), KNOWN.get, expected, **options)]


@pytest.mark.parametrize(
    ("text", "dimension"),
    [
        ("(g * (E - v) + i) / C", u.VOLTAGE / u.TIME),
        ("(E - v) / tau", u.VOLTAGE / u.TIME),
        ("C / g", u.TIME),
        ("r * (1 - x)", u.FREQUENCY),
        ("exp((v - E) / (5 mV))", u.NONE),
        ("t - tau", u.TIME),
        ("sqrt(v^2)", u.VOLTAGE),
        ("v^(1/2) * v^0.5", u.VOLTAGE),
        ("A^1.5", u.VOLUME),
        ("max(v, E)", u.VOLTAGE),
        ("abs(i)", u.CURRENT),
        ("sign(v) * i", u.CURRENT),
        ("heaviside(t - tau)", u.NONE),
        ("if(v > E, i, g * v)", u.CURRENT),
        ("-v % E", u.VOLTAGE),
        ("tau * r", u.NONE),
        ("v > E and t < tau", u.NONE),
    ],
)
def test_inferred(text, dimension):
    assert infer(parse_expr(text), KNOWN.get) == dimension
    assert codes(text, dimension) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("v + tau", "U201"),
        ("v > 0", "U201"),
        ("if(v > E, i, v)", "U201"),
        ("min(v, tau)", "U201"),
        ("exp(v)", "U202"),
        ("floor(v)", "U202"),
        ("not v", "U202"),
        ("if(v, 1, 2)", "U202"),
        ("exprel(v)", "U202"),
        ("v^k", "U203"),
        ("k^v", "U203"),
        ("v^inf", "U203"),
        ("v^(9^9^9^9)", "U203"),
    ],
)
def test_reported_once(text, code):
    assert codes(text) == [code]


def test_the_message_names_both_sides_the_text_and_the_place():
    span = Span("cell.xml", 3, 7)
    (issue,) = problems(parse_expr("1 + (v + tau) * k", span), KNOWN.get)
    assert "'v' is voltage" in issue.message
    assert "'tau' is time" in issue.message
    assert issue.text == "v + tau"
    assert issue.span == span


def test_declared_dimension():
    (issue,) = problems(parse_expr("g * v"), KNOWN.get, u.VOLTAGE)
    assert issue.code == "U204"
    assert "dimension current where voltage is declared" in issue.message
    (issue,) = problems(parse_expr("5"), KNOWN.get, u.VOLTAGE)
    assert "quantity of dimension voltage" in issue.hint


def test_unknown_names_are_left_to_others():
    assert codes("nobody + v", u.VOLTAGE) == []
    assert codes("exp(nobody)", u.NONE) == []
    assert codes("nobody * v + tau + v") == ["U201"]
    assert infer(parse_expr("sum(`a[*]/b`)"), KNOWN.get) is None


def test_a_literal_zero_is_strict_unless_set_free():
    assert codes("v > 0") == ["U201"]
    assert codes("v > 0", free_zero=True) == []
    assert codes("0", u.VOLTAGE, free_zero=True) == []
    assert codes("v > 1", free_zero=True) == ["U201"]
