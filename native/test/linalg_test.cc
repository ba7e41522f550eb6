// Linear algebra: what is refused, and products of the factors, on every instruction set and split.
#include <cmath>

#include "test/executor_testing.h"

namespace galvani::test {
namespace {

constexpr DType kFloat = DType::k_float32, kInt = DType::k_int32;

ProgramBuilder single_of(Opcode opcode, const std::vector<Words>& in, const std::vector<Words>& out,
                         const Words& params, DType dtype = kFloat) {
  ProgramBuilder builder;
  Words inputs, outputs;
  for (const Words& shape : in) inputs.push_back(builder.input(dtype, shape));
  for (const Words& shape : out) outputs.push_back(builder.result(dtype, shape));
  builder.instruction(opcode, inputs, outputs, params);
  return builder;
}

std::string error_of(const ProgramBuilder& builder) {
  Program program;
  std::string error;
  const Words words = builder.words();
  decode_program(words.data(), static_cast<int64_t>(words.size()), 0, &program, &error);
  return error;
}

void expect_refused(const ProgramBuilder& builder, const char* part) {
  EXPECT(error_of(builder).find(part) != std::string::npos);
}

TEST(decode_checks_matrices) {
  const Words square = {2, 3, 3};
  EXPECT(error_of(single_of(Opcode::k_cholesky, {square}, {square}, {2, 3})).empty());
  expect_refused(single_of(Opcode::k_cholesky, {square}, {square}, {2, 4}), "input 0");
  expect_refused(single_of(Opcode::k_cholesky, {square}, {square}, {2, 3}, kInt), "float32");
  expect_refused(single_of(Opcode::k_cholesky, {square}, {square}, {INT32_MAX, INT32_MAX}), "input 0");
  expect_refused(single_of(Opcode::k_cholesky, {square}, {square, square}, {2, 3}), "1 outputs");
  EXPECT(error_of(single_of(Opcode::k_triangularSolve, {square, {2, 3, 4}}, {{2, 3, 4}}, {2, 3, 4, 1, 0, 1})).empty());
  expect_refused(single_of(Opcode::k_triangularSolve, {square, {2, 3, 4}}, {{2, 3, 4}}, {2, 3, 4, 1, 0, 2}), "a flag");
  expect_refused(single_of(Opcode::k_solve, {square, {2, 3, 4}}, {{2, 3, 4}}, {2, 3, 5}), "input 1");
  expect_refused(single_of(Opcode::k_solve, {square}, {{2, 3, 4}}, {2, 3, 4}), "2 inputs");
  expect_refused(single_of(Opcode::k_determinant, {square}, {{2}, {2}, {3}}, {2, 3}), "output 2");
  EXPECT(error_of(single_of(Opcode::k_lu, {{2, 3, 4}}, {square, {2, 3, 3}, {2, 3, 4}}, {2, 3, 4})).empty());
  expect_refused(single_of(Opcode::k_lu, {{2, 3, 4}}, {{2, 4, 4}, {2, 3, 3}, {2, 3, 4}}, {2, 3, 4}), "output 0");
  expect_refused(single_of(Opcode::k_matrixExp, {square}, {{2, 3, 4}}, {2, 3}), "output 0");
  expect_refused(single_of(Opcode::k_qr, {{2, 3, 4}}, {{2, 3, 3}, {2, 3, 3}}, {2, 3, 4}), "output 1");
  expect_refused(single_of(Opcode::k_eigh, {square}, {{2, 4}, square}, {2, 3}), "output 0");
  EXPECT(error_of(single_of(Opcode::k_svd, {{2, 3, 4}}, {{2, 3, 3}, {2, 3}, {2, 3, 4}}, {2, 3, 4})).empty());
  expect_refused(single_of(Opcode::k_svd, {{2, 3, 4}}, {{2, 3, 3}, {2, 4}, {2, 3, 4}}, {2, 3, 4}), "output 1");
}

// Extents that no workspace could be as large as, of matrices that do not exist.
TEST(matrices_of_no_elements_take_no_memory) {
  const int32_t huge = INT32_MAX;
  const auto runs = [](const ProgramBuilder& builder) {
    run_everywhere(builder, {}, [](const Outcome& o) { EXPECT(o.has_run); });
  };
  runs(single_of(Opcode::k_cholesky, {{0}}, {{0}}, {0, huge}));
  runs(single_of(Opcode::k_solve, {{0}, {0}}, {{0}}, {huge, 0, huge}));
  runs(single_of(Opcode::k_svd, {{0}}, {{0}, {0}, {0}}, {huge, huge, 0}));
  runs(single_of(Opcode::k_qr, {{0}}, {{0}, {0}}, {0, huge, huge}));
  runs(single_of(Opcode::k_lu, {{0}}, {{0}, {0}, {0}}, {0, huge, huge}));
  runs(single_of(Opcode::k_matrixExp, {{0}}, {{0}}, {0, huge}));
  runs(single_of(Opcode::k_eigh, {{0}}, {{0}, {0}}, {huge, 0}));
}

// Elements (i, j) of the product of two matrices of a batch.
template <typename Left, typename Right>
void expect_product(const Floats& x, int64_t batch, int64_t rows, int64_t inner, int64_t columns, Left left,
                    Right right) {
  double worst = 0;
  for (int64_t b = 0; b < batch; ++b) {
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < columns; ++j) {
        double sum = 0;
        for (int64_t k = 0; k < inner; ++k) sum += static_cast<double>(left(b, i, k)) * right(b, k, j);
        worst = std::max(worst, std::fabs(sum - x[(b * rows + i) * columns + j]));
      }
    }
  }
  EXPECT(worst < 2e-5);
}

