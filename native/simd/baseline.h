// Vectors of 4 lanes in the compiler's portable vector extension: SSE2 on x86-64.
//
// Every header of simd/ defines these types and functions, inside the namespace of its instruction set:
// F32 (float lanes), I32 (int32 lanes, wrapping arithmetic), F64 (double lanes) and Mask (one truth per lane), all of
// as many lanes. Bytes (uint8 and bool) are loaded into I32 lanes and stored from their low bytes.
#pragma once

typedef float Floats __attribute__((vector_size(16)));
typedef int32_t Ints __attribute__((vector_size(16)));
typedef uint32_t Unsigned __attribute__((vector_size(16)));

struct Mask {
  Ints v;  // -1 or 0
};

struct F32 {
  static constexpr int kLanes = 4;
  Floats v;
};

struct I32 {
  static constexpr int kLanes = 4;
  Ints v;
};

constexpr int kLanes = 4;
constexpr bool kHasFma = false;

// True in lanes 0..count-1.
inline Mask first_lanes(int count) { return {Ints{0, 1, 2, 3} < count}; }
inline Mask operator&(Mask a, Mask b) { return {a.v & b.v}; }
inline Mask operator|(Mask a, Mask b) { return {a.v | b.v}; }
inline Mask operator^(Mask a, Mask b) { return {a.v ^ b.v}; }
inline Mask operator~(Mask a) { return {~a.v}; }
inline bool any(Mask a) { return (a.v[0] | a.v[1] | a.v[2] | a.v[3]) != 0; }
// The lowest true lane; there must be one.
inline int first_set(Mask a) { return a.v[0] ? 0 : a.v[1] ? 1 : a.v[2] ? 2 : 3; }

inline F32 load(const float* p) {
  F32 a;
  __builtin_memcpy(&a.v, p, 16);
  return a;
}
inline I32 load(const int32_t* p) {
  I32 a;
  __builtin_memcpy(&a.v, p, 16);
  return a;
}
inline I32 load(const uint8_t* p) { return {Ints{p[0], p[1], p[2], p[3]}}; }

// Lanes 0..count-1 from memory, 0 in the others; 0 <= count <= kLanes. Nothing past them is read.
inline F32 load_partial(const float* p, int count) {
  if (count == 4) return load(p);
  return {Floats{count > 0 ? p[0] : 0, count > 1 ? p[1] : 0, count > 2 ? p[2] : 0, 0}};
}
inline I32 load_partial(const int32_t* p, int count) {
  if (count == 4) return load(p);
  return {Ints{count > 0 ? p[0] : 0, count > 1 ? p[1] : 0, count > 2 ? p[2] : 0, 0}};
}
inline I32 load_partial(const uint8_t* p, int count) {
  if (count == 4) return load(p);
  return {Ints{count > 0 ? p[0] : 0, count > 1 ? p[1] : 0, count > 2 ? p[2] : 0, 0}};
}

inline void store(float* p, F32 a) { __builtin_memcpy(p, &a.v, 16); }
inline void store(int32_t* p, I32 a) { __builtin_memcpy(p, &a.v, 16); }
inline void store(uint8_t* p, I32 a) {
  for (int i = 0; i < 4; ++i) p[i] = static_cast<uint8_t>(a.v[i]);
}
// Lanes 0..count-1; nothing past them is written.
inline void store_partial(float* p, F32 a, int count) {
  if (count > 0) p[0] = a.v[0];
  if (count > 1) p[1] = a.v[1];
  if (count > 2) p[2] = a.v[2];
  if (count > 3) p[3] = a.v[3];
}
inline void store_partial(int32_t* p, I32 a, int count) {
  if (count > 0) p[0] = a.v[0];
  if (count > 1) p[1] = a.v[1];
  if (count > 2) p[2] = a.v[2];
  if (count > 3) p[3] = a.v[3];
}
inline void store_partial(uint8_t* p, I32 a, int count) {
  for (int i = 0; i < count; ++i) p[i] = static_cast<uint8_t>(a.v[i]);
}

inline F32 broadcast(float a) { return {Floats{a, a, a, a}}; }
inline I32 broadcast(int32_t a) { return {Ints{a, a, a, a}}; }
inline I32 lane_numbers() { return {Ints{0, 1, 2, 3}}; }
inline F32 zero() { return {Floats{0, 0, 0, 0}}; }

