// Convolutions of few channels, by windows that step by one: their products are so short that unfolding the image, and
// writing the sums, would take longer. Filters are gone through while a piece of a row of outputs is in registers.
#pragma once

#include "kernels/convolution.h"
#include "kernels/gemm_kernels.h"
#include "kernels/reduce.h"
#include "kernels/vector_loop.h"
#include "simd/vectors.h"

// Rows of the padded planes that the windows of outputs reach over.
struct PaddedPlanes {
  const float* x;
  int64_t channels, pitch, size;
};

inline PaddedPlanes pad_planes(const Windows& w, const float* planes, int64_t channels, int64_t first, int64_t rows,
                               float* padded) {
  const int64_t reached = rows_reached(w, rows), pitch = columns_reached(w, w.out_width);
  for (int64_t c = 0; c < channels; ++c) {
    pad_plane(w, planes + c * w.height * w.width, first - w.pad_top, -w.pad_left, reached, pitch,
              padded + c * reached * pitch);
  }
  return {padded, channels, pitch, reached * pitch};
}

struct DirectFilters {
  const float* weight;
  int64_t depth;
  const float* bias;  // null, or of each
  float slope;
  float* y;  // their first row
  int64_t y_plane;
};

// Some vectors of outputs from `column` of a row on, of some filters, of which the last vector may be a part.
template <Activation kActivation, int kFilters, int kVectors>
GALVANI_INLINED inline void convolve_piece(const Windows& w, const PaddedPlanes& planes, const DirectFilters& filters,
                                           int64_t row, int64_t column) {
  F32 sums[kFilters][kVectors];
  for (int f = 0; f < kFilters; ++f) {
    for (int v = 0; v < kVectors; ++v) sums[f][v] = zero();
  }
  const float* weight = filters.weight;
  for (int64_t c = 0; c < planes.channels; ++c) {
    for (int64_t p = 0; p < w.kernel_height; ++p) {
      const float* const from = planes.x + c * planes.size + (row + p * w.dilation_height) * planes.pitch + column;
      for (int64_t q = 0; q < w.kernel_width; ++q, ++weight) {
        F32 x[kVectors];
        for (int v = 0; v < kVectors; ++v) x[v] = load(from + q * w.dilation_width + v * kLanes);
        for (int f = 0; f < kFilters; ++f) {
          const F32 factor = broadcast(weight[f * filters.depth]);
          for (int v = 0; v < kVectors; ++v) sums[f][v] = fma(x[v], factor, sums[f][v]);
        }
      }
    }
  }
  const int64_t left = w.out_width - column - (kVectors - 1) * kLanes;
  for (int f = 0; f < kFilters; ++f) {
    const F32 bias = broadcast(filters.bias == nullptr ? 0.0f : filters.bias[f]);
    float* const to = filters.y + f * filters.y_plane + row * w.out_width + column;
    for (int v = 0; v < kVectors; ++v) {
      const F32 value = activated<kActivation>(sums[f][v] + bias, filters.slope);
      if (v + 1 < kVectors || left >= kLanes) {
        store(to + v * kLanes, value);
      } else {
        store_partial(to + v * kLanes, value, static_cast<int>(left));
      }
    }
  }
}

template <Activation kActivation, int kFilters>
inline void convolve_rows(const Windows& w, const PaddedPlanes& planes, const DirectFilters& filters, int64_t rows) {
  for (int64_t row = 0; row < rows; ++row) {
    int64_t column = 0;
    for (; column + kLanes < w.out_width; column += 2 * kLanes) {
      convolve_piece<kActivation, kFilters, 2>(w, planes, filters, row, column);
    }
    if (column < w.out_width) convolve_piece<kActivation, kFilters, 1>(w, planes, filters, row, column);
  }
}

template <Activation kActivation>
inline void convolve_filters(const Windows& w, const PaddedPlanes& planes, DirectFilters filters, int64_t count,
                             int64_t rows) {
  const auto advance = [&](int64_t done) {
    filters.weight += done * filters.depth;
    filters.y += done * filters.y_plane;
    if (filters.bias != nullptr) filters.bias += done;
    count -= done;
  };
  for (; count >= 4; advance(4)) convolve_rows<kActivation, 4>(w, planes, filters, rows);
  for (; count > 0; advance(1)) convolve_rows<kActivation, 1>(w, planes, filters, rows);
}

