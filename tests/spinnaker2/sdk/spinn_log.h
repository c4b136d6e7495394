#ifndef SPINN_LOG_H
#define SPINN_LOG_H
#include <stdint.h>
void log_init(void *place, uint32_t words);
void log_info(const char *format, ...);
void log_error(const char *format, ...);
#endif
