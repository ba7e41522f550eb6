// The transforms of Winograd's minimal filtering by tiles of 6×6 inputs, whose products are 36 for each channel:
// F(4×4, 3×3), which gives 4×4 outputs in place of 144 products, and F(3×3, 4×4), which gives what as many cotangents
// add to the 3×3 elements of a kernel. A. Lavin and S. Gray, "Fast Algorithms for Convolutional Neural Networks"
// (2016). The points are 0, 1, −1, ½, −2 and ∞, whose errors are least: B. Barabasz et al., "Error Analysis and
// Improving the Accuracy of Winograd Convolution for Deep Neural Networks" (2020).
//
// The lanes are channels, or filters, of a pixel. What stands at the same place of all tiles is a matrix; there are 36,
// `stride` floats apart.
#pragma once

#include "kernels/gemm_kernels.h"
#include "kernels/pooling.h"
#include "kernels/vector_loop.h"
#include "simd/vectors.h"

constexpr int kTilePlaces = 6;

// [1 −1½ −2 1½ 1 0; 0 −1 ½ 2½ 1 0; 0 1 −2½ ½ 1 0; 0 −2 −1 2 1 0; 0 ½ −1 −½ 1 0; 0 1 −1½ −2 1½ 1] · d: of inputs.
GALVANI_INLINED inline void spread_places(const F32 (&d)[6], F32 (&places)[kTilePlaces]) {
  const F32 half = broadcast(0.5f), two = broadcast(2.0f), more = broadcast(1.5f), most = broadcast(2.5f);
  const F32 odd = d[3] - d[1], even = d[4] - d[2];
  places[0] = fma(more, odd, fnma(two, d[2], d[0] + d[4]));
  places[1] = fma(most, d[3], fma(half, d[2], d[4] - d[1]));
  places[2] = fnma(most, d[2], fma(half, d[3], d[4] + d[1]));
  places[3] = fma(two, odd, even);
  places[4] = fnma(half, odd, even);
  places[5] = fma(more, even, fnma(two, d[3], d[1] + d[5]));
}

// [1 0 0 0; 1 1 1 1; 1 −1 1 −1; 8 4 2 1; 1 −2 4 −8; 0 0 0 1] · g: of cotangents, whose factors gather_three has.
GALVANI_INLINED inline void spread_places(const F32 (&g)[4], F32 (&places)[kTilePlaces]) {
  const F32 two = broadcast(2.0f), even = g[0] + g[2], odd = g[1] + g[3];
  places[0] = g[0];
  places[1] = even + odd;
  places[2] = even - odd;
  places[3] = fma(two, fma(two, fma(two, g[0], g[1]), g[2]), g[3]);
  places[4] = fnma(two, fnma(two, fnma(two, g[3], g[2]), g[1]), g[0]);
  places[5] = g[3];
}

// [1 0 0; ⅓ ⅓ ⅓; −⅓ ⅓ −⅓; −16⁄15 −8⁄15 −4⁄15; 1⁄15 −2⁄15 4⁄15; 0 0 1] · w: of kernels.
GALVANI_INLINED inline void spread_places(const F32 (&w)[3], F32 (&places)[kTilePlaces]) {
  const F32 third = broadcast(1.0f / 3), two = broadcast(2.0f), even = w[0] + w[2];
  places[0] = w[0];
  places[1] = third * (even + w[1]);
  places[2] = third * (w[1] - even);
  places[3] = broadcast(-4.0f / 15) * fma(two, fma(two, w[0], w[1]), w[2]);
  places[4] = broadcast(1.0f / 15) * fma(two, fma(two, w[2], broadcast(0.0f) - w[1]), w[0]);
  places[5] = w[2];
}

// The places of what read(row, column) gives of a tile of kSide×kSide.
template <int kSide, class Read, class Write>
GALVANI_INLINED inline void spread_tile(Read&& read, Write&& write) {
  F32 columns[kTilePlaces][kSide];
  GALVANI_UNROLL for (int column = 0; column < kSide; ++column) {
    F32 given[kSide], places[kTilePlaces];
    GALVANI_UNROLL for (int row = 0; row < kSide; ++row) given[row] = read(row, column);
    spread_places(given, places);
    GALVANI_UNROLL for (int place = 0; place < kTilePlaces; ++place) columns[place][column] = places[place];
  }
  GALVANI_UNROLL for (int row = 0; row < kTilePlaces; ++row) {
    F32 places[kTilePlaces];
    spread_places(columns[row], places);
    GALVANI_UNROLL for (int place = 0; place < kTilePlaces; ++place) write(kTilePlaces * row + place, places[place]);
  }
}

