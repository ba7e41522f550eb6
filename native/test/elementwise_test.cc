// Elementwise groups through the executor, against what a plain loop gives.
#include <algorithm>
#include <cmath>
#include <utility>

#include "test/executor_testing.h"

namespace galvani::test {
namespace {

constexpr DType kFloat = DType::k_float32, kInt = DType::k_int32, kBool = DType::k_bool;

const std::vector<MicroWords> kAdd = {{MicroOp::k_add, kFloat, {0, 1}}};

// x[shape] + y read by `pattern`, for every way of reading and sizes around the block.
void check_pattern(const Words& shape, int64_t y_size, const Pattern& pattern) {
  int64_t size = 1;
  Words dense(shape.size());
  for (size_t axis = shape.size(); axis-- > 0;) {
    dense[axis] = static_cast<int32_t>(size);
    size *= shape[axis];
  }
  ProgramBuilder builder;
  const int32_t x = builder.input(kFloat, shape), y = builder.input(kFloat, {static_cast<int32_t>(y_size)});
  builder.instruction(Opcode::k_elementwise, {x, y}, {builder.result(kFloat, shape)},
                      elementwise(shape, {{0, dense}, pattern}, kAdd, {2}));
  const Floats a = random_floats(size, 1), b = random_floats(y_size, 2);
  Floats wanted(size);
  for (int64_t i = 0; i < size; ++i) {
    int64_t at = pattern.offset;
    for (size_t axis = 0; axis < shape.size(); ++axis) at += i / dense[axis] % shape[axis] * pattern.strides[axis];
    wanted[i] = a[i] + b[at];
  }
  run_everywhere(builder, {bytes_of(a), bytes_of(b)},
                 [&](const Outcome& outcome) { expect_floats(outcome.buffers[2], wanted); });
}

// x·row + column − scalar, and a comparison of the scalar with x, over rows that are short, a block and longer.
TEST(elementwise_reads_rows_columns_and_scalars_together) {
  for (const int32_t columns : {3, 255, 256, 1000, 2048, 5000}) {
    const int32_t rows = 37;
    const Words shape = {rows, columns};
    ProgramBuilder builder;
    const Words in = {builder.input(kFloat, shape), builder.input(kFloat, {columns}), builder.input(kFloat, {rows}),
                      builder.input(kFloat, {})};
    builder.instruction(Opcode::k_elementwise, in, {builder.result(kFloat, shape), builder.result(kBool, shape)},
                        elementwise(shape, {{0, {columns, 1}}, {0, {0, 1}}, {0, {1, 0}}, {0, {0, 0}}},
                                    {{MicroOp::k_mul, kFloat, {0, 1}},
                                     {MicroOp::k_add, kFloat, {2, 4}},
                                     {MicroOp::k_sub, kFloat, {5, 3}},
                                     {MicroOp::k_less, kFloat, {3, 0}}},
                                    {6, 7}));
    const Floats x = random_floats(int64_t{rows} * columns, 1), row = random_floats(columns, 2);
    const Floats column = random_floats(rows, 3), scalar = random_floats(1, 4);
    Floats sums(x.size());
    Bytes less(x.size());
    for (size_t i = 0; i < x.size(); ++i) {
      const float product = x[i] * row[i % columns], sum = column[i / columns] + product;
      sums[i] = sum - scalar[0];
      less[i] = scalar[0] < x[i];
    }
    run_everywhere(builder, {bytes_of(x), bytes_of(row), bytes_of(column), bytes_of(scalar)}, [&](const Outcome& o) {
      expect_floats(o.buffers[4], sums);
      EXPECT(o.buffers[5] == less);
    });
  }
}

// What no kernel takes as a scalar: both operands of a micro-op, the operand of a unary one, and a result.
TEST(elementwise_reads_scalars_that_need_a_block) {
  const int32_t n = 3000;
  ProgramBuilder builder;
  const Words in = {builder.input(kFloat, {n}), builder.input(kFloat, {}), builder.input(kFloat, {})};
  builder.instruction(Opcode::k_elementwise, in, {builder.result(kFloat, {n}), builder.result(kFloat, {n})},
                      elementwise({n}, {{0, {1}}, {0, {0}}, {0, {0}}},
                                  {{MicroOp::k_mul, kFloat, {1, 2}},
                                   {MicroOp::k_neg, kFloat, {1}},
                                   {MicroOp::k_add, kFloat, {3, 4}},
                                   {MicroOp::k_add, kFloat, {0, 5}}},
                                  {6, 2}));
  const Floats x = random_floats(n, 1);
  Floats wanted(x);
  for (float& value : wanted) value += 1.5f * 4.0f + -1.5f;
  run_everywhere(builder, {bytes_of(x), bytes_of(Floats{1.5f}), bytes_of(Floats{4.0f})}, [&](const Outcome& o) {
    expect_floats(o.buffers[3], wanted);
    expect_floats(o.buffers[4], Floats(n, 4.0f));
  });
}

TEST(elementwise_reads_dense) {
  for (const int32_t n : {0, 1, 2, 15, 16, 17, 2047, 2048, 2049, 5000, 300000}) check_pattern({n}, n + 3, {3, {1}});
}

TEST(elementwise_reads_scalars) {
  for (const int32_t n : {1, 100, 2049, 100001}) check_pattern({n}, 5, {4, {0}});
}

TEST(elementwise_reads_rows) {
  for (const int32_t columns : {2, 10, 1000, 2048, 2049, 5001}) check_pattern({61, columns}, columns + 1, {1, {0, 1}});
}

TEST(elementwise_reads_columns) {
  for (const int32_t columns : {2, 10, 1000, 2048, 5001}) check_pattern({61, columns}, 61, {0, {1, 0}});
  check_pattern({61, 300}, 122, {1, {2, 0}});
}

TEST(elementwise_reads_strided) {
  check_pattern({70, 90}, 6300, {0, {1, 70}});
  check_pattern({90}, 90, {89, {-1}});
  check_pattern({5, 7, 3, 11}, 1155, {0, {11, 165, 55, 1}});
  check_pattern({5, 7, 300}, 35 * 300, {0, {0, 600, 2}});
  check_pattern({2, 3, 2, 3, 2, 3, 2, 3}, 1296, {0, {1, 0, 2, 6, 18, 0, 36, 108}});
}

TEST(elementwise_reads_rows_of_two_lengths) {
  ProgramBuilder builder;
  const Words shape = {3, 4, 50};
  const int32_t row = builder.input(kFloat, {50}), plane = builder.input(kFloat, {4, 50});
  builder.instruction(Opcode::k_elementwise, {row, plane}, {builder.result(kFloat, shape)},
                      elementwise(shape, {{0, {0, 0, 1}}, {0, {0, 50, 1}}}, kAdd, {2}));
  const Floats a = random_floats(50, 1), b = random_floats(200, 2);
  Floats wanted(600);
  for (int i = 0; i < 600; ++i) wanted[i] = a[i % 50] + b[i % 200];
  run_everywhere(builder, {bytes_of(a), bytes_of(b)}, [&](const Outcome& o) { expect_floats(o.buffers[2], wanted); });
}

// A program of random micro-ops, interpreted here one element at a time. The operations are exact, so the bits agree.
class RandomGroup {
 public:
  RandomGroup(uint64_t seed, int32_t size) : random_(seed), size_(size) {
    const int64_t operands = 1 + random_.below(4);
    for (int64_t i = 0; i < operands; ++i) add_operand();
    const int64_t steps = 1 + random_.below(12);
    for (int64_t i = 0; i < steps; ++i) add_step();
  }

