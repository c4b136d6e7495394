"""What a model says of its quantities travels through NineML as annotations, which the library accepts."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest
from interspike.canonical_model.diagnostics import Log
from interspike.canonical_model.model import Model, Provenance
from interspike.exporters.nestml.emit import export as to_nestml
from interspike.exporters.nineml.emit import export_json, export_xml, export_yaml
from interspike.importers.nestml.reader import read as read_nestml
from interspike.importers.nineml.reader import read

TOOLS = Path(__file__).resolve().parents[3].parent / "shared" / "tools"
NEURON = '''\
"""A leak that is told about: "quotes", <signs> & lines
of more than one."""
model told_neuron:
    state:
        V_m mV = -65 mV # the membrane: <V> & "co"
    equations:
        inline drive pA = C_m * 2 mV / ms # what comes in
        V_m' = (E_L - V_m) / tau + drive / C_m
    parameters:
        tau ms = 10 ms # how fast
        C_m pF = 200 pF # how much
        E_L mV = -65 mV # where it rests
    output:
        spike
    update:
        integrate_odes()
    onCondition(V_m > -60 mV):
        V_m = E_L
        emit_spike()
'''
FORMS = {"yml": export_yaml, "xml": export_xml, "json": export_json}


def written(form: str) -> tuple[Model, bytes]:
    model = read_nestml(None, NEURON.encode(), file="told.nestml", log=Log())
    (made,) = FORMS[form](
        model, scheme="auto", step=1e-4, source=Provenance(), log=Log(), name="told"
    )
    return model, made.data


@pytest.mark.parametrize("form", FORMS)
def test_descriptions_come_back(form: str) -> None:
    model, data = written(form)
    (source,) = model.components
    found = read(None, data, file=f"told.{form}", log=Log(), options={"strict": "yes"})
    (component,) = found.components
    assert component.description == source.description
    for kind in ("parameters", "state_variables", "derived_variables"):
        texts = [{i.name: i.description for i in getattr(c, kind)} for c in (source, component)]
        assert texts[0] == texts[1] and any(texts[0].values())
    common = {"scheme": "auto", "step": 1e-4, "source": Provenance(), "name": "again"}
    text = to_nestml(found, log=Log(), **common)[0].data.decode()  # type: ignore[arg-type]
    for said in ("the membrane", "what comes in", "how fast", "how much", "where it rests"):
        assert said in text


@pytest.mark.skipif(not (TOOLS / "nineml_shim.py").exists(), reason="the shim is not here")
@pytest.mark.skipif(importlib.util.find_spec("nineml") is None, reason="no NineML library")
@pytest.mark.parametrize("form", FORMS)
def test_the_library_takes_them(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(TOOLS))
    import nineml_shim

    path = tmp_path / f"told.{form}"
    path.write_bytes(written(form)[1])
    document = nineml_shim.load(str(path))
    again = nineml_shim.dump_text(document.clone(), "yaml")
    found = read(None, again.encode(), file="again.yml", log=Log())
    assert [p.description for p in found.components[0].parameters].count("how fast") == 1
    sys.modules.pop("nineml_shim", None)
