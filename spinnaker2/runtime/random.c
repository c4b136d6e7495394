/* KISS (Marsaglia 1999), and what is drawn from it. */
#include "random.h"

#include "mathf.h"

static rt_random_t *now;

void rt_use(rt_random_t *generator) { now = generator; }

static uint32_t random_word(void)
{
    now->x = 314527869u * now->x + 1234567u;
    now->y ^= now->y << 5;
    now->y ^= now->y >> 7;
    now->y ^= now->y << 22;
    uint64_t product = 4294584393ull * now->z + now->c;
    now->c = (uint32_t)(product >> 32);
    now->z = (uint32_t)product;
    return now->x + now->y + now->z;
}

float rt_uniform(void)
{
    return (float)(random_word() >> 8) * 5.9604644775390625e-8f;
}

float rt_normal(void)
{
    float radius = m_sqrt(-2.0f * m_log(1.0f - rt_uniform()));
    return radius * m_cos(6.28318530717958647f * rt_uniform());
}

float rt_poisson(float mean)
{
    const float part = 16.0f;
    float count = 0.0f;
    /* a mean beyond what a tick can hold is cut, so that no model stops the chip */
    if (!(mean > 0.0f))
        return 0.0f;
    if (mean > 65536.0f)
        mean = 65536.0f;
    while (mean > 0.0f) {
        const float limit = m_exp(-m_min(mean, part));
        float product = rt_uniform();
        while (product > limit) {
            count += 1.0f;
            product *= rt_uniform();
        }
        mean -= part;
    }
    return count;
}

void rt_seed(rt_random_t *generator, uint32_t value)
{
    generator->x = 123456789u ^ value;
    generator->y = 987654321u + value;
    generator->z = 43219876u ^ (value << 7);
    generator->c = 6543217u;
    rt_use(generator);
    if (generator->y == 0u)
        generator->y = 1u;
    for (int k = 0; k < 16; k++)
        random_word();
}
