"""Random documents - classes, values, a network, joined dynamics - come back equal in every serialization."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from interspike.canonical_model.compare import differences
from interspike.canonical_model.diagnostics import Log
from interspike.canonical_model.model import Model, Provenance
from interspike.canonical_model.verify import verify_model
from interspike.exporters.nineml.emit import export_json, export_xml, export_yaml
from interspike.importers.nineml.reader import read

TOOLS = Path(__file__).resolve().parents[3].parent / "shared" / "tools"
FORMS = {"yml": export_yaml, "xml": export_xml, "json": export_json}
RULES = "http://nineml.net/9ML/1.0/connectionrules/"
UNIFORM = "http://www.uncertml.org/distributions/uniform"
NUMBERS = st.integers(1, 4000).map(lambda k: k / 16)
PARAMETERS, STATES = ["a", "k2"], ["x", "y", "z"]
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
EASY = settings(
    max_examples=6, deadline=None, phases=PHASES, suppress_health_check=list(HealthCheck)
)


def single(name: str, units: str, value: float) -> dict[str, Any]:
    return {"name": name, "units": units, "SingleValue": value}


def rows(values: list[float]) -> dict[str, Any]:
    return {"ArrayValueRow": [{"index": k, "value": v} for k, v in enumerate(values)]}


@st.composite
def maths(draw: st.DrawFn, names: list[str]) -> str:
    """A dimensionless expression."""
    leaves = st.one_of(st.sampled_from(names), NUMBERS.map(str))
    inner = st.recursive(
        leaves,
        lambda sub: st.one_of(
            st.tuples(sub, st.sampled_from("+-*/"), sub).map(lambda p: f"({p[0]} {p[1]} {p[2]})"),
            st.tuples(st.sampled_from(["exp", "tanh", "sin", "sqrt"]), sub).map(
                lambda p: f"{p[0]}({p[1]})"
            ),
            sub.map(lambda s: f"pow({s}, 2)"),
            sub.map(lambda s: f"(-{s})"),
        ),
        max_leaves=5,
    )
    return draw(inner)


@st.composite
def classes(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """Dynamics with one to three regimes in a ring, aliases, draws, ports of every kind."""
    names = [*PARAMETERS, *STATES, "inp", "q"]
    regimes = [f"r{k}" for k in range(draw(st.integers(1, 3)))]

    def assignments(random: bool) -> list[dict[str, str]]:
        chosen = draw(st.lists(st.sampled_from(STATES), unique=True, max_size=2))
        found = []
        for state in chosen:
            value = draw(maths(names))
            if random and draw(st.booleans()):
                value += draw(
                    st.sampled_from([" + random.normal(0, 1)", " + random.uniform(0, 1)"])
                )
            found.append({"variable": state, "MathInline": value})
        return found

    def regime(k: int) -> dict[str, Any]:
        moving = draw(st.lists(st.sampled_from(STATES), unique=True, max_size=3))
        test = f"{draw(st.sampled_from(STATES))} {draw(st.sampled_from('<>'))} {draw(NUMBERS)}"
        if draw(st.booleans()):
            test += f" {draw(st.sampled_from(['&&', '||']))} inp > a"
        return {
            "name": regimes[k],
            "TimeDerivative": [
                {"variable": s, "MathInline": f"({draw(maths(names))})/tau"} for s in moving
            ]
            + [{"variable": "v", "MathInline": "(q - v)/tau"}],
            "OnCondition": [
                {"Trigger": {"MathInline": test}, "target_regime": regimes[(k + 1) % len(regimes)],
                 "StateAssignment": assignments(True), "OutputEvent": [{"port": "out"}]}
            ],
            "OnEvent": [
                {"port": "arrival", "target_regime": regimes[0], "StateAssignment": assignments(False)}
            ],
        }  # fmt: skip

    alias = f"a*k2 + {draw(maths([*STATES, 'inp']))}"
    return {
        "name": name,
        "Parameter": [{"name": "tau", "dimension": "time"}]
        + [{"name": p, "dimension": "one"} for p in PARAMETERS],
        "AnalogReducePort": [{"name": "inp", "dimension": "one", "operator": "+"}],
        "AnalogSendPort": [{"name": n, "dimension": "one"} for n in ("x", "q")],
        "EventSendPort": [{"name": "out"}],
        "EventReceivePort": [{"name": "arrival"}],
        "Dynamics": {
            "StateVariable": [{"name": s, "dimension": "one"} for s in [*STATES, "v"]],
            "Alias": [{"name": "q", "MathInline": alias}],
            "Regime": [regime(k) for k in range(len(regimes))],
        },
    }


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Two classes and what joins them, components with values of each kind, a network by one of the rules."""
    size = draw(st.integers(1, 4))

    def value(name: str, units: str) -> dict[str, Any]:
        kind = draw(st.sampled_from(["one", "one", "array", "drawn"]))
        if kind == "one":
            return single(name, units, draw(NUMBERS))
        held: dict[str, Any] = {"RandomDistributionValue": {"Reference": {"@body": "spread"}}}
        if kind == "array":
            held = {"ArrayValue": rows(draw(st.lists(NUMBERS, min_size=size, max_size=size)))}
        return {"name": name, "units": units, **held}

    def component(name: str, of: str, varied: bool) -> dict[str, Any]:
        one = value if varied else lambda n, u: single(n, u, draw(NUMBERS))
        properties = [one("tau", "ms"), *(one(p, "un") for p in PARAMETERS)]
        initials = [one(s, "un") for s in [*STATES, "v"]]
        return {
            "name": name,
            "Definition": {"@body": of},
            "Property": properties,
            "Initial": initials,
        }

    rule = draw(st.sampled_from(["AllToAll", "Probabilistic", "RandomFanIn", "RandomFanOut"]))
    key = {"AllToAll": "", "Probabilistic": "probability"}.get(rule, "number")
    parameter = [{"name": key, "dimension": "one"}] if key else []
    number = 0.5 if key == "probability" else float(draw(st.integers(1, size)))
    link = [{"send_port": "out", "receive_port": "arrival"}]
    delay: dict[str, Any] = {"units": "ms", "SingleValue": draw(NUMBERS)}
    if draw(st.booleans()):
        delay = {"units": "ms", "RandomDistributionValue": {"Reference": {"@body": "spread"}}}
    body: dict[str, Any] = {
        "@namespace": "http://nineml.net/9ML/1.0",
        "ComponentClass": [
            draw(classes("Cell")), draw(classes("Other")),
            {"name": "Rule", "Parameter": parameter, "ConnectionRule": {"standard_library": RULES + rule}},
            {"name": "Uniform", "RandomDistribution": {"standard_library": UNIFORM},
             "Parameter": [{"name": n, "dimension": "one"} for n in ("minimum", "maximum")]},
        ],
        "MultiDynamicsProperties": [{
            "name": "both",
            "SubDynamicsProperties": [
                {"name": n, "Reference": {"@body": c}} for n, c in (("one", "plain"), ("two", "other"))
            ],
            "EventPortConnection": [
                {"sender_name": "one", "receiver_name": "two", "send_port": "out",
                 "receive_port": "arrival"}
            ],
            "AnalogPortConnection": [
                {"sender_name": "two", "receiver_name": "one", "send_port": "x", "receive_port": "inp"}
            ],
            "AnalogReducePortExposure": [{"name": "inp", "sub_component": "two", "port": "inp"}],
            "EventReceivePortExposure": [
                {"name": "arrival", "sub_component": "one", "port": "arrival"}
            ],
            "EventSendPortExposure": [{"name": "out", "sub_component": "two", "port": "out"}],
        }],
        "Component": [
            component("cell", "Cell", True), component("plain", "Cell", False),
            component("other", "Other", False),
            {"name": "spread", "Definition": {"@body": "Uniform"},
             "Property": [single("minimum", "un", 0.5), single("maximum", "un", 4.0)]},
            {"name": "rule", "Definition": {"@body": "Rule"},
             "Property": [single(key, "un", number)] if key else []},
        ],
        "Population": [
            {"name": "P", "Size": size, "Cell": {"Reference": {"@body": "cell"}}},
            {"name": "Q", "Size": size, "Cell": {"Reference": {"@body": "both"}}},
        ],
        "Projection": [{
            "name": "pq",
            "Source": {"Reference": {"@body": "P"}},
            "Destination": {"Reference": {"@body": "Q"},
                            "FromResponse": [{"send_port": "q", "receive_port": "inp"}]},
            "Connectivity": {"Reference": {"@body": "rule"}},
            "Response": {"Reference": {"@body": "other"}, "FromSource": link},
            "Delay": delay,
        }],
        "Dimension": [{"name": "time", "t": 1}, {"name": "one"}],
        "Unit": [{"symbol": "ms", "dimension": "time", "power": -3},
                 {"symbol": "un", "dimension": "one", "power": 0}],
    }  # fmt: skip
    return yaml.safe_dump({"NineML": body}, sort_keys=False)


