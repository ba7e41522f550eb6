// Rounding to integers, and division with a remainder: quotients, remainders, common divisors.
#pragma once

#include "math/pair.h"
#include "math/signs.h"
#include "simd/vectors.h"

// Adding 2^23 leaves no bits for a fraction: the sum is the nearest integer, ties to even. From there on every float is
// one.
inline F32 round_to_even(F32 x) {
  const F32 shift = broadcast(0x1p23f), a = abs(x);
  return with_sign_of(select(a < shift, (a + shift) - shift, a), x);
}
inline F32 floor(F32 x) {
  const F32 nearest = round_to_even(x);
  return with_sign_of(select(x < nearest, nearest - broadcast(1.0f), nearest), x);
}
inline F32 ceil(F32 x) {
  const F32 nearest = round_to_even(x);
  return with_sign_of(select(nearest < x, nearest + broadcast(1.0f), nearest), x);
}
inline F32 trunc(F32 x) { return with_sign_of(floor(abs(x)), x); }

inline Mask signs_differ(F32 a, F32 b) { return (bits(a) ^ bits(b)) < broadcast(0); }

// Applies f to each lane of a and b.
template <class T, class V, class F>
inline V by_lanes(V a, V b, F f) {
  T x[kLanes], y[kLanes];
  store(x, a);
  store(y, b);
  for (int i = 0; i < kLanes; ++i) x[i] = f(x[i], y[i]);
  return load(x);
}

// The lanes whose quotient is small enough for the remainder a - b·trunc(a / b) to be exact in one step.
inline Mask has_small_quotient(F32 a, F32 b, F32 quotient) {
  const Mask small = (abs(quotient) < broadcast(0x1p22f)) & (abs(b) < broadcast(kInfinity));
  if (kHasFma) return small;
  // Without fma the exact product must neither overflow nor lose bits.
  return small & (abs(a) < broadcast(0x1p100f)) & (abs(b) < broadcast(0x1p100f)) & (broadcast(0x1p-90f) < abs(a));
}

__attribute__((noinline)) static F32 fmod_lanes(F32 a, F32 b) {
  return by_lanes<float>(a, b, [](float x, float y) { return __builtin_fmodf(x, y); });
}

// a - b·trunc(a / b), exactly, with the sign of a. The rounded quotient may be one too many, never too few.
inline F32 fmod(F32 a, F32 b) {
  const F32 quotient = a / b;
  const F32 rest = remainder(a, trunc(quotient), b);
  const Mask is_over = (rest != zero()) & signs_differ(rest, a);
  const F32 result = with_sign_of(select(is_over, rest + with_sign_of(b, a), rest), a);
  const Mask small = has_small_quotient(a, b, quotient);
  return any(~small) ? select(small, result, fmod_lanes(a, b)) : result;
}

// a - b·floor(a / b): with the sign of b where it is not 0.
inline F32 mod(F32 a, F32 b) {
  const F32 rest = fmod(a, b);
  return select((rest != zero()) & signs_differ(rest, b), rest + b, rest);
}

// floor(a / b) of a quotient that float does not resolve.
inline float floor_divide_lane(float a, float b) {
  if (b == 0) return a / b;
  const float rest = __builtin_fmodf(a, b);
  const double whole = (static_cast<double>(a) - static_cast<double>(rest)) / static_cast<double>(b);
  const double result = rest != 0 && (rest < 0) != (b < 0) ? whole - 1 : whole;
  return result == 0 ? __builtin_copysignf(0.0f, a / b) : static_cast<float>(result);
}
__attribute__((noinline)) static F32 floor_divide_lanes(F32 a, F32 b) {
  return by_lanes<float>(a, b, floor_divide_lane);
}

// (a - rest) / b is within half of the whole quotient below 2^22.
inline F32 floor_divide(F32 a, F32 b) {
  const F32 quotient = a / b, rest = fmod(a, b);
  const F32 whole = round_to_even((a - rest) / b);
  const Mask is_over = (rest != zero()) & signs_differ(rest, b);
  const F32 result = with_sign_of(select(is_over, whole - broadcast(1.0f), whole), quotient);
  const Mask small = has_small_quotient(a, b, quotient);
  return any(~small) ? select(small, result, floor_divide_lanes(a, b)) : result;
}

// The greatest common divisor, of magnitudes without a sign: 2^31 wraps to itself, negative. Euclid's algorithm.
inline int32_t gcd_integers(int32_t a, int32_t b) {
  uint32_t x = a < 0 ? 0 - static_cast<uint32_t>(a) : static_cast<uint32_t>(a);
  uint32_t y = b < 0 ? 0 - static_cast<uint32_t>(b) : static_cast<uint32_t>(b);
  while (y != 0) {
    const uint32_t rest = x % y;
    x = y;
    y = rest;
  }
  return static_cast<int32_t>(x);
}
inline I32 gcd(I32 a, I32 b) { return by_lanes<int32_t>(a, b, gcd_integers); }

// Of integers by 0 the results are 0, and -2^31 / -1 wraps.
inline int32_t fmod_integers(int32_t a, int32_t b) { return b == 0 || b == -1 ? 0 : a % b; }
inline int32_t mod_integers(int32_t a, int32_t b) {
  const int32_t rest = fmod_integers(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}
inline int32_t floor_divide_integers(int32_t a, int32_t b) {
  if (b == 0) return 0;
  if (b == -1) return static_cast<int32_t>(0 - static_cast<uint32_t>(a));
  return a / b - (a % b != 0 && (a < 0) != (b < 0));
}
inline I32 fmod(I32 a, I32 b) { return by_lanes<int32_t>(a, b, fmod_integers); }
inline I32 mod(I32 a, I32 b) { return by_lanes<int32_t>(a, b, mod_integers); }
inline I32 floor_divide(I32 a, I32 b) { return by_lanes<int32_t>(a, b, floor_divide_integers); }

// By less than 0 or more than 31 as if by 32.
inline Mask shifts_all(I32 count) { return (count & broadcast(~31)) != broadcast(0); }
inline I32 left_shift(I32 a, I32 count) {
  return select(shifts_all(count), broadcast(0), shift_left_by(a, count & broadcast(31)));
}
inline I32 right_shift(I32 a, I32 count) { return shift_right_by(a, select(shifts_all(count), broadcast(31), count)); }
