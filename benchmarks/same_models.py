"""Models that were published in several languages, compared by `diff`; writes docs/same_models.md.

    python benchmarks/same_models.py NEUROML_DIR NINEML_DIR NESTML_DIR [--seconds 120] [-o PAGE]

Each pair is compared as it is, and again with the second model's parameters set to the first one's values
(by name, and by the table below where names differ), so that what then is left is no difference of values.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from pathlib import Path

from interspike.app.diff import Comparison, diff
from matrix import apart

ROOT = Path(__file__).resolve().parents[1]
SHOWN = 4


@dataclass(frozen=True, slots=True)
class Form:
    """One published form: a file below the folder of its language, and the component in it."""

    language: str
    file: str
    component: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """Two forms of one model; `values` are the first's for parameters that the second calls otherwise."""

    title: str
    one: Form
    other: Form
    values: dict[str, str] = field(default_factory=dict)


NML, NINE, NEST = "NeuroML", "NineML", "NESTML"
IZH = Form(NML, "02_izhikevich2003/model/LEMSexamples/LEMS_NML2_Ex2_Izh.xml", "izTonic")
IZH9 = Form(NEST, "neurons/izhikevich_neuron.nestml")
IZHN = Form(NINE, "catalog/neuron/Izhikevich.xml")
PYNN = "06_pynn_cells/model/examples/NML2_PyNNCells.nml"
LIF9 = Form(NEST, "neurons/iaf_psc_exp_neuron.nestml")
CASES = (
    Case("Izhikevich 2003", IZH, IZH9, {"a": "0.02", "b": "0.2", "c": "-65mV", "d": "6mV"}),
    Case("Izhikevich 2003", IZH, IZHN),
    Case("Izhikevich 2003", IZH9, IZHN),
    Case("AdEx", Form(NML, "04_adex/model/LEMSexamples/LEMS_NML2_Ex8_AdEx.xml", "adExBurst4"),
         Form(NEST, "neurons/aeif_psc_exp_neuron.nestml"),
         {"C_m": "281pF", "g_L": "30nS", "E_L": "-70.6mV", "V_reset": "-48.5mV", "V_th": "-50.4mV"}),
    Case("AdEx, conductance synapses", Form(NML, PYNN, "EIF_cond_exp_isfa_ista"),
         Form(NEST, "neurons/aeif_cond_exp_neuron.nestml")),
    Case("AdEx, alpha synapses", Form(NML, PYNN, "EIF_cond_alpha_isfa_ista"),
         Form(NEST, "neurons/aeif_cond_alpha_neuron.nestml")),
    Case("AdEx in two forms", Form(NEST, "neurons/aeif_cond_alpha_neuron.nestml"),
         Form(NEST, "neurons/aeif_cond_alpha_alt_neuron.nestml")),
    Case("Hodgkin-Huxley (Traub)", Form(NML, PYNN, "HH_cond_exp"),
         Form(NEST, "neurons/hh_cond_exp_traub_neuron.nestml")),
    Case("Hodgkin-Huxley", Form(NINE, "catalog/neuron/HodgkinHuxley.xml"),
         Form(NEST, "neurons/hh_psc_alpha_neuron.nestml")),
    Case("integrate and fire", Form(NINE, "catalog/neuron/LeakyIntegrateAndFire.xml"),
         Form(NML, "01_iaf_four_types/model/LEMSexamples/LEMS_NML2_Ex0_IaF.xml", "iafRef")),
    Case("integrate and fire, exponential currents", Form(NML, PYNN, "IF_curr_exp"), LIF9),
    Case("integrate and fire, alpha currents", Form(NML, PYNN, "IF_curr_alpha"),
         Form(NEST, "neurons/iaf_psc_alpha_neuron.nestml")),
    Case("integrate and fire, conductances", Form(NML, PYNN, "IF_cond_exp"),
         Form(NEST, "neurons/iaf_cond_exp_neuron.nestml")),
    Case("integrate and fire, alpha conductances", Form(NML, PYNN, "IF_cond_alpha"),
         Form(NEST, "neurons/iaf_cond_alpha_neuron.nestml")),
    Case("integrate and fire in one language, two serialisations",
         Form(NINE, "catalog/neuron/LeakyIntegrateAndFire.xml"),
         Form(NINE, "catalog/neuron/LeakyIntegrateAndFire.yml")),
)  # fmt: skip


def main() -> None:
    """Compare and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    for language in ("neuroml", "nineml", "nestml"):
        parser.add_argument(language, type=Path)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("-o", dest="output", type=Path, default=ROOT / "docs/same_models.md")
    arguments = parser.parse_args()
    folders = {NML: arguments.neuroml, NINE: arguments.nineml, NEST: arguments.nestml}
    lines = [
        "# Models that exist in several published forms",
        "",
        "Made by `python benchmarks/same_models.py NEUROML_DIR NINEML_DIR NESTML_DIR`. *As published*: what",
        "`interspike diff` finds. *Values matched*: the second model's parameters set to the first one's, by",
        "name (`--match`) or as said (`--set`); what is left are differences of the models themselves.",
    ]
    for case in CASES:
        lines += ["", f"## {case.title}: {_name(case.one)} and {_name(case.other)}", ""]
        for title, match in (("As published", False), ("Values matched", True)):
            text = apart(lambda c=case, m=match: compared(c, folders, m), arguments.seconds)
            print(case.title, title, text, flush=True)
            lines.append(f"* {title}: {text}")
    arguments.output.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _name(form: Form) -> str:
    return f"`{form.component or Path(form.file).name}` ({form.language})"


def compared(case: Case, folders: dict[str, Path], match: bool) -> str:
    """Verdict and the first differences, in one line."""
    found = diff(
        folders[case.one.language] / case.one.file,
        folders[case.other.language] / case.other.file,
        component=case.one.component or _only(folders, case.one),
        other=case.other.component or _only(folders, case.other),
        values=case.values if match else {},
        match=match,
    )
    return _told(found.comparisons[0])


def _only(folders: dict[str, Path], form: Form) -> str:
    """The one component of a file that has a value for everything, else its first."""
    from interspike.app.load import load

    components = load(folders[form.language] / form.file).components
    whole = [c for c in components if all(p.value is not None for p in c.parameters)]
    return (whole or list(components))[0].name


def _told(found: Comparison) -> str:
    kinds = [item for item in found.differences if item.kind == "form"]
    verdict = "undecided" if kinds else found.verdict
    sentences = [item.sentence for item in found.differences[:SHOWN]]
    more = len(found.differences) - len(sentences)
    renamed = ", ".join(f"{x} = {y}" for x, y in found.pairs.items() if x != y)
    parts = [f"**{verdict}** (by {found.decided})", *sentences]
    parts += [f"and {more} more"] if more > 0 else []
    parts += [f"states: {renamed}"] if renamed else []
    return "; ".join(parts).replace("|", "\\|")


if __name__ == "__main__":
    main()
