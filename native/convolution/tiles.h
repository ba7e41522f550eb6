// What Winograd's ways have in common: the windows that they are for, and strips of rows of tiles.
#pragma once

#include <algorithm>

#include "base/numbers.h"
#include "convolution/convolution.h"

namespace galvani {

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

}  // namespace galvani
