/* Names of the vendor's SDK as programs use them, declared by us so that the chip's platform layer compiles. */
#ifndef S2APP_H
#define S2APP_H
#include <stdint.h>

#define __NVIC_PRIO_BITS 3u
typedef enum { FT_INT_0_IRQn = 1, FT_INT_1_IRQn = 2, Timer_Int1_IRQn = 3 } IRQn_Type;
void NVIC_ClearPendingIRQ(IRQn_Type number);
void NVIC_SetPriority(IRQn_Type number, uint32_t priority);
void NVIC_EnableIRQ(IRQn_Type number);
static inline void __WFI(void) { __asm__ volatile("wfi"); }

#define TIMER1_LOAD (*(volatile uint32_t *)0xE1000000u)
#define TIMER1_VALUE (*(volatile uint32_t *)0xE1000004u)
#define TIMER1_CTL (*(volatile uint32_t *)0xE1000008u)
#define TIMER1_INT_CLR (*(volatile uint32_t *)0xE100000Cu)
#define TIMER1_INT_STATUS (*(volatile uint32_t *)0xE1000010u)

uint32_t getMyPEID(void);
void FT_INT_0_Handler(void);
void FT_INT_1_Handler(void);
void Timer_Int1_Handler(void);
#endif
