// When each value is written and read, and what its memory holds in between.
#include <algorithm>
#include <map>

#include "program/checks.h"
#include "program/operands.h"

namespace galvani {
namespace {

constexpr int32_t kNever = -1;

#define GALVANI_INSTRUCTION_FACTS
#include "program/instructions.inc"
#undef GALVANI_INSTRUCTION_FACTS

class Order {
 public:
  Order(const Program& program, std::string* error)
      : program_(program),
        error_(error),
        writer_(program.values.size(), kNever),
        last_read_(program.values.size(), kNever),
        state_writer_(program.state_count, kNever),
        has_result_(program.result_count, false) {}

  bool check() {
    if (!find_writers()) return false;
    for (size_t id = 0; id < program_.values.size(); ++id) {
      if (!check_value(static_cast<int32_t>(id))) return false;
    }
    for (size_t i = 0; i < program_.instructions.size(); ++i) {
      if (!check_instruction(static_cast<int32_t>(i))) return false;
    }
    return true;
  }

 private:
  bool find_writers() {
    for (size_t i = 0; i < program_.instructions.size(); ++i) {
      for (const int32_t id : program_.instructions[i].inputs) last_read_[id] = static_cast<int32_t>(i);
      for (const int32_t id : program_.instructions[i].outputs) {
        const Value& value = program_.values[id];
        if (value.place == Place::k_input || value.place == Place::k_literal) {
          return fail(error_, "instruction %zu: expected an output that may be written, got value %d", i, id);
        }
        if (writer_[id] != kNever) return fail(error_, "value %d: expected one writer, got two", id);
        writer_[id] = static_cast<int32_t>(i);
      }
    }
    return true;
  }

  // A result has one value, which is written; a state has one new value at most.
  bool check_value(int32_t id) {
    const Value& value = program_.values[id];
    const bool is_written = writer_[id] != kNever;
    if (value.place == Place::k_state && is_written) {
      if (state_writer_[value.index] != kNever) {
        return fail(error_, "value %d: expected one new value of its state, got two", id);
      }
      state_writer_[value.index] = writer_[id];
    }
    if (value.place == Place::k_result) {
      if (!is_written) return fail(error_, "value %d: expected a result to be written, got no writer", id);
      if (has_result_[value.index]) return fail(error_, "value %d: expected one value of its result, got two", id);
      has_result_[value.index] = true;
    }
    return true;
  }

  bool check_instruction(int32_t i) {
    const Instruction& instruction = program_.instructions[i];
    for (const int32_t id : instruction.inputs) {
      if (!check_read(i, id)) {
        return fail(error_, "instruction %d: expected value %d to be there still, got it overwritten", i, id);
      }
      if (!is_available(i, id)) {
        return fail(error_, "instruction %d: expected value %d to be written before, got it unwritten", i, id);
      }
    }
    if (is_fallible(program_, instruction) && has_written_state_) {
      return fail(error_, "instruction %d: expected what can fail before the first write to a state, got it after", i);
    }
    for (size_t output = 0; output < instruction.outputs.size(); ++output) {
      if (!check_write(i, output)) {
        return fail(error_, "instruction %d: expected output %zu not to overlap what is still needed, got an overlap",
                    i, output);
      }
    }
    return true;
  }

  bool is_available(int32_t i, int32_t id) const {
    const Place place = program_.values[id].place;
    if (writer_[id] == kNever) return place != Place::k_arena && place != Place::k_result;
    return writer_[id] < i;
  }

  // The old value of a state is gone once the new one is written.
  bool check_read(int32_t i, int32_t id) const {
    const Value& value = program_.values[id];
    if (value.place != Place::k_state || writer_[id] != kNever) return true;
    const int32_t overwritten = state_writer_[value.index];
    return overwritten == kNever || overwritten >= i;
  }

  bool check_write(int32_t i, size_t output) {
    const Instruction& instruction = program_.instructions[i];
    const int32_t id = instruction.outputs[output];
    const Value& value = program_.values[id];
    if (value.place == Place::k_arena) return check_arena_write(i, output, id);
    if (value.place != Place::k_state) return true;
    has_written_state_ = true;
    // What runs programs may be ended between them.
    if (!bodies_of(instruction).empty()) return false;
    return std::all_of(instruction.inputs.begin(), instruction.inputs.end(), [&](int32_t input) {
      return !is_same_memory(input, id) || may_share(instruction, output, input);
    });
  }

