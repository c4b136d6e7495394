"""NESTML text: what it says, and that NESTML 9 accepts it."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from interspike.app import load
from interspike.app.convert import convert
from interspike.canonical_model.circuit import Probe
from interspike.canonical_model.diagnostics import Level, Log, ModelError
from interspike.canonical_model.expr import Binary, Name, Number
from interspike.canonical_model.expr_text import parse_expr
from interspike.canonical_model.model import Component, Model, StateVariable
from interspike.canonical_model.passes.wire import wire
from interspike.canonical_model.units import CONDUCTANCE, NONE, TIME, VOLTAGE, Unit
from interspike.exporters.nestml.emit import component_text, export
from interspike.exporters.nestml.names import Names
from interspike.exporters.nestml.printer import Context, NestmlPrinter
from interspike.exporters.nestml.text import wrapped
from interspike.exporters.nestml.unit_text import unit_for
from interspike.solvers.simulate import simulate

SHARED = Path(__file__).resolve().parents[4] / "shared" / "models" / "neuroml"
FIXTURES = Path(__file__).resolve().parents[3] / "fixtures" / "lems"
Judge = Callable[[Mapping[str, str]], dict[str, list[str]]]
MV = Unit("mV", VOLTAGE, 1e-3)
MANY_PEERS = ("09",)
# one model of each of these files: NESTML's checks take a second for a small model
JUDGED = (
    "01_iaf_four_types", "02_izhikevich2003", "04_adex", "05_fitzhugh_nagumo",
    "08_current_synapse", "12_hh_single_compartment", "18_lems_only_network",
    "19_lems_kinetic_scheme", "20_lems_regimes", "22_circadian_clock_sbml", "24_own_02_regimes",
    "26_own_04_hierarchy", "27_own_05_hindmarsh_rose",
)  # fmt: skip


def exported(path: Path) -> tuple[dict[str, str], Log]:
    """The texts of a model file by file name, and the report of the export."""
    model = load.load(path, log=Log())
    log = Log()
    files = export(
        model, scheme="auto", step=1e-4, source=model.provenance, log=log, name=model.name
    )
    return {file.path.removesuffix(".nestml"): file.data.decode() for file in files}, log


def published() -> dict[str, Path]:
    if not SHARED.is_dir():
        pytest.skip("the published models are not beside the checkout")
    cases = json.loads((SHARED / "MANIFEST.json").read_text())["cases"]
    return {item["case"]: SHARED / item["case"] / item["file"] for item in cases}


def test_nestml_accepts_the_published_models(nestml_complaints: Judge) -> None:
    texts = {}
    for case in JUDGED:
        found, _ = exported(published()[case])
        name, text = next(iter(found.items()))
        texts[f"m{case}_{name}"] = text
    assert nestml_complaints(texts) == {name: [] for name in texts}


def test_every_published_model_is_written_and_every_loss_told() -> None:
    for case, path in published().items():
        texts, log = exported(path)
        assert texts, case
        codes = {issue.code for issue in log}
        assert "N202" in codes, "the experiment is not held"
        # a cell with several synapses that read another cell; with one it becomes a continuous port
        assert ("N203" in codes) == (case[:2] in MANY_PEERS), case
        assert all(issue.code.startswith(("N", "W")) for issue in log), case


def test_nestml_accepts_our_own_models(nestml_complaints: Judge) -> None:
    texts = {}
    for path in (FIXTURES / "iaf.xml", *FIXTURES.glob("constructs/*.xml")):
        found, _ = exported(path)
        texts.update({f"{path.stem}_{name}": text for name, text in found.items()})
    assert nestml_complaints(texts) == {name: [] for name in texts}
    assert len(texts) > 5


def run_text(text: str, folder: Path, length: float, step: float) -> list[float]:
    """The spikes of an exported model, read back and simulated on the grid."""
    path = folder / "model.nestml"
    path.write_text(text)
    log = Log()
    circuit = wire(load.load(path, log=log), log)
    group = circuit.groups[0].name
    probe = Probe(label="s", group=group, index=0, variable="spike")
    circuit = replace(circuit, event_probes=(probe,), probes=())
    return list(simulate(circuit, mode="grid", length=length, step=step).events["s"])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    ("case", "population", "model"),
    [
        ("01_iaf_four_types", "iafTauRefPop", "iafTauRef"),
        ("02_izhikevich2003", "izpopMixed", "izMixed"),
        ("04_adex", "adExPop1", "adExBurst2"),
        ("24_own_02_regimes", "pop", "c3"),
    ],
)
def test_what_is_read_back_spikes_at_the_same_times(
    case: str, population: str, model: str, tmp_path: Path
) -> None:
    path, length, step = published()[case], 0.1, 2e-5
    log = Log()
    circuit = wire(load.load(path, log=log), log)
    probe = Probe(label="s", group=population, index=0, variable="spike")
    circuit = replace(circuit, event_probes=(probe,), probes=())
    exact = list(simulate(circuit, mode="continuous", length=length, step=length).events["s"])
    found = run_text(exported(path)[0][model], tmp_path, length, step)
    assert len(found) == len(exact) > 1
    # each crossing is met up to a step late
    assert all(abs(a - b) <= 2 * step * len(exact) for a, b in zip(found, exact, strict=True))


def library() -> list[Path]:
    found = sorted((Path(sys.prefix) / "models").glob("*/*.nestml"))
    if not found:
        pytest.skip("NESTML's model library is not installed here")
    return found


def test_the_model_library_goes_out_as_it_came_in(tmp_path: Path) -> None:
    """All of NESTML's own models: what is read back equals the first reading, comments included."""
    for path in library():
        model = load.load(path, log=Log())
        log = Log()
        (file,) = export(
            model, scheme="auto", step=1e-4, source=model.provenance, log=log, name=model.name
        )
        assert not list(log), path.name
        again = tmp_path / path.name
        again.write_bytes(file.data)
        assert load.load(again, log=Log()).components == model.components, path.name


