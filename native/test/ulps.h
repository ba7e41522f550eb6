// What the elementwise functions promise: their exact values, and the greatest error in units of the last place.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "kernels/kernel_table.h"
#include "test/random.h"

namespace galvani::test {

inline MicroKernel float_kernel(const KernelTable& table, MicroOp op) {
  return table.micro[static_cast<int>(op)][static_cast<int>(DType::k_float32)];
}

// |actual - exact| over the distance of floats at `exact`. What overflows or is NaN must do so exactly.
inline double error_in_ulps(float actual, double exact) {
  const float rounded = static_cast<float>(exact);
  if (std::isnan(rounded) || std::isinf(rounded)) {
    return actual == rounded || (std::isnan(actual) && std::isnan(rounded)) ? 0 : HUGE_VAL;
  }
  if (rounded == 0) return std::fabs(static_cast<double>(actual) - exact) * 0x1p149;
  uint64_t bits;
  std::memcpy(&bits, &exact, 8);
  const int exponent = std::max(static_cast<int>(bits >> 52 & 2047) - 1023, -126);
  bits = static_cast<uint64_t>(1023 + 23 - exponent) << 52;
  double floats_per_unit;
  std::memcpy(&floats_per_unit, &bits, 8);
  return std::fabs(static_cast<double>(actual) - exact) * floats_per_unit;
}

inline double exact_sigmoid(double x) { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); }
inline double exact_softplus(double x) { return (x < 0 ? 0 : x) + std::log1p(std::exp(-std::fabs(x))); }
// The limits at -∞ are 0.
inline double exact_silu(double x) { return x < -1000 ? -0.0 : x * exact_sigmoid(x); }
inline double exact_gelu(double x) { return x < -1000 ? -0.0 : 0.5 * x * std::erfc(-x * std::sqrt(0.5)); }
inline double exact_gelu_tanh(double x) {
  return x < -1000 ? -0.0 : x > 1000 ? x : x * exact_sigmoid(1.5957691216057308 * (x + 0.044715 * x * x * x));
}
constexpr float kEluAlpha = 1.3f;
inline double exact_elu(double x) { return x > 0 ? x : static_cast<double>(kEluAlpha) * std::expm1(x); }
inline double exact_round(double x) { return std::nearbyint(x); }
inline double exact_reciprocal(double x) { return 1 / x; }
inline double exact_rsqrt(double x) { return 1 / std::sqrt(x); }

struct Function {
  const char* name;
  MicroOp op;
  double (*exact)(double);
  double bound;
  float parameter = 0;  // the second operand
};
inline const Function kFunctions[] = {
    {"exp", MicroOp::k_exp, std::exp, 1},
    {"expm1", MicroOp::k_expm1, std::expm1, 1},
    {"log", MicroOp::k_log, std::log, 1},
    {"log1p", MicroOp::k_log1p, std::log1p, 1},
    {"tanh", MicroOp::k_tanh, std::tanh, 1},
    {"sigmoid", MicroOp::k_sigmoid, exact_sigmoid, 1},
    {"erf", MicroOp::k_erf, std::erf, 1},
    {"sin", MicroOp::k_sin, std::sin, 1},
    {"cos", MicroOp::k_cos, std::cos, 1},
    {"sqrt", MicroOp::k_sqrt, std::sqrt, 0.5},
    {"rsqrt", MicroOp::k_rsqrt, exact_rsqrt, 1},
    {"reciprocal", MicroOp::k_reciprocal, exact_reciprocal, 0.5},
    {"softplus", MicroOp::k_softplus, exact_softplus, 2},
    {"silu", MicroOp::k_silu, exact_silu, 2},
    {"elu", MicroOp::k_elu, exact_elu, 2, kEluAlpha},
    {"gelu", MicroOp::k_gelu, exact_gelu, 2},
    {"geluTanh", MicroOp::k_geluTanh, exact_gelu_tanh, 2},
    {"floor", MicroOp::k_floor, std::floor, 0},
    {"ceil", MicroOp::k_ceil, std::ceil, 0},
    {"round", MicroOp::k_round, exact_round, 0},
    {"trunc", MicroOp::k_trunc, std::trunc, 0},
    {"exp2", MicroOp::k_exp2, std::exp2, 1},
    {"log2", MicroOp::k_log2, std::log2, 1},
    {"log10", MicroOp::k_log10, std::log10, 1},
    {"cbrt", MicroOp::k_cbrt, std::cbrt, 1},
    {"tan", MicroOp::k_tan, std::tan, 3},
    {"asin", MicroOp::k_asin, std::asin, 3},
    {"acos", MicroOp::k_acos, std::acos, 3},
    {"atan", MicroOp::k_atan, std::atan, 2},
    {"sinh", MicroOp::k_sinh, std::sinh, 2},
    {"cosh", MicroOp::k_cosh, std::cosh, 2},
    {"asinh", MicroOp::k_asinh, std::asinh, 2},
    {"acosh", MicroOp::k_acosh, std::acosh, 3},
    {"atanh", MicroOp::k_atanh, std::atanh, 3},
    {"erfc", MicroOp::k_erfc, std::erfc, 2},
};
constexpr double kPowBound = 2;

// Any two floats; a base of any size, or near 1, with an exponent that keeps the power between the least and the
// greatest float.
inline void draw_power(Random& random, float& x, float& y) {
  const int64_t way = random.below(3);
  const auto any_float = [&] {
    const uint32_t bits = random.next();
    float result;
    std::memcpy(&result, &bits, 4);
    return result;
  };
  x = any_float();
  y = any_float();
  if (way == 0) return;
  x = way == 1 ? std::fabs(x) : 1 + random.uniform(-0.4f, 0.4f) * std::ldexp(1.0f, -static_cast<int>(random.below(24)));
  y = static_cast<float>(static_cast<double>(random.uniform(-104, 89)) / std::log(static_cast<double>(x)));
}

// Two floats of any size, the second up to 2^24 times as large or small as the first.
inline void draw_vector(Random& random, float& x, float& y) {
  const int exponent = static_cast<int>(random.below(250)) - 125, apart = static_cast<int>(random.below(49)) - 24;
  x = std::ldexp(random.uniform(-1, 1), exponent);
  y = std::ldexp(random.uniform(-1, 1), exponent + apart);
}

struct PairFunction {
  const char* name;
  MicroOp op;
  double (*exact)(double, double);
  double bound;
  void (*draw)(Random& random, float& x, float& y);
};
inline const PairFunction kPairFunctions[] = {
    {"pow", MicroOp::k_pow, std::pow, kPowBound, draw_power},
    {"atan2", MicroOp::k_atan2, std::atan2, 3, draw_vector},
    {"hypot", MicroOp::k_hypot, std::hypot, 2, draw_vector},
};

}  // namespace galvani::test
