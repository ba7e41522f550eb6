// Matrix multiplication below the cache blocks of gemm/gemm.cc.
//
// A is read where it lies: a tile broadcasts its elements one by one, so that a row of A is a sequential stream, and a
// panel of mr rows stays in L1 while it meets all of the block of B. B is streamed from L2, in its own rows or packed.
#pragma once

#include "kernels/gemm_tile.h"

#include "kernels/gemm_pack.h"

template <Activation kActivation>
struct Activate {
  float* c;
  float slope;
  template <class Lanes>
  void operator()(int64_t j, Lanes lanes) const {
    const F32 x = lanes.read(c + j);
    if constexpr (kActivation == Activation::k_relu) lanes.write(c + j, relu(x));
    if constexpr (kActivation == Activation::k_leakyRelu) lanes.write(c + j, leaky_relu(x, broadcast(slope)));
    if constexpr (kActivation == Activation::k_sigmoid) lanes.write(c + j, sigmoid(x));
    if constexpr (kActivation == Activation::k_tanh) lanes.write(c + j, tanh(x));
  }
};

template <Activation kActivation>
__attribute__((noinline)) void activate_rows(const GemmBlock& block, float* c, int rows, int64_t columns) {
  for (int i = 0; i < rows; ++i) {
    for_each_vector<1>(0, columns, Activate<kActivation>{c + i * block.c_stride, block.slope});
  }
}

