// The exact results of the micro-ops, by the formulas of their rows: what their kernels are compared with.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <type_traits>

#include "program/vocabulary.h"

namespace galvani::test {

// What the formulas need beside <cmath>. Of integers by 0 all quotients and remainders are 0.
namespace formulas {

inline double sigmoid(double x) { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); }
inline double softplus(double x) { return (x < 0 ? 0 : x) + std::log1p(std::exp(-std::fabs(x))); }
// The limits at -∞ are 0.
inline double silu(double x) { return x < -1000 ? -0.0 : x * sigmoid(x); }
inline double gelu(double x) { return x < -1000 ? -0.0 : 0.5 * x * std::erfc(-x * std::sqrt(0.5)); }
inline double gelu_tanh(double x) {
  return x < -1000 ? -0.0 : x > 1000 ? x : x * sigmoid(1.5957691216057308 * (x + 0.044715 * x * x * x));
}

// With the bits that the difference loses beside its root.
inline double gelu_derivative(double number) {
  if (number < -1000 || number > 1000) return number < 0 ? -0.0 : 1;
  const long double x = static_cast<long double>(number), root_half = std::sqrt(0.5L);
  const long double density = std::exp(-x * x / 2) * root_half * std::sqrt(1 / std::acos(-1.0L));
  return static_cast<double>(std::erfc(-x * root_half) / 2 + x * density);
}

// sin(π(n + r)) = ±sin(πr), where r is exact.
inline double sinc(double x) {
  const double n = std::nearbyint(x), r = x - n;
  if (x == 0) return 1;
  return (std::fmod(n, 2) == 0 ? 1 : -1) * std::sin(M_PI * r) / (M_PI * x);
}

// Newton's method for what is left of 1, from an approximation within 1% (Winitzki, "A handy approximation for the
// error function and its inverse", 2008).
inline double erfinv(double x) {
  const double a = std::fabs(x);
  if (!(a < 1)) return a == 1 ? x * HUGE_VAL : NAN;
  if (a < 1e-10) return x / M_2_SQRTPI;
  const double log = std::log1p(-a * a), half = 2 / (M_PI * 0.147) + log / 2;
  double y = std::sqrt(std::sqrt(half * half - log / 0.147) - half);
  for (int i = 0; i < 6; ++i) {
    const double error = a < 0.5 ? std::erf(y) - a : (1 - a) - std::erfc(y);
    y -= error / (M_2_SQRTPI * std::exp(-y * y));
  }
  return std::copysign(y, x);
}

inline double lgamma(double x) { return std::lgamma(x); }

// For y > 0, by ψ(y) = ψ(y + 1) - 1/y from the asymptotic series beyond 30.
inline long double digamma_of_positive(long double y) {
  long double sum = 0;
  for (; y < 30; ++y) sum -= 1 / y;
  const long double t = 1 / (y * y);
  const long double series = t * (1 / 12.0L - t * (1 / 120.0L - t * (1 / 252.0L - t * (1 / 240.0L - t / 132))));
  return sum + std::log(y) - 0.5L / y - series;
}
inline double digamma(double number) {
  if (number == 0) return std::copysign(HUGE_VAL, -number);
  if (number == HUGE_VAL || std::isnan(number)) return number;
  const long double x = static_cast<long double>(number), distance = x - std::nearbyint(x);
  if (number > 0) return static_cast<double>(digamma_of_positive(x));
  if (!std::isfinite(number) || distance == 0) return NAN;
  const long double pi = 3.14159265358979323846264338327950288L;
  return static_cast<double>(digamma_of_positive(1 - x) - pi / std::tan(pi * distance));
}

// Σ 1/(q + k)ˢ over k >= 0, for q > 0: 40 terms, and the formula of Euler and Maclaurin for the rest.
inline long double zeta(int s, long double q) {
  const long double a = q + 40, power = std::pow(a, static_cast<long double>(-s));
  long double sum = power * (a / (s - 1) + 0.5L), term = power * s / a;
  int factor = s;
  for (const long double bernoulli : {1 / 12.0L, -1 / 720.0L, 1 / 30240.0L, -1 / 1209600.0L, 1 / 47900160.0L}) {
    sum += bernoulli * term;
    term *= static_cast<long double>(factor + 1) * static_cast<long double>(factor + 2) / (a * a);
    factor += 2;
  }
  for (int k = 39; k >= 0; --k) sum += std::pow(q + k, static_cast<long double>(-s));
  return sum;
}
// Below 0: the terms above 0 and those below it, of which there are only so many.
inline double polygamma(double x, double order) {
  if (!(order >= 1 && order <= 170) || order != std::floor(order) || std::isnan(x) || x == -HUGE_VAL) return NAN;
  const int n = static_cast<int>(order);
  const double sign = n % 2 == 0 ? -1 : 1;
  if (x == HUGE_VAL) return sign * 0.0;
  const long double number = static_cast<long double>(x), distance = number - std::nearbyint(number);
  if (x <= 0 && distance == 0) return sign * HUGE_VAL;
  const long double above = distance > 0 ? distance : 1 + distance, below = distance > 0 ? 1 - distance : -distance;
  long double sum = zeta(n + 1, x > 0 ? number : above);
  // First what may cancel to the last bit, halfway between two integers.
  if (x < 0) sum += static_cast<long double>(sign) * zeta(n + 1, below);
  if (x < 0) sum -= static_cast<long double>(sign) * zeta(n + 1, 1 - number);
  return static_cast<double>(sign * std::tgamma(static_cast<long double>(n + 1)) * sum);
}

inline int64_t gcd(int64_t a, int64_t b) { return b == 0 ? (a < 0 ? -a : a) : gcd(b, a % b); }

template <typename T>
T maximum(T a, T b) {
  if (a != a || a > b) return a;
  if (b != b || b > a) return b;
  return std::signbit(static_cast<double>(a)) ? b : a;
}
template <typename T>
T minimum(T a, T b) {
  if (a != a || a < b) return a;
  if (b != b || b < a) return b;
  return std::signbit(static_cast<double>(a)) ? a : b;
}

inline double fmod(double a, double b) { return std::fmod(a, b); }
inline int64_t fmod(int64_t a, int64_t b) { return b == 0 ? 0 : a % b; }
template <typename T>
T mod(T a, T b) {
  const T rest = fmod(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}
inline double floor_divide(double a, double b) {
  if (b == 0) return a / b;
  const double rest = std::fmod(a, b), whole = std::nearbyint((a - rest) / b);
  const double down = rest != 0 && (a < 0) != (b < 0) ? whole - 1 : whole;
  return down == 0 ? std::copysign(0.0, a / b) : down;
}
inline int64_t floor_divide(int64_t a, int64_t b) { return b == 0 ? 0 : (a - mod(a, b)) / b; }

inline int64_t left_shift(int64_t a, int64_t b) { return b < 0 || b > 31 ? 0 : a * (int64_t{1} << b); }
inline int64_t right_shift(int64_t a, int64_t b) { return a >> (b < 0 || b > 31 ? 31 : b); }

template <MicroOp op>
struct Formula;
#define GALVANI_OPERANDS_1 T a
#define GALVANI_OPERANDS_2 T a, T b
#define GALVANI_OPERANDS_3 T a, T b, T c
#define GALVANI_MICRO_OP(name, arity, kind, nanoseconds, vectors, exact, ulps) \
  template <>                                                                  \
  struct Formula<MicroOp::k_##name> {                                          \
    template <typename T>                                                      \
    static auto of(GALVANI_OPERANDS_##arity) {                                 \
      return exact;                                                            \
    }                                                                          \
  };
#include "program/micro_ops.inc"
#undef GALVANI_OPERANDS_1
#undef GALVANI_OPERANDS_2
#undef GALVANI_OPERANDS_3

}  // namespace formulas

