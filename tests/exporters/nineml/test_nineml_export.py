"""What the NineML exporter writes is read back equal, also by the reference library, and behaves alike."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from interspike.canonical_model.circuit import Circuit
from interspike.canonical_model.compare import differences
from interspike.canonical_model.diagnostics import Log, ModelError
from interspike.canonical_model.draw import drawn
from interspike.canonical_model.expr import Binary, Call, Conditional, Name, Number
from interspike.canonical_model.model import (
    Assign,
    Component,
    DerivedVariable,
    Emit,
    EventPort,
    Model,
    Ode,
    OnCondition,
    OnEvent,
    Parameter,
    Provenance,
    StateVariable,
    TimedEvents,
)
from interspike.canonical_model.passes.wire import wire
from interspike.canonical_model.units import TIME, VOLTAGE, Unit, si_quantity
from interspike.canonical_model.verify import verify_model
from interspike.exporters.nineml.emit import export_json, export_xml, export_yaml
from interspike.importers.lems.reader import read as read_lems
from interspike.importers.nineml.reader import read
from interspike.solvers.simulate import simulate

ROOT = Path(__file__).resolve().parents[3]
SHARED = ROOT.parent / "shared"
MODELS = SHARED / "models" / "nineml"
NETWORK = ROOT / "fixtures" / "nineml" / "balanced.yml"
LEMS = sorted((ROOT / "fixtures" / "lems").glob("*.xml"))
LEMS += sorted((ROOT / "fixtures" / "lems" / "constructs").glob("*.xml"))
FORMS = {"yml": export_yaml, "xml": export_xml, "json": export_json}
needs_models = pytest.mark.skipif(not MODELS.exists(), reason="the shared models are not here")
# whole documents that no network of random values changes between reading and writing
CATALOGUE = [
    "catalog/neuron/LeakyIntegrateAndFire.yml", "catalog/neuron/Izhikevich.yml",
    "catalog/neuron/HodgkinHuxley.yml", "catalog/postsynapticresponse/Alpha.yml",
    "catalog/postsynapticresponse/GsfaGrr.yml", "catalog/input/Poisson.yml",
    "catalog/input/StepCurrent.yml", "catalog/plasticity/Static.yml", "authored/lif_refractory.yml",
    "authored/izhikevich_rs.yml", "multi/iaf_alpha_flat.yml",
]  # fmt: skip


def write(model: Model, form: str, log: Log | None = None) -> bytes:
    (artifact,) = FORMS[form](
        model, scheme="auto", step=1e-4, source=Provenance(), log=log or Log(), name="model"
    )
    assert artifact.path == f"model.{form}"
    return artifact.data


def again(model: Model, form: str = "yml") -> Model:
    found = read(None, write(model, form), file=f"model.{form}", log=Log())
    assert not verify_model(found)
    return found


@needs_models
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", CATALOGUE)
def test_published_models_come_back_equal(name: str, form: str) -> None:
    model = read(MODELS / name, None, log=Log())
    found = {component.name: component for component in again(model, form).components}
    assert sorted(found) == sorted(component.name for component in model.components)
    for component in model.components:
        assert not differences(component, found[component.name])


def test_a_network_comes_back_equal() -> None:
    model = read(NETWORK, None, log=Log())
    found = again(model)
    assert model.network is not None and found.network is not None
    for one, other in zip(model.network.populations, found.network.populations, strict=True):
        assert (one.name, one.size) == (other.name, other.size)
        assert one.spread_initial == other.spread_initial
    for before, after in zip(model.network.projections, found.network.projections, strict=True):
        assert before.rule is not None and before.rule == after.rule
    networks = (drawn(model.network), drawn(found.network))
    for ours, theirs in zip(*(n.projections for n in networks), strict=True):
        assert len(ours.pre) and np.array_equal(ours.pre, theirs.pre)
        assert np.array_equal(ours.post, theirs.post)
        assert ours.delay is not None and theirs.delay is not None
        assert np.array_equal(ours.delay, theirs.delay)


def run(model: Model, length: float) -> dict[str, np.ndarray]:  # type: ignore[type-arg]
    from interspike.app.simulate import with_probes

    circuit: Circuit = with_probes(wire(model, Log()))
    return dict(simulate(circuit, mode="continuous", length=length, step=1e-3).events)


@pytest.mark.parametrize("path", LEMS, ids=lambda path: path.stem)
def test_lems_models_fire_at_the_same_times(path: Path) -> None:
    model = read_lems(path, None, log=Log())
    found = again(model)
    if path.stem in ("hodgkin_huxley", "izhikevich_network"):
        # long runs are compared for the others
        return
    length = model.network.experiment.length if model.network and model.network.experiment else 0.1
    before, after = (run(item, min(length or 0.1, 0.1)) for item in (model, found))
    counts = sorted(len(times) for times in before.values() if len(times))
    assert counts == sorted(len(times) for times in after.values() if len(times))
    first = np.sort(np.concatenate([np.zeros(0), *before.values()]))
    second = np.sort(np.concatenate([np.zeros(0), *after.values()]))
    assert np.allclose(first, second, rtol=0, atol=1e-7)


def test_the_same_model_gives_the_same_bytes() -> None:
    model = read(NETWORK, None, log=Log())
    for form in FORMS:
        assert write(model, form) == write(model, form)


# --- what NineML has no word for

VOLT = Unit("V", VOLTAGE)


def cell(**parts: object) -> Model:
    """dv/dt = (E - v)/tau, with whatever else."""
    basic = {
        "name": "cell",
        "parameters": (
            Parameter(name="tau", dimension=TIME, value=si_quantity(0.01, TIME)),
            Parameter(name="E", dimension=VOLTAGE, value=si_quantity(0.03, VOLTAGE)),
        ),
        "state_variables": (StateVariable(name="v", dimension=VOLTAGE),),
        "odes": (Ode(variable="v", rhs=_over(Binary("-", Name("E"), Name("v")))),),
    }
    return Model(name="m", components=(Component(**{**basic, **parts}),))  # type: ignore[arg-type]


def _over(value: object) -> Binary:
    return Binary("/", value, Name("tau"))  # type: ignore[arg-type]


def refusal(model: Model) -> str:
    with pytest.raises(ModelError) as caught:
        write(model, "yml")
    assert caught.value.refused
    return caught.value.issues[0].code


def test_a_list_of_times_is_refused() -> None:
    timed = TimedEvents(times=(0.01,), body=(Emit(port="out"),))
    assert refusal(cell(timed_events=(timed,), event_outputs=(EventPort(name="out"),))) == "X300"


@pytest.mark.parametrize("function", ["floor", "erf", "factorial", "round"])
def test_unknown_functions_are_refused(function: str) -> None:
    value = Call(function, (Binary("/", Name("v"), Name("E")),))
    derived = DerivedVariable(name="d", value=value)
    assert refusal(cell(derived_variables=(derived,))) == "X301"


def test_numbers_that_are_not_finite_are_refused() -> None:
    value = Binary("*", Name("v"), Number(float("inf")))
    assert refusal(cell(derived_variables=(DerivedVariable(name="d", value=value),))) == "X311"


def test_draws_outside_of_events_are_refused() -> None:
    assert refusal(cell(derived_variables=(DerivedVariable(name="d", value=Call("uniform")),))) == (
        "X300"
    )


# --- what is rewritten


def test_conditional_rates_become_regimes() -> None:
    """dv/dt = (if v < 10 mV: 30 mV else 20 mV, minus v)/tau: the way up to 15 mV is known in closed form."""
    low = Binary("<", Name("v"), Number(0.01, VOLT))
    goal = Conditional(((low, Name("E")),), Number(0.02, VOLT))
    fired = OnCondition(
        test=Binary(">", Name("v"), Number(0.015, VOLT)),
        body=(Assign(target="v", value=Number(0.0)), Emit(port="spike")),
    )
    model = cell(
        odes=(Ode(variable="v", rhs=_over(Binary("-", goal, Name("v")))),),
        on_conditions=(fired,),
        event_outputs=(EventPort(name="spike"),),
    )
    found = again(model)
    (component,) = found.components
    assert len(component.machines[0].regimes) == 2
    (times,) = (t for t in run(found, 0.05).values())
    period = 0.01 * (np.log(30 / 20) + np.log(10 / 5))
    assert np.allclose(times, period * np.arange(1, len(times) + 1), rtol=0, atol=1e-9)
    assert len(times) == int(0.05 / period)


def test_assignments_see_the_values_before() -> None:
    """The canonical body is a sequence, NineML's is at once: v := 2 v; w := v reads the new v."""
    states = tuple(StateVariable(name=n, dimension=VOLTAGE) for n in ("v", "w"))
    body = (
        Assign(target="v", value=Binary("*", Number(2.0), Name("v"))),
        Assign(target="w", value=Name("v")),
    )
    model = cell(
        state_variables=states,
        event_inputs=(EventPort(name="in"),),
        on_events=(OnEvent(port="in", body=body),),
    )
    (component,) = again(model).components
    (handler,) = component.on_events
    values = {s.target: s.value for s in handler.body if isinstance(s, Assign)}
    assert values["w"] == Binary("*", Number(2.0), Name("v"))


