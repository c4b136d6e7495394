/* Argument reduction and minimax or Taylor polynomials after Cody and Waite (1980) and Muller (2016). */
#include "mathf.h"

#include <stdint.h>

typedef union { float f; uint32_t u; int32_t i; } bits_t;

static float scale(float x, int n)
{
    /* two steps, so that the result may be subnormal */
    const int half = n / 2;
    const bits_t a = { .u = (uint32_t)(half + 127) << 23 };
    const bits_t b = { .u = (uint32_t)(n - half + 127) << 23 };
    return x * a.f * b.f;
}

float m_floor(float x)
{
    if (!(m_abs(x) < 8388608.0f))
        return x;
    const float whole = (float)(int32_t)x;
    return whole > x ? whole - 1.0f : whole;
}

float m_ceil(float x) { return -m_floor(-x); }

float m_round(float x)
{
    const float low = m_floor(x), rest = x - low;
    if (rest < 0.5f)
        return low;
    if (rest > 0.5f)
        return low + 1.0f;
    return low - 2.0f * m_floor(0.5f * low) == 0.0f ? low : low + 1.0f;
}

float m_mod(float x, float y) { return x - y * m_floor(x / y); }

/* expm1(r) - r for |r| <= ln(2)/2 */
static float tail(float r)
{
    return r * r * (0.5f + r * (1.66666667e-1f + r * (4.16666667e-2f
        + r * (8.33333333e-3f + r * (1.38888889e-3f + r * 1.98412698e-4f)))));
}

static float reduce(float x, int *n)
{
    const float k = m_round(x * 1.44269504f);
    *n = (int)k;
    return (x - k * 0.693359375f) + k * 2.12194440e-4f;
}

/* The same for |x| < 87, where no result leaves the normal range: k is rounded by adding 1.5 * 2^23. */
static inline float reduce_fast(float x, bits_t *two)
{
    const float k = (x * 1.44269504f + 12582912.0f) - 12582912.0f;
    two->u = (uint32_t)((int32_t)k + 127) << 23;
    return (x - k * 0.693359375f) + k * 2.12194440e-4f;
}

static float exp_far(float x)
{
    if (x != x)
        return x;
    if (x > 88.7228394f)
        return __builtin_inff();
    if (x < -103.972084f)
        return 0.0f;
    int n;
    const float r = reduce(x, &n);
    return scale(1.0f + (r + tail(r)), n);
}

float m_exp(float x)
{
    bits_t two;
    if (!(m_abs(x) < 87.0f))
        return exp_far(x);
    const float r = reduce_fast(x, &two);
    return (1.0f + (r + tail(r))) * two.f;
}

static float expm1_far(float x)
{
    if (x != x || x > 88.7228394f)
        return x != x ? x : __builtin_inff();
    if (x < -17.0f)
        return x < -17.5f ? -1.0f : m_exp(x) - 1.0f;
    int n;
    const float r = reduce(x, &n), p = r + tail(r);
    if (n > 127)
        return m_exp(x) - 1.0f;
    const float two = scale(1.0f, n);
    return n < 25 ? two * p + (two - 1.0f) : two * (p + 1.0f) - 1.0f;
}

static inline float expm1_near(float x)
{
    bits_t two;
    const float r = reduce_fast(x, &two), p = r + tail(r);
    return two.f * p + (two.f - 1.0f);
}

float m_expm1(float x) { return m_abs(x) < 17.0f ? expm1_near(x) : expm1_far(x); }

float m_exprel(float x)
{
    /* the series needs neither reduction nor division where steps are short */
    if (m_abs(x) < 1.0f)
        return 1.0f + x * (0.5f + x * (1.66666667e-1f + x * (4.16666667e-2f + x * (8.33333333e-3f
            + x * (1.38888889e-3f + x * (1.98412698e-4f + x * (2.48015873e-5f
            + x * (2.75573192e-6f + x * 2.75573192e-7f))))))));
    return (m_abs(x) < 17.0f ? expm1_near(x) : expm1_far(x)) / x;
}

