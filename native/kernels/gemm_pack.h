// Packing B, or A where it does not lie well, into panels in the order in which tiles read them.
#pragma once

typedef float Quad __attribute__((vector_size(16)));
typedef int32_t QuadIndices __attribute__((vector_size(16)));
#if defined(__clang__)
#define GALVANI_SHUFFLE(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#else
#define GALVANI_SHUFFLE(a, b, i, j, k, l) __builtin_shuffle(a, b, QuadIndices{i, j, k, l})
#endif

inline Quad load_quad(const float* p) {
  Quad q;
  __builtin_memcpy(&q, p, sizeof(q));
  return q;
}
inline void store_quad(float* p, Quad q) { __builtin_memcpy(p, &q, sizeof(q)); }

// to[p][c] = columns[c][p] for c and p in [0, 4).
inline void transpose_4x4(const float* const (&columns)[4], int64_t p, float* to, int64_t to_stride) {
  const Quad a = load_quad(columns[0] + p), b = load_quad(columns[1] + p);
  const Quad c = load_quad(columns[2] + p), d = load_quad(columns[3] + p);
  const Quad ab_low = GALVANI_SHUFFLE(a, b, 0, 4, 1, 5), ab_high = GALVANI_SHUFFLE(a, b, 2, 6, 3, 7);
  const Quad cd_low = GALVANI_SHUFFLE(c, d, 0, 4, 1, 5), cd_high = GALVANI_SHUFFLE(c, d, 2, 6, 3, 7);
  store_quad(to, GALVANI_SHUFFLE(ab_low, cd_low, 0, 1, 4, 5));
  store_quad(to + to_stride, GALVANI_SHUFFLE(ab_low, cd_low, 2, 3, 6, 7));
  store_quad(to + 2 * to_stride, GALVANI_SHUFFLE(ab_high, cd_high, 0, 1, 4, 5));
  store_quad(to + 3 * to_stride, GALVANI_SHUFFLE(ab_high, cd_high, 2, 3, 6, 7));
}
#undef GALVANI_SHUFFLE

// to[p][j] = from[j][p] for j in [0, columns) and p in [0, k). The rows of `to` are `width` long; what is left of them
// repeats the last column. By 16 steps of k, a line of memory of each column.
inline void pack_transposed(const float* from, int64_t from_stride, int64_t k, int columns, int width, float* to) {
  constexpr int kSteps = 16;
  for (int64_t begin = 0; begin < k; begin += kSteps) {
    const int64_t end = begin + kSteps < k ? begin + kSteps : k;
    for (int j = 0; j < width; j += 4) {
      const float* quad[4];
      for (int c = 0; c < 4; ++c) quad[c] = from + (j + c < columns ? j + c : columns - 1) * from_stride;
      int64_t p = begin;
      for (; p + 4 <= end; p += 4) transpose_4x4(quad, p, to + p * width + j, width);
      for (; p < end; ++p) {
        for (int c = 0; c < 4; ++c) to[p * width + j + c] = quad[c][p];
      }
    }
  }
}

inline void pack_rows(const float* from, int64_t from_stride, int64_t k, int columns, int width, float* to) {
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
inline void pack_panel(const float* from, int64_t row_stride, int64_t column_stride, int64_t k, int columns, int width,
                       float* to) {
  if (column_stride == 1) return pack_rows(from, row_stride, k, columns, width, to);
  pack_transposed(from, column_stride, k, columns, width, to);
}

static void pack_a_kernel(const float* a, int64_t column_stride, int64_t m, int64_t k, float* packed) {
  // Of so many panels at once: whole lines of memory.
  constexpr int64_t kRows = kTileRows * 8;
  for (int64_t i = 0; i < m; i += kRows) {
    const int64_t end = i + kRows < m ? i + kRows : m, whole = i + (end - i) / kTileRows * kTileRows;
    for (int64_t p = 0; p < k; ++p) {
      const float* const column = a + p * column_stride;
      float* const to = packed + p * kTileRows;
      for (int64_t row = i; row < whole; row += kTileRows) {
        __builtin_memcpy(to + row * k, column + row, kTileRows * sizeof(float));
      }
      if (whole < end) __builtin_memcpy(to + whole * k, column + whole, (end - whole) * sizeof(float));
    }
  }
}

static void pack_b_kernel(const float* b, int64_t row_stride, int64_t column_stride, int64_t k, int64_t n,
                          float* packed) {
  for (int64_t j = 0; j < n; j += kTileColumns) {
    const int columns = n - j < kTileColumns ? static_cast<int>(n - j) : kTileColumns;
    const int width = (columns + kLanes - 1) / kLanes * kLanes;
    pack_panel(b + j * column_stride, row_stride, column_stride, k, columns, width, packed + j * k);
  }
}
