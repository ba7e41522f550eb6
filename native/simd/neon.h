// Vectors of 4 lanes of arm64's Advanced SIMD, which has 32 registers and fused multiply-add. The functions are those
// of baseline.h, where they are described. arm64's own maximum and minimum propagate NaN, so they are not used here.
#pragma once

struct Mask {
  uint32x4_t v;  // all ones or 0
};

struct F32 {
  static constexpr int kLanes = 4;
  float32x4_t v;
};

struct I32 {
  static constexpr int kLanes = 4;
  int32x4_t v;
};

constexpr int kLanes = 4;
constexpr bool kHasFma = true;

// Four entries from 4 - count on are the mask of the first count lanes.
static const uint32_t kLaneWindow[8] = {~0u, ~0u, ~0u, ~0u, 0, 0, 0, 0};

inline Mask first_lanes(int count) { return {vld1q_u32(kLaneWindow + 4 - count)}; }
inline Mask operator&(Mask a, Mask b) { return {vandq_u32(a.v, b.v)}; }
inline Mask operator|(Mask a, Mask b) { return {vorrq_u32(a.v, b.v)}; }
inline Mask operator^(Mask a, Mask b) { return {veorq_u32(a.v, b.v)}; }
inline Mask operator~(Mask a) { return {vmvnq_u32(a.v)}; }
inline bool any(Mask a) { return vmaxvq_u32(a.v) != 0; }
inline int first_set(Mask a) { return __builtin_ctzll(vget_lane_u64(vreinterpret_u64_u16(vmovn_u32(a.v)), 0)) / 16; }

inline I32 widen(uint32_t four_bytes) {
  const uint8x8_t bytes = vreinterpret_u8_u32(vdup_n_u32(four_bytes));
  return {vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(vmovl_u8(bytes))))};
}
// The low byte of each lane, lane 0 lowest.
inline uint32_t low_bytes(I32 a) {
  const uint16x4_t halves = vmovn_u32(vreinterpretq_u32_s32(a.v));
  return vget_lane_u32(vreinterpret_u32_u8(vmovn_u16(vcombine_u16(halves, halves))), 0);
}

inline F32 load(const float* p) { return {vld1q_f32(p)}; }
inline I32 load(const int32_t* p) { return {vld1q_s32(p)}; }
inline I32 load(const uint8_t* p) {
  uint32_t bytes;
  __builtin_memcpy(&bytes, p, 4);
  return widen(bytes);
}
inline I32 load_partial(const int32_t* p, int count) {
  if (count == 4) return load(p);
  int32x4_t v = vdupq_n_s32(0);
  if (count > 0) v = vld1q_lane_s32(p, v, 0);
  if (count > 1) v = vld1q_lane_s32(p + 1, v, 1);
  if (count > 2) v = vld1q_lane_s32(p + 2, v, 2);
  return {v};
}
inline F32 load_partial(const float* p, int count) {
  if (count == 4) return load(p);
  float32x4_t v = vdupq_n_f32(0);
  if (count > 0) v = vld1q_lane_f32(p, v, 0);
  if (count > 1) v = vld1q_lane_f32(p + 1, v, 1);
  if (count > 2) v = vld1q_lane_f32(p + 2, v, 2);
  return {v};
}
inline I32 load_partial(const uint8_t* p, int count) {
  uint32_t bytes = 0;
  for (int i = 0; i < count; ++i) bytes |= static_cast<uint32_t>(p[i]) << (8 * i);
  return widen(bytes);
}

inline void store(float* p, F32 a) { vst1q_f32(p, a.v); }
inline void store(int32_t* p, I32 a) { vst1q_s32(p, a.v); }
inline void store(uint8_t* p, I32 a) {
  const uint32_t bytes = low_bytes(a);
  __builtin_memcpy(p, &bytes, 4);
}
inline void store_partial(float* p, F32 a, int count) {
  if (count > 0) vst1q_lane_f32(p, a.v, 0);
  if (count > 1) vst1q_lane_f32(p + 1, a.v, 1);
  if (count > 2) vst1q_lane_f32(p + 2, a.v, 2);
  if (count > 3) vst1q_lane_f32(p + 3, a.v, 3);
}
inline void store_partial(int32_t* p, I32 a, int count) {
  if (count > 0) vst1q_lane_s32(p, a.v, 0);
  if (count > 1) vst1q_lane_s32(p + 1, a.v, 1);
  if (count > 2) vst1q_lane_s32(p + 2, a.v, 2);
  if (count > 3) vst1q_lane_s32(p + 3, a.v, 3);
}
inline void store_partial(uint8_t* p, I32 a, int count) {
  const uint32_t bytes = low_bytes(a);
  for (int i = 0; i < count; ++i) p[i] = static_cast<uint8_t>(bytes >> (8 * i));
}

