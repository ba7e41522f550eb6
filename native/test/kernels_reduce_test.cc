// Reductions and argmax over the middle axis, against scalar code.
#include "test/kernel_testing.h"

namespace galvani::test {
namespace {

struct Shape {
  int64_t outer, reduced, inner;
};
const Shape kShapes[] = {{1, 0, 1},    {3, 0, 5},     {5, 1, 1},    {40, 10, 1}, {3, 16, 1},  {2, 17, 1},
                         {2, 1000, 1}, {1, 20000, 1}, {7, 1, 3},    {4, 9, 2},   {3, 10, 17}, {2, 128, 10},
                         {1, 300, 70}, {2, 33, 131},  {1, 5000, 3}, {1, 64, 64}, {1, 65, 260}};

std::string text_of(const Shape& shape) {
  return std::to_string(shape.outer) + "x" + std::to_string(shape.reduced) + "x" + std::to_string(shape.inner);
}

template <typename T>
std::vector<T> column(Buffer<T>& x, const Shape& shape, int64_t output) {
  const int64_t outer = output / shape.inner, inner = output % shape.inner;
  std::vector<T> values;
  for (int64_t r = 0; r < shape.reduced; ++r) values.push_back(x[(outer * shape.reduced + r) * shape.inner + inner]);
  return values;
}

// Runs `kernel` on all outputs at once and in random parts, expects the same bits, and returns them.
template <typename T, typename Out, typename Kernel>
std::vector<Out> run(const KernelTable& table, Kernel kernel, Buffer<T>& x, const Shape& shape, Random& random) {
  const int64_t outputs = shape.outer * shape.inner;
  Buffer<Out> whole(outputs, 1), parts(outputs, 3);
  kernel(x.data(), whole.data(), shape.reduced, shape.inner, 0, outputs);
  for (int64_t begin = 0; begin < outputs;) {
    const int64_t end = std::min(outputs, begin + 1 + random.below(40));
    kernel(x.data(), parts.data(), shape.reduced, shape.inner, begin, end);
    begin = end;
  }
  for (int64_t i = 0; i < outputs; ++i) EXPECT_SAME(parts[i], whole[i], describe(table, text_of(shape), i));
  EXPECT(whole.guards_are_whole() && parts.guards_are_whole());
  return std::vector<Out>(whole.data(), whole.data() + outputs);
}

template <typename T>
T extreme(const std::vector<T>& values, T identity, bool greatest) {
  T best = identity;
  for (const T value : values) {
    if (best != best) break;
    const bool negative = std::signbit(static_cast<double>(value));
    const bool better = value == best ? negative != greatest : (value > best) == greatest;
    if (value != value || better) best = value;
  }
  return best;
}

template <typename T>
void check_extremes(const KernelTable& table, void (*const kernels[])(const T*, T*, int64_t, int64_t, int64_t, int64_t),
                    T least, T greatest) {
  Random random(5);
  for (const Shape& shape : kShapes) {
    for (int round = 0; round < 3; ++round) {
      Buffer<T> x(shape.outer * shape.reduced * shape.inner, round);
      for (int64_t i = 0; i < x.size(); ++i) {
        x[i] = awkward_value<T>(random);
        if (round == 0 && x[i] != x[i]) x[i] = 0;  // without NaN
        if (round == 1) x[i] = static_cast<T>(random.below(2) ? -0.0f : 0.0f);
      }
      const auto maxima = run<T, T>(table, kernels[static_cast<int>(Reduction::k_max)], x, shape, random);
      const auto minima = run<T, T>(table, kernels[static_cast<int>(Reduction::k_min)], x, shape, random);
      for (int64_t i = 0; i < static_cast<int64_t>(maxima.size()); ++i) {
        const std::vector<T> values = column(x, shape, i);
        const std::string where = describe(table, text_of(shape), i);
        EXPECT_SAME(maxima[static_cast<size_t>(i)], extreme(values, least, true), where);
        EXPECT_SAME(minima[static_cast<size_t>(i)], extreme(values, greatest, false), where);
      }
    }
  }
}

TEST(reduce_max_and_min) {
  for_each_table([](const KernelTable& table) {
    check_extremes<float>(table, table.reduce_float32, -kInfinity, kInfinity);
    check_extremes<int32_t>(table, table.reduce_int32, INT32_MIN, INT32_MAX);
  });
}

TEST(reduce_sum_float32) {
  for_each_table([](const KernelTable& table) {
    Random random(6);
    for (const Shape& shape : kShapes) {
      Buffer<float> x(shape.outer * shape.reduced * shape.inner, 1);
      for (int64_t i = 0; i < x.size(); ++i) x[i] = random.uniform(-1, 3);
      const auto sums = run<float, float>(table, table.reduce_float32[0], x, shape, random);
      for (int64_t i = 0; i < static_cast<int64_t>(sums.size()); ++i) {
        double exact = 0, magnitude = 0;
        for (const float value : column(x, shape, i)) {
          exact += static_cast<double>(value);
          magnitude += std::fabs(static_cast<double>(value));
        }
        EXPECT_NEAR(static_cast<double>(sums[static_cast<size_t>(i)]), exact, 1e-6 * magnitude);
      }
    }
  });
}

TEST(reduce_sum_int32_wraps) {
  for_each_table([](const KernelTable& table) {
    Random random(8);
    for (const Shape& shape : kShapes) {
      Buffer<int32_t> x(shape.outer * shape.reduced * shape.inner, 1);
      x.fill(random);
      const auto sums = run<int32_t, int32_t>(table, table.reduce_int32[0], x, shape, random);
      for (int64_t i = 0; i < static_cast<int64_t>(sums.size()); ++i) {
        uint32_t exact = 0;
        for (const int32_t value : column(x, shape, i)) exact += static_cast<uint32_t>(value);
        EXPECT_SAME(sums[static_cast<size_t>(i)], static_cast<int32_t>(exact), describe(table, text_of(shape), i));
      }
    }
  });
}

// In order, the sum of so many would end 1e-3 away.
TEST(reduce_sum_of_a_million_stays_accurate) {
  constexpr int64_t n = 1 << 22;
  const std::vector<float> x(n, 0.1f);
  for_each_table([&](const KernelTable& table) {
    for (const int64_t inner : {int64_t{1}, int64_t{2}}) {
      float sums[2];
      table.reduce_float32[0](x.data(), sums, n / inner, inner, 0, inner);
      const double exact = static_cast<double>(0.1f) * static_cast<double>(n / inner);
      EXPECT_NEAR(static_cast<double>(sums[0]), exact, 1e-6 * exact);
    }
  });
}

// A pairwise sum of n terms is off by at most log2 n roundings of what the terms add up to in absolute value (Higham,
// "The accuracy of floating point summation", 1993); a running sum by n - 1.
TEST(errors_of_sums_grow_like_those_of_pairwise_sums) {
  const auto constant = [](Random&) { return 0.1f; };
  const auto positive = [](Random& random) { return random.uniform(0, 1); };
  const auto mixed = [](Random& random) { return random.uniform(-1, 1); };
  float (*const generators[])(Random&) = {constant, positive, mixed};
  for (int64_t n = 2; n <= 1 << 20; n = 3 * n - n / 2) {
    for (const auto generate : generators) {
      for (const int64_t inner : {1, 3, 40}) {
        if (n * inner > 1 << 20) continue;
        Random random(static_cast<uint64_t>(n));
        std::vector<float> x(static_cast<size_t>(n * inner)), sums(static_cast<size_t>(inner));
        for (float& value : x) value = generate(random);
        for_each_table([&](const KernelTable& table) {
          table.reduce_float32[static_cast<int>(Reduction::k_sum)](x.data(), sums.data(), n, inner, 0, inner);
          for (int64_t i = 0; i < inner; ++i) {
            double exact = 0, magnitude = 0;
            for (int64_t r = 0; r < n; ++r) {
              const double value = static_cast<double>(x[static_cast<size_t>(r * inner + i)]);
              exact += value;
              magnitude += std::fabs(value);
            }
            const double bound = 0x1p-24 * std::ceil(std::log2(static_cast<double>(n))) * magnitude;
            EXPECT_NEAR(static_cast<double>(sums[static_cast<size_t>(i)]), exact, bound);
          }
        });
      }
    }
  }
}

TEST(sum_of_a_row_with_nan_or_infinities) {
  for_each_table([](const KernelTable& table) {
    for (int64_t n = 2; n < 70; ++n) {
      std::vector<float> x(static_cast<size_t>(n), 1.0f);
      float sum;
      x.back() = kInfinity;
      table.reduce_float32[0](x.data(), &sum, n, 1, 0, 1);
      EXPECT_SAME(sum, kInfinity, describe(table, "infinity", n));
      x.front() = -kInfinity;
      table.reduce_float32[0](x.data(), &sum, n, 1, 0, 1);
      EXPECT(std::isnan(sum));
      x.front() = NAN;
      table.reduce_float32[0](x.data(), &sum, n, 1, 0, 1);
      EXPECT(std::isnan(sum));
    }
  });
}

template <typename T>
int32_t first_greatest(const std::vector<T>& values) {
  size_t best = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i] != values[i]) return static_cast<int32_t>(i);
    if (values[i] > values[best]) best = i;
  }
  return static_cast<int32_t>(best);
}

