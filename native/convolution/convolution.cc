#include "convolution/convolution.h"

#include <algorithm>
#include <cstring>

#include "base/numbers.h"

namespace galvani {
namespace {

// Outputs that are unfolded together, and floats of their columns: some of L2.
constexpr int64_t kBlockOutputs = 256;
constexpr int64_t kBlockDepth = 400;
constexpr int64_t kBlockFloats = 1 << 16;
// Floats of all sums of parts of a batch, and multiplications that are worth a part.
constexpr int64_t kPartFloats = 1 << 21;
constexpr int64_t kMostParts = 16;
constexpr double kPartWork = 1 << 18;

// The size of the least number of equal parts of at most `most`.
int64_t even_part(int64_t size, int64_t most) {
  most = std::max<int64_t>(most, 1);
  return size <= most ? std::max<int64_t>(size, 1) : ceil_div(size, ceil_div(size, most));
}

int64_t kernel_size(const Windows& w) { return w.kernel_height * w.kernel_width; }
int64_t plane_size(const Windows& w) { return w.height * w.width; }
int64_t out_size(const Windows& w) { return w.out_height * w.out_width; }

// 1×1 windows that meet every element once: the image is its own unfolding.
bool is_pointwise(const Windows& w) {
  return kernel_size(w) == 1 && w.stride_height == 1 && w.stride_width == 1 && w.pad_top == 0 && w.pad_left == 0 &&
         w.height == w.out_height && w.width == w.out_width;
}

int64_t row_blocks(const Windows& w, const ConvolutionPlan& plan) { return ceil_div(w.out_height, plan.block_rows); }
int64_t column_blocks(const Windows& w, const ConvolutionPlan& plan) {
  return ceil_div(w.out_width, plan.block_columns);
}
int64_t output_blocks(const Windows& w, const ConvolutionPlan& plan) {
  return row_blocks(w, plan) * column_blocks(w, plan);
}

OutputBlock block_of(const Windows& w, const ConvolutionPlan& plan, int64_t index) {
  const int64_t columns = column_blocks(w, plan);
  const int64_t row = index / columns * plan.block_rows, column = index % columns * plan.block_columns;
  return {row, column, std::min(plan.block_rows, w.out_height - row),
          std::min(plan.block_columns, w.out_width - column)};
}

// Whole rows, or a part of one: so the outputs of a block lie one after the other.
void plan_blocks(const Windows& w, int64_t outputs, const GemmKernels& gemm, ConvolutionPlan* plan) {
  plan->block_columns =
      w.out_width <= 2 * outputs ? std::max<int64_t>(w.out_width, 1) : even_part(w.out_width, outputs);
  plan->block_rows = plan->block_columns < w.out_width ? 1 : even_part(w.out_height, outputs / plan->block_columns);
  // A vector more, for what is written past the last row; and no multiple of a page's fraction, which would put all
  // rows into the same few sets of a cache.
  plan->column_stride = round_up(plan->block_rows * plan->block_columns + gemm.lanes, 16);
  if (plan->column_stride % 64 == 0) plan->column_stride += 16;
}

// What the windows of a block reach over, and a vector more.
int64_t padded_floats(const Windows& w, int64_t rows, int64_t columns, const GemmKernels& gemm) {
  return round_up(rows_reached(w, rows) * columns_reached(w, columns) + gemm.lanes, 16);
}

int64_t columns_floats(const ConvolutionShape& s, const ConvolutionPlan& plan) {
  return plan.channels * kernel_size(s.windows) * plan.column_stride;
}

// c = or += a·b, whatever the depth.
void multiply(GemmBlock block, const GemmKernels& gemm) {
  const int64_t k = block.k, most = even_part(k, gemm.kc);
  int64_t done = 0;
  const bool is_last = block.is_last;
  do {
    block.k = std::min(most, k - done);
    block.is_last = is_last && done + block.k == k;
    gemm.multiply(block);
    block.a += block.k * block.a_column_stride;
    block.b += block.k * block.b_stride;
    block.accumulate = true;
    done += block.k;
  } while (done < k);
}

// Unfolds `channels` planes of x.
void unfold(const Windows& w, const KernelTable& kernels, const OutputBlock& block, const float* x, int64_t channels,
            float* padded, float* columns, int64_t stride) {
  for (int64_t c = 0; c < channels; ++c) {
    kernels.unfold(w, block, x + c * plane_size(w), padded, columns + c * kernel_size(w) * stride, stride);
  }
}

}  // namespace

ConvolutionPlan plan_convolution(const ConvolutionShape& s, const KernelTable& kernels) {
  ConvolutionPlan plan = {};
  const Windows& w = s.windows;
  plan_blocks(w, kBlockOutputs, kernels.gemm, &plan);
  plan.channels = even_part(s.channels, std::min(kernels.gemm.kc, kBlockDepth) / kernel_size(w));
  plan.parts = 1;
  plan.tasks = s.filters == 0 ? 0 : s.batch * s.groups * output_blocks(w, plan);
  if (!is_pointwise(w)) {
    plan.thread_floats = columns_floats(s, plan) + padded_floats(w, plan.block_rows, plan.block_columns, kernels.gemm);
  }
  return plan;
}

void convolve(const ConvolutionShape& s, const ConvolutionPlan& plan, const KernelTable& kernels, const float* x,
              const float* weight, const ConvolutionEpilogue& epilogue, float* y, float* scratch, int64_t begin,
              int64_t end) {
  const Windows& w = s.windows;
  const int64_t blocks = output_blocks(w, plan), depth = s.channels * kernel_size(w);
  float* const padded = scratch + columns_floats(s, plan);
  for (int64_t task = begin; task < end; ++task) {
    const int64_t image = task / blocks, filter = image % s.groups * s.filters;  // of all groups
    const OutputBlock block = block_of(w, plan, task % blocks);
    const int64_t first = block.row * w.out_width + block.column;
    GemmBlock product = {};
    product.m = s.filters;
    product.n = block.rows * block.columns;
    product.a_row_stride = depth;
    product.a_column_stride = 1;
    product.c = y + image * s.filters * out_size(w) + first;
    product.c_stride = out_size(w);
    product.row_bias = epilogue.bias == nullptr ? nullptr : epilogue.bias + filter;
    product.activation = epilogue.activation;
    product.slope = epilogue.slope;
    int64_t channel = 0;
    do {
      const int64_t channels = std::min(plan.channels, s.channels - channel);
      const float* const planes = x + (image * s.channels + channel) * plane_size(w);
      product.k = channels * kernel_size(w);
      product.a = weight + filter * depth + channel * kernel_size(w);
      product.b = is_pointwise(w) ? planes + first : scratch;
      product.b_stride = is_pointwise(w) ? plane_size(w) : plan.column_stride;
      if (!is_pointwise(w)) unfold(w, kernels, block, planes, channels, padded, scratch, plan.column_stride);
      product.accumulate = channel > 0;
      channel += channels;
      product.is_last = channel == s.channels;
      multiply(product, kernels.gemm);
    } while (channel < s.channels);
  }
}

namespace {

// Read in place, with so many floats between the rows of w, each step would meet another page.
bool packs_weight(const ConvolutionShape& s) {
  constexpr int64_t kPageFloats = 1024;
  return s.channels * kernel_size(s.windows) >= kPageFloats;
}

int64_t packed_weight_floats(const ConvolutionShape& s, const ConvolutionPlan& plan, const GemmKernels& gemm) {
  if (!packs_weight(s)) return 0;
  return round_up(gemm.packed_a_floats(plan.channels * kernel_size(s.windows), s.filters), 16);
}

void pack_weight(const GemmKernels& gemm, float* packed, GemmBlock* product) {
  gemm.pack_a(product->a, product->a_column_stride, product->m, product->k, packed);
  product->a = packed;
  product->a_is_packed = true;
  product->a_row_stride = product->k;
  product->a_column_stride = gemm.mr;
}

}  // namespace

ConvolutionPlan plan_input_gradient(const ConvolutionShape& s, const KernelTable& kernels) {
  ConvolutionPlan plan = {};
  const Windows& w = s.windows;
  plan_blocks(w, kBlockOutputs, kernels.gemm, &plan);
  plan.channels = even_part(s.channels, kBlockFloats / (kernel_size(w) * plan.column_stride));
  plan.parts = 1;
  plan.tasks = plane_size(w) == 0 ? 0 : s.batch * s.groups * ceil_div(s.channels, plan.channels);
  plan.thread_floats = packed_weight_floats(s, plan, kernels.gemm);
  if (!is_pointwise(w)) {
    plan.thread_floats += columns_floats(s, plan);
    plan.thread_floats += plan.channels * padded_floats(w, w.out_height, w.out_width, kernels.gemm);
  }
  return plan;
}

void convolve_input_gradient(const ConvolutionShape& s, const ConvolutionPlan& plan, const KernelTable& kernels,
                             const float* dy, const float* weight, float* dx, float* scratch, int64_t begin,
                             int64_t end) {
  const Windows& w = s.windows;
  const int64_t channel_blocks = ceil_div(s.channels, plan.channels), depth = s.channels * kernel_size(w);
  const int64_t padded_size = padded_floats(w, w.out_height, w.out_width, kernels.gemm);
  float* const columns = scratch + packed_weight_floats(s, plan, kernels.gemm);
  float* const padded = columns + columns_floats(s, plan);
  for (int64_t task = begin; task < end; ++task) {
    const int64_t image = task / channel_blocks, channel = task % channel_blocks * plan.channels;  // of all groups
    const int64_t channels = std::min(plan.channels, s.channels - channel);
    float* const planes = dx + (image * s.channels + channel) * plane_size(w);
    GemmBlock product = {};
    product.m = channels * kernel_size(w);
    product.k = s.filters;
    product.a = weight + image % s.groups * s.filters * depth + channel * kernel_size(w);
    product.a_row_stride = 1;
    product.a_column_stride = depth;
    if (packs_weight(s)) pack_weight(kernels.gemm, scratch, &product);
    if (!is_pointwise(w)) std::memset(padded, 0, channels * padded_size * sizeof(float));
    for (int64_t index = 0; index < output_blocks(w, plan); ++index) {
      const OutputBlock block = block_of(w, plan, index);
      const int64_t first = block.row * w.out_width + block.column;
      product.n = block.rows * block.columns;
      product.b = dy + image * s.filters * out_size(w) + first;
      product.b_stride = out_size(w);
      product.c = is_pointwise(w) ? planes + first : columns;
      product.c_stride = is_pointwise(w) ? plane_size(w) : plan.column_stride;
      multiply(product, kernels.gemm);
      if (is_pointwise(w)) continue;
      for (int64_t c = 0; c < channels; ++c) {
        kernels.fold(w, block, columns + c * kernel_size(w) * plan.column_stride, plan.column_stride,
                     padded + c * padded_size);
      }
    }
    if (is_pointwise(w)) continue;
    for (int64_t c = 0; c < channels; ++c) kernels.crop(w, padded + c * padded_size, planes + c * plane_size(w));
  }
}

namespace {

int64_t filters_stride(const ConvolutionShape& s, const GemmKernels& gemm) { return round_up(s.filters, gemm.lanes); }
int64_t group_floats(const ConvolutionShape& s) { return s.channels * kernel_size(s.windows) * s.filters; }

}  // namespace

ConvolutionPlan plan_weight_gradient(const ConvolutionShape& s, const KernelTable& kernels) {
  ConvolutionPlan plan = {};
  const Windows& w = s.windows;
  const int64_t filters = std::max<int64_t>(filters_stride(s, kernels.gemm), 1);
  plan_blocks(w, std::clamp<int64_t>(kBlockFloats / filters, 64, kBlockOutputs), kernels.gemm, &plan);
  plan.channels = even_part(s.channels, kBlockFloats / (kernel_size(w) * plan.column_stride));
  const double work = static_cast<double>(s.batch) * s.groups * s.filters * s.channels * kernel_size(w) * out_size(w);
  const int64_t worth = static_cast<int64_t>(std::min(work / kPartWork, static_cast<double>(kMostParts)));
  const int64_t affordable = kPartFloats / std::max<int64_t>(s.groups * group_floats(s), 1);
  plan.parts = std::max<int64_t>(std::min({worth, affordable, s.batch}), 1);
  plan.tasks = s.filters == 0 ? 0 : plan.parts * s.groups * ceil_div(s.channels, plan.channels);
  plan.shared_floats = round_up(plan.parts * s.groups * group_floats(s), 16);
  plan.thread_floats = columns_floats(s, plan) + padded_floats(w, plan.block_rows, plan.block_columns, kernels.gemm) +
                       round_up(plan.block_rows * plan.block_columns * filters, 16);
  return plan;
}

void convolve_weight_gradient(const ConvolutionShape& s, const ConvolutionPlan& plan, const KernelTable& kernels,
                              const float* x, const float* dy, float* sums, float* scratch, int64_t begin,
                              int64_t end) {
  const Windows& w = s.windows;
  const int64_t channel_blocks = ceil_div(s.channels, plan.channels);
  float* const padded = scratch + columns_floats(s, plan);
  float* const turned = padded + padded_floats(w, plan.block_rows, plan.block_columns, kernels.gemm);
  for (int64_t task = begin; task < end; ++task) {
    const int64_t channel = task % channel_blocks * plan.channels, group = task / channel_blocks % s.groups;
    const int64_t part = task / channel_blocks / s.groups;
    const int64_t channels = std::min(plan.channels, s.channels - channel);
    // dwᵀ = columns · dyᵀ: the pixels are summed over, the filters are the lanes.
    GemmBlock product = {};
    product.m = channels * kernel_size(w);
    product.n = s.filters;
    product.a_column_stride = 1;
    product.b = turned;
    product.b_stride = filters_stride(s, kernels.gemm);
    product.c = sums + (part * s.groups + group) * group_floats(s) + channel * kernel_size(w) * s.filters;
    product.c_stride = s.filters;
    std::memset(product.c, 0, product.m * product.n * sizeof(float));
    product.accumulate = true;
    for (int64_t i = s.batch * part / plan.parts; i < s.batch * (part + 1) / plan.parts; ++i) {
      const int64_t image = i * s.groups + group;
      const float* const planes = x + (image * s.channels + channel) * plane_size(w);
      for (int64_t index = 0; index < output_blocks(w, plan); ++index) {
        const OutputBlock block = block_of(w, plan, index);
        const int64_t first = block.row * w.out_width + block.column;
        product.k = block.rows * block.columns;
        product.a = is_pointwise(w) ? planes + first : scratch;
        product.a_row_stride = is_pointwise(w) ? plane_size(w) : plan.column_stride;
        if (!is_pointwise(w)) unfold(w, kernels, block, planes, channels, padded, scratch, plan.column_stride);
        kernels.transpose(4, dy + image * s.filters * out_size(w) + first, out_size(w), turned, product.b_stride,
                          product.k, s.filters);
        multiply(product, kernels.gemm);
      }
    }
  }
}

void add_parts(const ConvolutionShape& s, const ConvolutionPlan& plan, const KernelTable& kernels, float* sums,
               float* dw) {
  const int64_t size = s.groups * group_floats(s), depth = s.channels * kernel_size(s.windows);
  for (int64_t part = 1; part < plan.parts; ++part) kernels.accumulate_float32(sums + part * size, sums, size);
  for (int64_t group = 0; group < s.groups; ++group) {
    kernels.transpose(4, sums + group * group_floats(s), s.filters, dw + group * group_floats(s), depth, s.filters,
                      depth);
  }
}

}  // namespace galvani
