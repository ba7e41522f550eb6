// Reductions of x[outer, reduced, inner] over the middle axis. The order of the operations of one output depends on
// `reduced` alone: blocks are folded in order and then pairwise, so that the error of a sum grows with the logarithm
// of its length.
#pragma once

#include "kernels/vector_loop.h"
#include "math/doubles.h"
#include "math/piecewise.h"
#include "simd/vectors.h"

// The pointer that identity() takes says which type is meant.
struct Sum {
  static F32 identity(const float*) { return zero(); }
  static F64 identity(const double*) { return broadcast(0.0); }
  static I32 identity(const int32_t*) { return broadcast(0); }
  template <class V>
  static V combine(V a, V b) {
    return a + b;
  }
};
struct Max {
  static F32 identity(const float*) { return broadcast(-kInfinity); }
  static F64 identity(const double*) { return broadcast(-__builtin_inf()); }
  static I32 identity(const int32_t*) { return broadcast(INT32_MIN); }
  template <class V>
  static V combine(V a, V b) {
    return maximum(a, b);
  }
};
struct Min {
  static F32 identity(const float*) { return broadcast(kInfinity); }
  static F64 identity(const double*) { return broadcast(__builtin_inf()); }
  static I32 identity(const int32_t*) { return broadcast(INT32_MAX); }
  template <class V>
  static V combine(V a, V b) {
    return minimum(a, b);
  }
};

// All lanes of the result are the fold of all lanes of v.
template <class R, int n = kLanes / 2, class V>
inline V fold_lanes(V v) {
  if constexpr (n == 0) {
    return v;
  } else {
    return fold_lanes<R, n / 2>(R::combine(v, rotate<n>(v)));
  }
}

// Folds what `source` gives for each vector of [i, end), lane by lane.
template <class R, class V, class Source>
GALVANI_INLINED inline V fold_block(const Source& source, V identity, int64_t i, int64_t end) {
  if (end - i <= kLanes) {
    const Part part{static_cast<int>(end - i)};
    return part.or_else(source(i, part), identity);
  }
  V a = identity, b = identity, c = identity, d = identity;
  for (; i + 4 * kLanes <= end; i += 4 * kLanes) {
    a = R::combine(a, source(i, Whole()));
    b = R::combine(b, source(i + kLanes, Whole()));
    c = R::combine(c, source(i + 2 * kLanes, Whole()));
    d = R::combine(d, source(i + 3 * kLanes, Whole()));
  }
  for (; i + kLanes <= end; i += kLanes) a = R::combine(a, source(i, Whole()));
  if (i < end) {
    const Part rest{static_cast<int>(end - i)};
    b = R::combine(b, rest.or_else(source(i, rest), identity));
  }
  return R::combine(R::combine(a, b), R::combine(c, d));
}

constexpr int64_t kBlock = 64 * kLanes;

template <class R, class V, class Source>
V fold_pairwise(const Source& source, V identity, int64_t begin, int64_t end) {
  if (end - begin <= kBlock) return fold_block<R>(source, identity, begin, end);
  const int64_t middle = begin + ((end - begin) / 2 + kBlock - 1) / kBlock * kBlock;
  const V first = fold_pairwise<R>(source, identity, begin, middle);
  return R::combine(first, fold_pairwise<R>(source, identity, middle, end));
}

// The instructions may lose a NaN and the sign of a zero.
struct RawMax {
  template <class V>
  static V combine(V a, V b) {
    return max(a, b);
  }
};
struct RawMin {
  template <class V>
  static V combine(V a, V b) {
    return min(a, b);
  }
};

template <class R, class T>
inline auto fold_row_with_care(const T* x, int64_t n) {
  return fold_lanes<R>(fold_pairwise<R>(Elements<T>{x}, R::identity(x), 0, n));
}
template <class R, class T>
inline auto fold_row(const T* x, int64_t n) {
  return fold_row_with_care<R>(x, n);
}

