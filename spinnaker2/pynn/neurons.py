"""The hub's own definitions of PyNN's point neurons: equations in PyNN's names.

`neuron(kind, receptors)` joins a soma with receptors to a flat canonical component.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from ...canonical_model.model import Component
from .fragments import INJECTED, Fragment, Step, assemble, fragment
from .receptors import Receptor

LIF = {
    "v_rest": "mV", "cm": "nF", "tau_m": "ms", "tau_refrac": "ms", "i_offset": "nA",
    "v_reset": "mV", "v_thresh": "mV",
}  # fmt: skip

CHANNELS = {
    "gbar_Na": "uS", "gbar_K": "uS", "g_leak": "uS", "cm": "nF", "v_offset": "mV",
    "e_rev_Na": "mV", "e_rev_K": "mV", "e_rev_leak": "mV", "i_offset": "nA",
}  # fmt: skip


def _total(receptors: Sequence[Receptor], extra: Sequence[str]) -> str:
    terms = [receptor.current for receptor in receptors if receptor.current]
    return " + ".join([*terms, *extra])


def _deltas(receptors: Sequence[Receptor]) -> dict[str, dict[str, str]]:
    """What voltage-step receptors do."""
    return {r.port: {"v": "v + weight * ONE_mV"} for r in receptors if r.kind == "voltage_delta"}


def _refractory(
    rates: dict[str, str],
    held: dict[str, str],
    spike: str,
    actions: Sequence[str],
    receptors: Sequence[Receptor],
) -> list[Step]:
    """Integrate until `spike` holds; then v stays at reset for tau_refrac, or not at all if that is 0."""
    reset = ["spike", "v = v_reset", *actions]
    return [
        Step("integrating", rates, [(f"{spike} and tau_refrac <= 0 * ONE_ms", reset),
                                    (spike, [*reset, "t_spike = t", "-> refractory"])],
             _deltas(receptors)),
        Step("refractory", held, [("t >= t_spike + tau_refrac", ["-> integrating"])]),
    ]  # fmt: skip


def _lif(receptors: Sequence[Receptor], injected: Sequence[str]) -> Fragment:
    """Leaky integrate-and-fire."""
    rate = f"(v_rest - v) / tau_m + ({_total(receptors, ['i_offset', *injected])}) / cm"
    return fragment(
        parameters=LIF,
        states={"v": "mV", "t_spike": "ms"},
        initial={"v": "v_rest"},
        regimes=_refractory({"v": rate}, {}, "v >= v_thresh", [], receptors),
    )


def _gsfa(receptors: Sequence[Receptor], injected: Sequence[str]) -> Fragment:
    """Leaky integrate-and-fire, adapting and relatively refractory by conductances (Muller 2007)."""
    own = ["g_s * (e_rev_sfa - v)", "g_r * (e_rev_rr - v)", "i_offset", *injected]
    rate = f"(v_rest - v) / tau_m + ({_total(receptors, own)}) / cm"
    adaptation = {"tau_sfa": "ms", "e_rev_sfa": "mV", "q_sfa": "nS",
                  "tau_rr": "ms", "e_rev_rr": "mV", "q_rr": "nS"}  # fmt: skip
    return fragment(
        parameters={**LIF, **adaptation},
        states={"v": "mV", "g_s": "nS", "g_r": "nS", "t_spike": "ms"},
        initial={"v": "v_rest"},
        rates={"g_s": "-g_s / tau_sfa", "g_r": "-g_r / tau_rr"},
        regimes=_refractory(
            {"v": rate}, {}, "v >= v_thresh", ["g_s = g_s + q_sfa", "g_r = g_r + q_rr"], receptors
        ),
    )


def _adex(receptors: Sequence[Receptor], injected: Sequence[str]) -> Fragment:
    """Adaptive exponential integrate-and-fire (Brette and Gerstner 2005)."""
    total = _total(receptors, ["i_offset", *injected])
    rate = f"(v_rest - v + delta_T * exp((v - v_thresh) / delta_T)) / tau_m + ({total} - w) / cm"
    w = "(a * (v - v_rest) - w) / tau_w"
    return fragment(
        parameters={**LIF, "v_spike": "mV", "a": "nS", "b": "nA", "delta_T": "mV", "tau_w": "ms"},
        states={"v": "mV", "w": "nA", "t_spike": "ms"},
        initial={"v": "v_rest"},
        rates={"w": w},
        regimes=_refractory({"v": rate}, {}, "v >= v_spike", ["w = w + b"], receptors),
    )


def _izhikevich(receptors: Sequence[Receptor], injected: Sequence[str]) -> Fragment:
    """Izhikevich (2003); currents count 1 mV/ms per pA, as in PyNN's other back ends."""
    total = _total(receptors, ["i_offset", *injected])
    return fragment(
        parameters={"a": "/ms", "b": "/ms", "c": "mV", "d": "mV/ms", "i_offset": "nA"},
        states={"v": "mV", "u": "mV/ms"},
        initial={"v": "-70 * ONE_mV", "u": "b * v"},
        rates={
            "v": "(0.04 * v * v / ONE_mV + 5 * v + 140 * ONE_mV) / ONE_ms - u"
            f" + ({total}) * IZHIKEVICH_GAIN",
            "u": "a * (b * v - u)",
        },
        when=[("v >= 30 * ONE_mV", ["spike", "v = c", "u = u + d"])],
        arrivals=_deltas(receptors),
    )


