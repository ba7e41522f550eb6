// Products of int8: see quantizedMatmul in lib/program/schema.ts. Sums are exact, so that their order does not matter.
#pragma once

#include "kernels/vector_loop.h"
#include "math/piecewise.h"
#include "simd/vectors.h"

// Tiles of `rows` rows of x and `panels` panels of the weight, and of one row. A tile needs a register for each vector
// of sums and for those of the weight, twice as many without VNNI, and up to four more; a single row needs eight
// vectors of sums, as two units have a latency of four.
struct QuantizedTiles {
  int rows, panels, panels_of_row;
};
constexpr QuantizedTiles quantized_tiles() {
#if defined(GALVANI_VNNI)
  if (kLanes == 16) return {6, 4, 8};
  return {6, 1, 4};
#else
  if (kLanes == 16) return {4, 4, 8};
  if (kLanes == 8) return {4, 1, 2};
  return {kHasFma ? 4 : 1, 1, 2};
#endif
}
constexpr QuantizedTiles kQuantizedTiles = quantized_tiles();
constexpr int kVectorsOfPanel = kPanelOutputs / kLanes;
constexpr int64_t kStepBytes = kPanelOutputs * kPanelInputs;

// Greater than those of all numbers are, as integers, the bits of infinities and NaN.
constexpr int32_t kInfinityBits = 0x7f800000;
constexpr int32_t kLeastMagnitudeBits = (127 - 119) << 23;  // of 2^-119

inline int32_t greatest_magnitude_bits(const float* x, int64_t k) {
  I32 most = broadcast(0);
  const I32 magnitude = broadcast(0x7fffffff);
  for_each_vector(
      0, k, [&](int64_t i, auto lanes) GALVANI_INLINED { most = max(most, bits(lanes.read(x + i)) & magnitude); });
  int32_t lanes[kLanes], greatest = 0;
  store(lanes, most);
  for (int i = 0; i < kLanes; ++i) greatest = lanes[i] > greatest ? lanes[i] : greatest;
  return greatest;
}

inline int32_t sum_of_lanes(I32 a) {
  int32_t lanes[kLanes], sum = 0;
  store(lanes, a);
  for (int i = 0; i < kLanes; ++i) sum += lanes[i];
  return sum;
}

// Gives the sum of the integers.
inline int32_t round_row(const float* x, int64_t k, float inverse, uint8_t* integers) {
  const F32 factor = broadcast(inverse);
  I32 sum = broadcast(0);
  for_each_vector(0, k, [&](int64_t i, auto lanes) GALVANI_INLINED {
    const I32 q = truncate(round(lanes.read(x + i) * factor));
    sum = sum + q;
    lanes.write(integers + i, q);
  });
  return sum_of_lanes(sum);
}

inline void quantize_kernel(const float* x, int64_t k, int8_t* integers, float* scale, int32_t* start) {
  const int64_t padded = (k + kPanelInputs - 1) / kPanelInputs * kPanelInputs;
  const int32_t greatest = greatest_magnitude_bits(x, k);
  if (greatest < kLeastMagnitudeBits || greatest >= kInfinityBits) {
    if (padded > 0) __builtin_memset(integers, 0, padded);
    *scale = greatest >= kInfinityBits ? kNaN : 0;
    *start = 0;
    return;
  }
  float magnitude;
  __builtin_memcpy(&magnitude, &greatest, sizeof magnitude);
  *scale = magnitude / 127.0f;
  *start = -kDotOffset * round_row(x, k, 127.0f / magnitude, reinterpret_cast<uint8_t*>(integers));
  for (int64_t i = k; i < padded; ++i) integers[i] = 0;
}

// The lanes that are inside of what is left of a row.
inline Part part_of(int64_t left) { return {static_cast<int>(left < 0 ? 0 : left < kLanes ? left : kLanes)}; }

// How many steps ahead of its use the weight is fetched for a single row, which waits for it.
constexpr int kPrefetchedSteps = 16;

// What the sums of a row come to, in `columns` columns.
inline void finish_row(const QuantizedBlock& b, const int32_t* sums, int64_t row, int64_t first_column,
                       int64_t columns) {
  const F32 row_scale = broadcast(b.row_scales[row]);
  const I32 start = broadcast(b.row_starts[row]);
  const float* const scales = b.scales + first_column;
  float* const out = b.out + row * b.out_stride + first_column;
  for_each_vector<1>(0, columns, [&](int64_t j, auto lanes) GALVANI_INLINED {
    F32 y = to_float(start + lanes.read(sums + j)) * (row_scale * lanes.read(scales + j));
    if (b.bias != nullptr) y = y + lanes.read(b.bias + first_column + j);
    if (b.has_relu) y = relu(y);
    lanes.write(out + j, y);
  });
}

