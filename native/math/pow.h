// Powers, roots and logarithms to other bases. pow(x, y) = e^(y·log x), with the logarithm and the product in pairs of
// floats: an error in y·log x is multiplied by up to 104 in the result.
#pragma once

#include "math/exp.h"
#include "math/log.h"
#include "math/pair.h"
#include "math/polynomial.h"
#include "math/signs.h"
#include "simd/vectors.h"

// 2·atanh(s) = s·(2 + z·(2/3 + z·P(z))) with z = s². The error of P is 2^-36 of the result.
inline Pair twice_atanh(Pair s) {
  constexpr float kP[] = {0.23419301f, 0.28547108f, 0.40000153f};
  const Pair z = multiply(s, s);
  Pair factor = quick_two_sum(broadcast(0.6666667f), z.high * polynomial(z.high, kP));
  factor.low = factor.low + broadcast(-1.9868216e-8f);  // 2/3 - 0.6666667f
  const Pair tail = multiply(z, factor);
  Pair sum = quick_two_sum(broadcast(2.0f), tail.high);
  sum.low = sum.low + tail.low;
  return multiply(s, sum);
}

// For finite x > 0: log x = e·ln 2 + 2·atanh((m - 1) / (m + 1)).
inline Pair log_pair(F32 x) {
  const Split s = split(x);
  const F32 numerator = s.m - broadcast(1.0f);
  const F32 denominator = s.m + broadcast(1.0f);
  const F32 lost = s.m - (denominator - broadcast(1.0f));
  const F32 quotient = numerator / denominator;
  const F32 rest = (remainder(numerator, quotient, denominator) - quotient * lost) / denominator;
  const Pair log_m = twice_atanh({quotient, rest});
  const Pair sum = quick_two_sum(s.e * broadcast(kLn2High), log_m.high);
  return quick_two_sum(sum.high, sum.low + (log_m.low + s.e * broadcast(kLn2Low)));
}

inline F32 pow_magnitude(F32 x, F32 y) {
  Pair log_x = log_pair(x);
  log_x.high = select(x < broadcast(kInfinity), log_x.high, x);
  log_x.high = select(x == zero(), broadcast(-kInfinity), log_x.high);
  // Even the log next to 0, 2^-24, overflows or vanishes at this exponent. It keeps 0·∞ out.
  y = min(broadcast(0x1p40f), max(broadcast(-0x1p40f), y));
  const Pair product = two_product(log_x.high, y);
  const F32 low = fma(log_x.low, y, product.low);
  const F32 bounded = min(broadcast(89.0f), max(broadcast(-115.0f), product.high));
  const ScaledPair power = exp_of_pair({bounded, select(abs(product.high) < broadcast(128.0f), low, zero())});
  return ldexp(power.mantissa.high + power.mantissa.low, power.n);
}

// IEEE 754-2019, 9.2.1: pow(x, ±0) = pow(1, y) = 1 even for NaN, pow(-1, ±∞) = 1; x < 0 wants an integral y.
inline F32 pow(F32 x, F32 y) {
  const F32 size = min(abs(y), broadcast(0x1p24f));  // from 2^24 on every float is an even integer
  const I32 whole = truncate(size);
  const Mask integral = to_float(whole) == size;
  const I32 odd = select(integral, shift_left<31>(whole), broadcast(0));
  F32 result = flip_sign(pow_magnitude(abs(x), y), sign_bit(x) & odd);
  const Mask no_root = (x < zero()) & (broadcast(-kInfinity) < x) & ~integral;
  result = select(no_root, broadcast(kNaN), result);
  return select((y == zero()) | (x == broadcast(1.0f)), broadcast(1.0f), result);
}

// 2^x = 2^n·e^(f·ln 2) with n the nearest integer and f = x - n exactly.
inline F32 exp2(F32 x) {
  x = min(broadcast(129.0f), max(broadcast(-166.0f), x));
  const F32 n = round(x), f = x - n;
  const Pair r = two_product(f, broadcast(0.6931472f));
  const Pair sum = quick_two_sum(broadcast(1.0f), r.high);
  const F32 low = fma(f, broadcast(-1.9046542e-9f), r.low);
  return ldexp(sum.high + exp_tail(r.high, sum.low + low), n);
}

// log x over log 2 or log 10, the reciprocal of which is a pair: exact where the result is an integer.
inline F32 log_to_base(F32 x, Pair inverse) {
  const Pair quotient = multiply(log_pair(x), inverse);
  return log_special(x, quotient.high + quotient.low);
}
inline F32 log2(F32 x) { return log_to_base(x, {broadcast(1.442695f), broadcast(1.925963e-8f)}); }
inline F32 log10(F32 x) { return log_to_base(x, {broadcast(0.4342945f), broadcast(-1.010305e-8f)}); }

// e^(log |x| / 3).
inline F32 cbrt(F32 x) {
  const F32 a = abs(x);
  const Pair third = multiply(log_pair(a), {broadcast(0.33333334f), broadcast(-9.934108e-9f)});
  const ScaledPair power = exp_of_pair(third);
  const F32 root = ldexp(power.mantissa.high + power.mantissa.low, power.n);
  return select((zero() < a) & (a < broadcast(kInfinity)), with_sign_of(root, x), x);  // 0, infinities and NaN stay
}

// √(a² + b²), scaled by a power of two where a square would overflow or vanish.
inline F32 hypot(F32 a, F32 b) {
  a = abs(a);
  b = abs(b);
  const F32 greatest = max(a, b);
  const Mask huge = broadcast(0x1p60f) < greatest, tiny = greatest < broadcast(0x1p-40f);
  const F32 scale = select(huge, broadcast(0x1p-70f), select(tiny, broadcast(0x1p100f), broadcast(1.0f)));
  const F32 back = select(huge, broadcast(0x1p70f), select(tiny, broadcast(0x1p-100f), broadcast(1.0f)));
  const F32 x = a * scale, y = b * scale;
  const F32 length = sqrt(fma(x, x, y * y)) * back;
  return select((a == broadcast(kInfinity)) | (b == broadcast(kInfinity)), broadcast(kInfinity), length);
}
