// Two sums of a part of each channel of [outer, channels, inner]: of a part of a row, as which the elements of a
// channel lie where `inner` is more than 1, or of some rows of columns, where it is 1.
#pragma once

#include "kernels/reduce.h"
#include "simd/vectors.h"

struct SquaredDeviations {
  const float* x;
  F32 mean;
  template <class Lanes>
  F32 operator()(int64_t i, Lanes lanes) const {
    const F32 deviation = lanes.read(x + i) - mean;
    return deviation * deviation;
  }
};

struct DeviationProducts {
  const float* x;
  const float* y;
  F32 mean;
  template <class Lanes>
  F32 operator()(int64_t i, Lanes lanes) const {
    return (lanes.read(x + i) - mean) * lanes.read(y + i);
  }
};

// Rows of a block, as most are, without a call, so that the processor goes on with the next row while the lanes of this
// one are folded.
template <class Source>
GALVANI_INLINED inline F32 sum_of(const Source& source, int64_t n) {
  return fold_lanes<Sum>(n <= kBlock ? fold_block<Sum>(source, zero(), 0, n)
                                     : fold_pairwise<Sum>(source, zero(), 0, n));
}

// Of each of `rows` rows of n elements the mean, and the sum of the squares of what is left without it.
inline void row_moments_kernel(const float* x, int64_t rows, int64_t n, float* means, float* squares) {
  const F32 count = broadcast(static_cast<float>(n));
  for (int64_t row = 0; row < rows; ++row, x += n) {
    const F32 mean = sum_of(Elements<float>{x}, n) / count;
    means[row] = first_lane(mean);
    squares[row] = first_lane(sum_of(SquaredDeviations{x, mean}, n));
  }
}

inline void row_deviations_kernel(const float* x, const float* means, const float* y, int64_t rows, int64_t n,
                                  float* sums, float* products) {
  for (int64_t row = 0; row < rows; ++row, x += n, y += n) {
    sums[row] = first_lane(sum_of(Elements<float>{y}, n));
    products[row] = first_lane(sum_of(DeviationProducts{x, y, broadcast(means[row])}, n));
  }
}

// The same of x[rows, columns], for each column.
inline void column_moments_kernel(const float* x, int64_t rows, int64_t columns, float* means, float* squares) {
  const F32 count = broadcast(static_cast<float>(rows));
  for_each_vector<1>(0, columns, [&](int64_t j, auto lanes) {
    F32 sum = zero(), squared = zero();
    for (int64_t row = 0; row < rows; ++row) sum = sum + lanes.read(x + row * columns + j);
    const F32 mean = sum / count;
    for (int64_t row = 0; row < rows; ++row) {
      const F32 deviation = lanes.read(x + row * columns + j) - mean;
      squared = squared + deviation * deviation;
    }
    lanes.write(means + j, mean);
    lanes.write(squares + j, squared);
  });
}

inline void column_deviations_kernel(const float* x, const float* means, const float* y, int64_t rows, int64_t columns,
                                     float* sums, float* products) {
  for_each_vector<1>(0, columns, [&](int64_t j, auto lanes) {
    const F32 mean = lanes.read(means + j);
    F32 sum = zero(), product = zero();
    for (int64_t row = 0; row < rows; ++row) {
      const F32 value = lanes.read(y + row * columns + j);
      sum = sum + value;
      product = product + (lanes.read(x + row * columns + j) - mean) * value;
    }
    lanes.write(sums + j, sum);
    lanes.write(products + j, product);
  });
}
