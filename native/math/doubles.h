// The functions of doubles. What is no arithmetic is the C library's, or a formula of lib/backend/reference, lane by
// lane.
#pragma once

#include "math/gamma.h"
#include "math/piecewise.h"
#include "math/rounding.h"
#include "simd/vectors.h"

inline F64 sign_bit(F64 a) { return a & broadcast(-0.0); }
inline F64 abs(F64 a) { return a ^ sign_bit(a); }
inline F64 negate(F64 a) { return a ^ broadcast(-0.0); }
inline F64 sign(F64 a) { return select(broadcast(0.0) < abs(a), broadcast(1.0) | sign_bit(a), a); }
inline F64 maximum(F64 a, F64 b) { return select(a != a, a, select(a == b, a & b, max(a, b))); }
inline F64 minimum(F64 a, F64 b) { return select(a != a, a, select(a == b, a | b, min(a, b))); }
inline F64 relu(F64 a) { return select(a <= broadcast(0.0), broadcast(0.0), a); }
inline F64 leaky_relu(F64 a, F64 slope) { return select(broadcast(0.0) < a, a, slope * a); }
inline F64 step(F64 a) { return select(a == a, select(broadcast(0.0) < a, broadcast(1.0), broadcast(0.0)), a); }
inline F64 reciprocal(F64 a) { return broadcast(1.0) / a; }
inline F64 rsqrt(F64 a) { return broadcast(1.0) / sqrt(a); }

template <class F>
inline F64 each_lane(F64 a, F f) {
  return by_lanes<double>(a, a, [f](double x, double) { return f(x); });
}

#define GALVANI_BY_LANES_1(name, of_lane) \
  inline F64 name(F64 a) { return each_lane(a, of_lane); }
#define GALVANI_LIBRARY_1(name, of_lane) GALVANI_BY_LANES_1(name, [](double x) { return of_lane(x); })
GALVANI_LIBRARY_1(exp, __builtin_exp)
GALVANI_LIBRARY_1(log, __builtin_log)
GALVANI_LIBRARY_1(exp2, __builtin_exp2)
GALVANI_LIBRARY_1(log2, __builtin_log2)
GALVANI_LIBRARY_1(log10, __builtin_log10)
GALVANI_LIBRARY_1(expm1, __builtin_expm1)
GALVANI_LIBRARY_1(log1p, __builtin_log1p)
GALVANI_LIBRARY_1(cbrt, __builtin_cbrt)
GALVANI_LIBRARY_1(sin, __builtin_sin)
GALVANI_LIBRARY_1(cos, __builtin_cos)
GALVANI_LIBRARY_1(tan, __builtin_tan)
GALVANI_LIBRARY_1(asin, __builtin_asin)
GALVANI_LIBRARY_1(acos, __builtin_acos)
GALVANI_LIBRARY_1(atan, __builtin_atan)
GALVANI_LIBRARY_1(sinh, __builtin_sinh)
GALVANI_LIBRARY_1(cosh, __builtin_cosh)
GALVANI_LIBRARY_1(tanh, __builtin_tanh)
GALVANI_LIBRARY_1(asinh, __builtin_asinh)
GALVANI_LIBRARY_1(acosh, __builtin_acosh)
GALVANI_LIBRARY_1(atanh, __builtin_atanh)
GALVANI_LIBRARY_1(erf, __builtin_erf)
GALVANI_LIBRARY_1(erfc, __builtin_erfc)
GALVANI_LIBRARY_1(lgamma, log_gamma)
GALVANI_LIBRARY_1(floor, __builtin_floor)
GALVANI_LIBRARY_1(ceil, __builtin_ceil)
GALVANI_LIBRARY_1(trunc, __builtin_trunc)
GALVANI_LIBRARY_1(round_to_even, __builtin_nearbyint)
#undef GALVANI_LIBRARY_1

// 1 / (1 + e^-x), and log(1 + e^x), with an exponential that cannot overflow.
inline double sigmoid_of(double x) {
  const double e = __builtin_exp(-__builtin_fabs(x));
  return (x >= 0 ? 1 : e) / (1 + e);
}
inline double softplus_of(double x) { return (x < 0 ? 0 : x) + __builtin_log1p(__builtin_exp(-__builtin_fabs(x))); }

// x · weight, where a weight of 0 wins over an infinite x.
inline double weighted(double x, double weight) { return weight == 0 ? 0 : x * weight; }
inline double silu_of(double x) { return weighted(x, sigmoid_of(x)); }
inline double gelu_of(double x) { return weighted(x, __builtin_erfc(-x * 0.7071067811865476) / 2); }
inline double gelu_tanh_of(double x) {
  return weighted(x, sigmoid_of(1.5957691216057308 * (x + 0.044715 * (x * x * x))));
}

