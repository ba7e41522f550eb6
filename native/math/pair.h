// Sums and products with what rounding takes from them (Dekker, "A floating-point technique for extending the available
// precision", 1971; Knuth, TAOCP 2, 4.2.2), for the functions that promise their last bit.
#pragma once

#include "simd/vectors.h"

// high + low, |low| at most half an ulp of high or nearly so.
struct Pair {
  F32 high, low;
};

// a + b exactly, for |a| >= |b| or a = 0.
inline Pair quick_two_sum(F32 a, F32 b) {
  const F32 sum = a + b;
  return {sum, b - (sum - a)};
}

// a + b exactly.
inline Pair two_sum(F32 a, F32 b) {
  const F32 sum = a + b;
  const F32 b_part = sum - a;
  return {sum, (a - (sum - b_part)) + (b - b_part)};
}

// a·b exactly (where nothing over- or underflows).
inline Pair two_product(F32 a, F32 b) {
  const F32 product = a * b;
  if (kHasFma) return {product, fms(a, b, product)};
  const F32 a_scaled = a * broadcast(4097.0f), b_scaled = b * broadcast(4097.0f);
  const F32 a_high = a_scaled - (a_scaled - a), b_high = b_scaled - (b_scaled - b);
  const F32 a_low = a - a_high, b_low = b - b_high;
  return {product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low};
}

inline Pair multiply(Pair a, F32 b) {
  const Pair product = two_product(a.high, b);
  return quick_two_sum(product.high, fma(a.low, b, product.low));
}

inline Pair multiply(Pair a, Pair b) {
  const Pair product = two_product(a.high, b.high);
  return quick_two_sum(product.high, fma(a.high, b.low, fma(a.low, b.high, product.low)));
}

// a·b as one float.
inline F32 rounded_product(Pair a, Pair b) {
  const Pair product = two_product(a.high, b.high);
  return product.high + fma(a.high, b.low, fma(a.low, b.high, product.low));
}

// a·b + c, with one rounding of the size of the sum.
inline F32 multiply_add(F32 a, F32 b, F32 c) {
  if (kHasFma) return fma(a, b, c);
  const Pair product = two_product(a, b);
  return product.high + (product.low + c);
}

// a - q·d, exactly but for the last rounding, where q is a / d rounded.
inline F32 remainder(F32 a, F32 q, F32 d) {
  if (kHasFma) return fnma(q, d, a);
  const Pair back = two_product(q, d);
  return (a - back.high) - back.low;
}
