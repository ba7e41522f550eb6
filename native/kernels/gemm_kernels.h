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

inline int columns_of_tile(const GemmBlock& block, int64_t j) {
  const int64_t left = block.n - j;
  if (left >= kTileColumns) return kTileColumns;
  const int columns = static_cast<int>(left);
  return block.b_is_packed || columns < kLanes ? columns : columns / kLanes * kLanes;
}

static void multiply_kernel(const GemmBlock& block) {
  const bool adjacent_rows = block.a_row_stride == 1;
  const bool adds_bias = block.is_last && block.bias != nullptr;
  const bool has_relu = block.is_last && block.activation == Activation::k_relu;
  const bool activates = block.is_last && block.activation != Activation::k_none && !has_relu;
  Tile tile = {};
  tile.k = block.k;
  tile.c_stride = block.c_stride;
  tile.accumulate = block.accumulate;
  tile.bias_stride = block.bias_stride;
  tile.has_relu = has_relu;
  for (int64_t i = 0; i < block.m; i += kTileRows) {
    const int rows = block.m - i < kTileRows ? static_cast<int>(block.m - i) : kTileRows;
    tile.a = block.a + i * block.a_row_stride;
    tile.a_stride = adjacent_rows ? block.a_column_stride : block.a_row_stride;
    for (int64_t j = 0; j < block.n; j += tile.columns) {
      tile.columns = columns_of_tile(block, j);
      tile.b = block.b_is_packed ? block.b + j * block.k : block.b + j;
      tile.b_stride = block.b_is_packed ? (tile.columns + kLanes - 1) / kLanes * kLanes : block.b_stride;
      tile.c = block.c + i * block.c_stride + j;
      if (adds_bias) tile.bias = block.bias + j * block.bias_stride;
      adjacent_rows ? multiply_columns<kBlocking.vectors, true>(rows, block.b_is_packed, tile)
                    : multiply_columns<kBlocking.vectors, false>(rows, block.b_is_packed, tile);
      if (activates) activate(block, tile.c, rows, tile.columns);
    }
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

constexpr GemmKernels kGemmKernels = {kTileRows, kTileColumns, kBlocking.kc, kBlocking.nc, kLanes,
                                      kBlocking.packing_rows, multiply_kernel, dot_kernel, pack_b_kernel};
