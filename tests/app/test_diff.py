"""The same model in other words is the same; a real difference is named."""

from __future__ import annotations

import json
from pathlib import Path

import interspike
import pytest
from interspike.app import cli
from interspike.app.behaviour.match import likeness
from interspike.app.behaviour.pairing import pair_components
from interspike.app.diff import diff
from interspike.canonical_model.diagnostics import ModelError

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"

LEMS = """<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="z">
<izhikevichCell id="cell" v0="-65mV" thresh="30mV" a="0.02" b="0.2" c="-65" d="{d}"/></neuroml>
"""
# the same equations: other names, another order, units of mV/ms for the recovery variable
NINEML = """NineML:
  '@namespace': http://nineml.net/9ML/1.0
  ComponentClass:
  - name: Quadratic
    Parameter:
    - {{name: quadratic, dimension: per_time_voltage}}
    - {{name: linear, dimension: per_time}}
    - {{name: free, dimension: voltage_per_time}}
    - {{name: rate, dimension: per_time}}
    - {{name: gain, dimension: per_time}}
    - {{name: back, dimension: voltage}}
    - {{name: jump, dimension: voltage_per_time}}
    - {{name: top, dimension: voltage}}
    - {{name: C, dimension: capacitance}}
    AnalogReducePort:
    - {{name: drive, dimension: current, operator: +}}
    EventSendPort:
    - {{name: out}}
    Dynamics:
      StateVariable:
      - {{name: w, dimension: voltage_per_time}}
      - {{name: membrane, dimension: voltage}}
      Regime:
      - name: only
        TimeDerivative:
        - {{variable: w, MathInline: rate*gain*membrane - rate*w}}
        - {{variable: membrane, MathInline: (quadratic*membrane + linear)*membrane + free + drive/C - w}}
        OnCondition:
        - target_regime: only
          Trigger: {{MathInline: membrane > top}}
          StateAssignment:
          - {{variable: membrane, MathInline: back}}
          - {{variable: w, MathInline: w + jump}}
          OutputEvent:
          - {{port: out}}
  Component:
  - name: quadratic
    Definition: {{'@body': Quadratic}}
    Property:
    - {{name: quadratic, units: per_mV_ms, SingleValue: 0.04}}
    - {{name: linear, units: per_ms, SingleValue: 5.0}}
    - {{name: free, units: mV_per_ms, SingleValue: 140.0}}
    - {{name: rate, units: per_ms, SingleValue: 0.02}}
    - {{name: gain, units: per_ms, SingleValue: 0.2}}
    - {{name: back, units: mV, SingleValue: -65.0}}
    - {{name: jump, units: mV_per_ms, SingleValue: {d}}}
    - {{name: top, units: mV, SingleValue: 30.0}}
    - {{name: C, units: pF, SingleValue: 1.0}}
    Initial:
    - {{name: w, units: mV_per_ms, SingleValue: -13.0}}
    - {{name: membrane, units: mV, SingleValue: -65.0}}
  Dimension:
  - {{name: capacitance, m: -1, l: -2, t: 4, i: 2}}
  - {{name: current, i: 1}}
  - {{name: per_time, t: -1}}
  - {{name: per_time_voltage, m: -1, l: -2, t: 2, i: 1}}
  - {{name: voltage, m: 1, l: 2, t: -3, i: -1}}
  - {{name: voltage_per_time, m: 1, l: 2, t: -4, i: -1}}
  Unit:
  - {{symbol: pF, dimension: capacitance, power: -12}}
  - {{symbol: per_ms, dimension: per_time, power: 3}}
  - {{symbol: per_mV_ms, dimension: per_time_voltage, power: 6}}
  - {{symbol: mV, dimension: voltage, power: -3}}
  - {{symbol: mV_per_ms, dimension: voltage_per_time, power: 0}}
"""

NESTML = """model adapting_neuron:
    state:
        V_m mV = E_L    # start
        w pA = 0 pA
        I_syn pA = 0 pA
    equations:
        V_m' = -(V_m - E_L) / tau_m + (I_ext + I_syn - w) / C_m
        w' = -w / tau_w
        I_syn' = -I_syn / tau_syn
    parameters:
        C_m pF = 250 pF
        tau_m ms = 10 ms
        tau_w ms = 100 ms
        tau_syn ms = 2 ms
        b pA = 20 pA
        E_L mV = -70 mV
        V_th mV = -55 mV
    input:
        spikes <- spike
        I_ext pA <- continuous
    output:
        spike
    update:
        integrate_odes()
    onReceive(spikes):
        I_syn += spikes * 1 pA * 1 s
    onCondition(V_m >= V_th):
        V_m = E_L
        w += b
        emit_spike()
"""


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, Path]:
    """The model in two languages, and in the first with another value."""
    one, other, changed = tmp_path / "a.nml", tmp_path / "b.yml", tmp_path / "c.nml"
    one.write_text(LEMS.format(d=8))
    other.write_text(NINEML.format(d=8.0))
    changed.write_text(LEMS.format(d=6))
    return one, other, changed


