// C[batch] = activation(A[batch] · B[batch] + bias): the loops around the microkernels. No intrinsics here, and no
// knowledge of programs. Reference: Goto & van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008).
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/kernel_table.h"
#include "runtime/parallel.h"

namespace galvani {

// Element (i, j) of matrix `b` is at data[b·batch_stride + i·row_stride + j·column_stride]. One of the strides is 1.
template <typename T>
struct MatrixViewOf {
  const T* data;
  int64_t batch_stride;
  int64_t row_stride;
  int64_t column_stride;
};
using MatrixView = MatrixViewOf<float>;

struct GemmShape {
  int64_t batch, m, n, k;
};

// Elements of C, counted over all of it: `rows` of `columns` of them, each `stride` after the one before. They are at
// `elements`, whose rows are `elements_stride` apart.
struct GemmPart {
  int64_t first, rows, columns, stride;
  const void* elements;
  int64_t elements_stride;
};

// What is done with each part of C once it is there, by the thread that has computed it: run(context, part, thread).
struct GemmTail {
  void (*run)(const void* context, const GemmPart& part, int thread);
  const void* context;
  bool takes_columns;  // and not only whole rows
  bool needs_c;        // what it is not given by `elements` alone: else C may stay unwritten
};

template <typename T>
struct GemmEpilogueOf {
  const T* bias = nullptr;  // [n]
  Activation activation = Activation::k_none;
  T slope = 0;
  const GemmTail* tail = nullptr;
};
using GemmEpilogue = GemmEpilogueOf<float>;

// Bytes of scratch that gemm() needs for this shape and such an A with up to `threads` threads; 64-byte aligned memory.
template <typename T>
size_t gemm_workspace_bytes(const GemmShape& shape, const MatrixViewOf<T>& a, const GemmKernelsOf<T>& kernels,
                            int threads, bool has_tail = false);

// C is dense [batch, m, n] and overlaps neither operand. k = 0 gives activation(bias). The bits of C do not depend on
// how many threads there are. T is float or double.
template <typename T>
void gemm(const GemmShape& shape, const MatrixViewOf<T>& a, const MatrixViewOf<T>& b, T* c,
          const GemmEpilogueOf<T>& epilogue, const GemmKernelsOf<T>& kernels, Parallel& parallel, void* workspace);

}  // namespace galvani
