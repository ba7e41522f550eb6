// The inverse trigonometric functions, each as the angle of a vector.
#pragma once

#include "math/pair.h"
#include "math/polynomial.h"
#include "math/signs.h"
#include "simd/vectors.h"

// π, π/2 and π/4 in two floats.
constexpr float kPi = 3.1415927f, kPiLow = -8.742278e-8f;
constexpr float kPiHalf = 1.5707964f, kPiHalfLow = -4.371139e-8f;
constexpr float kPiQuarter = 0.7853982f, kPiQuarterLow = -2.1855694e-8f;

// The angle of (x, y), or of (-x, y) where `obtuse`, for x, y >= 0. With z the lesser over the greater, q = atan z is z
// + z³·P(z²) up to tan(π/8), where the error of P is 2^-30 of the result, and π/4 + atan((z - 1) / (z + 1)) from there
// on. The angle is q or π/2 - q, and π - q or π/2 + q where obtuse.
inline F32 angle(F32 y, F32 x, Mask obtuse) {
  constexpr float kP[] = {-0.060782135f, 0.1059381f, -0.14243533f, 0.19998471f, -0.33333316f};
  const F32 one = broadcast(1.0f);
  const Mask steep = x < y;
  const F32 least = select(steep, x, y), greatest = select(steep, y, x);
  const F32 equal = select(greatest == zero(), zero(), one);  // both may be 0 or infinite
  const F32 quotient = select(least == greatest, equal, least / greatest);
  const Mask high = broadcast(0.41421357f) < quotient;
  const F32 z = select(high, (quotient - one) / (quotient + one), quotient);
  const F32 square = z * z;
  const Pair q = quick_two_sum(select(high, broadcast(kPiQuarter), zero()), z);
  const F32 q_low = fma(z * square, polynomial(square, kP), q.low) + select(high, broadcast(kPiQuarterLow), zero());
  const F32 base = select(steep, broadcast(kPiHalf), select(obtuse, broadcast(kPi), zero()));
  const F32 base_low = select(steep, broadcast(kPiHalfLow), select(obtuse, broadcast(kPiLow), zero()));
  const Mask subtracted = (steep & ~obtuse) | (obtuse & ~steep);
  const Pair sum = quick_two_sum(base, select(subtracted, zero() - q.high, q.high));
  return sum.high + (sum.low + (base_low + select(subtracted, zero() - q_low, q_low)));
}

inline Mask is_negative(F32 x) { return bits(x) < broadcast(0); }
inline F32 acute_angle(F32 y, F32 x) { return angle(y, x, zero() != zero()); }
inline F32 angle_of_any(F32 y, F32 x) { return angle(y, abs(x), is_negative(x)); }

inline F32 atan(F32 x) { return with_sign_of(acute_angle(abs(x), broadcast(1.0f)), x); }
inline F32 atan2(F32 y, F32 x) { return with_sign_of(angle_of_any(abs(y), x), y); }

// √(1 - x²), without the cancellation near ±1; NaN beyond.
inline F32 other_leg(F32 x) { return sqrt((broadcast(1.0f) - x) * (broadcast(1.0f) + x)); }
inline F32 asin(F32 x) { return with_sign_of(acute_angle(abs(x), other_leg(x)), x); }
inline F32 acos(F32 x) { return angle_of_any(other_leg(x), x); }
