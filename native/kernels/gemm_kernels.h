// Matrix multiplication below the cache blocks of gemm/gemm.cc.
//
// A is read where it lies: a tile broadcasts its elements one by one, so that a row of A is a sequential stream. Only a
// transposed A whose columns are far apart is packed. A panel of B, a tile wide, meets mc rows of A before the next one
// does: where mc is large the panel comes from L1, else the rows do. B lies in its own rows or is packed.
#pragma once

#include "kernels/gemm_pack.h"
#include "kernels/gemm_tile.h"
#include "kernels/vector_loop.h"
#include "math/doubles.h"
#include "math/hyperbolic.h"
#include "math/piecewise.h"
#include "math/sigmoid.h"
#include "simd/vectors.h"

template <Activation kActivation, class V, class T>
inline V activated(V x, T slope) {
  if constexpr (kActivation == Activation::k_relu) return relu(x);
  if constexpr (kActivation == Activation::k_leakyRelu) return leaky_relu(x, broadcast(slope));
  if constexpr (kActivation == Activation::k_sigmoid) return sigmoid(x);
  if constexpr (kActivation == Activation::k_tanh) return tanh(x);
  return x;
}

template <Activation kActivation, class T>
struct Activate {
  T* c;
  T slope;
  template <class Lanes>
  void operator()(int64_t j, Lanes lanes) const {
    lanes.write(c + j, activated<kActivation>(lanes.read(c + j), slope));
  }
};

template <Activation kActivation, class T>
__attribute__((noinline)) void activate_rows(const GemmBlockOf<T>& block, T* c, int rows, int64_t columns) {
  for (int i = 0; i < rows; ++i) {
    for_each_vector<1>(0, columns, Activate<kActivation, T>{c + i * block.c_stride, block.slope});
  }
}

// On C while it is in L1.
template <class T>
inline void activate(const GemmBlockOf<T>& block, T* c, int rows, int64_t columns) {
  switch (block.activation) {
    case Activation::k_relu: return activate_rows<Activation::k_relu>(block, c, rows, columns);
    case Activation::k_leakyRelu: return activate_rows<Activation::k_leakyRelu>(block, c, rows, columns);
    case Activation::k_sigmoid: return activate_rows<Activation::k_sigmoid>(block, c, rows, columns);
    case Activation::k_tanh: return activate_rows<Activation::k_tanh>(block, c, rows, columns);
    case Activation::k_none:
    case Activation::count: return;
  }
}

// The width of the tiles of a block, in vectors: the least that covers its columns, or else the greatest that has tiles
// of all its rows; that of a large product at least.
template <class T>
inline int widest_tile(int64_t rows, int64_t columns) {
  constexpr int kWidths[] = {1, 2, 3, 4, 8, 16};
  int widest = kBlocking<T>.vectors;
  GALVANI_UNROLL for (const int vectors : kWidths) {
    if (kBlocking<T>.rows(vectors) == 0) continue;
    if (vectors > kBlocking<T>.vectors && kBlocking<T>.rows(vectors) < rows) break;
    widest = vectors;
    if (vectors * kLanes >= columns) break;
  }
  return widest;
}

// The width of the tile that comes next where `columns` are left.
template <class T>
inline int next_tile(int widest, bool is_packed, int64_t columns) {
  const int64_t left = (columns + kLanes - 1) / kLanes;
  if (is_packed || left >= widest + 2) return static_cast<int>(left < widest ? left : widest);
  const bool is_ragged = columns % kLanes != 0;
  // 3 and 1 would leave one too narrow to keep the units busy.
  if (left == 4 && widest == 3) return 2;
  for (int vectors = widest; vectors > 1; --vectors) {
    if (vectors <= left && kBlocking<T>.rows(vectors) != 0 && (vectors <= 3 || vectors < left || !is_ragged))
      return vectors;
  }
  return 1;
}

// Rows of A: element (i, p) is at a[i·row_stride + p·step], or, packed, at a[i + p·step] from where its panel begins,
// which is row_stride elements for each row before it.
template <class T>
struct Rows {
  const T* a;
  int64_t count, row_stride, step;
  bool is_packed;
};

// How rows are cut into tiles: as equal as can be, as a tile of few rows is slow; but packed rows are where they are.
template <class T>
struct RowTiles {
  RowTiles(const Rows<T>& rows, int most_rows) : elements_of_row(rows.row_stride) {
    const int count = static_cast<int>(rows.count);
    if (count <= most_rows) {
      height = count;
      whole = 1;
    } else if (rows.is_packed) {
      height = most_rows;
      whole = count / height;
      last = count % height;
    } else {
      const int tiles = (count + most_rows - 1) / most_rows;
      height = count / tiles;
      higher = count % tiles;
      whole = tiles - higher;
    }
  }