template <typename T, typename Kernel>
void check_argmax(const KernelTable& table, Kernel kernel) {
  Random random(9);
  for (const Shape& shape : kShapes) {
    if (shape.reduced == 0) continue;
    for (int round = 0; round < 3; ++round) {
      Buffer<T> x(shape.outer * shape.reduced * shape.inner, round);
      for (int64_t i = 0; i < x.size(); ++i) {
        x[i] = awkward_value<T>(random);
        if (round == 0 && x[i] != x[i]) x[i] = 0;                    // without NaN
        if (round == 1) x[i] = static_cast<T>(random.below(3) - 1);  // ties
      }
      const auto found = run<T, int32_t>(table, kernel, x, shape, random);
      for (int64_t i = 0; i < static_cast<int64_t>(found.size()); ++i) {
        const int32_t wanted = first_greatest(column(x, shape, i));
        EXPECT_SAME(found[static_cast<size_t>(i)], wanted, describe(table, text_of(shape), i));
      }
    }
  }
}

TEST(argmax_takes_the_first_greatest) {
  for_each_table([](const KernelTable& table) {
    check_argmax<float>(table, table.argmax_float32);
    check_argmax<int32_t>(table, table.argmax_int32);
  });
}

TEST(argmax_of_rows_of_minus_infinity) {
  for_each_table([](const KernelTable& table) {
    const std::vector<float> x(40, -std::numeric_limits<float>::infinity());
    for (const int64_t n : {1, 3, 16, 20, 40}) {
      int32_t index = -1;
      table.argmax_float32(x.data(), &index, n, 1, 0, 1);
      EXPECT_EQ(index, 0);
    }
  });
}