inline F32 broadcast(float a) { return {vdupq_n_f32(a)}; }
inline I32 broadcast(int32_t a) { return {vdupq_n_s32(a)}; }
inline I32 lane_numbers() { return {int32x4_t{0, 1, 2, 3}}; }
inline F32 zero() { return {vdupq_n_f32(0)}; }

inline F32 operator+(F32 a, F32 b) { return {vaddq_f32(a.v, b.v)}; }
inline F32 operator-(F32 a, F32 b) { return {vsubq_f32(a.v, b.v)}; }
inline F32 operator*(F32 a, F32 b) { return {vmulq_f32(a.v, b.v)}; }
inline F32 operator/(F32 a, F32 b) { return {vdivq_f32(a.v, b.v)}; }
inline F32 reciprocal_estimate(F32 a) { return broadcast(1.0f) / a; }
inline F32 fma(F32 a, F32 b, F32 c) { return {vfmaq_f32(c.v, a.v, b.v)}; }
inline F32 fms(F32 a, F32 b, F32 c) { return {vfmaq_f32(vnegq_f32(c.v), a.v, b.v)}; }
inline F32 fnma(F32 a, F32 b, F32 c) { return {vfmsq_f32(c.v, a.v, b.v)}; }
inline F32 sqrt(F32 a) { return {vsqrtq_f32(a.v)}; }
inline F32 max(F32 a, F32 b) { return {vbslq_f32(vcgtq_f32(a.v, b.v), a.v, b.v)}; }
inline F32 min(F32 a, F32 b) { return {vbslq_f32(vcltq_f32(a.v, b.v), a.v, b.v)}; }
inline F32 round(F32 a) { return {vrndnq_f32(a.v)}; }

inline I32 operator+(I32 a, I32 b) { return {vaddq_s32(a.v, b.v)}; }
inline I32 operator-(I32 a, I32 b) { return {vsubq_s32(a.v, b.v)}; }
inline I32 operator*(I32 a, I32 b) { return {vmulq_s32(a.v, b.v)}; }
inline I32 multiply_high(I32 a, I32 b) {
  const uint32x4_t x = vreinterpretq_u32_s32(a.v), y = vreinterpretq_u32_s32(b.v);
  const uint64x2_t low = vmull_u32(vget_low_u32(x), vget_low_u32(y)), high = vmull_high_u32(x, y);
  return {vreinterpretq_s32_u32(vuzp2q_u32(vreinterpretq_u32_u64(low), vreinterpretq_u32_u64(high)))};
}
inline I32 operator&(I32 a, I32 b) { return {vandq_s32(a.v, b.v)}; }
inline I32 operator|(I32 a, I32 b) { return {vorrq_s32(a.v, b.v)}; }
inline I32 operator^(I32 a, I32 b) { return {veorq_s32(a.v, b.v)}; }
inline I32 max(I32 a, I32 b) { return {vmaxq_s32(a.v, b.v)}; }
inline I32 min(I32 a, I32 b) { return {vminq_s32(a.v, b.v)}; }
template <int n>
inline I32 shift_left(I32 a) {
  return {vshlq_n_s32(a.v, n)};
}
template <int n>
inline I32 shift_right(I32 a) {
  return {vshrq_n_s32(a.v, n)};
}
template <int n>
inline I32 shift_right_unsigned(I32 a) {
  return {vreinterpretq_s32_u32(vshrq_n_u32(vreinterpretq_u32_s32(a.v), n))};
}

inline I32 shift_left_by(I32 a, I32 count) { return {vshlq_s32(a.v, count.v)}; }
inline I32 shift_right_by(I32 a, I32 count) { return {vshlq_s32(a.v, vnegq_s32(count.v))}; }

inline I32 bits(F32 a) { return {vreinterpretq_s32_f32(a.v)}; }
inline F32 from_bits(I32 a) { return {vreinterpretq_f32_s32(a.v)}; }
inline F32 to_float(I32 a) { return {vcvtq_f32_s32(a.v)}; }
inline I32 truncate(F32 a) { return {vcvtq_s32_f32(a.v)}; }

