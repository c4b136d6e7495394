"""Pairs as users write them: text, NESTML's options, several files; what becomes of them in other targets."""

from __future__ import annotations

import json
from pathlib import Path

import interspike
import pytest
from interspike.app.cli import main
from interspike.app.convert import convert
from interspike.app.pairs import pairings_of
from interspike.canonical_model.diagnostics import Log, ModelError
from interspike.canonical_model.pairing import Pairing, Partner

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
PAIRS = FIXTURES / "nestml" / "pairs.nestml"
PAIR = Pairing(
    neuron="n",
    synapses=(
        Partner(
            synapse="s",
            post=("a", "b"),
            modulators=("v",),
            reads={"c": "V_m"},
            keep=("k",),
            weight="w",
            delay="d",
        ),
    ),
)
OPTIONS = {
    "neuron_synapse_pairs": [
        {
            "neuron": "n",
            "synapses": {"s": {"post_ports": ["a", "b", ["c", "V_m"]], "vt_ports": ["v"]}},
        }
    ],
    "weight_variable": {"s": "w"},
    "delay_variable": {"s": "d"},
    "strictly_synaptic_vars": {"s": ["k"]},
}


def codes(problem: pytest.ExceptionInfo[ModelError]) -> set[str]:
    return {issue.code for issue in problem.value.issues}


def test_text_options_and_files_say_the_same(tmp_path: Path) -> None:
    file = tmp_path / "options.json"
    file.write_text(json.dumps(OPTIONS))
    text = "n:s:post=a,post=b,vt=v,c=V_m,keep=k,weight=w,delay=d"
    for form in (text, OPTIONS, str(file), PAIR):
        assert tuple(pairings_of(form, Log())) == (PAIR,)


def test_older_options_and_options_without_a_neuron() -> None:
    old = {
        "neuron_synapse_pairs": [{"neuron": "n", "synapse": "s", "post_ports": ["a"]}, ["m", "t"]]
    }
    first, second = pairings_of(old, Log())
    assert first == Pairing(neuron="n", synapses=(Partner(synapse="s", post=("a",)),))
    assert second == Pairing(neuron="m", synapses=(Partner(synapse="t"),))
    log = Log()
    (alone,) = pairings_of({"weight_variable": {"s": "x"}, "neuron_parent_class": "Node"}, log)
    assert alone == Pairing(neuron="", synapses=(Partner(synapse="s", weight="x"),))
    assert [issue.code for issue in log] == ["A018"]


@pytest.mark.parametrize("text", ["n", "n:", ":", "n:s:a", "n:s:=b", "n::weight=w", "missing.json"])
def test_what_is_no_pair(text: str) -> None:
    with pytest.raises(ModelError) as problem:
        convert(PAIRS, to="nest", pairs=[text])
    assert codes(problem) <= {"A017", "V160"}


@pytest.mark.parametrize(
    "options", [{"neuron_synapse_pairs": [{"neuron": "n"}]}, {"neuron_synapse_pairs": [["n"]]}]
)
def test_options_that_cannot_be_read(options: dict[str, object]) -> None:
    with pytest.raises(ModelError) as problem:
        pairings_of(options, Log())
    assert codes(problem) == {"A017"}


WRONG = {
    "jump_nuron:after_synapse": "V160",
    "jump_neuron:after_synapse+after_synapse": "V160",
    "jump_neuron:after_synapse:post=nothing": "V161",
    "jump_neuron:after_synapse:post=pre_spikes,vt=pre_spikes": "V161",
    "jump_neuron:reward_synapse:drive=nothing": "V162",
    ":reward_synapse:drive=over": "V162",
    "jump_neuron:reward_synapse:drive=I": "V163",
    "jump_neuron:after_synapse:keep=nothing": "V164",
    "jump_neuron:after_synapse:weight=nothing,delay=w": "V164",
}


@pytest.mark.parametrize("pair", WRONG)
def test_a_pair_that_does_not_fit(pair: str) -> None:
    with pytest.raises(ModelError) as problem:
        convert(PAIRS, to="nest", pairs=[pair])
    assert codes(problem) == {WRONG[pair]}


