// Matrix multiplication below the cache blocks of gemm/gemm.cc: tiles of C in registers, and the packing of B.
//
// A is read where it lies: a tile broadcasts its elements one by one, so that a row of A is a sequential stream and a
// panel of mr rows stays in L1 while it meets all panels of B. B is streamed from L2, where its block lies, in its own
// rows or packed.
#pragma once

struct GemmBlocking {
  int rows, vectors;  // the tile: rows × (vectors · kLanes) of C
  int64_t kc, nc;
  int64_t packing_rows;
};

// Measured on Zen 4. A tile needs (rows + 1)·vectors + 1 registers, of 32 with AVX-512 and arm64, 16 before; 12 to 24
// independent sums cover the latency of 8 to 10 of them; and rows : vectors balances the loads of A and B. kc·nc
// floats are some 600 kB, or 400 kB where L2 may be small; a whole number of tiles. Narrow vectors read B more often
// per multiplication, so packing it pays sooner.
constexpr GemmBlocking gemm_blocking() {
  if (kLanes == 16) return {8, 3, 400, 384, 256};
  if (kLanes == 8) return {4, 3, 256, 384, 32};
  return {4, 2, 256, 384, 32};
}

constexpr GemmBlocking kBlocking = gemm_blocking();
constexpr int kTileRows = kBlocking.rows;
constexpr int kTileColumns = kBlocking.vectors * kLanes;
constexpr int kDotRows = 2;
constexpr int kDotColumns = 4;

// The arrays of a tile stay in registers only where the loops over them vanish before the compiler looks.
#define GALVANI_UNROLL _Pragma("GCC unroll 8")

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

