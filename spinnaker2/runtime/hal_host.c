/* The PE's memory and record streams on a host computer: data image in, files out. */
#include "hal.h"

#include <stdio.h>
#include <stdlib.h>

#include "memory.h"

static union { uint8_t bytes[MEMORY_SIZE]; uint32_t align; } memory;
static FILE *streams[HAL_STREAMS];

void hal_open(int argc, char **argv)
{
    static const char *const names[HAL_STREAMS] = {
        "events.bin", "traces.bin", "status.bin", "final.bin",
    };
    FILE *image = argc > 1 ? fopen(argv[1], "rb") : NULL;
    if (!image || fread(memory.bytes + DATA_START, 1, DATA_SIZE, image) == 0u)
        exit(2);
    fclose(image);
    for (int k = 0; k < HAL_STREAMS; k++)
        if (!(streams[k] = fopen(names[k], "wb")))
            exit(2);
}

uint8_t *hal_memory(void) { return memory.bytes; }

void hal_write(int stream, const void *words, uint32_t bytes)
{
    if (fwrite(words, 1, bytes, streams[stream]) != bytes)
        exit(2);
}

void hal_close(void)
{
    for (int k = 0; k < HAL_STREAMS; k++)
        fclose(streams[k]);
}
