// The softmax of attention, a block of keys at a time: M. Milakov & N. Gimelshein, "Online normalizer calculation for
// softmax" (2018), in blocks as by T. Dao et al., "FlashAttention" (2022), algorithm 1.
#pragma once

#include "kernels/reduce.h"
#include "kernels/softmax.h"
#include "kernels/vector_loop.h"
#include "math/exp.h"
#include "math/log.h"
#include "simd/vectors.h"

struct ScaleInPlace {
  float* x;
  F32 factor;
  template <class Lanes>
  F32 operator()(int64_t i, Lanes lanes) const {
    const F32 scaled = lanes.read(x + i) * factor;
    lanes.write(x + i, scaled);
    return scaled;
  }
};

inline void attend_kernel(float* scores, int64_t stride, int64_t rows, int64_t columns, float scale, float* greatest,
                          float* sums, float* out, int64_t width, bool is_first) {
  const F32 least = broadcast(-kInfinity);
  for (int64_t row = 0; row < rows; ++row) {
    float* const x = scores + row * stride;
    const F32 before = broadcast(greatest[row]);
    const ScaleInPlace scaled{x, broadcast(scale)};
    const F32 here = fold_lanes<RawMax>(fold_pairwise<RawMax>(scaled, least, 0, columns));
    const F32 now = max(before, here);
    // Where there is nothing but -∞ the powers are 0, not those of -∞ + ∞.
    const F32 shift = select(now == least, zero(), now);
    const F32 factor = exp(before - shift);
    const float sum = first_lane(sum_of_powers(x, shift, columns, KeepInRow<float>{x}));
    greatest[row] = first_lane(now);
    sums[row] = sums[row] * first_lane(factor) + sum;
    if (!is_first && any(factor != broadcast(1.0f))) for_each_vector(0, width, ScaleInPlace{out + row * width, factor});
  }
}

// w = e^(scale · score − shift), and scale · w · (product − inner).
struct Slopes {
  float* scores;
  float* products;
  F32 scale, shift, inner;
  template <class Lanes>
  void operator()(int64_t i, Lanes lanes) const {
    const F32 weight = exp(scale * lanes.read(scores + i) - shift);
    lanes.write(scores + i, weight);
    lanes.write(products + i, scale * weight * (lanes.read(products + i) - inner));
  }
};

inline void attention_slopes_kernel(float* scores, float* products, int64_t stride, int64_t rows, int64_t columns,
                                    float scale, const float* log_sums, const float* inner) {
  for (int64_t row = 0; row < rows; ++row) {
    // A query without keys has no weights: what is shifted by ∞ is 0.
    const float shift = log_sums[row] == -kInfinity ? kInfinity : log_sums[row];
    for_each_vector(0, columns,
                    Slopes{scores + row * stride, products + row * stride, broadcast(scale), broadcast(shift),
                           broadcast(inner[row])});
  }
}

inline void end_attention_kernel(const float* greatest, const float* sums, int64_t rows, float* out, int64_t width,
                                 float* log_sums) {
  for (int64_t row = 0; row < rows; ++row) {
    float* const y = out + row * width;
    if (sums[row] == 0) {
      for (int64_t i = 0; i < width; ++i) y[i] = 0;
      log_sums[row] = -kInfinity;
    } else {
      const F32 sum = broadcast(sums[row]);
      for_each_vector(0, width, ScaleInPlace{y, broadcast(1.0f) / sum});
      log_sums[row] = greatest[row] + first_lane(log(sum));
    }
  }
}
