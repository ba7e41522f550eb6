// Max pooling: z where x is greatest in each window, the first of several, or else the last NaN; and its adjoint.
#pragma once

#include "simd/vectors.h"

// Whether x takes the place of what has been the greatest.
inline bool is_greater(float x, float greatest) { return x > greatest || x != x; }
inline Mask is_greater(F32 x, F32 greatest) { return (greatest < x) | (x != x); }

// The elements [first, end) of a kernel's row or column that meet the extent, of a window that begins at `start`.
struct Taps {
  int64_t first, end;
};
inline Taps taps_inside(int64_t start, int64_t kernel, int64_t dilation, int64_t extent) {
  const int64_t before = start < 0 ? -start : 0, until = start < extent ? extent - start : 0;
  // A division takes as long as a small window.
  const Taps taps = dilation == 1 ? Taps{before, until} : Taps{ceil_div(before, dilation), ceil_div(until, dilation)};
  return {taps.first, taps.end < kernel ? taps.end : kernel};
}

// The place in a plane of the greatest element of the window of output (row, column); -1 where it meets none. Goes over
// the elements that it meets alone, of however great a kernel.
inline int64_t greatest_of_window(const Windows& w, const float* plane, Taps rows, int64_t row, int64_t column) {
  const int64_t top = row * w.stride_height - w.pad_top, left = column * w.stride_width - w.pad_left;
  const Taps columns = taps_inside(left, w.kernel_width, w.dilation_width, w.width);
  int64_t place = -1;
  for (int64_t p = rows.first; p < rows.end; ++p) {
    const int64_t start = (top + p * w.dilation_height) * w.width + left;
    for (int64_t q = columns.first; q < columns.end; ++q) {
      const int64_t at = start + q * w.dilation_width;
      if (place < 0 || is_greater(plane[at], plane[place])) place = at;
    }
  }
  return place;
}

inline Taps rows_inside(const Windows& w, int64_t row) {
  return taps_inside(row * w.stride_height - w.pad_top, w.kernel_height, w.dilation_height, w.height);
}

// 2×2 windows side by side, without padding.
inline bool are_pairs(const Windows& w) {
  return w.kernel_height == 2 && w.kernel_width == 2 && w.stride_height == 2 && w.stride_width == 2 &&
         w.dilation_height == 1 && w.dilation_width == 1 && w.pad_top == 0 && w.pad_left == 0 &&
         2 * w.out_height <= w.height && 2 * w.out_width <= w.width;
}

// The elements of as many pairs as a vector has lanes, the first ones and the second ones.
struct Pairs {
  F32 first, second;
};

// Reads `count` pairs from `from` on; whole vectors where memory goes on until `limit`.
inline Pairs read_pairs(const float* from, const float* limit, int count) {
  if (from + 2 * kLanes <= limit) {
    const F32 a = load(from), b = load(from + kLanes);
    return {even_lanes(a, b), odd_lanes(a, b)};
  }
  const int first = 2 * count < kLanes ? 2 * count : kLanes;
  const F32 a = load_partial(from, first), b = load_partial(from + first, 2 * count - first);
  return {even_lanes(a, b), odd_lanes(a, b)};
}

// Writes `count` elements; a whole vector where memory goes on until `limit`, as what follows is written later.
inline void write_run(float* to, const float* limit, F32 value, int count) {
  if (to + kLanes <= limit) return store(to, value);
  store_partial(to, value, count);
}

inline void write_pairs(float* to, const float* limit, F32 first, F32 second, int count) {
  const F32 low = from_bits(zip_low(bits(first), bits(second))), high = from_bits(zip_high(bits(first), bits(second)));
  const int pairs = 2 * count;
  write_run(to, limit, low, pairs < kLanes ? pairs : kLanes);
  if (pairs > kLanes) write_run(to + kLanes, limit, high, pairs - kLanes);
}

inline int lanes_left(int64_t left) { return static_cast<int>(left < kLanes ? left : kLanes); }

// The greatest of windows: of the upper and the lower rows.
inline F32 greatest_of_pairs(Pairs upper, Pairs lower) {
  F32 greatest = upper.first;
  greatest = select(is_greater(upper.second, greatest), upper.second, greatest);
  greatest = select(is_greater(lower.first, greatest), lower.first, greatest);
  return select(is_greater(lower.second, greatest), lower.second, greatest);
}

inline void max_pool_pairs(const Windows& w, const float* x, float* out, int64_t planes, int64_t begin, int64_t end) {
  const int64_t plane = w.height * w.width;
  const float* const limit = x + planes * plane;
  float* const out_limit = out + end * w.out_height * w.out_width;
  float* to = out + begin * w.out_height * w.out_width;
  for (int64_t i = begin; i < end; ++i) {
    for (int64_t row = 0; row < w.out_height; ++row, to += w.out_width) {
      const float* const from = x + i * plane + 2 * row * w.width;
      for (int64_t j = 0; j < w.out_width; j += kLanes) {
        const int count = lanes_left(w.out_width - j);
        const Pairs upper = read_pairs(from + 2 * j, limit, count);
        const Pairs lower = read_pairs(from + w.width + 2 * j, limit, count);
        write_run(to + j, out_limit, greatest_of_pairs(upper, lower), count);
      }
    }
  }
}