// The result for numbers T, which are double or int64_t; of micro-ops with one operand, b means nothing.
template <typename T>
using Exact = T (*)(T a, T b);

template <MicroOp op, typename T>
constexpr Exact<T> exact_of() {
  constexpr MicroFacts facts = facts_of(op);
  constexpr bool is_arithmetic = facts.kind != MicroKind::k_any && facts.kind != MicroKind::k_cast;
  constexpr DType dtype = std::is_same_v<T, double> ? DType::k_float32 : DType::k_int32;
  if constexpr (!is_arithmetic || !takes(facts.kind, dtype)) return nullptr;
  else if constexpr (facts.arity == 1) return [](T a, T) { return static_cast<T>(formulas::Formula<op>::of(a)); };
  else return [](T a, T b) { return static_cast<T>(formulas::Formula<op>::of(a, b)); };
}

template <typename T>
constexpr Exact<T> kExact[] = {
#define GALVANI_MICRO_OP(name, arity, kind, nanoseconds, vectors, exact, ulps) exact_of<MicroOp::k_##name, T>(),
#include "program/micro_ops.inc"
};
// Null where the micro-op takes no such numbers, or is no arithmetic.
template <typename T>
constexpr Exact<T> exact_of(MicroOp op) {
  return kExact<T>[static_cast<int>(op)];
}

constexpr double kUlps[] = {
#define GALVANI_MICRO_OP(name, arity, kind, nanoseconds, vectors, exact, ulps) ulps,
#include "program/micro_ops.inc"
};
constexpr double ulps_of(MicroOp op) { return kUlps[static_cast<int>(op)]; }

}  // namespace galvani::test