inline F32 power_of_two(F32 n) {
  const I32 exponent = truncate(max(broadcast(-127.0f), n));
  return from_bits(shift_left<23>(exponent + broadcast(127)));
}
inline F32 ldexp(F32 a, F32 n) {
  const I32 exponent = truncate(n);
  const I32 half = shift_right<1>(exponent);
  const F32 first = from_bits(shift_left<23>(half + broadcast(127)));
  const F32 second = from_bits(shift_left<23>(exponent - half + broadcast(127)));
  return a * first * second;
}

inline Mask operator==(F32 a, F32 b) { return {vceqq_f32(a.v, b.v)}; }
inline Mask operator!=(F32 a, F32 b) { return ~(a == b); }
inline Mask operator<(F32 a, F32 b) { return {vcltq_f32(a.v, b.v)}; }
inline Mask operator<=(F32 a, F32 b) { return {vcleq_f32(a.v, b.v)}; }
inline Mask operator==(I32 a, I32 b) { return {vceqq_s32(a.v, b.v)}; }
inline Mask operator!=(I32 a, I32 b) { return ~(a == b); }
inline Mask operator<(I32 a, I32 b) { return {vcltq_s32(a.v, b.v)}; }
inline Mask operator<=(I32 a, I32 b) { return {vcleq_s32(a.v, b.v)}; }

inline F32 select(Mask m, F32 a, F32 b) { return {vbslq_f32(m.v, a.v, b.v)}; }
inline I32 select(Mask m, I32 a, I32 b) { return {vbslq_s32(m.v, a.v, b.v)}; }

template <int n>
inline I32 rotate(I32 a) {
  return {vextq_s32(a.v, a.v, n)};
}
template <int n>
inline F32 rotate(F32 a) {
  return {vextq_f32(a.v, a.v, n)};
}

constexpr bool kHasTables = false;
inline F32 look_up(const float (&table)[16], I32 index) {
  const int32x4_t i = vandq_s32(index.v, vdupq_n_s32(15));
  return {float32x4_t{table[vgetq_lane_s32(i, 0)], table[vgetq_lane_s32(i, 1)], table[vgetq_lane_s32(i, 2)],
                      table[vgetq_lane_s32(i, 3)]}};
}

inline I32 zip_low(I32 a, I32 b) { return {vzip1q_s32(a.v, b.v)}; }
inline I32 zip_high(I32 a, I32 b) { return {vzip2q_s32(a.v, b.v)}; }

inline F32 even_lanes(F32 a, F32 b) { return {vuzp1q_f32(a.v, b.v)}; }
inline F32 odd_lanes(F32 a, F32 b) { return {vuzp2q_f32(a.v, b.v)}; }

inline F32 repeat_even(F32 a) { return {vtrn1q_f32(a.v, a.v)}; }
inline F32 repeat_odd(F32 a) { return {vtrn2q_f32(a.v, a.v)}; }
inline F32 load_twice(const float* p) {
  const float32x2_t half = vld1_f32(p);
  return {vcombine_f32(vdup_lane_f32(half, 0), vdup_lane_f32(half, 1))};
}

inline I32 load_words(const uint8_t* p) { return {vreinterpretq_s32_u8(vld1q_u8(p))}; }
#if defined(__ARM_FEATURE_DOTPROD)
constexpr int32_t kDotOffset = 0;
inline I32 dot4(I32 sum, I32 weights, I32 x) {
  const int8x16_t signs = vdupq_n_s8(-128);
  return {vdotq_s32(sum.v, veorq_s8(vreinterpretq_s8_s32(weights.v), signs), vreinterpretq_s8_s32(x.v))};
}
#else
constexpr int32_t kDotOffset = 128;
inline I32 dot4(I32 sum, I32 weights, I32 x) {
  const uint16x8_t bytes = vreinterpretq_u16_s32(weights.v);
  const int16x8_t even = vreinterpretq_s16_u16(vandq_u16(bytes, vdupq_n_u16(0xff)));
  const int16x8_t odd = vreinterpretq_s16_u16(vshrq_n_u16(bytes, 8));
  const int16x8_t signed_bytes = vreinterpretq_s16_s32(x.v);
  const int16x8_t even_x = vshrq_n_s16(vshlq_n_s16(signed_bytes, 8), 8), odd_x = vshrq_n_s16(signed_bytes, 8);
  return {vpadalq_s16(vpadalq_s16(sum.v, vmulq_s16(even, even_x)), vmulq_s16(odd, odd_x))};
}
#endif

