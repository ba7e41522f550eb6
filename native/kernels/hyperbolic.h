// The hyperbolic functions and their inverses.
#pragma once

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
