"""Synapses and delayed variables as NEST code, without a compiler: what each hears, what is refused."""

from __future__ import annotations

from pathlib import Path

import interspike
import pytest
from interspike.app.convert import convert
from interspike.canonical_model.diagnostics import ModelError
from interspike.canonical_model.model import Model

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures" / "nestml"

SYNAPSE = """
model probe_synapse:
    state:
        w real = 1
        x real = 0
    parameters:
        tau ms = 10 ms
    equations:
        x' = -x / tau
{equations}
    input:
        pre_spikes <- spike
        post_spikes <- spike
{ports}
    output:
        spike
    onReceive(pre_spikes):
        x += 1
        w += {change}
        emit_spike(w)
{handlers}
    update:
        integrate_odes()
{update}
"""
NEURON = """
model plain_neuron:
    state:
        V mV = 0 mV
    equations:
        V' = -V / (10 ms)
    input:
        spikes <- spike
    output:
        spike
    update:
        integrate_odes()
    onReceive(spikes):
        V += 1 mV * spikes * 1 s
    onCondition(V > 10 mV):
        V = 0 mV
        emit_spike()
"""


def text(
    equations: str = "", ports: str = "", change: str = "0", handlers: str = "", update: str = ""
) -> str:
    return SYNAPSE.format(
        equations=f"        {equations}", ports=f"        {ports}", change=change,
        handlers=f"    {handlers}", update=f"        {update}",
    )  # fmt: skip


def model(tmp_path: Path, synapse: str) -> Model:
    file = tmp_path / "models.nestml"
    file.write_text(NEURON + synapse)
    return interspike.load(file)


REFUSED = {
    "B303": text(ports="level mV <- continuous", change="level / 1 mV"),
    "B303 two": text(ports="mod_a <- spike\n        mod_b <- spike"),
    "B308 equation": text("w' = level / (1 mV * tau)", "level mV <- continuous"),
    "B308 program": text(ports="level mV <- continuous", update="w += level / 1 mV"),
    "B308 modulator": text(
        ports="level mV <- continuous\n        mod_spikes <- spike",
        handlers="onReceive(mod_spikes):\n        w += level / 1 mV",
    ),
    "B308 condition": text(handlers="onCondition(x > 2):\n        w = 0"),
    "B301": text("x2' = -x2(t - 3 ms) / tau").replace("x real = 0\n", "x real = 0\n        x2 real = 0\n"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_nest_cannot_give_a_synapse(case: str, tmp_path: Path) -> None:
    pair = "plain_neuron:probe_synapse" + (":level=V" if "level" in REFUSED[case] else "")
    found = model(tmp_path, REFUSED[case])
    with pytest.raises(ModelError) as problem:
        convert(found, to="nest", pairs=[] if case == "B303" else [pair])
    assert [issue.code for issue in problem.value.issues] == [case[:4]]
    assert problem.value.refused


def test_a_third_factor_without_a_neuron_hints_at_the_pair(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as problem:
        convert(model(tmp_path, REFUSED["B303"]), to="nest")
    assert "--pair NEURON:probe_synapse:level=VARIABLE" in problem.value.issues[0].hint


def test_a_port_reads_the_quantity_of_its_name(tmp_path: Path) -> None:
    synapse = text(ports="V mV <- continuous", change="V / 1 mV")
    result = convert(model(tmp_path, synapse), to="nest", pairs=["plain_neuron:probe_synapse"])
    header = result.text("models/probe_synapse__with_plain_neuron.h")
    assert "host.i_V = kept.sample( step, 0 );" in header
    assert '#include "plain_neuron__with_probe_synapse.h"' in header


def test_one_library_synapse_is_common_to_all_neurons_unless_paired(tmp_path: Path) -> None:
    result = convert(model(tmp_path, text()), to="nest")
    assert "register_stdp_connection" not in result.text("models/probe_synapse.h")
    traced = text(handlers="onReceive(post_spikes):\n        w += x")
    header = convert(model(tmp_path, traced), to="nest").text("models/probe_synapse.h")
    assert "register_stdp_connection" in header and "get_history" in header


def test_a_modulator_is_a_volume_transmitter_of_all_connections(tmp_path: Path) -> None:
    synapse = text(ports="mod_spikes <- spike", handlers="onReceive(mod_spikes):\n        w += x")
    header = convert(model(tmp_path, synapse), to="nest").text("models/probe_synapse.h")
    assert "using CommonPropertiesType = interspike::Modulated;" in header
    assert "trigger_update_weight" in header


def test_delayed_variables_are_states_set_from_the_past() -> None:
    result = convert(FIXTURES / "late_neuron.nestml", to="nest")
    header = result.text("models/late_neuron.h")
    assert "s.s_u_delayed = b_.past_0.shift( s.s_u );" in header
    assert '"drive__delayed"' in header
