// Tiles of C: what stays in registers while k runs.
#pragma once

struct GemmBlocking {
  // The most rows of a tile of so many vectors of columns; 0 where there is no such tile.
  int rows_of_1, rows_of_2, rows_of_3, rows_of_4, rows_of_8, rows_of_16;
  int vectors;  // of a tile of a large product
  int64_t kc, mc, nc;
  int64_t packing_rows;    // of A, from which on a large B is packed
  int64_t packing_stride;  // of a transposed A, from which on it is packed
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
// is the limit.
//
// A tile of 16 lanes takes 16 bytes of B in a cycle, which an L2 gives: kc·nc floats of B fit there, and the rows of A
// that meet them, rows·kc floats, in half of L1. An L2 of AVX2 machines gives as much at most, and is smaller: there a
// panel of B, kc columns of a tile, stays in L1 while mc rows of A come from L2 (measured on Zen 3). Narrow vectors read B
// more often per multiplication, so packing it pays sooner.
constexpr GemmBlocking gemm_blocking() {
  if (kLanes == 16) return {16, 12, 8, 6, 2, 1, 3, 400, 16, 512, 192, 1024};
  if (kLanes == 8) return {8, 6, 4, 2, 1, 0, 2, 256, 192, 1024, 64, 96};
  if (kHasFma) return {16, 12, 8, 5, 2, 1, 4, 256, 16, 384, 64, 1024};  // NEON: by the same reasoning, not measured
  return {8, 4, 0, 2, 1, 0, 2, 256, 16, 384, 64, 1024};
}

constexpr GemmBlocking kBlocking = gemm_blocking();
constexpr int kTileRows = kBlocking.rows(kBlocking.vectors);
constexpr int kTileColumns = kBlocking.vectors * kLanes;
// Whether a single row of C is made by passes over it. The tile of 16 vectors of 16 lanes reads B in runs that are long
// enough, and keeps its sums in registers.
constexpr bool kStreamsRow = kLanes < 16;
// Rows of A that meet the block of B together.
constexpr int64_t kBlockRows = kBlocking.mc;

// The sums of a tile stay in registers only where the loops over them vanish before the compiler looks.
#if defined(__clang__)
#define GALVANI_UNROLL _Pragma("clang loop unroll(full)")
#else
#define GALVANI_UNROLL _Pragma("GCC unroll 16")
#endif

struct Tile {
  int64_t a_row_stride, a_step;  // element (i, p) of A is at a[i·a_row_stride + p·a_step]
  const float* b;
  int64_t b_stride;
  int64_t c_stride;
  int64_t k;
  int columns;
  bool accumulate;
  const float* bias;  // null where there is none, or this is not the last block of k
  int64_t bias_stride;
  bool has_relu;
};

// Where the rows of a tile begin.
struct TileRows {
  const float* a;
  float* c;
  const float* row_bias;  // null as bias
};

// What is left to do with the sums once k has run.
template <int kRows, int kVectors>
inline void write_tile(const Tile& t, const TileRows& at, F32 (&sums)[kRows][kVectors]) {
  const int tail = t.columns - (kVectors - 1) * kLanes;
  const auto is_partial = [&](int v) { return v == kVectors - 1 && tail != kLanes; };
  float* const c = at.c;
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
  if (at.row_bias != nullptr) {
    GALVANI_UNROLL for (int i = 0; i < kRows; ++i) {
      const F32 bias = broadcast(at.row_bias[i]);
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
inline void multiply_tile(const Tile& t, const TileRows& at) {
  const int last = (kVectors - 1) * kLanes;
  const int tail = t.columns - last;
  const float* a = at.a;
  const float* b = t.b;
  const int64_t a_row_stride = t.a_row_stride, a_step = t.a_step, b_stride = t.b_stride;
  F32 sums[kRows][kVectors];
  GALVANI_UNROLL for (int i = 0; i < kRows; ++i) {
    GALVANI_UNROLL for (int v = 0; v < kVectors; ++v) {
      sums[i][v] = zero();
    }
  }
  if (t.k > kPrefetchSteps) {
    GALVANI_UNROLL for (int i = 0; i < kRows; ++i) {
      GALVANI_UNROLL for (int v = 0; v < kVectors; ++v) __builtin_prefetch(at.c + i * t.c_stride + v * kLanes);
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
  write_tile(t, at, sums);
}

// Tiles one below the other, whose elements of A are `a_advance` floats apart; gives where the next one would begin.
template <int kRows, int kVectors, bool kRagged>
__attribute__((noinline)) TileRows multiply_column(const Tile& t, TileRows at, int64_t count, int64_t a_advance) {
  for (; count > 0; --count) {
    multiply_tile<kRows, kVectors, kRagged>(t, at);
    at.a += a_advance;
    at.c += kRows * t.c_stride;
    if (at.row_bias != nullptr) at.row_bias += kRows;
  }
  return at;
}

using ColumnOfTiles = TileRows (*)(const Tile& t, TileRows at, int64_t count, int64_t a_advance);

template <int kRows, int kVectors, bool kRagged>
inline ColumnOfTiles column_of_rows(int rows) {
  if constexpr (kRows > 1) {
    if (rows < kRows) return column_of_rows<kRows - 1, kVectors, kRagged>(rows);
  }
  return multiply_column<kRows, kVectors, kRagged>;
}

template <int kVectors>
inline ColumnOfTiles column_of_vectors(int rows, bool is_ragged) {
  constexpr int kMostRows = kBlocking.rows(kVectors);
  if constexpr (kMostRows > 0 && kVectors <= 3) {
    if (is_ragged) return column_of_rows<kMostRows, kVectors, true>(rows);
  }
  if constexpr (kMostRows > 0) return column_of_rows<kMostRows, kVectors, false>(rows);
  return nullptr;
}

// Only tiles of up to 3 vectors may be ragged.
inline ColumnOfTiles column_of_tiles(int rows, int vectors, bool is_ragged) {
  switch (vectors) {
    case 1: return column_of_vectors<1>(rows, is_ragged);
    case 2: return column_of_vectors<2>(rows, is_ragged);
    case 3: return column_of_vectors<3>(rows, is_ragged);
    case 4: return column_of_vectors<4>(rows, is_ragged);
    case 8: return column_of_vectors<8>(rows, is_ragged);
    default: return column_of_vectors<16>(rows, is_ragged);
  }
}
