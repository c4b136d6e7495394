/* The PE under QEMU (mps2-an386): memory is memory, record streams are files by Arm semihosting.
   The data image is put at DATA_START by QEMU's loader device. */
#include "hal.h"

#include "memory.h"
#include "start_qemu.h"

static int handles[HAL_STREAMS];

void hal_open(int argc, char **argv)
{
    static const char *const names[HAL_STREAMS] = {
        "events.bin", "traces.bin", "status.bin", "final.bin",
    };
    (void)argc;
    (void)argv;
    for (int k = 0; k < HAL_STREAMS; k++)
        handles[k] = open_file(names[k], k == HAL_FINAL ? 9u : 10u);
}

uint8_t *hal_memory(void) { return (uint8_t *)MEMORY_BASE; }

void hal_write(int stream, const void *words, uint32_t bytes)
{
    write_file(handles[stream], words, bytes);
}

void hal_close(void)
{
    for (int k = 0; k < HAL_STREAMS; k++)
        close_file(handles[k]);
}
