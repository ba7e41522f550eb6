// All kernels of one instruction set and the table of them. Included inside the namespace of that instruction set and
// its target region, after its simd header; so neither this header nor those below include anything from outside.
#pragma once

#include "kernels/vector_loop.h"

#include "kernels/pair.h"

#include "kernels/math.h"

#include "kernels/erf.h"
#include "kernels/hyperbolic.h"
#include "kernels/pow.h"
#include "kernels/rounding.h"
#include "kernels/trigonometry.h"

#include "kernels/arc.h"

#include "kernels/elementwise.h"

#include "kernels/reduce.h"

#include "kernels/argmax.h"
#include "kernels/convolution.h"
#include "kernels/movement.h"
#include "kernels/scan.h"

#include "kernels/distributions.h"
#include "kernels/gemm_kernels.h"
#include "kernels/optimizer.h"
#include "kernels/pooling.h"

#include "kernels/random.h"
#include "kernels/softmax_narrow.h"

#include "kernels/softmax.h"

#include "kernels/attention.h"

constexpr int kFloat = static_cast<int>(DType::k_float32);
constexpr int kInt = static_cast<int>(DType::k_int32);
constexpr int kByte = static_cast<int>(DType::k_uint8);
constexpr int kBool = static_cast<int>(DType::k_bool);

// The row of a micro-op for the operand dtypes float32, int32, uint8 and bool.
struct Row {
  MicroKernel kernels[kDTypeCount];
};
template <class Op>
constexpr Row unary_float() {
  return {{unary_kernel<Op, float>, nullptr, nullptr, nullptr}};
}
template <class Op>
constexpr Row unary_number() {
  return {{unary_kernel<Op, float>, unary_kernel<Op, int32_t>, nullptr, nullptr}};
}

// The operands of a binary micro-op: two arrays, or one element for one of them.
enum class Operands { k_dense, k_scalar_first, k_scalar_second };
template <Operands operands, class Op, class T, class Out = T>
constexpr MicroKernel binary() {
  if constexpr (operands == Operands::k_scalar_first) return scalar_first_kernel<Op, T, Out>;
  if constexpr (operands == Operands::k_scalar_second) return scalar_second_kernel<Op, T, Out>;
  return binary_kernel<Op, T, Out>;
}
template <Operands operands, class Op>
constexpr Row binary_float() {
  return {{binary<operands, Op, float>(), nullptr, nullptr, nullptr}};
}
template <Operands operands, class Op>
constexpr Row binary_number() {
  return {{binary<operands, Op, float>(), binary<operands, Op, int32_t>(), nullptr, nullptr}};
}
template <Operands operands, class Op>
constexpr Row comparison() {
  constexpr MicroKernel bytes = binary<operands, Op, uint8_t>();
  return {{binary<operands, Op, float, uint8_t>(), binary<operands, Op, int32_t, uint8_t>(), bytes, bytes}};
}

template <Operands operands, class Op>
constexpr Row bits() {
  constexpr MicroKernel bytes = binary<operands, Op, uint8_t>();
  return {{nullptr, binary<operands, Op, int32_t>(), bytes, bytes}};
}
template <Operands operands, class Op>
constexpr Row shift() {
  return {{nullptr, binary<operands, Op, int32_t>(), binary<operands, Op, uint8_t>(), nullptr}};
}

template <Operands operands>
constexpr Row binary_row(MicroOp op) {
  switch (op) {
    case MicroOp::k_add: return binary_number<operands, Add>();
    case MicroOp::k_sub: return binary_number<operands, Subtract>();
    case MicroOp::k_mul: return binary_number<operands, Multiply>();
    case MicroOp::k_div: return binary_float<operands, Divide>();
    case MicroOp::k_pow: return binary_float<operands, Pow>();
    case MicroOp::k_maximum: return binary_number<operands, Maximum>();
    case MicroOp::k_minimum: return binary_number<operands, Minimum>();
    case MicroOp::k_leakyRelu: return binary_float<operands, LeakyRelu>();
    case MicroOp::k_elu: return binary_float<operands, Elu>();
    case MicroOp::k_atan2: return binary_float<operands, Atan2>();
    case MicroOp::k_hypot: return binary_float<operands, Hypot>();
    case MicroOp::k_mod: return binary_number<operands, Mod>();
    case MicroOp::k_fmod: return binary_number<operands, Fmod>();
    case MicroOp::k_floorDiv: return binary_number<operands, FloorDivide>();
    case MicroOp::k_bitwiseAnd: return bits<operands, BitwiseAnd>();
    case MicroOp::k_bitwiseOr: return bits<operands, BitwiseOr>();
    case MicroOp::k_bitwiseXor: return bits<operands, BitwiseXor>();
    case MicroOp::k_leftShift: return shift<operands, LeftShift>();
    case MicroOp::k_rightShift: return shift<operands, RightShift>();
    case MicroOp::k_equal: return comparison<operands, Equal>();
    case MicroOp::k_notEqual: return comparison<operands, NotEqual>();
    case MicroOp::k_less: return comparison<operands, Less>();
    case MicroOp::k_lessEqual: return comparison<operands, LessEqual>();
    case MicroOp::k_greater: return comparison<operands, Greater>();
    case MicroOp::k_greaterEqual: return comparison<operands, GreaterEqual>();
    default: return {{nullptr, nullptr, nullptr, nullptr}};
  }
}

