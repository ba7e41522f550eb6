// Instructions that run in the parts of a product before them give the bits that they give by themselves, and those
// that may not are left where they are.
#include "test/executor_testing.h"

namespace galvani::test {
namespace {

constexpr DType kFloat = DType::k_float32;

// A program around the product c[m, n] = a[m, k] · b[k, n] of its first two inputs.
struct ProductProgram {
  ProductProgram(int32_t m, int32_t n, int32_t k, int32_t batch = 1) : m(m), n(n), shape{batch * m, n} {
    a = builder.input(kFloat, {batch * m, k});
    b = builder.input(kFloat, {batch * k, n});
    c = builder.scratch(kFloat, shape);
    const Words of_a{0, m * k, k, 0}, of_b{0, k * n, n, 0};
    builder.instruction(Opcode::k_matmul, {a, b}, {c}, matmul(batch, m, n, k, of_a, of_b));
  }

  int32_t size() const { return shape[0] * shape[1]; }
  Pattern in_step() const { return {0, {n, 1}}; }

  // out = x where y > x, and else the row of `row`, or y.
  void mask(int32_t x, int32_t y, int32_t out, int32_t row = -1) {
    const std::vector<MicroWords> code = {{MicroOp::k_greater, kFloat, {1, 0}},
                                          {MicroOp::k_where, kFloat, {3, 0, row < 0 ? 1 : 2}}};
    const int32_t third = row < 0 ? y : row;
    const Pattern of_third = row < 0 ? in_step() : Pattern{0, {0, 1}};
    builder.instruction(Opcode::k_elementwise, {x, y, third}, {out},
                        elementwise(shape, {in_step(), in_step(), of_third}, code, {4}));
  }

  int32_t new_state(int32_t index) { return builder.value(kFloat, Place::k_state, index, shape); }

  // The first three states by Adam.
  void update(int32_t gradient) {
    for (int i = 0; i < 3; ++i) old.push_back(builder.state(kFloat, shape));
    const int32_t rate = builder.input(kFloat, {}), count = builder.input(kFloat, {});
    builder.instruction(Opcode::k_adam, {old[0], gradient, old[1], old[2], rate, count},
                        {new_state(0), new_state(1), new_state(2)},
                        Words{size()} + real(0.9) + real(0.999) + real(1e-8) + real(0.1));
  }

