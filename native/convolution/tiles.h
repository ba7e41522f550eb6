// What Winograd's ways have in common: the windows that they are for, strips of rows of tiles, and pixels.
#pragma once

#include <algorithm>

#include "base/numbers.h"
#include "convolution/convolution.h"

namespace galvani {

// A tile is 4×4 outputs, which reach over 6×6 inputs.
constexpr int64_t kTileSide = 4, kTileReach = 6, kPlaces = kTileReach * kTileReach;
constexpr int64_t kTaps = 9;

// Rows of whole lines, an odd number of them between matrices: so those do not meet in the same few sets of a cache.
inline int64_t apart(int64_t floats) { return round_up(floats, 16) | 16; }

inline bool has_form(const Windows& w) {
  return w.kernel_height == 3 && w.kernel_width == 3 && w.stride_height == 1 && w.stride_width == 1 &&
         w.dilation_height == 1 && w.dilation_width == 1;
}

// body(image, first row of its tiles, rows, rows of the strip before them) for the images of a strip.
template <typename Plan, typename Body>
void for_images(const Plan& plan, int64_t batch, int64_t strip, Body&& body) {
  const int64_t begin = strip * plan.strip_rows, end = std::min(begin + plan.strip_rows, batch * plan.tile_rows);
  for (int64_t row = begin; row < end;) {
    const int64_t image = row / plan.tile_rows, first = row % plan.tile_rows;
    const int64_t rows = std::min(plan.tile_rows - first, end - row);
    body(image, first, rows, row - begin);
    row += rows;
  }
}

// Planes of height × width, of some channels, and the pixels that are made of a piece of them, which are `pitch` floats
// apart.
struct Planes {
  const float* first;
  int64_t count, height, width;
  float* pixels;
  int64_t pitch;
};

// Rows and columns [top, top + rows) × [left, left + columns), pixel by pixel; zeros beside the planes. What a pixel
// has beyond the channels stays as it is.
void lay_out(const KernelTable& kernels, const Planes& planes, int64_t top, int64_t left, int64_t rows,
             int64_t columns);

}  // namespace galvani
