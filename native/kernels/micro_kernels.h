// The kernels of the micro-ops, by dtype and operands, as their rows say.
#pragma once

#include "kernels/elementwise.h"
#include "math/arc.h"
#include "math/doubles.h"
#include "math/erf.h"
#include "math/exp.h"
#include "math/gamma.h"
#include "math/hyperbolic.h"
#include "math/log.h"
#include "math/piecewise.h"
#include "math/pow.h"
#include "math/reciprocal.h"
#include "math/rounding.h"
#include "math/sigmoid.h"
#include "math/signs.h"
#include "math/trigonometry.h"
#include "simd/vectors.h"

// Vectors in an unrolled step: cheap operations are worth more of them than long ones.
constexpr int unroll_of(double nanoseconds) { return nanoseconds < 0.1 ? 4 : 1; }

// The operation of each micro-op, by its row. Those of kinds `any` and `cast` are not used: see kernel_of().
template <MicroOp op>
struct Operation;
#define GALVANI_OPERANDS_1 V a
#define GALVANI_OPERANDS_2 V a, V b
#define GALVANI_OPERANDS_3 Mask a, V b, V c
#define GALVANI_MICRO_OP(name, arity, kind, nanoseconds, vectors, exact, ulps) \
  template <>                                                                  \
  struct Operation<MicroOp::k_##name> {                                        \
    static constexpr int kUnroll = unroll_of(nanoseconds);                     \
    template <class V>                                                         \
    static auto of(GALVANI_OPERANDS_##arity) {                                 \
      return vectors;                                                          \
    }                                                                          \
  };
#include "program/micro_ops.inc"
#undef GALVANI_OPERANDS_1
#undef GALVANI_OPERANDS_2
#undef GALVANI_OPERANDS_3

// The elements of arrays of a dtype.
template <DType dtype>
struct ElementOf {
  using Type = uint8_t;
};
template <>
struct ElementOf<DType::k_float32> {
  using Type = float;
};
template <>
struct ElementOf<DType::k_int32> {
  using Type = int32_t;
};
template <>
struct ElementOf<DType::k_float64> {
  using Type = double;
};

// The operands of a binary micro-op: two arrays, or one element for one of them.
enum class Operands { k_dense, k_scalar_first, k_scalar_second };

// Null where there is none for these dtypes or operands.
template <MicroOp op, DType dtype, Operands operands>
constexpr MicroKernel kernel_of() {
  constexpr MicroFacts facts = facts_of(op);
  constexpr bool is_binary = facts.arity == 2;
  using Op = Operation<op>;
  using T = typename ElementOf<dtype>::Type;
  using Out = typename ElementOf<result_of(op, dtype, dtype)>::Type;
  if constexpr (!takes(facts.kind, dtype) || facts.kind == MicroKind::k_cast) return nullptr;
  else if constexpr (is_binary && operands == Operands::k_scalar_first) return scalar_first_kernel<Op, T, Out>;
  else if constexpr (is_binary && operands == Operands::k_scalar_second) return scalar_second_kernel<Op, T, Out>;
  else if constexpr (operands != Operands::k_dense) return nullptr;
  else if constexpr (is_binary) return binary_kernel<Op, T, Out>;
  else if constexpr (facts.kind != MicroKind::k_any) return unary_kernel<Op, T, Out>;
  else if constexpr (facts.arity == 1) return identity_kernel<T>;
  else return where_kernel<T>;
}

// For the operand dtypes float32, int32, uint8, bool and float64.
struct KernelRow {
  MicroKernel kernels[kDTypeCount];
};
template <MicroOp op, Operands operands = Operands::k_dense>
constexpr KernelRow kernels_of() {
  return {{kernel_of<op, DType::k_float32, operands>(), kernel_of<op, DType::k_int32, operands>(),
           kernel_of<op, DType::k_uint8, operands>(), kernel_of<op, DType::k_bool, operands>(),
           kernel_of<op, DType::k_float64, operands>()}};
}

constexpr KernelRow kMicroKernels[] = {
#define GALVANI_MICRO_OP(name, arity, kind, nanoseconds, vectors, exact, ulps) kernels_of<MicroOp::k_##name>(),
#include "program/micro_ops.inc"
};
constexpr KernelRow kScalarFirstKernels[] = {
#define GALVANI_MICRO_OP(name, arity, kind, nanoseconds, vectors, exact, ulps) \
  kernels_of<MicroOp::k_##name, Operands::k_scalar_first>(),
#include "program/micro_ops.inc"
};
constexpr KernelRow kScalarSecondKernels[] = {
#define GALVANI_MICRO_OP(name, arity, kind, nanoseconds, vectors, exact, ulps) \
  kernels_of<MicroOp::k_##name, Operands::k_scalar_second>(),
#include "program/micro_ops.inc"
};

// The casts from one dtype to float32, int32, uint8, bool and float64.
constexpr KernelRow casts_from(DType from) {
  if (from == DType::k_float32) {
    return {{identity_kernel<float>, unary_kernel<ToInt, float, int32_t>, unary_kernel<ToByte, float, uint8_t>,
             unary_kernel<ToBool, float, uint8_t>, unary_kernel<ToDouble, float, double>}};
  }
  if (from == DType::k_float64) {
    return {{unary_kernel<ToFloat, double, float>, unary_kernel<ToInt, double, int32_t>,
             unary_kernel<ToByte, double, uint8_t>, unary_kernel<ToBool, double, uint8_t>, identity_kernel<double>}};
  }
  if (from == DType::k_int32) {
    return {{unary_kernel<ToFloat, int32_t, float>, identity_kernel<int32_t>, unary_kernel<ToByte, int32_t, uint8_t>,
             unary_kernel<ToBool, int32_t, uint8_t>, unary_kernel<ToDouble, int32_t, double>}};
  }
  const MicroKernel to_bool = from == DType::k_bool ? identity_kernel<uint8_t> : unary_kernel<ToBool, uint8_t, uint8_t>;
  return {{unary_kernel<ToFloat, uint8_t, float>, unary_kernel<ToInt, uint8_t, int32_t>, identity_kernel<uint8_t>,
           to_bool, unary_kernel<ToDouble, uint8_t, double>}};
}

// Fills in the kernels of the micro-ops and of the casts.
constexpr void set_micro_kernels(KernelTable& table) {
  for (int dtype = 0; dtype < kDTypeCount; ++dtype) {
    for (int op = 0; op < kMicroOpCount; ++op) {
      table.micro[op][dtype] = kMicroKernels[op].kernels[dtype];
      table.micro_scalar[0][op][dtype] = kScalarFirstKernels[op].kernels[dtype];
      table.micro_scalar[1][op][dtype] = kScalarSecondKernels[op].kernels[dtype];
    }
    const KernelRow casts = casts_from(static_cast<DType>(dtype));
    for (int to = 0; to < kDTypeCount; ++to) table.cast[dtype][to] = casts.kernels[to];
  }
}
