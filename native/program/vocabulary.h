// The words that programs and kernels have in common: dtypes, micro-ops, reductions and so on, strided views, windows.
// It includes nothing that has functions of its own, so that kernels may include it.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace galvani {

// The orders of these lists are the numbers of the wire format; the addon exports the names.
// clang-format off
#define GALVANI_DTYPES(X) X(float32) X(int32) X(uint8) X(bool) X(float64)
#define GALVANI_REDUCTIONS(X) X(sum) X(max) X(min) X(prod)
#define GALVANI_ACTIVATIONS(X) X(none) X(relu) X(leakyRelu) X(sigmoid) X(tanh)
#define GALVANI_PRECISIONS(X) X(float32) X(bf16)
#define GALVANI_DISTRIBUTIONS(X) \
  X(uniform) X(normal) X(exponential) X(gumbel) X(integer) X(truncatedNormal) X(gamma) X(beta) X(poisson)
// clang-format on

#define GALVANI_ENUMERATOR(name) k_##name,
enum class DType : int32_t { GALVANI_DTYPES(GALVANI_ENUMERATOR) count };
enum class Reduction : int32_t { GALVANI_REDUCTIONS(GALVANI_ENUMERATOR) count };
enum class Activation : int32_t { GALVANI_ACTIVATIONS(GALVANI_ENUMERATOR) count };
enum class Precision : int32_t { GALVANI_PRECISIONS(GALVANI_ENUMERATOR) count };
enum class Distribution : int32_t { GALVANI_DISTRIBUTIONS(GALVANI_ENUMERATOR) count };
#undef GALVANI_ENUMERATOR

enum class MicroOp : int32_t {
#define GALVANI_MICRO_OP(name, arity, kind, nanoseconds, vectors, exact, ulps) k_##name,
#include "program/micro_ops.inc"
  count
};

constexpr int kDTypeCount = static_cast<int>(DType::count);
constexpr int kMicroOpCount = static_cast<int>(MicroOp::count);
constexpr int kReductionCount = static_cast<int>(Reduction::count);
constexpr int kDistributionCount = static_cast<int>(Distribution::count);
constexpr int kMaxRank = 8;

constexpr int64_t element_bytes(DType dtype) {
  if (dtype == DType::k_float64) return 8;
  return dtype == DType::k_float32 || dtype == DType::k_int32 ? 4 : 1;
}

constexpr bool is_float(DType dtype) { return dtype == DType::k_float32 || dtype == DType::k_float64; }

// Which operands a micro-op takes, and what it gives: see `MicroOpKind` in lib/program/micro-ops.ts.
enum class MicroKind { k_same, k_float, k_any, k_comparison, k_cast, k_bits, k_integer };

struct MicroFacts {
  constexpr MicroFacts(const char* name, int arity, MicroKind kind, double nanoseconds)
      : name(name), arity(arity), kind(kind), nanoseconds(nanoseconds) {}
  const char* name;
  int arity;
  MicroKind kind;
  double nanoseconds;  // of one element
};

constexpr MicroFacts kMicroFacts[] = {
#define GALVANI_MICRO_OP(name, arity, kind, nanoseconds, vectors, exact, ulps) \
  MicroFacts(#name, arity, MicroKind::k_##kind, nanoseconds),
#include "program/micro_ops.inc"
};

constexpr const MicroFacts& facts_of(MicroOp op) { return kMicroFacts[static_cast<int>(op)]; }

// Whether operands may be of this dtype: those of `where` beside its condition, and what a `cast` converts.
constexpr bool takes(MicroKind kind, DType dtype) {
  switch (kind) {
    case MicroKind::k_same: return is_float(dtype) || dtype == DType::k_int32;
    case MicroKind::k_float: return is_float(dtype);
    case MicroKind::k_bits: return !is_float(dtype);
    case MicroKind::k_integer: return dtype == DType::k_int32 || dtype == DType::k_uint8;
    case MicroKind::k_any:
    case MicroKind::k_comparison:
    case MicroKind::k_cast: break;
  }
  return true;
}

// The dtype of the result of operands of `dtype`; `to` is what a cast converts to.
constexpr DType result_of(MicroOp op, DType dtype, DType to) {
  const MicroKind kind = facts_of(op).kind;
  if (kind == MicroKind::k_comparison) return DType::k_bool;
  return kind == MicroKind::k_cast ? to : dtype;
}

// Of the panels of a quantizedMatmul's weight: outputs of each, and of how many inputs at a step; the greatest k. See
// lib/program/schema.ts.
constexpr int64_t kPanelOutputs = 16, kPanelInputs = 4;
constexpr int64_t kMaxQuantizedDepth = 1 << 17;

// A strided view: element (i0, …) is at offset + Σ i·stride, in elements.
struct StridedView {
  int rank;
  int64_t shape[kMaxRank];
  int64_t strides[kMaxRank];
  int64_t offset;
};

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

// How windows slide over planes; lib/program/schema.ts says what the numbers mean.
struct Windows {
  int64_t height, width, kernel_height, kernel_width, out_height, out_width;
  int64_t stride_height, stride_width, pad_top, pad_left, dilation_height, dilation_width;
};

// How many rows (columns) of the padded plane the windows of `out` rows (columns) of outputs reach over.
inline int64_t rows_reached(const Windows& w, int64_t out) {
  return (out > 0 ? out - 1 : 0) * w.stride_height + (w.kernel_height - 1) * w.dilation_height + 1;
}
inline int64_t columns_reached(const Windows& w, int64_t out) {
  return (out > 0 ? out - 1 : 0) * w.stride_width + (w.kernel_width - 1) * w.dilation_width + 1;
}

}  // namespace galvani
