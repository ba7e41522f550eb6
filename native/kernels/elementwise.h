// The micro-ops over dense operands, and their kernels by dtype. An operation is a struct whose of() takes and gives
// vectors.
#pragma once

// Larger of the two; a NaN wins, and +0 is larger than -0.
inline F32 maximum(F32 a, F32 b) {
  const F32 larger = select(a == b, from_bits(bits(a) & bits(b)), max(a, b));
  return select(a != a, a, larger);
}
inline F32 minimum(F32 a, F32 b) {
  const F32 smaller = select(a == b, from_bits(bits(a) | bits(b)), min(a, b));
  return select(a != a, a, smaller);
}
inline I32 maximum(I32 a, I32 b) { return max(a, b); }
inline I32 minimum(I32 a, I32 b) { return min(a, b); }

inline F32 sign(F32 a) {
  const F32 one = from_bits(bits(broadcast(1.0f)) | sign_bit(a));
  return select(zero() < abs(a), one, a);  // ±0 and NaN stay
}
inline I32 sign(I32 a) { return shift_right<31>(a) | shift_right_unsigned<31>(broadcast(0) - a); }
inline I32 abs(I32 a) { return max(a, broadcast(0) - a); }
inline F32 negate(F32 a) { return flip_sign(a, sign_bit(broadcast(-0.0f))); }
inline I32 negate(I32 a) { return broadcast(0) - a; }
inline F32 relu(F32 a) { return select(a <= zero(), zero(), a); }
inline I32 relu(I32 a) { return max(a, broadcast(0)); }
inline F32 leaky_relu(F32 a, F32 slope) { return select(zero() < a, a, slope * a); }
inline F32 step(F32 a) { return select(a == a, select(zero() < a, broadcast(1.0f), zero()), a); }
inline I32 truth(Mask m) { return select(m, broadcast(1), broadcast(0)); }

// Vectors in an unrolled step: cheap operations are worth more of them than long ones.
constexpr int unroll_of(double nanoseconds) { return nanoseconds < 0.1 ? 4 : 1; }

// The operation of each micro-op, by its row. Those of kinds `any` and `cast` are not used: see kernels_of().
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

// Conversions, named by what comes out. The largest float below 2^31 is 2147483520.
struct Conversion {
  static constexpr int kUnroll = 4;
};
struct ToFloat : Conversion {
  static F32 of(I32 a) { return to_float(a); }
};
struct ToInt : Conversion {
  static I32 of(I32 a) { return a; }
  static I32 of(F32 a) {
    const F32 number = select(a == a, a, zero());
    const F32 bounded = min(max(number, broadcast(-2147483648.0f)), broadcast(2147483520.0f));
    return select(number < broadcast(2147483648.0f), truncate(bounded), broadcast(INT32_MAX));
  }
};
struct ToByte : Conversion {
  static I32 of(I32 a) { return a; }
  static I32 of(F32 a) { return truncate(min(max(a, zero()), broadcast(255.0f))); }  // max gives 0 for NaN
};
struct ToBool : Conversion {
  static I32 of(I32 a) { return truth(a != broadcast(0)); }
  static I32 of(F32 a) { return truth(a != zero()); }
};

template <class Op, class T, class Out>
struct UnaryStep {
  const T* a;
  Out* out;
  template <class Lanes>
  void operator()(int64_t i, Lanes lanes) const {
    lanes.write(out + i, Op::of(lanes.read(a + i)));
  }
};

template <class Op, class A, class B, class Out>
struct BinaryStep {
  A a;
  B b;
  Out* out;
  template <class Lanes>
  void operator()(int64_t i, Lanes lanes) const {
    lanes.write(out + i, Op::of(a(i, lanes), b(i, lanes)));
  }
};
template <class Op, class A, class B, class Out>
inline void for_each_pair(A a, B b, Out* out, int64_t n) {
  for_each_vector<Op::kUnroll>(0, n, BinaryStep<Op, A, B, Out>{a, b, out});
}

template <class T>
struct WhereStep {
  const uint8_t* condition;
  const T* a;
  const T* b;
  T* out;
  template <class Lanes>
  void operator()(int64_t i, Lanes lanes) const {
    const Mask chosen = lanes.read(condition + i) != broadcast(0);
    lanes.write(out + i, select(chosen, lanes.read(a + i), lanes.read(b + i)));
  }
};

template <class T>
void identity_kernel(const void* a, const void*, const void*, void* out, int64_t n) {
  __builtin_memmove(out, a, static_cast<size_t>(n) * sizeof(T));
}

// Flattened: a call for each vector would load all constants anew.
template <class Op, class T, class Out = T>
__attribute__((flatten)) void unary_kernel(const void* a, const void*, const void*, void* out, int64_t n) {
  for_each_vector<Op::kUnroll>(0, n, UnaryStep<Op, T, Out>{static_cast<const T*>(a), static_cast<Out*>(out)});
}

template <class Op, class T, class Out = T>
__attribute__((flatten)) void binary_kernel(const void* a, const void* b, const void*, void* out, int64_t n) {
  const Elements<T> first{static_cast<const T*>(a)}, second{static_cast<const T*>(b)};
  for_each_pair<Op>(first, second, static_cast<Out*>(out), n);
}
// One operand has one element, for all of the other.
template <class Op, class T, class Out = T>
__attribute__((flatten)) void scalar_first_kernel(const void* a, const void* b, const void*, void* out, int64_t n) {
  for_each_pair<Op>(same(static_cast<const T*>(a)), Elements<T>{static_cast<const T*>(b)}, static_cast<Out*>(out), n);
}
template <class Op, class T, class Out = T>
__attribute__((flatten)) void scalar_second_kernel(const void* a, const void* b, const void*, void* out, int64_t n) {
  for_each_pair<Op>(Elements<T>{static_cast<const T*>(a)}, same(static_cast<const T*>(b)), static_cast<Out*>(out), n);
}

template <class T>
void where_kernel(const void* a, const void* b, const void* c, void* out, int64_t n) {
  const WhereStep<T> step{static_cast<const uint8_t*>(a), static_cast<const T*>(b), static_cast<const T*>(c),
                          static_cast<T*>(out)};
  for_each_vector(0, n, step);
}

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

// For the operand dtypes float32, int32, uint8 and bool.
struct KernelRow {
  MicroKernel kernels[kDTypeCount];
};
template <MicroOp op, Operands operands = Operands::k_dense>
constexpr KernelRow kernels_of() {
  return {{kernel_of<op, DType::k_float32, operands>(), kernel_of<op, DType::k_int32, operands>(),
           kernel_of<op, DType::k_uint8, operands>(), kernel_of<op, DType::k_bool, operands>()}};
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

// The casts from one dtype to float32, int32, uint8 and bool.
constexpr KernelRow casts_from(DType from) {
  if (from == DType::k_float32) {
    return {{identity_kernel<float>, unary_kernel<ToInt, float, int32_t>, unary_kernel<ToByte, float, uint8_t>,
             unary_kernel<ToBool, float, uint8_t>}};
  }
  if (from == DType::k_int32) {
    return {{unary_kernel<ToFloat, int32_t, float>, identity_kernel<int32_t>, unary_kernel<ToByte, int32_t, uint8_t>,
             unary_kernel<ToBool, int32_t, uint8_t>}};
  }
  const MicroKernel to_bool = from == DType::k_bool ? identity_kernel<uint8_t> : unary_kernel<ToBool, uint8_t, uint8_t>;
  return {{unary_kernel<ToFloat, uint8_t, float>, unary_kernel<ToInt, uint8_t, int32_t>, identity_kernel<uint8_t>,
           to_bool}};
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