inline float first_lane(F32 a) { return vgetq_lane_f32(a.v, 0); }
inline int32_t first_lane(I32 a) { return vgetq_lane_s32(a.v, 0); }
inline float reduce_add(F32 a) { return vpadds_f32(vadd_f32(vget_low_f32(a.v), vget_high_f32(a.v))); }

struct F64 {
  static constexpr int kLanes = 4;
  float64x2_t low, high;
};

inline F64 load(const double* p) { return {vld1q_f64(p), vld1q_f64(p + 2)}; }
inline F64 load_partial(const double* p, int count) {
  if (count == 4) return load(p);
  F64 a = {vdupq_n_f64(0), vdupq_n_f64(0)};
  if (count > 0) a.low = vld1q_lane_f64(p, a.low, 0);
  if (count > 1) a.low = vld1q_lane_f64(p + 1, a.low, 1);
  if (count > 2) a.high = vld1q_lane_f64(p + 2, a.high, 0);
  return a;
}
inline void store(double* p, F64 a) {
  vst1q_f64(p, a.low);
  vst1q_f64(p + 2, a.high);
}
inline void store_partial(double* p, F64 a, int count) {
  if (count > 0) vst1q_lane_f64(p, a.low, 0);
  if (count > 1) vst1q_lane_f64(p + 1, a.low, 1);
  if (count > 2) vst1q_lane_f64(p + 2, a.high, 0);
  if (count > 3) vst1q_lane_f64(p + 3, a.high, 1);
}
inline F64 broadcast(double a) { return {vdupq_n_f64(a), vdupq_n_f64(a)}; }

inline F64 fma(F64 a, F64 b, F64 c) { return {vfmaq_f64(c.low, a.low, b.low), vfmaq_f64(c.high, a.high, b.high)}; }
inline F64 sqrt(F64 a) { return {vsqrtq_f64(a.low), vsqrtq_f64(a.high)}; }

// Lanes of 32 bits from those of 64, and back.
inline Mask mask_of(uint64x2_t low, uint64x2_t high) { return {vmovn_high_u64(vmovn_u64(low), high)}; }
inline uint64x2_t low_lanes(Mask m) { return vreinterpretq_u64_u32(vzip1q_u32(m.v, m.v)); }
inline uint64x2_t high_lanes(Mask m) { return vreinterpretq_u64_u32(vzip2q_u32(m.v, m.v)); }
inline Mask operator==(F64 a, F64 b) { return mask_of(vceqq_f64(a.low, b.low), vceqq_f64(a.high, b.high)); }
inline Mask operator!=(F64 a, F64 b) { return ~(a == b); }
inline Mask operator<(F64 a, F64 b) { return mask_of(vcltq_f64(a.low, b.low), vcltq_f64(a.high, b.high)); }
inline Mask operator<=(F64 a, F64 b) { return mask_of(vcleq_f64(a.low, b.low), vcleq_f64(a.high, b.high)); }
inline F64 select(Mask m, F64 a, F64 b) {
  return {vbslq_f64(low_lanes(m), a.low, b.low), vbslq_f64(high_lanes(m), a.high, b.high)};
}
inline F64 max(F64 a, F64 b) {
  return {vbslq_f64(vcgtq_f64(a.low, b.low), a.low, b.low), vbslq_f64(vcgtq_f64(a.high, b.high), a.high, b.high)};
}
inline F64 min(F64 a, F64 b) {
  return {vbslq_f64(vcltq_f64(a.low, b.low), a.low, b.low), vbslq_f64(vcltq_f64(a.high, b.high), a.high, b.high)};
}

inline F64 to_double(F32 a) { return {vcvt_f64_f32(vget_low_f32(a.v)), vcvt_high_f64_f32(a.v)}; }
inline F64 to_double(I32 a) {
  return {vcvtq_f64_s64(vmovl_s32(vget_low_s32(a.v))), vcvtq_f64_s64(vmovl_high_s32(a.v))};
}
inline F32 to_float(F64 a) { return {vcvt_high_f32_f64(vcvt_f32_f64(a.low), a.high)}; }
inline I32 truncate(F64 a) { return {vmovn_high_s64(vmovn_s64(vcvtq_s64_f64(a.low)), vcvtq_s64_f64(a.high))}; }

template <int n>
inline F64 rotate(F64 a) {
  if constexpr (n == 2) return {a.high, a.low};
  else return {vextq_f64(a.low, a.high, 1), vextq_f64(a.high, a.low, 1)};
}
