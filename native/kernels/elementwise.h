// The micro-ops over dense operands. An operation is a struct whose of() takes and gives vectors.
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
struct Cheap {
  static constexpr int kUnroll = 4;
};
struct Long {
  static constexpr int kUnroll = 1;
};

#define GALVANI_UNARY(Name, Cost, expression) \
  struct Name : Cost {                        \
    template <class V>                        \
    static V of(V a) {                        \
      return expression;                      \
    }                                         \
  };
#define GALVANI_BINARY(Name, Cost, Result, expression) \
  struct Name : Cost {                                 \
    template <class V>                                 \
    static Result of(V a, V b) {                       \
      return expression;                               \
    }                                                  \
  };
// clang-format off
GALVANI_UNARY(Negate, Cheap, negate(a))
GALVANI_UNARY(Abs, Cheap, abs(a))
GALVANI_UNARY(Sign, Cheap, sign(a))
GALVANI_UNARY(Square, Cheap, a * a)
GALVANI_UNARY(Relu, Cheap, relu(a))
GALVANI_UNARY(Step, Cheap, step(a))
GALVANI_UNARY(Sqrt, Cheap, sqrt(a))
GALVANI_UNARY(Exp, Long, exp(a))
GALVANI_UNARY(Log, Long, log(a))
GALVANI_UNARY(Sigmoid, Long, sigmoid(a))
GALVANI_UNARY(Tanh, Long, tanh(a))
GALVANI_UNARY(Softplus, Long, softplus(a))
GALVANI_UNARY(Expm1, Long, expm1(a))
GALVANI_UNARY(Log1p, Long, log1p(a))
GALVANI_UNARY(Sin, Long, sin(a))
GALVANI_UNARY(Cos, Long, cos(a))
GALVANI_UNARY(Rsqrt, Cheap, rsqrt(a))
GALVANI_UNARY(Reciprocal, Cheap, reciprocal(a))
GALVANI_UNARY(Erf, Long, erf(a))
GALVANI_UNARY(Silu, Long, silu(a))
GALVANI_UNARY(Gelu, Long, gelu(a))
GALVANI_UNARY(GeluTanh, Long, gelu_tanh(a))
GALVANI_UNARY(Floor, Cheap, floor(a))
GALVANI_UNARY(Ceil, Cheap, ceil(a))
GALVANI_UNARY(Round, Cheap, round_to_even(a))
GALVANI_UNARY(Trunc, Cheap, trunc(a))
GALVANI_UNARY(Exp2, Long, exp2(a))
GALVANI_UNARY(Log2, Long, log2(a))
GALVANI_UNARY(Log10, Long, log10(a))
GALVANI_UNARY(Cbrt, Long, cbrt(a))
GALVANI_UNARY(Tan, Long, tan(a))
GALVANI_UNARY(Asin, Long, asin(a))
GALVANI_UNARY(Acos, Long, acos(a))
GALVANI_UNARY(Atan, Long, atan(a))
GALVANI_UNARY(Sinh, Long, sinh(a))
GALVANI_UNARY(Cosh, Long, cosh(a))
GALVANI_UNARY(Asinh, Long, asinh(a))
GALVANI_UNARY(Acosh, Long, acosh(a))
GALVANI_UNARY(Atanh, Long, atanh(a))
GALVANI_UNARY(Erfc, Long, erfc(a))
GALVANI_BINARY(Add, Cheap, V, a + b)
GALVANI_BINARY(Subtract, Cheap, V, a - b)
GALVANI_BINARY(Multiply, Cheap, V, a * b)
GALVANI_BINARY(Divide, Cheap, V, a / b)
GALVANI_BINARY(Maximum, Cheap, V, maximum(a, b))
GALVANI_BINARY(Minimum, Cheap, V, minimum(a, b))
GALVANI_BINARY(LeakyRelu, Cheap, V, leaky_relu(a, b))
GALVANI_BINARY(Elu, Long, V, elu(a, b))
GALVANI_BINARY(Pow, Long, V, pow(a, b))
GALVANI_BINARY(Atan2, Long, V, atan2(a, b))
GALVANI_BINARY(Hypot, Long, V, hypot(a, b))
GALVANI_BINARY(Mod, Long, V, mod(a, b))
GALVANI_BINARY(Fmod, Long, V, fmod(a, b))
GALVANI_BINARY(FloorDivide, Long, V, floor_divide(a, b))
GALVANI_BINARY(BitwiseAnd, Cheap, V, a & b)
GALVANI_BINARY(BitwiseOr, Cheap, V, a | b)
GALVANI_BINARY(BitwiseXor, Cheap, V, a ^ b)
GALVANI_BINARY(LeftShift, Cheap, V, left_shift(a, b))
GALVANI_BINARY(RightShift, Cheap, V, right_shift(a, b))
GALVANI_BINARY(Equal, Cheap, I32, truth(a == b))
GALVANI_BINARY(NotEqual, Cheap, I32, truth(a != b))
GALVANI_BINARY(Less, Cheap, I32, truth(a < b))
GALVANI_BINARY(LessEqual, Cheap, I32, truth(a <= b))
GALVANI_BINARY(Greater, Cheap, I32, truth(b < a))
GALVANI_BINARY(GreaterEqual, Cheap, I32, truth(b <= a))
// clang-format on
#undef GALVANI_UNARY
#undef GALVANI_BINARY

// Conversions, named by what comes out. The largest float below 2^31 is 2147483520.
struct ToFloat : Cheap {
  static F32 of(I32 a) { return to_float(a); }
};
struct ToInt : Cheap {
  static I32 of(I32 a) { return a; }
  static I32 of(F32 a) {
    const F32 number = select(a == a, a, zero());
    const F32 bounded = min(max(number, broadcast(-2147483648.0f)), broadcast(2147483520.0f));
    return select(number < broadcast(2147483648.0f), truncate(bounded), broadcast(INT32_MAX));
  }
};
struct ToByte : Cheap {
  static I32 of(I32 a) { return a; }
  static I32 of(F32 a) { return truncate(min(max(a, zero()), broadcast(255.0f))); }  // max gives 0 for NaN
};
struct ToBool : Cheap {
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
