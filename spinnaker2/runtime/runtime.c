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

/* What a run that goes on needs: generator, NEURONS_PARAMS with its length, queues with theirs. */
static void save(void)
{
    const uint32_t size = header[2u + REGION_SPIKE_RECORD] - header[2u + REGION_NEURONS_PARAMS];
    const uint32_t head[5] = { generator.x, generator.y, generator.z, generator.c, size / 4u };
    hal_write(HAL_FINAL, head, sizeof head);
    hal_write(HAL_FINAL, rt_region(REGION_NEURONS_PARAMS, 0u), size);
    for (uint32_t k = 0u; k < network_n_queues; k++) {
        const rt_queue_t *queue = network_queues[k];
        hal_write(HAL_FINAL, &queue->count, 4u);
        for (uint32_t n = 0u; n < queue->count; n++) {
            uint32_t place = queue->head + n;
            if (place >= queue->capacity)
                place -= queue->capacity;
            hal_write(HAL_FINAL, &queue->slots[place], sizeof *queue->slots);
        }
    }
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
    const uint32_t ticks = timer[1], record_every = global[RT_EVERY];
    rt_tick = global[RT_FIRST];
    rt_seed(&generator, global[RT_SEED]);
    rt_use(&generator);
    if (global[RT_RANDOM])
        generator = (rt_random_t){
            global[RT_RANDOM + 1], global[RT_RANDOM + 2], global[RT_RANDOM + 3], global[RT_RANDOM + 4],
        };
    const uint32_t *waiting = (const uint32_t *)(void *)(hal_memory() + global[RT_WAITING + 1]);
    for (uint32_t k = 0u; k < global[RT_WAITING]; k++, waiting += 3)
        rt_push(network_queues[waiting[0]], waiting[1], waiting[2]);
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
    save();
    hal_close();
    return 0;
}