def test_nestml_accepts_what_was_rewritten(nestml_complaints: Judge) -> None:
    chosen = ("iaf_psc_alpha", "izhikevich_neuron", "iaf_psc_delta_neuron", "stdp_synapse")
    texts = {}
    for path in library():
        if path.stem.startswith(chosen):
            texts.update(exported(path)[0])
    assert len(texts) >= len(chosen)
    assert nestml_complaints(texts) == {name: [] for name in texts}


def test_an_integrate_and_fire_cell_reads_as_one_writes_it() -> None:
    texts, _ = exported(published()["01_iaf_four_types"])
    body = texts["iafTauRef"].split("model iafTauRef:\n")[1]
    assert [line.strip() for line in body.splitlines() if line.strip()] == [
        "state:",
        "v mV = leakReversal",
        "refractory_count integer = 0    # steps that the refractory period still lasts",
        "equations:",
        "v' = (leakReversal - v) / tau",
        "parameters:",
        "thresh mV = -55 mV",
        "reset mV = -70 mV",
        "leakReversal mV = -50 mV",
        "tau ms = 30 ms",
        "refract ms = 5 ms",
        "internals:",
        "refractory_steps integer = steps(refract)    # length of the refractory period in steps",
        "output:",
        "spike",
        "update:",
        "if refractory_count > 0:",
        "refractory_count -= 1",
        "else:",
        "integrate_odes()",
        "onCondition(refractory_count == 0 and v > thresh):",
        "emit_spike()",
        "refractory_count = refractory_steps",
        "v = reset",
    ]


def test_synapses_become_ports_and_pulses_become_assignments() -> None:
    texts, log = exported(published()["08_current_synapse"])
    cell = texts["iaf"]
    assert "alphaSyn_in <- spike" in cell and "onReceive(alphaSyn_in):" in cell
    assert "alphaSyn_in * " in cell.split("onReceive(alphaSyn_in):")[1]
    assert "N201" in {issue.code for issue in log}
    pulses = exported(published()["12_hh_single_compartment"])[0]["hhcell"]
    assert "step_middle = t - half_step" in pulses and "pulseGen1_amplitude" in pulses


