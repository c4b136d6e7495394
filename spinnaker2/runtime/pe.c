/* Life of a PE: header, tick, master population table, recording, random numbers. */
#include "pe.h"

#define FIRST_ROW 0xFFFFFFFFu /* the tick of initial values */

void *pe_region(const pe_t *pe, uint32_t region)
{
    return pe->memory + pe->header[2u + region];
}

void *pe_value(const pe_t *pe, uint32_t offset)
{
    return (uint8_t *)pe_region(pe, REGION_NEURONS_PARAMS) + offset;
}

static float as_float(uint32_t word)
{
    const union { uint32_t u; float f; } bits = { .u = word };
    return bits.f;
}

static uint32_t as_word(float value)
{
    const union { float f; uint32_t u; } bits = { .f = value };
    return bits.u;
}

static void record_values(pe_t *pe, uint32_t tick)
{
    /* where only the last tick is wanted, each takes the place of the one before */
    uint32_t *row = pe->traces + (pe->global[GLOBAL_RECORD_V] == 2u ? 0u : pe->row * pe->trace_words);
    if (pe->trace_words == 0u)
        return;
    *row++ = tick;
    for (uint32_t k = 0u; k + 1u < pe->trace_words; k++)
        *row++ = as_word(pe->app->read(pe, pe->traced[k] >> 16, pe->traced[k] & 0xFFFFu));
}

static void drain(pe_t *pe)
{
    hal_record(pe, PE_SPIKES, pe->spikes, pe->row * pe->spike_words);
    if (pe->global[GLOBAL_RECORD_V] != 2u)
        hal_record(pe, PE_TRACES, pe->traces, pe->row * pe->trace_words);
    hal_record(pe, PE_DONE, pe->done, pe->row);
    pe->row = 0u;
}

bool pe_open(pe_t *pe, uint8_t *memory, const app_t *app)
{
    pe->memory = memory;
    pe->app = app;
    pe->header = (const uint32_t *)(const void *)(memory + DATA_START);
    if (pe->header[0] != HEADER_MAGIC || pe->header[1] != HEADER_VERSION)
        return false;
    const uint32_t *global = pe->global = pe_region(pe, REGION_GLOBAL_PARAMS);
    uint8_t *values = pe_region(pe, REGION_NEURONS_PARAMS);
    pe->size = global[GLOBAL_N_NEURONS];
    pe->h = as_float(global[GLOBAL_DT]);
    pe->number = global[GLOBAL_PE];
    pe->rows = global[GLOBAL_RECORD_ROWS];
    pe->ring = memory + global[GLOBAL_RING];
    pe->shared = values + global[GLOBAL_SHARED];
    pe->own = values + global[GLOBAL_OWN];
    pe->state = values + global[GLOBAL_STATE];
    pe->input = values + global[GLOBAL_INPUT];
    pe->feeds = (const uint32_t *)(const void *)(values + global[GLOBAL_FEEDS]);
    pe->scales = (const float *)(const void *)((const uint8_t *)global + global[GLOBAL_SCALES]);
    pe->traced = (const uint32_t *)(const void *)((const uint8_t *)global + global[GLOBAL_TRACED]);
    pe->ticks = ((const uint32_t *)pe_region(pe, REGION_TIMER_CONFIG))[1];
    pe->key = *(const uint32_t *)pe_region(pe, REGION_ROUTING_TABLE);
    pe->table = pe_region(pe, REGION_MPT);
    pe->entries = ((const uint32_t *)pe_region(pe, REGION_MPT_INFO))[1];
    pe->spikes = pe_region(pe, REGION_SPIKE_RECORD);
    pe->traces = pe_region(pe, REGION_VOLTAGE_RECORD);
    pe->done = pe_region(pe, REGION_TIME_DONE);
    const uint32_t senders = pe->size * app->ports, mode = global[GLOBAL_RECORD_SPIKES];
    pe->spike_words = mode == 0u ? 0u : 2u + (mode == 2u ? (senders + 3u) / 4u : (senders + 31u) / 32u);
    pe->trace_words = global[GLOBAL_N_TRACED] ? 1u + global[GLOBAL_N_TRACED] : 0u;
    pe->tick = global[GLOBAL_FIRST_TICK];
    pe->row = pe->packets = pe->synapses = pe->unknown = pe->most_packets = pe->lost = 0u;
    rt_seed(&pe->random, global[GLOBAL_SEED]);
    rt_use(&pe->random);
    if (global[GLOBAL_RANDOM]) {
        const uint32_t *const words = (const uint32_t *)(const void *)((const uint8_t *)global + global[GLOBAL_RANDOM]);
        pe->random = (rt_random_t){ words[0], words[1], words[2], words[3] };
    }
    if (app->gather)
        app->gather(pe);
    if (pe->trace_words) {
        record_values(pe, FIRST_ROW);
        hal_record(pe, PE_TRACES, pe->traces, pe->trace_words);
    }
    return true;
}

