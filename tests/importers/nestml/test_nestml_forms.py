"""Whole models: the fixtures, older forms, roles of ports, vectors, and the library of NESTML 9."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest
from interspike.canonical_model.diagnostics import Log
from interspike.canonical_model.expr_print import print_expr
from interspike.canonical_model.model import Declare, For, If, Integrate
from interspike.canonical_model.serial import dumps, loads
from interspike.canonical_model.verify import verify_model
from interspike.importers.nestml.reader import read


def fixture(nestml: Any, name: str) -> Any:
    return nestml.load((nestml.fixtures / f"{name}.nestml").read_text(encoding="utf-8"))


def test_a_neuron_with_one_of_each(nestml: Any) -> None:
    neuron = fixture(nestml, "adaptive_lif_neuron")
    assert [p.name for p in neuron.event_inputs] == ["exc", "inh", "kicks"]
    assert [p.sign for p in neuron.event_inputs] == ["excitatory", "inhibitory", ""]
    assert {p.role for p in neuron.event_inputs} == {""}
    assert [e.name for e in neuron.exposures] == ["V_m", "w", "refr_t", "rises", "drive"]
    assert neuron.extras["parameter:V_th"] == "settable"
    assert neuron.extras["unit:tau_w"] == "ms"
    (tau_w,) = [p for p in neuron.parameters if p.name == "tau_w"]
    assert str(tau_w.value) == "0.1 s"
    assert [c.test.op for c in neuron.checks] == [">"]
    assert [f.name for f in neuron.functions] == ["half"]
    assert isinstance(neuron.update[0], If)
    assert neuron.update[0].otherwise == (Integrate(variables=("V_m", "w")),)
    assert neuron.state_variables[1].description == "adaptation"
    assert neuron.extras["comments:ode:w"] == "relaxes to a * V"


def test_a_model_in_the_style_before_5_3(nestml: Any) -> None:
    text = (nestml.fixtures / "end_style_neuron.nestml").read_text(encoding="utf-8")
    log = Log()
    neuron = nestml.load(text, log)
    assert {issue.code for issue in log} == {"N090"}
    assert neuron.description.endswith("as models were written before 5.3")
    shown = {d.name: print_expr(d.value) for d in neuron.derived_variables}
    assert shown == {"I_syn": "convolve(psc, spikes) * 1 pA", "V_m": "V_abs + E_L"}
    assert len(neuron.update) == 2
    assert [e.name for e in neuron.exposures] == ["V_abs", "r", "V_m"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("r = tau / ms", "r = tau / 1 ms"),
        ("V = r * mV", "V = r * 1 mV"),
        ("r = V / (mV*ms) * ms", "r = V / (1 mV * 1 ms) * 1 ms"),
        ("V += spikes * s * mV", "V += spikes * 1 s * 1 mV"),
        ("if r <> 1:\n            r = 1", "if r != 1:\n            r = 1"),
        ("r = 3 [mV] / 1 mV", "r = 3 mV / 1 mV"),
    ],
)
def test_older_expressions_mean_the_same(nestml: Any, old: str, new: str) -> None:
    assert nestml.load(update=old).update == nestml.load(update=new).update


def test_weights_and_delays_of_8_2(nestml: Any) -> None:
    text = (
        "model s_synapse:\n    parameters:\n        w real = 1\n        d ms = 1 ms\n    input:\n"
        "        pre <- spike\n    output:\n        spike(weight real, delay ms)\n"
        "    onReceive(pre):\n        emit_spike(w * pre.weight, d)\n"
    )
    component = nestml.load(text)
    (emit,) = component.on_events[0].body
    assert print_expr(emit.weight) == "w * weight"
    assert component.event_inputs[0].role == "pre"


def test_ports_of_a_synapse_have_roles(nestml: Any) -> None:
    synapse = fixture(nestml, "pair_synapse")
    assert {p.name: p.role for p in synapse.event_inputs} == {
        "pre_spikes": "pre", "post_spikes": "post", "mod_spikes": "modulator",
    }  # fmt: skip
    assert synapse.extras["nestml:kind"] == "synapse"
    assert isinstance(synapse.on_events[2].body[0], Declare)
    assert synapse.description == "A plastic synapse: traces of both sides, weight bounded above."


def test_vectors_are_unrolled(nestml: Any) -> None:
    neuron = fixture(nestml, "vectors_neuron")
    names = [s.name for s in neuron.state_variables]
    assert names == ["x_0", "x_1", "x_2", "total", "pick"]
    assert [p.name for p in neuron.event_inputs] == ["group_0", "group_1", "group_2"]
    assert [e.port for e in neuron.on_events] == ["group_0", "group_2"]
    totals = [s for s in neuron.update if getattr(s, "target", "") == "total"]
    assert print_expr(totals[3].value) == "total + weights_2 * x_2"
    assert not any(isinstance(s, For) for s in neuron.update)
    assert isinstance(neuron.update[-1], If) and len(neuron.update[-1].branches) == 3


def test_elements_take_no_name_that_is_taken(nestml: Any) -> None:
    component = nestml.load(state="x[2] real = 1\n        x_1 real = 5")
    assert {"x__0", "x__1", "x_1"} <= {s.name for s in component.state_variables}


def test_a_model_that_calls_something_weight(nestml: Any) -> None:
    component = nestml.load(
        parameters="weight real = 2",
        blocks="onReceive(spikes):\n        r += weight * spikes * 1 s",
    )
    assert component.event_inputs[0].payload == ("event_weight",)
    shown = print_expr(component.on_events[0].body[0].value)
    assert shown.startswith("r + weight * (event_weight *") or "event_weight" in shown


def test_a_function_that_bears_the_name_of_one_of_ours(nestml: Any) -> None:
    component = nestml.load(
        update="r = sign(r)", blocks="function sign(a real) real:\n        return a > 0 ? 1 : -1"
    )
    assert component.functions[0].name == "sign_"
    assert print_expr(component.update[-1].value) == "sign_(r)"


def test_a_local_that_hides_a_state_is_another_quantity(nestml: Any) -> None:
    component = nestml.load(update="V mV = 3 mV\n        w = V / 1 GOhm")
    assert component.update[1].name == "V_local"
    assert print_expr(component.update[2].value) == "V_local / {}".format("1 GOhm")


@pytest.mark.parametrize("name", ["adaptive_lif_neuron", "pair_synapse", "vectors_neuron"])
def test_what_is_read_survives_the_canonical_text(nestml: Any, name: str) -> None:
    data = (nestml.fixtures / f"{name}.nestml").read_bytes()
    model = read(None, data, file=name, log=Log())
    assert loads(dumps(model), name) == model


def library() -> list[Path]:
    """The models that NESTML 9 brings, where it is installed."""
    found: list[Path] = []
    if importlib.util.find_spec("pynestml") is not None:
        found = sorted(Path(sys.prefix, "models").glob("*/*.nestml"))
    return found


@pytest.mark.skipif(not library(), reason="NESTML is not installed")
def test_the_library_of_nestml_9_is_read_without_loss() -> None:
    paths = library()
    assert len(paths) >= 40
    for path in paths:
        log = Log()
        model = read(path, log=log)
        assert verify_model(model) == [], path.name
        assert all(issue.level.value in ("note", "warning") for issue in log), path.name
        assert "N090" not in {issue.code for issue in log}, path.name
        assert loads(dumps(model), path.name) == model
