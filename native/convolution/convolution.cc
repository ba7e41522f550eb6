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
// Floats of unfolded columns from which on a kernel is cut.
constexpr int64_t kPieceFloats = 1 << 20;
// Floats of a padded image that are worth having, beside some images.
constexpr int64_t kPaddedFloats = 1 << 16;
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
int64_t out_size(const ConvolutionShape& s) { return out_size(s.windows) / (s.is_pooled ? 4 : 1); }

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

// At least so many floats, and no multiple of a page's fraction, which would put all rows into the same few sets of a
// cache.
int64_t apart_in_cache(int64_t floats) {
  const int64_t rounded = round_up(floats, 16);
  return rounded % 64 == 0 ? rounded + 16 : rounded;
}

// Whole rows, or a part of one: so the outputs of a block lie one after the other.
void plan_blocks(const Windows& w, int64_t outputs, const GemmKernels& gemm, ConvolutionPlan* plan) {
  plan->block_columns =
      w.out_width <= 2 * outputs ? std::max<int64_t>(w.out_width, 1) : even_part(w.out_width, outputs);
  plan->block_rows = plan->block_columns < w.out_width ? 1 : even_part(w.out_height, outputs / plan->block_columns);
  // A vector more, for what is written past the last row.
  plan->column_stride = apart_in_cache(plan->block_rows * plan->block_columns + gemm.lanes);
}

// Whole windows to pool.
void plan_pooled_blocks(const ConvolutionShape& s, const GemmKernels& gemm, ConvolutionPlan* plan) {
  plan->block_rows = round_up(plan->block_rows, 2);
  plan->block_columns = round_up(plan->block_columns, 2);
  plan->column_stride = apart_in_cache(plan->block_rows * plan->block_columns + gemm.lanes);
  plan->pooled_floats = round_up(s.filters * plan->column_stride + 2 * gemm.lanes, 16);
}

// What the windows of a block reach over, and a vector more.
int64_t padded_floats(const Windows& w, int64_t rows, int64_t columns, const GemmKernels& gemm) {
  return round_up(rows_reached(w, rows) * columns_reached(w, columns) + gemm.lanes, 16);
}

// Elements of windows of all channels whose products are not worth unfolding, and outputs that such a task has.
constexpr int64_t kDirectDepth = 36, kDirectOutputs = 1024;

// Whether padded images are small, of windows that step by one over short rows.
bool is_simple(const Windows& w, int64_t channels, const GemmKernels& gemm) {
  if (w.stride_height != 1 || w.stride_width != 1 || w.out_width > kDirectOutputs) return false;
  if (kernel_size(w) > kDirectDepth || rows_reached(w, w.out_height) > kPaddedFloats) return false;
  if (columns_reached(w, w.out_width) > kPaddedFloats) return false;
  return channels * padded_floats(w, w.out_height, w.out_width, gemm) <= kPaddedFloats;
}

int64_t direct_floats(int64_t padded, const GemmKernels& gemm) { return padded + round_up(2 * gemm.lanes, 16); }

// Memory is bounded by the image and the weights, however far apart the elements of a window are, and however many.
void bound_memory(const Windows& w, int64_t padded, ConvolutionPlan* plan) {
  plan->taps = even_part(kernel_size(w), kPieceFloats / plan->column_stride);
  plan->is_clipped = plan->taps < kernel_size(w) || padded > 4 * plane_size(w) + kPaddedFloats;
}

int64_t columns_floats(const ConvolutionPlan& plan) { return plan.channels * plan.taps * plan.column_stride; }

// Some of the elements of a kernel, that follow each other: whole rows of it, or a part of one.
struct Piece {
  Windows windows;
  int64_t first, taps;
};

int64_t piece_count(const Windows& w, int64_t taps) {
  if (taps >= kernel_size(w)) return 1;
  if (taps >= w.kernel_width) return ceil_div(w.kernel_height, taps / w.kernel_width);
  return w.kernel_height * ceil_div(w.kernel_width, taps);
}