  // What the arena range held must be dead, or an operand that this output may replace.
  bool check_arena_write(int32_t i, size_t output, int32_t id) {
    const Value& value = program_.values[id];
    if (value.bytes == 0) return true;
    const int64_t begin = value.index, end = begin + value.bytes;
    auto held = held_.lower_bound(begin);
    if (held != held_.begin() && end_of(std::prev(held)->second) > begin) --held;
    while (held != held_.end() && held->first < end) {
      if (!may_overwrite(i, output, id, held->second)) return false;
      held = held_.erase(held);
    }
    held_.emplace(begin, id);
    return true;
  }

  bool may_overwrite(int32_t i, size_t output, int32_t id, int32_t held) const {
    if (writer_[held] == i || last_read_[held] > i) return false;
    if (last_read_[held] < i) return true;
    const Value &mine = program_.values[id], &other = program_.values[held];
    const bool is_same_range = mine.index == other.index && mine.bytes == other.bytes;
    return is_same_range && may_share(program_.instructions[i], output, held);
  }

  // Whether the output may be written where operand `id` is read. A kernel that looks at each index once, reading all
  // of its operands before it writes, does not mind if that operand is also another one.
  bool may_share(const Instruction& instruction, size_t output, int32_t id) const {
    if (instruction.opcode == Opcode::k_elementwise) return is_read_in_step(instruction, output, id);
    const int position = replaced_input(instruction.opcode, output);
    if (position < 0 || !is_same_memory(instruction.inputs[position], id)) return false;
    const auto uses = std::count_if(instruction.inputs.begin(), instruction.inputs.end(),
                                    [&](int32_t input) { return is_same_memory(input, id); });
    return uses == 1 || is_in_step(instruction.opcode);
  }

  // An elementwise group reads the operand element by element, in the order in which it writes.
  bool is_read_in_step(const Instruction& instruction, size_t output, int32_t id) const {
    const Value& written = program_.values[instruction.outputs[output]];
    const Value& read = program_.values[id];
    if (read.size != written.size || read.bytes != written.bytes) return false;
    const auto& p = std::get<ElementwiseParams>(instruction.params);
    for (size_t i = 0; i < p.operands.size(); ++i) {
      if (is_same_memory(instruction.inputs[i], id) && !is_dense(view_of(p.shape, p.operands[i]))) return false;
    }
    return true;
  }

  // Several values may name one state.
  bool is_same_memory(int32_t a, int32_t b) const {
    const Value &x = program_.values[a], &y = program_.values[b];
    return a == b || (x.place == Place::k_state && y.place == Place::k_state && x.index == y.index);
  }

  int64_t end_of(int32_t id) const { return program_.values[id].index + program_.values[id].bytes; }

  const Program& program_;
  std::string* error_;
  std::vector<int32_t> writer_, last_read_;  // by value: the instruction
  std::vector<int32_t> state_writer_;        // by state: the instruction
  std::vector<bool> has_result_;
  std::map<int64_t, int32_t> held_;  // arena offset to the value there; ranges do not overlap
  bool has_written_state_ = false;
};

}  // namespace

std::vector<const Program*> bodies_of(const Instruction& instruction) {
  if (const auto* loop = std::get_if<LoopParams>(&instruction.params)) return {loop->body.get()};
  if (const auto* p = std::get_if<WhileLoopParams>(&instruction.params)) return {p->condition.get(), p->body.get()};
  if (const auto* p = std::get_if<BranchParams>(&instruction.params)) return {p->if_true.get(), p->if_false.get()};
  return {};
}

int32_t inner_count(const Instruction& instruction) {
  int32_t count = 0;
  for (const Program* body : bodies_of(instruction)) {
    for (const Instruction& next : body->instructions) count += 1 + inner_count(next);
  }
  return count;
}

bool is_fallible(const Program& program, const Instruction& instruction) {
  for (const Program* body : bodies_of(instruction)) {
    for (const Instruction& next : body->instructions) {
      if (is_fallible(*body, next)) return true;
    }
  }
  const int input = fallible_input(instruction.opcode);
  return input >= 0 && fails_on(instruction.opcode, program.values[instruction.inputs[input]].dtype);
}

bool check_order(const Program& program, std::string* error) { return Order(program, error).check(); }

}  // namespace galvani
