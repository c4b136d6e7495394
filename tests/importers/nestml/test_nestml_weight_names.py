"""A model with a quantity of its own called `weight` beside the weight that its events carry."""

from __future__ import annotations

import numpy as np
import pytest
from interspike.canonical_model.circuit import Circuit, EventLink, EventTrain, Group, Probe
from interspike.canonical_model.diagnostics import Log, ModelError
from interspike.canonical_model.model import Component, EventPort
from interspike.canonical_model.passes.flatten import flatten
from interspike.canonical_model.passes.raising import raise_program
from interspike.importers.nestml.reader import read
from interspike.solvers.simulate import simulate

MODEL = """\
model m:
    state:
        x real = 0
        y real = 0

    equations:
        kernel k = exp(-t / tau)
        inline z real = convolve(k, s)

    parameters:
        weight real = 7
        tau ms = 2 ms

    input:
        s <- spike

    output:
        spike

    update:
        integrate_odes()
        y = z

    onReceive(s):
        x += weight + 100 * s * 1 s
"""
COUNTER = """\
model m:
    state:
        r integer = 0
        v real = 0

    equations:
        v' = 1 / ms

    parameters:
        t_ref ms = 2 ms

    internals:
        n integer = steps(t_ref)

    output:
        spike

    update:
        if r == 0:
            integrate_odes(v)
        {decrement}

    onCondition(v > 5):
        v = 0
        r = n
        emit_spike()
"""


def test_the_parameter_is_not_the_weight() -> None:
    component = read(None, MODEL.encode(), file="m.nestml", log=Log()).components[0]
    source = Component(name="source", event_outputs=(EventPort(name="out"),))
    one = np.zeros(1, dtype=int)
    circuit = Circuit(
        name="c",
        groups=(
            Group(name="cell", component=flatten(component).component, size=1),
            Group(name="source", component=source, size=1),
        ),
        event_links=(
            EventLink(
                source="source", source_port="out", target="cell", target_port="s",
                pre=one, post=one, weight=np.array([3.0]), delay=np.array([1e-3]),
            ),
        ),
        trains=(EventTrain(group="source", port="out", times=np.array([1e-3]), index=one),),
        probes=tuple(Probe(label=n, group="cell", index=0, variable=n) for n in ("x", "y")),
        length=5e-3, step=1e-3,
    )  # fmt: skip
    found = simulate(circuit, mode="grid")
    assert found.traces["x"][-1] == pytest.approx(307.0)
    assert found.traces["y"].max() == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("decrement", "allowed"),
    [("elif r > 0:\n            r -= 1", True), ("else:\n            r -= 1", True),
     ("if v < 3:\n            r -= 1", False)],
)  # fmt: skip
def test_a_counter_below_zero_is_refused(decrement: str, allowed: bool) -> None:
    text = COUNTER.replace("{decrement}", decrement)
    component = read(None, text.encode(), file="m.nestml", log=Log()).components[0]
    if allowed:
        assert raise_program(component).machines
        return
    with pytest.raises(ModelError, match="runs past a number"):
        raise_program(component)
