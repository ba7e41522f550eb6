// Vectors of 16 lanes. The functions are those of baseline.h, where they are described.
#pragma once

struct Mask {
  __mmask16 v;
};

struct F32 {
  static constexpr int kLanes = 16;
  __m512 v;
};

struct I32 {
  static constexpr int kLanes = 16;
  __m512i v;
};

constexpr int kLanes = 16;
constexpr bool kHasFma = true;

inline Mask first_lanes(int count) { return {static_cast<__mmask16>((1u << count) - 1)}; }
inline Mask operator&(Mask a, Mask b) { return {static_cast<__mmask16>(a.v & b.v)}; }
inline Mask operator|(Mask a, Mask b) { return {static_cast<__mmask16>(a.v | b.v)}; }
inline Mask operator^(Mask a, Mask b) { return {static_cast<__mmask16>(a.v ^ b.v)}; }
inline Mask operator~(Mask a) { return {static_cast<__mmask16>(~a.v)}; }
inline bool any(Mask a) { return a.v != 0; }
inline int first_set(Mask a) { return __builtin_ctz(a.v); }

inline F32 load(const float* p) { return {_mm512_loadu_ps(p)}; }
inline I32 load(const int32_t* p) { return {_mm512_loadu_si512(p)}; }
inline I32 load(const uint8_t* p) {
  return {_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))};
}
inline F32 load_partial(const float* p, int count) { return {_mm512_maskz_loadu_ps(first_lanes(count).v, p)}; }
inline I32 load_partial(const int32_t* p, int count) { return {_mm512_maskz_loadu_epi32(first_lanes(count).v, p)}; }
inline I32 load_partial(const uint8_t* p, int count) {
  return {_mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(first_lanes(count).v, p))};
}

inline void store(float* p, F32 a) { _mm512_storeu_ps(p, a.v); }
inline void store(int32_t* p, I32 a) { _mm512_storeu_si512(p, a.v); }
inline void store(uint8_t* p, I32 a) { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(a.v)); }
inline void store_partial(float* p, F32 a, int count) { _mm512_mask_storeu_ps(p, first_lanes(count).v, a.v); }
inline void store_partial(int32_t* p, I32 a, int count) { _mm512_mask_storeu_epi32(p, first_lanes(count).v, a.v); }
inline void store_partial(uint8_t* p, I32 a, int count) {
  _mm_mask_storeu_epi8(p, first_lanes(count).v, _mm512_cvtepi32_epi8(a.v));
}

inline F32 broadcast(float a) { return {_mm512_set1_ps(a)}; }
inline I32 broadcast(int32_t a) { return {_mm512_set1_epi32(a)}; }
inline I32 lane_numbers() { return {_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)}; }
inline F32 zero() { return {_mm512_setzero_ps()}; }

inline F32 operator+(F32 a, F32 b) { return {_mm512_add_ps(a.v, b.v)}; }
inline F32 operator-(F32 a, F32 b) { return {_mm512_sub_ps(a.v, b.v)}; }
inline F32 operator*(F32 a, F32 b) { return {_mm512_mul_ps(a.v, b.v)}; }
inline F32 operator/(F32 a, F32 b) { return {_mm512_div_ps(a.v, b.v)}; }
inline F32 reciprocal_estimate(F32 a) { return {_mm512_rcp14_ps(a.v)}; }
inline F32 fma(F32 a, F32 b, F32 c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
inline F32 fms(F32 a, F32 b, F32 c) { return {_mm512_fmsub_ps(a.v, b.v, c.v)}; }
inline F32 fnma(F32 a, F32 b, F32 c) { return {_mm512_fnmadd_ps(a.v, b.v, c.v)}; }
inline F32 sqrt(F32 a) { return {_mm512_sqrt_ps(a.v)}; }
inline F32 max(F32 a, F32 b) { return {_mm512_max_ps(a.v, b.v)}; }
inline F32 min(F32 a, F32 b) { return {_mm512_min_ps(a.v, b.v)}; }
inline F32 round(F32 a) { return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)}; }
inline F32 power_of_two(F32 n) { return {_mm512_scalef_ps(_mm512_set1_ps(1.0f), n.v)}; }
inline F32 ldexp(F32 a, F32 n) { return {_mm512_scalef_ps(a.v, n.v)}; }