void pe_tick(pe_t *pe, const uint32_t *keys, uint32_t count)
{
    rt_use(&pe->random);
    pe->spike_row = pe->spikes + pe->row * pe->spike_words;
    for (uint32_t k = 0u; k < pe->spike_words; k++)
        pe->spike_row[k] = k == 0u ? pe->number : (k == 1u ? pe->tick : 0u);
    pe->packets += count;
    if (count > pe->most_packets)
        pe->most_packets = count;
    pe->tick_packets = count;
    pe->tick_synapses = pe->synapses;
    pe->tick_cycles = 0u;
    pe->app->receive(pe, keys, count);
    pe->tick_synapses = pe->synapses - pe->tick_synapses;
    pe->app->update(pe);
    pe->tick++;
    record_values(pe, pe->tick - 1u);
    pe->done[pe->row++] = hal_time(pe);
    if (pe->row == pe->rows)
        drain(pe);
}

void pe_close(pe_t *pe)
{
    const uint32_t status[6] = {
        pe->tick, pe->packets, pe->synapses, pe->unknown, pe->most_packets, pe->lost,
    };
    if (pe->row)
        drain(pe);
    if (pe->global[GLOBAL_RECORD_V] == 2u)
        hal_record(pe, PE_TRACES, pe->traces, pe->trace_words);
    hal_record(pe, PE_STATUS, status, 6u);
    const uint32_t values = pe->header[2u + REGION_NEURONS_PARAMS];
    hal_record(pe, PE_VALUES, pe_region(pe, REGION_NEURONS_PARAMS),
        (pe->header[2u + REGION_SPIKE_RECORD] - values) / 4u);
    hal_record(pe, PE_RING, pe->ring, (pe->app->ring_bytes + 3u) / 4u);
    const uint32_t random[4] = { pe->random.x, pe->random.y, pe->random.z, pe->random.c };
    hal_record(pe, PE_RANDOM, random, 4u);
}

const pe_entry_t *pe_find(const pe_t *pe, uint32_t key)
{
    uint32_t low = 0u, high = pe->entries;
    while (low < high) {
        const uint32_t middle = (low + high) / 2u;
        const pe_entry_t *entry = &pe->table[middle];
        if ((key & entry->mask) == entry->key)
            return entry;
        if (entry->key < key)
            low = middle + 1u;
        else
            high = middle;
    }
    return (const pe_entry_t *)0;
}

void pe_emit(pe_t *pe, uint32_t index, uint32_t events)
{
    for (uint32_t port = 0u; events; port++, events >>= 1) {
        const uint32_t place = port * pe->size + index;
        if (!(events & 1u))
            continue;
        if (pe->spike_words)
            pe->spike_row[2u + place / 32u] |= 1u << (place % 32u);
        hal_send(pe, pe->key + place);
    }
}

void pe_emit_counts(pe_t *pe, uint32_t index, uint32_t events, uint32_t width)
{
    const uint32_t most = width < 32u ? (1u << width) - 1u : 0xFFFFFFFFu;
    for (uint32_t port = 0u; port < pe->app->ports; port++) {
        const uint32_t place = port * pe->size + index, count = events >> (port * width) & most;
        if (count && pe->spike_words) {
            const uint32_t kept = count < 255u ? count : 255u;
            if (pe->global[GLOBAL_RECORD_SPIKES] == 2u)
                pe->spike_row[2u + place / 4u] |= kept << (8u * (place % 4u));
            else
                pe->spike_row[2u + place / 32u] |= 1u << (place % 32u);
        }
        for (uint32_t k = 0u; k < count; k++)
            hal_send(pe, pe->key + place);
    }
}

uint32_t pe_due(const pe_t *pe, const uint32_t *times, uint32_t count)
{
    uint32_t low = 0u, high = count, found = 0u;
    while (low < high) {
        const uint32_t middle = (low + high) / 2u;
        if (times[middle] <= pe->tick)
            low = middle + 1u;
        else
            high = middle;
    }
    while (low < count && times[low++] == pe->tick + 1u)
        found++;
    return found;
}
