// What the products of operands that are rounded to bf16 are computed from: words, of which each holds kSteps steps of
// k. On most processors they are floats, which are rounded where they are packed. With AVX512-BF16 they are pairs of
// bf16, as vdpbf16ps multiplies them (and the tiles of AMX, too): the same packing and the same tiles, half as deep.
#pragma once

#include "kernels/vector_loop.h"
#include "simd/vectors.h"

inline F64 add_product(F64 a, F64 b, F64 sum) { return fma(a, b, sum); }

#if defined(GALVANI_BF16_PAIRS)

// sum + the products of both halves. Products are exact; vdpbf16ps takes denormals for 0, and rounds each of the two
// sums.
inline F32 add_product(F32 a, F32 b, F32 sum) {
  return {_mm512_dpbf16_ps(sum.v, (__m512bh)_mm512_castps_si512(a.v), (__m512bh)_mm512_castps_si512(b.v))};
}

struct RoundedWords {
  static constexpr int kSteps = 2;

  // Of the elements at x, and those below them where there are two steps.
  template <int kCount, class Lanes>
  static F32 across(const float* x, int64_t stride, Lanes lanes) {
    F32 second = zero();
    if constexpr (kCount == 2) second = lanes.read(x + stride);
    const __m512i pairs = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6,
                                           21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    return from_bits(I32{_mm512_permutexvar_epi16(pairs, halves(lanes.read(x), second))});
  }

  // Of `count` elements that follow each other, and zeros.
  static F32 along(const float* x, int64_t count) {
    return from_bits(I32{halves(load_most(x, count), load_most(x + kLanes, count - kLanes))});
  }

 private:
  static __m512i halves(F32 low, F32 high) { return (__m512i)_mm512_cvtne2ps_pbh(high.v, low.v); }
  static F32 load_most(const float* x, int64_t count) {
    if (count <= 0) return zero();
    return count >= kLanes ? load(x) : load_partial(x, static_cast<int>(count));
  }
};

#else

inline F32 add_product(F32 a, F32 b, F32 sum) { return fma(a, b, sum); }

// To the nearest, of two as near to the even one. What is not a number stays as it is.
inline F32 to_bf16(F32 x) {
  const I32 word = bits(x);
  const I32 odd = shift_right_unsigned<16>(word) & broadcast(1);
  const I32 rounded = (word + broadcast(0x7fff) + odd) & broadcast(static_cast<int32_t>(0xffff0000));
  return select(x == x, from_bits(rounded), x);
}

struct RoundedWords {
  static constexpr int kSteps = 1;

  template <int kCount, class Lanes>
  static F32 across(const float* x, int64_t, Lanes lanes) {
    return to_bf16(lanes.read(x));
  }

  static F32 along(const float* x, int64_t count) {
    return to_bf16(count >= kLanes ? load(x) : load_partial(x, static_cast<int>(count)));
  }
};

#endif
