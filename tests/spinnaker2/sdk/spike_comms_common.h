#ifndef SPIKE_COMMS_COMMON_H
#define SPIKE_COMMS_COMMON_H
#include <stdint.h>
void comms_init(void);
void init_spike_targets(uint32_t count, const uint32_t *targets);
void receive_spikes(void (*take)(uint32_t key));
void send_spikes_to_all_targets(uint32_t key);
#endif
