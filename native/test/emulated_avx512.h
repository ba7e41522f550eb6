// The AVX-512 intrinsics of simd/avx512.h on a machine without them: Debian's libsimde-dev, and here what its version
// lacks. Only for tests: a CMake build with GALVANI_EMULATED_AVX512.
#pragma once

#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>
#include <simde/x86/fma.h>

#include <cmath>
#include <cstring>

namespace galvani::emulated {

typedef float Floats __attribute__((vector_size(64)));
typedef int32_t Ints __attribute__((vector_size(64)));

inline Ints ints(simde__m512i a) {
  Ints x;
  std::memcpy(&x, &a, 64);
  return x;
}
inline Floats floats(simde__m512 a) {
  Floats x;
  std::memcpy(&x, &a, 64);
  return x;
}
inline simde__m512i vector(Ints x) {
  simde__m512i a;
  std::memcpy(&a, &x, 64);
  return a;
}
inline simde__m512 vector(Floats x) {
  simde__m512 a;
  std::memcpy(&a, &x, 64);
  return a;
}

template <class Vector, class T>
inline Vector load_masked(uint32_t mask, const void* p) {
  T lanes[sizeof(Vector) / sizeof(T)] = {};
  for (size_t i = 0; i < sizeof(lanes) / sizeof(T); ++i) {
    if (mask >> i & 1) lanes[i] = static_cast<const T*>(p)[i];
  }
  Vector a;
  std::memcpy(&a, lanes, sizeof(a));
  return a;
}
template <class T, class Vector>
inline void store_masked(void* p, uint32_t mask, Vector a) {
  T lanes[sizeof(Vector) / sizeof(T)];
  std::memcpy(lanes, &a, sizeof(a));
  for (size_t i = 0; i < sizeof(lanes) / sizeof(T); ++i) {
    if (mask >> i & 1) static_cast<T*>(p)[i] = lanes[i];
  }
}

// The lanes 2i + which in both of each pair.
inline simde__m512 repeat_lanes(simde__m512 a, int which) {
  Floats x = floats(a);
  for (int i = 0; i < 16; i += 2) x[i] = x[i + 1] = x[i + which];
  return vector(x);
}

// As the instruction has it: what no int32 holds becomes the least.
inline simde__m512i truncate(simde__m512 a) {
  const Floats x = floats(a);
  Ints result;
  for (int i = 0; i < 16; ++i) {
    result[i] = x[i] >= -0x1p31f && x[i] < 0x1p31f ? static_cast<int32_t>(x[i]) : INT32_MIN;
  }
  return vector(result);
}
// a · 2^⌊n⌋, rounded once.
inline simde__m512 scale(simde__m512 a, simde__m512 n) {
  const Floats x = floats(a), powers = floats(n);
  Floats result;
  for (int i = 0; i < 16; ++i) {
    const bool is_number = powers[i] == powers[i];
    const double power = is_number ? std::floor(std::fmax(-1000.0, std::fmin(1000.0, powers[i]))) : 0;
    result[i] =
        is_number ? static_cast<float>(std::ldexp(static_cast<double>(x[i]), static_cast<int>(power))) : powers[i];
  }
  return vector(result);
}
// 1 / a, cut to the bits that the instruction promises.
inline simde__m512 estimate_reciprocal(simde__m512 a) {
  const Floats x = floats(a);
  Floats result;
  for (int i = 0; i < 16; ++i) {
    const float quotient = 1 / x[i];
    uint32_t bits;
    std::memcpy(&bits, &quotient, 4);
    bits &= 0xfffffe00;
    float estimate;
    std::memcpy(&estimate, &bits, 4);
    result[i] = estimate;
  }
  return vector(result);
}
inline simde__m512 to_floats(simde__m512i a) {
  const Ints x = ints(a);
  Floats result;
  for (int i = 0; i < 16; ++i) result[i] = static_cast<float>(x[i]);
  return vector(result);
}
inline simde__m512i widen_bytes(simde__m128i a) {
  uint8_t bytes[16];
  std::memcpy(bytes, &a, 16);
  Ints result;
  for (int i = 0; i < 16; ++i) result[i] = bytes[i];
  return vector(result);
}
inline simde__m128i low_bytes(simde__m512i a) {
  const Ints x = ints(a);
  uint8_t bytes[16];
  for (int i = 0; i < 16; ++i) bytes[i] = static_cast<uint8_t>(x[i]);
  simde__m128i result;
  std::memcpy(&result, bytes, 16);
  return result;
}
inline simde__m512i rotate_pair(simde__m512i high, simde__m512i low, int n) {
  const Ints x = ints(low), y = ints(high);
  Ints result;
  for (int i = 0; i < 16; ++i) result[i] = i + n < 16 ? x[i + n] : y[i + n - 16];
  return vector(result);
}
inline simde__m512i shift_right_by(simde__m512i a, simde__m512i counts) {
  const Ints x = ints(a), n = ints(counts);
  Ints result;
  for (int i = 0; i < 16; ++i) result[i] = x[i] >> (n[i] >= 0 && n[i] < 32 ? n[i] : 31);
  return vector(result);
}
// In the order of the halves, as compilers expand the intrinsic.
inline float sum(simde__m512 a) {
  float x[16];
  std::memcpy(x, &a, 64);
  for (int half = 8; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) x[i] += x[i + half];
  }
  return x[0];
}
template <class Compare>
inline simde__mmask16 compare(simde__m512i a, simde__m512i b, Compare holds) {
  const Ints x = ints(a), y = ints(b);
  uint32_t mask = 0;
  for (int i = 0; i < 16; ++i) mask |= static_cast<uint32_t>(holds(x[i], y[i])) << i;
  return static_cast<simde__mmask16>(mask);
}

