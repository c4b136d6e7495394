/* Interspike runtime for one SpiNNaker2 PE: events, recording.
   Everything is single precision and free of the vendor's SDK; hal.h names what a platform provides. */
#ifndef INTERSPIKE_RUNTIME_H
#define INTERSPIKE_RUNTIME_H

#include <stdbool.h>
#include <stdint.h>

#include "random.h"

/* Events under way on connections that share one delay: they fall due in the order of sending. */
typedef struct { uint32_t due, source; } rt_event_t;
typedef struct { rt_event_t *slots; uint32_t capacity, head, count; } rt_queue_t;

extern uint32_t rt_tick;

/* GLOBAL_PARAMS: record every so many ticks, seed, step, first tick, and of a run that goes on the random
   generator (1 and its state), the number of events under way and where (queue, due, source) of each lie. */
enum { RT_EVERY = 0, RT_SEED = 1, RT_STEP = 2, RT_FIRST = 3, RT_RANDOM = 4, RT_WAITING = 9 };

/* Address of the byte `offset` of a data region (REGION_ names of memory.h). */
void *rt_region(uint32_t region, uint32_t offset);

void rt_push(rt_queue_t *queue, uint32_t due, uint32_t source);
bool rt_pop(rt_queue_t *queue, uint32_t tick, uint32_t *source);

void rt_record_event(uint32_t port, uint32_t index);
void rt_record_value(float value);

/* What the generated network provides; its queues by number, for runs that go on. */
extern rt_queue_t *const network_queues[];
extern const uint32_t network_n_queues;
void network_init(void);
void network_tick(void);
void network_record(void);

#endif
