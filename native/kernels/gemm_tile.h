// Tiles of C: what stays in registers while k runs.
#pragma once

struct GemmBlocking {
  int rows, vectors;  // the tile: rows × (vectors · kLanes) of C
  int64_t kc, nc;
  int64_t packing_rows;
};

// Measured on Zen 4. A tile needs (rows + 1)·vectors + 1 registers (one more without fused multiply-add) of 32 with
// AVX-512 and NEON, of 16 otherwise; its 8 to 24 independent sums cover the latency of as many multiply-adds; and
// rows : vectors balances the loads of A and B. kc·nc floats, 400 to 600 kB, fit in L2; nc is a whole number of tiles.
// Narrow vectors read B more often per multiplication, so packing it pays sooner.
constexpr GemmBlocking gemm_blocking() {
  if (kLanes == 16) return {8, 3, 400, 384, 256};
  if (kLanes == 8) return {4, 3, 256, 384, 64};
  if (kHasFma) return {5, 4, 256, 384, 64};  // NEON: by the same reasoning, not measured
  return {4, 2, 256, 384, 64};
}

constexpr GemmBlocking kBlocking = gemm_blocking();
constexpr int kTileRows = kBlocking.rows;
constexpr int kTileColumns = kBlocking.vectors * kLanes;

// The sums of a tile stay in registers only where the loops over them vanish before the compiler looks.
#if defined(__clang__)
#define GALVANI_UNROLL _Pragma("clang loop unroll(full)")
#else
#define GALVANI_UNROLL _Pragma("GCC unroll 8")
#endif

struct Tile {
  const float* a;
  int64_t a_stride;
  const float* b;
  int64_t b_stride;
  float* c;
  int64_t c_stride;
  int64_t k;
  int columns;
  bool accumulate;
  const float* bias;  // null where there is none, or this is not the last block of k
  int64_t bias_stride;
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

// c[rows × columns] = or += a · b. Element (i, p) of a is at a[i + p·a_stride] (kAdjacentRows) or a[i·a_stride + p].
// The last vector of columns may be partial in C, and with kRagged in B too.
template <int kRows, int kVectors, bool kAdjacentRows, bool kRagged>
__attribute__((noinline)) void multiply_tile(const Tile& t) {
  const int last = (kVectors - 1) * kLanes;
  const int tail = t.columns - last;
  const float* a = t.a;
  const float* b = t.b;
  const int64_t a_stride = t.a_stride, b_stride = t.b_stride;
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
    }
    GALVANI_UNROLL for (int i = 0; i < kRows; ++i) {
      const F32 x = broadcast(a[kAdjacentRows ? i : i * a_stride]);
      GALVANI_UNROLL for (int v = 0; v < kVectors; ++v) sums[i][v] = fma(x, row[v], sums[i][v]);
    }
    if (kAdjacentRows) __builtin_prefetch(a + kTileRows);  // of the next tile: no hardware foresees such strides
    a += kAdjacentRows ? a_stride : 1;
    b += b_stride;
  }
  write_tile(t, sums);
}

template <int kRows, int kVectors, bool kAdjacentRows, bool kRagged>
inline void multiply_rows(int rows, const Tile& tile) {
  if constexpr (kRows > 1) {
    if (rows < kRows) return multiply_rows<kRows - 1, kVectors, kAdjacentRows, kRagged>(rows, tile);
  }
  multiply_tile<kRows, kVectors, kAdjacentRows, kRagged>(tile);
}

// A partial vector of B that is not padded makes a tile of its own: the caller sees to it.
template <int kVectors, bool kAdjacentRows>
inline void multiply_columns(int rows, bool b_is_padded, const Tile& tile) {
  if constexpr (kVectors > 1) {
    if (tile.columns <= (kVectors - 1) * kLanes) {
      return multiply_columns<kVectors - 1, kAdjacentRows>(rows, b_is_padded, tile);
    }
  } else if (!b_is_padded && tile.columns < kLanes) {
    return multiply_rows<kTileRows, 1, kAdjacentRows, true>(rows, tile);
  }
  multiply_rows<kTileRows, kVectors, kAdjacentRows, false>(rows, tile);
}
