// Elementwise groups that run as chains, against a plain interpretation of their micro-ops, bit by bit.
#include <cmath>
#include <utility>

#include "executor/chain_plan.h"
#include "test/executor_testing.h"

namespace galvani::test {
namespace {

constexpr DType kFloat = DType::k_float32;

// A group over [outer, channels, inner] whose micro-ops a chain knows, of operands of every kind that it does.
class RandomChain {
 public:
  RandomChain(uint64_t seed, const Words& shape) : random_(seed), shape_(shape), size_(shape[0] * shape[1] * shape[2]) {
    const int64_t arrays = 1 + random_.below(3), others = 1 + random_.below(3);
    for (int64_t i = 0; i < arrays; ++i) add_operand({shape_[1] * shape_[2], shape_[2], 1}, size_);
    for (int64_t i = 0; i < others; ++i) add_other_operand();
    const int64_t steps = 2 + random_.below(9);
    for (int64_t i = 0; i < steps; ++i) add_step();
    results_.push_back(last());
    if (random_.below(3) == 0 && last() > operands() + 1) results_.push_back(last() - 1);
    for (const int32_t result : results_) {
      if (!is_condition(result)) outputs_.push_back({place_output(), result});
    }
    Words ids, registers;
    for (const auto& [id, result] : outputs_) {
      ids.push_back(id);
      registers.push_back(result);
    }
    builder_.instruction(Opcode::k_elementwise, in_, ids, elementwise(shape_, patterns_, code_, registers));
    for (const int32_t id : ids) {
      builder_.instruction(Opcode::k_copy, {id}, {builder_.result(kFloat, shape_)}, view({size_}, 0, {1}));
    }
  }

  void check() const {
    run_everywhere(builder_, contents_, [&](const Outcome& outcome) {
      EXPECT(outcome.has_run);
      for (size_t i = 0; i < outputs_.size() && outcome.has_run; ++i) {
        const Floats actual = values_of<float>(outcome.buffers[contents_.size() + i]);
        const Floats& wanted = values_[outputs_[i].second];
        bool is_same = actual.size() == wanted.size();
        for (size_t k = 0; is_same && k < actual.size(); ++k) is_same = same(actual[k], wanted[k]);
        EXPECT(is_same);
      }
    });
  }

  bool is_chain() const {
    Program program;
    std::string error;
    const Words words = builder_.words();
    if (!decode_program(words.data(), static_cast<int64_t>(words.size()), 0, &program, &error)) return false;
    bool found = false;
    for_each_table([&](const KernelTable& table) {
      const Preparation preparation{program, table, ""};
      chain::Plan plan;
      found = chain::make_plan(preparation, program.instructions[in_.size()], &plan);
    });
    return found;
  }

 private:
  int32_t operands() const { return static_cast<int32_t>(in_.size()); }
  int32_t last() const { return static_cast<int32_t>(values_.size()) - 1; }
  bool is_condition(int32_t value) const {
    return value >= operands() && code_[value - operands()].op == MicroOp::k_greater;
  }

  void add_operand(const Words& strides, int32_t n) {
    Floats values = random_floats(n, random_.next());
    for (float& x : values) {
      if (random_.below(50) == 0) x = random_.below(2) == 0 ? kNaN : random_.below(2) == 0 ? -0.0f : kInfinity;
    }
    contents_.push_back(bytes_of(values));
    slots_.push_back(n == size_ ? builder_.arena_blocks : -1);
    const int32_t x = builder_.input(kFloat, {n}), slot = builder_.scratch(kFloat, {n});
    builder_.instruction(Opcode::k_copy, {x}, {slot}, view({n}, 0, {1}));
    in_.push_back(slot);
    patterns_.push_back({0, strides});
    Floats column(size_);
    for (int32_t i = 0; i < size_; ++i) {
      const int32_t inner = i % shape_[2], channel = i / shape_[2] % shape_[1], outer = i / shape_[2] / shape_[1];
      column[i] = values[outer * strides[0] + channel * strides[1] + inner * strides[2]];
    }
    values_.push_back(std::move(column));
  }