def _hodgkin_huxley(receptors: Sequence[Receptor], injected: Sequence[str]) -> Fragment:
    """Traub and Miles; a spike is the first step after a maximum above v_offset + 30 mV."""
    own = ["g_leak * (e_rev_leak - v)", "gbar_Na * m * m * m * h * (e_rev_Na - v)",
           "gbar_K * n * n * n * n * (e_rev_K - v)", "i_offset", *injected]  # fmt: skip
    x = "(v - v_offset) / ONE_mV"
    rates = {
        "v": f"({_total(receptors, own)}) / cm",
        "m": "(alpha_m * (1 - m) - beta_m * m) / ONE_ms",
        "h": "(alpha_h * (1 - h) - beta_h * h) / ONE_ms",
        "n": "(alpha_n * (1 - n) - beta_n * n) / ONE_ms",
    }
    derived = {
        "x": ("", x),
        "alpha_m": ("", "1.28 / exprel((13 - x) / 4)"),
        "beta_m": ("", "1.4 / exprel((x - 40) / 5)"),
        "alpha_h": ("", "0.128 * exp((17 - x) / 18)"),
        "beta_h": ("", "4 / (1 + exp((40 - x) / 5))"),
        "alpha_n": ("", "0.16 / exprel((15 - x) / 5)"),
        "beta_n": ("", "0.5 * exp((10 - x) / 40)"),
    }
    keep = ("v_last != v", ["v_last = v"])
    peak = "v >= v_offset + 30 * ONE_mV and v < v_last"
    return fragment(
        parameters=CHANNELS,
        states={
            "v": "mV",
            "m": "",
            "h": "",
            "n": "",
            "v_last": "mV",
            "t_spike": "ms",
        },
        initial={"v": "e_rev_leak", "v_last": "v"},
        rates=rates,
        derived=derived,
        regimes=[
            Step("ready", {}, [(peak, ["spike", "t_spike = t", "-> spent"]), keep]),
            Step("spent", {}, [("t >= t_spike + 2 * ONE_ms", ["-> ready"]), keep]),
        ],
    )


SOMATA: dict[str, Callable[[Sequence[Receptor], Sequence[str]], Fragment]] = {
    "lif": _lif,
    "gsfa": _gsfa,
    "adex": _adex,
    "izhikevich": _izhikevich,
    "hodgkin_huxley": _hodgkin_huxley,
}


@lru_cache(maxsize=256)
def neuron(
    name: str,
    kind: str,
    receptors: tuple[Receptor, ...],
    is_injected: bool,
    defaults: tuple[tuple[str, float], ...] = (),
) -> Component:
    """A soma of SOMATA with receptors; without `is_injected` it has no input for currents.

    `defaults` are values of parameters in PyNN's units.
    """
    soma = SOMATA[kind](receptors, [INJECTED] if is_injected else [])
    return assemble(
        name,
        [soma, *(receptor.build() for receptor in receptors)],
        ports=[receptor.port for receptor in receptors],
        is_injectable=is_injected,
        defaults=dict(defaults),
        description=(SOMATA[kind].__doc__ or "").strip(),
    )