def test_one_model_in_two_languages_is_the_same(files: tuple[Path, Path, Path]) -> None:
    found = diff(files[0], files[1])
    (comparison,) = found.comparisons
    assert found.verdict == "same", comparison.differences
    assert dict(comparison.pairs) == {"v": "membrane", "U": "w"}
    assert comparison.decided == "points"
    assert any(distance.spikes[0] > 3 for distance in comparison.distances)


def test_the_value_that_differs_is_named(files: tuple[Path, Path, Path]) -> None:
    found = diff(files[0], files[2])
    first = found.comparisons[0].differences[0]
    assert (first.kind, first.name, first.other) == ("parameter", "d", "d")
    assert "8" in first.sentence
    assert "6" in first.sentence
    across = diff(files[1], files[2])
    assert across.verdict == "different"
    assert any("event" in item.kind or item.kind in ("condition", "spikes")
               for item in across.comparisons[0].differences)  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("V_m >= V_th", "V_m >= V_th + 1 mV", "condition"),
        ("w += b", "w += 2 * b", "condition"),
        ("V_m mV = E_L", "V_m mV = E_L + 5 mV", "initial value"),
        ("- w) / C_m", "- 2 * w) / C_m", "rate"),
        ("I_ext + I_syn", "I_ext + 0.5 * I_syn", "rate"),
    ],
)
def test_the_equation_that_differs_is_named(tmp_path: Path, old: str, new: str, kind: str) -> None:
    assert old in NESTML
    one, other = tmp_path / "a.nestml", tmp_path / "b.nestml"
    one.write_text(NESTML)
    other.write_text(NESTML.replace(old, new))
    found = diff(one, other)
    assert kind in {item.kind for item in found.comparisons[0].differences}


def test_names_order_and_units_are_no_difference(tmp_path: Path) -> None:
    one, other = tmp_path / "a.nestml", tmp_path / "b.nestml"
    one.write_text(NESTML)
    text = NESTML.replace("V_m", "U").replace("E_L", "rest").replace("250 pF", "0.25 nF")
    lines = text.replace("        w pA = 0 pA\n", "").replace(
        "        I_syn pA", "        w pA = 0 pA\n        I_syn pA"
    )
    other.write_text(lines)
    found = diff(one, other)
    assert found.verdict == "same", found.comparisons[0].differences
    assert found.comparisons[0].pairs["V_m"] == "U"


COUNTED = """<Lems><Include file="NeuroMLCoreDimensions.xml"/>
<ComponentType name="lif"><Parameter name="E" dimension="voltage"/>
<Parameter name="tau" dimension="time"/><Parameter name="th" dimension="voltage"/>
<Parameter name="R" dimension="resistance"/><Requirement name="i" dimension="current"/>
<EventPort name="spike" direction="out"/><Exposure name="V" dimension="voltage"/>
<Dynamics><StateVariable name="V" dimension="voltage" exposure="V"/>
<OnStart><StateAssignment variable="V" value="{rest}"/></OnStart>
<TimeDerivative variable="V" value="({rest} - V + R*i)/tau"/>
<OnCondition test="{absolute} .gt. th"><StateAssignment variable="V" value="{rest}"/>
<EventOut port="spike"/></OnCondition></Dynamics></ComponentType>
<lif id="cell" E="-70mV" tau="10ms" th="{th}mV" R="100Mohm"/></Lems>
"""


def test_a_voltage_may_be_counted_from_elsewhere(tmp_path: Path) -> None:
    """V against V - E: the same, and the shift is named; a threshold that differs is seen as well."""
    paths = [tmp_path / name for name in ("whole.xml", "rest.xml", "other.xml")]
    paths[0].write_text(COUNTED.format(rest="E", absolute="V", th=-55))
    paths[1].write_text(COUNTED.format(rest="0*E", absolute="V + E", th=-55))
    paths[2].write_text(COUNTED.format(rest="0*E", absolute="V + E", th=-54))
    for one, other, sign in ((paths[0], paths[1], "-"), (paths[1], paths[0], "+")):
        (found,) = diff(one, other).comparisons
        assert (found.verdict, found.decided) == ("same", "points"), found.to_json()
        assert found.remarks == (f"'V' is 'V' {sign} 'E' of the first model",)
        assert max(d.trace for d in found.distances) < 1e-6
    (found,) = diff(paths[0], paths[2]).comparisons
    assert [item.kind for item in found.differences][:1] == ["parameter"]
    assert "'th' is -55 mV where 'th' is -54 mV" in found.differences[0].sentence


