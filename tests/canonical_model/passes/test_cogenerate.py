"""What moves from a synapse to its neuron, under which names, and what stays."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import interspike
import pytest
from interspike.canonical_model.diagnostics import Log
from interspike.canonical_model.model import Assign, Component, Emit, Integrate, Model
from interspike.canonical_model.pairing import Pairing, Partner
from interspike.canonical_model.passes.cogenerate import cogenerate
from interspike.canonical_model.passes.partners import host_reads, moved_states, weight_of
from interspike.canonical_model.query import bodies, nested
from interspike.canonical_model.verify import verify_model

FIXTURE = Path(__file__).resolve().parents[3] / "fixtures" / "nestml" / "pairs.nestml"


@pytest.fixture(scope="module")
def models() -> Model:
    return interspike.load(FIXTURE)


def made(models: Model, *partners: Partner) -> dict[str, Component]:
    pairing = Pairing(neuron="jump_neuron", synapses=partners)
    model = cogenerate(replace(models, pairings=(pairing,)), Log())
    assert not [issue for issue in verify_model(model) if issue.code[0] in "VU"]
    assert not model.pairings
    return {item.name: item for item in model.components}


def test_names_are_those_that_nestml_gives(models: Model) -> None:
    one = made(models, Partner(synapse="after_synapse"))
    assert {"jump_neuron", "jump_neuron__with_after_synapse"} <= one.keys()
    assert "after_synapse__with_jump_neuron" in one and "after_synapse" not in one
    neuron = one["jump_neuron__with_after_synapse"]
    assert moved_states(neuron) == tuple(f"{n}__for_after_synapse" for n in ("near", "far", "seen"))
    fixed = {item.name for item in neuron.parameters} | {d.name for d in neuron.derived_parameters}
    assert {"tau_near__for_after_synapse", "twice__for_after_synapse"} <= fixed
    two = made(models, Partner(synapse="after_synapse"), Partner(synapse="smooth_synapse"))
    both = "jump_neuron__with_after_synapse_and_smooth_synapse"
    assert {both, f"after_synapse__with_{both}", f"smooth_synapse__with_{both}"} <= two.keys()
    kernel = "bump__for_smooth_synapse__X__post_spikes__for_smooth_synapse"
    assert kernel in moved_states(two[both])


def test_the_neuron_advances_first_and_jumps_after_its_spike(models: Model) -> None:
    neuron = made(models, Partner(synapse="after_synapse"))["jump_neuron__with_after_synapse"]
    assert neuron.update is not None
    first, *rest = (s for s in nested(neuron.update) if isinstance(s, Integrate))
    assert set(first.variables) == set(moved_states(neuron))
    assert not any(set(item.variables) & set(first.variables) for item in rest)
    assert all(item.variables for item in rest)
    spiking = next(b for b in bodies(neuron) if any(isinstance(s, Emit) for s in b))
    place = next(k for k, s in enumerate(spiking) if isinstance(s, Emit))
    after = [s.target for s in spiking[place + 1 :] if isinstance(s, Assign)]
    assert after == [f"{name}__for_after_synapse" for name in ("near", "far", "seen")]


def test_the_synapse_reads_what_moved_before_or_after_the_spike(models: Model) -> None:
    synapse = made(models, Partner(synapse="after_synapse"))["after_synapse__with_jump_neuron"]
    reads = host_reads(synapse)
    assert reads["near__for_after_synapse"] == ("near__for_after_synapse", False)
    assert reads["near__for_after_synapse__after"] == ("near__for_after_synapse", True)
    assert {item.name for item in synapse.state_variables} == {"w", "heard"}
    assert "tau_near" not in {item.name for item in synapse.parameters}
    assert "eta" in {item.name for item in synapse.parameters}  # the synapse needs it as well


def test_what_is_needed_between_spikes_stays(models: Model) -> None:
    pair = made(models, Partner(synapse="drift_synapse", delay="d"))
    assert moved_states(pair["jump_neuron__with_drift_synapse"]) == ("count__for_drift_synapse",)
    assert "trace" in {s.name for s in pair["drift_synapse__with_jump_neuron"].state_variables}


def test_what_the_user_keeps_stays(models: Model) -> None:
    pair = made(models, Partner(synapse="after_synapse", keep=("far", "near")))
    assert moved_states(pair["jump_neuron__with_after_synapse"]) == ("seen__for_after_synapse",)


def test_a_trace_of_a_third_factor_moves_with_it(models: Model) -> None:
    partner = Partner(synapse="reward_synapse", reads={"drive": "over"})
    pair = made(models, partner)
    neuron = pair["jump_neuron__with_reward_synapse"]
    assert moved_states(neuron) == ("drive_memory__for_reward_synapse",)
    (ode,) = (o for o in neuron.odes if o.variable == "drive_memory__for_reward_synapse")
    assert "over" in str(ode.rhs) and "'drive'" not in str(ode.rhs)
    assert host_reads(pair["reward_synapse__with_jump_neuron"])["drive"] == ("over", False)


@pytest.mark.parametrize(
    ("name", "weight"), [("after_synapse", "w"), ("smooth_synapse", "strength")]
)
def test_the_weight_is_found_by_custom_or_because_it_is_sent(
    models: Model, name: str, weight: str
) -> None:
    assert weight_of(models.component(name)) == weight


def test_pairs_without_a_neuron_describe_a_synapse(models: Model) -> None:
    partner = Partner(synapse="after_synapse", post=("pre_spikes",), weight="heard")
    model = cogenerate(replace(models, pairings=(Pairing(neuron="", synapses=(partner,)),)), Log())
    synapse = model.component("after_synapse")
    assert {p.name: p.role for p in synapse.event_inputs} == {
        "pre_spikes": "post", "post_spikes": "pre"
    }  # fmt: skip
    assert weight_of(synapse) == "heard"
