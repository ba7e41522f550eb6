// Which instructions may run in the parts of a product: nothing between the two may see the difference.
#include "executor/tail.h"

#include <algorithm>
#include <vector>

#include "program/checks.h"

namespace galvani {
namespace {

// So far behind the product a tail is looked for, as each step of that compares it with all between the two.
constexpr size_t kMostDistance = 64;

struct Memory {
  Place place;
  int64_t begin, end;
};

Memory memory_of(const Value& value) {
  const bool is_whole = value.place != Place::k_arena && value.place != Place::k_literal;
  if (is_whole) return {value.place, value.index, value.index + (value.bytes > 0 ? 1 : 0)};
  return {value.place, value.index, value.index + value.bytes};
}

bool overlap(const Memory& a, const Memory& b) { return a.place == b.place && a.begin < b.end && b.begin < a.end; }

bool is_update(Opcode opcode) {
  return opcode == Opcode::k_sgd || opcode == Opcode::k_momentum || opcode == Opcode::k_adam;
}

class Finder {
 public:
  Finder(const Program& program, const std::function<bool(size_t, size_t)>& join) : program_(program), join_(join) {}

  void find() const {
    const size_t count = program_.instructions.size();
    std::vector<bool> is_joined(count, false);
    for (size_t head = 0; head < count; ++head) {
      if (!is_head(head)) continue;
      std::vector<size_t> tails;
      for (size_t i = head + 1; i < std::min(count, head + kMostDistance); ++i) {
        if (is_joined[i] || !can_follow(head, tails, i) || !join_(head, i)) continue;
        is_joined[i] = true;
        tails.push_back(i);
      }
    }
  }

 private:
  const Instruction& at(size_t i) const { return program_.instructions[i]; }
  const Value& value(int32_t id) const { return program_.values[id]; }

  bool is_head(size_t i) const {
    return at(i).opcode == Opcode::k_matmul && value(at(i).outputs[0]).dtype != DType::k_int32;
  }

  bool reads_in_step(const Instruction& instruction, size_t input) const {
    return is_read_in_step(program_, instruction, input);
  }

  // Whether some memory of `ids` is among what is in `others`.
  bool meet(const std::vector<int32_t>& ids, const std::vector<int32_t>& others) const {
    return std::any_of(ids.begin(), ids.end(), [&](int32_t a) {
      return std::any_of(others.begin(), others.end(),
                         [&](int32_t b) { return overlap(memory_of(value(a)), memory_of(value(b))); });
    });
  }

  bool writes_state(const Instruction& instruction) const {
    return std::any_of(instruction.outputs.begin(), instruction.outputs.end(),
                       [this](int32_t id) { return value(id).place == Place::k_state; });
  }

  // Whether `i` may run in the parts of the product, after the tails that it has already.
  bool can_follow(size_t head, const std::vector<size_t>& tails, size_t i) const {
    const Instruction& instruction = at(i);
    if (instruction.opcode != Opcode::k_elementwise && !is_update(instruction.opcode)) return false;
    const int64_t size = value(at(head).outputs[0]).size;
    if (size == 0 || value(instruction.outputs[0]).size != size) return false;
    const auto continues = [&](size_t before) { return reads_of(instruction, at(before)); };
    if (!continues(head) && std::none_of(tails.begin(), tails.end(), continues)) return false;
    if (!is_in_step(at(head), instruction) || meet(instruction.outputs, at(head).inputs)) return false;
    for (size_t j = head + 1; j < i; ++j) {
      const bool is_tail = std::find(tails.begin(), tails.end(), j) != tails.end();
      if (is_tail ? !is_in_step(at(j), instruction) : !may_change_places(at(j), instruction)) return false;
    }
    return true;
  }

  static bool reads_of(const Instruction& instruction, const Instruction& before) {
    return std::any_of(instruction.inputs.begin(), instruction.inputs.end(), [&](int32_t id) {
      return std::find(before.outputs.begin(), before.outputs.end(), id) != before.outputs.end();
    });
  }

  // Whether `later`, which runs in the same parts, meets what the earlier one reads or has written at its own elements
  // alone.
  bool is_in_step(const Instruction& earlier, const Instruction& later) const {
    for (size_t input = 0; input < later.inputs.size(); ++input) {
      for (const int32_t id : earlier.outputs) {
        if (!are_apart_or_in_step(value(later.inputs[input]), reads_in_step(later, input), value(id))) return false;
      }
    }
    for (const int32_t written : later.outputs) {
      for (const int32_t id : earlier.outputs) {
        if (!are_apart_or_in_step(value(id), true, value(written))) return false;
      }
      for (size_t input = 0; earlier.opcode != Opcode::k_matmul && input < earlier.inputs.size(); ++input) {
        const Value& read = value(earlier.inputs[input]);
        if (!are_apart_or_in_step(read, reads_in_step(earlier, input), value(written))) return false;
      }
    }
    return true;
  }

  static bool are_apart_or_in_step(const Value& a, bool is_in_step, const Value& b) {
    const Memory x = memory_of(a), y = memory_of(b);
    return !overlap(x, y) || (is_in_step && x.begin == y.begin && a.bytes == b.bytes && a.size == b.size);
  }

  // What can fail has to stay before what writes a state.
  bool may_change_places(const Instruction& between, const Instruction& moved) const {
    if (writes_state(moved) && (is_fallible(program_, between) || !bodies_of(between).empty())) return false;
    return !meet(moved.outputs, between.inputs) && !meet(moved.outputs, between.outputs) &&
           !meet(between.outputs, moved.inputs);
  }

  const Program& program_;
  const std::function<bool(size_t, size_t)>& join_;
};

}  // namespace

bool is_read_in_step(const Program& program, const Instruction& instruction, size_t input) {
  const Value& read = program.values[instruction.inputs[input]];
  // The last inputs of an update are scalars.
  if (is_update(instruction.opcode)) return read.size == program.values[instruction.outputs[0]].size;
  if (instruction.opcode != Opcode::k_elementwise) return false;
  const auto& p = std::get<ElementwiseParams>(instruction.params);
  return is_dense(view_of(p.shape, p.operands[input]));
}

void find_tails(const Program& program, const std::function<bool(size_t, size_t)>& join) {
  Finder(program, join).find();
}

}  // namespace galvani
