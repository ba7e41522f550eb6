// Between planes and the columns that a matrix product of a convolution reads: unfold (im2col), its adjoint, and the
// padding around both. K. Chellapilla et al., "High performance convolutional neural networks for document processing"
// (2006).
#pragma once

#include "simd/vectors.h"

// n elements by whole vectors: those past the end are 0 in `to`, where something else is written later.
inline void copy_run(const float* from, float* to, int64_t n) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(to + i, load(from + i));
  if (i < n) store(to + i, load_partial(from + i, static_cast<int>(n - i)));
}

// The same, of elements that are `stride` apart.
inline void copy_strided(const float* from, int64_t stride, float* to, int64_t n) {
  if (stride == 1) return copy_run(from, to, n);
  for (int64_t i = 0; i < n; ++i) to[i] = from[i * stride];
}

// n elements and not one more.
inline void copy_exactly(const float* from, float* to, int64_t n) {
  for (int64_t i = 0; i < n; i += kLanes) {
    if (i + kLanes <= n) {
      store(to + i, load(from + i));
    } else if (n >= kLanes) {
      store(to + n - kLanes, load(from + n - kLanes));
    } else {
      store_partial(to, load_partial(from, static_cast<int>(n)), static_cast<int>(n));
    }
  }
}

inline int64_t at_least(int64_t x, int64_t least) { return x < least ? least : x; }
inline int64_t at_most(int64_t x, int64_t most) { return x < most ? x : most; }

// The part of [begin, begin + count) that is inside [0, extent), counted from `begin`.
struct Inside {
  int64_t first, end;
};
inline Inside inside(int64_t begin, int64_t count, int64_t extent) {
  const int64_t first = at_most(at_least(-begin, 0), count);
  return {first, at_least(at_most(extent - begin, count), first)};
}

// Rows and columns [top, top + rows) × [left, left + columns) of the plane; zeros outside it.
inline void pad_plane(const Windows& w, const float* plane, int64_t top, int64_t left, int64_t rows, int64_t columns,
                      float* padded) {
  const Inside met = inside(left, columns, w.width);
  for (int64_t row = 0; row < rows; ++row, padded += columns) {
    const int64_t from = top + row;
    if (from < 0 || from >= w.height || met.first == met.end) {
      for (int64_t i = 0; i < columns; ++i) padded[i] = 0;
      continue;
    }
    for (int64_t i = 0; i < met.first; ++i) padded[i] = 0;
    copy_run(plane + from * w.width + left + met.first, padded + met.first, met.end - met.first);
    for (int64_t i = met.end; i < columns; ++i) padded[i] = 0;
  }
}

// Of `count` elements from `begin` on that are `stride` apart, those inside [0, extent).
inline Inside inside_apart(int64_t begin, int64_t stride, int64_t count, int64_t extent) {
  const int64_t first = at_most(ceil_div(at_least(-begin, 0), stride), count);
  return {first, at_least(at_most(ceil_div(at_least(extent - begin, 0), stride), count), first)};
}

inline void fill_with_zeros(float* to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = 0;
}

// Element by element of the kernel, what the plane has of it: whatever the windows reach over, there is no room for it.
inline void unfold_clipped(const Windows& w, const OutputBlock& block, const float* plane, float* columns,
                           int64_t stride) {
  const int64_t top = block.row * w.stride_height - w.pad_top, left = block.column * w.stride_width - w.pad_left;
  for (int64_t p = 0; p < w.kernel_height; ++p) {
    for (int64_t q = 0; q < w.kernel_width; ++q, columns += stride) {
      const int64_t x = left + q * w.dilation_width;
      const Inside met = inside_apart(x, w.stride_width, block.columns, w.width);
      for (int64_t row = 0; row < block.rows; ++row) {
        const int64_t y = top + row * w.stride_height + p * w.dilation_height;
        float* const to = columns + row * block.columns;
        if (y < 0 || y >= w.height || met.first == met.end) {
          fill_with_zeros(to, block.columns);
          continue;
        }
        fill_with_zeros(to, met.first);
        copy_strided(plane + y * w.width + x + met.first * w.stride_width, w.stride_width, to + met.first,
                     met.end - met.first);
        fill_with_zeros(to + met.end, block.columns - met.end);
      }
    }
  }
}

