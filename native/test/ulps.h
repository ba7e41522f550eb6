// The errors of the elementwise functions in units of the last place, and the numbers at which they are measured.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "kernels/kernel_table.h"
#include "test/exact.h"
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

// A micro-op of floats that is no mere comparison or choice. Its one operand goes through all floats, beside a second
// one that is a parameter; or its two are drawn.
struct Function {
  MicroOp op;
  Exact<double> exact;
  double bound;
  const char* name() const { return facts_of(op).name; }
  bool has_parameter() const { return op == MicroOp::k_elu || op == MicroOp::k_leakyRelu; }
  bool has_pairs() const { return facts_of(op).arity == 2 && !has_parameter(); }
};
constexpr float kParameter = 1.3f;

template <typename Body>
void for_each_function(Body body) {
  for (int i = 0; i < kMicroOpCount; ++i) {
    const MicroOp op = static_cast<MicroOp>(i);
    if (facts_of(op).kind == MicroKind::k_float) body(Function{op, exact_of<double>(op), ulps_of(op)});
  }
}

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

// A number of any size, or a moderate one, and an order.
inline void draw_order(Random& random, float& x, float& y) {
  draw_vector(random, x, y);
  if (random.below(4) != 0) x = random.uniform(-20, 60);
  y = static_cast<float>(1 + random.below(6));
}

inline void draw_pair(const Function& function, Random& random, float& x, float& y) {
  const auto draw = function.op == MicroOp::k_pow         ? draw_power
                    : function.op == MicroOp::k_polygamma ? draw_order
                                                          : draw_vector;
  draw(random, x, y);
}

}  // namespace galvani::test
