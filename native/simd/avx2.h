// Vectors of 8 lanes. The functions are those of baseline.h, where they are described.
#pragma once

struct Mask {
  __m256i v;
};

struct F32 {
  static constexpr int kLanes = 8;
  __m256 v;
};

struct I32 {
  static constexpr int kLanes = 8;
  __m256i v;
};

constexpr int kLanes = 8;
constexpr bool kHasFma = true;

// Eight entries from 8 - count on are the mask of the first count lanes.
static const int32_t kLaneWindow[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};

inline Mask first_lanes(int count) {
  return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(kLaneWindow + 8 - count))};
}
inline Mask operator&(Mask a, Mask b) { return {_mm256_and_si256(a.v, b.v)}; }
inline Mask operator|(Mask a, Mask b) { return {_mm256_or_si256(a.v, b.v)}; }
inline Mask operator^(Mask a, Mask b) { return {_mm256_xor_si256(a.v, b.v)}; }
inline Mask operator~(Mask a) { return {_mm256_xor_si256(a.v, _mm256_set1_epi32(-1))}; }
inline int lane_bits(Mask a) { return _mm256_movemask_ps(_mm256_castsi256_ps(a.v)); }
inline bool any(Mask a) { return lane_bits(a) != 0; }
inline int first_set(Mask a) { return __builtin_ctz(static_cast<unsigned>(lane_bits(a))); }

inline __m128i load_up_to_8_bytes(const uint8_t* p, int count) {
  uint64_t bytes = 0;
  for (int i = 0; i < count; ++i) bytes |= static_cast<uint64_t>(p[i]) << (8 * i);
  return _mm_cvtsi64_si128(static_cast<long long>(bytes));
}
// The low byte of each lane, lane 0 lowest.
inline uint64_t low_bytes(I32 a) {
  const __m256i every_fourth = _mm256_setr_epi8(0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,  //
                                                0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
  const __m256i picked = _mm256_shuffle_epi8(a.v, every_fourth);
  const __m128i joined = _mm_unpacklo_epi32(_mm256_castsi256_si128(picked), _mm256_extracti128_si256(picked, 1));
  return static_cast<uint64_t>(_mm_cvtsi128_si64(joined));
}

inline F32 load(const float* p) { return {_mm256_loadu_ps(p)}; }
inline I32 load(const int32_t* p) { return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))}; }
inline I32 load(const uint8_t* p) {
  return {_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)))};
}
inline F32 load_partial(const float* p, int count) { return {_mm256_maskload_ps(p, first_lanes(count).v)}; }
inline I32 load_partial(const int32_t* p, int count) { return {_mm256_maskload_epi32(p, first_lanes(count).v)}; }
inline I32 load_partial(const uint8_t* p, int count) { return {_mm256_cvtepu8_epi32(load_up_to_8_bytes(p, count))}; }

inline void store(float* p, F32 a) { _mm256_storeu_ps(p, a.v); }
inline void store(int32_t* p, I32 a) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), a.v); }
inline void store(uint8_t* p, I32 a) {
  const uint64_t bytes = low_bytes(a);
  __builtin_memcpy(p, &bytes, 8);
}
inline void store_partial(float* p, F32 a, int count) { _mm256_maskstore_ps(p, first_lanes(count).v, a.v); }
inline void store_partial(int32_t* p, I32 a, int count) { _mm256_maskstore_epi32(p, first_lanes(count).v, a.v); }
inline void store_partial(uint8_t* p, I32 a, int count) {
  const uint64_t bytes = low_bytes(a);
  for (int i = 0; i < count; ++i) p[i] = static_cast<uint8_t>(bytes >> (8 * i));
}

inline F32 broadcast(float a) { return {_mm256_set1_ps(a)}; }
inline I32 broadcast(int32_t a) { return {_mm256_set1_epi32(a)}; }
inline I32 lane_numbers() { return {_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)}; }
inline F32 zero() { return {_mm256_setzero_ps()}; }

