// The elementwise functions: their errors in units of the last place, against libm in double, over every 257th of all
// floats, and their special values. The bench `accuracy` goes through all floats.
#include "test/kernel_testing.h"
#include "test/ulps.h"

namespace galvani::test {
namespace {

constexpr float kDenormal = std::numeric_limits<float>::denorm_min();
constexpr float kGreatest = std::numeric_limits<float>::max();

// The worst of a run of points, printed once for each table and function.
struct Worst {
  double error = 0;
  float x = 0, y = 0;
  void see(double candidate, float at_x, float at_y) {
    if (candidate <= error) return;  // a NaN goes on, and stays
    error = candidate;
    x = at_x;
    y = at_y;
  }
  void expect_below(double bound, const KernelTable& table, const char* name) const {
    if (error <= bound) return;
    char text[200];
    std::snprintf(text, sizeof text, "%s: %s: expected an error of at most %g ulp, got %g at (%a, %a)", table.isa, name,
                  bound, error, static_cast<double>(x), static_cast<double>(y));
    fail(__FILE__, __LINE__, text);
  }
};

float value(const KernelTable& table, MicroOp op, float x, float y = 0) {
  float out;
  float_kernel(table, op)(&x, &y, nullptr, &out, 1);
  return out;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kIsSanitized = true;
#else
constexpr bool kIsSanitized = false;
#endif

// Sanitizers and emulators make it slow.
uint64_t stride() {
  if (kIsSanitized) return 257 * 61;
  return is_quick() ? 257 * 1009 : 257;
}

TEST(math_errors_over_all_floats) {
  const uint64_t points = (uint64_t{1} << 32) / stride();
  std::vector<float> x(points), out(points);
  std::vector<double> exact(points);
  for (uint64_t i = 0; i < points; ++i) x[i] = float_of_bits(static_cast<uint32_t>(i * stride()));
  const std::vector<float> y(points, kParameter);
  for_each_function([&](const Function& function) {
    if (function.has_pairs()) return;
    for (uint64_t i = 0; i < points; ++i) exact[i] = function.exact(static_cast<double>(x[i]), kParameter);
    for_each_table([&](const KernelTable& table) {
      float_kernel(table, function.op)(x.data(), y.data(), nullptr, out.data(), static_cast<int64_t>(points));
      Worst worst;
      for (uint64_t i = 0; i < points; ++i) worst.see(error_in_ulps(out[i], exact[i]), x[i], 0);
      worst.expect_below(function.bound, table, function.name());
    });
  });
}

TEST(math_special_values) {
  struct Special {
    MicroOp op;
    float x, wanted;
  };
  const Special specials[] = {
      {MicroOp::k_exp, 0.0f, 1.0f},
      {MicroOp::k_exp, -0.0f, 1.0f},
      {MicroOp::k_exp, kInfinity, kInfinity},
      {MicroOp::k_exp, -kInfinity, 0.0f},
      {MicroOp::k_exp, NAN, NAN},
      {MicroOp::k_exp, 88.7228394f, kInfinity},  // log(2^128) = 88.72283911
      {MicroOp::k_exp, -103.5f, kDenormal},      // between 1/2 and 3/2 of it
      {MicroOp::k_exp, -104.0f, 0.0f},
      {MicroOp::k_exp, -kGreatest, 0.0f},
      {MicroOp::k_log, 1.0f, 0.0f},
      {MicroOp::k_log, 0.0f, -kInfinity},
      {MicroOp::k_log, -0.0f, -kInfinity},
      {MicroOp::k_log, kInfinity, kInfinity},
      {MicroOp::k_log, -kInfinity, NAN},
      {MicroOp::k_log, -kDenormal, NAN},
      {MicroOp::k_log, NAN, NAN},
      {MicroOp::k_tanh, 0.0f, 0.0f},
      {MicroOp::k_tanh, -0.0f, -0.0f},
      {MicroOp::k_tanh, kDenormal, kDenormal},
      {MicroOp::k_tanh, -kDenormal, -kDenormal},
      {MicroOp::k_tanh, kInfinity, 1.0f},
      {MicroOp::k_tanh, -kInfinity, -1.0f},
      {MicroOp::k_tanh, kGreatest, 1.0f},
      {MicroOp::k_tanh, NAN, NAN},
      {MicroOp::k_sigmoid, 0.0f, 0.5f},
      {MicroOp::k_sigmoid, kInfinity, 1.0f},
      {MicroOp::k_sigmoid, -kInfinity, 0.0f},
      {MicroOp::k_sigmoid, -103.5f, kDenormal},
      {MicroOp::k_sigmoid, NAN, NAN},
      {MicroOp::k_softplus, kInfinity, kInfinity},
      {MicroOp::k_softplus, -kInfinity, 0.0f},
      {MicroOp::k_softplus, -103.5f, kDenormal},
      {MicroOp::k_softplus, kGreatest, kGreatest},
      {MicroOp::k_softplus, NAN, NAN},
      {MicroOp::k_expm1, -0.0f, -0.0f},
      {MicroOp::k_expm1, kDenormal, kDenormal},
      {MicroOp::k_expm1, -kInfinity, -1.0f},
      {MicroOp::k_expm1, 89.0f, kInfinity},
      {MicroOp::k_log1p, -0.0f, -0.0f},
      {MicroOp::k_log1p, -1.0f, -kInfinity},
      {MicroOp::k_log1p, -1.5f, NAN},
      {MicroOp::k_log1p, kInfinity, kInfinity},
      {MicroOp::k_log1p, -kDenormal, -kDenormal},
      {MicroOp::k_sin, -0.0f, -0.0f},
      {MicroOp::k_sin, kDenormal, kDenormal},
      {MicroOp::k_sin, kInfinity, NAN},
      {MicroOp::k_sin, -kInfinity, NAN},
      {MicroOp::k_sin, kGreatest, -0.521876514f},  // mpmath
      {MicroOp::k_cos, -0.0f, 1.0f},
      {MicroOp::k_cos, kInfinity, NAN},
      {MicroOp::k_cos, kGreatest, 0.853021026f},
      {MicroOp::k_rsqrt, 0.0f, kInfinity},
      {MicroOp::k_rsqrt, -0.0f, -kInfinity},
      {MicroOp::k_rsqrt, kInfinity, 0.0f},
      {MicroOp::k_rsqrt, -1.0f, NAN},
      {MicroOp::k_rsqrt, kDenormal, 2.67137384e22f},  // 2^74.5
      {MicroOp::k_reciprocal, -0.0f, -kInfinity},
      {MicroOp::k_reciprocal, -kInfinity, -0.0f},
      {MicroOp::k_erf, -0.0f, -0.0f},
      {MicroOp::k_erf, -kInfinity, -1.0f},
      {MicroOp::k_erf, 4.0f, 1.0f},
      {MicroOp::k_silu, -kInfinity, -0.0f},
      {MicroOp::k_silu, kInfinity, kInfinity},
      {MicroOp::k_gelu, kInfinity, kInfinity},
      {MicroOp::k_gelu, kGreatest, kGreatest},
      {MicroOp::k_geluTanh, kInfinity, kInfinity},
      {MicroOp::k_geluTanh, kGreatest, kGreatest},
      {MicroOp::k_geluTanh, -kInfinity, -0.0f},
      {MicroOp::k_geluDerivative, kInfinity, 1.0f},
      {MicroOp::k_geluDerivative, -kInfinity, -0.0f},
      {MicroOp::k_geluDerivative, kGreatest, 1.0f},
      {MicroOp::k_geluDerivative, -0.0f, 0.5f},
      {MicroOp::k_geluDerivative, NAN, NAN},
      {MicroOp::k_floor, -0.0f, -0.0f},
      {MicroOp::k_ceil, -0.25f, -0.0f},
      {MicroOp::k_round, -2.5f, -2.0f},
      {MicroOp::k_round, 8388609.0f, 8388609.0f},
      {MicroOp::k_trunc, -0.75f, -0.0f},
      {MicroOp::k_exp2, -149.0f, kDenormal},
      {MicroOp::k_exp2, -kInfinity, 0.0f},
      {MicroOp::k_log2, kDenormal, -149.0f},
      {MicroOp::k_log2, -0.0f, -kInfinity},
      {MicroOp::k_log10, 1e10f, 10.0f},
      {MicroOp::k_log10, -kDenormal, NAN},
      {MicroOp::k_cbrt, -27.0f, -3.0f},
      {MicroOp::k_cbrt, -0.0f, -0.0f},
      {MicroOp::k_cbrt, -kInfinity, -kInfinity},
      {MicroOp::k_tan, -0.0f, -0.0f},
      {MicroOp::k_tan, kInfinity, NAN},
      {MicroOp::k_asin, -0.0f, -0.0f},
      {MicroOp::k_asin, -1.0f, -1.57079637f},
      {MicroOp::k_asin, 1.00000012f, NAN},
      {MicroOp::k_acos, 1.0f, 0.0f},
      {MicroOp::k_acos, -1.0f, 3.14159274f},
      {MicroOp::k_atan, -kInfinity, -1.57079637f},
      {MicroOp::k_atan, -kDenormal, -kDenormal},
      {MicroOp::k_sinh, -0.0f, -0.0f},
      {MicroOp::k_sinh, -kInfinity, -kInfinity},
      {MicroOp::k_cosh, -kInfinity, kInfinity},
      {MicroOp::k_cosh, NAN, NAN},
      {MicroOp::k_asinh, -kInfinity, -kInfinity},
      {MicroOp::k_asinh, kDenormal, kDenormal},
      {MicroOp::k_acosh, 1.0f, 0.0f},
      {MicroOp::k_acosh, -3.0f, NAN},
      {MicroOp::k_acosh, kInfinity, kInfinity},
      {MicroOp::k_atanh, -1.0f, -kInfinity},
      {MicroOp::k_atanh, -0.0f, -0.0f},
      {MicroOp::k_atanh, 2.0f, NAN},
      {MicroOp::k_erfc, kInfinity, 0.0f},
      {MicroOp::k_erfc, -kInfinity, 2.0f},
      {MicroOp::k_erfc, NAN, NAN},
      {MicroOp::k_erfinv, 1.0f, kInfinity},
      {MicroOp::k_erfinv, -1.0f, -kInfinity},
      {MicroOp::k_erfinv, -0.0f, -0.0f},
      {MicroOp::k_erfinv, 1.00000012f, NAN},
      {MicroOp::k_erfinv, kInfinity, NAN},
      {MicroOp::k_erfinv, 0.99999994f, 3.83250689f},  // mpmath
      {MicroOp::k_lgamma, 0.0f, kInfinity},
      {MicroOp::k_lgamma, -0.0f, kInfinity},
      {MicroOp::k_lgamma, 1.0f, 0.0f},
      {MicroOp::k_lgamma, 2.0f, 0.0f},
      {MicroOp::k_lgamma, -3.0f, kInfinity},
      {MicroOp::k_lgamma, kInfinity, kInfinity},
      {MicroOp::k_lgamma, -kInfinity, kInfinity},
      {MicroOp::k_lgamma, NAN, NAN},
      {MicroOp::k_lgamma, kGreatest, kInfinity},
      {MicroOp::k_digamma, 0.0f, -kInfinity},
      {MicroOp::k_digamma, -0.0f, kInfinity},
      {MicroOp::k_digamma, -2.0f, NAN},
      {MicroOp::k_digamma, kInfinity, kInfinity},
      {MicroOp::k_digamma, -kInfinity, NAN},
      {MicroOp::k_sqrt, -0.0f, -0.0f},
      {MicroOp::k_sqrt, -kDenormal, NAN},
      {MicroOp::k_sqrt, kInfinity, kInfinity},
  };
  for_each_table([&](const KernelTable& table) {
    for (size_t i = 0; i < sizeof specials / sizeof *specials; ++i) {
      const Special& special = specials[i];
      const std::string where = describe(table, "special", static_cast<int64_t>(i));
      EXPECT_SAME(value(table, special.op, special.x), special.wanted, where);
    }
  });
}

// The floats next to the zeros of these functions, where nothing but the exact value is right (mpmath).
TEST(math_errors_next_to_zeros) {
  struct Zero {
    MicroOp op;
    float x;
    double exact;
  };
  const Zero zeros[] = {
      {MicroOp::k_lgamma, -2.45702481f, -1.1287842529645816e-07},
      {MicroOp::k_lgamma, -2.74768257f, -1.4418167987778365e-07},
      {MicroOp::k_lgamma, -3.14358091f, -1.9605461541614247e-07},
      {MicroOp::k_lgamma, 0.99999994f, 3.4404737587236741e-08},
      {MicroOp::k_lgamma, 1.00000012f, -6.8809457642534717e-08},
      {MicroOp::k_lgamma, 1.99999988f, -5.0399815637755424e-08},
      {MicroOp::k_lgamma, 2.00000024f, 1.0079965877070314e-07},
      {MicroOp::k_digamma, 1.46163213f, -1.203605254910667e-08},
      {MicroOp::k_digamma, -0.504083037f, -2.6025495502993588e-07},
      {MicroOp::k_digamma, -1.57349849f, -1.4226449024506777e-07},
      {MicroOp::k_geluDerivative, -0.751791537f, -5.227312104575155e-09},
      {MicroOp::k_geluDerivative, -0.751791477f, 2.0491734848740447e-08},
  };
  for_each_table([&](const KernelTable& table) {
    for (const Zero& zero : zeros) {
      Worst worst;
      worst.see(error_in_ulps(value(table, zero.op, zero.x), zero.exact), zero.x, 0);
      worst.expect_below(ulps_of(zero.op), table, facts_of(zero.op).name);
    }
  });
}

// Signs of zeros and infinities are compared too: libm's pow in double has all of IEEE 754's cases.
TEST(pow_special_values) {
  const float values[] = {0.0f,        -0.0f,       1.0f,         -1.0f,      2.0f,         -2.0f,       3.0f,
                          -3.0f,       0.5f,        -0.5f,        1.5f,       -1.5f,        kInfinity,   -kInfinity,
                          kDenormal,   -kDenormal,  1e-39f,       kGreatest,  -kGreatest,   0.99999994f, 1.0000001f,
                          16777215.0f, 16777216.0f, -16777215.0f, 8388607.5f, -8388607.5f,  4194303.5f,  1e9f,
                          -1e9f,       1e30f,       33.0f,        -33.0f,     -0.99999994f, 0x1p31f,     NAN};
  for_each_table([&](const KernelTable& table) {
    Worst worst;
    for (const float x : values) {
      for (const float y : values) {
        const float actual = value(table, MicroOp::k_pow, x, y);
        const double exact = std::pow(static_cast<double>(x), static_cast<double>(y));
        worst.see(error_in_ulps(actual, exact), x, y);
        if (!std::isnan(exact) && std::signbit(actual) != std::signbit(exact)) worst.see(HUGE_VAL, x, y);
      }
    }
    worst.expect_below(ulps_of(MicroOp::k_pow), table, "pow");
  });
}

TEST(vector_special_values) {
  const float values[] = {0.0f,      -0.0f,      1.0f,      -1.0f,      kDenormal, -kDenormal,
                          kGreatest, -kGreatest, kInfinity, -kInfinity, NAN};
  for_each_function([&](const Function& function) {
    if (!function.has_pairs() || function.op == MicroOp::k_pow) return;
    for_each_table([&](const KernelTable& table) {
      Worst worst;
      for (const float x : values) {
        for (const float y : values) {
          const float actual = value(table, function.op, x, y);
          const double exact = function.exact(static_cast<double>(x), static_cast<double>(y));
          worst.see(error_in_ulps(actual, exact), x, y);
          if (!std::isnan(exact) && std::signbit(actual) != std::signbit(exact)) worst.see(HUGE_VAL, x, y);
        }
      }
      worst.expect_below(function.bound, table, function.name());
    });
  });
}

// The remainders are exact, of quotients of any size.
TEST(remainders_are_exact) {
  constexpr int64_t kPoints = 100000;
  std::vector<float> x(kPoints), y(kPoints), out(kPoints);
  Random random(6);
  for (size_t i = 0; i < kPoints; ++i) {
    y[i] = random.uniform(-1, 1) * std::ldexp(1.0f, static_cast<int>(random.below(250)) - 125);
    x[i] = y[i] * random.uniform(-1, 1) * std::ldexp(1.0f, static_cast<int>(random.below(40)));
    if (i % 3 == 0) x[i] = y[i] * static_cast<float>(random.below(1000));
  }
  for_each_table([&](const KernelTable& table) {
    float_kernel(table, MicroOp::k_fmod)(x.data(), y.data(), nullptr, out.data(), kPoints);
    for (size_t i = 0; i < kPoints; ++i) {
      EXPECT_SAME(out[i], std::fmod(x[i], y[i]), describe(table, "fmod", static_cast<int64_t>(i)));
    }
  });
}

TEST(errors_of_pairs) {
  const int64_t points = kIsSanitized || is_quick() ? 16'000 : 300'000;
  const size_t size = static_cast<size_t>(points);
  std::vector<float> x(size), y(size), out(size);
  std::vector<double> exact(size);
  for_each_function([&](const Function& function) {
    if (!function.has_pairs()) return;
    Random random(3);
    for (size_t i = 0; i < size; ++i) {
      draw_pair(function, random, x[i], y[i]);
      exact[i] = function.exact(static_cast<double>(x[i]), static_cast<double>(y[i]));
    }
    for_each_table([&](const KernelTable& table) {
      float_kernel(table, function.op)(x.data(), y.data(), nullptr, out.data(), points);
      Worst worst;
      for (size_t i = 0; i < size; ++i) worst.see(error_in_ulps(out[i], exact[i]), x[i], y[i]);
      worst.expect_below(function.bound, table, function.name());
    });
  });
}

}  // namespace
}  // namespace galvani::test
