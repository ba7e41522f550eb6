// The transforms of Winograd's minimal filtering: F(2×2, 3×3), by which 16 products instead of 36 give the 2×2 outputs
// of a 4×4 tile of the input, for each channel. A. Lavin and S. Gray, "Fast Algorithms for Convolutional Neural
// Networks" (2016). What stands at the same place of all tiles is a matrix; there are 16, `stride` floats apart.
#pragma once

#include "kernels/convolution.h"
#include "kernels/gemm_kernels.h"
#include "kernels/pooling.h"
#include "simd/vectors.h"

// Four vectors: of a row of places, or of a column.
struct Four {
  F32 a, b, c, d;
};

// G·g of the rows of a kernel: [1 0 0; ½ ½ ½; ½ −½ ½; 0 0 1].
inline Four spread_weights(F32 g0, F32 g1, F32 g2) {
  const F32 half = broadcast(0.5f), outer = half * (g0 + g2), inner = half * g1;
  return {g0, outer + inner, outer - inner, g2};
}

// Of n kernels, whose elements (p, q) are at w[(3p + q)·n + i], their 16 places at out[place·stride + i].
inline void spread_weights_kernel(const float* w, int64_t n, float* out, int64_t stride) {
  for_each_vector<1>(0, n, [&](int64_t i, auto lanes) {
    const auto at = [&](int element) { return lanes.read(w + element * n + i); };
    const Four columns[3] = {spread_weights(at(0), at(3), at(6)), spread_weights(at(1), at(4), at(7)),
                             spread_weights(at(2), at(5), at(8))};
    const auto write = [&](int row, F32 x, F32 y, F32 z) {
      const Four places = spread_weights(x, y, z);
      float* const to = out + 4 * row * stride + i;
      lanes.write(to, places.a);
      lanes.write(to + stride, places.b);
      lanes.write(to + 2 * stride, places.c);
      lanes.write(to + 3 * stride, places.d);
    };
    write(0, columns[0].a, columns[1].a, columns[2].a);
    write(1, columns[0].b, columns[1].b, columns[2].b);
    write(2, columns[0].c, columns[1].c, columns[2].c);
    write(3, columns[0].d, columns[1].d, columns[2].d);
  });
}

// Bᵀ·d: [1 0 −1 0; 0 1 1 0; 0 −1 1 0; 0 1 0 −1].
inline Four spread_inputs(F32 d0, F32 d1, F32 d2, F32 d3) { return {d0 - d2, d1 + d2, d2 - d1, d1 - d3}; }

// A row of the input, of as many tiles as a vector has lanes: they begin at every second element.
inline Four spread_row(const float* from) {
  const F32 a = load(from), b = load(from + kLanes), c = load(from + 2), d = load(from + kLanes + 2);
  return spread_inputs(even_lanes(a, b), odd_lanes(a, b), even_lanes(c, d), odd_lanes(c, d));
}

inline void write_places(F32 d0, F32 d1, F32 d2, F32 d3, float* to, int64_t stride) {
  const Four places = spread_inputs(d0, d1, d2, d3);
  store(to, places.a);
  store(to + 4 * stride, places.b);
  store(to + 8 * stride, places.c);
  store(to + 12 * stride, places.d);
}

// n zeros, and what is left of the last vector.
inline void write_zeros(float* to, int64_t n) {
  for (int64_t i = 0; i < n; i += kLanes) store(to + i, zero());
}

// As pad_plane, by whole vectors: what is written past the end of a row is written again, or beyond the last one.
inline void pad_rows(const Windows& w, const float* plane, int64_t top, int64_t rows, int64_t columns, float* padded) {
  const Inside met = inside(-w.pad_left, columns, w.width);
  const int64_t written = met.first + round_up(met.end - met.first, kLanes);
  for (int64_t row = top; row < top + rows; ++row, padded += columns) {
    if (row < 0 || row >= w.height || met.first == met.end) {
      write_zeros(padded, columns);
      continue;
    }
    write_zeros(padded, met.first);
    copy_run(plane + row * w.width + met.first - w.pad_left, padded + met.first, met.end - met.first);
    write_zeros(padded + written, columns - written);
  }
}

// Rows [first, first + rows) of the tiles of a plane, one after the other from `out` on. What is written past the end
// of a row, less than a vector, is written again. `padded` has room for what the tiles reach over, and two vectors.
inline void spread_inputs_kernel(const Windows& w, const float* plane, int64_t first, int64_t rows, float* padded,
                                 float* out, int64_t stride) {
  const int64_t tiles = (w.out_width + 1) / 2, pitch = 2 * tiles + 2;
  pad_rows(w, plane, 2 * first - w.pad_top, 2 * rows + 2, pitch, padded);
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t j = 0; j < tiles; j += kLanes) {
      const float* const from = padded + 2 * row * pitch + 2 * j;
      const Four x0 = spread_row(from), x1 = spread_row(from + pitch);
      const Four x2 = spread_row(from + 2 * pitch), x3 = spread_row(from + 3 * pitch);
      float* const to = out + row * tiles + j;
      write_places(x0.a, x1.a, x2.a, x3.a, to, stride);
      write_places(x0.b, x1.b, x2.b, x3.b, to + stride, stride);
      write_places(x0.c, x1.c, x2.c, x3.c, to + 2 * stride, stride);
      write_places(x0.d, x1.d, x2.d, x3.d, to + 3 * stride, stride);
    }
  }
}

