"""Networks wired otherwise differ; renamed and reordered ones do not. Values can be set and matched."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from interspike.app import cli
from interspike.app.diff import diff
from interspike.app.load import load
from interspike.canonical_model.diagnostics import ModelError
from interspike.canonical_model.model import Model
from interspike.canonical_model.network import Network

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"


def network() -> tuple[Model, Network]:
    model = load(FIXTURES / "lems/izhikevich_network.xml")
    assert model.network is not None
    return model, model.network


def test_renamed_and_reordered_networks_are_the_same() -> None:
    model, own = network()
    names = {p.name: f"{p.name}_2" for p in own.populations}
    order = np.arange(len(own.projections[0].pre))[::-1]
    projections = tuple(
        replace(
            p, name=f"other_{k}", source=names[p.source], target=names[p.target],
            **({"pre": p.pre[order], "post": p.post[order],
                "weight": None if p.weight is None else p.weight[order],
                "delay": None if p.delay is None else p.delay[order]} if k == 0 else {}),
        )
        for k, p in enumerate(own.projections)
    )  # fmt: skip
    other = replace(
        own,
        populations=tuple(replace(p, name=names[p.name]) for p in reversed(own.populations)),
        projections=projections,
        inputs=tuple(replace(i, population=names[i.population]) for i in own.inputs),
        experiment=None,
    )
    assert diff(model, replace(model, network=other)).verdict == "same"


def test_what_is_wired_otherwise_is_named() -> None:
    model, own = network()
    first = own.projections[0]
    delay = np.zeros(len(first.pre)) if first.delay is None else first.delay
    slower = replace(first, delay=delay + 1e-3)
    fewer = replace(own.populations[0], size=own.populations[0].size + 1)
    changes = {
        "delays": replace(own, projections=(slower, *own.projections[1:])),
        "connections": replace(own, projections=own.projections[1:]),
        "inputs": replace(own, inputs=()),
        "cells": replace(own, populations=(fewer, *own.populations[1:])),
    }
    for word, changed in changes.items():
        found = diff(model, replace(model, network=changed))
        assert found.verdict == "different"
        assert any(word in part.sentence for part in found.parts), (word, found.parts)
    assert "only in the first" in diff(model, replace(model, network=None)).parts[0].sentence


TEXT = """<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="z"><iafTauCell id="cell"
leakReversal="-60mV" thresh="-50mV" reset="-70mV" tau="{tau}"/></neuroml>"""


def test_values_may_be_set_and_matched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, tau in (("a", "20ms"), ("b", "30ms")):
        (tmp_path / f"{name}.nml").write_text(TEXT.format(tau=tau))
    a, b = str(tmp_path / "a.nml"), str(tmp_path / "b.nml")
    assert cli.main(["diff", a, b, "--json"]) == 1
    (found,) = json.loads(capsys.readouterr().out)["components"]
    assert "'tau' is 20 ms where 'tau' is 30 ms" in found["differences"][0]["sentence"]
    assert cli.main(["diff", a, b, "--set", "tau=0.02s"]) == 0
    assert cli.main(["diff", a, b, "--match"]) == 0
    assert "taken as 20 ms" in capsys.readouterr().out
    for wrong in ("tau=3mV", "tau=soon", "tow=1ms", "tau"):
        with pytest.raises(ModelError, match=r"A23[45]"):
            diff(a, b, values=dict([wrong.partition("=")[::2]]))
