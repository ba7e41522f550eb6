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

// Two sums by one pass, each folded as it would be alone.
struct TwoSums {
  F32 first, second;
};
template <int n>
inline TwoSums rotate(TwoSums a) {
  return {rotate<n>(a.first), rotate<n>(a.second)};
}
inline TwoSums select(Mask m, TwoSums a, TwoSums b) {
  return {select(m, a.first, b.first), select(m, a.second, b.second)};
}
struct BothSums {
  static TwoSums combine(TwoSums a, TwoSums b) { return {a.first + b.first, a.second + b.second}; }
};

struct DeviationProducts {
  const float* x;
  const float* y;
  F32 mean;
  template <class Lanes>
  TwoSums operator()(int64_t i, Lanes lanes) const {
    const F32 value = lanes.read(y + i);
    return {value, (lanes.read(x + i) - mean) * value};
  }
};

// Rows of a block, as most are, without a call, so that the processor goes on with the next row while the lanes of this
// one are folded.
template <class R, class V, class Source>
GALVANI_INLINED inline V fold_whole(const Source& source, V identity, int64_t n) {
  return fold_lanes<R>(n <= kBlock ? fold_block<R>(source, identity, 0, n) : fold_pairwise<R>(source, identity, 0, n));
}

// Of each of `rows` rows of n elements the mean, and the sum of the squares of what is left without it.
inline void row_moments_kernel(const float* x, int64_t rows, int64_t n, float* means, float* squares) {
  const F32 count = broadcast(static_cast<float>(n));
  for (int64_t row = 0; row < rows; ++row, x += n) {
    const F32 mean = fold_whole<Sum>(Elements<float>{x}, zero(), n) / count;
    means[row] = first_lane(mean);
    squares[row] = first_lane(fold_whole<Sum>(SquaredDeviations{x, mean}, zero(), n));
  }
}

inline void row_deviations_kernel(const float* x, const float* means, const float* y, int64_t rows, int64_t n,
                                  float* sums, float* products) {
  for (int64_t row = 0; row < rows; ++row, x += n, y += n) {
    const DeviationProducts source = {x, y, broadcast(means[row])};
    const TwoSums both = fold_whole<BothSums>(source, TwoSums{zero(), zero()}, n);
    sums[row] = first_lane(both.first);
    products[row] = first_lane(both.second);
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