inline void fold_clipped(const Windows& w, const OutputBlock& block, const float* columns, int64_t stride,
                         float* plane) {
  const int64_t top = block.row * w.stride_height - w.pad_top, left = block.column * w.stride_width - w.pad_left;
  for (int64_t p = 0; p < w.kernel_height; ++p) {
    for (int64_t q = 0; q < w.kernel_width; ++q, columns += stride) {
      const int64_t x = left + q * w.dilation_width;
      const Inside met = inside_apart(x, w.stride_width, block.columns, w.width);
      for (int64_t row = 0; row < block.rows; ++row) {
        const int64_t y = top + row * w.stride_height + p * w.dilation_height;
        if (y < 0 || y >= w.height) continue;
        const float* const from = columns + row * block.columns;
        float* const to = plane + y * w.width + x;
        // No more than these elements: those beside them may be another thread's.
        for (int64_t i = met.first; i < met.end; ++i) to[i * w.stride_width] += from[i];
      }
    }
  }
}

inline void unfold_kernel(const Windows& w, const OutputBlock& block, const float* plane, float* padded, float* columns,
                          int64_t stride) {
  if (padded == nullptr) return unfold_clipped(w, block, plane, columns, stride);
  const int64_t top = block.row * w.stride_height - w.pad_top, left = block.column * w.stride_width - w.pad_left;
  const int64_t rows = rows_reached(w, block.rows), reach = columns_reached(w, block.columns);
  const bool is_inside = top >= 0 && left >= 0 && top + rows <= w.height && left + reach <= w.width;
  if (!is_inside) pad_plane(w, plane, top, left, rows, reach, padded);
  const float* const source = is_inside ? plane + top * w.width + left : padded;
  const int64_t pitch = is_inside ? w.width : reach;
  for (int64_t p = 0; p < w.kernel_height; ++p) {
    for (int64_t q = 0; q < w.kernel_width; ++q, columns += stride) {
      const float* from = source + p * w.dilation_height * pitch + q * w.dilation_width;
      for (int64_t row = 0; row < block.rows; ++row, from += w.stride_height * pitch) {
        copy_strided(from, w.stride_width, columns + row * block.columns, block.columns);
      }
    }
  }
}

// to[i·stride] += from[i]. With stride 1, adds zeros to what is left of the last vector.
inline void add_strided(const float* from, float* to, int64_t stride, int64_t n) {
  if (stride != 1) {
    for (int64_t i = 0; i < n; ++i) to[i * stride] += from[i];
    return;
  }
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(to + i, load(to + i) + load(from + i));
  if (i < n) store(to + i, load(to + i) + load_partial(from + i, static_cast<int>(n - i)));
}

inline void fold_kernel(const Windows& w, const OutputBlock& block, const float* columns, int64_t stride,
                        float* padded) {
  const int64_t pitch = columns_reached(w, w.out_width);
  padded += block.row * w.stride_height * pitch + block.column * w.stride_width;
  for (int64_t p = 0; p < w.kernel_height; ++p) {
    for (int64_t q = 0; q < w.kernel_width; ++q, columns += stride) {
      float* to = padded + p * w.dilation_height * pitch + q * w.dilation_width;
      for (int64_t row = 0; row < block.rows; ++row, to += w.stride_height * pitch) {
        add_strided(columns + row * block.columns, to, w.stride_width, block.columns);
      }
    }
  }
}

inline void crop_kernel(const Windows& w, const float* padded, float* plane) {
  const int64_t rows = rows_reached(w, w.out_height), pitch = columns_reached(w, w.out_width);
  const Inside met = inside(w.pad_left, w.width, pitch);
  for (int64_t row = 0; row < w.height; ++row, plane += w.width) {
    const int64_t from = w.pad_top + row;
    const int64_t end = from < rows ? met.end : 0;
    if (end > 0) copy_exactly(padded + from * pitch + w.pad_left, plane, end);
    for (int64_t i = end; i < w.width; ++i) plane[i] = 0;
  }
}