inline F32 operator+(F32 a, F32 b) { return {_mm256_add_ps(a.v, b.v)}; }
inline F32 operator-(F32 a, F32 b) { return {_mm256_sub_ps(a.v, b.v)}; }
inline F32 operator*(F32 a, F32 b) { return {_mm256_mul_ps(a.v, b.v)}; }
inline F32 operator/(F32 a, F32 b) { return {_mm256_div_ps(a.v, b.v)}; }
inline F32 reciprocal_estimate(F32 a) { return broadcast(1.0f) / a; }
inline F32 fma(F32 a, F32 b, F32 c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
inline F32 fms(F32 a, F32 b, F32 c) { return {_mm256_fmsub_ps(a.v, b.v, c.v)}; }
inline F32 fnma(F32 a, F32 b, F32 c) { return {_mm256_fnmadd_ps(a.v, b.v, c.v)}; }
inline F32 sqrt(F32 a) { return {_mm256_sqrt_ps(a.v)}; }
inline F32 max(F32 a, F32 b) { return {_mm256_max_ps(a.v, b.v)}; }
inline F32 min(F32 a, F32 b) { return {_mm256_min_ps(a.v, b.v)}; }
inline F32 round(F32 a) { return {_mm256_round_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)}; }

inline I32 operator+(I32 a, I32 b) { return {_mm256_add_epi32(a.v, b.v)}; }
inline I32 operator-(I32 a, I32 b) { return {_mm256_sub_epi32(a.v, b.v)}; }
inline I32 operator*(I32 a, I32 b) { return {_mm256_mullo_epi32(a.v, b.v)}; }
inline I32 multiply_high(I32 a, I32 b) {
  const __m256i even = _mm256_srli_epi64(_mm256_mul_epu32(a.v, b.v), 32);
  const __m256i odd = _mm256_mul_epu32(_mm256_srli_epi64(a.v, 32), _mm256_srli_epi64(b.v, 32));
  return {_mm256_blend_epi32(even, odd, 0xaa)};
}
inline I32 operator&(I32 a, I32 b) { return {_mm256_and_si256(a.v, b.v)}; }
inline I32 operator|(I32 a, I32 b) { return {_mm256_or_si256(a.v, b.v)}; }
inline I32 operator^(I32 a, I32 b) { return {_mm256_xor_si256(a.v, b.v)}; }
inline I32 max(I32 a, I32 b) { return {_mm256_max_epi32(a.v, b.v)}; }
inline I32 min(I32 a, I32 b) { return {_mm256_min_epi32(a.v, b.v)}; }
template <int n>
inline I32 shift_left(I32 a) {
  return {_mm256_slli_epi32(a.v, n)};
}
template <int n>
inline I32 shift_right(I32 a) {
  return {_mm256_srai_epi32(a.v, n)};
}
template <int n>
inline I32 shift_right_unsigned(I32 a) {
  return {_mm256_srli_epi32(a.v, n)};
}
inline I32 shift_left_by(I32 a, I32 count) { return {_mm256_sllv_epi32(a.v, count.v)}; }
inline I32 shift_right_by(I32 a, I32 count) { return {_mm256_srav_epi32(a.v, count.v)}; }

inline I32 bits(F32 a) { return {_mm256_castps_si256(a.v)}; }
inline F32 from_bits(I32 a) { return {_mm256_castsi256_ps(a.v)}; }
inline F32 to_float(I32 a) { return {_mm256_cvtepi32_ps(a.v)}; }
inline I32 truncate(F32 a) { return {_mm256_cvttps_epi32(a.v)}; }

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

inline Mask mask_of(__m256 a) { return {_mm256_castps_si256(a)}; }
inline Mask operator==(F32 a, F32 b) { return mask_of(_mm256_cmp_ps(a.v, b.v, _CMP_EQ_OQ)); }
inline Mask operator!=(F32 a, F32 b) { return mask_of(_mm256_cmp_ps(a.v, b.v, _CMP_NEQ_UQ)); }
inline Mask operator<(F32 a, F32 b) { return mask_of(_mm256_cmp_ps(a.v, b.v, _CMP_LT_OQ)); }
inline Mask operator<=(F32 a, F32 b) { return mask_of(_mm256_cmp_ps(a.v, b.v, _CMP_LE_OQ)); }
inline Mask operator==(I32 a, I32 b) { return {_mm256_cmpeq_epi32(a.v, b.v)}; }
inline Mask operator!=(I32 a, I32 b) { return ~(a == b); }
inline Mask operator<(I32 a, I32 b) { return {_mm256_cmpgt_epi32(b.v, a.v)}; }
inline Mask operator<=(I32 a, I32 b) { return ~(b < a); }

