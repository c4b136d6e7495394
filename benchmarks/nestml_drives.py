"""What drives each neuron of NESTML 9's library in the comparison, and what was found there."""

from __future__ import annotations

from nestml_trial import Drive

CONDUCTANCE = Drive(current=600.0, weight=2.0)
CURRENT = Drive(current=600.0, weight=100.0)
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
    "iaf_chxk_2008_neuron": Drive(1000.0, 1.0),
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
    "izhikevich_psc_alpha_neuron": Drive(600.0, 50.0),
    "mat2_psc_exp_neuron": Drive(600.0, 50.0),
    "terub_gpe_neuron": Drive(20.0, 1.0),
    "terub_stn_neuron": Drive(20.0, 1.0),
    "traub_cond_multisyn_neuron": Drive(300.0, 1.0),
    "traub_psc_alpha_neuron": Drive(300.0, 50.0),
    "wb_cond_exp_neuron": Drive(150.0, 0.5),
    "wb_cond_multisyn_neuron": Drive(150.0, 0.5),
}
REMARKS: dict[str, str] = {}