Floats numbers(int64_t size) {
  Random random(11);
  Floats values(size);
  for (float& value : values) value = static_cast<float>(random.below(2000)) / 500 - 2;
  return values;
}

TEST(qr_and_svd_give_the_matrix_back) {
  constexpr int32_t kBatch = 40;
  for (const auto& [rows, columns] : {std::pair{7, 4}, {4, 7}, {9, 9}, {1, 5}}) {
    const int32_t k = std::min(rows, columns), m = rows, n = columns;
    const Floats x = numbers(int64_t{kBatch} * m * n);
    run_everywhere(single_of(Opcode::k_qr, {{kBatch, m, n}}, {{kBatch, m, k}, {kBatch, k, n}}, {kBatch, m, n}),
                   {bytes_of(x)}, [&](const Outcome& o) {
                     const Floats q = values_of<float>(o.buffers[1]), r = values_of<float>(o.buffers[2]);
                     expect_product(
                         x, kBatch, m, k, n, [&](int64_t b, int64_t i, int64_t j) { return q[(b * m + i) * k + j]; },
                         [&](int64_t b, int64_t i, int64_t j) { return r[(b * k + i) * n + j]; });
                   });
    run_everywhere(
        single_of(Opcode::k_svd, {{kBatch, m, n}}, {{kBatch, m, k}, {kBatch, k}, {kBatch, k, n}}, {kBatch, m, n}),
        {bytes_of(x)}, [&](const Outcome& o) {
          const Floats u = values_of<float>(o.buffers[1]), s = values_of<float>(o.buffers[2]),
                       vh = values_of<float>(o.buffers[3]);
          expect_product(
              x, kBatch, m, k, n,
              [&](int64_t b, int64_t i, int64_t j) { return u[(b * m + i) * k + j] * s[b * k + j]; },
              [&](int64_t b, int64_t i, int64_t j) { return vh[(b * k + i) * n + j]; });
        });
  }
}

TEST(lu_gives_the_exchanged_rows_back) {
  constexpr int32_t kBatch = 40;
  for (const auto& [rows, columns] : {std::pair{7, 4}, {4, 7}, {9, 9}, {3, 1}}) {
    const int32_t m = rows, n = columns, k = std::min(m, n);
    const Floats x = numbers(int64_t{kBatch} * m * n);
    run_everywhere(
        single_of(Opcode::k_lu, {{kBatch, m, n}}, {{kBatch, m, m}, {kBatch, m, k}, {kBatch, k, n}}, {kBatch, m, n}),
        {bytes_of(x)}, [&](const Outcome& o) {
          const Floats p = values_of<float>(o.buffers[1]), l = values_of<float>(o.buffers[2]),
                       u = values_of<float>(o.buffers[3]);
          // Row i of x is the row of L·U that p has a one for.
          const auto exchanged = [&](int64_t b, int64_t i, int64_t j) {
            for (int64_t row = 0; row < m; ++row)
              if (p[(b * m + i) * m + row] == 1) return l[(b * m + row) * k + j];
            return static_cast<float>(NAN);
          };
          expect_product(x, kBatch, m, k, n, exchanged,
                         [&](int64_t b, int64_t i, int64_t j) { return u[(b * k + i) * n + j]; });
        });
  }
}

TEST(rows_of_matrices_without_columns_stay) {
  run_everywhere(single_of(Opcode::k_lu, {{1, 2, 0}}, {{1, 2, 2}, {1, 2, 0}, {1, 0, 0}}, {1, 2, 0}), {},
                 [](const Outcome& o) {
                   EXPECT(values_of<float>(o.buffers[1]) == (Floats{1, 0, 0, 1}));
                 });
}

// A turn by an angle is the exponential of a matrix; of halves of it as often as the norm asks for.
TEST(matrix_exp_turns) {
  Floats x;
  for (int angle = 0; angle < 50; ++angle) {
    const float a = static_cast<float>(angle) / 2;
    x.insert(x.end(), {0, -a, a, 0});
  }
  run_everywhere(
      single_of(Opcode::k_matrixExp, {{50, 2, 2}}, {{50, 2, 2}}, {50, 2}), {bytes_of(x)}, [&](const Outcome& o) {
        const Floats y = values_of<float>(o.buffers[1]);
        double worst = 0;
        for (size_t i = 0; i < 50; ++i) {
          const double a = x[i * 4 + 2];
          worst = std::max({worst, std::fabs(y[i * 4] - std::cos(a)), std::fabs(y[i * 4 + 2] - std::sin(a))});
        }
        EXPECT(worst < 1e-7);
      });
}

TEST(solve_gives_the_right_hand_side_back) {
  constexpr int32_t kBatch = 40, n = 9, columns = 3;
  Floats a = numbers(kBatch * n * n);
  for (int64_t i = 0; i < kBatch * n; ++i) a[i * n + i % n] += 12;
  const Floats b = numbers(kBatch * n * columns);
  run_everywhere(
      single_of(Opcode::k_solve, {{kBatch, n, n}, {kBatch, n, columns}}, {{kBatch, n, columns}}, {kBatch, n, columns}),
      {bytes_of(a), bytes_of(b)}, [&](const Outcome& o) {
        const Floats x = values_of<float>(o.buffers[2]);
        expect_product(
            b, kBatch, n, n, columns, [&](int64_t m, int64_t i, int64_t j) { return a[(m * n + i) * n + j]; },
            [&](int64_t m, int64_t i, int64_t j) { return x[(m * n + i) * columns + j]; });
      });
}

}  // namespace
}  // namespace galvani::test