inline I32 operator+(I32 a, I32 b) { return {_mm512_add_epi32(a.v, b.v)}; }
inline I32 operator-(I32 a, I32 b) { return {_mm512_sub_epi32(a.v, b.v)}; }
inline I32 operator*(I32 a, I32 b) { return {_mm512_mullo_epi32(a.v, b.v)}; }
inline I32 multiply_high(I32 a, I32 b) {
  const __m512i even = _mm512_srli_epi64(_mm512_mul_epu32(a.v, b.v), 32);
  const __m512i odd = _mm512_mul_epu32(_mm512_srli_epi64(a.v, 32), _mm512_srli_epi64(b.v, 32));
  return {_mm512_mask_blend_epi32(0xaaaa, even, odd)};
}
inline I32 operator&(I32 a, I32 b) { return {_mm512_and_si512(a.v, b.v)}; }
inline I32 operator|(I32 a, I32 b) { return {_mm512_or_si512(a.v, b.v)}; }
inline I32 operator^(I32 a, I32 b) { return {_mm512_xor_si512(a.v, b.v)}; }
inline I32 max(I32 a, I32 b) { return {_mm512_max_epi32(a.v, b.v)}; }
inline I32 min(I32 a, I32 b) { return {_mm512_min_epi32(a.v, b.v)}; }
template <int n>
inline I32 shift_left(I32 a) {
  return {_mm512_slli_epi32(a.v, n)};
}
template <int n>
inline I32 shift_right(I32 a) {
  return {_mm512_srai_epi32(a.v, n)};
}
template <int n>
inline I32 shift_right_unsigned(I32 a) {
  return {_mm512_srli_epi32(a.v, n)};
}
inline I32 shift_left_by(I32 a, I32 count) { return {_mm512_sllv_epi32(a.v, count.v)}; }
inline I32 shift_right_by(I32 a, I32 count) { return {_mm512_srav_epi32(a.v, count.v)}; }

inline I32 bits(F32 a) { return {_mm512_castps_si512(a.v)}; }
inline F32 from_bits(I32 a) { return {_mm512_castsi512_ps(a.v)}; }
inline F32 to_float(I32 a) { return {_mm512_cvtepi32_ps(a.v)}; }
inline I32 truncate(F32 a) { return {_mm512_cvttps_epi32(a.v)}; }

inline Mask operator==(F32 a, F32 b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_EQ_OQ)}; }
inline Mask operator!=(F32 a, F32 b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_NEQ_UQ)}; }
inline Mask operator<(F32 a, F32 b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ)}; }
inline Mask operator<=(F32 a, F32 b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LE_OQ)}; }
inline Mask operator==(I32 a, I32 b) { return {_mm512_cmpeq_epi32_mask(a.v, b.v)}; }
inline Mask operator!=(I32 a, I32 b) { return {_mm512_cmpneq_epi32_mask(a.v, b.v)}; }
inline Mask operator<(I32 a, I32 b) { return {_mm512_cmplt_epi32_mask(a.v, b.v)}; }
inline Mask operator<=(I32 a, I32 b) { return {_mm512_cmple_epi32_mask(a.v, b.v)}; }

inline F32 select(Mask m, F32 a, F32 b) { return {_mm512_mask_blend_ps(m.v, b.v, a.v)}; }
inline I32 select(Mask m, I32 a, I32 b) { return {_mm512_mask_blend_epi32(m.v, b.v, a.v)}; }

template <int n>
inline I32 rotate(I32 a) {
  return {_mm512_alignr_epi32(a.v, a.v, n)};
}
template <int n>
inline F32 rotate(F32 a) {
  return from_bits(rotate<n>(bits(a)));
}

constexpr bool kHasTables = true;
inline F32 look_up(const float (&table)[16], I32 index) {
  return {_mm512_permutexvar_ps(index.v, _mm512_loadu_ps(table))};
}

inline I32 zip_low(I32 a, I32 b) {
  const __m512i lanes = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  return {_mm512_permutex2var_epi32(a.v, lanes, b.v)};
}
inline I32 zip_high(I32 a, I32 b) {
  const __m512i lanes = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  return {_mm512_permutex2var_epi32(a.v, lanes, b.v)};
}

inline F32 even_lanes(F32 a, F32 b) {
  const __m512i lanes = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  return {_mm512_permutex2var_ps(a.v, lanes, b.v)};
}
inline F32 odd_lanes(F32 a, F32 b) {
  const __m512i lanes = _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
  return {_mm512_permutex2var_ps(a.v, lanes, b.v)};
}

inline F32 repeat_even(F32 a) { return {_mm512_moveldup_ps(a.v)}; }
inline F32 repeat_odd(F32 a) { return {_mm512_movehdup_ps(a.v)}; }
inline F32 load_twice(const float* p) {
  const __m512i lanes = _mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
  return {_mm512_permutexvar_ps(lanes, _mm512_castps256_ps512(_mm256_loadu_ps(p)))};
}

