#include "convolution/winograd.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/numbers.h"
#include "convolution/tiles.h"

namespace galvani {
namespace {

// Tiles of a strip, at most if a row of an image is not longer, and floats of their inputs at all places: some of L2.
constexpr int64_t kStripTiles = 64;
constexpr int64_t kInputFloats = 1 << 17;
// Floats of a single row of tiles, at most.
constexpr int64_t kMostFloats = 1 << 20;
// Filters of a task: their outputs at all places are some of L2, too.
constexpr int64_t kPartFilters = 32;
// Tasks that are worth having, where an instruction has work for some threads.
constexpr int64_t kLeastTasks = 4;
// Fewer channels would not even out the errors of transforms.
constexpr int64_t kLeastChannels = 8;
// Multiplications that transforms take as long as: of each tile, for a channel and for a filter; and of a kernel, where
// those of all channels and filters are more than caches hold.
constexpr int64_t kInputWork = 550, kOutputWork = 500, kWeightWork = 600;

// Compared by what one tile takes, in doubles, as nothing bounds their number.
bool is_faster(const ConvolutionShape& s, int64_t tiles) {
  const double channels = static_cast<double>(s.channels), filters = static_cast<double>(s.filters);
  const double kernels = channels * filters, count = static_cast<double>(s.batch) * static_cast<double>(tiles);
  const double pixels = static_cast<double>(s.batch * s.windows.out_height) * static_cast<double>(s.windows.out_width);
  return kTaps * pixels * kernels >
         count * (kPlaces * kernels + kInputWork * channels + kOutputWork * filters) + kWeightWork * kernels;
}

// Where in the scratch of a thread things lie, behind the number of the strip whose inputs it has.
constexpr int64_t kHeldFloats = 16;
struct Scratch {
  Scratch(const WinogradPlan& plan, float* scratch)
      : held(scratch),
        bias(scratch + kHeldFloats),
        input_pixels(bias + round_up(plan.part_filters, 16)),
        output_pixels(input_pixels + plan.input_floats),
        inputs(output_pixels + plan.output_floats),
        outputs(inputs + kPlaces * plan.input_stride) {}
  int64_t held_strip() const {
    int64_t strip;
    std::memcpy(&strip, held, sizeof strip);
    return strip;
  }
  void hold(int64_t strip) { std::memcpy(held, &strip, sizeof strip); }
  float *held, *bias, *input_pixels, *output_pixels, *inputs, *outputs;
};

uint8_t* broken_rows(const WinogradPlan& plan, float* shared) {
  return reinterpret_cast<uint8_t*>(shared + kPlaces * plan.weight_stride);
}

// Strips of equal numbers of rows, and parts of the filters.
void cut(const ConvolutionShape& s, const KernelTable& kernels, WinogradPlan* plan) {
  const int64_t rows = s.batch * plan->tile_rows, lanes = kernels.gemm.lanes;
  const int64_t tiles = std::min(kStripTiles, kInputFloats / kPlaces / plan->channel_pitch);
  plan->strips = ceil_div(rows, std::max<int64_t>(tiles / plan->tile_columns, 1));
  plan->strip_rows = ceil_div(rows, plan->strips);
  plan->strips = ceil_div(rows, plan->strip_rows);
  plan->parts = std::max(ceil_div(s.filters, kPartFilters), ceil_div(kLeastTasks, plan->strips * s.groups));
  plan->part_filters = round_up(ceil_div(s.filters, plan->parts), lanes);
  plan->parts = ceil_div(s.filters, plan->part_filters);
  plan->tasks = s.groups * plan->strips * plan->parts;
}

}  // namespace

WinogradPlan plan_winograd(const ConvolutionShape& s, const KernelTable& kernels) {
  WinogradPlan plan = {};
  const Windows& w = s.windows;
  if (!has_form(w) || s.groups == 0 || s.channels < kLeastChannels || s.filters == 0) return plan;
  plan.tile_rows = ceil_div(w.out_height, kTileSide);
  plan.tile_columns = ceil_div(w.out_width, kTileSide);
  const int64_t rows = s.batch * plan.tile_rows, tiles = plan.tile_rows * plan.tile_columns;
  plan.channel_pitch = round_up(s.channels, kernels.gemm.lanes);
  if (rows == 0 || tiles == 0 || !is_faster(s, tiles)) return plan;
  if (plan.tile_columns > std::max<int64_t>(kMostFloats / kPlaces / plan.channel_pitch, 1)) return plan;
  plan.is_worthwhile = true;
  cut(s, kernels, &plan);
  plan.weight_tasks = s.groups * s.channels;
  plan.filter_pitch = plan.parts * plan.part_filters;
  plan.weight_stride = apart(plan.weight_tasks * plan.filter_pitch);
  plan.input_stride = apart(plan.strip_rows * plan.tile_columns * plan.channel_pitch);
  plan.output_stride = apart(plan.strip_rows * plan.tile_columns * plan.part_filters);
  const int64_t image_rows = kTileSide * std::min(plan.strip_rows, plan.tile_rows);
  const int64_t columns = kTileSide * plan.tile_columns;
  plan.input_floats = round_up((image_rows + 2) * (columns + 2) * plan.channel_pitch, 16);
  plan.output_floats = round_up(image_rows * columns * plan.part_filters, 16);
  plan.thread_floats = kHeldFloats + round_up(plan.part_filters, 16) + plan.input_floats + plan.output_floats +
                       kPlaces * (plan.input_stride + plan.output_stride);
  plan.thread_floats = std::max(plan.thread_floats, kHeldFloats + kTaps * plan.filter_pitch);
  const int64_t flags = s.groups * plan.parts * rows;
  plan.shared_floats = kPlaces * plan.weight_stride + round_up(ceil_div(flags, int64_t{sizeof(float)}), 16);
  return plan;
}

void begin_winograd(const WinogradPlan& plan, float* scratch) {
  Scratch begun(plan, scratch);
  begun.hold(-1);
  std::memset(begun.input_pixels, 0, plan.input_floats * sizeof(float));
}

ConvolutionShape adjoint_of(const ConvolutionShape& s) {
  ConvolutionShape adjoint = {s.batch, s.groups, s.filters, s.channels, s.windows};
  Windows& w = adjoint.windows;
  std::swap(w.height, w.out_height);
  std::swap(w.width, w.out_width);
  w.pad_top = w.kernel_height - 1 - w.pad_top;
  w.pad_left = w.kernel_width - 1 - w.pad_left;
  return adjoint;
}

// Of all filters of a channel: element by element, and for the adjoint, whose channels are the filters of w, backwards.
void transform_weights(const ConvolutionShape& s, const WinogradPlan& plan, const KernelTable& kernels, const float* w,
                       bool is_adjoint, float* scratch, float* shared, int64_t begin, int64_t end) {
  float* const turned = scratch + kHeldFloats;
  const int64_t pitch = plan.filter_pitch, apart = is_adjoint ? 1 : s.channels;
  std::memset(turned, 0, kTaps * pitch * sizeof(float));
  for (int64_t task = begin; task < end; ++task) {
    const int64_t channel = task % s.channels, group = task / s.channels;
    const int64_t first = is_adjoint ? channel * s.filters : channel;
    kernels.transpose(4, w + (group * s.filters * s.channels + first) * kTaps, apart * kTaps, turned, pitch, kTaps,
                      s.filters);
    kernels.spread_weights(is_adjoint ? turned + (kTaps - 1) * pitch : turned, is_adjoint ? -pitch : pitch, pitch,
                           shared + task * pitch, plan.weight_stride);
  }
}

namespace {

void transform_inputs(const ConvolutionShape& s, const WinogradPlan& plan, const KernelTable& kernels, const float* x,
                      int64_t group, int64_t strip, const Scratch& to) {
  const Windows& w = s.windows;
  const int64_t columns = kTileSide * plan.tile_columns + 2, pitch = plan.channel_pitch;
  for_images(plan, s.batch, strip, [&](int64_t image, int64_t first, int64_t rows, int64_t before) {
    const Planes planes = {x + (image * s.groups + group) * s.channels * w.height * w.width,
                           s.channels,
                           w.height,
                           w.width,
                           to.input_pixels,
                           pitch};
    lay_out(kernels, planes, kTileSide * first - w.pad_top, -w.pad_left, kTileSide * rows + 2, columns);
    for (int64_t row = 0; row < rows; ++row) {
      kernels.spread_pixels(to.input_pixels + kTileSide * row * columns * pitch, pitch, columns * pitch,
                            plan.tile_columns, to.inputs + (before + row) * plan.tile_columns * pitch,
                            plan.input_stride);
    }
  });
}

void multiply_places(const ConvolutionShape& s, const WinogradPlan& plan, const GemmKernels& gemm, const float* weights,
                     int64_t tiles, const Scratch& scratch) {
  GemmBlock product = {};
  product.m = tiles;
  product.n = plan.part_filters;
  product.a_row_stride = plan.channel_pitch;
  product.a_column_stride = 1;
  product.b_stride = plan.filter_pitch;
  product.c_stride = plan.part_filters;
  for (int64_t place = 0; place < kPlaces; ++place) {
    product.c = scratch.outputs + place * plan.output_stride;
    for (int64_t channel = 0; channel < s.channels; channel += product.k) {
      product.k = std::min(gemm.kc, s.channels - channel);
      product.a = scratch.inputs + place * plan.input_stride + channel;
      product.b = weights + place * plan.weight_stride + channel * plan.filter_pitch;
      product.accumulate = channel > 0;
      product.is_last = channel + product.k == s.channels;
      gemm.multiply(product);
    }
  }
}

// The pixels of rows of outputs to planes, all together, as that fills the vectors: what is past the end of a row goes.
void write_planes(const KernelTable& kernels, float* pixels, int64_t pitch, int64_t columns, int64_t rows,
                  int64_t width, float* y, int64_t plane, int64_t filters) {
  for (int64_t row = 1; row < rows && columns > width; ++row) {
    std::memmove(pixels + row * width * pitch, pixels + row * columns * pitch, width * pitch * sizeof(float));
  }
  kernels.transpose(4, pixels, pitch, y, plane, filters, rows * width);
}

}  // namespace

void convolve_tiles(const ConvolutionShape& s, const WinogradPlan& plan, const KernelTable& kernels, const float* x,
                    const ConvolutionEpilogue& epilogue, float* y, float* scratch_floats, float* shared, int64_t begin,
                    int64_t end) {
  const Windows& w = s.windows;
  Scratch scratch(plan, scratch_floats);
  const int64_t shrunk = s.is_pooled ? 2 : 1, side = kTileSide / shrunk, pitch = plan.part_filters;
  const int64_t height = w.out_height / shrunk, width = w.out_width / shrunk, columns = side * plan.tile_columns;
  const int64_t all_rows = s.batch * plan.tile_rows;
  const OutputFinish finish = {scratch.bias, epilogue.activation, epilogue.slope, s.is_pooled};
  std::memset(scratch.bias, 0, pitch * sizeof(float));
  for (int64_t task = begin; task < end; ++task) {
    const int64_t strip = task / plan.parts % plan.strips, group = task / plan.parts / plan.strips;
    const int64_t part = task % plan.parts, first = part * plan.part_filters;  // of the group
    const int64_t filters = std::min(plan.part_filters, s.filters - first), filter = group * s.filters + first;
    if (scratch.held_strip() != task / plan.parts) {
      transform_inputs(s, plan, kernels, x, group, strip, scratch);
      scratch.hold(task / plan.parts);
    }
    const int64_t strip_rows = std::min(plan.strip_rows, all_rows - strip * plan.strip_rows);
    multiply_places(s, plan, kernels.gemm, shared + group * s.channels * plan.filter_pitch + first,
                    strip_rows * plan.tile_columns, scratch);
    if (epilogue.bias != nullptr) std::memcpy(scratch.bias, epilogue.bias + filter, filters * sizeof(float));
    uint8_t* const is_broken =
        broken_rows(plan, shared) + (group * plan.parts + part) * all_rows + strip * plan.strip_rows;
    for_images(plan, s.batch, strip, [&](int64_t image, int64_t row, int64_t rows, int64_t before) {
      for (int64_t i = 0; i < rows; ++i) {
        const float* const m = scratch.outputs + (before + i) * plan.tile_columns * pitch;
        is_broken[before + i] = !kernels.gather_outputs(m, plan.output_stride, pitch, plan.tile_columns, finish,
                                                        scratch.output_pixels + i * side * columns * pitch);
      }
      write_planes(kernels, scratch.output_pixels, pitch, columns, std::min(side * rows, height - side * row), width,
                   y + ((image * s.groups * s.filters + filter) * height + side * row) * width, height * width,
                   filters);
    });
  }
}

bool is_image_broken(const ConvolutionShape& s, const WinogradPlan& plan, const float* shared, int64_t image) {
  const uint8_t* const flags = broken_rows(plan, const_cast<float*>(shared)) + image * plan.tile_rows;
  for (int64_t part = 0; part < s.groups * plan.parts; ++part) {
    const uint8_t* const rows = flags + part * s.batch * plan.tile_rows;
    if (std::memchr(rows, 1, plan.tile_rows) != nullptr) return true;
  }
  return false;
}

}  // namespace galvani
