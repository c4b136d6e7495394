/* The PE on the chip, with the vendor's SDK: timer, packets, start and stop by the board.
   Nothing else in the runtime knows these names. */
#include "s2app.h"
#include "spike_comms_common.h"
#include "spinn_log.h"
#include "synch_helper.h"

#include "pe.h"

#ifndef PE_MAX_PACKETS
#define PE_MAX_PACKETS 256u /* per tick; more are counted as lost */
#endif
#define TIMER_RUN 0xE2u /* enabled, periodic, interrupt, 32 bit */
#define TICK_MASK 3u    /* start and multi-run interrupts of the board */

extern const app_t APP;

static pe_t pe;
static uint32_t keys[PE_MAX_PACKETS], n_keys, lost, missed;
static volatile bool running, stopped;
static uint32_t x, y, number;

void hal_send(pe_t *from, uint32_t key)
{
    (void)from;
    send_spikes_to_all_targets(key);
}

/* The host reads records where they lie; a full record ends the part of the run that it holds. */
void hal_record(pe_t *from, uint32_t stream, const uint32_t *words, uint32_t count)
{
    (void)words;
    if (stream == PE_DONE && count && from->tick < from->ticks)
        stopped = true;
}

uint32_t hal_time(const pe_t *from)
{
    (void)from;
    return TIMER1_VALUE;
}

/* Nobody clears the memory of a PE before a run. */
static bool open_pe(void)
{
    if (!pe_open(&pe, (uint8_t *)MEMORY_BASE, &APP))
        return false;
    uint32_t *const ring = pe.ring;
    for (uint32_t k = 0u; k < (APP.ring_bytes + 3u) / 4u; k++)
        ring[k] = 0u;
    pe.number = getMyPEID();
    return true;
}

static void take(uint32_t key)
{
    if (n_keys < PE_MAX_PACKETS)
        keys[n_keys++] = key;
    else
        lost++;
}

static void end_of_run(void)
{
    TIMER1_CTL = 0u;
    running = false;
    set_mask_feedthrough_irq(x, y, number, TICK_MASK);
}

static void start_of_run(void)
{
    TIMER1_LOAD = ((const uint32_t *)pe_region(&pe, REGION_TIMER_CONFIG))[0];
    TIMER1_CTL = TIMER_RUN;
    running = true;
}

void FT_INT_0_Handler(void)
{
    NVIC_ClearPendingIRQ(FT_INT_0_IRQn);
    start_of_run();
}

void FT_INT_1_Handler(void)
{
    NVIC_ClearPendingIRQ(FT_INT_1_IRQn);
    /* after a whole run the host has sent data for another one; else the run goes on */
    if (pe.tick >= pe.ticks && !open_pe())
        return;
    stopped = false;
    start_of_run();
}

void Timer_Int1_Handler(void)
{
    TIMER1_INT_CLR = 1u;
    if (pe.tick >= pe.ticks || stopped) {
        end_of_run();
        return;
    }
    n_keys = 0u;
    receive_spikes(take);
    pe_tick(&pe, keys, n_keys);
    if (TIMER1_INT_STATUS == 1u)
        log_error("tick %u took too long (%u so far)\n", (unsigned)pe.tick, (unsigned)++missed);
}

int main(void)
{
    const uint32_t id = getMyPEID();
    x = (id >> 5) & 7u;
    y = (id >> 2) & 7u;
    number = id & 3u;
    comms_init();
    if (!open_pe())
        return (int)0xdeadbeefu;
    const uint32_t *routing = pe_region(&pe, REGION_ROUTING_TABLE);
    init_spike_targets(routing[1], (const uint32_t *)routing[2]);
    log_init(pe_region(&pe, REGION_LOG), pe.global[GLOBAL_LOG_SIZE]);
    set_mask_feedthrough_irq(x, y, number, TICK_MASK);
    NVIC_SetPriority(Timer_Int1_IRQn, (1u << __NVIC_PRIO_BITS) - 2u);
    NVIC_EnableIRQ(Timer_Int1_IRQn);
    NVIC_EnableIRQ(FT_INT_0_IRQn);
    NVIC_EnableIRQ(FT_INT_1_IRQn);
    while (pe.tick < pe.ticks || running)
        __WFI();
    if (lost)
        log_error("%u packets lost\n", (unsigned)lost);
    pe_close(&pe);
    return (int)0xcafebabeu;
}