inline I32 load_words(const uint8_t* p) { return {_mm512_loadu_si512(p)}; }
constexpr int32_t kDotOffset = 128;
#if defined(GALVANI_VNNI)
inline I32 dot4(I32 sum, I32 weights, I32 x) { return {_mm512_dpbusd_epi32(sum.v, weights.v, x.v)}; }
#else
inline I32 dot4(I32 sum, I32 weights, I32 x) {
  const I32 low_bytes_of_halves = broadcast(0x00ff00ff);
  const I32 even = weights & low_bytes_of_halves, odd = shift_right_unsigned<8>(weights) & low_bytes_of_halves;
  const __m512i even_x = _mm512_srai_epi16(_mm512_slli_epi16(x.v, 8), 8), odd_x = _mm512_srai_epi16(x.v, 8);
  return sum + (I32{_mm512_madd_epi16(even.v, even_x)} + I32{_mm512_madd_epi16(odd.v, odd_x)});
}
#endif

inline float first_lane(F32 a) { return _mm512_cvtss_f32(a.v); }
inline int32_t first_lane(I32 a) { return _mm512_cvtsi512_si32(a.v); }
inline float reduce_add(F32 a) { return _mm512_reduce_add_ps(a.v); }

struct F64 {
  static constexpr int kLanes = 16;
  __m512d low, high;
};

inline F64 load(const double* p) { return {_mm512_loadu_pd(p), _mm512_loadu_pd(p + 8)}; }
inline F64 load_partial(const double* p, int count) {
  const unsigned lanes = first_lanes(count).v;
  return {_mm512_maskz_loadu_pd(static_cast<__mmask8>(lanes), p),
          _mm512_maskz_loadu_pd(static_cast<__mmask8>(lanes >> 8), p + 8)};
}
inline void store(double* p, F64 a) {
  _mm512_storeu_pd(p, a.low);
  _mm512_storeu_pd(p + 8, a.high);
}
inline void store_partial(double* p, F64 a, int count) {
  const unsigned lanes = first_lanes(count).v;
  _mm512_mask_storeu_pd(p, static_cast<__mmask8>(lanes), a.low);
  _mm512_mask_storeu_pd(p + 8, static_cast<__mmask8>(lanes >> 8), a.high);
}
inline F64 broadcast(double a) { return {_mm512_set1_pd(a), _mm512_set1_pd(a)}; }

inline F64 fma(F64 a, F64 b, F64 c) {
  return {_mm512_fmadd_pd(a.low, b.low, c.low), _mm512_fmadd_pd(a.high, b.high, c.high)};
}
inline F64 sqrt(F64 a) { return {_mm512_sqrt_pd(a.low), _mm512_sqrt_pd(a.high)}; }
inline F64 max(F64 a, F64 b) { return {_mm512_max_pd(a.low, b.low), _mm512_max_pd(a.high, b.high)}; }
inline F64 min(F64 a, F64 b) { return {_mm512_min_pd(a.low, b.low), _mm512_min_pd(a.high, b.high)}; }

template <int predicate>
inline Mask compare(F64 a, F64 b) {
  const unsigned low = _mm512_cmp_pd_mask(a.low, b.low, predicate);
  const unsigned high = _mm512_cmp_pd_mask(a.high, b.high, predicate);
  return {static_cast<__mmask16>(low | high << 8)};
}
inline Mask operator==(F64 a, F64 b) { return compare<_CMP_EQ_OQ>(a, b); }
inline Mask operator!=(F64 a, F64 b) { return compare<_CMP_NEQ_UQ>(a, b); }
inline Mask operator<(F64 a, F64 b) { return compare<_CMP_LT_OQ>(a, b); }
inline Mask operator<=(F64 a, F64 b) { return compare<_CMP_LE_OQ>(a, b); }
inline F64 select(Mask m, F64 a, F64 b) {
  return {_mm512_mask_blend_pd(static_cast<__mmask8>(m.v), b.low, a.low),
          _mm512_mask_blend_pd(static_cast<__mmask8>(m.v >> 8), b.high, a.high)};
}

inline F64 to_double(F32 a) {
  return {_mm512_cvtps_pd(_mm512_castps512_ps256(a.v)), _mm512_cvtps_pd(_mm512_extractf32x8_ps(a.v, 1))};
}
inline F64 to_double(I32 a) {
  return {_mm512_cvtepi32_pd(_mm512_castsi512_si256(a.v)), _mm512_cvtepi32_pd(_mm512_extracti32x8_epi32(a.v, 1))};
}
inline F32 to_float(F64 a) {
  return {_mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(a.low)), _mm512_cvtpd_ps(a.high), 1)};
}
inline I32 truncate(F64 a) {
  return {_mm512_inserti32x8(_mm512_castsi256_si512(_mm512_cvttpd_epi32(a.low)), _mm512_cvttpd_epi32(a.high), 1)};
}

template <int n>
inline F64 rotate(F64 a) {
  if constexpr (n == 8) {
    return {a.high, a.low};
  } else {
    const __m512i low = _mm512_castpd_si512(a.low), high = _mm512_castpd_si512(a.high);
    return {_mm512_castsi512_pd(_mm512_alignr_epi64(high, low, n)),
            _mm512_castsi512_pd(_mm512_alignr_epi64(low, high, n))};
  }
}