// e^(-x²). The square of a float is exact as a double, so that the exponent loses nothing: x² = h² + (x - h)(x + h).
inline double gaussian_of(double x) {
  const double high = static_cast<double>(static_cast<float>(x));
  return __builtin_exp(-high * high) * __builtin_exp((high - x) * (high + x));
}
// Beyond ±1000 it is as flat.
inline double gelu_derivative_of(double x) {
  const double root_half = 0.7071067811865476, root_two_pi = 2.5066282746310002;
  const double within = x < -1000 ? -1000 : x > 1000 ? 1000 : x;
  return __builtin_erfc(-within * root_half) / 2 + within * (gaussian_of(within * root_half) / root_two_pi);
}

// sin(π(n + r)) = ±sin(πr), where r is exact.
inline double sinc_of(double x) {
  if (x == 0) return 1;
  const double n = __builtin_nearbyint(x);
  const double magnitude = __builtin_sin(3.141592653589793 * (x - n)) / (3.141592653589793 * x);
  return __builtin_fmod(n, 2) == 0 ? magnitude : -magnitude;
}

// Newton's method for erf up to ½ and for erfc beyond, from an approximation within 1% (Winitzki, "A handy
// approximation for the error function and its inverse", 2008).
inline double erfinv_of(double x) {
  const double a = __builtin_fabs(x), half_root_pi = 0.886226925452758;
  if (!(a < 1)) return a == 1 ? x * __builtin_inf() : __builtin_nan("");
  if (a < 1e-10) return x * half_root_pi;
  const double log = __builtin_log1p(-x * x), half = 2 / (3.141592653589793 * 0.147) + log / 2;
  double y = __builtin_sqrt(__builtin_sqrt(half * half - log / 0.147) - half);
  for (int i = 0; i < 5; ++i) {
    const double error = a < 0.5 ? __builtin_erf(y) - a : (1 - a) - __builtin_erfc(y);
    y -= error * half_root_pi / __builtin_exp(-y * y);
  }
  return __builtin_copysign(y, x);
}

// ψ(x) = ψ(1 - x) - π / tan(πx). From 10 on by DLMF 5.11.2, and below by ψ(x) = ψ(x + 1) - 1/x.
inline double digamma_of_positive(double x) {
  double y = x, sum = 0;
  for (; y < 10; y += 1) sum -= 1 / y;
  const double t = 1 / (y * y);
  constexpr double kSeries[] = {1.0 / 12, -691.0 / 32760, 1.0 / 132, -1.0 / 240, 1.0 / 252, -1.0 / 120, 1.0 / 12};
  double tail = 0;
  for (const double coefficient : kSeries) tail = (tail + coefficient) * t;
  return sum + __builtin_log(y) - 0.5 / y - tail;
}
inline double digamma_of(double x) {
  if (x > 0 || x != x) return digamma_of_positive(x);
  if (x == 0) return -1 / x;
  const double distance = x - __builtin_nearbyint(x);
  if (!(distance != 0)) return __builtin_nan("");
  return digamma_of_positive(1 - x) - 3.141592653589793 / __builtin_tan(3.141592653589793 * distance);
}

GALVANI_BY_LANES_1(sigmoid, sigmoid_of)
GALVANI_BY_LANES_1(softplus, softplus_of)
GALVANI_BY_LANES_1(silu, silu_of)
GALVANI_BY_LANES_1(gelu, gelu_of)
GALVANI_BY_LANES_1(gelu_tanh, gelu_tanh_of)
GALVANI_BY_LANES_1(gelu_derivative, gelu_derivative_of)
GALVANI_BY_LANES_1(sinc, sinc_of)
GALVANI_BY_LANES_1(erfinv, erfinv_of)
GALVANI_BY_LANES_1(digamma, digamma_of)
#undef GALVANI_BY_LANES_1

inline F64 elu(F64 x, F64 alpha) { return select(broadcast(0.0) < x, x, alpha * expm1(x)); }

inline double polygamma_of(double x, double order) { return polygamma_of(x, order, x - __builtin_nearbyint(x), true); }

inline double mod_of(double a, double b) {
  const double rest = __builtin_fmod(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}
// By the exact remainder: of the rounded quotient it may be one too many.
inline double floor_divide_of(double a, double b) {
  const double quotient = a / b;
  if (b == 0) return quotient;
  const double rest = __builtin_fmod(a, b);
  const double nearest = __builtin_nearbyint((a - rest) / b);
  const double whole = rest != 0 && (rest < 0) != (b < 0) ? nearest - 1 : nearest;
  return whole == 0 ? __builtin_copysign(0.0, quotient) : whole;
}

#define GALVANI_BY_LANES_2(name, of_lanes)                                            \
  inline F64 name(F64 a, F64 b) {                                                     \
    return by_lanes<double>(a, b, [](double x, double y) { return of_lanes(x, y); }); \
  }
GALVANI_BY_LANES_2(pow, __builtin_pow)
GALVANI_BY_LANES_2(atan2, __builtin_atan2)
GALVANI_BY_LANES_2(hypot, __builtin_hypot)
GALVANI_BY_LANES_2(fmod, __builtin_fmod)
GALVANI_BY_LANES_2(mod, mod_of)
GALVANI_BY_LANES_2(floor_divide, floor_divide_of)
GALVANI_BY_LANES_2(polygamma, polygamma_of)
#undef GALVANI_BY_LANES_2