template <int kSide>
inline void spread_tiles(const float* pixels, int64_t pitch, int64_t row_pitch, int64_t tiles, float* out,
                         int64_t stride) {
  for (int64_t tile = 0; tile < tiles; ++tile) {
    for (int64_t i = 0; i < pitch; i += kLanes) {
      const float* const from = pixels + 4 * tile * pitch + i;
      float* const to = out + tile * pitch + i;
      spread_tile<kSide>([&](int row, int column)
                             GALVANI_INLINED { return load(from + row * row_pitch + column * pitch); },
                         [&](int place, F32 value) GALVANI_INLINED { store(to + place * stride, value); });
    }
  }
}

// A row of tiles, of pixels that are `pitch` floats apart, whole vectors, in rows that are `row_pitch` apart; tiles are
// `pitch` floats apart too.
inline void spread_pixels_kernel(const float* pixels, int64_t pitch, int64_t row_pitch, int64_t tiles, float* out,
                                 int64_t stride) {
  spread_tiles<6>(pixels, pitch, row_pitch, tiles, out, stride);
}

inline void spread_cotangents_kernel(const float* pixels, int64_t pitch, int64_t row_pitch, int64_t tiles, float* out,
                                     int64_t stride) {
  spread_tiles<4>(pixels, pitch, row_pitch, tiles, out, stride);
}

// Of n kernels, whole vectors, whose elements (p, q) are at w[(3p + q)·element_stride + i].
inline void spread_weights_kernel(const float* w, int64_t element_stride, int64_t n, float* out, int64_t stride) {
  for (int64_t i = 0; i < n; i += kLanes) {
    spread_tile<3>([&](int p, int q) GALVANI_INLINED { return load(w + (3 * p + q) * element_stride + i); },
                   [&](int place, F32 value) GALVANI_INLINED { store(out + place * stride + i, value); });
  }
}

// [1 1 1 1 1 0; 0 1 −1 ½ −2 0; 0 1 1 ¼ 4 0; 0 1 −1 ⅛ −8 1] · m.
GALVANI_INLINED inline void gather_places(const F32 (&m)[kTilePlaces], F32 (&outputs)[4]) {
  const F32 even = m[1] + m[2], odd = m[1] - m[2];
  outputs[0] = (m[0] + even) + (m[3] + m[4]);
  outputs[1] = fnma(broadcast(2.0f), m[4], fma(broadcast(0.5f), m[3], odd));
  outputs[2] = fma(broadcast(4.0f), m[4], fma(broadcast(0.25f), m[3], even));
  outputs[3] = fnma(broadcast(8.0f), m[4], fma(broadcast(0.125f), m[3], odd + m[5]));
}

// [1 ⅓ −⅓ −2⁄15 1⁄15 0; 0 ⅓ ⅓ −1⁄15 −2⁄15 0; 0 ⅓ −⅓ −1⁄30 4⁄15 1] · m.
GALVANI_INLINED inline void gather_places(const F32 (&m)[kTilePlaces], F32 (&elements)[3]) {
  const F32 third = broadcast(1.0f / 3), fifteenth = broadcast(1.0f / 15);
  const F32 even = third * (m[1] + m[2]), odd = third * (m[1] - m[2]);
  const F32 near = fifteenth * m[3], far = fifteenth * m[4];
  elements[0] = fnma(broadcast(2.0f), near, (m[0] + odd) + far);
  elements[1] = fnma(broadcast(2.0f), far, even - near);
  elements[2] = fma(broadcast(4.0f), far, fnma(broadcast(0.5f), near, odd + m[5]));
}

// kSide×kSide sums of what read(place) gives.
template <int kSide, class Read>
GALVANI_INLINED inline void gather_tile(Read&& read, F32 (&sums)[kSide][kSide]) {
  F32 rows[kSide][kTilePlaces];
  GALVANI_UNROLL for (int column = 0; column < kTilePlaces; ++column) {
    F32 m[kTilePlaces], gathered[kSide];
    GALVANI_UNROLL for (int row = 0; row < kTilePlaces; ++row) m[row] = read(kTilePlaces * row + column);
    gather_places(m, gathered);
    GALVANI_UNROLL for (int row = 0; row < kSide; ++row) rows[row][column] = gathered[row];
  }
  GALVANI_UNROLL for (int row = 0; row < kSide; ++row) gather_places(rows[row], sums[row]);
}

