// Tiles of C: what stays in registers while k runs.
#pragma once

struct GemmBlocking {
  // The most rows of a tile of so many vectors of columns; 0 where there is no such tile.
  int rows_of_1, rows_of_2, rows_of_3, rows_of_4, rows_of_8, rows_of_16;
  int vectors;  // of a tile of a large product
  int64_t kc, nc;
  int64_t packing_rows;
  constexpr int rows(int of_vectors) const {
    switch (of_vectors) {
      case 1: return rows_of_1;
      case 2: return rows_of_2;
      case 3: return rows_of_3;
      case 4: return rows_of_4;
      case 8: return rows_of_8;
      case 16: return rows_of_16;
      default: return 0;
    }
  }
};

// Measured on Zen 5. A tile needs rows·vectors registers for its sums, vectors for B (none where a single row meets it)
// and one for A (one more without fused multiply-add), of 32 with AVX-512 and NEON, of 16 otherwise; two units of
// latency 4 need 8 sums. Where C has few rows a tile is wide instead, so that B is read in long runs: then its bandwidth
// is the limit. kc·nc floats fit in L2, rows·kc floats in half of L1. Narrow vectors read B more often per
// multiplication, so packing it pays sooner.
constexpr GemmBlocking gemm_blocking() {
  if (kLanes == 16) return {16, 12, 8, 6, 2, 1, 3, 400, 512, 192};
  if (kLanes == 8) return {8, 6, 4, 2, 1, 0, 3, 320, 480, 64};
  if (kHasFma) return {16, 12, 8, 5, 2, 1, 4, 256, 384, 64};  // NEON: by the same reasoning, not measured
  return {8, 4, 0, 2, 1, 0, 2, 256, 384, 64};
}

constexpr GemmBlocking kBlocking = gemm_blocking();
constexpr int kTileRows = kBlocking.rows(kBlocking.vectors);
constexpr int kTileColumns = kBlocking.vectors * kLanes;
// Rows of A that are packed together: whole lines of memory of a transposed A, and whole tiles.
constexpr int kPackedRows = 16;

// The sums of a tile stay in registers only where the loops over them vanish before the compiler looks.
#if defined(__clang__)
#define GALVANI_UNROLL _Pragma("clang loop unroll(full)")
#else
#define GALVANI_UNROLL _Pragma("GCC unroll 16")
#endif

struct Tile {
  const float* a;  // element (i, p) at a[i·a_row_stride + p·a_step]
  int64_t a_row_stride, a_step;
  const float* b;
  int64_t b_stride;
  float* c;
  int64_t c_stride;
  int64_t k;
  int columns;
  bool accumulate;
  const float* bias;  // null where there is none, or this is not the last block of k
  int64_t bias_stride;
  const float* row_bias;  // as bias
  bool has_relu;
};

// What is left to do with the sums once k has run.
template <int kRows, int kVectors>
inline void write_tile(const Tile& t, F32 (&sums)[kRows][kVectors]) {
  const int tail = t.columns - (kVectors - 1) * kLanes;
  const auto is_partial = [&](int v) { return v == kVectors - 1 && tail != kLanes; };
  float* const c = t.c;
  const int64_t c_stride = t.c_stride;
  if (t.accumulate) {
    GALVANI_UNROLL for (int i = 0; i < kRows; ++i) {
      GALVANI_UNROLL for (int v = 0; v < kVectors; ++v) {
        const float* const p = c + i * c_stride + v * kLanes;
        sums[i][v] = (is_partial(v) ? load_partial(p, tail) : load(p)) + sums[i][v];
      }
    }
  }
  if (t.bias != nullptr) {
    GALVANI_UNROLL for (int v = 0; v < kVectors; ++v) {
      const float* const p = t.bias + v * kLanes * t.bias_stride;
      const F32 bias = t.bias_stride == 0 ? broadcast(*p) : is_partial(v) ? load_partial(p, tail) : load(p);
      GALVANI_UNROLL for (int i = 0; i < kRows; ++i) sums[i][v] = sums[i][v] + bias;
    }
  }
  if (t.row_bias != nullptr) {
    GALVANI_UNROLL for (int i = 0; i < kRows; ++i) {
      const F32 bias = broadcast(t.row_bias[i]);
      GALVANI_UNROLL for (int v = 0; v < kVectors; ++v) sums[i][v] = sums[i][v] + bias;
    }
  }
  if (t.has_relu) {
    GALVANI_UNROLL for (int i = 0; i < kRows; ++i) {
      GALVANI_UNROLL for (int v = 0; v < kVectors; ++v) sums[i][v] = relu(sums[i][v]);
    }
  }
  GALVANI_UNROLL for (int i = 0; i < kRows; ++i) {
    GALVANI_UNROLL for (int v = 0; v < kVectors; ++v) {
      float* const p = c + i * c_stride + v * kLanes;
      is_partial(v) ? store_partial(p, sums[i][v], tail) : store(p, sums[i][v]);
    }
  }
}

