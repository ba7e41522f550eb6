// The micro-ops over dense operands, and their kernels by dtype. An operation is a struct whose of() takes and gives
// vectors.
#pragma once

#include "kernels/vector_loop.h"
#include "math/piecewise.h"
#include "simd/vectors.h"

// Conversions, named by what comes out. The largest float below 2^31 is 2147483520.
struct Conversion {
  static constexpr int kUnroll = 4;
};
struct ToFloat : Conversion {
  static F32 of(I32 a) { return to_float(a); }
  static F32 of(F64 a) { return to_float(a); }
};
struct ToDouble : Conversion {
  template <class V>
  static F64 of(V a) {
    return to_double(a);
  }
};
struct ToInt : Conversion {
  static I32 of(I32 a) { return a; }
  static I32 of(F32 a) {
    const F32 number = select(a == a, a, zero());
    const F32 bounded = min(max(number, broadcast(-2147483648.0f)), broadcast(2147483520.0f));
    return select(number < broadcast(2147483648.0f), truncate(bounded), broadcast(INT32_MAX));
  }
  static I32 of(F64 a) {
    const F64 number = select(a == a, a, broadcast(0.0));
    return truncate(min(max(number, broadcast(-2147483648.0)), broadcast(2147483647.0)));
  }
};
struct ToByte : Conversion {
  static I32 of(I32 a) { return a; }
  static I32 of(F32 a) { return truncate(min(max(a, zero()), broadcast(255.0f))); }  // max gives 0 for NaN
  static I32 of(F64 a) { return truncate(min(max(a, broadcast(0.0)), broadcast(255.0))); }
};
struct ToBool : Conversion {
  static I32 of(I32 a) { return truth(a != broadcast(0)); }
  static I32 of(F32 a) { return truth(a != zero()); }
  static I32 of(F64 a) { return truth(a != broadcast(0.0)); }
};

template <class Op, class T, class Out>
struct UnaryBody {
  const T* a;
  Out* out;
  template <class Lanes>
  void operator()(int64_t i, Lanes lanes) const {
    lanes.write(out + i, Op::of(lanes.read(a + i)));
  }
};

template <class Op, class A, class B, class Out>
struct BinaryBody {
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
  for_each_vector<Op::kUnroll>(0, n, BinaryBody<Op, A, B, Out>{a, b, out});
}

template <class T>
struct WhereBody {
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
  for_each_vector<Op::kUnroll>(0, n, UnaryBody<Op, T, Out>{static_cast<const T*>(a), static_cast<Out*>(out)});
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
  const WhereBody<T> body{static_cast<const uint8_t*>(a), static_cast<const T*>(b), static_cast<const T*>(c),
                          static_cast<T*>(out)};
  for_each_vector(0, n, body);
}