inline F32 select(Mask m, F32 a, F32 b) { return {_mm256_blendv_ps(b.v, a.v, _mm256_castsi256_ps(m.v))}; }
inline I32 select(Mask m, I32 a, I32 b) { return {_mm256_blendv_epi8(b.v, a.v, m.v)}; }

template <int n>
inline I32 rotate(I32 a) {
  if (n == 4) return {_mm256_permute2x128_si256(a.v, a.v, 1)};
  const __m256i lanes = _mm256_setr_epi32(n, n + 1, n + 2, n + 3, n + 4, n + 5, n + 6, n + 7);
  return {_mm256_permutevar8x32_epi32(a.v, lanes)};  // which takes the lanes modulo 8
}
template <int n>
inline F32 rotate(F32 a) {
  return from_bits(rotate<n>(bits(a)));
}

constexpr bool kHasTables = false;
inline F32 look_up(const float (&table)[16], I32 index) {
  const __m256 low = _mm256_permutevar8x32_ps(_mm256_loadu_ps(table), index.v);
  const __m256 high = _mm256_permutevar8x32_ps(_mm256_loadu_ps(table + 8), index.v);
  return {_mm256_blendv_ps(low, high, _mm256_castsi256_ps(_mm256_slli_epi32(index.v, 28)))};
}

inline I32 zip_low(I32 a, I32 b) {
  return {_mm256_permute2x128_si256(_mm256_unpacklo_epi32(a.v, b.v), _mm256_unpackhi_epi32(a.v, b.v), 0x20)};
}
inline I32 zip_high(I32 a, I32 b) {
  return {_mm256_permute2x128_si256(_mm256_unpacklo_epi32(a.v, b.v), _mm256_unpackhi_epi32(a.v, b.v), 0x31)};
}

inline F32 even_lanes(F32 a, F32 b) {
  const __m256d mixed = _mm256_castps_pd(_mm256_shuffle_ps(a.v, b.v, 0x88));
  return {_mm256_castpd_ps(_mm256_permute4x64_pd(mixed, 0xd8))};
}
inline F32 odd_lanes(F32 a, F32 b) {
  const __m256d mixed = _mm256_castps_pd(_mm256_shuffle_ps(a.v, b.v, 0xdd));
  return {_mm256_castpd_ps(_mm256_permute4x64_pd(mixed, 0xd8))};
}

inline F32 repeat_even(F32 a) { return {_mm256_moveldup_ps(a.v)}; }
inline F32 repeat_odd(F32 a) { return {_mm256_movehdup_ps(a.v)}; }
inline F32 load_twice(const float* p) {
  const __m256 half = _mm256_castps128_ps256(_mm_loadu_ps(p));
  return {_mm256_permutevar8x32_ps(half, _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3))};
}

inline I32 load_words(const uint8_t* p) { return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))}; }
constexpr int32_t kDotOffset = 128;
#if defined(GALVANI_VNNI)
inline I32 dot4(I32 sum, I32 weights, I32 x) { return {_mm256_dpbusd_avx_epi32(sum.v, weights.v, x.v)}; }
#else
inline I32 dot4(I32 sum, I32 weights, I32 x) {
  const I32 low_bytes_of_halves = broadcast(0x00ff00ff);
  const I32 even = weights & low_bytes_of_halves, odd = shift_right_unsigned<8>(weights) & low_bytes_of_halves;
  const __m256i even_x = _mm256_srai_epi16(_mm256_slli_epi16(x.v, 8), 8), odd_x = _mm256_srai_epi16(x.v, 8);
  return sum + (I32{_mm256_madd_epi16(even.v, even_x)} + I32{_mm256_madd_epi16(odd.v, odd_x)});
}
#endif