constexpr Row micro_row(MicroOp op) {
  switch (op) {
    case MicroOp::k_identity:
      return {{identity_kernel<float>, identity_kernel<int32_t>, identity_kernel<uint8_t>, identity_kernel<uint8_t>}};
    case MicroOp::k_neg: return unary_number<Negate>();
    case MicroOp::k_abs: return unary_number<Abs>();
    case MicroOp::k_sign: return unary_number<Sign>();
    case MicroOp::k_square: return unary_number<Square>();
    case MicroOp::k_sqrt: return unary_float<Sqrt>();
    case MicroOp::k_exp: return unary_float<Exp>();
    case MicroOp::k_log: return unary_float<Log>();
    case MicroOp::k_step: return unary_float<Step>();
    case MicroOp::k_sigmoid: return unary_float<Sigmoid>();
    case MicroOp::k_tanh: return unary_float<Tanh>();
    case MicroOp::k_relu: return unary_number<Relu>();
    case MicroOp::k_softplus: return unary_float<Softplus>();
    case MicroOp::k_expm1: return unary_float<Expm1>();
    case MicroOp::k_log1p: return unary_float<Log1p>();
    case MicroOp::k_sin: return unary_float<Sin>();
    case MicroOp::k_cos: return unary_float<Cos>();
    case MicroOp::k_rsqrt: return unary_float<Rsqrt>();
    case MicroOp::k_reciprocal: return unary_float<Reciprocal>();
    case MicroOp::k_erf: return unary_float<Erf>();
    case MicroOp::k_silu: return unary_float<Silu>();
    case MicroOp::k_gelu: return unary_float<Gelu>();
    case MicroOp::k_geluTanh: return unary_float<GeluTanh>();
    case MicroOp::k_floor: return unary_float<Floor>();
    case MicroOp::k_ceil: return unary_float<Ceil>();
    case MicroOp::k_round: return unary_float<Round>();
    case MicroOp::k_trunc: return unary_float<Trunc>();
    case MicroOp::k_exp2: return unary_float<Exp2>();
    case MicroOp::k_log2: return unary_float<Log2>();
    case MicroOp::k_log10: return unary_float<Log10>();
    case MicroOp::k_cbrt: return unary_float<Cbrt>();
    case MicroOp::k_tan: return unary_float<Tan>();
    case MicroOp::k_asin: return unary_float<Asin>();
    case MicroOp::k_acos: return unary_float<Acos>();
    case MicroOp::k_atan: return unary_float<Atan>();
    case MicroOp::k_sinh: return unary_float<Sinh>();
    case MicroOp::k_cosh: return unary_float<Cosh>();
    case MicroOp::k_asinh: return unary_float<Asinh>();
    case MicroOp::k_acosh: return unary_float<Acosh>();
    case MicroOp::k_atanh: return unary_float<Atanh>();
    case MicroOp::k_erfc: return unary_float<Erfc>();
    case MicroOp::k_where:
      return {{where_kernel<float>, where_kernel<int32_t>, where_kernel<uint8_t>, where_kernel<uint8_t>}};
    default: return binary_row<Operands::k_dense>(op);
  }
}

// The casts from one dtype to float32, int32, uint8 and bool.
constexpr Row cast_row(int from) {
  if (from == kFloat) {
    return {{identity_kernel<float>, unary_kernel<ToInt, float, int32_t>, unary_kernel<ToByte, float, uint8_t>,
             unary_kernel<ToBool, float, uint8_t>}};
  }
  if (from == kInt) {
    return {{unary_kernel<ToFloat, int32_t, float>, identity_kernel<int32_t>, unary_kernel<ToByte, int32_t, uint8_t>,
             unary_kernel<ToBool, int32_t, uint8_t>}};
  }
  const MicroKernel to_bool = from == kBool ? identity_kernel<uint8_t> : unary_kernel<ToBool, uint8_t, uint8_t>;
  return {{unary_kernel<ToFloat, uint8_t, float>, unary_kernel<ToInt, uint8_t, int32_t>, identity_kernel<uint8_t>,
           to_bool}};
}