// Aᵀ·m: [1 1 1 0; 0 1 −1 −1].
struct Two {
  F32 a, b;
};
inline Two gather_outputs(F32 m0, F32 m1, F32 m2, F32 m3) { return {m0 + m1 + m2, m1 - m2 - m3}; }

inline Two gather_column(const float* m, int64_t stride) {
  return gather_outputs(load(m), load(m + 4 * stride), load(m + 8 * stride), load(m + 12 * stride));
}

// The outputs of as many tiles as a vector has lanes: the upper and the lower rows of each.
struct TileOutputs {
  Two upper, lower;
};
inline TileOutputs gather_tiles(const float* m, int64_t stride) {
  const Two c0 = gather_column(m, stride), c1 = gather_column(m + stride, stride);
  const Two c2 = gather_column(m + 2 * stride, stride), c3 = gather_column(m + 3 * stride, stride);
  return {gather_outputs(c0.a, c1.a, c2.a, c3.a), gather_outputs(c0.b, c1.b, c2.b, c3.b)};
}

inline void write_interleaved(float* to, Pairs row, int elements) {
  const F32 low = from_bits(zip_low(bits(row.first), bits(row.second)));
  if (elements <= kLanes) return store_partial(to, low, elements);
  store(to, low);
  store_partial(to + kLanes, from_bits(zip_high(bits(row.first), bits(row.second))), elements - kLanes);
}

template <Activation kActivation>
inline Pairs finish_outputs(Two row, const OutputFinish& finish) {
  const F32 bias = broadcast(finish.bias);
  return {activated<kActivation>(row.a + bias, finish.slope), activated<kActivation>(row.b + bias, finish.slope)};
}

// 0, or NaN where one is not finite.
inline F32 zero_of(const TileOutputs& t) {
  return (t.upper.a - t.upper.a) + (t.upper.b - t.upper.b) + (t.lower.a - t.lower.a) + (t.lower.b - t.lower.b);
}

template <Activation kActivation>
inline bool gather_rows(const Windows& w, const float* m, int64_t stride, int64_t first, int64_t rows,
                        const OutputFinish& finish, float* plane) {
  const int64_t tiles = (w.out_width + 1) / 2;
  F32 zeros = zero();
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t y = 2 * (first + row);
    for (int64_t j = 0; j < tiles; j += kLanes) {
      const TileOutputs sums = gather_tiles(m + row * tiles + j, stride);
      zeros = zeros + select(first_lanes(lanes_left(tiles - j)), zero_of(sums), zero());
      const int64_t left = w.out_width - 2 * j;
      const int elements = static_cast<int>(left < 2 * kLanes ? left : 2 * kLanes);
      float* const to = plane + y * w.out_width + 2 * j;
      write_interleaved(to, finish_outputs<kActivation>(sums.upper, finish), elements);
      if (y + 1 < w.out_height) {
        write_interleaved(to + w.out_width, finish_outputs<kActivation>(sums.lower, finish), elements);
      }
    }
  }
  return !any(zeros != zero());
}

// The rows lie one after the other in both.
template <Activation kActivation>
inline bool gather_pooled_rows(const Windows& w, const float* m, int64_t stride, int64_t first, int64_t rows,
                               const OutputFinish& finish, float* plane) {
  const int64_t tiles = w.out_width / 2, count = rows * tiles;
  F32 zeros = zero();
  float* const to = plane + first * tiles;
  for (int64_t i = 0; i < count; i += kLanes) {
    const int lanes = lanes_left(count - i);
    const TileOutputs sums = gather_tiles(m + i, stride);
    zeros = zeros + select(first_lanes(lanes), zero_of(sums), zero());
    const F32 greatest = greatest_of_pairs(finish_outputs<kActivation>(sums.upper, finish),
                                           finish_outputs<kActivation>(sums.lower, finish));
    if (lanes == kLanes) {
      store(to + i, greatest);
    } else {
      store_partial(to + i, greatest, lanes);
    }
  }
  return !any(zeros != zero());
}

template <Activation kActivation>
inline bool gather_outputs_of(const Windows& w, const float* m, int64_t stride, int64_t first, int64_t rows,
                              const OutputFinish& finish, float* plane) {
  if (finish.is_pooled) return gather_pooled_rows<kActivation>(w, m, stride, first, rows, finish, plane);
  return gather_rows<kActivation>(w, m, stride, first, rows, finish, plane);
}

// The outputs of rows [first, first + rows) of the tiles of a plane; whether all of them were finite before the bias.
inline bool gather_outputs_kernel(const Windows& w, const float* m, int64_t stride, int64_t first, int64_t rows,
                                  const OutputFinish& finish, float* plane) {
  const auto gather = [&](auto of) { return of(w, m, stride, first, rows, finish, plane); };
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
