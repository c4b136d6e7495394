"""What drives each neuron of NESTML 9's library in the comparison, and what was found there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from nestml_trial import Drive

DRIVES = {
    "aeif_cond_alpha_alt_neuron": Drive(800.0, 1.0),
    "aeif_cond_alpha_neuron": Drive(800.0, 1.0),
    "aeif_cond_exp_neuron": Drive(800.0, 1.0),
    "aeif_psc_alpha_neuron": Drive(800.0, 50.0),
    "aeif_psc_exp_neuron": Drive(800.0, 50.0),
    # its noise has another generator on each side, so it is switched off
    "hh_cond_exp_destexhe_neuron": Drive(
        1000.0, 0.005, values={"sigma_noise_exc": 0.0, "sigma_noise_inh": 0.0}
    ),
    "hh_cond_exp_traub_neuron": Drive(600.0, 2.0),
    "hh_moto_5ht_neuron": Drive(20000.0, 2.0),
    "hh_psc_alpha_neuron": Drive(800.0, 50.0),
    "hill_tononi_neuron": Drive(50.0, 0.5),
    "iaf_chxk_2008_neuron": Drive(2000.0, 5.0),
    "iaf_cond_alpha_neuron": Drive(600.0, 1.0),
    "iaf_cond_beta_neuron": Drive(600.0, 1.0),
    "iaf_cond_exp_neuron": Drive(600.0, 1.0),
    "iaf_cond_exp_sfa_rr_neuron": Drive(600.0, 1.0),
    "iaf_psc_alpha_neuron": Drive(600.0, 50.0),
    "iaf_psc_delta_fixed_timestep_neuron": Drive(600.0, 1.5),
    "iaf_psc_delta_neuron": Drive(600.0, 1.5),
    "iaf_psc_exp_htum_neuron": Drive(600.0, 50.0),
    "iaf_psc_exp_neuron": Drive(600.0, 50.0),
    "ignore_and_fire_neuron": Drive(0.0, 1.0),
    "izhikevich_neuron": Drive(10.0, 2.0),
    "izhikevich_psc_alpha_neuron": Drive(1500.0, 50.0),
    "mat2_psc_exp_neuron": Drive(600.0, 50.0),
    "terub_gpe_neuron": Drive(20.0, 1.0),
    "terub_stn_neuron": Drive(20.0, 1.0),
    "traub_cond_multisyn_neuron": Drive(300.0, 1.0),
    "traub_psc_alpha_neuron": Drive(300.0, 50.0),
    "wb_cond_exp_neuron": Drive(150.0, 0.5),
    "wb_cond_multisyn_neuron": Drive(150.0, 0.5),
}


@dataclass(frozen=True, slots=True)
class Control:
    """The same again without what NESTML 9 does otherwise than it documents: its model's text edited
    (ours stays), parameters set on all sides, states that its module is given the initial value of."""

    label: str
    edits: tuple[tuple[str, str], ...] = ()
    values: Mapping[str, float] = field(default_factory=dict)
    start: tuple[str, ...] = ()


GATES = Control("(a) given our initial gates", start=("Act_m", "Act_n", "Inact_h"))
TWO_GATES = replace(GATES, start=("Act_n", "Inact_h"))
CONTROLS = {
    "hh_cond_exp_destexhe_neuron": replace(
        GATES, start=("Act_m", "Act_h", "Inact_n", "Noninact_p")
    ),
    "hh_moto_5ht_neuron": Control(
        "(a) with `1e-5 ms**-1` for `0.01 s**-1`", (("0.01 s**-1", "1e-5 ms**-1"),)
    ),
    "hill_tononi_neuron": Control(
        "(a) with its quotients in brackets, t_spike 1.95 ms",
        (
            (
                "-T_g_peak / 1 nS * IT_m / 1 nS * IT_m / 1 nS * IT_h",
                "-(T_g_peak / 1 nS) * (IT_m / 1 nS) * (IT_m / 1 nS) * IT_h",
            ),
            ("-h_g_peak / 1 nS * Ih_m", "-(h_g_peak / 1 nS) * Ih_m"),
        ),
        {"t_spike": 1.95},
    ),
    "iaf_cond_exp_sfa_rr_neuron": Control("refr_T 0.45 ms", values={"refr_T": 0.45}),
    "ignore_and_fire_neuron": Control(
        "(a) with a real number in the quotient",
        (("phase_steps / firing_period_steps", "1.0 * phase_steps / firing_period_steps"),),
    ),
    "traub_cond_multisyn_neuron": GATES,
    "traub_psc_alpha_neuron": GATES,
    "wb_cond_multisyn_neuron": TWO_GATES,
}
EARLY = "NESTML 9 computes internals that read V_m before V_m has its initial value"
DRIFT = "NESTML 9's timer has a rounding error: its pause is a step longer than refr_T says"
REMARKS = {
    "iaf_chxk_2008_neuron": "interpolates between steps: each spike multiplies the solver's error by about 7",
    "hh_cond_exp_destexhe_neuron": f"{EARLY}; never fires, by its text: a local hides the state V_m_old",
    "hh_moto_5ht_neuron": "NESTML 9 takes `0.01 s**-1` as 0.01 per ms",
    "hill_tononi_neuron": "NESTML 9 drops names after `1 nS *`, as units; its timer is rounded",
    "iaf_cond_exp_sfa_rr_neuron": DRIFT,
    "iaf_psc_exp_htum_neuron": "never fires, by its text: a counter that starts at 0 is counted down",
    "ignore_and_fire_neuron": "NESTML 9 divides integers as C++ does: its phase is 0",
    "traub_cond_multisyn_neuron": EARLY,
    "traub_psc_alpha_neuron": EARLY,
    "wb_cond_multisyn_neuron": EARLY,
}
