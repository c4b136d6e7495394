"""Every older form of the language beside what it became: the same component, and a note that says so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from interspike.canonical_model.diagnostics import Log
from interspike.canonical_model.model import Component

NEW = """model m_neuron:
    state:
        V mV = 0 mV
        r integer = 0
    equations:
        kernel k = exp(-t / tau)
        {equations}
        V' = -V / tau + I_syn / C + I_in / C
    parameters:
        tau ms = 10 ms
        C pF = 100 pF
        t_ref ms = 2 ms
    internals:
        n_ref integer = steps(t_ref)
        h_half ms = resolution() / 2
    input:
        {port}
        I_in pA <- continuous
    output:
        spike
    update:
        {update}
    {blocks}
"""
EQUATIONS = "inline I_syn pA = convolve(k, spikes) * 1 pA"
UPDATE = "integrate_odes(V)\n        if V > 1 mV:\n            V = 0 mV\n            emit_spike()"


def text(**parts: str) -> str:
    values = {"equations": EQUATIONS, "port": "spikes <- spike", "update": UPDATE, "blocks": ""}
    return NEW.format(**{**values, **parts})


def edited(*changes: tuple[str, str], **parts: str) -> str:
    found = text(**parts)
    for old, new in changes:
        assert old in found, old
        found = found.replace(old, new)
    return found


def ended(source: str) -> str:
    """The text with `end` for every block, and no indentation that matters."""
    lines: list[str] = []
    depth = 0
    for line in source.splitlines():
        if not line.strip():
            continue
        level = (len(line) - len(line.lstrip())) // 4
        while depth > level:
            depth -= 1
            lines.append("end")
        lines.append(line.strip())
        depth = level + line.rstrip().endswith(":")
    lines += ["end"] * depth
    return "\n".join(lines).replace("output:\nspike\nend", "output: spike") + "\n"


FORMS = [
    # (until, form, old text, today's text or None for the frame as it is)
    ("2.x", "alias", edited(("inline I_syn", "alias I_syn")), None),
    ("2.x", "shape", edited(("kernel k", "shape k")), None),
    ("2.x", "curr_sum", edited(("convolve(k", "curr_sum(k")), None),
    ("2.x", "cond_sum", edited(("convolve(k", "cond_sum(k")), None),
    ("2.x", "/* */", "/* about\n   it */\n" + text(), "# about\n# it\n" + text()),
    ("2.x", "[mV] in a literal", edited(("V > 1 mV", "V > 1 [mV]")), None),
    ("2.x", "[mV] in a declaration", edited(("tau ms = 10 ms", "tau [ms] = 10 [ms]")), None),
    ("2.x", "integrate", edited(("integrate_odes(V)", "integrate(V)")), None),
    ("3.x", "function as declaration", edited(("inline I_syn", "function I_syn")), None),
    ("3.x", "recordable function", edited(("inline I_syn", "recordable function I_syn")),
     edited(("inline I_syn", "recordable inline I_syn"))),
    ("3.x", "initial_values", edited(("    state:", "    initial_values:")), None),
    ("3.x", "<- current", edited(("<- continuous", "<- current")), None),
    ("5.2", "end", ended(text()), None),
    ("5.2", "output on its line", edited(("output:\n        spike", "output: spike")), None),
    ("5.3", "typed spike ports", edited((" * 1 pA", ""), port="spikes pA <- spike"), None),
    ("7.x", "neuron", edited(("model m_neuron", "neuron m_neuron")), None),
    ("8.0.0", "docstring", '"""\nabout it\n"""\n' + text(), "# about it\n" + text()),
    ("8.2", "attributes of the output", edited(("        spike\n    up", "        spike(weight real, delay ms)\n    up")),
     None),
    ("8.2", "port.weight", edited(blocks="onReceive(spikes):\n        V += spikes.weight * 1 mV"),
     edited(blocks="onReceive(spikes):\n        V += (spikes * 1 s) * 1 mV")),
    ("8.2", "emit_spike with delay", edited(("emit_spike()", "emit_spike(1, 1 ms)")),
     edited(("emit_spike()", "emit_spike(1)"))),
    ("8.3", "bare units", edited(("* 1 pA", "* pA"), ("V > 1 mV", "V / mV > 1")),
     edited(("V > 1 mV", "V / 1 mV > 1"))),
]  # fmt: skip


def bare(component: Component) -> Component:
    """Without what only tells how something was written."""
    return replace(component, extras={})


@pytest.mark.parametrize(
    ("until", "form", "old", "new"), FORMS, ids=[f"{u} {f}" for u, f, *_ in FORMS]
)
def test_an_older_form_is_read_as_what_it_became(
    nestml: Any, until: str, form: str, old: str, new: str | None
) -> None:
    log = Log()
    found = nestml.load(old, log)
    wanted = nestml.load(new or text())
    if form == "port.weight":  # a pure number, where today a rate times a second
        assert [h.port for h in found.on_events] == [h.port for h in wanted.on_events]
    else:
        assert bare(found) == bare(wanted)
    assert any(issue.code == "N090" for issue in log)
    assert all(issue.level.value in ("note", "warning") for issue in log)


def test_synapses_before_8_0(nestml: Any) -> None:
    old = (
        "synapse s:\n    state:\n        w real = 1 @nest::weight\n    parameters:\n"
        "        d ms = 1 ms @nest::delay\n    input:\n        pre_spikes real <- spike\n"
        "        post_spikes real <- spike\n    output:\n        spike(weight real, delay ms)\n"
        "    onReceive(pre_spikes):\n        emit_spike(w, d)\n"
    )
    component = nestml.load(old)
    assert [port.role for port in component.event_inputs] == ["pre", "post"]
    assert component.extras["decorator:d"] == "nest::delay"
    assert component.extras["nestml:kind"] == "synapse"


def test_a_refractory_timer_of_8_3(nestml: Any) -> None:
    frame = (
        "model m:\n    state:\n        r ms = 2 ms\n    equations:\n        r' = {}\n"
        "    update:\n        integrate_odes()\n"
    )
    from interspike.canonical_model.fixed import fixed_value

    rates = [nestml.load(frame.format(rate)).odes[0].rhs for rate in ("-1e3 * ms/s", "-1")]
    assert [fixed_value(rate, {}) for rate in rates] == [-1.0, -1.0]


def test_states_without_a_value_before_8_0(nestml: Any) -> None:
    frame = "{} m:\n    state:\n        r integer\n    update:\n        r += 1\n"
    assert nestml.load(frame.format("neuron")).state_variables[0].name == "r"
    assert nestml.failures(frame.format("model"))[0].code == "N033"


def test_a_membrane_relative_to_rest(nestml: Any) -> None:
    old = (
        "neuron m:\n    initial_values:\n        V_abs mV = 0 mV\n    equations:\n"
        "        recordable function V_m mV = V_abs + E_L\n        V_abs' = -V_abs / tau\n    end\n"
        "    parameters:\n        E_L mV = -70 mV\n        tau ms = 10 ms\n    end\n"
        "    input:\n        spikes[n] pA <- excitatory spike\n    end\n    internals:\n"
        "        n integer = 2\n    end\n    update:\n        integrate_odes()\n    end\nend\n"
    ).replace("V_abs mV = 0 mV\n", "V_abs mV = 0 mV\n    end\n")
    component = nestml.load(old)
    assert {e.variable for e in component.exposures} == {"V_abs", "V_m"}
    assert [p.name for p in component.event_inputs] == ["spikes_0", "spikes_1"]
