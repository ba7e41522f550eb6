// Packing B, or A where it does not lie well, into panels in the order in which tiles read them.
#pragma once

#include "kernels/gemm_tile.h"
#include "kernels/movement.h"
#include "kernels/vector_loop.h"
#include "simd/vectors.h"

// to[p][j] = from[j][p] for j in [0, columns) and p in [0, k). The rows of `to` are `width` long, whole vectors; what
// is left of them is 0.
inline void pack_transposed(const float* from, int64_t from_stride, int64_t k, int columns, int width, float* to) {
  const int32_t* const words = reinterpret_cast<const int32_t*>(from);
  int32_t* const out = reinterpret_cast<int32_t*>(to);
  for (int64_t p = 0; p < k; p += kLanes) {
    const int height = static_cast<int>(k - p < kLanes ? k - p : kLanes);
    for (int j = 0; j < width; j += kLanes) {
      const int count = columns - j < kLanes ? columns - j : kLanes;
      const int32_t* const x = words + p + j * from_stride;
      if (height == kLanes && count == kLanes) {
        transpose_tile<kLanes>(x, from_stride, out + p * width + j, width, Whole(), Whole(), kLanes, kLanes);
      } else {
        transpose_tile<kLanes>(x, from_stride, out + p * width + j, width, Part{height}, Whole(), height, count);
      }
    }
  }
}

inline void pack_transposed(const double* from, int64_t from_stride, int64_t k, int columns, int width, double* to) {
  for (int64_t p = 0; p < k; ++p, to += width) {
    for (int j = 0; j < width; ++j) to[j] = j < columns ? from[p + j * from_stride] : 0;
  }
}

template <class T>
inline void pack_rows(const T* from, int64_t from_stride, int64_t k, int columns, int width, T* to) {
  const int whole = columns / kLanes * kLanes;
  for (int64_t p = 0; p < k; ++p) {
    for (int j = 0; j < whole; j += kLanes) store(to + j, load(from + j));
    __builtin_prefetch(from + columns);  // the next panel's part of the row
    if (whole < columns) store(to + whole, load_partial(from + whole, columns - whole));
    from += from_stride;
    to += width;
  }
}

// to[p·width + j] = from[p·row_stride + j·column_stride] for p in [0, k) and j in [0, columns); one stride is 1.
template <class T>
inline void pack_panel(const T* from, int64_t row_stride, int64_t column_stride, int64_t k, int columns, int width,
                       T* to) {
  if (column_stride == 1) return pack_rows(from, row_stride, k, columns, width, to);
  pack_transposed(from, column_stride, k, columns, width, to);
}

template <class T>
void pack_a_kernel(const T* a, int64_t, int64_t column_stride, int64_t m, int64_t k, T* packed) {
  // Of so many panels at once: whole lines of memory.
  constexpr int64_t kRows = kTileRows<T> * 8;
  for (int64_t i = 0; i < m; i += kRows) {
    const int64_t end = i + kRows < m ? i + kRows : m, whole = i + (end - i) / kTileRows<T> * kTileRows<T>;
    for (int64_t p = 0; p < k; ++p) {
      const T* const column = a + p * column_stride;
      T* const to = packed + p * kTileRows<T>;
      for (int64_t row = i; row < whole; row += kTileRows<T>) {
        __builtin_memcpy(to + row * k, column + row, kTileRows<T> * sizeof(T));
      }
      if (whole < end) __builtin_memcpy(to + whole * k, column + whole, (end - whole) * sizeof(T));
    }
  }
}

template <class T>
void pack_b_kernel(const T* b, int64_t row_stride, int64_t column_stride, int64_t k, int64_t n, T* packed) {
  for (int64_t j = 0; j < n; j += kTileColumns<T>) {
    const int columns = n - j < kTileColumns<T> ? static_cast<int>(n - j) : kTileColumns<T>;
    const int width = (columns + kLanes - 1) / kLanes * kLanes;
    pack_panel(b + j * column_stride, row_stride, column_stride, k, columns, width, packed + j * k);
  }
}
