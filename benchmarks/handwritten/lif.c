/* Leaky integrate-and-fire with exponential synapses, exact over a step; refractory by countdown. */
#include "common.h"

typedef struct { float v, exc, inh; int32_t pause; } neuron_t;

static void update(pe_t *pe)
{
    const float v_v = 0.99501247919268232f, v_exc = 4.9382713e-4f, v_inh = 4.9751455e-4f;
    const float exc_exc = 0.98019867330675525f, inh_inh = 0.99004983374916811f;
    const float constant = 0.14962562421959464f, threshold = 15.0f, reset = 0.0f;
    const float scale_exc = pe->scales[0], scale_inh = pe->scales[1];
    uint16_t *const slot = app_slot(pe);
    neuron_t *const neurons = pe->state;
    if (pe->tick == 0u)
        for (uint32_t i = 0u; i < NEURONS; i++)
            neurons[i] = (neuron_t){ 0.0f, 0.0f, 0.0f, 0 };
    for (uint32_t i = 0u; i < NEURONS; i++) {
        neuron_t *const n = &neurons[i];
        const float exc = n->exc + scale_exc * (float)slot[i];
        const float inh = n->inh + scale_inh * (float)slot[i + 128u];
        slot[i] = 0u;
        slot[i + 128u] = 0u;
        n->exc = exc * exc_exc;
        n->inh = inh * inh_inh;
        if (n->pause > 0) {
            n->pause--;
            continue;
        }
        const float v = v_v * n->v + v_exc * exc - v_inh * inh + constant;
        if (v > threshold) {
            n->v = reset;
            n->pause = 20;
            pe_emit(pe, i, 1u);
        } else {
            n->v = v;
        }
    }
}

PROGRAM(update);
