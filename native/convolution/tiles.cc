#include "convolution/tiles.h"

#include <cstring>

namespace galvani {
namespace {

// A piece of planes: rows [first, last) of them and columns [begin, end), at the rows from `above` on of pixels whose
// rows are row_floats long and have some columns before them.
struct Met {
  int64_t first, last, begin, end, above;
};

void set_zero(float* to, int64_t floats) { std::memset(to, 0, floats * sizeof(float)); }

// Of pixels that follow each other at the end of the buffer, in whole rows: moves each row to its place, from the first
// one on, which leaves those that come later.
void spread_rows(const Planes& planes, const Met& met, const float* from, int64_t rows, int64_t columns,
                 int64_t before) {
  const int64_t floats = planes.width * planes.pitch, after = columns - before - planes.width;
  for (int64_t row = 0; row < rows; ++row) {
    float* const to = planes.pixels + row * columns * planes.pitch;
    if (row < met.above || row >= met.above + met.last - met.first) {
      set_zero(to, columns * planes.pitch);
      continue;
    }
    std::memmove(to + before * planes.pitch, from, floats * sizeof(float));
    set_zero(to, before * planes.pitch);
    set_zero(to + before * planes.pitch + floats, after * planes.pitch);
    from += floats;
  }
}

}  // namespace

void lay_out(const KernelTable& kernels, const Planes& planes, int64_t top, int64_t left, int64_t rows,
             int64_t columns) {
  Met met = {std::max<int64_t>(top, 0), std::min(top + rows, planes.height), std::max<int64_t>(left, 0),
             std::min(left + columns, planes.width), 0};
  met.above = met.first - top;
  const int64_t count = met.last - met.first, before = met.begin - left;
  const auto turn = [&](int64_t row, int64_t pixels, float* to) {
    kernels.transpose(4, planes.first + row * planes.width + met.begin, planes.height * planes.width, to, planes.pitch,
                      pixels, planes.count);
  };
  if (count <= 0 || met.begin >= met.end) return set_zero(planes.pixels, rows * columns * planes.pitch);
  // Pixels of whole rows follow each other in planes. Turned together they fill the vectors.
  if (met.end - met.begin == planes.width && planes.width % kernels.gemm.lanes != 0) {
    float* const last = planes.pixels + (rows * columns - count * planes.width) * planes.pitch;
    turn(met.first, count * planes.width, last);
    return spread_rows(planes, met, last, rows, columns, before);
  }
  const int64_t after = columns - before - (met.end - met.begin);
  for (int64_t row = 0; row < rows; ++row) {
    float* const to = planes.pixels + row * columns * planes.pitch;
    if (row < met.above || row >= met.above + count) {
      set_zero(to, columns * planes.pitch);
      continue;
    }
    set_zero(to, before * planes.pitch);
    turn(top + row, met.end - met.begin, to + before * planes.pitch);
    set_zero(to + (columns - after) * planes.pitch, after * planes.pitch);
  }
}

}  // namespace galvani
