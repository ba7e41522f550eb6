// Tiles of C: what stays in registers while k runs.
#pragma once

#include "kernels/vector_loop.h"
#include "math/piecewise.h"
#include "simd/vectors.h"

struct GemmBlocking {
  // The most rows of a tile of so many vectors of columns; 0 where there is no such tile.
  int rows_of_1, rows_of_2, rows_of_3, rows_of_4, rows_of_8, rows_of_16;
  int vectors;  // of a tile of a large product
  int64_t kc, mc, nc;
  int64_t block_floats;    // of B, at most
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
// latency 4 need 8 sums. Where C has few rows a tile is wide instead, so that B is read in long runs: then its
// bandwidth is the limit.
//
// A tile of 16 lanes takes 16 bytes of B in a cycle, which an L2 gives: a block of B fits there. It is deep rather than
// wide, as each block of k reads and writes all of C: with 1024 × 192 instead of 400 × 512 a product of 1024³ is 5%
// faster, one of 2048³ 6%. An L2 of AVX2 machines gives as much at most, and is smaller: there a panel of B, kc columns
// of a tile, stays in L1 while mc rows of A come from L2 (measured on Zen 3). Narrow vectors read B more often per
// multiplication, so packing it pays sooner.
constexpr GemmBlocking gemm_blocking() {
  if (kLanes == 16) return {16, 12, 8, 6, 2, 1, 3, 1024, 16, 528, 1024 * 192, 192, 1024};
  if (kLanes == 8) return {8, 6, 4, 2, 1, 0, 2, 256, 192, 1024, 256 * 1024, 64, 96};
  if (kHasFma) return {16, 12, 8, 5, 2, 1, 4, 256, 16, 384, 256 * 384, 64, 1024};  // NEON: by reasoning, not measured
  return {8, 4, 0, 2, 1, 0, 2, 256, 16, 384, 256 * 384, 64, 1024};
}

constexpr GemmBlocking kBlocking = gemm_blocking();
constexpr int kTileRows = kBlocking.rows(kBlocking.vectors);
constexpr int kTileColumns = kBlocking.vectors * kLanes;
// Whether a single row of C is made by passes over it. The tile of 16 vectors of 16 lanes reads B in runs that are long
// enough, and keeps its sums in registers.
constexpr bool kStreamsRow = kLanes < 16;
// Rows of A that meet the block of B together.
constexpr int64_t kBlockRows = kBlocking.mc;

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

// Hides where a pointer comes from. The compiler would rather keep the distances of all rows in registers, and then, as
// there are too few, in memory.
inline void forget_origin(const float*& p) { asm("" : "+r"(p)); }
inline void forget_origin(float*& p) { asm("" : "+r"(p)); }

// C = sums.
template <int kRows, int kVectors, class Last>
GALVANI_INLINED inline void store_tile(const Tile& t, float* c, const F32 (&sums)[kRows][kVectors], Last last) {
  GALVANI_UNROLL for (int i = 0; i < kRows; ++i) {
    GALVANI_UNROLL for (int v = 0; v < kVectors; ++v) {
      v == kVectors - 1 ? last.write(c + v * kLanes, sums[i][v]) : store(c + v * kLanes, sums[i][v]);
    }
    c += t.c_stride;
    forget_origin(c);
  }
}

// C = relu(C + sums + bias + row_bias), of which any but the sums may be missing.
template <int kRows, int kVectors, class Last>
GALVANI_INLINED inline void finish_tile(const Tile& t, const TileRows& at, const F32 (&sums)[kRows][kVectors],
                                        Last last) {
  F32 bias[kVectors];
  GALVANI_UNROLL for (int v = 0; v < kVectors; ++v) {
    const float* const p = t.bias + v * kLanes;
    bias[v] = t.bias == nullptr    ? zero()
              : t.bias_stride == 0 ? broadcast(*t.bias)
              : v == kVectors - 1  ? last.read(p)
                                   : load(p);
  }
  float* c = at.c;
  GALVANI_UNROLL for (int i = 0; i < kRows; ++i) {
    const F32 row_bias = at.row_bias == nullptr ? zero() : broadcast(at.row_bias[i]);
    GALVANI_UNROLL for (int v = 0; v < kVectors; ++v) {
      float* const p = c + v * kLanes;
      F32 x = sums[i][v];
      if (t.accumulate) x = (v == kVectors - 1 ? last.read(p) : load(p)) + x;
      if (t.bias != nullptr) x = x + bias[v];
      if (at.row_bias != nullptr) x = x + row_bias;
      if (t.has_relu) x = relu(x);
      v == kVectors - 1 ? last.write(p, x) : store(p, x);
    }
    c += t.c_stride;
    forget_origin(c);
  }
}

// What is left to do with the sums once k has run.
template <int kRows, int kVectors, class Last>
GALVANI_INLINED inline void write_tile(const Tile& t, const TileRows& at, const F32 (&sums)[kRows][kVectors],
                                       Last last) {
  if (!t.accumulate && t.bias == nullptr && at.row_bias == nullptr && !t.has_relu)
    return store_tile(t, at.c, sums, last);
  finish_tile(t, at, sums, last);
}

// How many steps of k ahead of its use a row of B is fetched.
constexpr int kPrefetchSteps = 8;

template <int kRows, int kVectors>
inline void prefetch_tile(const float* c, int64_t c_stride) {
  GALVANI_UNROLL for (int i = 0; i < kRows; ++i) {
    GALVANI_UNROLL for (int v = 0; v < kVectors; ++v) __builtin_prefetch(c + v * kLanes);
    c += c_stride;
    forget_origin(c);
  }
}

// Rows of A that are found from one pointer, by multiples of their distance.
constexpr int kRowsOfPointer = 4;

// c[rows × columns] = or += a · b. The last vector of columns may be partial in C, and with kRagged in B too.
template <int kRows, int kVectors, bool kRagged>
GALVANI_INLINED inline void multiply_tile(const Tile& t, const TileRows& at) {
  constexpr int kPointers = (kRows + kRowsOfPointer - 1) / kRowsOfPointer;
  const int last = (kVectors - 1) * kLanes;
  const int tail = t.columns - last;
  const float* b = t.b;
  const int64_t a_row_stride = t.a_row_stride, a_step = t.a_step, b_stride = t.b_stride;
  const float* a[kPointers];
  GALVANI_UNROLL for (int g = 0; g < kPointers; ++g) {
    a[g] = at.a + g * kRowsOfPointer * a_row_stride;
    forget_origin(a[g]);
  }
  F32 sums[kRows][kVectors];
  GALVANI_UNROLL for (int i = 0; i < kRows; ++i) {
    GALVANI_UNROLL for (int v = 0; v < kVectors; ++v) sums[i][v] = zero();
  }
  if (t.k > kPrefetchSteps) prefetch_tile<kRows, kVectors>(at.c, t.c_stride);
  for (int64_t p = t.k; p > 0; --p) {
    // Before the loads, as compilers keep what they have loaded in registers over a prefetch.
    if (kVectors > kBlocking.vectors) {
      const float* ahead = b + kPrefetchSteps * b_stride;
      forget_origin(ahead);
      GALVANI_UNROLL for (int v = 0; v < kVectors; ++v) __builtin_prefetch(ahead + v * kLanes);
    }
    F32 row[kVectors];
    GALVANI_UNROLL for (int v = 0; v < kVectors; ++v) {
      row[v] = kRagged && v == kVectors - 1 ? load_partial(b + last, tail) : load(b + v * kLanes);
    }
    GALVANI_UNROLL for (int i = 0; i < kRows; ++i) {
      const F32 x = broadcast(a[i / kRowsOfPointer][i % kRowsOfPointer * a_row_stride]);
      GALVANI_UNROLL for (int v = 0; v < kVectors; ++v) sums[i][v] = fma(x, row[v], sums[i][v]);
    }
    // Where rows of A are adjacent, of the next tile: no hardware foresees such strides.
    if (kVectors > 1 && kVectors <= kBlocking.vectors) __builtin_prefetch(a[0] + kRows * a_row_stride);
    GALVANI_UNROLL for (int g = 0; g < kPointers; ++g) a[g] += a_step;
    b += b_stride;
  }
  if (tail == kLanes) write_tile(t, at, sums, Whole());
  else write_tile(t, at, sums, Part{tail});
}

// Tiles one below the other, whose elements of A are `a_advance` floats apart; leaves where the next one would begin.
template <int kRows, int kVectors, bool kRagged>
__attribute__((noinline)) void multiply_column(const Tile& t, TileRows* at, int64_t count, int64_t a_advance) {
  for (; count > 0; --count) {
    multiply_tile<kRows, kVectors, kRagged>(t, *at);
    at->a += a_advance;
    at->c += kRows * t.c_stride;
    if (at->row_bias != nullptr) at->row_bias += kRows;
  }
}

using ColumnOfTiles = void (*)(const Tile& t, TileRows* at, int64_t count, int64_t a_advance);

// Of kLeast to kMost rows.
template <int kLeast, int kMost, int kVectors, bool kRagged>
inline ColumnOfTiles column_of_rows(int rows) {
  if constexpr (kLeast == kMost) {
    return multiply_column<kMost, kVectors, kRagged>;
  } else {
    constexpr int kMiddle = (kLeast + kMost) / 2;
    if (rows <= kMiddle) return column_of_rows<kLeast, kMiddle, kVectors, kRagged>(rows);
    return column_of_rows<kMiddle + 1, kMost, kVectors, kRagged>(rows);
  }
}

template <int kVectors>
inline ColumnOfTiles column_of_vectors(int rows, bool is_ragged) {
  constexpr int kMostRows = kBlocking.rows(kVectors);
  if constexpr (kMostRows > 0 && kVectors <= 3) {
    if (is_ragged) return column_of_rows<1, kMostRows, kVectors, true>(rows);
  }
  if constexpr (kMostRows > 0) return column_of_rows<1, kMostRows, kVectors, false>(rows);
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
