// What attention and its gradient share: the matrices of their operands, and products of blocks of them.
#pragma once

#include <algorithm>

#include "executor/prepared_instruction.h"

namespace galvani {

constexpr int64_t kQueries = 64, kKeys = 128;  // of a block

// One matrix of an operand.
template <typename T>
struct Matrix {
  const T* data;
  int64_t row_stride, column_stride;
  const T* row(int64_t i) const { return data + i * row_stride; }
};

// The matrix of `view` at position `batch` of the leading axes.
template <typename T>
Matrix<T> matrix_at(const StridedView& view, int64_t batch, const T* data) {
  int64_t offset = view.offset;
  for (int axis = view.rank - 3; axis >= 0; --axis) {
    offset += batch % view.shape[axis] * view.strides[axis];
    batch /= view.shape[axis];
  }
  return {data + offset, view.strides[view.rank - 2], view.strides[view.rank - 1]};
}

// Some queries and some of the keys.
struct ScoreBlock {
  int64_t query, queries, key, keys;
};

// Gives `value` to the scores of keys after the query of their row.
inline void set_later(float* scores, const ScoreBlock& range, float value) {
  for (int64_t i = 0; i < range.queries; ++i) {
    const int64_t first = std::clamp<int64_t>(range.query + i + 1 - range.key, 0, range.keys);
    std::fill(scores + i * kKeys + first, scores + i * kKeys + range.keys, value);
  }
}

inline GemmBlock block_of(int64_t m, int64_t n, float* c, int64_t c_stride) {
  GemmBlock block = {};
  block.m = m;
  block.n = n;
  block.a_column_stride = 1;
  block.c = c;
  block.c_stride = c_stride;
  block.is_last = true;
  return block;
}

inline int64_t packed_depth(int64_t depth, const GemmKernels& kernels) { return std::min(depth, kernels.kc); }

// scores = a·bᵀ, for rows of queries and of keys that are `depth` long. `packed` has room for packed_depth() · kKeys.
inline void multiply_rows(const float* a, int64_t a_stride, const float* b, int64_t b_stride, int64_t depth,
                          const ScoreBlock& range, const GemmKernels& kernels, float* packed, float* scores) {
  GemmBlock block = block_of(range.queries, range.keys, scores, kKeys);
  int64_t p = 0;
  do {
    block.k = std::min(packed_depth(depth, kernels), depth - p);
    kernels.pack_b(b + p, 1, b_stride, block.k, block.n, packed);
    block.a = a + p;
    block.a_row_stride = a_stride;
    block.b = packed;
    block.b_is_packed = true;
    block.accumulate = p > 0;
    p += block.k;
    kernels.multiply(block);
  } while (p < depth);
}

}  // namespace galvani
