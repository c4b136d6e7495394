/* Start-up and semihosting of a program under QEMU (mps2-an386). */
#ifndef INTERSPIKE_START_QEMU_H
#define INTERSPIKE_START_QEMU_H

#include <stdint.h>

extern uint32_t __stack_top, __bss_start, __bss_end;
int main(int argc, char **argv);

enum { SYS_OPEN = 0x01, SYS_CLOSE = 0x02, SYS_WRITE = 0x05, SYS_EXIT_EXTENDED = 0x20 };

static int semihost(int operation, const void *argument)
{
    register int r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static int open_file(const char *name, uint32_t length)
{
    const uint32_t block[3] = { (uint32_t)name, 5u, length }; /* mode 5 is "wb" */
    return semihost(SYS_OPEN, block);
}

static void write_file(int handle, const void *words, uint32_t bytes)
{
    const uint32_t block[3] = { (uint32_t)handle, (uint32_t)words, bytes };
    if (bytes)
        semihost(SYS_WRITE, block);
}

static void close_file(int handle)
{
    const uint32_t block[1] = { (uint32_t)handle };
    semihost(SYS_CLOSE, block);
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

#endif