constexpr KernelTable make_table(const char* isa) {
  KernelTable table = {};
  table.isa = isa;
  for (int op = 0; op < kMicroOpCount; ++op) {
    const Row row = micro_row(static_cast<MicroOp>(op));
    const Row first = binary_row<Operands::k_scalar_first>(static_cast<MicroOp>(op));
    const Row second = binary_row<Operands::k_scalar_second>(static_cast<MicroOp>(op));
    for (int dtype = 0; dtype < kDTypeCount; ++dtype) {
      table.micro[op][dtype] = row.kernels[dtype];
      table.micro_scalar[0][op][dtype] = first.kernels[dtype];
      table.micro_scalar[1][op][dtype] = second.kernels[dtype];
    }
  }
  for (int from = 0; from < kDTypeCount; ++from) {
    const Row row = cast_row(from);
    for (int to = 0; to < kDTypeCount; ++to) table.cast[from][to] = row.kernels[to];
  }
  table.copy = copy_kernel;
  table.transpose = transpose_kernel;
  table.reduce_float32[static_cast<int>(Reduction::k_sum)] = reduce_kernel<Sum, float>;
  table.reduce_float32[static_cast<int>(Reduction::k_max)] = reduce_kernel<Max, float>;
  table.reduce_float32[static_cast<int>(Reduction::k_min)] = reduce_kernel<Min, float>;
  table.reduce_int32[static_cast<int>(Reduction::k_sum)] = reduce_kernel<Sum, int32_t>;
  table.reduce_int32[static_cast<int>(Reduction::k_max)] = reduce_kernel<Max, int32_t>;
  table.reduce_int32[static_cast<int>(Reduction::k_min)] = reduce_kernel<Min, int32_t>;
  table.reduce_float32[static_cast<int>(Reduction::k_prod)] = product_kernel<float>;
  table.reduce_int32[static_cast<int>(Reduction::k_prod)] = product_kernel<int32_t>;
  table.scan_float32[static_cast<int>(Reduction::k_sum)] = scan_kernel<RunningSum, float>;
  table.scan_float32[static_cast<int>(Reduction::k_max)] = scan_kernel<RunningMax, float>;
  table.scan_float32[static_cast<int>(Reduction::k_min)] = scan_kernel<RunningMin, float>;
  table.scan_float32[static_cast<int>(Reduction::k_prod)] = scan_kernel<RunningProduct, float>;
  table.scan_int32[static_cast<int>(Reduction::k_sum)] = scan_kernel<RunningSum, int32_t>;
  table.scan_int32[static_cast<int>(Reduction::k_max)] = scan_kernel<RunningMax, int32_t>;
  table.scan_int32[static_cast<int>(Reduction::k_min)] = scan_kernel<RunningMin, int32_t>;
  table.scan_int32[static_cast<int>(Reduction::k_prod)] = scan_kernel<RunningProduct, int32_t>;
  table.recurrence = recurrence_kernel;
  table.argmax_float32 = argmax_kernel<float>;
  table.argmax_int32 = argmax_kernel<int32_t>;
  table.softmax = softmax_kernel;
  table.log_softmax = log_softmax_kernel;
  table.cross_entropy_classes = cross_entropy_classes_kernel;
  table.cross_entropy_probabilities = cross_entropy_probabilities_kernel;
  table.attend = attend_kernel;
  table.end_attention = end_attention_kernel;
  table.accumulate_float32 = accumulate_kernel<float>;
  table.accumulate_int32 = accumulate_kernel<int32_t>;
  table.sgd = sgd_kernel;
  table.momentum = momentum_kernel;
  table.adam = adam_kernel;
  table.random[static_cast<int>(Distribution::k_uniform)] = random_kernel<Uniform>;
  table.unfold = unfold_kernel;
  table.fold = fold_kernel;
  table.crop = crop_kernel;
  table.max_pool = max_pool_kernel;
  table.max_pool_gradient = max_pool_gradient_kernel;
  table.random[static_cast<int>(Distribution::k_normal)] = random_kernel<OfUnit<inverse_normal>>;
  table.random[static_cast<int>(Distribution::k_exponential)] = random_kernel<OfUnit<exponential>>;
  table.random[static_cast<int>(Distribution::k_gumbel)] = random_kernel<OfUnit<gumbel>>;
  table.gemm = kGemmKernels;
  return table;
}
