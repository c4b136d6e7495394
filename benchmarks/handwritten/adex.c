/* Adaptive exponential integrate-and-fire (Brette and Gerstner 2005) by forward Euler, with exponential
   synaptic currents. */
#include "common.h"

typedef struct { float v, w, exc, inh; } neuron_t;

static void update(pe_t *pe)
{
    const float g = 30.0f, e = -70.6f, vt = -50.4f, dt = 2.0f, drive = 800.0f;
    const float a = 4.0f, b = 80.5f, reset = -70.6f, peak = 0.0f, h = pe->h;
    const float h_c = h / 281.0f, h_tau = h / 144.0f, inverse = 1.0f / dt;
    const float exc_exc = 0.98019867330675525f, inh_inh = 0.99004983374916811f;
    const float scale_exc = pe->scales[0], scale_inh = pe->scales[1];
    uint16_t *const slot = app_slot(pe);
    neuron_t *const neurons = pe->state;
    if (pe->tick == 0u)
        for (uint32_t i = 0u; i < NEURONS; i++)
            neurons[i] = (neuron_t){ -70.6f, 0.0f, 0.0f, 0.0f };
    for (uint32_t i = 0u; i < NEURONS; i++) {
        neuron_t *const n = &neurons[i];
        const float exc = n->exc + scale_exc * (float)slot[i];
        const float inh = n->inh + scale_inh * (float)slot[i + 128u];
        const float v = n->v, w = n->w;
        slot[i] = 0u;
        slot[i + 128u] = 0u;
        const float upstroke = g * dt * m_exp((v - vt) * inverse);
        const float v_new = v + h_c * (upstroke - g * (v - e) + exc - inh + drive - w);
        const float w_new = w + h_tau * (a * (v - e) - w);
        n->exc = exc * exc_exc;
        n->inh = inh * inh_inh;
        if (v_new > peak) {
            n->v = reset;
            n->w = w_new + b;
            pe_emit(pe, i, 1u);
        } else {
            n->v = v_new;
            n->w = w_new;
        }
    }
}

PROGRAM(update);
