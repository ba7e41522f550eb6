// Programs through the executor, against what a plain loop gives.
#include <algorithm>
#include <cmath>

#include "test/executor_testing.h"

namespace galvani::test {
namespace {

constexpr DType kFloat = DType::k_float32, kInt = DType::k_int32, kByte = DType::k_uint8;

void expect_ints(const Bytes& actual, const Ints& wanted) { EXPECT(values_of<int32_t>(actual) == wanted); }

const std::vector<MicroWords> kAdd = {{MicroOp::k_add, kFloat, {0, 1}}};

TEST(copy_reads_views) {
  const auto check = [](const Words& shape, int32_t x_size, const Pattern& pattern, DType dtype) {
    int64_t size = 1;
    for (const int32_t extent : shape) size *= extent;
    ProgramBuilder builder;
    const int32_t x = builder.input(dtype, {x_size});
    builder.instruction(Opcode::k_copy, {x}, {builder.result(dtype, {static_cast<int32_t>(size)})},
                        view(shape, pattern.offset, pattern.strides));
    Bytes from(x_size * element_bytes(dtype));
    for (size_t i = 0; i < from.size(); ++i) from[i] = static_cast<uint8_t>(i * 31 + i / 256);
    Bytes wanted;
    for (int64_t i = 0; i < size; ++i) {
      int64_t at = pattern.offset, rest = i;
      for (size_t axis = shape.size(); axis-- > 0; rest /= shape[axis]) {
        at += rest % shape[axis] * pattern.strides[axis];
      }
      const auto first = from.begin() + at * element_bytes(dtype);
      wanted.insert(wanted.end(), first, first + element_bytes(dtype));
    }
    run_everywhere(builder, {from}, [&](const Outcome& o) { EXPECT(o.buffers[1] == wanted); });
  };
  for (const DType dtype : {kFloat, kByte}) {
    check({}, 3, {2, {}}, dtype);
    check({0, 4}, 3, {9, {4, 1}}, dtype);
    check({100000}, 100007, {7, {1}}, dtype);
    check({300, 200}, 60000, {0, {1, 300}}, dtype);
    check({4, 3, 50}, 600, {599, {-150, -50, -1}}, dtype);
    check({40, 1, 500}, 500, {0, {0, 77, 1}}, dtype);
  }
}

TEST(pad_places_a_view_among_zeros) {
  const auto check = [](const Words& shape, const Pattern& pattern, int32_t out_size) {
    int64_t size = 1;
    for (const int32_t extent : shape) size *= extent;
    ProgramBuilder builder;
    const int32_t x = builder.input(kFloat, shape);
    builder.instruction(Opcode::k_pad, {x}, {builder.result(kFloat, {out_size})},
                        view(shape, pattern.offset, pattern.strides));
    const Floats from = random_floats(size);
    Floats wanted(out_size, 0);
    for (int64_t i = 0; i < size; ++i) {
      int64_t at = pattern.offset, rest = i;
      for (size_t axis = shape.size(); axis-- > 0; rest /= shape[axis]) {
        at += rest % shape[axis] * pattern.strides[axis];
      }
      wanted[at] = from[i];
    }
    run_everywhere(builder, {bytes_of(from)}, [&](const Outcome& o) { expect_floats(o.buffers[1], wanted); });
  };
  check({}, {1, {}}, 4);
  check({0}, {0, {1}}, 4);
  check({2, 3}, {5, {4, 1}}, 16);
  check({3, 5}, {0, {1, 3}}, 15);
  check({10, 20}, {3, {60, 3}}, 700);
  check({300, 200}, {211, {210, 1}}, 65000);
  check({7}, {6, {-1}}, 7);
}

TEST(concat_joins_rows) {
  const auto check = [](int32_t outer, const Words& inners) {
    ProgramBuilder builder;
    Words in;
    std::vector<Bytes> contents;
    int32_t inner = 0;
    for (const int32_t n : inners) {
      in.push_back(builder.input(kFloat, {outer, n}));
      contents.push_back(bytes_of(random_floats(static_cast<int64_t>(outer) * n, in.size())));
      inner += n;
    }
    builder.instruction(Opcode::k_concat, in, {builder.result(kFloat, {outer, inner})}, Words{outer} + list(inners));
    Floats wanted;
    for (int32_t row = 0; row < outer; ++row) {
      for (size_t i = 0; i < inners.size(); ++i) {
        const Floats x = values_of<float>(contents[i]);
        wanted.insert(wanted.end(), x.begin() + row * inners[i], x.begin() + (row + 1) * inners[i]);
      }
    }
    run_everywhere(builder, contents, [&](const Outcome& o) { expect_floats(o.buffers[inners.size()], wanted); });
  };
  check(1, {3});
  check(4, {1, 0, 2});
  check(0, {1, 2});
  check(3, {0, 0});
  check(500, {1, 70, 3, 129});
  check(1, {100000, 1, 50000});
}

// Sums of small integers are exact in whatever order they are taken.
TEST(reduce_sums_and_finds_extremes) {
  const auto check = [](int32_t outer, int32_t reduced, int32_t inner) {
    const int64_t size = static_cast<int64_t>(outer) * reduced * inner;
    Random random(size);
    Ints values(size);
    for (int32_t& value : values) value = static_cast<int32_t>(random.below(15)) - 7;
    for (const Reduction kind : {Reduction::k_sum, Reduction::k_max, Reduction::k_min}) {
      Ints wanted(outer * inner, kind == Reduction::k_sum ? 0 : kind == Reduction::k_max ? INT32_MIN : INT32_MAX);
      for (int64_t i = 0; i < size; ++i) {
        int32_t& out = wanted[i / inner / reduced * inner + i % inner];
        out = kind == Reduction::k_sum   ? out + values[i]
              : kind == Reduction::k_max ? std::max(out, values[i])
                                         : std::min(out, values[i]);
      }
      for (const DType dtype : {kFloat, kInt}) {
        if (reduced == 0 && dtype == kFloat) continue;
        ProgramBuilder builder;
        const int32_t x = builder.input(dtype, {outer, reduced, inner});
        builder.instruction(Opcode::k_reduce, {x}, {builder.result(dtype, {outer, inner})},
                            {number(kind), outer, reduced, inner});
        const Bytes from = dtype == kInt ? bytes_of(values) : bytes_of(Floats(values.begin(), values.end()));
        run_everywhere(builder, {from}, [&](const Outcome& o) {
          if (dtype == kInt) return expect_ints(o.buffers[1], wanted);
          expect_floats(o.buffers[1], Floats(wanted.begin(), wanted.end()));
        });
      }
    }
  };
  check(1, 1, 1);
  check(3, 0, 2);
  check(0, 5, 2);
  check(7, 33, 1);
  check(2, 129, 70);
  check(1, 300001, 1);
  check(2, 100000, 3);
  check(1, 200, 5000);
  check(1000, 100, 1);
}

TEST(reduce_of_parts_keeps_a_nan) {
  Floats x(200000, 1.0f);
  x[150000] = NAN;
  for (const Reduction kind : {Reduction::k_sum, Reduction::k_max, Reduction::k_min}) {
    ProgramBuilder builder;
    builder.instruction(Opcode::k_reduce, {builder.input(kFloat, {200000})}, {builder.result(kFloat, {})},
                        {number(kind), 1, 200000, 1});
    run_everywhere(builder, {bytes_of(x)}, [&](const Outcome& o) { expect_floats(o.buffers[1], {NAN}); });
  }
}

TEST(argmax_finds_the_first_greatest) {
  ProgramBuilder builder;
  constexpr int32_t kRows = 5000, kColumns = 11;
  const int32_t x = builder.input(kInt, {kRows, kColumns});
  builder.instruction(Opcode::k_argmax, {x}, {builder.result(kInt, {kRows})}, {kRows, kColumns, 1});
  Random random(3);
  Ints values(kRows * kColumns), wanted(kRows);
  for (int32_t& value : values) value = static_cast<int32_t>(random.below(4));
  for (int32_t row = 0; row < kRows; ++row) {
    const auto first = values.begin() + row * kColumns;
    wanted[row] = static_cast<int32_t>(std::max_element(first, first + kColumns) - first);
  }
  run_everywhere(builder, {bytes_of(values)}, [&](const Outcome& o) { expect_ints(o.buffers[1], wanted); });
}

void check_matmul(int32_t batch, int32_t m, int32_t n, int32_t k, bool transpose_a, bool transpose_b, bool has_bias) {
  ProgramBuilder builder;
  const int32_t a = builder.input(kFloat, {batch, m, k}), b = builder.input(kFloat, {batch, k, n});
  const int32_t bias = builder.input(kFloat, {n});
  builder.instruction(Opcode::k_matmul, has_bias ? Words{a, b, bias} : Words{a, b},
                      {builder.result(kFloat, {batch, m, n})},
                      matmul(batch, m, n, k, {0, m * k, transpose_a ? m : k, transpose_a},
                             {0, k * n, transpose_b ? k : n, transpose_b}, Activation::k_relu));
  const Floats x = random_floats(batch * m * k, 1), y = random_floats(batch * k * n, 2), z = random_floats(n, 3);
  Floats wanted(batch * m * n);
  for (int32_t i = 0; i < batch * m * n; ++i) {
    const int32_t which = i / (m * n), row = i / n % m, column = i % n;
    double sum = has_bias ? z[column] : 0;
    for (int32_t p = 0; p < k; ++p) {
      const float from_a = x[which * m * k + (transpose_a ? p * m + row : row * k + p)];
      sum += static_cast<double>(from_a) * y[which * k * n + (transpose_b ? column * k + p : p * n + column)];
    }
    wanted[i] = static_cast<float>(std::fmax(sum, 0));
  }
  run_everywhere(builder, {bytes_of(x), bytes_of(y), bytes_of(z)},
                 [&](const Outcome& o) { expect_floats(o.buffers[3], wanted, 1e-5 * std::sqrt(k + 1.0)); });
}

TEST(matmul_multiplies) {
  for (const bool transpose_a : {false, true}) {
    for (const bool transpose_b : {false, true}) {
      check_matmul(1, 1, 1, 1, transpose_a, transpose_b, false);
      check_matmul(1, 5, 7, 3, transpose_a, transpose_b, true);
      check_matmul(3, 33, 18, 40, transpose_a, transpose_b, false);
      check_matmul(1, 130, 140, 260, transpose_a, transpose_b, true);
      check_matmul(2, 4, 5, 0, transpose_a, transpose_b, true);
      check_matmul(1, 0, 5, 3, transpose_a, transpose_b, false);
    }
  }
}

TEST(gather_selects_rows) {
  for (const int32_t row_size : {0, 1, 3, 50}) {
    for (const DType dtype : {kFloat, kByte}) {
      ProgramBuilder builder;
      constexpr int32_t kRows = 9, kCount = 5000;
      const int32_t x = builder.input(dtype, {kRows, row_size}), indices = builder.input(kInt, {kCount});
      builder.instruction(Opcode::k_gather, {x, indices}, {builder.result(dtype, {kCount, row_size})},
                          {kRows, row_size, kCount});
      const int64_t row_bytes = row_size * element_bytes(dtype);
      Random random(4);
      Bytes from(kRows * row_bytes), wanted;
      for (uint8_t& byte : from) byte = static_cast<uint8_t>(random.next());
      Ints chosen(kCount);
      for (int32_t& index : chosen) {
        index = static_cast<int32_t>(random.below(kRows));
        wanted.insert(wanted.end(), from.begin() + index * row_bytes, from.begin() + (index + 1) * row_bytes);
      }
      run_everywhere(builder, {from, bytes_of(chosen)}, [&](const Outcome& o) { EXPECT(o.buffers[2] == wanted); });
    }
  }
}

TEST(scatter_add_sums_rows) {
  for (const int32_t row_size : {1, 3, 300}) {
    for (const DType dtype : {kFloat, kInt}) {
      ProgramBuilder builder;
      constexpr int32_t kRows = 40, kCount = 3000;
      const int32_t x = builder.input(dtype, {kRows, row_size}), indices = builder.input(kInt, {kCount});
      const int32_t updates = builder.input(dtype, {kCount, row_size});
      builder.instruction(Opcode::k_scatterAdd, {x, indices, updates}, {builder.result(dtype, {kRows, row_size})},
                          {kRows, row_size, kCount});
      Random random(5);
      Ints start(kRows * row_size), chosen(kCount), added(kCount * row_size);
      for (int32_t& value : start) value = static_cast<int32_t>(random.below(9));
      for (int32_t& value : added) value = static_cast<int32_t>(random.below(9));
      Ints wanted = start;
      for (int32_t i = 0; i < kCount; ++i) {
        chosen[i] = static_cast<int32_t>(random.below(kRows));
        for (int32_t j = 0; j < row_size; ++j) wanted[chosen[i] * row_size + j] += added[i * row_size + j];
      }
      const auto typed = [&](const Ints& v) {
        return dtype == kInt ? bytes_of(v) : bytes_of(Floats(v.begin(), v.end()));
      };
      run_everywhere(builder, {typed(start), bytes_of(chosen), typed(added)},
                     [&](const Outcome& o) { EXPECT(o.buffers[3] == typed(wanted)); });
    }
  }
}

TEST(softmax_rows_sum_to_one) {
  constexpr int32_t kRows = 3000, kColumns = 10;
  const Floats x = random_floats(kRows * kColumns);
  for (const Opcode opcode : {Opcode::k_softmax, Opcode::k_logSoftmax}) {
    ProgramBuilder builder;
    builder.instruction(opcode, {builder.input(kFloat, {kRows, kColumns})}, {builder.result(kFloat, {kRows, kColumns})},
                        {kRows, kColumns});
    run_everywhere(builder, {bytes_of(x)}, [&](const Outcome& o) {
      const Floats y = values_of<float>(o.buffers[1]);
      for (int32_t row = 0; row < kRows; ++row) {
        double sum = 0;
        for (int32_t i = row * kColumns; i < (row + 1) * kColumns; ++i) {
          sum += opcode == Opcode::k_softmax ? y[i] : std::exp(y[i]);
        }
        EXPECT_NEAR(sum, 1, 1e-5);
      }
    });
  }
}

TEST(empty_rows_are_no_work) {
  ProgramBuilder builder;
  const int32_t x = builder.input(kFloat, {0x7fffffff, 0});
  builder.instruction(Opcode::k_softmax, {x}, {builder.result(kFloat, {0})}, {0x7fffffff, 0});
  run_everywhere(builder, {{}}, [](const Outcome& outcome) { EXPECT(outcome.has_run); });
}

ProgramBuilder cross_entropy(int32_t rows, int32_t columns) {
  ProgramBuilder builder;
  const int32_t logits = builder.input(kFloat, {rows, columns}), labels = builder.input(kInt, {rows});
  const int32_t state = builder.state(kFloat, {}), updated = builder.value(kFloat, Place::k_state, 0, {});
  const int32_t losses = builder.result(kFloat, {rows}), gradient = builder.result(kFloat, {rows, columns});
  builder.instruction(Opcode::k_softmaxCrossEntropy, {logits, labels}, {losses, gradient}, {rows, columns});
  builder.instruction(Opcode::k_elementwise, {state}, {updated},
                      elementwise({}, {{0, {}}}, {{MicroOp::k_neg, kFloat, {0}}}, {1}));
  return builder;
}

TEST(cross_entropy_of_equal_logits) {
  const ProgramBuilder builder = cross_entropy(2, 4);
  run_everywhere(builder, {bytes_of(Floats(8, 3)), bytes_of(Ints{0, 3}), bytes_of(Floats{5})}, [](const Outcome& o) {
    expect_floats(o.buffers[4], Floats(2, std::log(4.0f)), 1e-6);
    expect_floats(o.buffers[5], {-0.75f, 0.25f, 0.25f, 0.25f, 0.25f, 0.25f, 0.25f, -0.75f}, 1e-6);
    expect_floats(o.buffers[3], {-5});
  });
}

TEST(a_bad_label_ends_the_run_before_any_state_is_written) {
  for (const int32_t label : {-1, 4, INT32_MIN, INT32_MAX}) {
    for_each_table([&](const KernelTable& table) {
      const Outcome o =
          run(cross_entropy(3, 4).words(), {},
              {bytes_of(Floats(12, 3)), bytes_of(Ints{0, label, 9}), bytes_of(Floats{5})}, table, 2, false);
      EXPECT(!o.has_run);
      EXPECT_EQ(o.failure.instruction, 0);
      EXPECT_EQ(o.failure.position, 1);
      EXPECT_EQ(o.failure.value, label);
      EXPECT_EQ(o.failure.limit, 4);
      expect_floats(o.buffers[3], {5});
    });
  }
}

TEST(a_bad_index_ends_the_run) {
  for (const Opcode opcode : {Opcode::k_gather, Opcode::k_scatterAdd}) {
    ProgramBuilder builder;
    const int32_t x = builder.input(kFloat, {5, 2}), indices = builder.input(kInt, {3}),
                  updates = builder.input(kFloat, {3, 2});
    const bool is_gather = opcode == Opcode::k_gather;
    builder.instruction(opcode, is_gather ? Words{x, indices} : Words{x, indices, updates},
                        {builder.result(kFloat, {is_gather ? 3 : 5, 2})}, {5, 2, 3});
    const Outcome o = run(builder.words(), {}, {bytes_of(Floats(10, 1)), bytes_of(Ints{4, 0, 5})}, kBaselineKernels, 1);
    EXPECT(!o.has_run);
    EXPECT_EQ(o.failure.position, 2);
    EXPECT_EQ(o.failure.value, 5);
    EXPECT_EQ(o.failure.limit, 5);
  }
}

TEST(a_value_out_of_range_ends_the_run) {
  ProgramBuilder builder;
  const int32_t x = builder.input(kByte, {4}), tested = builder.input(kFloat, {3});
  builder.instruction(Opcode::k_demand, {x, tested}, {builder.result(kByte, {4})}, Words{4, 3} + real(0) + real(1));
  const auto with = [&](const Floats& values) {
    return run(builder.words(), {}, {std::vector<uint8_t>{1, 2, 3, 4}, bytes_of(values)}, kBaselineKernels, 1);
  };
  EXPECT(with(Floats{0, 0.5f, 1}).has_run);
  const Outcome above = with(Floats{0, 1, 1.5f});
  EXPECT(!above.has_run);
  EXPECT_EQ(above.failure.position, 2);
  EXPECT_EQ(above.failure.value, 1.5);
  const Outcome no_number = with(Floats{NAN, 1, -1});
  EXPECT(!no_number.has_run);
  EXPECT_EQ(no_number.failure.position, 0);
}

TEST(random_numbers_do_not_depend_on_the_split) {
  ProgramBuilder builder;
  constexpr int32_t kSize = 100003;
  builder.instruction(Opcode::k_random, {builder.input(kInt, {2})}, {builder.result(kFloat, {kSize})}, {0});
  run_everywhere(builder, {bytes_of(Ints{1, 2})}, [](const Outcome& o) {
    double sum = 0;
    for (const float x : values_of<float>(o.buffers[1])) {
      EXPECT(x >= 0 && x < 1);
      sum += x;
    }
    EXPECT_NEAR(sum / kSize, 0.5, 0.01);
  });
}

TEST(updates_follow_their_formulas) {
  constexpr int32_t kSize = 40003;
  const Floats p = random_floats(kSize, 1), g = random_floats(kSize, 2), m = random_floats(kSize, 3);
  Floats v = random_floats(kSize, 4);
  for (float& x : v) x = std::fabs(x);
  const double rate = 0.01f, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, decay = 0.1;
  const int step = 3;
  ProgramBuilder builder;
  Words old;
  for (int i = 0; i < 3; ++i) old.push_back(builder.state(kFloat, {kSize}));
  const int32_t gradient = builder.input(kFloat, {kSize}), learning_rate = builder.input(kFloat, {}),
                count = builder.input(kFloat, {});
  Words updated;
  for (int i = 0; i < 3; ++i) updated.push_back(builder.value(kFloat, Place::k_state, i, {kSize}));
  builder.instruction(Opcode::k_adam, {old[0], gradient, old[1], old[2], learning_rate, count}, updated,
                      Words{kSize} + real(beta1) + real(beta2) + real(epsilon) + real(decay));
  Floats new_p(kSize), new_m(kSize), new_v(kSize);
  for (int32_t i = 0; i < kSize; ++i) {
    const double first = beta1 * m[i] + (1 - beta1) * g[i], second = beta2 * v[i] + (1 - beta2) * g[i] * g[i];
    new_m[i] = static_cast<float>(first);
    new_v[i] = static_cast<float>(second);
    new_p[i] =
        static_cast<float>(p[i] * (1 - rate * decay) - rate / (1 - std::pow(beta1, step)) * first /
                                                           (std::sqrt(second / (1 - std::pow(beta2, step))) + epsilon));
  }
  const std::vector<Bytes> contents = {
      bytes_of(g), bytes_of(Floats{0.01f}), bytes_of(Floats{step}), bytes_of(p), bytes_of(m), bytes_of(v)};
  run_everywhere(builder, contents, [&](const Outcome& o) {
    expect_floats(o.buffers[6], new_p, 2e-6);
    expect_floats(o.buffers[7], new_m, 1e-6);
    expect_floats(o.buffers[8], new_v, 1e-6);
    expect_floats(o.buffers[3], p);
  });
}

TEST(literals_are_the_programs_own) {
  ProgramBuilder builder;
  const int32_t x = builder.input(kFloat, {3}), one = builder.literal<float>(kFloat, {}, {1}),
                y = builder.literal<float>(kFloat, {3}, {10, 20, 30});
  const int32_t sum = builder.scratch(kFloat, {3});
  builder.instruction(Opcode::k_elementwise, {x, one}, {sum}, elementwise({3}, {{0, {1}}, {0, {0}}}, kAdd, {2}));
  builder.instruction(Opcode::k_elementwise, {sum, y}, {builder.result(kFloat, {3})},
                      elementwise({3}, {{0, {1}}, {0, {1}}}, kAdd, {2}));
  run_everywhere(builder, {bytes_of(Floats{1, 2, 3})}, [](const Outcome& o) {
    expect_floats(o.buffers[1], {12, 23, 34});
  });
}

TEST(executables_share_an_arena_and_outlive_each_other) {
  SharedBlock memory;
  std::string error;
  const auto make = [&](int32_t size) {
    ProgramBuilder builder;
    const int32_t x = builder.input(kFloat, {size}), y = builder.scratch(kFloat, {size});
    const std::vector<MicroWords> neg = {{MicroOp::k_neg, kFloat, {0}}};
    builder.instruction(Opcode::k_elementwise, {x}, {y}, elementwise({size}, {{0, {1}}}, neg, {1}));
    builder.instruction(Opcode::k_elementwise, {y}, {builder.result(kFloat, {size})},
                        elementwise({size}, {{0, {1}}}, neg, {1}));
    return prepare(builder.words(), {}, kBaselineKernels, memory, 1, &error);
  };
  const auto check = [](Executable& executable, int32_t size) {
    Floats x = random_floats(size), y(size);
    void* buffers[] = {x.data(), y.data()};
    Failure failure;
    EXPECT(executable.run(buffers, pool_of(1), &failure));
    EXPECT(x == y);
  };
  auto small = make(10), large = make(100000);
  check(*small, 10);
  check(*large, 100000);
  large.reset();
  check(*small, 10);
}

bool is_shared(const SharedBlock::Room& a, const SharedBlock::Room& b) {
  const Block* const block = a.block().get();
  return block == b.block().get();
}

TEST(an_arena_is_as_large_as_the_one_that_needs_most) {
  constexpr int64_t kMebibyte = int64_t{1} << 20;
  SharedBlock memory;
  EXPECT_EQ(memory.bytes(), 0);
  auto small = memory.reserve(kMebibyte);
  const std::shared_ptr<Block> before = small->block();
  auto large = memory.reserve(9 * kMebibyte), other = memory.reserve(3 * kMebibyte / 2);
  EXPECT_EQ(memory.bytes(), 9 * kMebibyte);
  // A run goes on with what it has, and the next one takes the larger one.
  EXPECT_EQ(before->bytes(), kMebibyte);
  EXPECT(is_shared(*small, *large));
  EXPECT_EQ(before.use_count(), 1);
  large.reset();
  EXPECT_EQ(memory.bytes(), 3 * kMebibyte / 2);
  EXPECT(is_shared(*small, *other));
  // Not worth another block.
  other.reset();
  EXPECT_EQ(memory.bytes(), 3 * kMebibyte / 2);
  small.reset();
  EXPECT_EQ(memory.bytes(), 0);
}

TEST(a_run_in_the_midst_of_another_has_memory_of_its_own) {
  SharedBlock memory;
  auto large = memory.reserve(5000), small = memory.reserve(1000);
  const std::shared_ptr<Block> outer = large->block();
  std::shared_ptr<Block> inner = small->block();
  EXPECT(inner != outer);
  EXPECT_EQ(inner->bytes(), 1000);
  const Block* const first = inner.get();
  inner.reset();
  EXPECT(small->block().get() == first);
  EXPECT_EQ(large->block()->bytes(), 5000);
}

// Runs another program on the threads that it is lent, for as long as the log has room.
class Passing final : public ExecutionQueue::Task {
 public:
  Passing(Executable& executable, Floats& x, Floats& y, std::atomic<int>& runs)
      : executable_(executable), x_(x), y_(y), runs_(runs) {}
  void run(const ExecutionQueue::Turn& turn) override {
    void* buffers[] = {x_.data(), y_.data()};
    Failure failure;
    EXPECT(executable_.run(buffers, pool_of(2), &failure, {}, turn.threads));
    ++runs_;
  }
  void finish() override { delete this; }
  bool is_short() const override { return true; }
  bool depends_on(const Task&) const override { return false; }
  bool can_pass() override { return executable_.can_pass(); }

