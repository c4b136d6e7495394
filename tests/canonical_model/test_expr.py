"""Forms in which expressions are written for languages with fewer functions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from interspike.canonical_model.expr import Name, expm1_by_tanh
from interspike.solvers.evaluate import evaluate


@pytest.mark.parametrize("x", [-1500.0, -30.0, -1.0, -1e-9, 0.0, 1e-12, 0.3, 12.0, 700.0])
def test_exp_minus_one_keeps_its_digits(x: float) -> None:
    found = float(evaluate(expm1_by_tanh(Name("x")), {"x": np.float64(x)}))
    assert found == pytest.approx(math.expm1(x), rel=1e-14)
