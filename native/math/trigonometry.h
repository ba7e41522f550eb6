// sin, cos, tan and sinc of any float.
#pragma once

#include "math/pair.h"
#include "math/polynomial.h"
#include "math/rounding.h"
#include "math/signs.h"
#include "simd/vectors.h"

// x = quadrant·π/2 + r + low with |r| <= π/4, and the quadrant modulo 4.
struct Angle {
  F32 r, low;
  I32 quadrant;
};

// π/2 in three floats.
constexpr float kHalfPi[] = {0x1.921fb6p0f, -0x1.777a5cp-25f, -0x1.ee59dap-50f};
// Up to there the remainder by three floats is exact enough (Cody and Waite): no quotient is above 2^16.
constexpr float kLargestReduced = 100000.0f;

inline Angle reduce_moderate(F32 x) {
  const F32 n = round(x * broadcast(0.63661977f));
  const Pair first = two_product(n, broadcast(kHalfPi[0]));
  const Pair second = two_product(n, broadcast(kHalfPi[1]));
  const F32 high = (x - first.high) - first.low;  // exact, as n is near x / (π/2)
  const Pair r = two_sum(high, zero() - second.high);
  const Pair result = quick_two_sum(r.high, (r.low - second.low) - n * broadcast(kHalfPi[2]));
  return {result.high, result.low, truncate(n)};
}

// One large x, by the bits of 2/π that matter to its remainder (Payne and Hanek, "Radian reduction for trigonometric
// functions", 1983). x = m·2^e; what bits of 2/π give multiples of 4 is left out, and 94 bits of a fraction are kept.
inline void reduce_large(float x, float& r, float& low, int32_t& quadrant) {
  constexpr uint32_t kTwoOverPi[] = {0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0,
                                     0xdb629599, 0x3c439041, 0xfe5163ab};
  uint32_t pattern;
  __builtin_memcpy(&pattern, &x, 4);
  const int exponent = static_cast<int>(pattern >> 23 & 255) - 150;
  const uint32_t m = (pattern & 0x7fffff) | 0x800000;
  const int skipped = exponent > 2 ? exponent - 2 : 0;
  const int word = skipped / 32, shift = skipped % 32;
  const auto bits_at = [&](int i) {
    const uint64_t two_words = static_cast<uint64_t>(kTwoOverPi[word + i]) << 32 | kTwoOverPi[word + i + 1];
    return static_cast<uint32_t>(two_words >> (32 - shift));
  };
  const unsigned __int128 window =
      static_cast<unsigned __int128>(bits_at(0)) << 64 | static_cast<uint64_t>(bits_at(1)) << 32 | bits_at(2);
  const unsigned __int128 product = m * window >> (skipped - exponent + 2);
  const uint32_t whole = static_cast<uint32_t>(product >> 94) & 3;
  const int64_t fraction = static_cast<int64_t>(static_cast<uint64_t>(product >> 30));  // from ½ on: less a whole
  quadrant = static_cast<int32_t>(whole + (fraction < 0 ? 1 : 0));
  const double remainder = static_cast<double>(fraction) * (1.5707963267948966 * 0x1p-64);
  r = static_cast<float>(remainder);
  low = static_cast<float>(remainder - static_cast<double>(r));
}

// Each large lane by itself: they are rare.
__attribute__((noinline)) static Angle reduce_lanes(F32 x, Angle angle) {
  float xs[kLanes], rs[kLanes], lows[kLanes];
  int32_t quadrants[kLanes];
  store(xs, x);
  store(rs, angle.r);
  store(lows, angle.low);
  store(quadrants, angle.quadrant);
  for (int i = 0; i < kLanes; ++i) {
    if (!(xs[i] > kLargestReduced)) continue;
    if (xs[i] < kInfinity) {
      reduce_large(xs[i], rs[i], lows[i], quadrants[i]);
    } else {
      rs[i] = kNaN;
    }
  }
  return {load(rs), load(lows), load(quadrants)};
}

// Of x >= 0.
inline Angle reduce_angle(F32 x) {
  const Angle angle = reduce_moderate(x);
  return any(broadcast(kLargestReduced) < x) ? reduce_lanes(x, angle) : angle;
}

// Of r + low. The errors of the polynomials are 2^-32 and 2^-33.
struct SineCosine {
  F32 sine, cosine;
};
inline SineCosine sine_cosine(const Angle& angle) {
  constexpr float kSine[] = {2.8367429e-6f, -1.9853473e-4f, 8.33338e-3f, -0.16666667f};
  constexpr float kCosine[] = {2.4430663e-5f, -1.3887301e-3f, 0.041666646f};
  const F32 r = angle.r;
  const F32 square = r * r;
  const F32 sine = r + fma(r * square, polynomial(square, kSine), angle.low);
  const F32 half = square * broadcast(0.5f);
  const F32 difference = broadcast(1.0f) - half;
  const F32 tail = fms(square * square, polynomial(square, kCosine), r * angle.low);
  const F32 cosine = difference + (((broadcast(1.0f) - difference) - half) + tail);
  return {sine, cosine};
}

inline Mask is_odd(const Angle& angle) { return (angle.quadrant & broadcast(1)) != broadcast(0); }

// The sine of the angle, or the cosine where the quadrant is odd, with the sign of the quadrant's second bit.
inline F32 sin_of(const Angle& angle) {
  const SineCosine of = sine_cosine(angle);
  return flip_sign(select(is_odd(angle), of.cosine, of.sine), shift_left<30>(angle.quadrant & broadcast(2)));
}

inline F32 sin(F32 x) { return flip_sign(sin_of(reduce_angle(abs(x))), sign_bit(x)); }

inline F32 cos(F32 x) {
  Angle angle = reduce_angle(abs(x));
  angle.quadrant = angle.quadrant + broadcast(1);
  return sin_of(angle);
}

// sine / cosine, and -cosine / sine in the odd quadrants.
inline F32 tan(F32 x) {
  const Angle angle = reduce_angle(abs(x));
  const SineCosine of = sine_cosine(angle);
  const Mask odd = is_odd(angle);
  const F32 quotient = select(odd, of.cosine, of.sine) / select(odd, zero() - of.sine, of.cosine);
  return flip_sign(quotient, sign_bit(x));
}

// sin(πx)/(πx). Of x = n + r with |r| <= ½ the sine is ±sin(πr), so that it is r/x times sin(πr)/(πr), a polynomial in
// r² (minimax, with an error of 2^-31). r is exact, so that nothing is lost at the zeros, nor by large x.
inline F32 sinc(F32 x) {
  constexpr float kP[] = {-0x1.253a4ap-9f, 0x1.abe8eep-6f, -0x1.86a6dep-3f, 0x1.9f9cacp-1f, -0x1.a51a66p0f};
  const F32 n = round_to_even(x), half = n * broadcast(0.5f);
  const F32 r = x - n, square = r * r;
  const F32 scale = select(n == zero(), broadcast(1.0f), r / x);
  const F32 magnitude = multiply_add(scale, square * polynomial(square, kP), scale);
  return select(round_to_even(half) == half, magnitude, zero() - magnitude);
}
