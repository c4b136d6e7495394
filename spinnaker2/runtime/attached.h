/* Synapses with states on the PE of their neuron: runs of instances by sender, and delays. A program that
   has such synapses includes this and defines attached_act, which hands a run to its instances. */
#ifndef INTERSPIKE_ATTACHED_H
#define INTERSPIKE_ATTACHED_H

#include "pe.h"

/* Offsets count from NEURONS_PARAMS. */
typedef struct { uint32_t id, kind, count, shared, own, state, input, neuron, weights; } attached_t;
typedef struct { uint32_t key, mask, starts, runs; } attached_range_t;
typedef struct { uint32_t next, run; } attached_wait_t;
typedef struct {
    uint32_t count, sums, n_ranges, ranges, codes, ranks, wheel, mask, pool, free;
    attached_t groups[];
} attached_table_t;

/* A run: number << 21 | delay << 8 | code, then 16-bit instances, then weights if its code says so. */
enum { RUN_WEIGHTED = 1 << 8 };

static void attached_act(pe_t *pe, const attached_table_t *table, const uint32_t *run);

static inline attached_table_t *attached_table(const pe_t *pe)
{
    return pe_value(pe, pe->global[GLOBAL_ATTACHED]);
}

static inline const uint32_t *attached_codes(const pe_t *pe, const attached_table_t *table)
{
    return pe_value(pe, table->codes);
}

static inline const attached_range_t *attached_find(const pe_t *pe, uint32_t key)
{
    const attached_table_t *const table = attached_table(pe);
    const attached_range_t *const ranges = pe_value(pe, table->ranges);
    uint32_t low = 0u, high = table->n_ranges;
    while (low < high) {
        const uint32_t middle = (low + high) / 2u;
        if ((key & ranges[middle].mask) == ranges[middle].key)
            return &ranges[middle];
        if (ranges[middle].key < key)
            low = middle + 1u;
        else
            high = middle;
    }
    return (const attached_range_t *)0;
}

/* The run waits until its delay is over; runs of a slot stay in the order in which they came. */
static inline void attached_wait(pe_t *pe, attached_table_t *table, const uint32_t *run, uint32_t delay)
{
    attached_wait_t *const pool = pe_value(pe, table->pool);
    uint16_t *const slot = (uint16_t *)pe_value(pe, table->wheel) + 2u * ((pe->tick + delay) & table->mask);
    const uint32_t place = table->free;
    if (!place) {
        pe->lost++;
        return;
    }
    table->free = pool[place].next;
    pool[place].next = 0u;
    pool[place].run = (uint32_t)((const uint8_t *)run - (const uint8_t *)pe_value(pe, 0u));
    if (slot[0])
        pool[slot[1]].next = place;
    else
        slot[0] = (uint16_t)place;
    slot[1] = (uint16_t)place;
}

/* What came is handed on in the order of links; then what was sent earlier, the oldest first. */
static inline void attached_receive(pe_t *pe, const uint32_t *keys, uint32_t count)
{
    attached_table_t *const table = attached_table(pe);
    const uint32_t *const codes = attached_codes(pe, table);
    for (uint32_t rank = 0u; rank < table->ranks; rank++)
        for (const uint32_t *key = keys; key < keys + count; key++) {
            const attached_range_t *const range = attached_find(pe, *key);
            if (!range)
                continue;
            const uint16_t *const start = (const uint16_t *)pe_value(pe, range->starts) + (*key & ~range->mask);
            const uint32_t *const runs = pe_value(pe, range->runs);
            for (const uint32_t *run = runs + start[0]; run < runs + start[1];) {
                const uint32_t n = *run >> 21, delay = *run >> 8 & 0x1FFFu, code = codes[*run & 0xFFu];
                if ((code & 0xFFu) == rank) {
                    if (delay)
                        attached_wait(pe, table, run, delay);
                    else
                        attached_act(pe, table, run);
                }
                run += 1u + (n + 1u) / 2u + (code & RUN_WEIGHTED ? n : 0u);
            }
        }
    attached_wait_t *const pool = pe_value(pe, table->pool);
    uint16_t *const slot = (uint16_t *)pe_value(pe, table->wheel) + 2u * (pe->tick & table->mask);
    for (uint32_t place = slot[0], next; place; place = next) {
        next = pool[place].next;
        attached_act(pe, table, pe_value(pe, pool[place].run));
        pool[place].next = table->free;
        table->free = place;
    }
    slot[0] = slot[1] = 0u;
}

#endif
