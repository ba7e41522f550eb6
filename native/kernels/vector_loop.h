// Loops by vectors. A body is a function of an index and of `lanes`, by which it loads and stores: Whole for full
// vectors, Part for what is left at the end. So its body is written once.
#pragma once

#include "simd/vectors.h"

struct Whole {
  template <class T>
  auto read(const T* p) const {
    return load(p);
  }
  template <class T, class V>
  void write(T* p, V value) const {
    store(p, value);
  }
  // `value` in the lanes that exist, `other` in the rest.
  template <class V>
  V or_else(V value, V) const {
    return value;
  }
};

struct Part {
  int count;
  template <class T>
  auto read(const T* p) const {
    return load_partial(p, count);
  }
  template <class T, class V>
  void write(T* p, V value) const {
    store_partial(p, value, count);
  }
  template <class V>
  V or_else(V value, V other) const {
    return select(first_lanes(count), value, other);
  }
};

template <class T>
using VectorOf = decltype(load(static_cast<const T*>(nullptr)));

// Operands of a loop's body: the elements of an array, or one value for all of them.
template <class T>
struct Elements {
  const T* x;
  template <class Lanes>
  auto operator()(int64_t i, Lanes lanes) const {
    return lanes.read(x + i);
  }
};
template <class V>
struct Same {
  V value;
  template <class Lanes>
  V operator()(int64_t, Lanes) const {
    return value;
  }
};
inline Same<F32> same(const float* x) { return {broadcast(*x)}; }
inline Same<F64> same(const double* x) { return {broadcast(*x)}; }
inline Same<I32> same(const int32_t* x) { return {broadcast(*x)}; }
inline Same<I32> same(const uint8_t* x) { return {broadcast(static_cast<int32_t>(*x))}; }

// Vectors that a function is given by reference are in registers only where nobody calls it, and clang would rather
// call than have a function's code twice.
#define GALVANI_INLINED __attribute__((always_inline))

// An array of vectors, such as the sums of a tile, stays in registers only where the loops over it vanish before the
// compiler looks.
#if defined(__clang__)
#define GALVANI_UNROLL _Pragma("clang loop unroll(full)")
#else
#define GALVANI_UNROLL _Pragma("GCC unroll 16")
#endif

template <int kUnroll = 4, class Body>
GALVANI_INLINED inline void for_each_vector(int64_t begin, int64_t end, const Body& body) {
  int64_t i = begin;
  for (; i + kUnroll * kLanes <= end; i += kUnroll * kLanes) {
    for (int u = 0; u < kUnroll; ++u) body(i + u * kLanes, Whole());
  }
  for (; i + kLanes <= end; i += kLanes) body(i, Whole());
  if (i < end) body(i, Part{static_cast<int>(end - i)});
}
