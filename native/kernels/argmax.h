// The index of the first greatest element of the middle axis of x[outer, reduced, inner]; a NaN before all others.
#pragma once

#include "kernels/reduce.h"
#include "kernels/vector_loop.h"
#include "simd/vectors.h"

template <class T>
inline int32_t argmax_row(const T* x, int64_t n) {
  const auto greatest = fold_row<Max>(x, n);
  int64_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
    Mask found = first_lanes(0);
    for (int k = 0; k < 4; ++k) {
      const auto v = load(x + i + k * kLanes);
      found = found | (v == greatest) | (v != v);
    }
    if (any(found)) break;
  }
  for (; i < n; i += kLanes) {
    const Part lanes{static_cast<int>(n - i < kLanes ? n - i : kLanes)};
    const auto v = lanes.read(x + i);
    const Mask found = (v == greatest) | (v != v);  // v != v: then the greatest is NaN
    // Lanes past the row are 0 and may equal it, but then an earlier one does too.
    if (any(found)) return static_cast<int32_t>(i + first_set(found));
  }
  return 0;
}

template <class T>
struct ArgmaxBody {
  const T* x;
  int32_t* out;
  int64_t reduced, inner;
  template <class Lanes>
  void operator()(int64_t column, Lanes lanes) const {
    auto best = lanes.read(x + column);
    I32 index = broadcast(0);
    for (int32_t row = 1; row < reduced; ++row) {
      const auto v = lanes.read(x + row * inner + column);
      const Mask better = (best < v) | ((v != v) & (best == best));
      best = select(better, v, best);
      index = select(better, broadcast(row), index);
    }
    lanes.write(out + column, index);
  }
};

template <class T>
struct ArgmaxColumns {
  const T* x;
  int32_t* out;
  int64_t reduced, inner;
  void operator()(int64_t outer, int64_t first, int64_t last) const {
    const ArgmaxBody<T> body{x + outer * reduced * inner, out + outer * inner, reduced, inner};
    for_each_vector<1>(first, last, body);
  }
};

template <class T>
void argmax_kernel(const T* x, int32_t* out, int64_t reduced, int64_t inner, int64_t begin, int64_t end) {
  if (inner == 1) {
    for (int64_t i = begin; i < end; ++i) out[i] = argmax_row(x + i * reduced, reduced);
  } else {
    for_each_outer(inner, begin, end, ArgmaxColumns<T>{x, out, reduced, inner});
  }
}
