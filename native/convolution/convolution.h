// Convolutions as matrix products: the loops that unfold images block by block into the columns that a product reads.
// No intrinsics here, and no knowledge of programs; lib/program/schema.ts says what is computed.
#pragma once

#include <cstdint>

#include "kernels/kernel_table.h"
#include "runtime/parallel.h"

namespace galvani {

struct ConvolutionShape {
  int64_t batch, groups, channels, filters;  // channels of the input and of the output, in each group
  Windows windows;
  // Whether windows of 2×2 of the outputs, even numbers of which lie in a row and in a column, become their greatest.
  bool is_pooled = false;
};

// How a convolution is cut: into independent tasks, which need floats of scratch: each thread its own, and all
// together. It depends on the shape and on the kernels alone, and so do the bits of the results.
struct ConvolutionPlan {
  int64_t block_rows, block_columns;  // of outputs that are unfolded together
  int64_t channels;                   // that are unfolded together
  int64_t taps;                       // elements of the kernel that are: all, or a part of those of one channel
  bool is_clipped;                    // whether only what windows meet of the image is gone through, not its padding
  bool is_direct;                     // whether nothing is unfolded
  int64_t parts;                      // of the batch, each of which has sums of its own
  int64_t tasks;
  int64_t column_stride;  // between the rows of unfolded columns
  int64_t pooled_floats;  // of a block of outputs that is to be pooled
  int64_t thread_floats, shared_floats;
};

ConvolutionPlan plan_convolution(const ConvolutionShape& shape, const KernelTable& kernels);
ConvolutionPlan plan_input_gradient(const ConvolutionShape& shape, const KernelTable& kernels);
ConvolutionPlan plan_weight_gradient(const ConvolutionShape& shape, const KernelTable& kernels);

// Tasks [begin, end) of y = activation(x ∗ w + bias).
void convolve(const ConvolutionShape& shape, const ConvolutionPlan& plan, const KernelTable& kernels, const float* x,
              const float* w, const ConvolutionEpilogue& epilogue, float* y, float* scratch, int64_t begin,
              int64_t end);

// Tasks [begin, end) of the adjoint in x.
void convolve_input_gradient(const ConvolutionShape& shape, const ConvolutionPlan& plan, const KernelTable& kernels,
                             const float* dy, const float* w, float* dx, float* scratch, int64_t begin, int64_t end);

// Tasks [begin, end) of the adjoint in w: sums of parts of the batch, which add_parts() adds once all tasks are done.
void convolve_weight_gradient(const ConvolutionShape& shape, const ConvolutionPlan& plan, const KernelTable& kernels,
                              const float* x, const float* dy, float* sums, float* scratch, int64_t begin, int64_t end);
void add_parts(const ConvolutionShape& shape, int64_t parts, const KernelTable& kernels, float* sums, float* dw);

}  // namespace galvani