// c[rows × columns] = or += a · b. Element (i, p) of a is at a[i + p·a_stride] (kAdjacentRows) or a[i·a_stride + p].
// The last vector of columns may be partial in C, and with kRagged in B too.
template <int kRows, int kVectors, bool kAdjacentRows, bool kRagged>
__attribute__((noinline)) void multiply_tile(const Tile& t) {
  const int last = (kVectors - 1) * kLanes;
  const int tail = t.columns - last;
  const float* a = t.a;
  const float* b = t.b;
  float* const c = t.c;
  const int64_t a_stride = t.a_stride, b_stride = t.b_stride, c_stride = t.c_stride;
  F32 sums[kRows][kVectors];
  GALVANI_UNROLL for (int i = 0; i < kRows; ++i) {
    GALVANI_UNROLL for (int v = 0; v < kVectors; ++v) {
      __builtin_prefetch(c + i * c_stride + v * kLanes);
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
    if (kAdjacentRows) __builtin_prefetch(a + kTileRows);  // the next panel: its lines are too far apart to be foreseen
    a += kAdjacentRows ? a_stride : 1;
    b += b_stride;
  }
  const auto is_partial = [&](int v) { return v == kVectors - 1 && tail != kLanes; };
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

template <int kRows, int kVectors, bool kAdjacentRows, bool kRagged>
inline void multiply_rows(int rows, const Tile& tile) {
  if constexpr (kRows > 1) {
    if (rows < kRows) return multiply_rows<kRows - 1, kVectors, kAdjacentRows, kRagged>(rows, tile);
  }
  multiply_tile<kRows, kVectors, kAdjacentRows, kRagged>(tile);
}

// A B that is not padded is ragged in a tile of one vector only, to which columns_of_tile() sees.
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

inline int columns_of_tile(const GemmBlock& block, int64_t j) {
  const int64_t left = block.n - j;
  if (left >= kTileColumns) return kTileColumns;
  const int columns = static_cast<int>(left);
  return block.b_is_packed || columns < kLanes ? columns : columns / kLanes * kLanes;
}

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

typedef float Quad __attribute__((vector_size(16)));
typedef int32_t QuadIndices __attribute__((vector_size(16)));
#if defined(__clang__)
#define GALVANI_SHUFFLE(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#else
#define GALVANI_SHUFFLE(a, b, i, j, k, l) __builtin_shuffle(a, b, QuadIndices{i, j, k, l})
#endif

inline Quad load_quad(const float* p) {
  Quad q;
  __builtin_memcpy(&q, p, sizeof(q));
  return q;
}
inline void store_quad(float* p, Quad q) { __builtin_memcpy(p, &q, sizeof(q)); }

// to[p][j] = from[j][p] for j and p in [0, 4).
inline void transpose_4x4(const float* from, int64_t from_stride, float* to, int64_t to_stride) {
  const Quad a = load_quad(from), b = load_quad(from + from_stride);
  const Quad c = load_quad(from + 2 * from_stride), d = load_quad(from + 3 * from_stride);
  const Quad ab_low = GALVANI_SHUFFLE(a, b, 0, 4, 1, 5), ab_high = GALVANI_SHUFFLE(a, b, 2, 6, 3, 7);
  const Quad cd_low = GALVANI_SHUFFLE(c, d, 0, 4, 1, 5), cd_high = GALVANI_SHUFFLE(c, d, 2, 6, 3, 7);
  store_quad(to, GALVANI_SHUFFLE(ab_low, cd_low, 0, 1, 4, 5));
  store_quad(to + to_stride, GALVANI_SHUFFLE(ab_low, cd_low, 2, 3, 6, 7));
  store_quad(to + 2 * to_stride, GALVANI_SHUFFLE(ab_high, cd_high, 0, 1, 4, 5));
  store_quad(to + 3 * to_stride, GALVANI_SHUFFLE(ab_high, cd_high, 2, 3, 6, 7));
}
#undef GALVANI_SHUFFLE

// to[p][j] = from[j][p] for j in [0, columns) and p in [0, k), the rows of `to` being `width` long and padded with 0.
// By 16 steps of k, a line of memory of each column.
inline void pack_transposed(const float* from, int64_t from_stride, int64_t k, int columns, int width, float* to) {
  constexpr int kSteps = 16;
  const int quads = columns / 4 * 4;
  for (int64_t begin = 0; begin < k; begin += kSteps) {
    const int64_t end = begin + kSteps < k ? begin + kSteps : k;
    for (int j = 0; j < quads; j += 4) {
      int64_t p = begin;
      for (; p + 4 <= end; p += 4) transpose_4x4(from + j * from_stride + p, from_stride, to + p * width + j, width);
      for (; p < end; ++p) {
        for (int c = j; c < j + 4; ++c) to[p * width + c] = from[c * from_stride + p];
      }
    }
    for (int64_t p = begin; p < end; ++p) {
      for (int j = quads; j < width; ++j) to[p * width + j] = j < columns ? from[j * from_stride + p] : 0.0f;
    }
  }
}

inline void pack_rows(const float* from, int64_t from_stride, int64_t k, int columns, int width, float* to) {
  const int last = width - kLanes;
  for (int64_t p = 0; p < k; ++p) {
    for (int j = 0; j < last; j += kLanes) store(to + j, load(from + j));
    store(to + last, load_partial(from + last, columns - last));
    from += from_stride;
    to += width;
  }
}

static void pack_b_kernel(const float* b, int64_t row_stride, int64_t column_stride, int64_t k, int64_t n, float* packed) {
  for (int64_t j = 0; j < n; j += kTileColumns) {
    const int columns = n - j < kTileColumns ? static_cast<int>(n - j) : kTileColumns;
    const int width = (columns + kLanes - 1) / kLanes * kLanes;
    if (column_stride == 1) {
      pack_rows(b + j, row_stride, k, columns, width, packed + j * k);
    } else {
      pack_transposed(b + j * column_stride, column_stride, k, columns, width, packed + j * k);
    }
  }
}

constexpr GemmKernels kGemmKernels = {kTileRows, kTileColumns, kBlocking.kc, kBlocking.nc, kLanes,
                                      kBlocking.packing_rows, multiply_kernel, dot_kernel, pack_b_kernel};
