"""Synapses with states of their own as canonical components, one instance per connection.

Events arrive at `pre` (and `post`); what the synapse passes on is its variable `passed` times the
connection's weight, or `w` alone where the weight itself is a state.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from ...canonical_model.expr_parse import parse_expr
from ...canonical_model.model import Component, Emit, EventPort, If, OnEvent
from .fragments import SPIKE, Fragment, action, assemble, fragment, with_constants

AGE = "(t - t_last)"


@lru_cache(maxsize=1)
def tsodyks_markram() -> Component:
    """Facilitation and depression (Tsodyks, Uziel, Markram 2000), exact from event to event."""
    part = fragment(
        parameters={"U": "", "tau_rec": "ms", "tau_facil": "ms", "tau_psc": "ms", "u_start": ""},
        states={"x": "", "y": "", "u": "", "t_last": "ms", "passed": ""},
        initial={"x": "1", "u": "u_start"},
    )
    recovered = f"exp(-{AGE} / tau_rec)"
    decayed = f"exp(-{AGE} / tau_psc)"
    from_y = f"(({recovered} - 1) * tau_rec - ({decayed} - 1) * tau_psc) / (tau_psc - tau_rec)"
    steps = [
        f"u = u * exp(-{AGE} / max(tau_facil, 1e-6 * ONE_ms))",
        f"x = x + {from_y} * y + (1 - {recovered}) * (1 - x - y)",
        f"y = y * {decayed}",
        "u = u + U * (1 - u)",
        "passed = u * x",
        "x = x - passed",
        "y = y + passed",
        "t_last = t",
        "spike",
    ]
    return _synapse("TsodyksMarkram", part, {"pre": steps})


@lru_cache(maxsize=1)
def stochastic() -> Component:
    """Passes an event on with probability p."""
    part = fragment(parameters={"p": ""}, states={"passed": ""}, initial={"passed": "1"})
    whole = _synapse("SimpleStochastic", part, {})
    body = If(branches=((parse_expr("uniform() < p"), (Emit(port=SPIKE),)),))
    return replace(whole, on_events=(OnEvent(port="pre", body=(body,)),))


# how a weight grows and shrinks, as functions of the other side's trace (w_max, w_min, A, mu)
RULES = {
    "additive": ("A_plus * w_max", "A_minus * w_max"),
    "multiplicative": ("A_plus * (w_max - w)", "A_minus * (w - w_min)"),
    "additive_multiplicative": ("A_plus * w_max", "A_minus * w"),
    "gutig": (
        "A_plus * w_max * (1 - w / w_max) ^ mu_plus", "A_minus * w_max * (w / w_max) ^ mu_minus",
    ),
}  # fmt: skip
# a spike of the other side in the same step is no pair, as in NEST
BEFORE_NOW = "if(t_{0} == t, trace_{0} - 1, trace_{0})"


@lru_cache(maxsize=8)
def pair_stdp(rule: str) -> Component:
    """Spike pairs, all to all, with exponential windows; `rule` is one of RULES."""
    grow, shrink = RULES[rule]
    names = ["A_plus", "A_minus", "w_min", "w_max"]
    names += ["mu_plus", "mu_minus"] if rule == "gutig" else []
    part = fragment(
        parameters={**dict.fromkeys(names, ""), "tau_plus": "ms", "tau_minus": "ms"},
        states={"w": "", "trace_pre": "", "trace_post": "", "t_pre": "ms", "t_post": "ms"},
        initial={"t_pre": "-1 * ONE_ms", "t_post": "-1 * ONE_ms"},
        rates={"trace_pre": "-trace_pre / tau_plus", "trace_post": "-trace_post / tau_minus"},
    )
    before = [
        f"w = max(w_min, w - {shrink} * {BEFORE_NOW.format('post')})",
        "trace_pre = trace_pre + 1", "t_pre = t", "spike",
    ]  # fmt: skip
    after = [
        f"w = min(w_max, w + {grow} * {BEFORE_NOW.format('pre')})",
        "trace_post = trace_post + 1", "t_post = t",
    ]  # fmt: skip
    return _synapse("PairSTDP", part, {"pre": before, "post": after})


def _synapse(name: str, part: Fragment, bodies: dict[str, list[str]]) -> Component:
    whole = assemble(name, [part])
    handlers = tuple(
        OnEvent(port=port, body=tuple(action(text) for text in body))
        for port, body in bodies.items()
    )
    ports = tuple(
        EventPort(name=port) for port in ("pre", "post") if port in bodies or port == "pre"
    )
    return with_constants(replace(whole, on_events=handlers, event_inputs=ports))
