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

/* Address of the byte `offset` of a data region (REGION_ names of memory.h). */
void *rt_region(uint32_t region, uint32_t offset);

void rt_push(rt_queue_t *queue, uint32_t due, uint32_t source);
bool rt_pop(rt_queue_t *queue, uint32_t tick, uint32_t *source);

void rt_record_event(uint32_t port, uint32_t index);
void rt_record_value(float value);

/* What the generated network provides. */
void network_init(void);
void network_tick(void);
void network_record(void);

#endif
