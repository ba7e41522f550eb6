// 1 / x and 1 / √x.
#pragma once

#include "math/pair.h"
#include "math/signs.h"
#include "simd/vectors.h"

// 1 / d, within 2^-28 of it before it is rounded: a step of Newton from an estimate.
inline F32 reciprocal_of(Pair d) {
  const F32 q = reciprocal_estimate(d.high);
  return fma(q, fnma(q, d.low, remainder(broadcast(1.0f), q, d.high)), q);
}

inline F32 reciprocal(F32 x) { return broadcast(1.0f) / x; }

// 1 / √x, and one step of Newton from there: y + y·(1 - x·y²) / 2.
inline F32 rsqrt(F32 x) {
  // Without fma the exact product would overflow.
  const Mask huge = broadcast(0x1p64f) < x;
  const F32 scaled = select(huge, x * broadcast(0x1p-64f), x);
  const F32 y = broadcast(1.0f) / sqrt(scaled);
  const Pair product = two_product(scaled, y);
  const F32 rest = remainder(broadcast(1.0f), product.high, y) - product.low * y;
  const F32 better = fma(y * broadcast(0.5f), rest, y);
  const F32 result = select(abs(rest) < broadcast(1.0f), better, y);  // y at 0, ∞ and NaN
  return select(huge & (x < broadcast(kInfinity)), result * broadcast(0x1p-32f), result);
}