  void multiply(const Tile<T>& tile, int vectors, bool is_ragged, TileRows<T> at) const {
    const auto run = [&](int tile_rows, int64_t count) {
      if (count == 0) return;
      column_of_tiles<T>(tile_rows, vectors, is_ragged)(tile, &at, count, tile_rows * elements_of_row);
    };
    run(height + 1, higher);
    run(height, whole);
    run(last, last > 0 ? 1 : 0);
  }

  int64_t elements_of_row;    // from a row of A to the next
  int height, last = 0;       // rows of a tile, and of the last one where it is less
  int higher = 0, whole = 0;  // so many tiles of a row more, and of `height` rows
};

// Rows [first, first + rows.count) of C.
template <class T>
inline void multiply_rows_of_block(const GemmBlockOf<T>& block, int64_t first, const Rows<T>& rows) {
  const bool adds_bias = block.is_last && block.bias != nullptr;
  const bool has_relu = block.is_last && block.activation == Activation::k_relu;
  Tile<T> tile = {};
  tile.a_row_stride = rows.is_packed ? 1 : rows.row_stride;
  tile.a_step = rows.step;
  tile.k = block.k;
  tile.c_stride = block.c_stride;
  tile.accumulate = block.accumulate;
  tile.bias_stride = block.bias_stride;
  tile.has_relu = has_relu;
  const bool is_wide = (block.b_is_packed && block.n > kTileColumns<T>) || rows.is_packed;
  const int widest = is_wide ? kBlocking<T>.vectors : widest_tile<T>(rows.count, block.n);
  const RowTiles<T> tiles(rows, kBlocking<T>.rows(widest));
  const T* const row_bias = block.is_last && block.row_bias != nullptr ? block.row_bias + first : nullptr;
  for (int64_t j = 0; j < block.n; j += tile.columns) {
    const int vectors = next_tile<T>(widest, block.b_is_packed, block.n - j);
    const int64_t width = vectors * kLanes;
    tile.columns = static_cast<int>(block.n - j < width ? block.n - j : width);
    tile.b = block.b_is_packed ? block.b + j * block.k : block.b + j;
    tile.b_stride = block.b_is_packed ? width : block.b_stride;
    if (adds_bias) tile.bias = block.bias + j * block.bias_stride;
    tiles.multiply(tile, vectors, !block.b_is_packed && tile.columns < width,
                   {rows.a, block.c + first * block.c_stride + j, row_bias});
  }
  if (block.is_last && block.activation != Activation::k_none && !has_relu) {
    activate(block, block.c + first * block.c_stride, static_cast<int>(rows.count), block.n);
  }
}

// Rows of B that one pass over a single row of C takes in: long runs of so many streams, which memory is best at.
constexpr int kRowSteps = 8;

// c[n] = or += Σ a[p·a_step]·b[p] over kSteps rows of B.
template <int kSteps, class T>
void add_rows(const GemmBlockOf<T>& block, int64_t p, bool accumulate) {
  VectorOf<T> factors[kSteps];
  const T* const b = block.b + p * block.b_stride;
  GALVANI_UNROLL for (int r = 0; r < kSteps; ++r) factors[r] = broadcast(block.a[(p + r) * block.a_column_stride]);
  for_each_vector<1>(0, block.n, [&](int64_t j, auto lanes) GALVANI_INLINED {
    VectorOf<T> sum = accumulate ? lanes.read(block.c + j) : broadcast(T{0});
    GALVANI_UNROLL for (int r = 0; r < kSteps; ++r) {
      sum = fma(factors[r], lanes.read(b + r * block.b_stride + j), sum);
    }
    lanes.write(block.c + j, sum);
  });
}

template <class T>
void row_kernel(const GemmBlockOf<T>& block) {
  int64_t p = 0;
  for (; p + kRowSteps <= block.k; p += kRowSteps) add_rows<kRowSteps>(block, p, p > 0);
  for (; p < block.k; ++p) add_rows<1>(block, p, p > 0);
  if (block.k == 0) add_rows<0>(block, 0, false);
  if (block.bias != nullptr) {
    for_each_vector<1>(0, block.n, [&](int64_t j, auto lanes) {
      const VectorOf<T> bias = block.bias_stride == 0 ? broadcast(*block.bias) : lanes.read(block.bias + j);
      lanes.write(block.c + j, lanes.read(block.c + j) + bias);
    });
  }
  activate(block, block.c, 1, block.n);
}