inline I32 bits(F32 a) { return {reinterpret_cast<Ints>(a.v)}; }
inline F32 from_bits(I32 a) { return {reinterpret_cast<Floats>(a.v)}; }
inline Unsigned to_unsigned(I32 a) { return reinterpret_cast<Unsigned>(a.v); }
inline I32 from_unsigned(Unsigned a) { return {reinterpret_cast<Ints>(a)}; }

inline I32 operator+(I32 a, I32 b) { return from_unsigned(to_unsigned(a) + to_unsigned(b)); }
inline I32 operator-(I32 a, I32 b) { return from_unsigned(to_unsigned(a) - to_unsigned(b)); }
inline I32 operator*(I32 a, I32 b) { return from_unsigned(to_unsigned(a) * to_unsigned(b)); }
// The high 32 bits of the unsigned product.
inline I32 multiply_high(I32 a, I32 b) {
  const Unsigned x = to_unsigned(a), y = to_unsigned(b);
  Unsigned high = {0, 0, 0, 0};
  for (int i = 0; i < 4; ++i) high[i] = static_cast<uint32_t>((uint64_t{x[i]} * y[i]) >> 32);
  return from_unsigned(high);
}
inline I32 operator&(I32 a, I32 b) { return {a.v & b.v}; }
inline I32 operator|(I32 a, I32 b) { return {a.v | b.v}; }
inline I32 operator^(I32 a, I32 b) { return {a.v ^ b.v}; }
template <int n>
inline I32 shift_left(I32 a) {
  return from_unsigned(to_unsigned(a) << n);
}
template <int n>
inline I32 shift_right(I32 a) {
  return {a.v >> n};
}  // copies of the sign come in
template <int n>
inline I32 shift_right_unsigned(I32 a) {
  return from_unsigned(to_unsigned(a) >> n);
}

// By a count for each lane, 0 to 31.
inline I32 shift_left_by(I32 a, I32 count) { return from_unsigned(to_unsigned(a) << to_unsigned(count)); }
inline I32 shift_right_by(I32 a, I32 count) { return {a.v >> count.v}; }

inline Mask operator==(F32 a, F32 b) { return {a.v == b.v}; }
inline Mask operator!=(F32 a, F32 b) { return {a.v != b.v}; }
inline Mask operator<(F32 a, F32 b) { return {a.v < b.v}; }
inline Mask operator<=(F32 a, F32 b) { return {a.v <= b.v}; }
inline Mask operator==(I32 a, I32 b) { return {a.v == b.v}; }
inline Mask operator!=(I32 a, I32 b) { return {a.v != b.v}; }
inline Mask operator<(I32 a, I32 b) { return {a.v < b.v}; }
inline Mask operator<=(I32 a, I32 b) { return {a.v <= b.v}; }

inline I32 select(Mask m, I32 a, I32 b) { return {(a.v & m.v) | (b.v & ~m.v)}; }
inline F32 select(Mask m, F32 a, F32 b) { return from_bits(select(m, bits(a), bits(b))); }

inline F32 operator+(F32 a, F32 b) { return {a.v + b.v}; }
inline F32 operator-(F32 a, F32 b) { return {a.v - b.v}; }
inline F32 operator*(F32 a, F32 b) { return {a.v * b.v}; }
inline F32 operator/(F32 a, F32 b) { return {a.v / b.v}; }
// Within 2^-14 of 1 / a, where there is such an instruction; else the quotient.
inline F32 reciprocal_estimate(F32 a) { return broadcast(1.0f) / a; }
// a·b + c, a·b - c and c - a·b, rounded once where kHasFma.
inline F32 fma(F32 a, F32 b, F32 c) { return a * b + c; }
inline F32 fms(F32 a, F32 b, F32 c) { return a * b - c; }
inline F32 fnma(F32 a, F32 b, F32 c) { return c - a * b; }
inline F32 sqrt(F32 a) {
  return {Floats{__builtin_sqrtf(a.v[0]), __builtin_sqrtf(a.v[1]), __builtin_sqrtf(a.v[2]), __builtin_sqrtf(a.v[3])}};
}
// a > b ? a : b, so b where one is NaN.
inline F32 max(F32 a, F32 b) { return select(b < a, a, b); }
inline I32 max(I32 a, I32 b) { return select(b < a, a, b); }
// a < b ? a : b, so b where one is NaN.
inline F32 min(F32 a, F32 b) { return select(a < b, a, b); }
inline I32 min(I32 a, I32 b) { return select(a < b, a, b); }

