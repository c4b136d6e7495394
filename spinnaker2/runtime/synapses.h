/* Rows and ring buffer of an application, specialised by its constants: every program includes this
   once, after it has defined APP_WORD, APP_RING, the APP_*_BITS and APP_INDEXED. */
#ifndef INTERSPIKE_SYNAPSES_H
#define INTERSPIKE_SYNAPSES_H

#include "pe.h"

#define APP_LOW_BITS (APP_TYPE_BITS + APP_INDEX_BITS)
#define APP_SLOTS (1u << APP_DELAY_BITS)

/* Add a run of synapse words to the slots in which they act. */
static inline void app_add(pe_t *pe, const APP_WORD *word, const APP_WORD *end)
{
    APP_RING *ring = pe->ring;
    const uint32_t tick = pe->tick;
    pe->synapses += (uint32_t)(end - word);
    while (word < end) {
        const uint32_t w = *word++;
        const uint32_t slot = (tick + (w >> APP_LOW_BITS)) & (APP_SLOTS - 1u);
        ring[slot << APP_LOW_BITS | (w & ((1u << APP_LOW_BITS) - 1u))] +=
            (APP_RING)(w >> (APP_LOW_BITS + APP_DELAY_BITS));
    }
}

static void app_receive(pe_t *pe, const uint32_t *keys, uint32_t count)
{
    for (const uint32_t *key = keys; key < keys + count; key++) {
        const pe_entry_t *entry = pe_find(pe, *key);
        if (!entry) {
#ifdef APP_ATTACHED
            if (attached_find(pe, *key))
                continue;
#endif
            pe->unknown++;
            continue;
        }
        const uint8_t *place = pe->memory + (entry->row >> 8);
        const APP_WORD *words = (const APP_WORD *)(const void *)place;
#if APP_INDEXED
        /* offsets of all rows of the key range, in words of a synapse from the start */
        const uint16_t *start = (const uint16_t *)(const void *)place + (*key & ~entry->mask);
        app_add(pe, words + start[0], words + start[1]);
#else
        /* [plastic size, fixed synapses, plastic controls] and the words */
        const uint32_t *row = (const uint32_t *)(const void *)place;
        words += 12u / sizeof(APP_WORD);
        app_add(pe, words, words + row[1]);
#endif
    }
#ifdef APP_ATTACHED
    attached_receive(pe, keys, count);
#endif
}

/* The part of the ring that acts in this tick. */
static inline APP_RING *app_slot(const pe_t *pe)
{
    return (APP_RING *)pe->ring + ((pe->tick & (APP_SLOTS - 1u)) << APP_LOW_BITS);
}

#endif
