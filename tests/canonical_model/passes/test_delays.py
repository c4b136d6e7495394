"""Delayed quantities on a grid, against Euler's method with a history and against the method of steps."""

from __future__ import annotations

import numpy as np
import pytest
from interspike.app.simulate import simulate
from interspike.canonical_model.diagnostics import Log, ModelError
from interspike.canonical_model.model import Model
from interspike.importers.nestml.reader import read

TEXT = """model dde:
    state:
        x real = 1
    parameters:
        d ms = {delay}
        T ms = 2 ms
    equations:
        inline past real = x(t - {read})
        x' = -past / T
    update:
        integrate_odes()
"""


def model(delay: str = "2 ms", read_as: str = "d") -> Model:
    text = TEXT.format(delay=delay, read=read_as)
    return read(None, text.encode(), file="dde", log=Log())


@pytest.mark.parametrize("h", [0.1, 0.02])
def test_a_delayed_equation_is_eulers_with_a_history(h: float) -> None:
    result = simulate(model(), length=0.02, dt=h * 1e-3)
    (found,) = result.traces.values()
    lag = round(2 / h)
    wanted = [1.0] * (lag + 1)
    for _ in range(round(20 / h)):
        wanted.append(wanted[-1] - h / 2 * wanted[-1 - lag])
    assert np.abs(found - np.array(wanted[lag:])).max() < 1e-12


def test_it_converges_to_the_solution_by_steps() -> None:
    (found,) = simulate(model(), length=0.004, dt=1e-5).traces.values()
    # 1 - t/2 up to 2 ms, then a parabola down to -1/2 at 4 ms
    assert abs(found[-1] + 0.5) < 5e-3


def test_delays_that_cannot_be_kept_are_refused() -> None:
    with pytest.raises(ModelError, match="K130"):
        simulate(model("2 s"), length=0.004, dt=1e-4)
    with pytest.raises(ModelError, match="K130"):
        simulate(model("-2 ms"), length=0.004, dt=1e-4)
