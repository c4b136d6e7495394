/* One PE as an application: packets, synapse rows, ring buffers, recording.
   Whatever changes during a run lies in pe_t and in the PE's memory, so that one process can hold many. */
#ifndef INTERSPIKE_PE_H
#define INTERSPIKE_PE_H

#include <stdbool.h>
#include <stdint.h>

#include "memory.h"
#include "random.h"

/* key range, and where its rows lie: byte address << 8 | words of the row (0: rows by offsets) */
typedef struct { uint32_t key, mask, row; } pe_entry_t;

typedef struct pe pe_t;

/* What a generated application provides. */
typedef struct {
    void (*receive)(pe_t *pe, const uint32_t *keys, uint32_t count);
    void (*update)(pe_t *pe);
    float (*read)(const pe_t *pe, uint32_t variable, uint32_t index);
    void (*gather)(pe_t *pe); /* analog inputs at the start, 0 if there are none */
    uint32_t ports;
    uint32_t ring_bytes;
} app_t;

struct pe {
    uint8_t *memory;
    const uint32_t *header, *global;
    const app_t *app;
    void *state, *ring, *input;
    const uint32_t *feeds;
    const void *own, *shared;
    const float *scales;
    const pe_entry_t *table;
    const uint32_t *traced;
    uint32_t entries, size, key, number, tick, ticks;
    float h;
    uint32_t rows, row, spike_words, trace_words;
    uint32_t *spikes, *spike_row, *traces, *done;
    uint32_t packets, synapses, unknown, most_packets, tick_packets, tick_synapses, lost;
    uint32_t tick_cycles; /* of synapses with states, an estimate */
    rt_random_t random;
};

/* Record streams: chunks of (PE, stream, words, words...). The last four are what a run that goes on needs:
   NEURONS_PARAMS, ring buffer and random generator at the end, and keys under way into the next tick. */
enum {
    PE_SPIKES = 0, PE_TRACES = 1, PE_DONE = 2, PE_STATUS = 3,
    PE_VALUES = 4, PE_RING = 5, PE_RANDOM = 6, PE_SENT = 7,
};

/* What a platform provides. */
void hal_send(pe_t *pe, uint32_t key);
void hal_record(pe_t *pe, uint32_t stream, const uint32_t *words, uint32_t count);
uint32_t hal_time(const pe_t *pe);

/* Reads header and regions; false if the data are not of this version. */
bool pe_open(pe_t *pe, uint8_t *memory, const app_t *app);
void pe_tick(pe_t *pe, const uint32_t *keys, uint32_t count);
void pe_close(pe_t *pe);

void *pe_region(const pe_t *pe, uint32_t region);
void *pe_value(const pe_t *pe, uint32_t offset); /* a place in NEURONS_PARAMS */
const pe_entry_t *pe_find(const pe_t *pe, uint32_t key);

/* Events of neuron `index`, one bit a port. */
void pe_emit(pe_t *pe, uint32_t index, uint32_t events);

/* The same where a port may send several: `width` bits count the events of each. */
void pe_emit_counts(pe_t *pe, uint32_t index, uint32_t events, uint32_t width);

/* How many times of a list, counted in ticks and ascending, are due now; `next` goes past them. */
uint32_t pe_due(const pe_t *pe, const uint32_t *times, uint32_t count);

#endif
