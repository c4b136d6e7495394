"""Files of our own design, unlike the catalogue: the real library takes them, and all targets agree."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from interspike.app.convert import wire_model
from interspike.app.verify import verify
from interspike.canonical_model.compare import differences
from interspike.canonical_model.diagnostics import Log, ModelError
from interspike.canonical_model.model import Provenance
from interspike.canonical_model.passes.flatten import flatten
from interspike.exporters.nineml.emit import export_xml
from interspike.importers.nineml.reader import read
from interspike.solvers.simulate import simulate

ROOT = Path(__file__).resolve().parents[3]
FIXTURES = ROOT / "fixtures" / "nineml"
TOOLS = ROOT.parent / "shared" / "tools"
FILES = ("burst.yml", "noisy_reset.json", "rules.xml", "nested.yml")


@pytest.mark.skipif(not (TOOLS / "nineml_shim.py").exists(), reason="the shim is not here")
@pytest.mark.skipif(importlib.util.find_spec("nineml") is None, reason="no NineML library")
@pytest.mark.parametrize("name", FILES)
def test_the_library_takes_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(TOOLS))
    import nineml_shim

    document = nineml_shim.load(str(FIXTURES / name))
    assert list(document.elements)
    sys.modules.pop("nineml_shim", None)


@pytest.mark.parametrize("name", FILES)
def test_it_comes_back(name: str) -> None:
    model = read(FIXTURES / name, None, log=Log(), options={"strict": "yes"})
    (text,) = export_xml(model, scheme="auto", step=1e-4, source=Provenance(), log=Log(), name="m")
    again = read(None, text.data, file=text.path, log=Log(), options={"strict": "yes"})
    if name != "rules.xml":  # whose cells are named after their populations
        assert {c.name for c in again.components} == {c.name for c in model.components}
    if name in ("burst.yml", "noisy_reset.json"):
        for component in model.components:
            assert not differences(component, again.component(component.name))


@pytest.mark.parametrize(("name", "target"), [("burst.yml", "nestml"), ("burst.yml", "spinnaker2"),
                                              ("noisy_reset.json", "nestml"),
                                              ("rules.xml", "nestml"), ("rules.xml", "nineml")])  # fmt: skip
def test_targets_agree(name: str, target: str) -> None:
    found = verify(
        FIXTURES / name, to=target, log=Log(), length="50 ms" if "rules" in name else None
    )
    assert found.verdict == "same"


def test_bursts_by_hand() -> None:
    """Charging takes 12 ms * ln(11/3); four spikes 3 ms apart, 3 ms more, and a rest of 15.5 ms."""
    component = read(FIXTURES / "burst.yml", None, log=Log()).component("burster")
    from interspike.canonical_model.circuit import Circuit, Group, Probe

    circuit = Circuit(
        name="c", groups=(Group(name="cell", component=flatten(component).component, size=1),),
        event_probes=(Probe(label="spikes", group="cell", index=0, variable="spike"),),
    )  # fmt: skip
    found = simulate(circuit, mode="continuous", length=0.1, step=1e-3).events["spikes"] * 1e3
    first = 12.0 * np.log(11.0 / 3.0)
    burst = np.arange(4) * 3.0
    period = first + 4 * 3.0 + 15.5
    wanted = np.concatenate([first + k * period + burst for k in range(3)])
    assert np.allclose(found, wanted[wanted < 100.0], atol=1e-6)


def test_rules_join_as_they_say() -> None:
    model = read(FIXTURES / "rules.xml", None, log=Log())
    circuit = wire_model(model, Log(), None)
    assert sum(group.size for group in circuit.groups if not group.host) >= 13
    network = model.network
    assert network is not None
    assert {p.name.partition("_")[0] for p in network.projections} == {"AB", "BBoth", "BothA"}


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('>1.5</SingleValue></Delay>', '>-1.5</SingleValue></Delay>', "X253"),
        ("<Size>8</Size>", "<Size>999999999</Size>", "X032"),
        ("<Size>8</Size>", "<Size>8.5</Size>", "X032"),
        (">0.3<", ">2<", "X241"),
        ("<SingleValue>3</SingleValue>", "<SingleValue>99</SingleValue>", "X241"),
        ('index="1"', 'index="3"', "X036"),
        ('<Item index="1"><Reference>B', '<Item index="1"><Reference>Both', "X252"),
        ("<Connectivity><Reference>all", "<Connectivity><Reference>cell", "X046"),
    ],
)  # fmt: skip
def test_wrong_networks(old: str, new: str, code: str) -> None:
    text = (FIXTURES / "rules.xml").read_text()
    assert old in text
    with pytest.raises(ModelError) as caught:
        read(None, text.replace(old, new, 1).encode(), file="m.xml", log=Log())
    assert code in {issue.code for issue in caught.value.issues}


def test_octets_that_are_no_text_have_a_place() -> None:
    data = (FIXTURES / "burst.yml").read_bytes().replace(b"Burster", b"Burst\xe9r", 1)
    with pytest.raises(ModelError) as caught:
        read(None, data, file="m.yml", log=Log())
    span = caught.value.issues[0].span
    assert span is not None and span.line == 5
