// The hyperbolic functions and their inverses.
#pragma once

#include "math/exp.h"
#include "math/log.h"
#include "math/pair.h"
#include "math/polynomial.h"
#include "math/signs.h"
#include "simd/vectors.h"

// e^a / 2 for a >= 0, which overflows later than e^a.
inline F32 half_exp(F32 a) {
  const F32 bounded = min(broadcast(90.0f), a);
  const F32 n = round(bounded * broadcast(1.44269504f));
  const F32 r = fnma(n, broadcast(kLn2Low), fnma(n, broadcast(kLn2High), bounded));
  const Pair mantissa = exp_mantissa(r);
  return ldexp(mantissa.high + mantissa.low, n - broadcast(1.0f));
}

// (e^a - e^-a) / 2; below 1 by Taylor's series, the rest of which is 2^-32 of it.
inline F32 sinh(F32 x) {
  constexpr float kP[] = {1 / 39916800.0f, 1 / 362880.0f, 1 / 5040.0f, 1 / 120.0f, 1 / 6.0f};
  const F32 a = abs(x), square = a * a;
  const F32 small = fma(a * square, polynomial(square, kP), a);
  const F32 half = half_exp(a);
  const F32 large = half - broadcast(0.25f) / half;
  return with_sign_of(select(a < broadcast(1.0f), small, large), x);
}

inline F32 cosh(F32 x) {
  const F32 half = half_exp(abs(x));
  return half + broadcast(0.25f) / half;
}

// x + x³·P(x²) up to 0.625 (the error of P is 2^-27), and 1 - 2 / (e^2x + 1) from there on. At 10 it is 1 already.
inline F32 tanh(F32 x) {
  constexpr float kP[] = {-0.005704985f, 0.020639084f, -0.053739715f, 0.13331442f, -0.3333328f};
  const F32 one = broadcast(1.0f);
  const F32 a = abs(x);
  const F32 square = a * a;
  const F32 small = fma(a * square, polynomial(square, kP), a);
  const F32 twice = min(broadcast(20.0f), a + a);
  const F32 n = round(twice * broadcast(1.44269504f));
  const F32 r = fnma(n, broadcast(kLn2Low), fnma(n, broadcast(kLn2High), twice));
  const F32 scale = power_of_two(n);
  const F32 power_less_scale = exp_tail(r, r);
  const F32 one_and_scale = scale + one;
  const F32 divisor = fma(scale, power_less_scale, one_and_scale);
  const F32 divisor_low = fma(scale, power_less_scale, one_and_scale - divisor);
  const F32 q = broadcast(2.0f) / divisor;
  const F32 difference = one - q;
  const F32 large = difference + fma(q * q * broadcast(0.5f), divisor_low, (one - difference) - q);
  return with_sign_of(select(a < broadcast(0.625f), small, large), x);
}

// From there on √(x² ± 1) is x.
constexpr float kNoUnit = 0x1p13f;
constexpr float kLn2 = 0.6931472f;

// log(a + √(a² + 1)) = log1p(a + a² / (1 + √(a² + 1))), and log a + ln 2 where a² is large.
inline F32 asinh(F32 x) {
  const F32 a = abs(x), one = broadcast(1.0f);
  const F32 bounded = min(broadcast(kNoUnit), a), square = bounded * bounded;
  const F32 near = log1p(bounded + square / (one + sqrt(square + one)));
  return with_sign_of(select(a < broadcast(kNoUnit), near, log(a) + broadcast(kLn2)), x);
}

// log(x + √(x² - 1)) = log1p(t + √(t·(t + 2))) with t = x - 1; NaN below 1.
inline F32 acosh(F32 x) {
  const F32 t = min(broadcast(kNoUnit), x) - broadcast(1.0f);
  const F32 near = log1p(t + sqrt(t * (t + broadcast(2.0f))));
  const F32 result = select(x < broadcast(kNoUnit), near, log(x) + broadcast(kLn2));
  return select(x < broadcast(1.0f), broadcast(kNaN), result);
}

// log((1 + x) / (1 - x)) / 2 = log1p(2x / (1 - x)) / 2; NaN beyond ±1.
inline F32 atanh(F32 x) {
  const F32 a = abs(x);
  return with_sign_of(broadcast(0.5f) * log1p((a + a) / (broadcast(1.0f) - a)), x);
}
