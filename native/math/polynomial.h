// Polynomials by Horner's scheme. Those of the functions are minimax (Remez).
#pragma once

#include "simd/vectors.h"

// c[0]·x^(n-1) + … + c[n-1].
template <int n>
inline F32 polynomial(F32 x, const float (&c)[n]) {
  F32 sum = broadcast(c[0]);
  for (int i = 1; i < n; ++i) sum = fma(sum, x, broadcast(c[i]));
  return sum;
}

// The same as two polynomials in x², of half the depth, for long ones: a processor waits for each step.
template <int n>
inline F32 split_polynomial(F32 x, const float (&c)[n]) {
  static_assert(n % 2 == 0 && n >= 4);
  const F32 square = x * x;
  F32 odd = broadcast(c[0]), even = broadcast(c[1]);
  for (int i = 2; i < n; i += 2) {
    odd = fma(odd, square, broadcast(c[i]));
    even = fma(even, square, broadcast(c[i + 1]));
  }
  return fma(odd, x, even);
}
