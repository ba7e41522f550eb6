// The sign bits of floats.
#pragma once

#include "simd/vectors.h"

inline F32 abs(F32 a) { return from_bits(bits(a) & broadcast(0x7fffffff)); }
inline F32 negative_abs(F32 a) { return from_bits(bits(a) | broadcast(static_cast<int32_t>(0x80000000))); }
inline I32 sign_bit(F32 a) { return bits(a) & broadcast(static_cast<int32_t>(0x80000000)); }
inline F32 flip_sign(F32 a, I32 sign) { return from_bits(bits(a) ^ sign); }
// For functions through 0, whose 0 takes the sign of its argument.
inline F32 with_sign_of(F32 magnitude, F32 x) {
  return from_bits((bits(magnitude) & broadcast(0x7fffffff)) | sign_bit(x));
}