inline void pool_pairs_kernel(const float* x, int64_t rows, int64_t columns, float* out, int64_t out_stride) {
  for (int64_t row = 0; row < rows; row += 2, x += 2 * columns, out += out_stride) {
    for (int64_t j = 0; j < columns / 2; j += kLanes) {
      const int count = lanes_left(columns / 2 - j);
      const float* const limit = x + 2 * columns + 2 * kLanes;
      const Pairs upper = read_pairs(x + 2 * j, limit, count), lower = read_pairs(x + columns + 2 * j, limit, count);
      store_partial(out + j, greatest_of_pairs(upper, lower), count);
    }
  }
}

inline void max_pool_kernel(const Windows& w, const float* x, const float* z, float* out, int64_t planes, int64_t begin,
                            int64_t end) {
  if (x == z && are_pairs(w)) return max_pool_pairs(w, x, out, planes, begin, end);
  const int64_t plane = w.height * w.width, out_plane = w.out_height * w.out_width;
  for (int64_t i = begin; i < end; ++i) {
    float* to = out + i * out_plane;
    for (int64_t row = 0; row < w.out_height; ++row) {
      const Taps rows = rows_inside(w, row);
      for (int64_t column = 0; column < w.out_width; ++column) {
        const int64_t place = greatest_of_window(w, x + i * plane, rows, row, column);
        *to++ = place < 0 ? -kInfinity : z[i * plane + place];
      }
    }
  }
}

// dy where the windows of two rows of x are greatest, 0 elsewhere.
struct Shares {
  Pairs upper, lower;
};
inline Shares share_pairs(Pairs upper, Pairs lower, F32 dy, bool is_rectified) {
  const Mask second = is_greater(upper.second, upper.first);
  F32 greatest = select(second, upper.second, upper.first);
  const Mask third = is_greater(lower.first, greatest);
  greatest = select(third, lower.first, greatest);
  const Mask fourth = is_greater(lower.second, greatest);
  if (is_rectified) dy = select(zero() < select(fourth, lower.second, greatest), dy, zero());
  const F32 above = select(third | fourth, zero(), dy);
  return {{select(second, zero(), above), select(second, above, zero())},
          {select(fourth, zero(), select(third, dy, zero())), select(fourth, dy, zero())}};
}

inline void fill_zeros(float* to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = 0;
}

// Two rows of dx from `to` on. A row shorter than a vector is written past its end, and then the next one.
struct GradientRows {
  const float* x;
  const float* dy;
  float* dx;
  const float* x_limit;
  const float* dy_limit;
  const float* dx_limit;
  bool is_rectified;

  void write(int64_t width, int64_t j, int count, int64_t left_over) const {
    const F32 given = dy + j + kLanes <= dy_limit ? load(dy + j) : load_partial(dy + j, count);
    const Pairs upper = read_pairs(x + 2 * j, x_limit, count), lower = read_pairs(x + width + 2 * j, x_limit, count);
    const Shares shares = share_pairs(upper, lower, given, is_rectified);
    float* const to = dx + 2 * j;
    write_pairs(to, dx_limit, shares.upper.first, shares.upper.second, count);
    fill_zeros(to + 2 * count, left_over);
    write_pairs(to + width, dx_limit, shares.lower.first, shares.lower.second, count);
    fill_zeros(to + width + 2 * count, left_over);
  }
};

inline void max_pool_gradient_pairs(const Windows& w, bool is_rectified, const float* x, const float* dy, float* dx,
                                    int64_t planes, int64_t begin, int64_t end) {
  const int64_t plane = w.height * w.width, out_plane = w.out_height * w.out_width;
  const int64_t left_over = w.width - 2 * w.out_width;
  GradientRows rows = {};
  rows.x_limit = x + planes * plane;
  rows.dy_limit = dy + planes * out_plane;
  rows.dx_limit = dx + end * plane;
  rows.is_rectified = is_rectified;
  for (int64_t i = begin; i < end; ++i) {
    for (int64_t row = 0; row < w.out_height; ++row) {
      rows.x = x + i * plane + 2 * row * w.width;
      rows.dy = dy + i * out_plane + row * w.out_width;
      rows.dx = dx + i * plane + 2 * row * w.width;
      if (w.out_width < kLanes) {
        rows.write(w.width, 0, static_cast<int>(w.out_width), left_over);
        continue;
      }
      int64_t j = 0;
      for (; j + kLanes < w.out_width; j += kLanes) rows.write(w.width, j, kLanes, 0);
      rows.write(w.width, w.out_width - kLanes, kLanes, left_over);
    }
    fill_zeros(dx + i * plane + 2 * w.out_height * w.width, (w.height - 2 * w.out_height) * w.width);
  }
}

inline void max_pool_gradient_kernel(const Windows& w, bool is_rectified, const float* x, const float* dy, float* dx,
                                     int64_t planes, int64_t begin, int64_t end) {
  if (are_pairs(w)) return max_pool_gradient_pairs(w, is_rectified, x, dy, dx, planes, begin, end);
  const int64_t plane = w.height * w.width;
  const float* from = dy + begin * w.out_height * w.out_width;
  fill_zeros(dx + begin * plane, (end - begin) * plane);
  for (int64_t i = begin; i < end; ++i) {
    for (int64_t row = 0; row < w.out_height; ++row) {
      const Taps rows = rows_inside(w, row);
      for (int64_t column = 0; column < w.out_width; ++column, ++from) {
        const int64_t place = greatest_of_window(w, x + i * plane, rows, row, column);
        if (place >= 0 && (!is_rectified || x[i * plane + place] > 0)) dx[i * plane + place] += *from;
      }
    }
  }
}
