// Tiles of C: what stays in registers while k runs.
#pragma once

#include "kernels/gemm_words.h"
#include "kernels/vector_loop.h"
#include "math/doubles.h"
#include "math/piecewise.h"
#include "simd/vectors.h"

struct GemmBlocking {
  // The most rows of a tile of so many vectors of columns; 0 where there is no such tile.
  int rows_of_1, rows_of_2, rows_of_3, rows_of_4, rows_of_8, rows_of_16;
  int vectors;  // of a tile of a large product
  int64_t kc, mc, nc;
  int64_t block_elements;  // of B, at most
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
constexpr GemmBlocking float_blocking() {
  if (kLanes == 16) return {16, 12, 8, 6, 2, 1, 3, 1024, 16, 528, 1024 * 192, 192, 1024};
  if (kLanes == 8) return {8, 6, 4, 2, 1, 0, 2, 256, 192, 1024, 256 * 1024, 64, 96};
  if (kHasFma) return {16, 12, 8, 5, 2, 1, 4, 256, 16, 384, 256 * 384, 64, 1024};  // NEON: by reasoning, not measured
  return {8, 4, 0, 2, 1, 0, 2, 256, 16, 384, 256 * 384, 64, 1024};
}

// A vector of doubles takes two registers, and each of its lanes twice the memory.
constexpr GemmBlocking double_blocking() {
  if (kLanes == 16) return {12, 6, 4, 2, 1, 0, 1, 512, 24, 272, 512 * 192, 192, 512};
  if (kLanes == 8) return {6, 2, 1, 1, 0, 0, 1, 256, 96, 512, 256 * 512, 64, 48};
  if (kHasFma) return {12, 6, 4, 2, 1, 0, 2, 256, 12, 192, 256 * 192, 64, 512};  // as above
  return {4, 2, 0, 1, 0, 0, 1, 256, 16, 192, 256 * 192, 64, 512};
}

template <class T>
constexpr GemmBlocking kBlocking = sizeof(T) == sizeof(float) ? float_blocking() : double_blocking();
template <class T>
constexpr int kTileRows = kBlocking<T>.rows(kBlocking<T>.vectors);
template <class T>
constexpr int kTileColumns = kBlocking<T>.vectors* kLanes;
// Whether a single row of C is made by passes over it. The tile of 16 vectors of 16 lanes reads B in runs that are long
// enough, and keeps its sums in registers.
template <class T>
constexpr bool kStreamsRow = kBlocking<T>.rows_of_16 == 0 || kLanes < 16;

template <class T>
struct Tile {
  int64_t a_row_stride, a_step;  // element (i, p) of A is at a[i·a_row_stride + p·a_step]
  const T* b;
  int64_t b_stride;
  int64_t c_stride;
  int64_t k;
  int columns;
  bool accumulate;
  const T* bias;  // null where there is none, or this is not the last block of k
  int64_t bias_stride;
  bool has_relu;
};

// Where the rows of a tile begin.
template <class T>
struct TileRows {
  const T* a;
  T* c;
  const T* row_bias;  // null as bias
};

// Hides where a pointer comes from. The compiler would rather keep the distances of all rows in registers, and then, as
// there are too few, in memory.
template <class T>
inline void forget_origin(T*& p) {
  asm("" : "+r"(p));
}

// C = sums.
template <class T, int kRows, int kVectors, class Last>
GALVANI_INLINED inline void store_tile(const Tile<T>& t, T* c, const VectorOf<T> (&sums)[kRows][kVectors], Last last) {
  GALVANI_UNROLL for (int i = 0; i < kRows; ++i) {
    GALVANI_UNROLL for (int v = 0; v < kVectors; ++v) {
      v == kVectors - 1 ? last.write(c + v * kLanes, sums[i][v]) : store(c + v * kLanes, sums[i][v]);
    }
    c += t.c_stride;
    forget_origin(c);
  }
}

// C = relu(C + sums + bias + row_bias), of which any but the sums may be missing.
template <class T, int kRows, int kVectors, class Last>
GALVANI_INLINED inline void finish_tile(const Tile<T>& t, const TileRows<T>& at,
                                        const VectorOf<T> (&sums)[kRows][kVectors], Last last) {
  VectorOf<T> bias[kVectors];
  GALVANI_UNROLL for (int v = 0; v < kVectors; ++v) {
    const T* const p = t.bias + v * kLanes;
    bias[v] = t.bias == nullptr    ? broadcast(T{0})
              : t.bias_stride == 0 ? broadcast(*t.bias)
              : v == kVectors - 1  ? last.read(p)
                                   : load(p);
  }
  T* c = at.c;
  GALVANI_UNROLL for (int i = 0; i < kRows; ++i) {
    const VectorOf<T> row_bias = at.row_bias == nullptr ? broadcast(T{0}) : broadcast(at.row_bias[i]);
    GALVANI_UNROLL for (int v = 0; v < kVectors; ++v) {
      T* const p = c + v * kLanes;
      VectorOf<T> x = sums[i][v];
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
template <class T, int kRows, int kVectors, class Last>
GALVANI_INLINED inline void write_tile(const Tile<T>& t, const TileRows<T>& at,
                                       const VectorOf<T> (&sums)[kRows][kVectors], Last last) {
  if (!t.accumulate && t.bias == nullptr && at.row_bias == nullptr && !t.has_relu)
    return store_tile(t, at.c, sums, last);
  finish_tile(t, at, sums, last);
}

// How many steps of k ahead of its use a row of B is fetched.
constexpr int kPrefetchSteps = 8;

template <class T, int kRows, int kVectors>
inline void prefetch_tile(const T* c, int64_t c_stride) {
  GALVANI_UNROLL for (int i = 0; i < kRows; ++i) {
    GALVANI_UNROLL for (int v = 0; v < kVectors; ++v) __builtin_prefetch(c + v * kLanes);
    c += c_stride;
    forget_origin(c);
  }
}

// Rows of A that are found from one pointer, by multiples of their distance.
constexpr int kRowsOfPointer = 4;

// c[rows × columns] = or += a · b. The last vector of columns may be partial in C, and with kRagged in B too.
template <class T, int kRows, int kVectors, bool kRagged>
GALVANI_INLINED inline void multiply_tile(const Tile<T>& t, const TileRows<T>& at) {
  constexpr int kPointers = (kRows + kRowsOfPointer - 1) / kRowsOfPointer;
  const int last = (kVectors - 1) * kLanes;
  const int tail = t.columns - last;
  const T* b = t.b;
  const int64_t a_row_stride = t.a_row_stride, a_step = t.a_step, b_stride = t.b_stride;
  const T* a[kPointers];
  GALVANI_UNROLL for (int g = 0; g < kPointers; ++g) {
    a[g] = at.a + g * kRowsOfPointer * a_row_stride;
    forget_origin(a[g]);
  }
  VectorOf<T> sums[kRows][kVectors];
  GALVANI_UNROLL for (int i = 0; i < kRows; ++i) {
    GALVANI_UNROLL for (int v = 0; v < kVectors; ++v) sums[i][v] = broadcast(T{0});
  }
  if (t.k > kPrefetchSteps) prefetch_tile<T, kRows, kVectors>(at.c, t.c_stride);
  for (int64_t p = t.k; p > 0; --p) {
    // Before the loads, as compilers keep what they have loaded in registers over a prefetch.
    if (kVectors > kBlocking<T>.vectors) {
      const T* ahead = b + kPrefetchSteps * b_stride;
      forget_origin(ahead);
      GALVANI_UNROLL for (int v = 0; v < kVectors; ++v) __builtin_prefetch(ahead + v * kLanes);
    }
    VectorOf<T> row[kVectors];
    GALVANI_UNROLL for (int v = 0; v < kVectors; ++v) {
      row[v] = kRagged && v == kVectors - 1 ? load_partial(b + last, tail) : load(b + v * kLanes);
    }
    GALVANI_UNROLL for (int i = 0; i < kRows; ++i) {
      const VectorOf<T> x = broadcast(a[i / kRowsOfPointer][i % kRowsOfPointer * a_row_stride]);
      GALVANI_UNROLL for (int v = 0; v < kVectors; ++v) sums[i][v] = add_product(x, row[v], sums[i][v]);
    }
    // Where rows of A are adjacent, of the next tile: no hardware foresees such strides.
    if (kVectors > 1 && kVectors <= kBlocking<T>.vectors) __builtin_prefetch(a[0] + kRows * a_row_stride);
    GALVANI_UNROLL for (int g = 0; g < kPointers; ++g) a[g] += a_step;
    b += b_stride;
  }
  if (tail == kLanes) write_tile(t, at, sums, Whole());
  else write_tile(t, at, sums, Part{tail});
}

// Tiles one below the other, whose elements of A are `a_advance` elements apart; leaves where the next one would begin.
template <class T, int kRows, int kVectors, bool kRagged>
__attribute__((noinline)) void multiply_column(const Tile<T>& t, TileRows<T>* at, int64_t count, int64_t a_advance) {
  for (; count > 0; --count) {
    multiply_tile<T, kRows, kVectors, kRagged>(t, *at);
    at->a += a_advance;
    at->c += kRows * t.c_stride;
    if (at->row_bias != nullptr) at->row_bias += kRows;
  }
}

template <class T>
using ColumnOfTiles = void (*)(const Tile<T>& t, TileRows<T>* at, int64_t count, int64_t a_advance);

// Of kLeast to kMost rows.
template <class T, int kLeast, int kMost, int kVectors, bool kRagged>
inline ColumnOfTiles<T> column_of_rows(int rows) {
  if constexpr (kLeast == kMost) {
    return multiply_column<T, kMost, kVectors, kRagged>;
  } else {
    constexpr int kMiddle = (kLeast + kMost) / 2;
    if (rows <= kMiddle) return column_of_rows<T, kLeast, kMiddle, kVectors, kRagged>(rows);
    return column_of_rows<T, kMiddle + 1, kMost, kVectors, kRagged>(rows);
  }
}

template <class T, int kVectors>
inline ColumnOfTiles<T> column_of_vectors(int rows, bool is_ragged) {
  constexpr int kMostRows = kBlocking<T>.rows(kVectors);
  if constexpr (kMostRows > 0 && kVectors <= 3) {
    if (is_ragged) return column_of_rows<T, 1, kMostRows, kVectors, true>(rows);
  }
  if constexpr (kMostRows > 0) return column_of_rows<T, 1, kMostRows, kVectors, false>(rows);
  return nullptr;
}

// Only tiles of up to 3 vectors may be ragged.
template <class T>
inline ColumnOfTiles<T> column_of_tiles(int rows, int vectors, bool is_ragged) {
  switch (vectors) {
    case 1: return column_of_vectors<T, 1>(rows, is_ragged);
    case 2: return column_of_vectors<T, 2>(rows, is_ragged);
    case 3: return column_of_vectors<T, 3>(rows, is_ragged);
    case 4: return column_of_vectors<T, 4>(rows, is_ragged);
    case 8: return column_of_vectors<T, 8>(rows, is_ragged);
    default: return column_of_vectors<T, 16>(rows, is_ragged);
  }
}
