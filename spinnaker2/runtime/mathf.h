/* Elementary functions in single precision, the same source and the same bits on every platform.
   Errors in units in the last place are measured over the whole range in the tests. */
#ifndef INTERSPIKE_MATHF_H
#define INTERSPIKE_MATHF_H

/* nothing but the arguments matters: equal calls are made once */
#define M_PURE __attribute__((const))

/* a test that mostly fails */
#define M_RARELY(test) __builtin_expect(!!(test), 0)

M_PURE float m_exp(float x);
M_PURE float m_expm1(float x);
M_PURE float m_exprel(float x);
M_PURE float m_log(float x);
M_PURE float m_log10(float x);
M_PURE float m_pow(float x, float y);
M_PURE float m_sin(float x);
M_PURE float m_cos(float x);
M_PURE float m_tan(float x);
M_PURE float m_asin(float x);
M_PURE float m_acos(float x);
M_PURE float m_atan(float x);
M_PURE float m_sinh(float x);
M_PURE float m_cosh(float x);
M_PURE float m_tanh(float x);
M_PURE float m_erf(float x);
M_PURE float m_erfc(float x);
M_PURE float m_factorial(float x);
M_PURE float m_floor(float x);
M_PURE float m_ceil(float x);
M_PURE float m_round(float x);
M_PURE float m_mod(float x, float y);

static inline float m_sqrt(float x) { return __builtin_sqrtf(x); }
static inline float m_abs(float x) { return __builtin_fabsf(x); }
static inline float m_min(float x, float y) { return x < y ? x : y; }
static inline float m_max(float x, float y) { return x > y ? x : y; }
static inline float m_sign(float x) { return x > 0.0f ? 1.0f : (x < 0.0f ? -1.0f : 0.0f); }
static inline float m_heaviside(float x) { return x > 0.0f ? 1.0f : (x < 0.0f ? 0.0f : 0.5f); }

static inline float m_trunc(float x) { return x < 0.0f ? m_ceil(x) : m_floor(x); }

/* The nearest whole number, halves away from zero; exact, since x - trunc(x) is. */
static inline float m_round_away(float x)
{
    const float whole = m_trunc(x), rest = x - whole;
    return rest >= 0.5f ? whole + 1.0f : (rest <= -0.5f ? whole - 1.0f : whole);
}

/* Whole numbers are exact in a float up to 2^24. */
static inline float m_bitand(float x, float y) { return (float)((int)x & (int)y); }
static inline float m_bitor(float x, float y) { return (float)((int)x | (int)y); }
static inline float m_bitxor(float x, float y) { return (float)((int)x ^ (int)y); }
static inline float m_bitnot(float x) { return (float)(~(int)x); }
static inline float m_shiftleft(float x, float y) { return (float)((unsigned)(int)x << ((int)y & 31)); }
static inline float m_shiftright(float x, float y) { return (float)((int)x >> ((int)y & 31)); }

/* x to a small whole power, by squaring. */
static inline float m_pow2(float x) { return x * x; }
static inline float m_pow3(float x) { return x * x * x; }
static inline float m_pow4(float x) { return m_pow2(m_pow2(x)); }
static inline float m_powi(float x, int n)
{
    float result = 1.0f;
    for (; n > 0; n >>= 1, x *= x)
        if (n & 1)
            result *= x;
    return result;
}

#endif