inline float first_lane(F32 a) { return _mm256_cvtss_f32(a.v); }
inline int32_t first_lane(I32 a) { return _mm256_cvtsi256_si32(a.v); }
inline float reduce_add(F32 a) {
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

struct F64 {
  static constexpr int kLanes = 8;
  __m256d low, high;
};

inline F64 load(const double* p) { return {_mm256_loadu_pd(p), _mm256_loadu_pd(p + 4)}; }
// A truth for each lane of 64 bits, from that of the first or the last four lanes of 32.
inline __m256i low_lanes(Mask m) { return _mm256_cvtepi32_epi64(_mm256_castsi256_si128(m.v)); }
inline __m256i high_lanes(Mask m) { return _mm256_cvtepi32_epi64(_mm256_extracti128_si256(m.v, 1)); }
inline F64 load_partial(const double* p, int count) {
  const Mask lanes = first_lanes(count);
  return {_mm256_maskload_pd(p, low_lanes(lanes)), _mm256_maskload_pd(p + 4, high_lanes(lanes))};
}
inline void store(double* p, F64 a) {
  _mm256_storeu_pd(p, a.low);
  _mm256_storeu_pd(p + 4, a.high);
}
inline void store_partial(double* p, F64 a, int count) {
  const Mask lanes = first_lanes(count);
  _mm256_maskstore_pd(p, low_lanes(lanes), a.low);
  _mm256_maskstore_pd(p + 4, high_lanes(lanes), a.high);
}
inline F64 broadcast(double a) { return {_mm256_set1_pd(a), _mm256_set1_pd(a)}; }

inline F64 fma(F64 a, F64 b, F64 c) {
  return {_mm256_fmadd_pd(a.low, b.low, c.low), _mm256_fmadd_pd(a.high, b.high, c.high)};
}
inline F64 sqrt(F64 a) { return {_mm256_sqrt_pd(a.low), _mm256_sqrt_pd(a.high)}; }
inline F64 max(F64 a, F64 b) { return {_mm256_max_pd(a.low, b.low), _mm256_max_pd(a.high, b.high)}; }
inline F64 min(F64 a, F64 b) { return {_mm256_min_pd(a.low, b.low), _mm256_min_pd(a.high, b.high)}; }

template <int predicate>
inline Mask compare(F64 a, F64 b) {
  const __m256 low = _mm256_castpd_ps(_mm256_cmp_pd(a.low, b.low, predicate));
  const __m256 high = _mm256_castpd_ps(_mm256_cmp_pd(a.high, b.high, predicate));
  const __m256 mixed = _mm256_shuffle_ps(low, high, 0x88);
  return {_mm256_permute4x64_epi64(_mm256_castps_si256(mixed), 0xd8)};
}
inline Mask operator==(F64 a, F64 b) { return compare<_CMP_EQ_OQ>(a, b); }
inline Mask operator!=(F64 a, F64 b) { return compare<_CMP_NEQ_UQ>(a, b); }
inline Mask operator<(F64 a, F64 b) { return compare<_CMP_LT_OQ>(a, b); }
inline Mask operator<=(F64 a, F64 b) { return compare<_CMP_LE_OQ>(a, b); }
inline F64 select(Mask m, F64 a, F64 b) {
  return {_mm256_blendv_pd(b.low, a.low, _mm256_castsi256_pd(low_lanes(m))),
          _mm256_blendv_pd(b.high, a.high, _mm256_castsi256_pd(high_lanes(m)))};
}

inline F64 to_double(F32 a) {
  return {_mm256_cvtps_pd(_mm256_castps256_ps128(a.v)), _mm256_cvtps_pd(_mm256_extractf128_ps(a.v, 1))};
}
inline F64 to_double(I32 a) {
  return {_mm256_cvtepi32_pd(_mm256_castsi256_si128(a.v)), _mm256_cvtepi32_pd(_mm256_extracti128_si256(a.v, 1))};
}
inline F32 to_float(F64 a) { return {_mm256_set_m128(_mm256_cvtpd_ps(a.high), _mm256_cvtpd_ps(a.low))}; }
inline I32 truncate(F64 a) { return {_mm256_set_m128i(_mm256_cvttpd_epi32(a.high), _mm256_cvttpd_epi32(a.low))}; }

template <int n>
inline F64 rotate(F64 a) {
  if constexpr (n == 4) return {a.high, a.low};
  const __m256d inner = _mm256_permute2f128_pd(a.low, a.high, 0x21),
                outer = _mm256_permute2f128_pd(a.high, a.low, 0x21);
  if constexpr (n == 2) return {inner, outer};
  else return {_mm256_shuffle_pd(a.low, inner, 5), _mm256_shuffle_pd(a.high, outer, 5)};
}
