/* Many PEs in one process, in lock step: packets that a tick sends arrive in the next, by routing table.
   machine.bin holds ticks, the PEs' data, routes, the packets of the host's spike lists and, where a run
   goes on, what was under way. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pe.h"

extern const app_t *const machine_apps[];

typedef struct { uint32_t *keys, count, capacity; } queue_t;
typedef struct { pe_t pe; queue_t queues[2]; bool is_traced; } core_t;

static core_t *cores;
static const uint32_t *routes;
static uint32_t n_routes, now, last;
static FILE *records, *packets;

static void *claim(void *old, size_t bytes)
{
    void *place = realloc(old, bytes ? bytes : 1u);
    if (!place)
        exit(5);
    return place;
}

/* Routes are blocks (key, mask, first target, targets), sorted by key; the targets follow them. */
static void route(uint32_t key, uint32_t turn)
{
    uint32_t low = 0u, high = n_routes;
    while (low < high) {
        const uint32_t middle = (low + high) / 2u;
        const uint32_t *block = routes + 4u * middle;
        if ((key & block[1]) == block[0]) {
            for (uint32_t k = 0u; k < block[3]; k++) {
                queue_t *queue = &cores[routes[block[2] + k]].queues[turn];
                if (queue->count == queue->capacity) {
                    queue->capacity = 2u * queue->capacity + 16u;
                    queue->keys = claim(queue->keys, 4u * queue->capacity);
                }
                queue->keys[queue->count++] = key;
            }
            return;
        }
        if (block[0] < key)
            low = middle + 1u;
        else
            high = middle;
    }
}

void hal_send(pe_t *pe, uint32_t key)
{
    if (now == last)
        hal_record(pe, PE_SENT, &key, 1u);
    route(key, (now + 1u) & 1u);
}

void hal_record(pe_t *pe, uint32_t stream, const uint32_t *words, uint32_t count)
{
    const uint32_t head[3] = { pe->number, stream, count };
    if (count && (fwrite(head, 4, 3, records) != 3u || fwrite(words, 4, count, records) != count))
        exit(6);
}

/* No time here: what the packets of this tick cost on the chip, in cycles. */
uint32_t hal_time(const pe_t *pe)
{
    return CYCLES_PACKET * pe->tick_packets + CYCLES_EVENT * pe->tick_synapses + pe->tick_cycles;
}

static void note_packets(uint32_t number, const queue_t *queue)
{
    const uint32_t head[2] = { number, queue->count };
    if (fwrite(head, 4, 2, packets) != 2u
        || fwrite(queue->keys, 4, queue->count, packets) != queue->count)
        exit(6);
}

static uint32_t *load(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END))
        exit(2);
    const long size = ftell(file);
    uint32_t *words = claim(NULL, (size_t)size);
    rewind(file);
    if (size < 0 || fread(words, 1, (size_t)size, file) != (size_t)size)
        exit(2);
    fclose(file);
    return words;
}

int main(int argc, char **argv)
{
    if (argc < 2 || !(records = fopen("records.bin", "wb")) || !(packets = fopen("packets.bin", "wb")))
        return 2;
    const uint32_t *word = load(argv[1]);
    const uint32_t n_cores = word[0], ticks = word[1], n_injected = word[3];
    const uint32_t first = word[5], n_waiting = word[6];
    n_routes = word[2];
    const uint32_t route_words = word[4];
    word += 7;
    routes = word;
    word += route_words;
    const uint32_t *injected = word;
    word += 2u * n_injected;
    const uint32_t *const injected_end = word;
    const uint32_t *const waiting = word;
    word += n_waiting;
    last = ticks - 1u;
    cores = claim(NULL, n_cores * sizeof *cores);
    memset(cores, 0, n_cores * sizeof *cores);
    for (uint32_t k = 0u; k < n_cores; k++) {
        uint8_t *memory = claim(NULL, MEMORY_SIZE);
        memset(memory, 0, MEMORY_SIZE);
        const uint32_t *const ring = word + 5u + (word[2] + 3u) / 4u;
        memcpy(memory + DATA_START, word + 5, word[2]);
        memcpy(memory + word[3], ring, word[4]);
        cores[k].is_traced = word[1];
        if (!pe_open(&cores[k].pe, memory, machine_apps[word[0]]))
            return 3;
        word = ring + word[4] / 4u;
    }
    for (uint32_t k = 0u; k < n_waiting; k++)
        route(waiting[k], first & 1u);
    for (now = first; now < ticks; now++) {
        for (; injected < injected_end && injected[0] == now; injected += 2)
            route(injected[1], now & 1u);
        for (uint32_t k = 0u; k < n_cores; k++) {
            queue_t *queue = &cores[k].queues[now & 1u];
            if (cores[k].is_traced)
                note_packets(k, queue);
            pe_tick(&cores[k].pe, queue->keys, queue->count);
            queue->count = 0u;
        }
    }
    for (uint32_t k = 0u; k < n_cores; k++)
        pe_close(&cores[k].pe);
    return fclose(records) || fclose(packets) ? 6 : 0;
}
