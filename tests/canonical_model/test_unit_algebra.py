"""Laws of the unit algebra."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from interspike.canonical_model.units import (
    NEURO,
    NONE,
    SI,
    VOLTAGE,
    Dimension,
    Quantity,
    Unit,
    UnitSystem,
    dimension_name,
)

DIMENSIONS = st.builds(Dimension, *[st.integers(-6, 6)] * 7)
SYSTEMS = st.builds(UnitSystem, st.tuples(*[st.integers(-12, 12)] * 7))


@given(a=DIMENSIONS, b=DIMENSIONS, c=DIMENSIONS)
def test_dimensions_are_an_abelian_group(a, b, c):
    assert a * b == b * a
    assert (a * b) * c == a * (b * c)
    assert a * NONE == a
    assert a / a == NONE
    assert (a * b) / b == a


@given(a=DIMENSIONS, b=DIMENSIONS, n=st.integers(-3, 3))
def test_powers_distribute(a, b, n):
    assert (a * b) ** n == a**n * b**n
    assert a**1 == a
    assert (a**2) ** 0.5 == a
    assert hash(a * b) == hash(b * a)


@given(a=DIMENSIONS, b=DIMENSIONS, system=SYSTEMS)
def test_sizes_in_a_coherent_system_multiply(a, b, system):
    product = system.size(a) * system.size(b)
    if 1e-290 < product < 1e290 and product != 0:
        assert system.size(a * b) == pytest.approx(product, rel=1e-12)
    assert SI.size(a) == 1.0


def test_the_neuroscience_system():
    assert NEURO.size(VOLTAGE) == 1e-3
    assert NEURO.size(Dimension(i=1)) == 1e-12
    assert NEURO.size(Dimension(m=-1, l=-2, t=3, i=2)) == 1e-9


@given(value=st.floats(-1e6, 1e6), scale=st.floats(1e-9, 1e9), offset=st.floats(-1e3, 1e3))
def test_si_value(value, scale, offset):
    assert Quantity(value, Unit("x", VOLTAGE, scale, offset)).si == value * scale + offset


def test_names():
    assert dimension_name(VOLTAGE) == "voltage"
    assert dimension_name(Dimension(m=1, l=2, t=-3)) == "kg m2 s-3"
