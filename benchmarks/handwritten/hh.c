/* Hodgkin and Huxley (1952): gates by exponential Euler, the voltage exact for fixed conductances. */
#include "common.h"

typedef struct { float v, m, n, h; float above; } neuron_t;

static void update(pe_t *pe)
{
    const float gna = 120.0f, gk = 36.0f, gl = 0.3f, ena = 50.0f, ek = -77.0f, el = -54.4f;
    const float drive = 10.0f, dt = pe->h;
    const float scale_exc = pe->scales[0], scale_inh = pe->scales[1];
    uint16_t *const slot = app_slot(pe);
    neuron_t *const neurons = pe->state;
    if (pe->tick == 0u)
        for (uint32_t i = 0u; i < NEURONS; i++)
            neurons[i] = (neuron_t){ -65.0f, 0.053f, 0.318f, 0.596f, 0.0f };
    for (uint32_t i = 0u; i < NEURONS; i++) {
        neuron_t *const s = &neurons[i];
        const float v = s->v + (scale_exc * (float)slot[i] - scale_inh * (float)slot[i + 128u]);
        slot[i] = 0u;
        slot[i + 128u] = 0u;
        const float am = 1.0f / m_exprel(-0.1f * (v + 40.0f));
        const float bm = 4.0f * m_exp(-(v + 65.0f) * 0.055555556f);
        const float an = 0.1f / m_exprel(-0.1f * (v + 55.0f));
        const float bn = 0.125f * m_exp(-(v + 65.0f) * 0.0125f);
        const float ah = 0.07f * m_exp(-(v + 65.0f) * 0.05f);
        const float bh = 1.0f / (1.0f + m_exp(-0.1f * (v + 35.0f)));
        const float gna_now = gna * s->m * s->m * s->m * s->h;
        const float n2 = s->n * s->n;
        const float gk_now = gk * n2 * n2;
        const float g = gna_now + gk_now + gl;
        const float steady = (gna_now * ena + gk_now * ek + gl * el + drive) / g;
        const float tm = am + bm, tn = an + bn, th = ah + bh;
        s->m = am / tm + (s->m - am / tm) * m_exp(-dt * tm);
        s->n = an / tn + (s->n - an / tn) * m_exp(-dt * tn);
        s->h = ah / th + (s->h - ah / th) * m_exp(-dt * th);
        s->v = steady + (v - steady) * m_exp(-dt * g);
        if (s->v >= 0.0f) {
            if (s->above == 0.0f) {
                s->above = 1.0f;
                pe_emit(pe, i, 1u);
            }
        } else {
            s->above = 0.0f;
        }
    }
}

PROGRAM(update);
