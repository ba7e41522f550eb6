#include "convolution/winograd_gradient.h"

#include <algorithm>
#include <cstring>

#include "base/numbers.h"
#include "convolution/tiles.h"

namespace galvani {
namespace {

// Tiles of a strip, at most if a row of an image is not longer: the depth of a product, whose sums stay in L2.
constexpr int64_t kStripTiles = 64;
// Tiles of a row from which on the pixels of a strip are more than a cache holds.
constexpr int64_t kMostColumns = 64;
// Channels and filters of a task, at most.
constexpr int64_t kBlock = 64;
// Tiles that are worth sums of their own, and the most parts. Fewer tiles would not even out the errors of transforms.
constexpr int64_t kPartTiles = 64;
constexpr int64_t kMostParts = 16;
// Multiplications that the transforms of a tile take as long as, for a channel and for a filter.
constexpr int64_t kInputWork = 400, kOutputWork = 350;

// Compared by what one tile takes, in doubles, as nothing bounds their number.
bool is_faster(const ConvolutionShape& s, double tiles) {
  const double kernels = static_cast<double>(s.channels) * static_cast<double>(s.filters);
  const double pixels = static_cast<double>(s.windows.out_height) * static_cast<double>(s.windows.out_width);
  const double transforms = static_cast<double>(kInputWork * s.channels + kOutputWork * s.filters);
  return kTaps * pixels * kernels > tiles * (kPlaces * kernels + transforms);
}

// The size of the least number of equal parts of at most kBlock.
int64_t block_of(int64_t size) { return ceil_div(size, ceil_div(size, kBlock)); }

// Where in the scratch of a thread things lie.
struct Scratch {
  Scratch(const WinogradGradientPlan& plan, float* scratch)
      : input_pixels(scratch),
        output_pixels(input_pixels + plan.input_floats),
        inputs(output_pixels + plan.output_floats),
        outputs(inputs + kPlaces * plan.input_stride),
        sums(outputs + kPlaces * plan.output_stride) {}
  float *input_pixels, *output_pixels, *inputs, *outputs, *sums;
};

uint8_t* broken_tasks(const ConvolutionShape& s, const WinogradGradientPlan& plan, float* shared) {
  return reinterpret_cast<uint8_t*>(shared + round_up(plan.parts * s.groups * kTaps * s.channels * s.filters, 16));
}

}  // namespace

WinogradGradientPlan plan_winograd_gradient(const ConvolutionShape& s, const KernelTable& kernels) {
  WinogradGradientPlan plan = {};
  const Windows& w = s.windows;
  if (!has_form(w) || s.groups == 0 || s.channels == 0 || s.filters == 0) return plan;
  plan.tile_rows = ceil_div(w.out_height, kTileSide);
  plan.tile_columns = ceil_div(w.out_width, kTileSide);
  const int64_t tiles = plan.tile_rows * plan.tile_columns, rows = s.batch * plan.tile_rows;
  if (plan.tile_columns > kMostColumns || s.batch * tiles < kPartTiles) return plan;
  if (!is_faster(s, static_cast<double>(tiles))) return plan;
  plan.is_worthwhile = true;
  plan.strip_rows = std::min(std::max<int64_t>(kStripTiles / plan.tile_columns, 1), rows);
  plan.strips = ceil_div(rows, plan.strip_rows);
  plan.parts = std::min({s.batch * tiles / kPartTiles, kMostParts, plan.strips});
  plan.channels = block_of(s.channels);
  plan.filters = block_of(s.filters);
  plan.tasks = plan.parts * s.groups * ceil_div(s.channels, plan.channels) * ceil_div(s.filters, plan.filters);
  plan.channel_pitch = round_up(plan.channels, kernels.gemm.lanes);
  plan.filter_pitch = round_up(plan.filters, kernels.gemm.lanes);
  const int64_t strip_tiles = plan.strip_rows * plan.tile_columns;
  plan.input_stride = apart(strip_tiles * plan.channel_pitch);
  plan.output_stride = apart(strip_tiles * plan.filter_pitch);
  plan.sum_stride = apart(plan.channels * plan.filter_pitch);
  const int64_t image_rows = kTileSide * std::min(plan.strip_rows, plan.tile_rows),
                columns = kTileSide * plan.tile_columns;
  plan.input_floats = round_up((image_rows + 2) * (columns + 2) * plan.channel_pitch, 16);
  plan.output_floats = round_up(image_rows * columns * plan.filter_pitch, 16);
  plan.thread_floats =
      plan.input_floats + plan.output_floats + kPlaces * (plan.input_stride + plan.output_stride + plan.sum_stride);
  plan.shared_floats = round_up(plan.parts * s.groups * kTaps * s.channels * s.filters, 16) +
                       round_up(ceil_div(plan.tasks, int64_t{sizeof(float)}), 16);
  return plan;
}

namespace {

// The inputs and the cotangents of a strip, of a task that begins at planes x and dy of the first image.
void transform_strip(const ConvolutionShape& s, const WinogradGradientPlan& plan, const KernelTable& kernels, Planes x,
                     Planes dy, int64_t strip, const Scratch& to) {
  const Windows& w = s.windows;
  const float *const first_x = x.first, *const first_dy = dy.first;
  const int64_t columns = kTileSide * plan.tile_columns;
  for_images(plan, s.batch, strip, [&](int64_t image, int64_t first, int64_t rows, int64_t before) {
    x.first = first_x + image * s.groups * s.channels * w.height * w.width;
    dy.first = first_dy + image * s.groups * s.filters * w.out_height * w.out_width;
    lay_out(kernels, x, kTileSide * first - w.pad_top, -w.pad_left, kTileSide * rows + 2, columns + 2);
    lay_out(kernels, dy, kTileSide * first, 0, kTileSide * rows, columns);
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t tile = (before + row) * plan.tile_columns;
      kernels.spread_pixels(x.pixels + kTileSide * row * (columns + 2) * x.pitch, x.pitch, (columns + 2) * x.pitch,
                            plan.tile_columns, to.inputs + tile * x.pitch, plan.input_stride);
      kernels.spread_cotangents(dy.pixels + kTileSide * row * columns * dy.pitch, dy.pitch, columns * dy.pitch,
                                plan.tile_columns, to.outputs + tile * dy.pitch, plan.output_stride);
    }
  });
}

void multiply_places(const WinogradGradientPlan& plan, const GemmKernels& gemm, int64_t channels, int64_t tiles,
                     bool is_first, const Scratch& scratch) {
  GemmBlock product = {};
  product.m = channels;
  product.n = plan.filter_pitch;
  product.k = tiles;
  product.a_row_stride = 1;
  product.a_column_stride = plan.channel_pitch;
  product.b_stride = plan.filter_pitch;
  product.c_stride = plan.filter_pitch;
  product.accumulate = !is_first;
  for (int64_t place = 0; place < kPlaces; ++place) {
    product.a = scratch.inputs + place * plan.input_stride;
    product.b = scratch.outputs + place * plan.output_stride;
    product.c = scratch.sums + place * plan.sum_stride;
    gemm.multiply(product);
  }
}

}  // namespace

