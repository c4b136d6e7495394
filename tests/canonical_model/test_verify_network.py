"""Invariants of networks, one fault at a time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from interspike.canonical_model import model as m
from interspike.canonical_model.network import Experiment, Input, Network, Population, Projection
from interspike.canonical_model.verify import verify_model

CELL = m.Component(
    name="cell",
    parameters=(m.Parameter(name="g"),),
    state_variables=(m.StateVariable(name="v"),),
    event_outputs=(m.EventPort(name="spike"),),
    attachments=(m.Attachment(name="synapses"),),
)
SYNAPSE = m.Component(name="synapse", event_inputs=(m.EventPort(name="in"),))
POPULATION = Population(
    name="pop", component="cell", size=3, parameters={"g": np.ones(3)}, initial={"v": np.zeros(3)},
    positions=np.zeros((3, 3)),
)  # fmt: skip
PROJECTION = Projection(
    name="proj", source="pop", target="pop", synapse="synapse", pre=np.array([0, 1]),
    post=np.array([2, 2]), weight=np.ones(2), delay=np.zeros(2), source_port="spike",
    target_port="in", attachment="synapses",
)  # fmt: skip
INPUT = Input(name="input", component="synapse", population="pop", index=np.array([0, 2]))
NETWORK = Network(
    name="net", populations=(POPULATION,), projections=(PROJECTION,), inputs=(INPUT,),
    experiment=Experiment(length=1.0, step=1e-4),
)  # fmt: skip


def issues(network):
    return verify_model(m.Model(name="m", components=(CELL, SYNAPSE), network=network))


def population(**changes):
    return replace(NETWORK, populations=(replace(POPULATION, **changes),))


def projection(**changes):
    return replace(NETWORK, projections=(replace(PROJECTION, **changes),))


def given(**changes):
    return replace(NETWORK, inputs=(replace(INPUT, **changes),))


def test_a_sound_network_passes():
    assert issues(NETWORK) == []


NAN = float("nan")


@pytest.mark.parametrize(
    ("network", "code", "part"),
    [
        (replace(NETWORK, populations=(POPULATION,) * 2), "V140", "'pop'"),
        (population(component="cel"), "V141", "did you mean 'cell'"),
        (projection(synapse="synaps"), "V141", "did you mean 'synapse'"),
        (projection(source="popp"), "V142", "did you mean 'pop'"),
        (given(population="x"), "V142", "'x'"),
        (projection(weight=np.ones(3)), "V143", "weight"),
        (given(weight=np.ones(5)), "V143", "5"),
        (projection(post=np.array([0, 3])), "V144", "cell 3 of 'pop', which has 3 cells"),
        (projection(pre=np.array([-1, 0])), "V144", "cell -1"),
        (given(index=np.array([7])), "V144", "cell 7"),
        (projection(delay=np.array([0.0, -1e-3])), "V145", "-0.001 s at connection 1"),
        (projection(delay=np.array([NAN, 0.0])), "V145", "nan"),
        (projection(weight=np.array([1.0, NAN])), "V146", "nan at connection 1"),
        (given(weight=np.array([1.0, np.inf])), "V146", "inf"),
        (population(parameters={"g": np.ones(2)}), "V147", "shape (2,)"),
        (population(parameters={"g": np.array([1, NAN, 1])}), "V147", "cell 1"),
        (population(parameters={"G": np.ones(3)}), "V147", "did you mean 'g'"),
        (population(initial={"u": np.ones(3)}), "V147", "no initial value 'u'"),
        (population(positions=np.zeros((2, 3))), "V148", "(3, 3)"),
        (projection(target_port="inn"), "V149", "did you mean 'in'"),
        (projection(source_port="out"), "V149", "output port 'out'"),
        (projection(attachment="x"), "V149", "attachment list"),
        (replace(NETWORK, experiment=Experiment(length=-1.0)), "V150", "-1.0 s"),
        (replace(NETWORK, experiment=Experiment(length=1.0, step=2.0)), "V150", "longer"),
        (projection(kind="chemical"), "V151", "'chemical'"),
        (projection(kind="electrical", synapse="", target_port=""), "V151", "names no synapse"),
    ],
)
def test_one_fault_one_issue(network, code, part):
    found = issues(network)
    assert [issue.code for issue in found] == [code]
    assert part in found[0].render()