// On C while it is in L1.
inline void activate(const GemmBlock& block, float* c, int rows, int64_t columns) {
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
inline int widest_tile(int64_t rows, int64_t columns) {
  int widest = kBlocking.vectors;
  for (int vectors = 1; vectors <= 16; ++vectors) {
    if (vectors > kBlocking.vectors && kBlocking.rows(vectors) < rows) continue;
    if (kBlocking.rows(vectors) == 0) continue;
    widest = vectors;
    if (vectors * kLanes >= columns) break;
  }
  return widest;
}

// The width of the tile that comes next where `columns` are left.
inline int next_tile(int widest, bool is_packed, int64_t columns) {
  const int64_t left = (columns + kLanes - 1) / kLanes;
  if (is_packed || left >= widest + 2) return static_cast<int>(left < widest ? left : widest);
  const bool is_ragged = columns % kLanes != 0;
  // 3 and 1 would leave one too narrow to keep the units busy.
  if (left == 4 && widest == 3) return 2;
  for (int vectors = widest; vectors > 1; --vectors) {
    if (vectors <= left && kBlocking.rows(vectors) != 0 && (vectors <= 3 || vectors < left || !is_ragged)) return vectors;
  }
  return 1;
}

// Rows [0, m) of C; element (i, p) of A is at a[i·a_row_stride + p·a_step].
inline void multiply_rows_of_block(const GemmBlock& block, int64_t first, int64_t m, const float* a,
                                   int64_t a_row_stride, int64_t a_step) {
  const bool adds_bias = block.is_last && block.bias != nullptr;
  const bool has_relu = block.is_last && block.activation == Activation::k_relu;
  const bool activates = block.is_last && block.activation != Activation::k_none && !has_relu;
  Tile tile = {};
  tile.a_row_stride = a_row_stride;
  tile.a_step = a_step;
  tile.k = block.k;
  tile.c_stride = block.c_stride;
  tile.accumulate = block.accumulate;
  tile.bias_stride = block.bias_stride;
  tile.has_relu = has_relu;
  const int widest = block.b_is_packed && block.n > kTileColumns ? kBlocking.vectors : widest_tile(m, block.n);
  const int most_rows = kBlocking.rows(widest);
  const int64_t panels = (m + most_rows - 1) / most_rows;
  for (int64_t panel = 0; panel < panels; ++panel) {
    const int64_t i = m * panel / panels;  // as equal as can be: a tile of few rows is slow
    const int rows = static_cast<int>(m * (panel + 1) / panels - i);
    tile.a = a + i * a_row_stride;
    if (block.is_last && block.row_bias != nullptr) tile.row_bias = block.row_bias + first + i;
    for (int64_t j = 0; j < block.n; j += tile.columns) {
      const int vectors = next_tile(widest, block.b_is_packed, block.n - j);
      const int64_t width = vectors * kLanes;
      tile.columns = static_cast<int>(block.n - j < width ? block.n - j : width);
      tile.b = block.b_is_packed ? block.b + j * block.k : block.b + j;
      tile.b_stride = block.b_is_packed ? width : block.b_stride;
      tile.c = block.c + (first + i) * block.c_stride + j;
      if (adds_bias) tile.bias = block.bias + j * block.bias_stride;
      multiply_any(rows, vectors, !block.b_is_packed && tile.columns < width, tile);
      if (activates) activate(block, tile.c, rows, tile.columns);
    }
  }
}

static void multiply_kernel(const GemmBlock& block) {
  if (block.packed_a == nullptr) {
    return multiply_rows_of_block(block, 0, block.m, block.a, block.a_row_stride, block.a_column_stride);
  }
  for (int64_t i = 0; i < block.m; i += kPackedRows) {
    const int rows = block.m - i < kPackedRows ? static_cast<int>(block.m - i) : kPackedRows;
    pack_panel(block.a + i * block.a_row_stride, block.a_column_stride, block.a_row_stride, block.k, rows, kPackedRows,
               block.packed_a);
    multiply_rows_of_block(block, i, rows, block.packed_a, 1, kPackedRows);
  }
}

constexpr int kDotRows = 2;
constexpr int kDotColumns = 4;

// The dot products of kRows rows of A and `columns` <= 4 rows of B; those that do not exist repeat the first.
template <int kRows>
void dot_tile(const GemmBlock& block, int64_t i, int64_t j, int columns) {
  const float* const a = block.a + i * block.a_row_stride;
  const float* const b = block.b + j * block.b_stride;
  int64_t offsets[kDotColumns];
  F32 sums[kRows][kDotColumns];
  GALVANI_UNROLL for (int c = 0; c < kDotColumns; ++c) {
    offsets[c] = c < columns ? c * block.b_stride : 0;
    GALVANI_UNROLL for (int r = 0; r < kRows; ++r) sums[r][c] = zero();
  }
  const auto step = [&](int64_t p, auto lanes) {
    GALVANI_UNROLL for (int r = 0; r < kRows; ++r) {
      const F32 x = lanes.read(a + r * block.a_row_stride + p);
      GALVANI_UNROLL for (int c = 0; c < kDotColumns; ++c) {
        sums[r][c] = fma(x, lanes.read(b + offsets[c] + p), sums[r][c]);
      }
    }
  };
  for_each_vector<1>(0, block.k, step);
  GALVANI_UNROLL for (int r = 0; r < kRows; ++r) {
    float* const out = block.c + (i + r) * block.c_stride + j;
    GALVANI_UNROLL for (int c = 0; c < kDotColumns; ++c) {
      if (c >= columns) break;
      out[c] = reduce_add(sums[r][c]);
      if (block.bias != nullptr) out[c] += block.bias[(j + c) * block.bias_stride];
    }
  }
}

static void dot_kernel(const GemmBlock& block) {
  for (int64_t i = 0; i < block.m; i += kDotRows) {
    const int rows = i + kDotRows <= block.m ? kDotRows : 1;
    for (int64_t j = 0; j < block.n; j += kDotColumns) {
      const int columns = block.n - j < kDotColumns ? static_cast<int>(block.n - j) : kDotColumns;
      rows == kDotRows ? dot_tile<kDotRows>(block, i, j, columns) : dot_tile<1>(block, i, j, columns);
    }
    activate(block, block.c + i * block.c_stride, rows, block.n);
  }
}

constexpr GemmKernels kGemmKernels = {kTileRows,   kTileColumns,           kBlocking.kc,    kBlocking.nc, kLanes,
                                      kPackedRows, kBlocking.packing_rows, multiply_kernel, dot_kernel,   pack_b_kernel};
