/* The PE under QEMU (mps2-an386): memory is memory, record streams are files by Arm semihosting.
   The data image is put at DATA_START by QEMU's loader device. */
#include "hal.h"

#include "memory.h"

extern uint32_t __stack_top, __bss_start, __bss_end;
int main(int argc, char **argv);

enum { SYS_OPEN = 0x01, SYS_CLOSE = 0x02, SYS_WRITE = 0x05, SYS_EXIT_EXTENDED = 0x20 };

static int handles[3];

static int semihost(int operation, const void *argument)
{
    register int r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

void hal_open(int argc, char **argv)
{
    static const char *const names[3] = { "events.bin", "traces.bin", "status.bin" };
    (void)argc;
    (void)argv;
    for (int k = 0; k < 3; k++) {
        const uint32_t block[3] = { (uint32_t)names[k], 5u, 10u }; /* mode 5 is "wb" */
        handles[k] = semihost(SYS_OPEN, block);
    }
}

uint8_t *hal_memory(void) { return (uint8_t *)MEMORY_BASE; }

void hal_write(int stream, const void *words, uint32_t bytes)
{
    const uint32_t block[3] = { (uint32_t)handles[stream], (uint32_t)words, bytes };
    if (bytes)
        semihost(SYS_WRITE, block);
}

void hal_close(void)
{
    for (int k = 0; k < 3; k++) {
        const uint32_t block[1] = { (uint32_t)handles[k] };
        semihost(SYS_CLOSE, block);
    }
}

static void stop(uint32_t code)
{
    const uint32_t block[2] = { 0x20026u, code }; /* ADP_Stopped_ApplicationExit */
    semihost(SYS_EXIT_EXTENDED, block);
    for (;;) {
    }
}

void Reset_Handler(void)
{
    *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20; /* CPACR: enable the FPU */
    __asm__ volatile("dsb\n\tisb");
    for (uint32_t *p = &__bss_start; p < &__bss_end; p++)
        *p = 0u;
    stop((uint32_t)main(0, (char **)0));
}

static void Fault_Handler(void) { stop(99u); }

__attribute__((section(".vectors"), used)) static void *const vectors[16] = {
    &__stack_top, (void *)Reset_Handler, (void *)Fault_Handler, (void *)Fault_Handler,
    (void *)Fault_Handler, (void *)Fault_Handler, (void *)Fault_Handler,
};
