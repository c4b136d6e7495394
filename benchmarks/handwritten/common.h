/* What the hand-written programs share: constants of the ring buffer, and state set at the first tick. */
#define APP_WORD uint16_t
#define APP_RING uint16_t
#define APP_TYPE_BITS 1u
#define APP_INDEX_BITS 7u
#define APP_DELAY_BITS 3u
#define APP_INDEXED 0

#include "mathf.h"
#include "synapses.h"

#define NEURONS 128u

static float read_nothing(const pe_t *pe, uint32_t variable, uint32_t index)
{
    (void)pe;
    (void)variable;
    (void)index;
    return 0.0f;
}

#define PROGRAM(update) const app_t app_hand = { app_receive, update, read_nothing, 0, 1u, 0u }
