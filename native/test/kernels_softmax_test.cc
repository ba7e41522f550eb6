// softmax, logSoftmax and cross entropy: against double, in rows of all lengths, and with infinities and NaN as the
// composition of plain operations has them.
#include <algorithm>

#include "test/kernel_testing.h"

namespace galvani::test {
namespace {

const int64_t kColumns[] = {1, 2, 3, 4, 5, 7, 8, 10, 15, 16, 17, 31, 33, 64, 70, 1000, 1024, 1025, 1039, 5000};

// log(Σ e^x) in double, as the composition with the greatest element subtracted gives it.
struct RowReference {
  explicit RowReference(const float* x, int64_t columns) {
    greatest = -HUGE_VAL;
    for (int64_t i = 0; i < columns; ++i) greatest = std::max(greatest, static_cast<double>(x[i]));
    for (int64_t i = 0; i < columns; ++i) sum += std::exp(static_cast<double>(x[i]) - greatest);
  }
  double softmax(float x) const { return std::exp(static_cast<double>(x) - greatest) / sum; }
  double log_softmax(float x) const { return static_cast<double>(x) - greatest - std::log(sum); }
  double greatest, sum = 0;
};

// Logits of which some are far apart.
void fill_logits(Buffer<float>& x, Random& random) {
  for (int64_t i = 0; i < x.size(); ++i) x[i] = random.uniform(-4, 4) * (random.below(9) == 0 ? 20.0f : 1.0f);
}

int64_t rows_for(int64_t columns) { return columns < 100 ? 9 : 3; }

// Relative to the value, or to the least float that is not denormal.
void expect_close(const KernelTable& table, const char* what, int64_t columns, float actual, double exact,
                  double size) {
  if (is_near(static_cast<double>(actual), exact, 2e-6 * std::fabs(size) + 1e-40)) return;
  fail(__FILE__, __LINE__,
       describe(table, what, columns) + " columns: expected " + std::to_string(exact) + ", got " +
           std::to_string(actual));
}

using SoftmaxKernel = void (*)(const float*, float*, int64_t, int64_t, int64_t);

// Runs on all rows, on one row after the other, and in place, and expects the same bits.
void check_rows(const KernelTable& table, SoftmaxKernel kernel, Buffer<float>& x, Buffer<float>& out, int64_t columns) {
  const int64_t rows = rows_for(columns);
  Buffer<float> single(rows * columns, 3), in_place(rows * columns, 2);
  std::copy(x.data(), x.data() + x.size(), in_place.data());
  kernel(x.data(), out.data(), columns, 0, rows);
  kernel(in_place.data(), in_place.data(), columns, 0, rows);
  for (int64_t row = 0; row < rows; ++row) kernel(x.data(), single.data(), columns, row, row + 1);
  for (int64_t i = 0; i < x.size(); ++i) {
    EXPECT_SAME(single[i], out[i], describe(table, "row alone", columns));
    EXPECT_SAME(in_place[i], out[i], describe(table, "in place", columns));
  }
  EXPECT(out.guards_are_whole() && single.guards_are_whole() && in_place.guards_are_whole());
}

TEST(softmax_and_log_softmax) {
  for_each_table([](const KernelTable& table) {
    Random random(21);
    for (const int64_t columns : kColumns) {
      Buffer<float> x(rows_for(columns) * columns, 1), softmax(x.size(), 2), log_softmax(x.size(), 3);
      fill_logits(x, random);
      check_rows(table, table.rows_float32.softmax, x, softmax, columns);
      check_rows(table, table.rows_float32.log_softmax, x, log_softmax, columns);
      std::vector<RowReference> rows;
      for (int64_t i = 0; i < x.size(); i += columns) rows.emplace_back(&x[i], columns);
      for (int64_t i = 0; i < x.size(); ++i) {
        const RowReference& row = rows[i / columns];
        const double exact = row.softmax(x[i]), log_exact = row.log_softmax(x[i]);
        expect_close(table, "softmax", columns, softmax[i], exact, exact * (1 + std::fabs(log_exact)));
        expect_close(table, "logSoftmax", columns, log_softmax[i], log_exact, std::fabs(log_exact) + 1);
      }
    }
  });
}

TEST(softmax_of_great_logits_does_not_overflow) {
  for_each_table([](const KernelTable& table) {
    const float x[4] = {10000.0f, 9999.0f, -10000.0f, 3e38f};
    float out[4];
    table.rows_float32.softmax(x, out, 3, 0, 1);
    EXPECT_NEAR(static_cast<double>(out[0]), 0.7310585786, 1e-6);
    EXPECT_NEAR(static_cast<double>(out[1]), 0.2689414214, 1e-6);
    EXPECT_EQ(out[2], 0.0f);
    table.rows_float32.log_softmax(x, out, 4, 0, 1);
    EXPECT_EQ(out[3], 0.0f);
    EXPECT_EQ(out[2], -3e38f);
  });
}

TEST(softmax_of_infinities_and_nan) {
  for_each_table([](const KernelTable& table) {
    for (int64_t columns = 2; columns <= 40; ++columns) {
      const size_t n = static_cast<size_t>(columns);
      std::vector<float> x(n, -kInfinity), softmax(n), log_softmax(n), gradient(n);
      const int32_t label = 0;
      float loss;
      const auto run = [&] {
        table.rows_float32.softmax(x.data(), softmax.data(), columns, 0, 1);
        table.rows_float32.log_softmax(x.data(), log_softmax.data(), columns, 0, 1);
        table.rows_float32.cross_entropy_classes(x.data(), &label, &loss, gradient.data(), columns, 0, 1);
      };
      const auto expect_all_nan = [&](const char* what) {
        bool all = std::isnan(loss);
        for (size_t i = 0; i < n; ++i) {
          all = all && std::isnan(softmax[i]) && std::isnan(log_softmax[i]) && std::isnan(gradient[i]);
        }
        if (!all) fail(__FILE__, __LINE__, describe(table, what, columns) + " columns: expected NaN everywhere");
      };
      run();
      expect_all_nan("-infinity alone");
      x.back() = 2;  // the only possible class
      run();
      EXPECT_EQ(softmax.back(), 1.0f);
      EXPECT_EQ(softmax.front(), 0.0f);
      EXPECT_EQ(log_softmax.back(), 0.0f);
      EXPECT_EQ(log_softmax.front(), -kInfinity);
      EXPECT_EQ(loss, kInfinity);
      EXPECT_EQ(gradient.front(), -1.0f);
      EXPECT_EQ(gradient.back(), 1.0f);
      for (const float odd : {kInfinity, NAN}) {
        for (size_t at = 0; at < n; ++at) {
          std::fill(x.begin(), x.end(), 1.0f);
          x[at] = odd;
          run();
          expect_all_nan("infinity or NaN");
        }
      }
    }
  });
}

TEST(cross_entropy_of_classes) {
  for_each_table([](const KernelTable& table) {
    Random random(22);
    for (const int64_t columns : kColumns) {
      const int64_t rows = rows_for(columns);
      Buffer<float> x(rows * columns, 1), gradient(rows * columns, 2), losses(rows, 1), alone(rows, 2);
      Buffer<int32_t> labels(rows, 1);
      fill_logits(x, random);
      for (int64_t row = 0; row < rows; ++row) labels[row] = static_cast<int32_t>(random.below(columns));
      labels[0] = static_cast<int32_t>(columns - 1);
      table.rows_float32.cross_entropy_classes(x.data(), labels.data(), losses.data(), gradient.data(), columns, 0,
                                               rows);
      table.rows_float32.cross_entropy_classes(x.data(), labels.data(), alone.data(), nullptr, columns, 0, 1);
      table.rows_float32.cross_entropy_classes(x.data(), labels.data(), alone.data(), nullptr, columns, 1, rows);
      for (int64_t row = 0; row < rows; ++row) {
        const RowReference reference(&x[row * columns], columns);
        const double exact = -reference.log_softmax(x[row * columns + labels[row]]);
        expect_close(table, "loss", columns, losses[row], exact, exact + 1);
        EXPECT_SAME(alone[row], losses[row], describe(table, "loss without gradient", columns));
        for (int64_t i = 0; i < columns; ++i) {
          const double wanted = reference.softmax(x[row * columns + i]) - (i == labels[row] ? 1 : 0);
          expect_close(table, "gradient", columns, gradient[row * columns + i], wanted, 1);
        }
      }
      EXPECT(gradient.guards_are_whole() && losses.guards_are_whole() && alone.guards_are_whole());
    }
  });
}

TEST(cross_entropy_of_probabilities) {
  for_each_table([](const KernelTable& table) {
    Random random(23);
    for (const int64_t columns : kColumns) {
      const int64_t rows = rows_for(columns);
      Buffer<float> x(rows * columns, 1), p(rows * columns, 2), gradient(rows * columns, 3);
      Buffer<float> losses(rows, 1), alone(rows, 2);
      fill_logits(x, random);
      for (int64_t i = 0; i < p.size(); ++i) p[i] = random.uniform(0, 2) / static_cast<float>(columns);
      table.rows_float32.cross_entropy_probabilities(x.data(), p.data(), losses.data(), gradient.data(), columns, 0,
                                                     rows);
      table.rows_float32.cross_entropy_probabilities(x.data(), p.data(), alone.data(), nullptr, columns, 0, 2);
      table.rows_float32.cross_entropy_probabilities(x.data(), p.data(), alone.data(), nullptr, columns, 2, rows);
      for (int64_t row = 0; row < rows; ++row) {
        const RowReference reference(&x[row * columns], columns);
        double loss = 0, weight = 0;
        for (int64_t i = row * columns; i < (row + 1) * columns; ++i) {
          loss -= static_cast<double>(p[i]) * reference.log_softmax(x[i]);
          weight += static_cast<double>(p[i]);
        }
        expect_close(table, "loss", columns, losses[row], loss, loss + 1);
        EXPECT_SAME(alone[row], losses[row], describe(table, "loss without gradient", columns));
        for (int64_t i = row * columns; i < (row + 1) * columns; ++i) {
          const double wanted = reference.softmax(x[i]) * weight - static_cast<double>(p[i]);
          expect_close(table, "gradient", columns, gradient[i], wanted, 1);
        }
      }
      EXPECT(gradient.guards_are_whole() && losses.guards_are_whole() && alone.guards_are_whole());
    }
  });
}

// A class that has no weight may be impossible, in Σ p·(−logSoftmax): it counts as 0, and not as 0·∞.
TEST(cross_entropy_of_an_impossible_class) {
  for_each_table([](const KernelTable& table) {
    for (const int64_t columns : {int64_t{3}, int64_t{100}}) {
      Buffer<float> x(columns, 1), p(columns, 2);
      for (int64_t i = 0; i < columns; ++i) x[i] = -kInfinity, p[i] = 0;
      x[0] = x[2] = 1;
      p[0] = p[2] = 0.5f;
      float loss;
      table.rows_float32.cross_entropy_probabilities(x.data(), p.data(), &loss, nullptr, columns, 0, 1);
      EXPECT(std::abs(loss - std::log(2.0f)) < 1e-6f);
      p[1] = p[2];
      p[2] = 0;
      table.rows_float32.cross_entropy_probabilities(x.data(), p.data(), &loss, nullptr, columns, 0, 1);
      EXPECT_EQ(loss, kInfinity);
    }
  });
}

}  // namespace
}  // namespace galvani::test