  void check() {
    Words results, outputs;
    const int64_t count = 1 + random_.below(4);
    for (int64_t i = 0; i < count; ++i) {
      results.push_back(static_cast<int32_t>(random_.below(static_cast<int64_t>(dtypes_.size()))));
      outputs.push_back(place_output(results.back()));
    }
    builder_.instruction(Opcode::k_elementwise, in_, outputs, elementwise({size_}, patterns_, code_, results));
    Words copies;
    for (const int32_t result : results) copies.push_back(builder_.result(dtypes_[result], {size_}));
    for (int64_t i = 0; i < count; ++i) {
      builder_.instruction(Opcode::k_copy, {outputs[i]}, {copies[i]}, view({size_}, 0, {1}));
    }
    run_everywhere(builder_, contents_, [&](const Outcome& outcome) {
      EXPECT(outcome.has_run);
      for (int64_t i = 0; i < count; ++i) expect_register(outcome.buffers[contents_.size() + i], results[i]);
    });
  }

 private:
  // An operand in the arena, so that an output may take its place.
  void add_operand() {
    const DType dtype = random_.below(3) == 0 ? kInt : kFloat;
    const bool is_scalar = random_.below(4) == 0;
    const int32_t n = is_scalar ? 1 : size_;
    Ints values(n);
    for (int32_t& value : values) value = static_cast<int32_t>(random_.below(2000)) - 1000;
    contents_.push_back(dtype == kInt ? bytes_of(values) : bytes_of(Floats(values.begin(), values.end())));
    slots_.push_back(builder_.arena_blocks);
    const int32_t x = builder_.input(dtype, {n}), slot = builder_.scratch(dtype, {n});
    builder_.instruction(Opcode::k_copy, {x}, {slot}, view({n}, 0, {1}));
    in_.push_back(slot);
    patterns_.push_back({0, {is_scalar ? 0 : 1}});
    std::vector<double> column(size_);
    for (int32_t i = 0; i < size_; ++i) column[i] = values[is_scalar ? 0 : i];
    add_register(dtype, std::move(column));
  }

  void add_register(DType dtype, std::vector<double> column) {
    dtypes_.push_back(dtype);
    columns_.push_back(std::move(column));
  }

  int32_t pick(DType dtype) {
    for (;;) {
      const auto i = static_cast<int32_t>(random_.below(static_cast<int64_t>(dtypes_.size())));
      if (dtypes_[i] == dtype) return i;
    }
  }

  bool has(DType dtype) const { return std::find(dtypes_.begin(), dtypes_.end(), dtype) != dtypes_.end(); }