def write(model: Model, form: str) -> bytes:
    export = FORMS[form]
    (made,) = export(model, scheme="auto", step=1e-4, source=Provenance(), log=Log(), name="m")
    return made.data


def again(model: Model, form: str) -> Model:
    found = read(None, write(model, form), file="m", log=Log(), options={"strict": "yes"})
    assert not verify_model(found)
    return replace(found, name=model.name, provenance=model.provenance)


@EASY
@given(documents(), st.permutations(list(FORMS)))
def test_random_documents_come_back(text: str, forms: list[str]) -> None:
    model = read(None, text.encode(), file="m.yml", log=Log(), options={"strict": "yes"})
    once = again(model, forms[0])  # expressions may be written in another form, once
    assert [c.name for c in once.components] == [c.name for c in model.components]
    assert once.network is not None and model.network is not None
    assert not differences(once.network, model.network)
    assert not differences(once, again(once, forms[1]))


@pytest.mark.skipif(not (TOOLS / "nineml_shim.py").exists(), reason="the shim is not here")
@pytest.mark.skipif(importlib.util.find_spec("nineml") is None, reason="no NineML library")
@settings(EASY, max_examples=1)
@given(documents())
def test_the_library_takes_some(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    sys.path.insert(0, str(TOOLS))
    try:
        import nineml_shim
    finally:
        sys.path.remove(str(TOOLS))
    folder = tmp_path_factory.mktemp("random")
    model = read(None, text.encode(), file="m.yml", log=Log())
    path = folder / "m.yml"
    path.write_bytes(write(model, "yml"))
    assert list(nineml_shim.load(str(path)).elements)
