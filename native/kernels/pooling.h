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

// The same of at most half as many pairs.
inline Pairs read_few_pairs(const float* from, const float* limit, int count) {
  const F32 a = from + kLanes <= limit ? load(from) : load_partial(from, 2 * count);
  return {even_lanes(a, a), odd_lanes(a, a)};
}

// Writes `count` elements; a whole vector where memory goes on until `limit`, as what follows is written later.
inline void write_run(float* to, const float* limit, F32 value, int count) {
  if (to + kLanes <= limit) return store(to, value);
  store_partial(to, value, count);
}

inline int lanes_left(int64_t left) { return static_cast<int>(left < kLanes ? left : kLanes); }

// Whether any lane may be NaN: one of them is, or they are infinities of both signs.
inline bool may_have_nan(F32 a, F32 b) {
  const F32 sum = a + b;
  return any(sum != sum);
}

// The greatest of windows: of the upper and the lower rows. max(a, b) is b where neither is greater.
inline F32 greatest_of_pairs(Pairs upper, Pairs lower) {
  if (!may_have_nan(upper.first + upper.second, lower.first + lower.second)) {
    return max(lower.second, max(lower.first, max(upper.second, upper.first)));
  }
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
  const bool are_few = 2 * w.out_width <= kLanes;
  for (int64_t i = begin; i < end; ++i) {
    for (int64_t row = 0; row < w.out_height; ++row, to += w.out_width) {
      const float* const from = x + i * plane + 2 * row * w.width;
      if (are_few) {
        const int count = static_cast<int>(w.out_width);
        const Pairs upper = read_few_pairs(from, limit, count), lower = read_few_pairs(from + w.width, limit, count);
        write_run(to, out_limit, greatest_of_pairs(upper, lower), count);
        continue;
      }
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

inline void fill_zeros(float* to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = 0;
}

// Parts of two rows as they lie, a window being two neighbouring lanes of both.
struct TwoRows {
  F32 upper, lower;
};

// dy, which both lanes of a window have, where x is greatest, 0 elsewhere.
inline TwoRows share(TwoRows x, F32 dy, bool is_rectified) {
  const Mask odd = (lane_numbers() & broadcast(1)) == broadcast(1);
  const F32 upper_second = repeat_odd(x.upper), lower_first = repeat_even(x.lower), lower_second = repeat_odd(x.lower);
  F32 greatest = repeat_even(x.upper);
  const Mask second = is_greater(upper_second, greatest);
  greatest = select(second, upper_second, greatest);
  const Mask third = is_greater(lower_first, greatest);
  greatest = select(third, lower_first, greatest);
  const Mask fourth = is_greater(lower_second, greatest);
  if (is_rectified) dy = select(zero() < select(fourth, lower_second, greatest), dy, zero());
  const Mask is_below = third | fourth;
  const F32 above = select(is_below, zero(), dy), below = select(is_below, dy, zero());
  return {select(second ^ odd, zero(), above), select(fourth ^ odd, zero(), below)};
}

// Rows of dx for two rows of x of `width` elements, of which the first `covered` are in windows.
struct PairGradient {
  int64_t width, covered;
  bool is_rectified;

  void write_vectors(const float* x, const float* dy, float* dx) const {
    const TwoRows shares = share({load(x), load(x + width)}, load_twice(dy), is_rectified);
    store(dx, shares.upper);
    store(dx + width, shares.lower);
  }
  // Of rows shorter than a vector, without what is beyond them.
  void write_short(const float* x, const float* dy, float* dx) const {
    const int count = static_cast<int>(covered);
    const I32 given = bits(load_partial(dy, count / 2));
    const TwoRows rows = {load_partial(x, count), load_partial(x + width, count)};
    const TwoRows shares = share(rows, from_bits(zip_low(given, given)), is_rectified);
    store_partial(dx, shares.upper, count);
    store_partial(dx + width, shares.lower, count);
  }
  // The last vector ends with the row, over the one before.
  void write_long(const float* x, const float* dy, float* dx) const {
    int64_t j = 0;
    for (; j + kLanes < covered; j += kLanes) write_vectors(x + j, dy + j / 2, dx + j);
    j = covered - kLanes;
    write_vectors(x + j, dy + j / 2, dx + j);
  }
  void clear_left_over(float* dx) const {
    fill_zeros(dx + covered, width - covered);
    fill_zeros(dx + width + covered, width - covered);
  }
};

// Rows shorter than a vector are written past their ends, and then the next ones, where memory goes on.
inline void max_pool_gradient_pairs(const Windows& w, bool is_rectified, const float* x, const float* dy, float* dx,
                                    int64_t planes, int64_t begin, int64_t end) {
  const int64_t plane = w.height * w.width, out_plane = w.out_height * w.out_width;
  const PairGradient gradient = {w.width, 2 * w.out_width, is_rectified};
  const bool is_short = gradient.covered < kLanes;
  const int64_t reach = w.width + kLanes;
  const float* const x_limit = x + planes * plane;
  const float* const dy_limit = dy + planes * out_plane;
  const float* const dx_limit = dx + end * plane;
  for (int64_t i = begin; i < end; ++i) {
    const float *from = x + i * plane, *given = dy + i * out_plane;
    float* to = dx + i * plane;
    for (int64_t row = 0; row < w.out_height; ++row) {
      if (!is_short) {
        gradient.write_long(from, given, to);
      } else if (from + reach <= x_limit && to + reach <= dx_limit && given + kLanes / 2 <= dy_limit) {
        gradient.write_vectors(from, given, to);
      } else {
        gradient.write_short(from, given, to);
      }
      gradient.clear_left_over(to);
      from += 2 * w.width;
      given += w.out_width;
      to += 2 * w.width;
    }
    fill_zeros(to, (w.height - 2 * w.out_height) * w.width);
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
