// Matrix products whose operands are rounded to bf16: they are packed as words, and multiplied by the tiles of floats.
#pragma once

#include "kernels/gemm_kernels.h"
#include "kernels/gemm_words.h"
#include "kernels/movement.h"

constexpr int64_t words_of(int64_t k) { return (k + RoundedWords::kSteps - 1) / RoundedWords::kSteps; }

// So many words of k ahead rows of elements are fetched: they lie too far apart to be foreseen.
constexpr int64_t kRowsAhead = 8;

// Gives `write` the vectors of a row of words, of kCount steps, from elements of [columns] and those below them.
template <int kCount, class Write>
GALVANI_INLINED inline void round_row(const float* from, int64_t stride, int64_t columns, const Write& write) {
  for_each_vector<1>(0, columns, [&](int64_t j, auto lanes) GALVANI_INLINED {
    GALVANI_UNROLL for (int step = 0; step < kCount; ++step) {
      __builtin_prefetch(from + j + (kRowsAhead * RoundedWords::kSteps + step) * stride);
    }
    write(j, RoundedWords::across<kCount>(from + j, stride, lanes));
  });
}

// Of row `word` of the words of rows of elements.
template <class Write>
GALVANI_INLINED inline void round_row_of(const float* from, int64_t stride, int64_t k, int64_t word, int64_t columns,
                                         const Write& write) {
  constexpr int kSteps = RoundedWords::kSteps;
  const float* const rows = from + word * kSteps * stride;
  if (k - word * kSteps >= kSteps) round_row<kSteps>(rows, stride, columns, write);
  else round_row<1>(rows, stride, columns, write);
}

// to[p][j] = word p of line j, of lines of k elements each. The rows of `to` are `width` long, whole vectors; what is
// left of them is 0.
inline void round_lines(const float* from, int64_t stride, int64_t k, int columns, int width, float* to) {
  constexpr int64_t kElements = kLanes * RoundedWords::kSteps;
  const int64_t words = words_of(k);
  for (int j = 0; j < width; j += kLanes) {
    for (int64_t p = 0; p < words; p += kLanes) {
      const int64_t first = p * RoundedWords::kSteps, height = words - p < kLanes ? words - p : kLanes;
      const float* const lines = from + first + j * stride;
      Vectors<kLanes> tile;
      for (int i = 0; i < kLanes; ++i) {
        const float* const line = lines + i * stride;
        for (int64_t ahead = 0; ahead < kElements; ahead += 16) __builtin_prefetch(line + 4 * kElements + ahead);
        tile.v[i] = j + i < columns ? bits(RoundedWords::along(line, k - first)) : broadcast(0);
      }
      tile = interleave(tile);
      for (int i = 0; i < kLanes; ++i) {
        if (i < height) store(to + (p + i) * width + j, from_bits(tile.v[i]));
      }
    }
  }
}

static void round_b_kernel(const float* b, int64_t row_stride, int64_t column_stride, int64_t k, int64_t n,
                           float* packed) {
  const int64_t words = words_of(k);
  for (int64_t j = 0; j < n; j += kTileColumns<float>) {
    const int columns = n - j < kTileColumns<float> ? static_cast<int>(n - j) : kTileColumns<float>;
    const int width = (columns + kLanes - 1) / kLanes * kLanes;
    float* const to = packed + j * words;
    if (column_stride != 1) {
      round_lines(b + j * column_stride, column_stride, k, columns, width, to);
      continue;
    }
    for (int64_t p = 0; p < words; ++p) {
      float* const row = to + p * width;
      round_row_of(b + j, row_stride, k, p, columns, [=](int64_t i, F32 x) GALVANI_INLINED { store(row + i, x); });
    }
  }
}

// Writes the `count` words that `make` gives of one step of k to the panels of A, which begin with those of step `to`.
template <class Make>
GALVANI_INLINED inline void write_panels(float* to, int64_t words, int64_t count, const Make& make) {
  if constexpr (kTileRows<float> * 2 == kLanes) {
    make([=](int64_t i, F32 x) GALVANI_INLINED {
      store_partial(to + i * words, x, kTileRows<float>);
      if (i + kTileRows<float> < count)
        store_partial(to + (i + kTileRows<float>)*words, rotate<kTileRows<float>>(x), kTileRows<float>);
    });
    return;
  }
  float row[kTileRows<float> * 8 + kLanes];
  make([&](int64_t i, F32 x) GALVANI_INLINED { store(row + i, x); });
  for (int64_t r = 0; r < count; r += kTileRows<float>) {
    const int64_t height = count - r < kTileRows<float> ? count - r : kTileRows<float>;
    __builtin_memcpy(to + r * words, row + r, height * sizeof(float));
  }
}

// Rows stay rows, with GemmKernels::row_words between them; of a transposed A panels of the rows of a tile are made.
static void round_a_kernel(const float* a, int64_t row_stride, int64_t column_stride, int64_t m, int64_t k,
                           float* packed) {
  const int64_t words = words_of(k);
  if (column_stride == 1) {
    for (int64_t i = 0; i < m; ++i, a += row_stride, packed += GemmKernels::row_words(words)) {
      for (int64_t p = 0; p < words; p += kLanes) {
        const int64_t first = p * RoundedWords::kSteps;
        store(packed + p, RoundedWords::along(a + first, k - first));
      }
    }
    return;
  }
  constexpr int64_t kRows = kTileRows<float> * 8;
  for (int64_t i = 0; i < m; i += kRows) {
    const int64_t count = i + kRows < m ? kRows : m - i;
    for (int64_t p = 0; p < words; ++p) {
      write_panels(packed + i * words + p * kTileRows<float>, words, count,
                   [&](const auto& write) GALVANI_INLINED { round_row_of(a + i, column_stride, k, p, count, write); });
    }
  }
}

constexpr GemmKernels rounded_gemm_kernels() {
  GemmKernels kernels = gemm_kernels<float>();
  kernels.narrow_columns = 0;
  kernels.row = nullptr;
  kernels.dot = nullptr;
  kernels.narrow = nullptr;
  kernels.pack_b = round_b_kernel;
  kernels.pack_a = round_a_kernel;
  kernels.rounds = true;
  kernels.steps = RoundedWords::kSteps;
  return kernels;
}
