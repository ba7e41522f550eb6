// Programs through the executor, against what a plain loop gives.
#include <algorithm>
#include <cmath>
#include <utility>

#include "test/executor_testing.h"

namespace galvani::test {
namespace {

constexpr DType kFloat = DType::k_float32, kInt = DType::k_int32, kByte = DType::k_uint8, kBool = DType::k_bool;

using Floats = std::vector<float>;
using Ints = std::vector<int32_t>;

Floats random_floats(int64_t n, uint64_t seed = 1) {
  Random random(seed);
  Floats values(n);
  for (float& value : values) value = random.uniform(-2, 2);
  return values;
}

void expect_floats(const Bytes& actual, const Floats& wanted, double tolerance = 0) {
  const Floats values = values_of<float>(actual);
  EXPECT_EQ(values.size(), wanted.size());
  for (size_t i = 0; i < values.size() && i < wanted.size(); ++i) EXPECT_NEAR(values[i], wanted[i], tolerance);
}

void expect_ints(const Bytes& actual, const Ints& wanted) { EXPECT(values_of<int32_t>(actual) == wanted); }

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
  run_everywhere(builder, {bytes_of(a), bytes_of(b)}, [&](const Outcome& outcome) { expect_floats(outcome.buffers[2], wanted); });
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
    for (int64_t i = 0; i < count; ++i) builder_.instruction(Opcode::k_copy, {outputs[i]}, {copies[i]}, view({size_}, 0, {1}));
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
      case 0: return add(MicroOp::k_maximum, dtype, {a, b}, dtype, [](double x, double y, double) { return std::fmax(x, y); });
      case 1: return add(MicroOp::k_minimum, dtype, {a, b}, dtype, [](double x, double y, double) { return std::fmin(x, y); });
      case 2: return add(MicroOp::k_neg, dtype, {a}, dtype, [](double x, double, double) { return -x; });
      case 3: return add(MicroOp::k_abs, dtype, {a}, dtype, [](double x, double, double) { return std::fabs(x); });
      case 4: return add(MicroOp::k_less, dtype, {a, b}, kBool, [](double x, double y, double) { return x < y ? 1.0 : 0.0; });
      case 5:
        return add(MicroOp::k_cast, dtype, {a}, dtype == kInt ? kFloat : kInt, [](double x, double, double) { return x; });
      default:
        if (!has(kBool)) return;
        return add(MicroOp::k_where, dtype, {pick(kBool), a, b}, dtype, [](double c, double x, double y) { return c != 0 ? x : y; });
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
  const int32_t new_a = builder.value(kFloat, Place::k_state, 0, {kSize}), new_b = builder.value(kFloat, Place::k_state, 1, {kSize});
  const std::vector<MicroWords> code = {{MicroOp::k_neg, kFloat, {1}}};
  builder.instruction(Opcode::k_elementwise, {a, b}, {new_a, new_b}, elementwise({kSize}, {{0, {1}}, {0, {1}}}, code, {2, 0}));
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
      for (size_t axis = shape.size(); axis-- > 0; rest /= shape[axis]) at += rest % shape[axis] * pattern.strides[axis];
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
    builder.instruction(Opcode::k_pad, {x}, {builder.result(kFloat, {out_size})}, view(shape, pattern.offset, pattern.strides));
    const Floats from = random_floats(size);
    Floats wanted(out_size, 0);
    for (int64_t i = 0; i < size; ++i) {
      int64_t at = pattern.offset, rest = i;
      for (size_t axis = shape.size(); axis-- > 0; rest /= shape[axis]) at += rest % shape[axis] * pattern.strides[axis];
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
    builder.instruction(Opcode::k_concat, in, {builder.result(kFloat, {outer, inner})}, Words{outer} + inners);
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
        out = kind == Reduction::k_sum ? out + values[i] : kind == Reduction::k_max ? std::max(out, values[i]) : std::min(out, values[i]);
      }
      for (const DType dtype : {kFloat, kInt}) {
        if (reduced == 0 && dtype == kFloat) continue;
        ProgramBuilder builder;
        const int32_t x = builder.input(dtype, {outer, reduced, inner});
        builder.instruction(Opcode::k_reduce, {x}, {builder.result(dtype, {outer, inner})}, {number(kind), outer, reduced, inner});
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
    builder.instruction(Opcode::k_reduce, {builder.input(kFloat, {200000})}, {builder.result(kFloat, {})}, {number(kind), 1, 200000, 1});
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
  builder.instruction(Opcode::k_matmul, has_bias ? Words{a, b, bias} : Words{a, b}, {builder.result(kFloat, {batch, m, n})},
                      matmul(batch, m, n, k, {0, m * k, transpose_a ? m : k, transpose_a}, {0, k * n, transpose_b ? k : n, transpose_b},
                             Activation::k_relu));
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
      builder.instruction(Opcode::k_gather, {x, indices}, {builder.result(dtype, {kCount, row_size})}, {kRows, row_size, kCount});
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
      builder.instruction(Opcode::k_scatterAdd, {x, indices, updates}, {builder.result(dtype, {kRows, row_size})}, {kRows, row_size, kCount});
      Random random(5);
      Ints start(kRows * row_size), chosen(kCount), added(kCount * row_size);
      for (int32_t& value : start) value = static_cast<int32_t>(random.below(9));
      for (int32_t& value : added) value = static_cast<int32_t>(random.below(9));
      Ints wanted = start;
      for (int32_t i = 0; i < kCount; ++i) {
        chosen[i] = static_cast<int32_t>(random.below(kRows));
        for (int32_t j = 0; j < row_size; ++j) wanted[chosen[i] * row_size + j] += added[i * row_size + j];
      }
      const auto typed = [&](const Ints& v) { return dtype == kInt ? bytes_of(v) : bytes_of(Floats(v.begin(), v.end())); };
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
    builder.instruction(opcode, {builder.input(kFloat, {kRows, kColumns})}, {builder.result(kFloat, {kRows, kColumns})}, {kRows, kColumns});
    run_everywhere(builder, {bytes_of(x)}, [&](const Outcome& o) {
      const Floats y = values_of<float>(o.buffers[1]);
      for (int32_t row = 0; row < kRows; ++row) {
        double sum = 0;
        for (int32_t i = row * kColumns; i < (row + 1) * kColumns; ++i) sum += opcode == Opcode::k_softmax ? y[i] : std::exp(y[i]);
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
  builder.instruction(Opcode::k_elementwise, {state}, {updated}, elementwise({}, {{0, {}}}, {{MicroOp::k_neg, kFloat, {0}}}, {1}));
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
      const Outcome o = run(cross_entropy(3, 4).words(), {}, {bytes_of(Floats(12, 3)), bytes_of(Ints{0, label, 9}), bytes_of(Floats{5})},
                            table, 2, false);
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
    const int32_t x = builder.input(kFloat, {5, 2}), indices = builder.input(kInt, {3}), updates = builder.input(kFloat, {3, 2});
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
  const int32_t gradient = builder.input(kFloat, {kSize}), learning_rate = builder.input(kFloat, {}), count = builder.input(kFloat, {});
  Words updated;
  for (int i = 0; i < 3; ++i) updated.push_back(builder.value(kFloat, Place::k_state, i, {kSize}));
  builder.instruction(Opcode::k_adam, {old[0], gradient, old[1], old[2], learning_rate, count}, updated,
                      Words{kSize} + real(beta1) + real(beta2) + real(epsilon) + real(decay));
  Floats new_p(kSize), new_m(kSize), new_v(kSize);
  for (int32_t i = 0; i < kSize; ++i) {
    const double first = beta1 * m[i] + (1 - beta1) * g[i], second = beta2 * v[i] + (1 - beta2) * g[i] * g[i];
    new_m[i] = static_cast<float>(first);
    new_v[i] = static_cast<float>(second);
    new_p[i] = static_cast<float>(p[i] * (1 - rate * decay) - rate / (1 - std::pow(beta1, step)) * first /
                                                                  (std::sqrt(second / (1 - std::pow(beta2, step))) + epsilon));
  }
  const std::vector<Bytes> contents = {bytes_of(g), bytes_of(Floats{0.01f}), bytes_of(Floats{step}), bytes_of(p), bytes_of(m), bytes_of(v)};
  run_everywhere(builder, contents, [&](const Outcome& o) {
    expect_floats(o.buffers[6], new_p, 2e-6);
    expect_floats(o.buffers[7], new_m, 1e-6);
    expect_floats(o.buffers[8], new_v, 1e-6);
    expect_floats(o.buffers[3], p);
  });
}

TEST(literals_are_the_programs_own) {
  ProgramBuilder builder;
  const int32_t x = builder.input(kFloat, {3}), one = builder.literal<float>(kFloat, {}, {1}), y = builder.literal<float>(kFloat, {3}, {10, 20, 30});
  const int32_t sum = builder.scratch(kFloat, {3});
  builder.instruction(Opcode::k_elementwise, {x, one}, {sum}, elementwise({3}, {{0, {1}}, {0, {0}}}, kAdd, {2}));
  builder.instruction(Opcode::k_elementwise, {sum, y}, {builder.result(kFloat, {3})}, elementwise({3}, {{0, {1}}, {0, {1}}}, kAdd, {2}));
  run_everywhere(builder, {bytes_of(Floats{1, 2, 3})}, [](const Outcome& o) { expect_floats(o.buffers[1], {12, 23, 34}); });
}

TEST(executables_share_an_arena_and_outlive_each_other) {
  SharedBlock memory;
  std::string error;
  const auto make = [&](int32_t size) {
    ProgramBuilder builder;
    const int32_t x = builder.input(kFloat, {size}), y = builder.scratch(kFloat, {size});
    const std::vector<MicroWords> neg = {{MicroOp::k_neg, kFloat, {0}}};
    builder.instruction(Opcode::k_elementwise, {x}, {y}, elementwise({size}, {{0, {1}}}, neg, {1}));
    builder.instruction(Opcode::k_elementwise, {y}, {builder.result(kFloat, {size})}, elementwise({size}, {{0, {1}}}, neg, {1}));
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

TEST(a_program_may_get_more_threads_than_it_was_prepared_for) {
  ProgramBuilder builder;
  constexpr int32_t kSize = 200000;
  const int32_t x = builder.input(kFloat, {kSize}), y = builder.input(kFloat, {1});
  const std::vector<MicroWords> code = {{MicroOp::k_add, kFloat, {0, 1}}, {MicroOp::k_exp, kFloat, {2}}, {MicroOp::k_add, kFloat, {3, 2}}};
  builder.instruction(Opcode::k_elementwise, {x, y}, {builder.result(kFloat, {kSize})}, elementwise({kSize}, {{0, {1}}, {0, {0}}}, code, {4}));
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

TEST(a_program_larger_than_memory_is_refused) {
  ProgramBuilder builder;
  builder.arena_blocks = 0x7fffffff;
  builder.value(kFloat, Place::k_arena, 0, {0});
  const Words words = builder.words();
  SharedBlock memory;
  PrepareStatus status;
  std::string error;
  const int64_t physical = 0x7fffffffLL * 64;
  const auto executable = Executable::prepare(words.data(), static_cast<int64_t>(words.size()), nullptr, 0, kBaselineKernels, memory, 1,
                                              &status, &error);
  EXPECT(executable != nullptr || status == PrepareStatus::k_no_memory);
  EXPECT(executable != nullptr || error.find(std::to_string(physical)) != std::string::npos);
}

}  // namespace
}  // namespace galvani::test