// 0, or NaN where one is not finite.
template <int kSide>
GALVANI_INLINED inline F32 zero_of(const F32 (&sums)[kSide][kSide]) {
  F32 zeros = zero();
  GALVANI_UNROLL for (int row = 0; row < kSide; ++row) {
    GALVANI_UNROLL for (int column = 0; column < kSide; ++column) {
      zeros = zeros + (sums[row][column] - sums[row][column]);
    }
  }
  return zeros;
}

// A tile's outputs, or the greatest of each 2×2 of them.
GALVANI_INLINED inline void write_outputs(const F32 (&y)[4][4], bool is_pooled, float* to, int64_t pitch,
                                          int64_t row_pitch) {
  if (!is_pooled) {
    GALVANI_UNROLL for (int row = 0; row < 4; ++row) {
      GALVANI_UNROLL for (int column = 0; column < 4; ++column) {
        store(to + row * row_pitch + column * pitch, y[row][column]);
      }
    }
    return;
  }
  GALVANI_UNROLL for (int row = 0; row < 2; ++row) {
    GALVANI_UNROLL for (int column = 0; column < 2; ++column) {
      const Pairs upper = {y[2 * row][2 * column], y[2 * row][2 * column + 1]};
      const Pairs lower = {y[2 * row + 1][2 * column], y[2 * row + 1][2 * column + 1]};
      store(to + row * row_pitch + column * pitch, greatest_of_pairs(upper, lower));
    }
  }
}

template <Activation kActivation>
inline bool gather_outputs_of(const float* m, int64_t stride, int64_t pitch, int64_t tiles, const OutputFinish& finish,
                              float* pixels) {
  F32 zeros = zero();
  const int64_t side = finish.is_pooled ? 2 : 4;
  for (int64_t tile = 0; tile < tiles; ++tile) {
    for (int64_t i = 0; i < pitch; i += kLanes) {
      F32 y[4][4];
      gather_tile([&](int place) GALVANI_INLINED { return load(m + place * stride + tile * pitch + i); }, y);
      zeros = zeros + zero_of(y);
      const F32 bias = load(finish.bias + i);
      GALVANI_UNROLL for (int row = 0; row < 4; ++row) {
        GALVANI_UNROLL for (int column = 0; column < 4; ++column) {
          y[row][column] = activated<kActivation>(y[row][column] + bias, finish.slope);
        }
      }
      write_outputs(y, finish.is_pooled, pixels + side * tile * pitch + i, pitch, side * tiles * pitch);
    }
  }
  return !any(zeros != zero());
}

// The outputs of a row of tiles, or their pooling by 2×2, in rows that follow each other; whether all of them were
// finite before the bias.
inline bool gather_outputs_kernel(const float* m, int64_t stride, int64_t pitch, int64_t tiles,
                                  const OutputFinish& finish, float* pixels) {
  const auto gather = [&](auto of) { return of(m, stride, pitch, tiles, finish, pixels); };
  switch (finish.activation) {
    case Activation::k_relu: return gather(gather_outputs_of<Activation::k_relu>);
    case Activation::k_leakyRelu: return gather(gather_outputs_of<Activation::k_leakyRelu>);
    case Activation::k_sigmoid: return gather(gather_outputs_of<Activation::k_sigmoid>);
    case Activation::k_tanh: return gather(gather_outputs_of<Activation::k_tanh>);
    case Activation::k_none:
    case Activation::count: break;
  }
  return gather(gather_outputs_of<Activation::k_none>);
}

// Of n kernels, one to a lane, the elements (p, q) at out[(3p + q)·out_stride + i]; whether all of them are finite.
inline bool gather_kernels_kernel(const float* m, int64_t stride, int64_t n, float* out, int64_t out_stride) {
  F32 zeros = zero();
  for_each_vector<1>(0, n, [&](int64_t i, auto lanes) {
    F32 elements[3][3];
    gather_tile([&](int place) GALVANI_INLINED { return lanes.read(m + place * stride + i); }, elements);
    zeros = zeros + zero_of(elements);
    GALVANI_UNROLL for (int tap = 0; tap < 9; ++tap) {
      lanes.write(out + tap * out_stride + i, elements[tap / 3][tap % 3]);
    }
  });
  return !any(zeros != zero());
}