  // Values stay small integers, which every dtype but the bytes holds exactly: each step takes the remainder by 1024.
  void add_step() {
    const DType dtype = has(kInt) && (random_.below(3) == 0 || !has(kFloat)) ? kInt : kFloat;
    const int32_t a = pick(dtype), b = pick(dtype);
    switch (random_.below(7)) {
      case 0:
        return add(MicroOp::k_maximum, dtype, {a, b}, dtype,
                   [](double x, double y, double) { return std::fmax(x, y); });
      case 1:
        return add(MicroOp::k_minimum, dtype, {a, b}, dtype,
                   [](double x, double y, double) { return std::fmin(x, y); });
      case 2: return add(MicroOp::k_neg, dtype, {a}, dtype, [](double x, double, double) { return -x; });
      case 3: return add(MicroOp::k_abs, dtype, {a}, dtype, [](double x, double, double) { return std::fabs(x); });
      case 4:
        return add(MicroOp::k_less, dtype, {a, b}, kBool, [](double x, double y, double) { return x < y ? 1.0 : 0.0; });
      case 5:
        return add(MicroOp::k_cast, dtype, {a}, dtype == kInt ? kFloat : kInt,
                   [](double x, double, double) { return x; });
      default:
        if (!has(kBool)) return;
        return add(MicroOp::k_where, dtype, {pick(kBool), a, b}, dtype,
                   [](double c, double x, double y) { return c != 0 ? x : y; });
    }
  }

  template <typename Rule>
  void add(MicroOp op, DType dtype, const Words& args, DType result, Rule rule) {
    code_.push_back({op, dtype, args, op == MicroOp::k_cast ? result : DType::count});
    std::vector<double> column(size_);
    const auto arg = [&](size_t k, int32_t i) { return k < args.size() ? columns_[args[k]][i] : 0; };
    for (int32_t i = 0; i < size_; ++i) column[i] = rule(arg(0, i), arg(1, i), arg(2, i));
    add_register(result, std::move(column));
  }

  // Over an operand of the same size that no other output has taken, or in a place of its own.
  int32_t place_output(int32_t result) {
    const size_t i = random_.below(static_cast<int64_t>(in_.size()));
    const bool fits = patterns_[i].strides[0] == 1 && dtypes_[result] != kBool && slots_[i] >= 0 && size_ > 1;
    if (!fits || random_.below(4) == 0) return builder_.scratch(dtypes_[result], {size_});
    return builder_.value(dtypes_[result], Place::k_arena, std::exchange(slots_[i], -1), {size_});
  }

  void expect_register(const Bytes& actual, int32_t result) const {
    for (int32_t i = 0; i < size_; ++i) {
      const double value = dtypes_[result] == kFloat ? values_of_at<float>(actual, i)
                           : dtypes_[result] == kInt ? values_of_at<int32_t>(actual, i)
                                                     : values_of_at<uint8_t>(actual, i);
      EXPECT_EQ(value, columns_[result][i]);
    }
  }

  template <typename T>
  static double values_of_at(const Bytes& bytes, int32_t i) {
    T value;
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
    return value;
  }

  Random random_;
  int32_t size_;
  ProgramBuilder builder_;
  std::vector<Bytes> contents_;
  Words in_, slots_;
  std::vector<Pattern> patterns_;
  std::vector<MicroWords> code_;
  std::vector<DType> dtypes_;                 // by register
  std::vector<std::vector<double>> columns_;  // by register: its elements
};

TEST(elementwise_runs_random_groups) {
  for (uint64_t seed = 0; seed < 300; ++seed) RandomGroup(seed, seed % 10 == 0 ? 4100 : 37).check();
}

// Two operands change places: each output is written over the operand that the other one still reads.
TEST(elementwise_swaps_in_place) {
  constexpr int32_t kSize = 5000;
  ProgramBuilder builder;
  const int32_t a = builder.state(kFloat, {kSize}), b = builder.state(kFloat, {kSize});
  const int32_t new_a = builder.value(kFloat, Place::k_state, 0, {kSize}),
                new_b = builder.value(kFloat, Place::k_state, 1, {kSize});
  const std::vector<MicroWords> code = {{MicroOp::k_neg, kFloat, {1}}};
  builder.instruction(Opcode::k_elementwise, {a, b}, {new_a, new_b},
                      elementwise({kSize}, {{0, {1}}, {0, {1}}}, code, {2, 0}));
  const Floats x = random_floats(kSize, 1), y = random_floats(kSize, 2);
  Floats minus_y = y;
  for (float& value : minus_y) value = -value;
  for (const bool has_new_states : {false, true}) {
    for_each_table([&](const KernelTable& table) {
      const Outcome outcome = run(builder.words(), {}, {bytes_of(x), bytes_of(y)}, table, 2, has_new_states);
      expect_floats(outcome.buffers[2], minus_y);
      expect_floats(outcome.buffers[3], x);
      if (has_new_states) expect_floats(outcome.buffers[0], x);
    });
  }
}

}  // namespace
}  // namespace galvani::test
