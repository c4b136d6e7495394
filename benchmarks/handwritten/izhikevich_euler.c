/* Izhikevich (2003) by forward Euler; input as current. */
#include "common.h"

typedef struct { float v, u; } neuron_t;

static void update(pe_t *pe)
{
    const float a = 0.02f, b = 0.2f, c = -65.0f, d = 8.0f, drive = 10.0f, h = pe->h;
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
        const float v_new = v + h * ((0.04f * v + 5.0f) * v + 140.0f - u + drive);
        const float u_new = u + h * a * (b * v - u);
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