  // An element, one of each channel, one of each row, a row, or rows of all channels.
  void add_other_operand() {
    switch (random_.below(5)) {
      case 0: return add_operand({0, 0, 0}, 1);
      case 1: return add_operand({0, 1, 0}, shape_[1]);
      case 2: return add_operand({shape_[1], 1, 0}, shape_[0] * shape_[1]);
      case 3: return add_operand({0, 0, 1}, shape_[2]);
      default: return add_operand({0, shape_[2], 1}, shape_[1] * shape_[2]);
    }
  }

  // Mostly what was computed last, as in real groups.
  int32_t pick() {
    for (;;) {
      const int32_t value = random_.below(2) == 0 ? last() : static_cast<int32_t>(random_.below(last() + 1));
      if (!is_condition(value)) return value;
      if (random_.below(2) == 0) return static_cast<int32_t>(random_.below(operands()));
    }
  }

  void add_step() {
    const int32_t a = pick(), b = pick();
    switch (random_.below(8)) {
      case 0: return add(MicroOp::k_neg, {a}, [](float x, float, float) { return -x; });
      case 1: return add(MicroOp::k_square, {a}, [](float x, float, float) { return x * x; });
      case 2: return add(MicroOp::k_relu, {a}, [](float x, float, float) { return x <= 0 ? 0 : x; });
      case 3:
      case 4: return add(MicroOp::k_sub, {a, b}, [](float x, float y, float) { return x - y; });
      case 5: return add(MicroOp::k_add, {a, b}, [](float x, float y, float) { return x + y; });
      case 6: return add(MicroOp::k_mul, {a, b}, [](float x, float y, float) { return x * y; });
      default: {
        const auto element = static_cast<int32_t>(random_.below(operands()));
        add(MicroOp::k_greater, {static_cast<int32_t>(random_.below(operands())), element},
            [](float x, float y, float) { return x > y ? 1 : 0; });
        add(MicroOp::k_where, {last(), a, static_cast<int32_t>(random_.below(operands()))},
            [](float c, float x, float y) { return c != 0 ? x : y; });
      }
    }
  }

  template <typename Rule>
  void add(MicroOp op, const Words& args, Rule rule) {
    code_.push_back({op, kFloat, args});
    Floats column(size_);
    const auto arg = [&](size_t k, int32_t i) { return k < args.size() ? values_[args[k]][i] : 0; };
    for (int32_t i = 0; i < size_; ++i) column[i] = rule(arg(0, i), arg(1, i), arg(2, i));
    values_.push_back(std::move(column));
  }

  // Over an array that no other output has taken, or in a place of its own.
  int32_t place_output() {
    const size_t i = random_.below(operands());
    if (slots_[i] < 0 || random_.below(3) == 0) return builder_.scratch(kFloat, shape_);
    return builder_.value(kFloat, Place::k_arena, std::exchange(slots_[i], -1), shape_);
  }

  Random random_;
  Words shape_;
  int32_t size_;
  ProgramBuilder builder_;
  std::vector<Bytes> contents_;
  Words in_, slots_, results_;
  std::vector<Pattern> patterns_;
  std::vector<MicroWords> code_;
  std::vector<Floats> values_;                        // of operands and micro-ops
  std::vector<std::pair<int32_t, int32_t>> outputs_;  // the value's id, and what is stored there
};

// Rows around the vectors of every instruction set, shorter ones than a chain takes, and so many that they are divided.
TEST(chain_gives_the_bits_of_its_micro_ops) {
  const std::vector<Words> shapes = {{3, 5, 64}, {2, 3, 77},    {4, 7, 128}, {1, 9, 200},
                                     {2, 2, 7},  {30, 16, 784}, {7, 1, 4099}};
  int chains = 0, groups = 0;
  for (uint64_t seed = 0; seed < 420; ++seed) {
    const RandomChain group(seed, shapes[seed % shapes.size()]);
    chains += group.is_chain() ? 1 : 0;
    ++groups;
    group.check();
  }
  EXPECT(chains > groups / 3);
}

}  // namespace
}  // namespace galvani::test