float m_log(float x)
{
    if (!(x > 0.0f))
        return x == 0.0f ? -__builtin_inff() : __builtin_nanf("");
    if (x > 3.4028235e38f)
        return x;
    int n = 0;
    if (x < 1.17549435e-38f) {
        x *= 8388608.0f;
        n = -23;
    }
    bits_t b = { .f = x };
    n += (int)(b.u >> 23) - 127;
    b.u = (b.u & 0x007fffffu) | 0x3f800000u;
    if (b.f > 1.41421356f) {
        b.f *= 0.5f;
        n++;
    }
    /* log(1+f) = f - f^2/2 + s (f^2/2 + R), s = f/(2+f) */
    const float f = b.f - 1.0f, s = f / (2.0f + f), z = s * s, half = 0.5f * f * f;
    const float r = z * (0.66666668f + z * (0.40000972f + z * (0.28498787f + z * 0.24279079f)));
    const float k = (float)n;
    return k * 0.693359375f - ((half - (s * (half + r) + k * -2.12194440e-4f)) - f);
}

float m_log10(float x) { return m_log(x) * 0.434294482f; }

float m_pow(float x, float y)
{
    if (y == 0.0f)
        return 1.0f;
    const float whole = m_floor(y);
    if (whole == y && m_abs(y) <= 64.0f) {
        float result = 1.0f, base = x;
        for (uint32_t n = (uint32_t)m_abs(y); n; n >>= 1) {
            if (n & 1u)
                result *= base;
            base *= base;
        }
        return y < 0.0f ? 1.0f / result : result;
    }
    if (x == 0.0f)
        return y > 0.0f ? 0.0f : __builtin_inff();
    if (x < 0.0f) {
        if (whole != y)
            return __builtin_nanf("");
        const float size = m_exp(y * m_log(-x));
        return whole - 2.0f * m_floor(0.5f * whole) == 0.0f ? size : -size;
    }
    /* x = 2^n m: y log x in two parts, so that large exponents keep their digits */
    bits_t b = { .f = x };
    if (b.u < 0x00800000u || b.u > 0x7f7fffffu)
        return m_exp(y * m_log(x));
    int n = (int)(b.u >> 23) - 127;
    b.u = (b.u & 0x007fffffu) | 0x3f800000u;
    if (b.f > 1.41421356f) {
        b.f *= 0.5f;
        n++;
    }
    bits_t high = { .f = y };
    high.u &= 0xfffff000u; /* 12 bits times the exponent's 8 are exact */
    const float low = (y - high.f) * (float)n, top = high.f * (float)n;
    const float k = m_round(top + low);
    const float rest = ((top - k) + low) * 0.693147181f + y * m_log(b.f);
    if (k > 300.0f || rest > 100.0f)
        return __builtin_inff();
    if (k < -300.0f || rest < -100.0f)
        return 0.0f;
    const float part = m_exp(rest);
    const int half = (int)k / 2;
    return scale(scale(part, half), (int)k - half);
}

static float sin_poly(float r)
{
    const float z = r * r;
    return r + r * z * (-1.66666667e-1f + z * (8.33333310e-3f + z * (-1.98409e-4f + z * 2.7525562e-6f)));
}

static float cos_poly(float r)
{
    const float z = r * r;
    return 1.0f - 0.5f * z + z * z * (4.16666418e-2f + z * (-1.3888397e-3f + z * 2.4760495e-5f));
}

/* the quadrant of x and the rest in [-pi/4, pi/4]; good to |x| of 20000, beyond that only bounded */
static uint32_t quadrant(float x, float *r)
{
    const float k = m_round(x * 0.636619772f);
    *r = (((x - k * 1.5703125f) - k * 4.83751297e-4f) - k * 7.54953362e-8f) - k * 2.56334407e-12f;
    if (m_abs(*r) > 0.8f)
        *r = 0.0f;
    return (uint32_t)(int32_t)(k - 4.0f * m_floor(0.25f * k));
}