def test_a_value_of_a_time_step_program_is_named(tmp_path: Path) -> None:
    source = FIXTURES / "nestml/adaptive_lif_neuron.nestml"
    (tmp_path / "b.nestml").write_text(source.read_text().replace("b pA = 20 pA", "b pA = 30 pA"))
    (found,) = diff(source, tmp_path / "b.nestml").comparisons
    assert ("parameter", "b") in {(item.kind, item.name) for item in found.differences}


@pytest.mark.parametrize("target", ["nestml", "canonical", "nineml"])
def test_there_and_back_is_the_same(target: str, tmp_path: Path, files: tuple[Path, ...]) -> None:
    folder = interspike.convert(files[0], to=target).write(tmp_path / "out")
    (result,) = (p for p in folder.iterdir() if p.name not in ("report.json", "interspike.json"))
    found = diff(files[0], result)
    assert found.verdict == "same", [c.differences for c in found.comparisons]


def test_components_are_paired_by_name_and_size() -> None:
    model = interspike.load(FIXTURES / "lems/izhikevich_network.xml")
    pairs, alone = pair_components(model.components, tuple(reversed(model.components)))
    assert [(a.name, b.name) for a, b in pairs] == [(c.name, c.name) for c in model.components]
    assert alone == []
    assert likeness("V_m", "v_M") == 1.0


def test_a_component_too_many_is_a_difference() -> None:
    network = FIXTURES / "lems/izhikevich_network.xml"
    model = interspike.load(network)
    with pytest.raises(ModelError, match="A231"):
        diff(network, network, component="nowhere")
    found = diff(network, FIXTURES / "lems/iaf.xml", component=model.components[0].name)
    assert found.verdict == "different"


def test_exit_codes_and_json(
    files: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    one, other, changed = map(str, files)
    assert cli.main(["diff", one, other, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "same"
    assert cli.main(["diff", one, changed]) == 1
    out = capsys.readouterr().out
    assert "parameter 'd' is 8 where 'd' is 6" in out
    assert out.endswith("different\n")
    assert cli.main(["diff", one, "nowhere.xml"]) == 2


SENDER = """
model sender_synapse:
    state:
        w real = 2
    parameters:
        share real = 0.5
    input:
        pre_spikes <- spike
    output:
        spike
    onReceive(pre_spikes):
        w = w * share + 1
        emit_spike({weight})
"""


@pytest.mark.parametrize(
    ("weight", "verdict"), [("w + 0", "same"), ("1 * w", "same"), ("2 * w", "different")]
)
def test_what_events_carry_belongs_to_behaviour(tmp_path: Path, weight: str, verdict: str) -> None:
    for name, text in (("a", "w"), ("b", weight)):
        (tmp_path / f"{name}.nestml").write_text(SENDER.format(weight=text))
    found = diff(tmp_path / "a.nestml", tmp_path / "b.nestml")
    assert found.verdict == verdict
    sentences = [d.sentence for item in found.comparisons for d in item.differences]
    assert any("what 'spike' sends" in sentence for sentence in sentences) == (verdict != "same")


LITERAL = """
model spiking:
    state:
        v real = -65
        u real = -13
    equations:
        v' = (0.04 * v * v + 5 * v + 140 - u + 10) / ms
        u' = 0.02 * (0.2 * v - u) / ms
    output:
        spike
    update:
        integrate_odes()
    onCondition(v >= 30):
        v = -65
        u += 8
        emit_spike()
"""


def test_a_reset_behind_a_threshold_that_is_only_a_number_is_seen(tmp_path: Path) -> None:
    # the other one's recovery runs away: it fires ever faster, and then has no solution
    (tmp_path / "a.nestml").write_text(LITERAL)
    (tmp_path / "b.nestml").write_text(LITERAL.replace("u += 8", "u -= 8"))
    found = diff(tmp_path / "a.nestml", tmp_path / "b.nestml")
    assert found.verdict == "different"
    sentences = [item.sentence for item in found.comparisons[0].differences]
    assert any("condition of 'u' differs" in sentence for sentence in sentences)
