/* What the runtime needs of a platform: the PE's memory and a way out for recorded words. */
#ifndef INTERSPIKE_HAL_H
#define INTERSPIKE_HAL_H

#include <stdint.h>

enum { HAL_EVENTS = 0, HAL_TRACES = 1, HAL_STATUS = 2, HAL_FINAL = 3, HAL_STREAMS = 4 };

void hal_open(int argc, char **argv);
uint8_t *hal_memory(void);
void hal_write(int stream, const void *words, uint32_t bytes);
void hal_close(void);

#endif
