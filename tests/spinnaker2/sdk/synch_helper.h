#ifndef SYNCH_HELPER_H
#define SYNCH_HELPER_H
#include <stdint.h>
void set_mask_feedthrough_irq(uint32_t x, uint32_t y, uint32_t pe, uint32_t mask);
#endif
