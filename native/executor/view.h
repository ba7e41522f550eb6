// Strided views with as few axes as they can do with.
#pragma once

#include "program/vocabulary.h"

namespace galvani {

// The same elements in the same order: axes of extent 1 dropped, axes that follow each other in memory merged.
inline StridedView collapse(const StridedView& view) {
  StridedView result{};
  result.offset = view.offset;
  for (int axis = 0; axis < view.rank; ++axis) {
    const int64_t extent = view.shape[axis], stride = view.strides[axis];
    if (extent == 1) continue;
    const int last = result.rank - 1;
    if (last >= 0 && result.strides[last] == stride * extent) {
      result.shape[last] *= extent;
      result.strides[last] = stride;
    } else {
      result.shape[result.rank] = extent;
      result.strides[result.rank++] = stride;
    }
  }
  return result;
}

// Of a collapsed view: whether it is a run of memory.
inline bool is_contiguous(const StridedView& view) {
  return view.rank == 0 || (view.rank == 1 && view.strides[0] == 1);
}

}  // namespace galvani
