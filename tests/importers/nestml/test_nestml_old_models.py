"""Models of older versions mean what the same model means in the form of 9."""

from __future__ import annotations

from typing import Any

import pytest
from interspike.canonical_model.diagnostics import Log, ModelError
from interspike.canonical_model.model import Component

COUNTER = """neuron lif:
  state:
    V mV = 0 mV
  end
  equations:
    V' = -V / tau + I_stim / C
  end
  parameters:
    tau ms = 10 ms
    C pF = 250 pF
  end
  internals:
    steps_left integer = steps(2 ms)
    count integer {first}
  end
  input:
    I_stim pA <- current
  end
  output: spike
  update:
    if count > 0:
      count -= 1
    else:
      integrate_odes()
    end
    if V > 15 mV:
      count = steps_left
      emit_spike()
    end
  end
end
"""
GATE = """{keyword} channel:
    {state}
        V_m mV = -65 mV
{inside}        n real = alpha / (alpha + beta)
{before}    equations:
        V_m' = -V_m / (10 ms)
        n' = (1 - n) / (2 ms)
    update:
        integrate_odes()
"""
ALPHA = "alpha {0} = (V_m + 55 mV) / (10 mV)\n"
BETA = "beta {0} = 0.125 * alpha\n"


def parts(component: Component) -> tuple[object, ...]:
    """What decides the behaviour."""
    states = {s.name: (s.initial, s.kind) for s in component.state_variables}
    return states, component.odes, component.update, component.on_events


@pytest.mark.parametrize("first", ["", "= 0"])
def test_counters_among_the_internals(nestml: Any, first: str) -> None:
    log = Log()
    model = nestml.load(COUNTER.format(first=first), log)
    assert [state.name for state in model.state_variables] == ["V", "count"]
    assert [item.name for item in model.derived_parameters] == ["steps_left"]
    assert any("internals that change are state" in issue.message for issue in log)


def test_the_same_in_a_model_of_9_is_a_mistake(nestml: Any) -> None:
    text = COUNTER.format(first="= 0").replace("neuron lif", "model lif")
    with pytest.raises(ModelError) as caught:
        nestml.load(text)
    (issue, *_) = caught.value.issues
    assert issue.code == "N034"
    assert "'count' is an internal" in issue.message


def test_expressions_for_initial_values(nestml: Any) -> None:
    inside = "".join(f"        function {line.format('real')}" for line in (ALPHA, BETA))
    before = "".join(f"        {line.format('real')}" for line in (ALPHA, BETA))
    old = nestml.load(
        GATE.format(keyword="neuron", state="initial_values:", inside=inside, before="")
    )
    new = nestml.load(
        GATE.format(keyword="model", state="state:", inside="", before=f"    internals:\n{before}")
    )
    assert parts(old) == parts(new)
    assert [item.name for item in old.derived_parameters] == ["alpha", "beta"]
    assert not old.derived_variables


def test_an_expression_of_the_state_that_equations_read_stays_one(nestml: Any) -> None:
    text = (
        "neuron cell:\n  initial_values:\n    V mV = 0 mV\n    function twice mV = 2 * V\n  end\n"
        "  equations:\n    V' = -twice / (10 ms)\n  end\n  update:\n    integrate_odes()\n  end\nend\n"
    )
    model = nestml.load(text)
    assert [item.name for item in model.derived_variables] == ["twice"]


def test_a_delta_kernel_with_a_time_constant(nestml: Any) -> None:
    text = (
        "neuron jump:\n  initial_values:\n    V mV = 0 mV\n  end\n  parameters:\n    tau ms = 10 ms\n  end\n"
        "  equations:\n    shape G = delta(t{0})\n    V' = -V / tau + convolve(G, spikes) / (250 pF)\n"
        "  end\n  input:\n    spikes pA <- spike\n  end\n  update:\n    integrate_odes()\n  end\nend\n"
    )
    log = Log()
    assert parts(nestml.load(text.format(", tau"), log)) == parts(nestml.load(text.format("")))
    assert any("'delta(t, tau)'" in issue.message for issue in log)


def test_a_synapse_that_names_no_output(nestml: Any) -> None:
    text = (
        "synapse plain:\n    parameters:\n        w real = 1 @nest::weight\n"
        "        d ms = 1 ms @nest::delay\n    input:\n        pre_spikes <- spike\n"
        "    onReceive(pre_spikes):\n        deliver_spike(w, d)\n"
    )
    log = Log()
    model = nestml.load(text, log)
    assert [port.name for port in model.event_outputs] == ["spike"]
    assert len(model.on_events[0].body) == 1
    assert {issue.code for issue in log} == {"N090"}
