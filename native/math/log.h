// The natural logarithm, of x and of 1 + x.
#pragma once

#include "math/exp.h"
#include "math/pair.h"
#include "math/polynomial.h"
#include "math/signs.h"
#include "simd/vectors.h"

// x = m·2^e with m in [√½, √2), for finite x > 0.
struct Split {
  F32 m, e;
};
inline Split split(F32 x) {
  const I32 sqrt_half = broadcast(0x3f3504f3);
  const Mask denormal = x < broadcast(0x1p-126f);
  const I32 shifted = bits(select(denormal, x * broadcast(0x1p23f), x)) - sqrt_half;
  const F32 bias = select(denormal, broadcast(23.0f), zero());
  return {from_bits((shifted & broadcast(0x7fffff)) + sqrt_half), to_float(shift_right<23>(shifted)) - bias};
}

// e·ln 2 + log(1 + r) + low for r in [√½ - 1, √2 - 1]; log(1 + r) = r - r²/2 + r³·P(r). The error of P is 2^-30 of the
// log.
inline F32 log_reduced(F32 e, F32 r, F32 low) {
  constexpr float kP[] = {0.06746643f,  -0.11675652f, 0.11888161f, -0.124055885f, 0.14219552f,
                          -0.16667996f, 0.20002119f,  -0.2500001f, 0.33333313f};
  const F32 half = r * broadcast(-0.5f);
  const F32 tail = fma(half, r, fma(e, broadcast(kLn2Low), fma(r * r * r, polynomial(r, kP), low)));
  return fma(e, broadcast(kLn2High), r + tail);
}

// Of a logarithm that is right for finite y > 0.
inline F32 log_special(F32 y, F32 result) {
  result = select(y < broadcast(kInfinity), result, y);
  result = select(y < zero(), broadcast(kNaN), result);
  return select(y == zero(), broadcast(-kInfinity), result);
}

inline F32 log(F32 x) {
  const Split s = split(x);
  return log_special(x, log_reduced(s.e, s.m - broadcast(1.0f), zero()));
}

// The log of the rounded 1 + x, and what rounding took from it over 1 + x; near 0, 1 + x is not rounded at all.
inline F32 log1p(F32 x) {
  const Pair sum = two_sum(broadcast(1.0f), x);
  const Split s = split(sum.high);
  const Mask near = s.e == zero();
  const F32 scale = power_of_two(max(broadcast(-126.0f), zero() - s.e));
  const F32 low = select(near, zero(), sum.low * scale / s.m);
  const F32 result = log_reduced(s.e, select(near, x, s.m - broadcast(1.0f)), low);
  return log_special(sum.high, select(abs(x) < broadcast(0.5f), with_sign_of(result, x), result));
}

// log(1 + x) for x in [0, 1]: 1 + x is 1 + r, or 2·(1 + r), with an exact r.
inline F32 log1p_unit(F32 x) {
  const Mask high = broadcast(0.41421357f) < x;
  const F32 r = select(high, x * broadcast(0.5f) - broadcast(0.5f), x);
  return log_reduced(select(high, broadcast(1.0f), zero()), r, zero());
}
