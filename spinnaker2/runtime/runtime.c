/* Tick loop, event queues and recording of one PE. */
#include "runtime.h"

#include "hal.h"
#include "memory.h"

#define BUFFER_WORDS 512u

uint32_t rt_tick;

static const uint32_t *header;
static uint32_t lost_events;

static struct { uint32_t words[BUFFER_WORDS]; uint32_t used; } buffers[2];
static rt_random_t generator;

void *rt_region(uint32_t region, uint32_t offset)
{
    return hal_memory() + header[2u + region] + offset;
}

static void flush(int stream)
{
    hal_write(stream, buffers[stream].words, 4u * buffers[stream].used);
    buffers[stream].used = 0u;
}

static void put(int stream, uint32_t word)
{
    if (buffers[stream].used == BUFFER_WORDS)
        flush(stream);
    buffers[stream].words[buffers[stream].used++] = word;
}

void rt_record_event(uint32_t port, uint32_t index)
{
    put(HAL_EVENTS, rt_tick);
    put(HAL_EVENTS, port << 16 | index);
}

void rt_record_value(float value)
{
    union { float f; uint32_t u; } bits = { .f = value };
    put(HAL_TRACES, bits.u);
}

void rt_push(rt_queue_t *queue, uint32_t due, uint32_t source)
{
    if (queue->count == queue->capacity) {
        lost_events++;
        return;
    }
    uint32_t place = queue->head + queue->count;
    if (place >= queue->capacity)
        place -= queue->capacity;
    queue->slots[place].due = due;
    queue->slots[place].source = source;
    queue->count++;
}

bool rt_pop(rt_queue_t *queue, uint32_t tick, uint32_t *source)
{
    if (queue->count == 0u || queue->slots[queue->head].due > tick)
        return false;
    *source = queue->slots[queue->head].source;
    if (++queue->head == queue->capacity)
        queue->head = 0u;
    queue->count--;
    return true;
}

int main(int argc, char **argv)
{
    hal_open(argc, argv);
    header = (const uint32_t *)(const void *)(hal_memory() + DATA_START);
    if (header[0] != HEADER_MAGIC || header[1] != HEADER_VERSION) {
        hal_close();
        return 3;
    }
    const uint32_t *timer = rt_region(REGION_TIMER_CONFIG, 0u);
    const uint32_t *global = rt_region(REGION_GLOBAL_PARAMS, 0u);
    const uint32_t ticks = timer[1], record_every = global[0];
    rt_seed(&generator, global[1]);
    rt_use(&generator);
    network_init();
    network_record();
    while (rt_tick < ticks) {
        network_tick();
        if (rt_tick % record_every == 0u)
            network_record();
    }
    flush(HAL_EVENTS);
    flush(HAL_TRACES);
    const uint32_t status[2] = { rt_tick, lost_events };
    hal_write(HAL_STATUS, status, sizeof status);
    hal_close();
    return 0;
}
