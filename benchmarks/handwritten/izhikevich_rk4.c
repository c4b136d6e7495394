/* Izhikevich (2003) by the classical Runge-Kutta method. */
#include "common.h"

typedef struct { float v, u; } neuron_t;

static inline float dv(float v, float u) { return (0.04f * v + 5.0f) * v + 150.0f - u; }
static inline float du(float v, float u) { return 0.02f * (0.2f * v - u); }

static void update(pe_t *pe)
{
    const float c = -65.0f, d = 8.0f, h = pe->h, half = 0.5f * h, sixth = h / 6.0f;
    const float scale_exc = pe->scales[0], scale_inh = pe->scales[1];
    uint16_t *const slot = app_slot(pe);
    neuron_t *const neurons = pe->state;
    if (pe->tick == 0u)
        for (uint32_t i = 0u; i < NEURONS; i++)
            neurons[i] = (neuron_t){ -65.0f, -13.0f };
    for (uint32_t i = 0u; i < NEURONS; i++) {
        neuron_t *const n = &neurons[i];
        const float v = n->v + (scale_exc * (float)slot[i] - scale_inh * (float)slot[i + 128u]);
        const float u = n->u;
        slot[i] = 0u;
        slot[i + 128u] = 0u;
        const float v1 = dv(v, u), u1 = du(v, u);
        const float va = v + half * v1, ua = u + half * u1;
        const float v2 = dv(va, ua), u2 = du(va, ua);
        const float vb = v + half * v2, ub = u + half * u2;
        const float v3 = dv(vb, ub), u3 = du(vb, ub);
        const float vc = v + h * v3, uc = u + h * u3;
        const float v4 = dv(vc, uc), u4 = du(vc, uc);
        const float v_new = v + sixth * (v1 + 2.0f * (v2 + v3) + v4);
        const float u_new = u + sixth * (u1 + 2.0f * (u2 + u3) + u4);
        if (v_new >= 30.0f) {
            n->v = c;
            n->u = u_new + d;
            pe_emit(pe, i, 1u);
        } else {
            n->v = v_new;
            n->u = u_new;
        }
    }
}

PROGRAM(update);
