"""Every refusal of the NineML exporter has its row in the printed table of what NineML has no word for."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from interspike.canonical_model.abilities import FEATURES, Support
from interspike.canonical_model.diagnostics import Log, ModelError
from interspike.canonical_model.model import Provenance
from interspike.exporters.nineml.emit import export_yaml
from interspike.exporters.nineml.format import FORMAT, REFUSALS
from interspike.importers.nestml.reader import read

ROOT = Path(__file__).resolve().parents[3]
LIBRARY = Path(sys.prefix) / "models" / "neurons"
# what the program of each has that no regime can say
WITHOUT_A_WORD = {
    "hh_cond_exp_destexhe_neuron": "'g_noise_exc' is assigned to in every step",
    "iaf_chxk_2008_neuron": "'V_m_prev', a value of the step before",
}


def test_each_code_has_a_row_that_is_printed() -> None:
    found = {
        code
        for path in (ROOT / "exporters" / "nineml").glob("*.py")
        for code in re.findall(r'refuse\(\s*"([A-Z]\d+)"', path.read_text())
    }
    assert found and found <= REFUSALS.keys()
    for feature in REFUSALS.values():
        assert feature in FEATURES
        assert FORMAT.abilities[feature].support is not Support.FULL, feature
        assert FORMAT.abilities[feature].note


def test_the_page_prints_the_table() -> None:
    page = (ROOT / "docs" / "nineml.md").read_text()
    for feature in {"programs", *REFUSALS.values()}:
        assert f"| {FEATURES[feature]} |" in page, feature


@pytest.mark.skipif(not LIBRARY.is_dir(), reason="NESTML 9's model library is not installed")
@pytest.mark.parametrize("name", sorted(WITHOUT_A_WORD))
def test_programs_that_are_refused_have_the_construct_that_the_table_names(name: str) -> None:
    model = read(LIBRARY / f"{name}.nestml", None, log=Log())
    with pytest.raises(ModelError) as caught:
        export_yaml(model, scheme="auto", step=1e-4, source=Provenance(), log=Log(), name="m")
    issue = caught.value.issues[0]
    assert WITHOUT_A_WORD[name] in issue.message and issue.span is not None
    assert REFUSALS[issue.code] == "programs"
    assert FORMAT.abilities["programs"].support is Support.LOSSY