// Each of `count` elements as one of another type.
template <class To, class Vector, class From, class Source, class Convert>
inline Vector each(const Source& source, int count, Convert convert) {
  From x[sizeof(Source) / sizeof(From)];
  To to[sizeof(Vector) / sizeof(To)] = {};
  std::memcpy(x, &source, sizeof(source));
  for (int i = 0; i < count; ++i) to[i] = convert(x[i]);
  Vector result;
  std::memcpy(&result, to, sizeof(result));
  return result;
}
inline simde__m512d doubles(simde__m256 a) {
  return each<double, simde__m512d, float>(a, 8, [](float x) { return static_cast<double>(x); });
}
inline simde__m512d doubles(simde__m256i a) {
  return each<double, simde__m512d, int32_t>(a, 8, [](int32_t x) { return static_cast<double>(x); });
}
inline simde__m256 to_floats(simde__m512d a) {
  return each<float, simde__m256, double>(a, 8, [](double x) { return static_cast<float>(x); });
}
// As the instruction has it: what no int32 holds becomes the least.
inline simde__m256i truncate(simde__m512d a) {
  return each<int32_t, simde__m256i, double>(
      a, 8, [](double x) { return x > -2147483649.0 && x < 2147483648.0 ? static_cast<int32_t>(x) : INT32_MIN; });
}
// Half 0 or 1.
template <class Half, class Vector>
inline Half half_of(Vector a, int half) {
  Half result;
  std::memcpy(&result, reinterpret_cast<const char*>(&a) + 32 * half, 32);
  return result;
}
// Elements n to n + 7 of low and then high.
inline simde__m512i rotate_doubles(simde__m512i high, simde__m512i low, int n) {
  int64_t x[16];
  std::memcpy(x, &low, 64);
  std::memcpy(x + 8, &high, 64);
  simde__m512i result;
  std::memcpy(&result, x + n, 64);
  return result;
}

}  // namespace galvani::emulated

#define _mm512_maskz_loadu_ps(mask, p) (galvani::emulated::load_masked<simde__m512, float>(mask, p))
#define _mm512_maskz_loadu_epi32(mask, p) (galvani::emulated::load_masked<simde__m512i, int32_t>(mask, p))
#define _mm_maskz_loadu_epi8(mask, p) (galvani::emulated::load_masked<simde__m128i, uint8_t>(mask, p))
#define _mm512_mask_storeu_ps(p, mask, a) galvani::emulated::store_masked<float>(p, mask, a)
#define _mm512_mask_storeu_epi32(p, mask, a) galvani::emulated::store_masked<int32_t>(p, mask, a)
#define _mm_mask_storeu_epi8(p, mask, a) galvani::emulated::store_masked<uint8_t>(p, mask, a)
#define _mm512_maskz_loadu_pd(mask, p) (galvani::emulated::load_masked<simde__m512d, double>(mask, p))
#define _mm512_mask_storeu_pd(p, mask, a) galvani::emulated::store_masked<double>(p, mask, a)
#define _mm512_cvtps_pd(a) galvani::emulated::doubles(a)
#define _mm512_cvtepi32_pd(a) galvani::emulated::doubles(a)
#define _mm512_cvtpd_ps(a) galvani::emulated::to_floats(a)
#define _mm512_cvttpd_epi32(a) galvani::emulated::truncate(a)
#define _mm512_extractf32x8_ps(a, half) galvani::emulated::half_of<simde__m256>(a, half)
#define _mm512_extracti32x8_epi32(a, half) galvani::emulated::half_of<simde__m256i>(a, half)
#define _mm512_alignr_epi64(high, low, n) galvani::emulated::rotate_doubles(high, low, n)
#define _mm512_cvttps_epi32(a) galvani::emulated::truncate(a)
#undef _mm512_scalef_ps
#define _mm512_scalef_ps(a, n) galvani::emulated::scale(a, n)
#define _mm512_rcp14_ps(a) galvani::emulated::estimate_reciprocal(a)
#define _mm512_cvtepi32_ps(a) galvani::emulated::to_floats(a)
#define _mm512_cvtepu8_epi32(a) galvani::emulated::widen_bytes(a)
#define _mm512_cvtepi32_epi8(a) galvani::emulated::low_bytes(a)
#undef _mm512_madd_epi16  // SIMDe's has the arguments of another one
#define _mm512_madd_epi16(a, b) simde_mm512_madd_epi16(a, b)
#define _mm512_alignr_epi32(a, b, n) galvani::emulated::rotate_pair(a, b, n)
#define _mm512_moveldup_ps(a) galvani::emulated::repeat_lanes(a, 0)
#define _mm512_movehdup_ps(a) galvani::emulated::repeat_lanes(a, 1)
#define _mm512_reduce_add_ps(a) galvani::emulated::sum(a)
#define _mm512_cvtss_f32(a) galvani::emulated::floats(a)[0]
#define _mm512_cvtsi512_si32(a) galvani::emulated::ints(a)[0]
#define _mm512_srai_epi32(a, n) galvani::emulated::vector(galvani::emulated::ints(a) >> (n))
#define _mm512_srav_epi32(a, counts) galvani::emulated::shift_right_by(a, counts)
#define _mm512_cmplt_epi32_mask(a, b) galvani::emulated::compare(a, b, [](int32_t x, int32_t y) { return x < y; })
#define _mm512_cmpneq_epi32_mask(a, b) galvani::emulated::compare(a, b, [](int32_t x, int32_t y) { return x != y; })