  ProgramBuilder builder;
  int32_t m, n;
  Words shape;
  int32_t a, b, c;
  Words old;
};

// Random numbers of at least 0.1, which are roots and rates too.
std::vector<Bytes> contents_of(const ProgramBuilder& builder, const KernelTable& table) {
  SharedBlock memory;
  std::string error;
  const auto executable = prepare(builder.words(), builder.literals, table, memory, 1, &error);
  EXPECT_EQ(error, std::string());
  std::vector<Bytes> contents;
  for (int32_t i = 0; executable != nullptr && i < builder.inputs + builder.states; ++i) {
    Floats values = random_floats(executable->buffers()[i].bytes / 4, static_cast<uint64_t>(i) + 1);
    for (float& x : values) x = x < 0 ? 0.1f - x : 0.1f + x;
    contents.push_back(bytes_of(values));
  }
  return contents;
}

void expect_turns(const ProgramBuilder& builder, size_t turns) {
  for_each_table([&](const KernelTable& table) {
    const std::vector<Bytes> contents = contents_of(builder, table);
    const Outcome wanted = run(builder.words(), builder.literals, contents, table, 1, false, true);
    EXPECT(wanted.has_run);
    for (const int threads : {1, 2, 3}) {
      const Outcome o = run(builder.words(), builder.literals, contents, table, threads, false);
      EXPECT(o.has_run);
      EXPECT_EQ(o.turns, turns);
      EXPECT(o.buffers == wanted.buffers);
    }
  });
}

// Of few and of many rows and columns, of depths that are cut and not, and so large that B is not kept.
const std::vector<Words> kShapes = {{1, 300, 40},   {300, 1, 40},   {7, 5, 0},       {130, 70, 20},
                                    {256, 784, 32}, {33, 2000, 64}, {1000, 33, 600}, {90, 1100, 1000}};

TEST(an_update_runs_in_the_parts_of_its_gradient) {
  for (const Words& s : kShapes) {
    if (is_quick() && s[0] * s[1] * s[2] > 3'000'000) continue;
    ProductProgram p(s[0], s[1], s[2]);
    p.update(p.c);
    expect_turns(p.builder, 1);
  }
  ProductProgram batches(60, 40, 30, 5);
  batches.update(batches.c);
  expect_turns(batches.builder, 1);
}

TEST(elementwise_instructions_run_in_the_parts_of_a_product_one_after_the_other) {
  for (const Words& s : kShapes) {
    if (is_quick() && s[0] * s[1] * s[2] > 3'000'000) continue;
    for (const bool has_row : {false, true}) {
      ProductProgram p(s[0], s[1], s[2]);
      const int32_t y = p.builder.input(kFloat, p.shape), row = p.builder.input(kFloat, {p.n});
      const int32_t masked = p.builder.scratch(kFloat, p.shape);
      p.mask(p.c, y, masked, has_row ? row : -1);
      p.mask(masked, p.c, p.builder.result(kFloat, p.shape));
      p.update(masked);
      expect_turns(p.builder, 1);
    }
  }
}

TEST(a_tail_may_be_written_over_the_product) {
  ProductProgram p(130, 70, 20);
  const int32_t y = p.builder.input(kFloat, p.shape), over = p.builder.value(kFloat, Place::k_arena, 0, p.shape);
  p.mask(p.c, y, over);
  p.update(over);
  expect_turns(p.builder, 1);
}

TEST(what_is_small_is_no_reason_to_divide_what_is_not) {
  ProductProgram p(300'000, 1, 1);
  p.update(p.c);
  expect_turns(p.builder, 2);
}

TEST(an_update_waits_for_who_reads_the_old_value) {
  ProductProgram p(130, 70, 20);
  const int32_t state = p.builder.state(kFloat, p.shape);
  p.old.push_back(state);
  const int32_t rate = p.builder.input(kFloat, {}), result = p.builder.result(kFloat, {p.size()});
  const Words reversed = view({p.size()}, p.size() - 1, {-1});
  p.builder.instruction(Opcode::k_copy, {state}, {result}, reversed);
  p.builder.instruction(Opcode::k_sgd, {state, p.c, rate}, {p.new_state(0)}, {p.size()});
  expect_turns(p.builder, 3);
}

TEST(an_update_waits_for_what_it_reads) {
  ProductProgram p(130, 70, 20);
  const int32_t state = p.builder.state(kFloat, p.shape), rate = p.builder.input(kFloat, {});
  const int32_t twice = p.builder.scratch(kFloat, {});
  p.builder.instruction(Opcode::k_elementwise, {rate}, {twice},
                        elementwise({}, {{0, {}}}, {{MicroOp::k_add, kFloat, {0, 0}}}, {1}));
  p.builder.instruction(Opcode::k_sgd, {state, p.c, twice}, {p.new_state(0)}, {p.size()});
  expect_turns(p.builder, 3);
}

TEST(who_reads_other_elements_of_the_product_waits_for_all_of_it) {
  ProductProgram p(90, 90, 20);
  p.builder.instruction(Opcode::k_elementwise, {p.c, p.c}, {p.builder.result(kFloat, p.shape)},
                        elementwise(p.shape, {p.in_step(), {0, {1, p.n}}}, {{MicroOp::k_add, kFloat, {0, 1}}}, {2}));
  expect_turns(p.builder, 2);
}

TEST(a_tail_is_not_written_over_what_the_product_reads) {
  ProgramBuilder builder;
  const Words shape{96, 96};
  const int32_t x = builder.input(kFloat, shape), a = builder.scratch(kFloat, shape);
  const Pattern in_step{0, {96, 1}};
  const auto add = [&](int32_t y, int32_t z, int32_t out) {
    builder.instruction(Opcode::k_elementwise, {y, z}, {out},
                        elementwise(shape, {in_step, in_step}, {{MicroOp::k_add, kFloat, {0, 1}}}, {2}));
  };
  add(x, x, a);
  const int32_t c = builder.scratch(kFloat, shape);
  builder.instruction(Opcode::k_matmul, {x, a}, {c}, matmul(1, 96, 96, 96, {0, 0, 96, 0}, {0, 0, 96, 0}));
  const int32_t over = builder.value(kFloat, Place::k_arena, 0, shape);
  add(c, x, over);
  add(over, x, builder.result(kFloat, shape));
  expect_turns(builder, 4);
}

TEST(a_state_stays_as_it_is_where_something_fails_after_the_product) {
  ProductProgram p(130, 70, 20);
  const int32_t tested = p.builder.input(kFloat, {1}), state = p.builder.state(kFloat, p.shape);
  const int32_t rate = p.builder.scratch(kFloat, {1});
  p.builder.instruction(Opcode::k_demand, {tested, tested}, {rate}, Words{1, 1} + real(0) + real(1));
  const int32_t other = p.builder.input(kFloat, {});
  p.builder.instruction(Opcode::k_sgd, {state, p.c, other}, {p.new_state(0)}, {p.size()});
  for_each_table([&](const KernelTable& table) {
    std::vector<Bytes> contents = contents_of(p.builder, table);
    contents[2] = bytes_of(Floats{2});
    const Outcome o = run(p.builder.words(), {}, contents, table, 2, false);
    EXPECT(!o.has_run);
    EXPECT_EQ(o.failure.instruction, 1);
    EXPECT(o.buffers.at(4) == contents[4]);
  });
}

}  // namespace
}  // namespace galvani::test
