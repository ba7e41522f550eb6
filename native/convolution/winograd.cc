#include "convolution/winograd.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/numbers.h"
#include "convolution/tiles.h"

namespace galvani {
namespace {

constexpr int64_t kPlaces = 16, kTaps = 9;
// Tiles of a strip, at most if a row of an image is not longer: whole tiles of a product.
constexpr int64_t kStripTiles = 128;
// Columns of a product whose time each strip takes beside its own.
constexpr int64_t kStripCost = 4;
// Filters of a task: their outputs at all places are some of L2.
constexpr int64_t kPartFilters = 32;
// Tasks that are worth having, where an instruction has work for some threads.
constexpr int64_t kLeastTasks = 4;
// Floats of the inputs of a strip at all places, at most.
constexpr int64_t kInputFloats = 1 << 20;
// Multiplications that transforms take as long as: of each tile, for a channel and for a filter; and of a kernel, where
// those of all channels and filters are more than caches hold.
constexpr int64_t kInputWork = 70, kOutputWork = 90, kWeightWork = 400;
// Kernels whose transform is a task.
constexpr int64_t kTaskKernels = 512;

// Rows of tiles that fill the vectors of a product best.
int64_t choose_rows(int64_t rows, int64_t tiles, int64_t most, int64_t lanes) {
  int64_t best = 1;
  const auto cost_of = [&](int64_t count) { return count == 0 ? 0 : round_up(count * tiles, lanes) + kStripCost; };
  const auto cost = [&](int64_t count) { return rows / count * cost_of(count) + cost_of(rows % count); };
  for (int64_t count = 2; count <= rows && count * tiles <= most; ++count) {
    if (cost(count) <= cost(best)) best = count;
  }
  return best;
}

// Compared by what one tile takes, in doubles, as nothing bounds their number.
bool is_faster(const ConvolutionShape& s, int64_t rows, int64_t tiles) {
  const double channels = static_cast<double>(s.channels), filters = static_cast<double>(s.filters);
  const double kernels = channels * filters, count = static_cast<double>(rows) * static_cast<double>(tiles);
  return count * (36 * kernels) >
         count * (kPlaces * kernels + kInputWork * channels + kOutputWork * filters) + kWeightWork * kernels;
}

// Where in the scratch of a thread things lie, behind the number of the strip whose inputs it has.
constexpr int64_t kHeldFloats = 16;
struct Scratch {
  Scratch(const WinogradPlan& plan, float* scratch)
      : held(scratch),
        padded(scratch + kHeldFloats),
        inputs(padded + plan.padded_floats),
        outputs(inputs + kPlaces * plan.input_stride) {}
  int64_t held_strip() const {
    int64_t strip;
    std::memcpy(&strip, held, sizeof strip);
    return strip;
  }
  void hold(int64_t strip) { std::memcpy(held, &strip, sizeof strip); }
  float *held, *padded, *inputs, *outputs;
};

uint8_t* broken_rows(const WinogradPlan& plan, float* shared) {
  return reinterpret_cast<uint8_t*>(shared + kPlaces * plan.weight_stride);
}

}  // namespace

WinogradPlan plan_winograd(const ConvolutionShape& s, const KernelTable& kernels) {
  WinogradPlan plan = {};
  const Windows& w = s.windows;
  if (!has_form(w) || s.groups == 0 || s.channels == 0 || s.filters == 0) return plan;
  plan.tile_rows = ceil_div(w.out_height, 2);
  plan.tile_columns = ceil_div(w.out_width, 2);
  const int64_t rows = s.batch * plan.tile_rows;
  if (rows == 0 || plan.tile_columns == 0 || !is_faster(s, rows, plan.tile_columns)) return plan;
  const int64_t most = std::min(kStripTiles, kInputFloats / kPlaces / s.channels);
  if (plan.tile_columns > std::max(most, kInputFloats / kPlaces / s.channels)) return plan;
  plan.is_worthwhile = true;
  plan.strip_rows = choose_rows(rows, plan.tile_columns, most, kernels.gemm.lanes);
  plan.strips = ceil_div(rows, plan.strip_rows);
  plan.parts = std::max(ceil_div(s.filters, kPartFilters), ceil_div(kLeastTasks, plan.strips * s.groups));
  plan.part_filters = round_up(ceil_div(s.filters, plan.parts), kernels.gemm.mr);
  plan.parts = ceil_div(s.filters, plan.part_filters);
  plan.tasks = s.groups * plan.strips * plan.parts;
  plan.weight_tasks = ceil_div(s.groups * s.filters * s.channels, kTaskKernels);
  plan.row_floats = round_up(plan.strip_rows * plan.tile_columns, 16);
  plan.weight_stride = apart(s.groups * s.filters * s.channels);
  plan.input_stride = apart(s.channels * plan.row_floats + kernels.gemm.lanes);
  plan.output_stride = apart(plan.part_filters * plan.row_floats + kernels.gemm.lanes);
  const int64_t reached = (2 * std::min(plan.strip_rows, plan.tile_rows) + 2) * (2 * plan.tile_columns + 2);
  plan.padded_floats = round_up(reached + 2 * kernels.gemm.lanes, 16);
  plan.thread_floats = std::max(kHeldFloats + plan.padded_floats + kPlaces * (plan.input_stride + plan.output_stride),
                                kHeldFloats + kTaps * kTaskKernels);
  const int64_t flags = s.groups * plan.parts * rows;
  plan.shared_floats = kPlaces * plan.weight_stride + round_up(ceil_div(flags, int64_t{sizeof(float)}), 16);
  return plan;
}

void begin_winograd(const WinogradPlan& plan, float* scratch) { Scratch(plan, scratch).hold(-1); }

ConvolutionShape adjoint_of(const ConvolutionShape& s) {
  ConvolutionShape adjoint = {s.batch, s.groups, s.filters, s.channels, s.windows};
  Windows& w = adjoint.windows;
  std::swap(w.height, w.out_height);
  std::swap(w.width, w.out_width);
  w.pad_top = w.kernel_height - 1 - w.pad_top;
  w.pad_left = w.kernel_width - 1 - w.pad_left;
  return adjoint;
}

namespace {

// Kernels [first, first + count) of the adjoint, turned round, element by element.
void turn_weights(const ConvolutionShape& s, const float* w, int64_t first, int64_t count, float* turned) {
  for (int64_t i = 0; i < count; ++i) {
    const int64_t channel = (first + i) % s.channels, filter = (first + i) / s.channels % s.filters;
    const int64_t group = (first + i) / s.channels / s.filters;
    const float* const kernel = w + ((group * s.channels + channel) * s.filters + filter) * kTaps;
    for (int64_t tap = 0; tap < kTaps; ++tap) turned[tap * count + i] = kernel[kTaps - 1 - tap];
  }
}

}  // namespace

void transform_weights(const ConvolutionShape& s, const WinogradPlan& plan, const KernelTable& kernels, const float* w,
                       bool is_adjoint, float* scratch, float* shared, int64_t begin, int64_t end) {
  float* const turned = scratch + kHeldFloats;
  for (int64_t task = begin; task < end; ++task) {
    const int64_t first = task * kTaskKernels;
    const int64_t count = std::min(kTaskKernels, s.groups * s.filters * s.channels - first);
    if (is_adjoint) {
      turn_weights(s, w, first, count, turned);
    } else {
      kernels.transpose(4, w + first * kTaps, kTaps, turned, count, kTaps, count);
    }
    kernels.spread_weights(turned, count, shared + first, plan.weight_stride);
  }
}

namespace {

void transform_inputs(const ConvolutionShape& s, const WinogradPlan& plan, const KernelTable& kernels, const float* x,
                      int64_t group, int64_t strip, const Scratch& to) {
  const Windows& w = s.windows;
  for (int64_t channel = 0; channel < s.channels; ++channel) {
    for_images(plan, s.batch, strip, [&](int64_t image, int64_t first, int64_t rows, int64_t before) {
      const float* const plane = x + ((image * s.groups + group) * s.channels + channel) * w.height * w.width;
      kernels.spread_inputs(w, plane, first, rows, to.padded,
                            to.inputs + channel * plan.row_floats + before * plan.tile_columns, plan.input_stride);
    });
  }
}

void multiply_places(const ConvolutionShape& s, const WinogradPlan& plan, const GemmKernels& gemm, const float* weights,
                     int64_t filters, int64_t tiles, const Scratch& scratch) {
  GemmBlock product = {};
  product.m = filters;
  product.n = tiles;
  product.a_row_stride = s.channels;
  product.a_column_stride = 1;
  product.b_stride = plan.row_floats;
  product.c_stride = plan.row_floats;
  for (int64_t place = 0; place < kPlaces; ++place) {
    product.c = scratch.outputs + place * plan.output_stride;
    for (int64_t channel = 0; channel < s.channels; channel += product.k) {
      product.k = std::min(gemm.kc, s.channels - channel);
      product.a = weights + place * plan.weight_stride + channel;
      product.b = scratch.inputs + place * plan.input_stride + channel * plan.row_floats;
      product.accumulate = channel > 0;
      product.is_last = channel + product.k == s.channels;
      gemm.multiply(product);
    }
  }
}

}  // namespace

void convolve_tiles(const ConvolutionShape& s, const WinogradPlan& plan, const KernelTable& kernels, const float* x,
                    const ConvolutionEpilogue& epilogue, float* y, float* scratch_floats, float* shared, int64_t begin,
                    int64_t end) {
  const Windows& w = s.windows;
  Scratch scratch(plan, scratch_floats);
  const int64_t rows = s.batch * plan.tile_rows, out_plane = w.out_height * w.out_width / (s.is_pooled ? 4 : 1);
  for (int64_t task = begin; task < end; ++task) {
    const int64_t strip = task / plan.parts % plan.strips, group = task / plan.parts / plan.strips;
    const int64_t first = task % plan.parts * plan.part_filters;  // of the group
    const int64_t filters = std::min(plan.part_filters, s.filters - first), filter = group * s.filters + first;
    const int64_t strip_rows = std::min(plan.strip_rows, rows - strip * plan.strip_rows);
    if (scratch.held_strip() != task / plan.parts) {
      transform_inputs(s, plan, kernels, x, group, strip, scratch);
      scratch.hold(task / plan.parts);
    }
    multiply_places(s, plan, kernels.gemm, shared + filter * s.channels, filters, strip_rows * plan.tile_columns,
                    scratch);
    uint8_t* const is_broken =
        broken_rows(plan, shared) + (group * plan.parts + task % plan.parts) * rows + strip * plan.strip_rows;
    std::memset(is_broken, 0, strip_rows);
    for (int64_t i = 0; i < filters; ++i) {
      const OutputFinish finish = {epilogue.bias == nullptr ? 0 : epilogue.bias[filter + i], epilogue.activation,
                                   epilogue.slope, s.is_pooled};
      for_images(plan, s.batch, strip, [&](int64_t image, int64_t row, int64_t count, int64_t before) {
        const float* const m = scratch.outputs + i * plan.row_floats + before * plan.tile_columns;
        float* const plane = y + (image * s.groups * s.filters + filter + i) * out_plane;
        if (!kernels.gather_outputs(w, m, plan.output_stride, row, count, finish, plane)) is_broken[before] = 1;
      });
    }
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