Piece piece_of(const Windows& w, int64_t taps, int64_t index) {
  if (taps >= kernel_size(w)) return {w, 0, kernel_size(w)};
  int64_t p = 0, q = 0;
  Piece piece = {w, 0, 0};
  if (taps >= w.kernel_width) {
    const int64_t rows = taps / w.kernel_width;
    p = index * rows;
    piece.windows.kernel_height = std::min(rows, w.kernel_height - p);
  } else {
    const int64_t parts = ceil_div(w.kernel_width, taps);
    p = index / parts;
    q = index % parts * taps;
    piece.windows.kernel_height = 1;
    piece.windows.kernel_width = std::min(taps, w.kernel_width - q);
  }
  piece.windows.pad_top -= p * w.dilation_height;
  piece.windows.pad_left -= q * w.dilation_width;
  piece.first = p * w.kernel_width + q;
  piece.taps = kernel_size(piece.windows);
  return piece;
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

namespace {

// Whether a product reads the image itself, of which a block to pool is no part.
bool is_read_in_place(const ConvolutionShape& s) { return is_pointwise(s.windows) && !s.is_pooled; }

}  // namespace

ConvolutionPlan plan_convolution(const ConvolutionShape& s, const KernelTable& kernels) {
  ConvolutionPlan plan = {};
  const Windows& w = s.windows;
  plan_blocks(w, kBlockOutputs, kernels.gemm, &plan);
  if (s.is_pooled) plan_pooled_blocks(s, kernels.gemm, &plan);
  plan.is_direct = !s.is_pooled && kernel_size(w) > 1 && s.channels * kernel_size(w) <= kDirectDepth &&
                   is_simple(w, s.channels, kernels.gemm);
  if (plan.is_direct) plan_blocks(w, kDirectOutputs, kernels.gemm, &plan);
  plan.channels = even_part(s.channels, std::min(kernels.gemm.kc, kBlockDepth) / kernel_size(w));
  plan.parts = 1;
  plan.tasks = s.filters == 0 ? 0 : s.batch * s.groups * output_blocks(w, plan);
  const int64_t padded = padded_floats(w, plan.block_rows, plan.block_columns, kernels.gemm);
  bound_memory(w, padded, &plan);
  if (plan.is_direct) {
    plan.thread_floats = direct_floats(s.channels * padded, kernels.gemm);
  } else if (!is_read_in_place(s)) {
    plan.thread_floats = columns_floats(plan) + (plan.is_clipped ? 0 : padded) + plan.pooled_floats;
  }
  return plan;
}

namespace {

void pool_block(const ConvolutionShape& s, const ConvolutionPlan& plan, const KernelTable& kernels,
                const OutputBlock& block, const float* outputs, float* y) {
  const Windows& w = s.windows;
  y += block.row / 2 * (w.out_width / 2) + block.column / 2;
  for (int64_t i = 0; i < s.filters; ++i) {
    kernels.pool_pairs(outputs + i * plan.column_stride, block.rows, block.columns, y + i * out_size(s),
                       w.out_width / 2);
  }
}

}  // namespace

void convolve(const ConvolutionShape& s, const ConvolutionPlan& plan, const KernelTable& kernels, const float* x,
              const float* weight, const ConvolutionEpilogue& epilogue, float* y, float* scratch, int64_t begin,
              int64_t end) {
  const Windows& w = s.windows;
  const int64_t blocks = output_blocks(w, plan), depth = s.channels * kernel_size(w);
  const int64_t pieces = piece_count(w, plan.taps);
  float* const unpooled = scratch + columns_floats(plan);
  float* const padded = plan.is_clipped ? nullptr : unpooled + plan.pooled_floats;
  for (int64_t task = begin; task < end; ++task) {
    const int64_t image = task / blocks, filter = image % s.groups * s.filters;  // of all groups
    const OutputBlock block = block_of(w, plan, task % blocks);
    const int64_t first = block.row * w.out_width + block.column;
    GemmBlock product = {};
    product.m = s.filters;
    product.n = block.rows * block.columns;
    product.a_row_stride = depth;
    product.a_column_stride = 1;
    float* const planes_of_y = y + image * s.filters * out_size(s);
    if (plan.is_direct) {
      const ConvolutionEpilogue own = {epilogue.bias == nullptr ? nullptr : epilogue.bias + filter, epilogue.activation,
                                       epilogue.slope};
      kernels.convolve_directly(w, x + image * s.channels * plane_size(w), s.channels, block.row, block.rows,
                                weight + filter * depth, s.filters, own, scratch, planes_of_y);
      continue;
    }
    product.c = s.is_pooled ? unpooled : planes_of_y + first;
    product.c_stride = s.is_pooled ? plan.column_stride : out_size(w);
    product.row_bias = epilogue.bias == nullptr ? nullptr : epilogue.bias + filter;
    product.activation = epilogue.activation;
    product.slope = epilogue.slope;
    int64_t channel = 0;
    do {
      const int64_t channels = std::min(plan.channels, s.channels - channel);
      const float* const planes = x + (image * s.channels + channel) * plane_size(w);
      product.b = is_read_in_place(s) ? planes + first : scratch;
      product.b_stride = is_read_in_place(s) ? plane_size(w) : plan.column_stride;
      for (int64_t index = 0; index < pieces; ++index) {
        const Piece piece = piece_of(w, plan.taps, index);
        product.k = channels * piece.taps;
        product.a = weight + filter * depth + channel * kernel_size(w) + piece.first;
        if (!is_read_in_place(s)) {
          unfold(piece.windows, kernels, block, planes, channels, padded, scratch, plan.column_stride);
        }
        product.accumulate = channel > 0 || index > 0;
        product.is_last = channel + channels == s.channels && index + 1 == pieces;
        multiply(product, kernels.gemm);
      }
      channel += channels;
    } while (channel < s.channels);
    if (s.is_pooled) pool_block(s, plan, kernels, block, unpooled, planes_of_y);
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
  return round_up(gemm.packed_a_elements(plan.channels * plan.taps, s.filters), 16);
}

void pack_weight(const GemmKernels& gemm, float* packed, GemmBlock* product) {
  gemm.pack_a(product->a, product->a_row_stride, product->a_column_stride, product->m, product->k, packed);
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
  const int64_t padded = padded_floats(w, w.out_height, w.out_width, kernels.gemm);
  bound_memory(w, padded, &plan);
  plan.thread_floats = packed_weight_floats(s, plan, kernels.gemm);
  if (!is_pointwise(w)) plan.thread_floats += columns_floats(plan) + (plan.is_clipped ? 0 : plan.channels * padded);
  return plan;
}

void convolve_input_gradient(const ConvolutionShape& s, const ConvolutionPlan& plan, const KernelTable& kernels,
                             const float* dy, const float* weight, float* dx, float* scratch, int64_t begin,
                             int64_t end) {
  const Windows& w = s.windows;
  const int64_t channel_blocks = ceil_div(s.channels, plan.channels), depth = s.channels * kernel_size(w);
  const int64_t padded_size = padded_floats(w, w.out_height, w.out_width, kernels.gemm);
  // Without filters there is nothing to multiply, however many outputs there are.
  const int64_t blocks = s.filters == 0 ? 0 : output_blocks(w, plan), pieces = piece_count(w, plan.taps);
  float* const columns = scratch + packed_weight_floats(s, plan, kernels.gemm);
  float* const padded = columns + columns_floats(plan);
  const bool is_padded = !is_pointwise(w) && !plan.is_clipped;
  for (int64_t task = begin; task < end; ++task) {
    const int64_t image = task / channel_blocks, channel = task % channel_blocks * plan.channels;  // of all groups
    const int64_t channels = std::min(plan.channels, s.channels - channel);
    float* const planes = dx + (image * s.channels + channel) * plane_size(w);
    if (is_padded) std::memset(padded, 0, channels * padded_size * sizeof(float));
    if (plan.is_clipped || blocks == 0) std::memset(planes, 0, channels * plane_size(w) * sizeof(float));
    for (int64_t part = 0; part < pieces && blocks > 0; ++part) {
      const Piece piece = piece_of(w, plan.taps, part);
      GemmBlock product = {};
      product.m = channels * piece.taps;
      product.k = s.filters;
      product.a = weight + image % s.groups * s.filters * depth + channel * kernel_size(w) + piece.first;
      product.a_row_stride = 1;
      product.a_column_stride = depth;
      if (packs_weight(s)) pack_weight(kernels.gemm, scratch, &product);
      for (int64_t index = 0; index < blocks; ++index) {
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
          const float* const from = columns + c * piece.taps * plan.column_stride;
          if (is_padded) {
            kernels.fold(w, block, from, plan.column_stride, padded + c * padded_size);
          } else {
            kernels.fold_clipped(piece.windows, block, from, plan.column_stride, planes + c * plane_size(w));
          }
        }
      }
    }
    if (!is_padded) continue;
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
  // Of few channels, as each of their planes is padded anew.
  plan.is_direct = w.kernel_height == 3 && w.kernel_width == 3 && s.channels * kernel_size(w) <= kDirectDepth &&
                   is_simple(w, 1, kernels.gemm);
  if (plan.is_direct) plan.channels = std::max<int64_t>(s.channels, 1);
  const double work = static_cast<double>(s.batch) * s.groups * s.filters * s.channels * kernel_size(w) * out_size(w);
  const int64_t worth = static_cast<int64_t>(std::min(work / kPartWork, static_cast<double>(kMostParts)));
  const int64_t affordable = kPartFloats / std::max<int64_t>(s.groups * group_floats(s), 1);
  plan.parts = std::max<int64_t>(std::min({worth, affordable, s.batch}), 1);
  plan.tasks = s.filters == 0 ? 0 : plan.parts * s.groups * ceil_div(s.channels, plan.channels);
  plan.shared_floats = round_up(plan.parts * s.groups * group_floats(s), 16);
  const int64_t padded = padded_floats(w, plan.block_rows, plan.block_columns, kernels.gemm);
  bound_memory(w, padded, &plan);
  plan.thread_floats = columns_floats(plan) + (plan.is_clipped ? 0 : padded) +
                       round_up(plan.block_rows * plan.block_columns * filters, 16);
  if (plan.is_direct) {
    plan.thread_floats = direct_floats(padded_floats(w, w.out_height, w.out_width, kernels.gemm), kernels.gemm);
  }
  return plan;
}

void convolve_weight_gradient(const ConvolutionShape& s, const ConvolutionPlan& plan, const KernelTable& kernels,
                              const float* x, const float* dy, float* sums, float* scratch, int64_t begin,
                              int64_t end) {
  const Windows& w = s.windows;
  const int64_t channel_blocks = ceil_div(s.channels, plan.channels);
  const int64_t blocks = output_blocks(w, plan), pieces = piece_count(w, plan.taps);
  // Without outputs there is nothing to multiply, however many images there are.
  const int64_t batch = blocks == 0 ? 0 : s.batch;
  float* const after = scratch + columns_floats(plan);
  float* const padded = plan.is_clipped ? nullptr : after;
  float* const turned =
      plan.is_clipped ? after : after + padded_floats(w, plan.block_rows, plan.block_columns, kernels.gemm);
  for (int64_t task = begin; task < end; ++task) {
    const int64_t channel = task % channel_blocks * plan.channels, group = task / channel_blocks % s.groups;
    const int64_t part = task / channel_blocks / s.groups;
    const int64_t channels = std::min(plan.channels, s.channels - channel);
    // dwᵀ = columns · dyᵀ: the pixels are summed over, the filters are the lanes.
    GemmBlock product = {};
    product.n = s.filters;
    product.a_column_stride = 1;
    product.b = turned;
    product.b_stride = filters_stride(s, kernels.gemm);
    float* const to = sums + (part * s.groups + group) * group_floats(s) + channel * kernel_size(w) * s.filters;
    product.c_stride = s.filters;
    std::memset(to, 0, channels * kernel_size(w) * s.filters * sizeof(float));
    product.accumulate = true;
    for (int64_t i = batch * part / plan.parts; i < batch * (part + 1) / plan.parts; ++i) {
      const int64_t image = i * s.groups + group;
      const float* const planes = x + (image * s.channels + channel) * plane_size(w);
      for (int64_t c = 0; c < channels && plan.is_direct; ++c) {
        kernels.direct_weight_gradient(w, planes + c * plane_size(w), dy + image * s.filters * out_size(w), s.filters,
                                       scratch, to + c * kernel_size(w) * s.filters);
      }
      for (int64_t index = 0; index < blocks && !plan.is_direct; ++index) {
        const OutputBlock block = block_of(w, plan, index);
        const int64_t first = block.row * w.out_width + block.column;
        product.k = block.rows * block.columns;
        product.a = is_pointwise(w) ? planes + first : scratch;
        product.a_row_stride = is_pointwise(w) ? plane_size(w) : plan.column_stride;
        kernels.transpose(4, dy + image * s.filters * out_size(w) + first, out_size(w), turned, product.b_stride,
                          product.k, s.filters);
        for (int64_t cut = 0; cut < pieces; ++cut) {
          const Piece piece = piece_of(w, plan.taps, cut);
          product.m = channels * piece.taps;
          product.c = to + piece.first * s.filters;
          if (!is_pointwise(w)) {
            unfold(piece.windows, kernels, block, planes, channels, padded, scratch, plan.column_stride);
          }
          multiply(product, kernels.gemm);
        }
      }
    }
  }
}

void add_parts(const ConvolutionShape& s, int64_t parts, const KernelTable& kernels, float* sums, float* dw) {
  const int64_t size = s.groups * group_floats(s), depth = s.channels * kernel_size(s.windows);
  for (int64_t part = 1; part < parts; ++part) kernels.accumulate_float32(sums + part * size, sums, size);
  for (int64_t group = 0; group < s.groups; ++group) {
    kernels.transpose(4, sums + group * group_floats(s), s.filters, dw + group * group_floats(s), depth, s.filters,
                      depth);
  }
}

}  // namespace galvani
