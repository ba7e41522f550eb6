// Functions of comparisons and choices.
#pragma once

#include "math/signs.h"
#include "simd/vectors.h"

// Larger of the two; a NaN wins, and +0 is larger than -0.
inline F32 maximum(F32 a, F32 b) {
  const F32 larger = select(a == b, from_bits(bits(a) & bits(b)), max(a, b));
  return select(a != a, a, larger);
}
inline F32 minimum(F32 a, F32 b) {
  const F32 smaller = select(a == b, from_bits(bits(a) | bits(b)), min(a, b));
  return select(a != a, a, smaller);
}
inline I32 maximum(I32 a, I32 b) { return max(a, b); }
inline I32 minimum(I32 a, I32 b) { return min(a, b); }

inline F32 sign(F32 a) {
  const F32 one = from_bits(bits(broadcast(1.0f)) | sign_bit(a));
  return select(zero() < abs(a), one, a);  // ±0 and NaN stay
}
inline I32 sign(I32 a) { return shift_right<31>(a) | shift_right_unsigned<31>(broadcast(0) - a); }
inline I32 abs(I32 a) { return max(a, broadcast(0) - a); }
inline F32 negate(F32 a) { return flip_sign(a, sign_bit(broadcast(-0.0f))); }
inline I32 negate(I32 a) { return broadcast(0) - a; }
inline F32 relu(F32 a) { return select(a <= zero(), zero(), a); }
inline I32 relu(I32 a) { return max(a, broadcast(0)); }
inline F32 leaky_relu(F32 a, F32 slope) { return select(zero() < a, a, slope * a); }
inline F32 step(F32 a) { return select(a == a, select(zero() < a, broadcast(1.0f), zero()), a); }
inline I32 truth(Mask m) { return select(m, broadcast(1), broadcast(0)); }