template <class T>
void multiply_kernel(const GemmBlockOf<T>& block) {
  constexpr int64_t kRows = (kBlocking<T>.mc + kTileRows<T> - 1) / kTileRows<T> * kTileRows<T>;
  // Of a single panel of B as many as have their part of C in L1.
  const int64_t rows = block.n <= kTileColumns<T> ? 8 * kRows : kRows;
  for (int64_t i = 0; i < block.m; i += rows) {
    const int64_t count = block.m - i < rows ? block.m - i : rows;
    const T* const a = block.a + i * block.a_row_stride;
    multiply_rows_of_block<T>(block, i, {a, count, block.a_row_stride, block.a_column_stride, block.a_is_packed});
  }
}

// Of a vector.
template <class T>
constexpr int kRegisters = static_cast<int>(sizeof(T) / sizeof(float));

// The columns of a narrow C: so many that the tile of one vector would leave a good part of its lanes empty.
constexpr int kNarrowColumns = kLanes == 16 ? 12 : kLanes / 2 + 1;

// Rows of kGroups vectors of a C of kColumns, from a transposed A: the lanes are rows here.
template <int kColumns, int kGroups, class T, class Lanes>
inline void narrow_rows(const GemmBlockOf<T>& block, int64_t b_column_stride, int64_t i, int count, Lanes lanes) {
  VectorOf<T> sums[kColumns][kGroups];
  GALVANI_UNROLL for (int j = 0; j < kColumns; ++j) {
    GALVANI_UNROLL for (int g = 0; g < kGroups; ++g) sums[j][g] = broadcast(T{0});
  }
  const T* a = block.a + i;
  const T* b = block.b;
  for (int64_t p = 0; p < block.k; ++p, a += block.a_column_stride, b += block.b_stride) {
    VectorOf<T> rows[kGroups];
    GALVANI_UNROLL for (int g = 0; g < kGroups; ++g) rows[g] = lanes.read(a + g * kLanes);
    GALVANI_UNROLL for (int j = 0; j < kColumns; ++j) {
      const VectorOf<T> x = broadcast(b[j * b_column_stride]);
      GALVANI_UNROLL for (int g = 0; g < kGroups; ++g) sums[j][g] = fma(rows[g], x, sums[j][g]);
    }
  }
  T turned[kColumns][kGroups * kLanes];
  GALVANI_UNROLL for (int j = 0; j < kColumns; ++j) {
    const VectorOf<T> bias = block.bias == nullptr ? broadcast(T{0}) : broadcast(block.bias[j * block.bias_stride]);
    GALVANI_UNROLL for (int g = 0; g < kGroups; ++g) store(&turned[j][g * kLanes], sums[j][g] + bias);
  }
  T* c = block.c + i * block.c_stride;
  for (int row = 0; row < count; ++row, c += block.c_stride) {
    GALVANI_UNROLL for (int j = 0; j < kColumns; ++j) c[j] = turned[j][row];
  }
}

template <int kColumns, class T>
void narrow_columns(const GemmBlockOf<T>& block, int64_t b_column_stride) {
  // Eight sums at least, which is what two units of latency 4 need.
  constexpr int kGroups = (kColumns >= 4 ? 2 : 4) / kRegisters<T>;
  constexpr int kRows = kGroups * kLanes;
  int64_t i = 0;
  for (; i + kRows <= block.m; i += kRows) narrow_rows<kColumns, kGroups>(block, b_column_stride, i, kRows, Whole());
  for (; i + kLanes <= block.m; i += kLanes) narrow_rows<kColumns, 1>(block, b_column_stride, i, kLanes, Whole());
  const int left = static_cast<int>(block.m - i);
  if (left > 0) narrow_rows<kColumns, 1>(block, b_column_stride, i, left, Part{left});
}

template <int kColumns = kNarrowColumns, class T>
void narrow_any(const GemmBlockOf<T>& block, int64_t b_column_stride) {
  if constexpr (kColumns > 1) {
    if (block.n < kColumns) return narrow_any<kColumns - 1>(block, b_column_stride);
  }
  narrow_columns<kColumns>(block, b_column_stride);
}

template <class T>
void narrow_kernel(const GemmBlockOf<T>& block, int64_t b_column_stride) {
  narrow_any(block, b_column_stride);
  activate(block, block.c, static_cast<int>(block.m), block.n);
}

constexpr int kDotColumns = 4;
// Rows of A that meet all columns of B while they are in L1.
constexpr int kDotBlock = 8;

// Sums of neighbouring lanes, those of a before those of b.
inline F32 add_neighbours(F32 a, F32 b) { return even_lanes(a, b) + odd_lanes(a, b); }

