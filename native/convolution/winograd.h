// Convolutions of 3×3 windows side by side by Winograd's minimal filtering: 36 matrix products, of a place of all tiles
// of 4×4 outputs each, instead of 144 products a tile. No intrinsics here, and no knowledge of programs.
//
// Sums of inputs take the place of inputs. So what is not finite spreads to outputs that do not meet it, and so may
// what overflows: outputs of images where any is not finite are to be computed once more, directly.
#pragma once

#include "convolution/convolution.h"

namespace galvani {

// How such a convolution is cut. A strip is rows of tiles, which may be of several images; a task is a part of the
// filters of one group over one strip. It depends on the shape and on the kernels alone, and so do the bits of the
// results.
struct WinogradPlan {
  bool is_worthwhile;
  int64_t tile_rows, tile_columns;  // of an image
  int64_t strip_rows, strips;
  int64_t part_filters, parts;  // of a group
  int64_t tasks, weight_tasks;
  int64_t channel_pitch, filter_pitch;                 // of a group: whole vectors, as are the filters of a part
  int64_t weight_stride, input_stride, output_stride;  // between the matrices of 36 places
  int64_t input_floats, output_floats;                 // of pixels
  int64_t thread_floats, shared_floats;
};

WinogradPlan plan_winograd(const ConvolutionShape& shape, const KernelTable& kernels);

// The convolution, of dy by kernels that are turned round, that is the adjoint in x of one of 3×3 windows side by side:
// its channels are the other's filters. No worthwhile plan has another form.
ConvolutionShape adjoint_of(const ConvolutionShape& shape);

// Before anything else, for each thread.
void begin_winograd(const WinogradPlan& plan, float* scratch);

// Tasks [begin, end) of plan.weight_tasks, before all others; w is that of the shape, or of the one that it is adjoint
// to.
void transform_weights(const ConvolutionShape& shape, const WinogradPlan& plan, const KernelTable& kernels,
                       const float* w, bool is_adjoint, float* scratch, float* shared, int64_t begin, int64_t end);

// Tasks [begin, end) of y = activation(x ∗ w + bias).
void convolve_tiles(const ConvolutionShape& shape, const WinogradPlan& plan, const KernelTable& kernels, const float* x,
                    const ConvolutionEpilogue& epilogue, float* y, float* scratch, float* shared, int64_t begin,
                    int64_t end);

// Whether an image is to be computed directly, once all tasks are done.
bool is_image_broken(const ConvolutionShape& shape, const WinogradPlan& plan, const float* shared, int64_t image);

}  // namespace galvani
