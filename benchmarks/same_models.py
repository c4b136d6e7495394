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
    values: dict[str, str | float] = field(default_factory=dict)


NML, NINE, NEST = "NeuroML", "NineML", "NESTML"
PYNN = "06_pynn_cells/model/examples/NML2_PyNNCells.nml"
ADEX = "04_adex/model/LEMSexamples/LEMS_NML2_Ex8_AdEx.xml"
IZH = Form(NML, "02_izhikevich2003/model/LEMSexamples/LEMS_NML2_Ex2_Izh.xml", "izTonic")
IZH9 = Form(NEST, "neurons/izhikevich_neuron.nestml")
IZHN = Form(NINE, "catalog/neuron/Izhikevich.xml", "SampleIzhikevich")
LIFN = Form(NINE, "catalog/neuron/LeakyIntegrateAndFire.xml", "PyNNLeakyIntegrateAndFireProperties")
EIF = {
    "C_m": "281pF", "g_L": "30nS", "E_L": "-70.6mV", "Delta_T": "2mV", "b": "80.5pA", "a": "0nS",
    "tau_w": "144ms", "V_reset": "-68mV", "V_th": "-52mV", "V_peak": "-40mV", "refr_T": "5ms",
    "E_exc": "0mV", "E_inh": "-80mV", "tau_syn_exc": "5ms", "tau_syn_inh": "5ms", "I_e": "600pA",
}  # fmt: skip
CASES = (
    Case("Izhikevich", IZH, IZH9,
         {"a": 0.02, "b": 0.2, "c": "-65mV", "d": 6.0, "V_m_init": "-70mV"}),
    Case("Izhikevich", IZH, IZHN, {"a": 20.0, "b": 200.0, "c": "-65mV", "d": 6.0, "theta": "30mV"}),
    Case("Izhikevich", IZH9, IZHN, {"a": 20.0, "b": 200.0, "c": "-65mV", "d": 8.0, "theta": "30mV"}),
    Case("AdEx", Form(NML, ADEX, "adExBurst4"), Form(NEST, "neurons/aeif_psc_exp_neuron.nestml"),
         {"C_m": "281pF", "g_L": "30nS", "E_L": "-70.6mV", "V_reset": "-47.2mV", "V_th": "-50.4mV",
          "V_peak": "-40.4mV", "Delta_T": "2mV", "tau_w": "40ms", "a": "4nS", "b": "80pA",
          "refr_T": "0ms"}),
    Case("AdEx, conductance synapses", Form(NML, PYNN, "EIF_cond_exp_isfa_ista"),
         Form(NEST, "neurons/aeif_cond_exp_neuron.nestml"), EIF),
    Case("AdEx in two forms", Form(NEST, "neurons/aeif_cond_alpha_neuron.nestml"),
         Form(NEST, "neurons/aeif_cond_alpha_alt_neuron.nestml")),
    Case("Hodgkin-Huxley (Traub)",
         Form(NINE, "catalog/neuron/HodgkinHuxley.xml", "PyNNHodgkinHuxleyProperties"),
         Form(NML, PYNN, "HH_cond_exp"),
         {"cm": 0.2, "e_rev_leak": -60.0, "g_leak": 0.01, "i_offset": 0.0, "v_offset": -63.0}),
    Case("Hodgkin-Huxley (Traub)", Form(NML, PYNN, "HH_cond_exp"),
         Form(NEST, "neurons/hh_cond_exp_traub_neuron.nestml"),
         {"C_m": "200pF", "g_Na": "20000nS", "g_K": "6000nS", "g_L": "10nS", "E_Na": "50mV",
          "E_K": "-90mV", "E_L": "-65mV", "V_T": "-63mV", "I_e": "200pA"}),
    Case("integrate and fire", LIFN, Form(NML, PYNN, "IF_curr_exp"),
         {"cm": 0.25, "tau_m": 10.0, "tau_refrac": 2.0, "v_rest": -70.0, "v_reset": -70.0,
          "v_thresh": -55.0, "v_init": -70.0, "i_offset": 0.0}),
    Case("integrate and fire, exponential currents", LIFN,
         Form(NEST, "neurons/iaf_psc_exp_neuron.nestml")),
    Case("integrate and fire, exponential currents", Form(NML, PYNN, "IF_curr_exp"),
         Form(NEST, "neurons/iaf_psc_exp_neuron.nestml"),
         {"C_m": "1nF", "tau_m": "20ms", "refr_T": "8ms", "E_L": "-65mV", "V_reset": "-70mV",
          "V_th": "-50mV", "I_e": "1nA"}),
    Case("integrate and fire, conductances", Form(NML, PYNN, "IF_cond_exp"),
         Form(NEST, "neurons/iaf_cond_exp_neuron.nestml"),
         {"C_m": "1nF", "g_L": "50nS", "refr_T": "5ms", "E_L": "-65mV", "V_reset": "-68mV",
          "V_th": "-52mV", "I_e": "1nA"}),
    Case("integrate and fire, two serialisations of one language", LIFN,
         Form(NINE, "catalog/neuron/LeakyIntegrateAndFire.yml", LIFN.component)),
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
