/* Random numbers: one generator per core; a process that holds many cores says whose turn it is. */
#ifndef INTERSPIKE_RANDOM_H
#define INTERSPIKE_RANDOM_H

#include <stdint.h>

typedef struct { uint32_t x, y, z, c; } rt_random_t;

void rt_seed(rt_random_t *generator, uint32_t value);
void rt_use(rt_random_t *generator);

/* Uniform in [0, 1) and standard normal. */
float rt_uniform(void);
float rt_normal(void);

/* A count of mean `mean`: products of uniforms (Knuth 1969), in parts whose means add up. */
float rt_poisson(float mean);

#endif
