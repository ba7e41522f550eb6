// What doubles need of no instruction set in particular: arithmetic half by half, by the compiler's own operators.
#pragma once

inline F64 operator+(F64 a, F64 b) { return {a.low + b.low, a.high + b.high}; }
inline F64 operator-(F64 a, F64 b) { return {a.low - b.low, a.high - b.high}; }
inline F64 operator*(F64 a, F64 b) { return {a.low * b.low, a.high * b.high}; }
inline F64 operator/(F64 a, F64 b) { return {a.low / b.low, a.high / b.high}; }

// Of the bits of doubles.
typedef int64_t DoubleBits __attribute__((vector_size(sizeof(F64) / 2)));
template <class D>
inline D bits_and(D a, D b) {
  return reinterpret_cast<D>(reinterpret_cast<DoubleBits>(a) & reinterpret_cast<DoubleBits>(b));
}
template <class D>
inline D bits_or(D a, D b) {
  return reinterpret_cast<D>(reinterpret_cast<DoubleBits>(a) | reinterpret_cast<DoubleBits>(b));
}
template <class D>
inline D bits_xor(D a, D b) {
  return reinterpret_cast<D>(reinterpret_cast<DoubleBits>(a) ^ reinterpret_cast<DoubleBits>(b));
}
inline F64 operator&(F64 a, F64 b) { return {bits_and(a.low, b.low), bits_and(a.high, b.high)}; }
inline F64 operator|(F64 a, F64 b) { return {bits_or(a.low, b.low), bits_or(a.high, b.high)}; }
inline F64 operator^(F64 a, F64 b) { return {bits_xor(a.low, b.low), bits_xor(a.high, b.high)}; }

inline double first_lane(F64 a) { return a.low[0]; }
inline double reduce_add(F64 a) {
  double x[F64::kLanes];
  store(x, a);
  for (int half = F64::kLanes / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) x[i] += x[i + half];
  }
  return x[0];
}