// The raw instructions would give the zero that comes last, and lose a NaN.
TEST(extremes_of_rows_of_zeros_and_of_one_nan) {
  for_each_table([](const KernelTable& table) {
    for (const int64_t n : {1, 5, 16, 17, 64, 100, 1000}) {
      for (int64_t at = 0; at < n; at += 1 + n / 40) {
        Buffer<float> x(n, 1);
        float out;
        const auto reduce = [&](Reduction kind) {
          table.reduce_float32[static_cast<int>(kind)](x.data(), &out, n, 1, 0, 1);
          return out;
        };
        for (int64_t i = 0; i < n; ++i) x[i] = i == at ? 0.0f : -0.0f;
        EXPECT_SAME(reduce(Reduction::k_max), 0.0f, describe(table, "max", at));
        EXPECT_SAME(reduce(Reduction::k_min), n == 1 ? 0.0f : -0.0f, describe(table, "min", at));
        for (int64_t i = 0; i < n; ++i) x[i] = i == at ? -0.0f : 0.0f;
        EXPECT_SAME(reduce(Reduction::k_max), n == 1 ? -0.0f : 0.0f, describe(table, "max", at));
        EXPECT_SAME(reduce(Reduction::k_min), -0.0f, describe(table, "min", at));
        for (int64_t i = 0; i < n; ++i) x[i] = i == at ? NAN : static_cast<float>(i);
        EXPECT_SAME(reduce(Reduction::k_max), NAN, describe(table, "max", at));
        EXPECT_SAME(reduce(Reduction::k_min), NAN, describe(table, "min", at));
        for (int64_t i = 0; i < n; ++i) x[i] = i == at ? -INFINITY : INFINITY;
        EXPECT_SAME(reduce(Reduction::k_max), n == 1 ? -INFINITY : INFINITY, describe(table, "max", at));
        EXPECT_SAME(reduce(Reduction::k_min), -INFINITY, describe(table, "min", at));
      }
    }
  });
}

}  // namespace
}  // namespace galvani::test
