// Gradients of kernels of 3×3 by Winograd's minimal filtering: 36 matrix products over tiles of 4×4 cotangents, instead
// of 144 products a tile. No intrinsics here, and no knowledge of programs.
//
// All elements of a kernel are made of the same sums, in which sums of inputs take the place of inputs. So its errors
// are in proportion to the greatest element, and what is not finite spreads, as may what overflows: where an element is
// not finite all is to be computed once more, directly.
#pragma once

#include "convolution/convolution.h"

namespace galvani {

// How such a gradient is cut. A strip is rows of tiles, which may be of several images; a task is some channels and
// some filters of a group, over the strips of a part. It depends on the shape and on the kernels alone, and so do the
// bits of the results.
struct WinogradGradientPlan {
  bool is_worthwhile;
  int64_t tile_rows, tile_columns;  // of an image
  int64_t strip_rows, strips;
  int64_t parts;              // each of which has sums of its own
  int64_t channels, filters;  // of a task, at most
  int64_t tasks;
  int64_t channel_pitch, filter_pitch;              // between pixels: whole vectors
  int64_t input_stride, output_stride, sum_stride;  // between the matrices of 36 places
  int64_t input_floats, output_floats;              // of pixels
  int64_t thread_floats, shared_floats;
};

WinogradGradientPlan plan_winograd_gradient(const ConvolutionShape& shape, const KernelTable& kernels);

// Tasks [begin, end) of the adjoint in w: sums of parts, which add_parts() adds once all tasks are done.
void convolve_weight_gradient_tiles(const ConvolutionShape& shape, const WinogradGradientPlan& plan,
                                    const KernelTable& kernels, const float* x, const float* dy, float* sums,
                                    float* scratch, int64_t begin, int64_t end);

// Whether it is to be computed directly, once all tasks are done.
bool is_gradient_broken(const ConvolutionShape& shape, const WinogradGradientPlan& plan, const float* sums);

}  // namespace galvani