// How many steps of k ahead of its use a row of B is fetched.
constexpr int kPrefetchSteps = 8;

// c[rows × columns] = or += a · b. The last vector of columns may be partial in C, and with kRagged in B too.
template <int kRows, int kVectors, bool kRagged>
__attribute__((noinline)) void multiply_tile(const Tile& t) {
  const int last = (kVectors - 1) * kLanes;
  const int tail = t.columns - last;
  const float* a = t.a;
  const float* b = t.b;
  const int64_t a_row_stride = t.a_row_stride, a_step = t.a_step, b_stride = t.b_stride;
  F32 sums[kRows][kVectors];
  GALVANI_UNROLL for (int i = 0; i < kRows; ++i) {
    GALVANI_UNROLL for (int v = 0; v < kVectors; ++v) {
      __builtin_prefetch(t.c + i * t.c_stride + v * kLanes);
      sums[i][v] = zero();
    }
  }
  for (int64_t p = t.k; p > 0; --p) {
    F32 row[kVectors];
    GALVANI_UNROLL for (int v = 0; v < kVectors; ++v) {
      row[v] = kRagged && v == kVectors - 1 ? load_partial(b + last, tail) : load(b + v * kLanes);
      if (kVectors > kBlocking.vectors) __builtin_prefetch(b + kPrefetchSteps * b_stride + v * kLanes);
    }
    GALVANI_UNROLL for (int i = 0; i < kRows; ++i) {
      const F32 x = broadcast(a[i * a_row_stride]);
      GALVANI_UNROLL for (int v = 0; v < kVectors; ++v) sums[i][v] = fma(x, row[v], sums[i][v]);
    }
    // Where rows of A are adjacent, of the next tile: no hardware foresees such strides.
    if (kVectors > 1 && kVectors <= kBlocking.vectors) __builtin_prefetch(a + kRows * a_row_stride);
    a += a_step;
    b += b_stride;
  }
  write_tile(t, sums);
}

template <int kRows, int kVectors, bool kRagged>
inline void multiply_rows(int rows, const Tile& tile) {
  if constexpr (kRows > 1) {
    if (rows < kRows) return multiply_rows<kRows - 1, kVectors, kRagged>(rows, tile);
  }
  multiply_tile<kRows, kVectors, kRagged>(tile);
}

template <int kVectors>
inline void multiply_vectors(int rows, bool is_ragged, const Tile& tile) {
  constexpr int kMostRows = kBlocking.rows(kVectors);
  if constexpr (kMostRows > 0 && kVectors <= 3) {
    if (is_ragged) return multiply_rows<kMostRows, kVectors, true>(rows, tile);
  }
  if constexpr (kMostRows > 0) multiply_rows<kMostRows, kVectors, false>(rows, tile);
}

// Only tiles of up to 3 vectors may be ragged.
inline void multiply_any(int rows, int vectors, bool is_ragged, const Tile& tile) {
  switch (vectors) {
    case 1: return multiply_vectors<1>(rows, is_ragged, tile);
    case 2: return multiply_vectors<2>(rows, is_ragged, tile);
    case 3: return multiply_vectors<3>(rows, is_ragged, tile);
    case 4: return multiply_vectors<4>(rows, is_ragged, tile);
    case 8: return multiply_vectors<8>(rows, is_ragged, tile);
    case 16: return multiply_vectors<16>(rows, is_ragged, tile);
  }
}
