// Adding a row to another: what scatterAdd does.
#pragma once

#include "kernels/elementwise.h"
#include "kernels/micro_kernels.h"
#include "kernels/vector_loop.h"

// out[j] += x[j].
template <class T>
void accumulate_kernel(const T* x, T* out, int64_t n) {
  for_each_pair<Operation<MicroOp::k_add>>(Elements<T>{out}, Elements<T>{x}, out, n);
}