float m_sin(float x)
{
    if (!(m_abs(x) < 1e8f))
        return x - x;
    float r;
    const uint32_t q = quadrant(x, &r);
    const float value = q & 1u ? cos_poly(r) : sin_poly(r);
    return q & 2u ? -value : value;
}

float m_cos(float x)
{
    if (!(m_abs(x) < 1e8f))
        return x - x;
    float r;
    const uint32_t q = quadrant(x, &r);
    const float value = q & 1u ? sin_poly(r) : cos_poly(r);
    return q == 1u || q == 2u ? -value : value;
}

float m_tan(float x)
{
    if (!(m_abs(x) < 1e8f))
        return x - x;
    float r;
    const uint32_t q = quadrant(x, &r);
    return q & 1u ? -cos_poly(r) / sin_poly(r) : sin_poly(r) / cos_poly(r);
}

float m_atan(float x)
{
    const float size = m_abs(x);
    float base = 0.0f, r = size;
    if (size > 2.41421356f) {
        base = 1.57079633f;
        r = -1.0f / size;
    } else if (size > 0.414213562f) {
        base = 0.785398163f;
        r = (size - 1.0f) / (size + 1.0f);
    }
    const float z = r * r;
    const float value = base
        + (r + r * z * (-3.33329491e-1f + z * (1.99777106e-1f + z * (-1.38776856e-1f + z * 8.05374449e-2f))));
    return x < 0.0f ? -value : value;
}

float m_asin(float x)
{
    const float size = m_abs(x);
    if (size > 1.0f)
        return __builtin_nanf("");
    const float value = size < 1.0f ? m_atan(size / m_sqrt((1.0f - size) * (1.0f + size))) : 1.57079633f;
    return x < 0.0f ? -value : value;
}

float m_acos(float x) { return 1.57079633f - m_asin(x); }

float m_sinh(float x)
{
    const float size = m_abs(x);
    if (size > 85.0f) {
        const float half = m_exp(0.5f * x * m_sign(x));
        return m_sign(x) * (0.5f * half) * half;
    }
    const float e = m_expm1(size), value = 0.5f * (e + e / (e + 1.0f));
    return x < 0.0f ? -value : value;
}

float m_cosh(float x)
{
    const float size = m_abs(x);
    if (size > 85.0f) {
        const float half = m_exp(0.5f * size);
        return (0.5f * half) * half;
    }
    const float e = m_exp(size);
    return 0.5f * (e + 1.0f / e);
}

float m_tanh(float x)
{
    const float size = m_abs(x);
    if (size > 10.0f)
        return m_sign(x);
    const float e = m_expm1(2.0f * size), value = e / (e + 2.0f);
    return x < 0.0f ? -value : value;
}

float m_erfc(float x)
{
    /* rational Chebyshev fit with an exponential, relative error 1.2e-7 (Numerical Recipes, 6.2) */
    const float z = m_abs(x), t = 1.0f / (1.0f + 0.5f * z);
    const float p = -1.26551223f + t * (1.00002368f + t * (0.37409196f + t * (0.09678418f
        + t * (-0.18628806f + t * (0.27886807f + t * (-1.13520398f + t * (1.48851587f
        + t * (-0.82215223f + t * 0.17087277f))))))));
    const float value = t * m_exp(-z * z + p);
    return x < 0.0f ? 2.0f - value : value;
}

float m_erf(float x)
{
    if (m_abs(x) < 0.5f) {
        const float z = x * x;
        return x * (1.12837917f + z * (-3.76126389e-1f + z * (1.12837917e-1f
            + z * (-2.68661706e-2f + z * (5.22397763e-3f + z * -8.54832703e-4f)))));
    }
    return 1.0f - m_erfc(x);
}

float m_factorial(float x)
{
    const float n = m_round(x);
    if (n < 0.0f)
        return __builtin_nanf("");
    if (n > 34.0f)
        return __builtin_inff();
    float result = 1.0f;
    for (float k = 2.0f; k <= n; k += 1.0f)
        result *= k;
    return result;
}