// to[i] = the sum of the lanes of sums[i], which are lost. Of a power of two together a step adds lanes of them all.
template <int kCount, class V, class T>
void add_lanes(V* sums, T* to) {
  if constexpr (sizeof(T) == sizeof(double) || (kCount & (kCount - 1)) != 0) {
    GALVANI_UNROLL for (int i = 0; i < kCount; ++i) to[i] = reduce_add(sums[i]);
  } else if constexpr (kCount > kLanes) {
    add_lanes<kCount / 2>(sums, to);
    add_lanes<kCount / 2>(sums + kCount / 2, to + kCount / 2);
  } else {
    GALVANI_UNROLL for (int count = kCount; count > 1; count /= 2) {
      GALVANI_UNROLL for (int i = 0; i < count / 2; ++i) sums[i] = add_neighbours(sums[2 * i], sums[2 * i + 1]);
    }
    GALVANI_UNROLL for (int lanes = kLanes; lanes > kCount; lanes /= 2) sums[0] = add_neighbours(sums[0], sums[0]);
    store_partial(to, sums[0], kCount);
  }
}

// The dot products of kRows rows of A and kColumns rows of B.
template <int kRows, int kColumns, class T>
void dot_tile(const GemmBlockOf<T>& block, int64_t i, int64_t j) {
  const T* const a = block.a + i * block.a_row_stride;
  const T* const b = block.b + j * block.b_stride;
  VectorOf<T> sums[kRows * kColumns];
  GALVANI_UNROLL for (int i = 0; i < kRows * kColumns; ++i) sums[i] = broadcast(T{0});
  const auto step = [&](int64_t p, auto lanes) GALVANI_INLINED {
    GALVANI_UNROLL for (int r = 0; r < kRows; ++r) {
      const VectorOf<T> x = lanes.read(a + r * block.a_row_stride + p);
      GALVANI_UNROLL for (int c = 0; c < kColumns; ++c) {
        VectorOf<T>& sum = sums[r * kColumns + c];
        sum = fma(x, lanes.read(b + c * block.b_stride + p), sum);
      }
    }
  };
  for_each_vector<1>(0, block.k, step);
  T products[kRows * kColumns];
  add_lanes<kRows * kColumns>(sums, products);
  GALVANI_UNROLL for (int r = 0; r < kRows; ++r) {
    T* const out = block.c + (i + r) * block.c_stride + j;
    GALVANI_UNROLL for (int c = 0; c < kColumns; ++c) {
      out[c] = products[r * kColumns + c];
      if (block.bias != nullptr) out[c] += block.bias[(j + c) * block.bias_stride];
    }
  }
}

// Of the rows [i, end): eight sums at a time, or as many as there are registers for.
template <int kColumns, class T>
void dot_rows(const GemmBlockOf<T>& block, int64_t i, int64_t end, int64_t j) {
  constexpr int kRows = (kColumns == 1 ? 8 : kColumns == 2 || kLanes == 16 ? 4 : 2) / kRegisters<T>;
  for (; i + kRows <= end; i += kRows) dot_tile<kRows, kColumns>(block, i, j);
  for (; kRows > 2 && i + 2 <= end; i += 2) dot_tile<2, kColumns>(block, i, j);
  for (; i < end; ++i) dot_tile<1, kColumns>(block, i, j);
}

// The columns that a single row meets at a time: so many sums keep the units busy.
template <class T>
constexpr int kRowColumns = 8 / kRegisters<T>;

template <class T>
void dot_row(const GemmBlockOf<T>& block) {
  int64_t j = 0;
  for (; j + kRowColumns<T> <= block.n; j += kRowColumns<T>) dot_tile<1, kRowColumns<T>>(block, 0, j);
  for (; j < block.n; ++j) dot_tile<1, 1>(block, 0, j);
  activate(block, block.c, 1, block.n);
}

template <class T>
void dot_kernel(const GemmBlockOf<T>& block) {
  if (block.m == 1) return dot_row(block);
  for (int64_t i = 0; i < block.m; i += kDotBlock) {
    const int64_t end = i + kDotBlock < block.m ? i + kDotBlock : block.m;
    int64_t j = 0;
    for (; j + kDotColumns <= block.n; j += kDotColumns) dot_rows<kDotColumns>(block, i, end, j);
    switch (block.n - j) {
      case 3: dot_rows<3>(block, i, end, j); break;
      case 2: dot_rows<2>(block, i, end, j); break;
      case 1: dot_rows<1>(block, i, end, j); break;
      default: break;
    }
    activate(block, block.c + i * block.c_stride, static_cast<int>(end - i), block.n);
  }
}

template <class T>
constexpr GemmKernelsOf<T> gemm_kernels() {
  constexpr GemmBlocking b = kBlocking<T>;
  return {kTileRows<T>,
          kTileColumns<T>,
          b.kc,
          b.mc,
          b.nc,
          b.block_elements,
          kLanes,
          b.packing_rows,
          b.packing_stride,
          kNarrowColumns,
          kStreamsRow<T> ? row_kernel<T> : nullptr,
          multiply_kernel<T>,
          dot_kernel<T>,
          narrow_kernel<T>,
          pack_b_kernel<T>,
          pack_a_kernel<T>,
          false,
          1};
}