// The sums go through memory: compilers would rather do so in each step than keep values in registers that they have
// much to do with after the loop.
template <int kRows, int kPanels>
__attribute__((noinline)) void quantized_tile(const QuantizedBlock& b, int64_t first_row, int64_t panel) {
  constexpr int kVectors = kPanels * kVectorsOfPanel;
  const int64_t x_stride = b.x_stride, panel_bytes = b.steps * kStepBytes;
  const int8_t* x = b.x + first_row * x_stride;
  const uint8_t* weight = b.weight + panel * panel_bytes;
  I32 sums[kRows][kVectors];
  GALVANI_UNROLL for (int i = 0; i < kRows; ++i) {
    GALVANI_UNROLL for (int v = 0; v < kVectors; ++v) sums[i][v] = broadcast(0);
  }
  for (int64_t step = b.steps; step > 0; --step) {
    // Before the loads: see multiply_tile.
    if (kRows == 1) {
      GALVANI_UNROLL for (int p = 0; p < kPanels; ++p) {
        __builtin_prefetch(weight + p * panel_bytes + kPrefetchedSteps * kStepBytes);
      }
    }
    I32 weights[kVectors];
    GALVANI_UNROLL for (int v = 0; v < kVectors; ++v) {
      weights[v] = load_words(weight + v / kVectorsOfPanel * panel_bytes + v % kVectorsOfPanel * 4 * kLanes);
    }
    GALVANI_UNROLL for (int i = 0; i < kRows; ++i) {
      int32_t four;
      __builtin_memcpy(&four, x + i * x_stride, sizeof four);
      const I32 inputs = broadcast(four);
      GALVANI_UNROLL for (int v = 0; v < kVectors; ++v) sums[i][v] = dot4(sums[i][v], weights[v], inputs);
    }
    x += kPanelInputs;
    weight += kStepBytes;
  }
  int32_t kept[kRows][kVectors * kLanes];
  GALVANI_UNROLL for (int i = 0; i < kRows; ++i) {
    GALVANI_UNROLL for (int v = 0; v < kVectors; ++v) store(kept[i] + v * kLanes, sums[i][v]);
  }
  const int64_t column = panel * kPanelOutputs, left = b.columns - column;
  const int64_t columns = left < kVectors * kLanes ? left : kVectors * kLanes;
  for (int i = 0; i < kRows; ++i) finish_row(b, kept[i], first_row + i, column, columns);
}

// The tile of up to kMost rows.
template <int kMost, int kPanels>
inline void quantized_rows(const QuantizedBlock& b, int64_t first_row, int64_t rows, int64_t panel) {
  if constexpr (kMost > 1) {
    if (rows < kMost) return quantized_rows<kMost - 1, kPanels>(b, first_row, rows, panel);
  }
  quantized_tile<kMost, kPanels>(b, first_row, panel);
}

// Each panel, which is read once, meets all rows.
template <int kRows, int kPanels>
inline int64_t multiply_panels(const QuantizedBlock& b, int64_t panel, int64_t panels) {
  for (; panel + kPanels <= panels; panel += kPanels) {
    for (int64_t row = 0; row < b.rows; row += kRows) {
      const int64_t left = b.rows - row;
      quantized_rows<kRows, kPanels>(b, row, left < kRows ? left : kRows, panel);
    }
  }
  return panel;
}

inline void multiply_quantized_kernel(const QuantizedBlock& b) {
  const int64_t panels = (b.columns + kPanelOutputs - 1) / kPanelOutputs;
  int64_t panel = 0;
  if (b.rows == 1) panel = multiply_panels<1, kQuantizedTiles.panels_of_row>(b, panel, panels);
  panel = multiply_panels<kQuantizedTiles.rows, kQuantizedTiles.panels>(b, panel, panels);
  multiply_panels<kQuantizedTiles.rows, 1>(b, panel, panels);
}

constexpr QuantizedKernels kQuantizedKernels = {quantize_kernel, multiply_quantized_kernel, kQuantizedTiles.rows};