void convolve_weight_gradient_tiles(const ConvolutionShape& s, const WinogradGradientPlan& plan,
                                    const KernelTable& kernels, const float* x, const float* dy, float* sums,
                                    float* scratch_floats, int64_t begin, int64_t end) {
  const Windows& w = s.windows;
  const Scratch scratch(plan, scratch_floats);
  const int64_t channel_blocks = ceil_div(s.channels, plan.channels);
  const int64_t filter_blocks = ceil_div(s.filters, plan.filters), rows = s.batch * plan.tile_rows;
  for (int64_t task = begin; task < end; ++task) {
    const int64_t filter = task % filter_blocks * plan.filters;
    const int64_t channel = task / filter_blocks % channel_blocks * plan.channels;
    const int64_t owner = task / filter_blocks / channel_blocks;  // of the groups of all parts
    const int64_t group = owner % s.groups, part = owner / s.groups;
    const int64_t channels = std::min(plan.channels, s.channels - channel);
    const int64_t filters = std::min(plan.filters, s.filters - filter);
    const Planes inputs = {x + (group * s.channels + channel) * w.height * w.width,
                           channels,
                           w.height,
                           w.width,
                           scratch.input_pixels,
                           plan.channel_pitch};
    const Planes outputs = {dy + (group * s.filters + filter) * w.out_height * w.out_width,
                            filters,
                            w.out_height,
                            w.out_width,
                            scratch.output_pixels,
                            plan.filter_pitch};
    std::memset(scratch.input_pixels, 0, (plan.input_floats + plan.output_floats) * sizeof(float));
    const int64_t first = plan.strips * part / plan.parts, last = plan.strips * (part + 1) / plan.parts;
    for (int64_t strip = first; strip < last; ++strip) {
      transform_strip(s, plan, kernels, inputs, outputs, strip, scratch);
      const int64_t strip_rows = std::min(plan.strip_rows, rows - strip * plan.strip_rows);
      multiply_places(plan, kernels.gemm, channels, strip_rows * plan.tile_columns, strip == first, scratch);
    }
    bool are_finite = true;
    float* const to = sums + (owner * s.channels + channel) * kTaps * s.filters + filter;
    for (int64_t i = 0; i < channels; ++i) {
      are_finite &= kernels.gather_kernels(scratch.sums + i * plan.filter_pitch, plan.sum_stride, filters,
                                           to + i * kTaps * s.filters, s.filters);
    }
    broken_tasks(s, plan, sums)[task] = !are_finite;
  }
}

bool is_gradient_broken(const ConvolutionShape& s, const WinogradGradientPlan& plan, const float* sums) {
  return std::memchr(broken_tasks(s, plan, const_cast<float*>(sums)), 1, plan.tasks) != nullptr;
}

}  // namespace galvani