# --- the reference library as judge

JUDGE = """
import json, os, sys
import nineml_shim as ns
out = {}
for path in sys.argv[1:]:
    try:
        doc = ns.load(path)
        for thing in doc.elements:
            getattr(thing, "name", None)
        with open(path + ".lib.yml", "w") as stream:
            stream.write(ns.dump_text(doc.clone(), "yaml"))
        out[path] = ""
    except Exception as problem:
        out[path] = f"{type(problem).__name__}: {problem}"
print(json.dumps(out))
"""


def _library() -> str:
    """An interpreter that has the library: INTERSPIKE_NINEML_PYTHON, else this one."""
    python = os.environ.get("INTERSPIKE_NINEML_PYTHON", sys.executable)
    shim = SHARED / "tools"
    if not (shim / "nineml_shim.py").exists():
        return ""
    done = subprocess.run([python, "-c", "import nineml_shim"], capture_output=True,
                          env={**os.environ, "PYTHONPATH": str(shim)})  # fmt: skip
    return python if done.returncode == 0 else ""


LIBRARY = _library()


@pytest.mark.skipif(not LIBRARY, reason="the NineML library (or its shim) is not here")
def test_the_library_takes_everything(tmp_path: Path) -> None:
    """It loads and validates each file, and what it writes itself has our meaning."""
    models = [read(MODELS / name, None, log=Log()) for name in CATALOGUE]
    models += [read_lems(path, None, log=Log()) for path in LEMS]
    models.append(read(NETWORK, None, log=Log()))
    files = []
    for number, model in enumerate(models):
        for form in FORMS if number % 4 == 0 else ("yml", "xml"):
            path = tmp_path / f"m{number}.{form}"
            path.write_bytes(write(model, form))
            files.append(str(path))
    environment = {**os.environ, "PYTHONPATH": str(SHARED / "tools")}
    done = subprocess.run([LIBRARY, "-c", JUDGE, *files], capture_output=True, text=True,
                          env=environment, check=True)  # fmt: skip
    verdicts = json.loads(done.stdout.splitlines()[-1])
    assert {path: text for path, text in verdicts.items() if text} == {}
    for number, model in enumerate(models[: len(CATALOGUE)]):
        theirs = read(tmp_path / f"m{number}.yml.lib.yml", None, log=Log())
        for component in model.components:
            twin = theirs.component(component.name)
            values = [
                {p.name: p.value.si for p in c.parameters if p.value} for c in (component, twin)
            ]
            assert values[0].keys() == values[1].keys()
            assert all(values[0][n] == pytest.approx(values[1][n]) for n in values[0])
            assert [s.name for s in sorted(component.state_variables, key=lambda s: s.name)] == [
                s.name for s in sorted(twin.state_variables, key=lambda s: s.name)
            ]
