// The transforms of F(3×3, 4×4), Winograd's filtering for the gradients of kernels: 36 products instead of 144 give
// what a tile of 4×4 cotangents, which reaches over 6×6 inputs, adds to the 3×3 elements of a kernel. They are those of
// the points 0, ±1, ±½ and ∞, whose constants are left to the last transform. The lanes are channels, or filters, of a
// pixel: what stands at the same place of all tiles is a matrix; there are 36, `stride` floats apart.
#pragma once

#include "kernels/vector_loop.h"
#include "simd/vectors.h"

constexpr int kTilePlaces = 6;

// [¼ 0 −1¼ 0 1 0; 0 −¼ −¼ 1 1 0; 0 ¼ −¼ −1 1 0; 0 −½ −1 ½ 1 0; 0 ½ −1 −½ 1 0; 0 ¼ 0 −1¼ 0 1] · d.
GALVANI_INLINED inline void spread_places(const F32 (&d)[6], F32 (&places)[kTilePlaces]) {
  const F32 quarter = broadcast(0.25f), half = broadcast(0.5f);
  const F32 even = d[4] - d[2], odd = d[3] - d[1];
  const F32 even_of_one = fnma(quarter, d[2], d[4]), odd_of_one = fnma(quarter, d[1], d[3]);
  places[0] = fma(quarter, d[0] - d[2], even);
  places[1] = even_of_one + odd_of_one;
  places[2] = even_of_one - odd_of_one;
  places[3] = fma(half, odd, even);
  places[4] = fnma(half, odd, even);
  places[5] = fnma(quarter, odd, d[5] - d[3]);
}

// [1 0 0 0; 1 1 1 1; 1 −1 1 −1; 8 4 2 1; 8 −4 2 −1; 0 0 0 1] · g.
GALVANI_INLINED inline void spread_places(const F32 (&g)[4], F32 (&places)[kTilePlaces]) {
  const F32 two = broadcast(2.0f), four = broadcast(4.0f);
  const F32 even = g[0] + g[2], odd = g[1] + g[3];
  const F32 half_even = fma(four, g[0], g[2]), odd_of_half = fma(four, g[1], g[3]);
  places[0] = g[0];
  places[1] = even + odd;
  places[2] = even - odd;
  places[3] = fma(two, half_even, odd_of_half);
  places[4] = fms(two, half_even, odd_of_half);
  places[5] = g[3];
}

// The places of one tile of kSide×kSide, from its first pixel on.
template <int kSide>
GALVANI_INLINED inline void spread_tile(const float* pixels, int64_t pitch, int64_t row_pitch, float* to,
                                        int64_t stride) {
  F32 columns[kTilePlaces][kSide];
  GALVANI_UNROLL for (int column = 0; column < kSide; ++column) {
    F32 given[kSide], places[kTilePlaces];
    GALVANI_UNROLL for (int row = 0; row < kSide; ++row) given[row] = load(pixels + row * row_pitch + column * pitch);
    spread_places(given, places);
    GALVANI_UNROLL for (int place = 0; place < kTilePlaces; ++place) columns[place][column] = places[place];
  }
  GALVANI_UNROLL for (int row = 0; row < kTilePlaces; ++row) {
    F32 places[kTilePlaces];
    spread_places(columns[row], places);
    GALVANI_UNROLL for (int place = 0; place < kTilePlaces; ++place) {
      store(to + (kTilePlaces * row + place) * stride, places[place]);
    }
  }
}

template <int kSide>
inline void spread_tiles(const float* pixels, int64_t pitch, int64_t row_pitch, int64_t tiles, float* out,
                         int64_t stride) {
  for (int64_t tile = 0; tile < tiles; ++tile) {
    for (int64_t i = 0; i < pitch; i += kLanes) {
      spread_tile<kSide>(pixels + 4 * tile * pitch + i, pitch, row_pitch, out + tile * pitch + i, stride);
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

// [4 ⅔ ⅔ −⅓ −⅓ 0; 0 ⅔ −⅔ −⅙ ⅙ 0; 0 ⅔ ⅔ −1⁄12 −1⁄12 1] · m.
inline void gather_three(const F32 (&m)[kTilePlaces], F32 (&elements)[3]) {
  const F32 ones = broadcast(2.0f / 3), halves = broadcast(1.0f / 3), four = broadcast(4.0f);
  const F32 even = ones * (m[1] + m[2]), odd = ones * (m[1] - m[2]);
  const F32 half_even = halves * (m[3] + m[4]), half_odd = halves * (m[3] - m[4]);
  elements[0] = fma(four, m[0], even - half_even);
  elements[1] = fnma(broadcast(0.5f), half_odd, odd);
  elements[2] = fnma(broadcast(0.25f), half_even, even + m[5]);
}

// Of n kernels, one to a lane, the elements (p, q) at out[(3p + q)·out_stride + i]; whether all of them are finite.
inline bool gather_kernels_kernel(const float* sums, int64_t stride, int64_t n, float* out, int64_t out_stride) {
  F32 zeros = zero();
  for_each_vector<1>(0, n, [&](int64_t i, auto lanes) {
    F32 rows[3][kTilePlaces];
    GALVANI_UNROLL for (int column = 0; column < kTilePlaces; ++column) {
      F32 m[kTilePlaces], elements[3];
      GALVANI_UNROLL for (int row = 0; row < kTilePlaces; ++row) {
        m[row] = lanes.read(sums + (kTilePlaces * row + column) * stride + i);
      }
      gather_three(m, elements);
      GALVANI_UNROLL for (int p = 0; p < 3; ++p) rows[p][column] = elements[p];
    }
    GALVANI_UNROLL for (int p = 0; p < 3; ++p) {
      F32 elements[3];
      gather_three(rows[p], elements);
      GALVANI_UNROLL for (int q = 0; q < 3; ++q) {
        zeros = zeros + (elements[q] - elements[q]);
        lanes.write(out + (3 * p + q) * out_stride + i, elements[q]);
      }
    }
  });
  return !any(zeros != zero());
}