def test_nestml_gets_both_models_and_the_options() -> None:
    pairs = ["jump_neuron:reward_synapse:drive=over,keep=tag", "jump_neuron:drift_synapse:delay=d"]
    result = convert(PAIRS, to="nestml", pairs=pairs)
    assert {"jump_neuron.nestml", "reward_synapse.nestml"} <= {a.path for a in result.artifacts}
    options = json.loads(result.text("pairs.json"))
    reward, drift = options["neuron_synapse_pairs"]
    assert reward["synapses"]["reward_synapse"] == {
        "post_ports": ["post_spikes", ["drive", "over"]],
        "vt_ports": ["reward_mod_spikes"],
    }
    assert options["delay_variable"] == {"drift_synapse": "d"}
    assert options["strictly_synaptic_vars"] == {"reward_synapse": ["tag"]}
    assert [p for e in (reward, drift) for p in pairings_of({"neuron_synapse_pairs": [e]}, Log())]


def test_the_canonical_form_keeps_pairs(tmp_path: Path) -> None:
    pairs = ["jump_neuron:smooth_synapse+reward_synapse:drive=over"]
    folder = convert(PAIRS, to="canonical", pairs=pairs).write(tmp_path / "out")
    (file,) = (p for p in folder.glob("*.json") if p.name not in ("report.json", "interspike.json"))
    model = interspike.load(file)
    assert [p.neuron for p in model.pairings] == ["jump_neuron"]
    again = convert(model, to="nest")
    both = "jump_neuron__with_smooth_synapse_and_reward_synapse"
    assert f"models/smooth_synapse__with_{both}.h" in {a.path for a in again.artifacts}


def test_targets_without_pairs_say_so() -> None:
    with pytest.raises(ModelError) as problem:
        convert(PAIRS, to="spinnaker2", pairs=["jump_neuron:after_synapse"])
    assert codes(problem) == {"A015"} and problem.value.refused
    result = convert(
        PAIRS, to="spinnaker2", pairs=["jump_neuron:after_synapse"], component="jump_neuron"
    )
    assert "A015" in {entry.code for entry in result.report.losses}


def test_several_files_make_one_module(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    lif = FIXTURES / "nestml" / "adaptive_lif_neuron.nestml"
    out = tmp_path / "out"
    code = main(
        ["convert", str(PAIRS), str(lif), "--to", "nest", "--suffix", "_x", "-o", str(out),
         "--pair", "jump_neuron:smooth_synapse", "--pair", "adaptive_lif_neuron:after_synapse",
         "--pair", ":drift_synapse:delay=d", "--pair", "jump_neuron:reward_synapse:drive=over"]
    )  # fmt: skip
    assert code == 0, capsys.readouterr().err
    made = {path.stem for path in (out / "models").iterdir()}
    assert made == {
        "jump_neuron_x", "adaptive_lif_neuron_x", "drift_synapse_x",
        "jump_neuron_x__with_smooth_synapse_x", "smooth_synapse_x__with_jump_neuron_x",
        "jump_neuron_x__with_reward_synapse_x", "reward_synapse_x__with_jump_neuron_x",
        "adaptive_lif_neuron_x__with_after_synapse_x", "after_synapse_x__with_adaptive_lif_neuron_x",
    }  # fmt: skip
    facts = json.loads((out / "models.json").read_text())
    assert facts["drift_synapse_x"]["kind"] == "synapse"
    assert (
        "near__for_after_synapse_x"
        in facts["adaptive_lif_neuron_x__with_after_synapse_x"]["states"]
    )


def test_files_that_do_not_go_together(tmp_path: Path) -> None:
    other = tmp_path / "other.nestml"
    other.write_text(PAIRS.read_text().replace("tau ms = 12 ms", "tau ms = 13 ms"))
    with pytest.raises(ModelError) as problem:
        convert([PAIRS, other], to="nest")
    assert codes(problem) == {"A016"}
    with pytest.raises(ModelError) as problem:
        convert(
            [PAIRS, FIXTURES / "lems" / "iaf.xml"], to="nest", pairs=["jump_neuron:after_synapse"]
        )
    assert codes(problem) == {"B310"}
    with pytest.raises(ModelError) as problem:
        convert([PAIRS, PAIRS], to="nest", component="nothing")
    assert codes(problem) == {"W201"}