inline F32 to_float(I32 a) { return {__builtin_convertvector(a.v, Floats)}; }
// Toward zero. Of no defined value outside the range of int32.
inline I32 truncate(F32 a) { return {__builtin_convertvector(a.v, Ints)}; }
// Adding 1.5·2^23 leaves no bits for a fraction: the low bits of the sum are the nearest integer, ties to even.
constexpr float kIntegerShift = 12582912.0f;
// To the nearest integer, for |a| < 2^22.
inline F32 round(F32 a) { return a + broadcast(kIntegerShift) - broadcast(kIntegerShift); }
// 2^n for integral n up to 127; below -126 anything from 0 to 2^-126.
inline F32 power_of_two(F32 n) {
  const I32 exponent = bits(max(broadcast(-127.0f), n) + broadcast(kIntegerShift)) - bits(broadcast(kIntegerShift));
  return from_bits(shift_left<23>(exponent + broadcast(127)));
}
// a·2^n, rounded at most once, for integral n in [-250, 250] and a in [2^-24, 2]: a power above 2^127 or below 2^-126
// is applied in two halves, the first of which is exact.
inline F32 ldexp(F32 a, F32 n) {
  const I32 exponent = bits(n + broadcast(kIntegerShift)) - bits(broadcast(kIntegerShift));  // defined for NaN too
  const I32 half = shift_right<1>(exponent);
  const F32 first = from_bits(shift_left<23>(half + broadcast(127)));
  const F32 second = from_bits(shift_left<23>(exponent - half + broadcast(127)));
  return a * first * second;
}

// Lane i of the result is lane (i + n) mod kLanes.
template <int n>
inline I32 rotate(I32 a) {
  return {Ints{a.v[n & 3], a.v[(n + 1) & 3], a.v[(n + 2) & 3], a.v[(n + 3) & 3]}};
}
template <int n>
inline F32 rotate(F32 a) {
  return {Floats{a.v[n & 3], a.v[(n + 1) & 3], a.v[(n + 2) & 3], a.v[(n + 3) & 3]}};
}

// The lanes of a and b in turn: those of the lower halves, those of the upper halves.
// table[index mod 16], and whether that takes one instruction.
constexpr bool kHasTables = false;
inline F32 look_up(const float (&table)[16], I32 index) {
  const Ints i = index.v & 15;
  return {Floats{table[i[0]], table[i[1]], table[i[2]], table[i[3]]}};
}

inline I32 zip_low(I32 a, I32 b) { return {Ints{a.v[0], b.v[0], a.v[1], b.v[1]}}; }
inline I32 zip_high(I32 a, I32 b) { return {Ints{a.v[2], b.v[2], a.v[3], b.v[3]}}; }

// The lanes of a, then b, that zip_low and zip_high of the two results would give back.
inline F32 even_lanes(F32 a, F32 b) { return {Floats{a.v[0], a.v[2], b.v[0], b.v[2]}}; }
inline F32 odd_lanes(F32 a, F32 b) { return {Floats{a.v[1], a.v[3], b.v[1], b.v[3]}}; }

// In both lanes of each pair its even one, or its odd one; and of half a vector from p on each element twice.
inline F32 repeat_even(F32 a) { return {Floats{a.v[0], a.v[0], a.v[2], a.v[2]}}; }
inline F32 repeat_odd(F32 a) { return {Floats{a.v[1], a.v[1], a.v[3], a.v[3]}}; }
inline F32 load_twice(const float* p) { return {Floats{p[0], p[0], p[1], p[1]}}; }

// Four bytes a lane.
inline I32 load_words(const uint8_t* p) {
  I32 a;
  __builtin_memcpy(&a.v, p, 16);
  return a;
}
typedef int16_t Shorts __attribute__((vector_size(16)));
// sum + Σ (weight + kDotOffset - 128) · x over the four bytes of each lane: those of `weights` without a sign, those of
// x with one, and not -128. Modulo 2^32; the product of two bytes is an int16.
constexpr int32_t kDotOffset = 128;
inline I32 dot4(I32 sum, I32 weights, I32 x) {
  const Shorts bytes = reinterpret_cast<Shorts>(x.v);
  const I32 even = {reinterpret_cast<Ints>(reinterpret_cast<Shorts>(weights.v & 0x00ff00ff) * (bytes << 8 >> 8))};
  const I32 odd = {reinterpret_cast<Ints>(reinterpret_cast<Shorts>(weights.v >> 8 & 0x00ff00ff) * (bytes >> 8))};
  const I32 low = shift_right<16>(shift_left<16>(even)) + shift_right<16>(shift_left<16>(odd));
  return sum + low + (shift_right<16>(even) + shift_right<16>(odd));
}