def test_strict_conversion_refuses_the_lost_connections(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as problem:
        convert(published()["08_current_synapse"], to="nestml", strict=True)
    assert problem.value.refused
    done = convert(published()["08_current_synapse"], to="nestml", output=tmp_path / "out")
    assert sorted(a.path for a in done.artifacts) == ["iaf.nestml", "spks.nestml"]


def printed(text: str) -> str:
    dimensions = {"v": VOLTAGE, "g": CONDUCTANCE, "tau": TIME, "n": NONE, "m": NONE, "x": NONE}
    kinds = {"n": "integer", "m": "integer"}
    context = Context(Names({"mV"}), dimensions, kinds=kinds)
    return NestmlPrinter(context).text(parse_expr(text))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("v + 1 mV * x", "v + (1 mV) * x"),
        ("exp(-(1 ms / tau))", "exp(-((1 ms) / tau))"),
        ("v / 3 mV", "v / 3 mV"),
        ("v / 3 mV * x", "v / (3 mV) * x"),
        ("0.001 V + v", "1 mV + v"),
        ("x^2 + (-x)^2 + x^(-1)", "x**2 + (-x)**2 + x**-1"),
        ("(x + 1)^0.5 * sqrt(x + 1)", "(x + 1)**0.5 * (x + 1)**0.5"),
        ("x > 1 or x < 0 and n == 1", "x > 1 or (x < 0 and n == 1)"),
        ("(x > 1 or x < 0) and n == 1", "(x > 1 or x < 0) and n == 1"),
        ("not (x > 1)", "not (x > 1)"),
        ("if(x > 1, 1, x > 0, 2, 3)", "x > 1 ? 1 : (x > 0 ? 2 : 3)"),
        ("2 * if(x > 1, 1, 2)", "2 * (x > 1 ? 1 : 2)"),
        ("max(x, 1) + max(n, 1)", "max(x, 1.0) + max(n, 1)"),
        ("max(x, n)", "max(1.0 * (x), 1.0 * (n))"),
        ("n % m", "n % m"),
        ("x % 2", "modulo(x, 2)"),
        ("2 + 3 * normal()", "random_normal(2.0, 3.0)"),
        ("uniform() * 2", "random_uniform(0.0, 1.0) * 2"),
        ("log(x) + poisson(3)", "ln(x) + random_poisson(3)"),
        ("x - (-2)", "x - (-2)"),
        ("bitor(n, 1) == 3", "(n | 1) == 3"),
    ],
)
def test_expressions(ours: str, theirs: str) -> None:
    assert printed(ours) == theirs.replace("1.0 * (x)", "x")


def test_a_function_that_cannot_be_written_is_refused() -> None:
    with pytest.raises(ModelError) as problem:
        printed("expdd(x, 1, 2)")
    assert problem.value.issues[0].code == "N304"


def test_infinity_and_what_is_no_number() -> None:
    context = Context(Names(), {})
    text = NestmlPrinter(context).text(Binary("<", Name("x"), Number(math.inf, MV)))
    assert text == "x < inf * 1 mV"
    with pytest.raises(ModelError):
        NestmlPrinter(context).text(Number(math.nan))


def test_names_stay_apart() -> None:
    names = Names({"mV"})
    given = [names.add(name) for name in ("in", "a-b", "a b", "t", "mV", "9x", "", "é")]
    assert len(set(given)) == len(given)
    assert given[:4] == ["spikes", "a_b", "a_b_", "t_"]


def test_comments_cannot_end_and_long_lines_go_on() -> None:
    component = Component(
        name="c",
        description="one\ntwo\x0bmodel evil:\r\n  x",
        state_variables=(StateVariable(name="x", description="a\nmodel evil:"),),
        update=(),
    )
    text = component_text(component, Log(), taken=set())[1]
    assert all(line.lstrip().startswith("#") for line in text.splitlines() if "evil" in line)
    line = "x = " + " + ".join(f"name_{k}" for k in range(60))
    parts = wrapped(line).splitlines()
    assert all(part.endswith("\\") for part in parts[:-1]) and max(map(len, parts)) <= 112
    assert " ".join(part.rstrip("\\").strip() for part in parts) == line


def test_units_of_common_dimensions() -> None:
    assert unit_for(VOLTAGE / TIME) == "mV/ms"
    assert unit_for(NONE / TIME) == "1/ms"
    assert unit_for(NONE) == "real"


def test_nothing_to_write_is_told() -> None:
    log = Log()
    model = Model(name="empty")
    files = export(model, scheme="auto", step=1e-4, source=model.provenance, log=log, name="empty")
    assert files == () and [(i.code, i.level) for i in log] == [("N207", Level.WARNING)]