// The extreme of a row by the raw instruction, beside the sum: only if that is NaN, or the extreme is a zero, it takes
// care to find the right one.
template <class R, class Raw>
inline F32 fold_extreme(const float* x, int64_t n) {
  F32 extremes[4], sums[4];
  for (int k = 0; k < 4; ++k) {
    extremes[k] = R::identity(x);
    sums[k] = zero();
  }
  int64_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
    for (int k = 0; k < 4; ++k) {
      const F32 v = load(x + i + k * kLanes);
      extremes[k] = Raw::combine(extremes[k], v);
      sums[k] = sums[k] + v;
    }
  }
  for (; i < n; i += kLanes) {
    const Part lanes{static_cast<int>(n - i < kLanes ? n - i : kLanes)};
    const F32 v = lanes.read(x + i);
    extremes[0] = Raw::combine(extremes[0], lanes.or_else(v, R::identity(x)));
    sums[0] = sums[0] + v;
  }
  const F32 extreme =
      fold_lanes<Raw>(Raw::combine(Raw::combine(extremes[0], extremes[1]), Raw::combine(extremes[2], extremes[3])));
  const F32 sum = fold_lanes<Sum>((sums[0] + sums[1]) + (sums[2] + sums[3]));
  return any((sum != sum) | (extreme == zero())) ? fold_row_with_care<R>(x, n) : extreme;
}
template <>
inline auto fold_row<Max>(const float* x, int64_t n) {
  return fold_extreme<Max, RawMax>(x, n);
}
template <>
inline auto fold_row<Min>(const float* x, int64_t n) {
  return fold_extreme<Min, RawMin>(x, n);
}

// A strip of `width` vectors of neighbouring columns.
template <class V, int width>
struct Strip {
  V v[width];
};

template <class R, int width, class T, class Lanes>
auto fold_strip(const T* x, int64_t rows, int64_t inner, Lanes lanes) {
  constexpr int64_t kRows = 32;
  using V = decltype(R::identity(x));
  Strip<V, width> fold;
  if (rows <= kRows) {
    for (int w = 0; w < width; ++w) fold.v[w] = R::identity(x);
    for (int64_t row = 0; row < rows; ++row) {
      const T* from = x + row * inner;
      for (int w = 0; w < width; ++w) fold.v[w] = R::combine(fold.v[w], lanes.read(from + w * kLanes));
    }
    return fold;
  }
  const int64_t middle = (rows / 2 + kRows - 1) / kRows * kRows;
  fold = fold_strip<R, width>(x, middle, inner, lanes);
  const Strip<V, width> rest = fold_strip<R, width>(x + middle * inner, rows - middle, inner, lanes);
  for (int w = 0; w < width; ++w) fold.v[w] = R::combine(fold.v[w], rest.v[w]);
  return fold;
}

// Columns [i, end) of one x[reduced, inner], in strips of two cache lines or more.
template <class R, class T>
void reduce_columns(const T* x, T* out, int64_t reduced, int64_t inner, int64_t i, int64_t end) {
  constexpr int kStrip = 8;
  for (; i + kStrip * kLanes <= end; i += kStrip * kLanes) {
    const auto fold = fold_strip<R, kStrip>(x + i, reduced, inner, Whole());
    for (int w = 0; w < kStrip; ++w) store(out + i + w * kLanes, fold.v[w]);
  }
  for (; i + kLanes <= end; i += kLanes) store(out + i, fold_strip<R, 1>(x + i, reduced, inner, Whole()).v[0]);
  if (i < end) {
    const Part rest{static_cast<int>(end - i)};
    rest.write(out + i, fold_strip<R, 1>(x + i, reduced, inner, rest).v[0]);
  }
}

// Calls columns(outer index, first column, end column) for the outputs [begin, end).
template <class Columns>
inline void for_each_outer(int64_t inner, int64_t begin, int64_t end, const Columns& columns) {
  while (begin < end) {
    const int64_t outer = begin / inner;
    const int64_t first = begin - outer * inner;
    const int64_t count = inner - first < end - begin ? inner - first : end - begin;
    columns(outer, first, first + count);
    begin += count;
  }
}

template <class R, class T>
struct ReduceColumns {
  const T* x;
  T* out;
  int64_t reduced, inner;
  void operator()(int64_t outer, int64_t first, int64_t last) const {
    reduce_columns<R>(x + outer * reduced * inner, out + outer * inner, reduced, inner, first, last);
  }
};

template <class R, class T>
void reduce_kernel(const T* x, T* out, int64_t reduced, int64_t inner, int64_t begin, int64_t end) {
  if (inner == 1) {
    for (int64_t i = begin; i < end; ++i) out[i] = first_lane(fold_row<R>(x + i * reduced, reduced));
  } else {
    for_each_outer(inner, begin, end, ReduceColumns<R, T>{x, out, reduced, inner});
  }
}