 private:
  Executable& executable_;
  Floats &x_, &y_;
  std::atomic<int>& runs_;
};

TEST(another_program_runs_between_the_instructions_of_a_program) {
  constexpr int32_t kSize = 100000;
  SharedBlock memory;
  std::string error;
  const auto make = [&](MicroOp op) {
    ProgramBuilder builder;
    const int32_t x = builder.input(kFloat, {kSize}), y = builder.scratch(kFloat, {kSize});
    builder.instruction(Opcode::k_elementwise, {x}, {y}, elementwise({kSize}, {{0, {1}}}, {{op, kFloat, {0}}}, {1}));
    builder.instruction(Opcode::k_elementwise, {y}, {builder.result(kFloat, {kSize})},
                        elementwise({kSize}, {{0, {1}}}, {{op, kFloat, {0}}}, {1}));
    return prepare(builder.words(), {}, kBaselineKernels, memory, 2, &error);
  };
  const auto outer = make(MicroOp::k_neg), inner = make(MicroOp::k_abs);
  Floats x = random_floats(kSize), magnitudes(kSize), y(kSize), z(kSize);
  for (int32_t i = 0; i < kSize; ++i) magnitudes[i] = std::fabs(x[i]);
  std::atomic<int> runs{0};

  class Outer final : public ExecutionQueue::Task {
   public:
    Outer(Executable& executable, Floats& x, Floats& y, const std::atomic<bool>& may_begin)
        : executable_(executable), x_(x), y_(y), may_begin_(may_begin) {}
    void run(const ExecutionQueue::Turn& turn) override {
      while (!may_begin_) std::this_thread::yield();
      void* buffers[] = {x_.data(), y_.data()};
      Failure failure;
      EXPECT(executable_.run(buffers, pool_of(2), &failure, {&turn.is_stopping, nullptr, turn.passing}));
    }
    void finish() override { delete this; }

   private:
    Executable& executable_;
    Floats &x_, &y_;
    const std::atomic<bool>& may_begin_;
  };
  std::atomic<bool> may_begin{false};
  ExecutionQueue queue;
  EXPECT(queue.submit(new Outer(*outer, x, y, may_begin)));
  EXPECT(queue.submit(new Passing(*inner, x, z, runs)));
  may_begin = true;
  queue.drain();
  EXPECT_EQ(runs.load(), 1);
  EXPECT(y == x);
  EXPECT(z == magnitudes);
}

TEST(a_program_may_get_more_threads_than_it_was_prepared_for) {
  ProgramBuilder builder;
  constexpr int32_t kSize = 200000;
  const int32_t x = builder.input(kFloat, {kSize}), y = builder.input(kFloat, {1});
  const std::vector<MicroWords> code = {
      {MicroOp::k_add, kFloat, {0, 1}}, {MicroOp::k_exp, kFloat, {2}}, {MicroOp::k_add, kFloat, {3, 2}}};
  builder.instruction(Opcode::k_elementwise, {x, y}, {builder.result(kFloat, {kSize})},
                      elementwise({kSize}, {{0, {1}}, {0, {0}}}, code, {4}));
  SharedBlock memory;
  std::string error;
  const auto executable = prepare(builder.words(), {}, kBaselineKernels, memory, 1, &error);
  Floats from = random_floats(kSize), one = {1}, alone(kSize), together(kSize);
  Failure failure;
  void* first[] = {from.data(), one.data(), alone.data()};
  void* second[] = {from.data(), one.data(), together.data()};
  EXPECT(executable->run(first, pool_of(1), &failure));
  EXPECT(executable->run(second, pool_of(4), &failure));
  EXPECT(alone == together);
}

TEST(a_program_that_is_to_stop_begins_no_further_instruction) {
  ProgramBuilder builder;
  const int32_t x = builder.input(kFloat, {4});
  builder.instruction(Opcode::k_elementwise, {x}, {builder.result(kFloat, {4})},
                      elementwise({4}, {{0, {1}}}, {{MicroOp::k_neg, kFloat, {0}}}, {1}));
  SharedBlock memory;
  std::string error;
  const auto executable = prepare(builder.words(), {}, kBaselineKernels, memory, 1, &error);
  Floats from = {1, 2, 3, 4}, to(4);
  Failure failure;
  void* buffers[] = {from.data(), to.data()};
  std::atomic<bool> is_stopping{true};
  EXPECT(executable->run(buffers, pool_of(1), &failure, {&is_stopping, nullptr}));
  EXPECT(to == Floats(4));
  is_stopping = false;
  EXPECT(executable->run(buffers, pool_of(1), &failure, {&is_stopping, nullptr}));
  EXPECT((to == Floats{-1, -2, -3, -4}));
}

TEST(a_run_that_is_aborted_fails_before_its_next_instruction) {
  ProgramBuilder builder;
  const int32_t x = builder.input(kFloat, {4});
  builder.instruction(Opcode::k_elementwise, {x}, {builder.result(kFloat, {4})},
                      elementwise({4}, {{0, {1}}}, {{MicroOp::k_neg, kFloat, {0}}}, {1}));
  SharedBlock memory;
  std::string error;
  const auto executable = prepare(builder.words(), {}, kBaselineKernels, memory, 1, &error);
  Floats from = {1, 2, 3, 4}, to(4);
  Failure failure = {};
  void* buffers[] = {from.data(), to.data()};
  const std::atomic<bool> is_aborted{true};
  EXPECT(!executable->run(buffers, pool_of(1), &failure, {nullptr, &is_aborted}));
  EXPECT(failure.instruction == kAborted);
  EXPECT(to == Floats(4));
}

TEST(a_program_larger_than_memory_is_refused) {
  ProgramBuilder builder;
  builder.arena_blocks = 0x7fffffff;
  builder.value(kFloat, Place::k_arena, 0, {0});
  const Words words = builder.words();
  SharedBlock memory;
  PrepareStatus status;
  std::string error;
  const int64_t physical = 0x7fffffffLL * 64;
  const auto executable = Executable::prepare(words.data(), static_cast<int64_t>(words.size()), nullptr, 0,
                                              kBaselineKernels, memory, 1, &status, &error);
  EXPECT(executable != nullptr || status == PrepareStatus::k_no_memory);
  EXPECT(executable != nullptr || error.find(std::to_string(physical)) != std::string::npos);
}

}  // namespace
}  // namespace galvani::test