inline float first_lane(F32 a) { return a.v[0]; }
inline int32_t first_lane(I32 a) { return a.v[0]; }
inline float reduce_add(F32 a) { return (a.v[0] + a.v[2]) + (a.v[1] + a.v[3]); }

// Two registers, the first half of the lanes and the second: so loops, masks and conversions are those of all vectors.
typedef double Doubles __attribute__((vector_size(16)));
struct F64 {
  static constexpr int kLanes = 4;
  Doubles low, high;
};

inline F64 load(const double* p) {
  F64 a;
  __builtin_memcpy(&a.low, p, 16);
  __builtin_memcpy(&a.high, p + 2, 16);
  return a;
}
inline F64 load_partial(const double* p, int count) {
  if (count == 4) return load(p);
  return {Doubles{count > 0 ? p[0] : 0, count > 1 ? p[1] : 0}, Doubles{count > 2 ? p[2] : 0, 0}};
}
inline void store(double* p, F64 a) {
  __builtin_memcpy(p, &a.low, 16);
  __builtin_memcpy(p + 2, &a.high, 16);
}
inline void store_partial(double* p, F64 a, int count) {
  if (count > 0) p[0] = a.low[0];
  if (count > 1) p[1] = a.low[1];
  if (count > 2) p[2] = a.high[0];
  if (count > 3) p[3] = a.high[1];
}
inline F64 broadcast(double a) { return {Doubles{a, a}, Doubles{a, a}}; }

inline F64 fma(F64 a, F64 b, F64 c) { return {a.low * b.low + c.low, a.high * b.high + c.high}; }
inline F64 sqrt(F64 a) {
  return {Doubles{__builtin_sqrt(a.low[0]), __builtin_sqrt(a.low[1])},
          Doubles{__builtin_sqrt(a.high[0]), __builtin_sqrt(a.high[1])}};
}

typedef int64_t Longs __attribute__((vector_size(16)));  // -1 or 0
inline Mask mask_of(Longs low, Longs high) {
  return {Ints{static_cast<int32_t>(low[0]), static_cast<int32_t>(low[1]), static_cast<int32_t>(high[0]),
               static_cast<int32_t>(high[1])}};
}
inline Mask operator==(F64 a, F64 b) { return mask_of(a.low == b.low, a.high == b.high); }
inline Mask operator!=(F64 a, F64 b) { return mask_of(a.low != b.low, a.high != b.high); }
inline Mask operator<(F64 a, F64 b) { return mask_of(a.low < b.low, a.high < b.high); }
inline Mask operator<=(F64 a, F64 b) { return mask_of(a.low <= b.low, a.high <= b.high); }
inline Doubles select(Longs m, Doubles a, Doubles b) {
  return reinterpret_cast<Doubles>((reinterpret_cast<Longs>(a) & m) | (reinterpret_cast<Longs>(b) & ~m));
}
inline F64 select(Mask m, F64 a, F64 b) {
  return {select(Longs{m.v[0], m.v[1]}, a.low, b.low), select(Longs{m.v[2], m.v[3]}, a.high, b.high)};
}
inline F64 max(F64 a, F64 b) { return {select(b.low < a.low, a.low, b.low), select(b.high < a.high, a.high, b.high)}; }
inline F64 min(F64 a, F64 b) { return {select(a.low < b.low, a.low, b.low), select(a.high < b.high, a.high, b.high)}; }

inline F64 to_double(F32 a) { return {Doubles{a.v[0], a.v[1]}, Doubles{a.v[2], a.v[3]}}; }
inline F64 to_double(I32 a) {
  return {Doubles{static_cast<double>(a.v[0]), static_cast<double>(a.v[1])},
          Doubles{static_cast<double>(a.v[2]), static_cast<double>(a.v[3])}};
}
inline F32 to_float(F64 a) {
  return {Floats{static_cast<float>(a.low[0]), static_cast<float>(a.low[1]), static_cast<float>(a.high[0]),
                 static_cast<float>(a.high[1])}};
}
// Toward zero. Of no defined value outside the range of int32.
inline I32 truncate(F64 a) {
  return {Ints{static_cast<int32_t>(a.low[0]), static_cast<int32_t>(a.low[1]), static_cast<int32_t>(a.high[0]),
               static_cast<int32_t>(a.high[1])}};
}

template <int n>
inline F64 rotate(F64 a) {
  if constexpr (n == 2) return {a.high, a.low};
  else return {Doubles{a.low[1], a.high[0]}, Doubles{a.high[1], a.low[0]}};
}
