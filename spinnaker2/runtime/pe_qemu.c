/* One PE of a network under QEMU (mps2-an386). QEMU's loader puts the PE's data at DATA_START and the
   packets that the other PEs send it, as (count, keys...) per tick, at PACKETS, beyond the PE's memory. */
#include "pe.h"
#include "start_qemu.h"

#define PACKETS 0x21000000u

extern const app_t APP;

/* SysTick runs at 25 MHz and counts down; with -icount shift=10 an instruction takes 1024 ns */
#define SYST_CSR (*(volatile uint32_t *)0xE000E010u)
#define SYST_RVR (*(volatile uint32_t *)0xE000E014u)
#define SYST_CVR (*(volatile uint32_t *)0xE000E018u)

static pe_t pe;
static int records;
static uint32_t tick_start;

void hal_send(pe_t *from, uint32_t key)
{
    (void)from;
    (void)key;
}

void hal_record(pe_t *from, uint32_t stream, const uint32_t *words, uint32_t count)
{
    const uint32_t head[3] = { from->number, stream, count };
    if (count == 0u)
        return;
    write_file(records, head, sizeof head);
    write_file(records, words, 4u * count);
}

uint32_t hal_time(const pe_t *from)
{
    (void)from;
    return (tick_start - SYST_CVR) & 0xFFFFFFu;
}

int main(int argc, char **argv)
{
    const uint32_t *packets = (const uint32_t *)PACKETS;
    (void)argc;
    (void)argv;
    SYST_RVR = 0xFFFFFFu;
    SYST_CVR = 0u;
    SYST_CSR = 5u;
    records = open_file("records.bin", 11u);
    if (!pe_open(&pe, (uint8_t *)MEMORY_BASE, &APP))
        return 3;
    while (pe.tick < pe.ticks) {
        const uint32_t count = *packets++;
        tick_start = SYST_CVR;
        pe_tick(&pe, packets, count);
        packets += count;
    }
    pe_close(&pe);
    close_file(records);
    return 0;
}