// Rows [first, first + rows) of the outputs of all filters, whose planes begin at y.
inline void convolve_directly_kernel(const Windows& w, const float* x, int64_t channels, int64_t first, int64_t rows,
                                     const float* weight, int64_t count, const ConvolutionEpilogue& epilogue,
                                     float* padded, float* y) {
  const PaddedPlanes planes = pad_planes(w, x, channels, first, rows, padded);
  const DirectFilters filters = {weight,
                                 channels * w.kernel_height * w.kernel_width,
                                 epilogue.bias,
                                 epilogue.slope,
                                 y + first * w.out_width,
                                 w.out_height * w.out_width};
  switch (epilogue.activation) {
    case Activation::k_relu: return convolve_filters<Activation::k_relu>(w, planes, filters, count, rows);
    case Activation::k_leakyRelu: return convolve_filters<Activation::k_leakyRelu>(w, planes, filters, count, rows);
    case Activation::k_sigmoid: return convolve_filters<Activation::k_sigmoid>(w, planes, filters, count, rows);
    case Activation::k_tanh: return convolve_filters<Activation::k_tanh>(w, planes, filters, count, rows);
    case Activation::k_none:
    case Activation::count: break;
  }
  convolve_filters<Activation::k_none>(w, planes, filters, count, rows);
}

// The sums of the nine taps of some filters, for which each vector of x is read once.
template <int kFilters>
inline void add_weight_gradients(const Windows& w, const PaddedPlanes& x, const float* dy, int64_t filters,
                                 float* sums) {
  constexpr int kTaps = 9;
  const int64_t size = w.out_height * w.out_width;
  F32 sum[kFilters][kTaps];
  GALVANI_UNROLL
  for (int i = 0; i < kFilters * kTaps; ++i) sum[i / kTaps][i % kTaps] = zero();
  for (int64_t row = 0; row < w.out_height; ++row) {
    for_each_vector<1>(0, w.out_width, [&](int64_t column, auto lanes) {
      F32 given[kFilters];
      GALVANI_UNROLL
      for (int f = 0; f < kFilters; ++f) given[f] = lanes.read(dy + f * size + row * w.out_width + column);
      GALVANI_UNROLL
      for (int tap = 0; tap < kTaps; ++tap) {
        const float* const from =
            x.x + (row + tap / 3 * w.dilation_height) * x.pitch + column + tap % 3 * w.dilation_width;
        const F32 met = lanes.or_else(load(from), zero());
        GALVANI_UNROLL
        for (int f = 0; f < kFilters; ++f) sum[f][tap] = fma(given[f], met, sum[f][tap]);
      }
    });
  }
  GALVANI_UNROLL
  for (int f = 0; f < kFilters; ++f) {
    GALVANI_UNROLL
    for (int tap = 0; tap < kTaps; ++tap) sums[tap * filters + f] += first_lane(fold_lanes<Sum>(sum[f][tap]));
  }
}

// Of kernels of 3×3, adds Σ dy·x to sums[tap·filters + filter], of one plane of x and those of dy.
inline void direct_weight_gradient_kernel(const Windows& w, const float* plane, const float* dy, int64_t filters,
                                          float* padded, float* sums) {
  constexpr int kFilters = kLanes == 16 ? 3 : 1;  // as many as there are registers for
  const PaddedPlanes x = pad_planes(w, plane, 1, 0, w.out_height, padded);
  const int64_t size = w.out_height * w.out_width;
  int64_t filter = 0;
  for (; filter + kFilters <= filters; filter += kFilters) {
    add_weight_gradients<kFilters>(w, x, dy + filter * size, filters, sums + filter);
  }
  for (; filter < filters; ++filter) add_weight_gradients<1>(w, x, dy + filter * size, filters, sums + filter);
}
