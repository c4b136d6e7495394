/* Tick loop, event queues, recording and random numbers of one PE. */
#include "runtime.h"

#include "hal.h"
#include "mathf.h"
#include "memory.h"

#define BUFFER_WORDS 512u

uint32_t rt_tick;

static const uint32_t *header;
static uint32_t lost_events;

static struct { uint32_t words[BUFFER_WORDS]; uint32_t used; } buffers[2];
static struct { uint32_t x, y, z, c; } kiss;

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

static uint32_t random_word(void)
{
    kiss.x = 314527869u * kiss.x + 1234567u;
    kiss.y ^= kiss.y << 5;
    kiss.y ^= kiss.y >> 7;
    kiss.y ^= kiss.y << 22;
    uint64_t product = 4294584393ull * kiss.z + kiss.c;
    kiss.c = (uint32_t)(product >> 32);
    kiss.z = (uint32_t)product;
    return kiss.x + kiss.y + kiss.z;
}

float rt_uniform(void)
{
    return (float)(random_word() >> 8) * 5.9604644775390625e-8f;
}

float rt_normal(void)
{
    float radius = m_sqrt(-2.0f * m_log(1.0f - rt_uniform()));
    return radius * m_cos(6.28318530717958647f * rt_uniform());
}

float rt_poisson(float mean)
{
    const float part = 16.0f;
    float count = 0.0f;
    /* a mean beyond what a tick can hold is cut, so that no model stops the chip */
    if (!(mean > 0.0f))
        return 0.0f;
    if (mean > 65536.0f)
        mean = 65536.0f;
    while (mean > 0.0f) {
        const float limit = m_exp(-m_min(mean, part));
        float product = rt_uniform();
        while (product > limit) {
            count += 1.0f;
            product *= rt_uniform();
        }
        mean -= part;
    }
    return count;
}

static void seed(uint32_t value)
{
    kiss.x = 123456789u ^ value;
    kiss.y = 987654321u + value;
    kiss.z = 43219876u ^ (value << 7);
    kiss.c = 6543217u;
    if (kiss.y == 0u)
        kiss.y = 1u;
    for (int k = 0; k < 16; k++)
        random_word();
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
    seed(global[1]);
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
