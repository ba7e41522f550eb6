#include "executor/sequence.h"

#include <algorithm>
#include <numeric>

namespace galvani {
namespace {

bool writes_state(const Program& program, const Instruction& instruction) {
  return std::any_of(instruction.outputs.begin(), instruction.outputs.end(),
                     [&](int32_t id) { return program.values[id].place == Place::k_state; });
}

// By value, how often instructions read it.
std::vector<int32_t> count_reads(const Program& program) {
  std::vector<int32_t> reads(program.values.size(), 0);
  for (const Instruction& instruction : program.instructions) {
    for (const int32_t id : instruction.inputs) ++reads[id];
  }
  return reads;
}

// Whether a thread reads what it has written itself, where both turns are divided: element by element, or weights by
// their rows for the columns of a product, as their update divides them too.
bool is_own_part(const Program& program, const Instruction& instruction, size_t input) {
  if (instruction.opcode != Opcode::k_matmul) return is_read_in_step(program, instruction, input);
  const bool is_state = program.values[instruction.inputs[input]].place == Place::k_state;
  return input == 1 && is_state && std::get<MatmulParams>(instruction.params).b.transpose;
}

}  // namespace

bool Sequence::prepare(const Program& program, const KernelTable& kernels, int32_t number, std::string* error) {
  Preparation preparation{program, kernels, ""};
  instructions_.reserve(program.instructions.size());
  for (const Instruction& instruction : program.instructions) {
    instructions_.push_back(prepare_instruction(preparation, instruction));
    if (instructions_.back() == nullptr) {
      *error = preparation.error;
      return false;
    }
    numbers_.push_back(number);
    number += 1 + inner_count(instruction);
    is_parallel_ |= instructions_.back()->is_parallel();
  }
  end_number_ = number;
  find_turns(program, join_tails(program));
  return true;
}

// By instruction the one in whose turn it runs. What is worth several threads is no tail of what is not.
std::vector<size_t> Sequence::join_tails(const Program& program) {
  const size_t count = instructions_.size();
  std::vector<size_t> heads(count);
  const std::vector<int32_t> reads = count_reads(program);
  std::iota(heads.begin(), heads.end(), 0);
  find_tails(program, [&](size_t head, size_t i) {
    PreparedInstruction& product = *instructions_[head];
    const Tail* const tail = instructions_[i]->as_tail();
    if (tail == nullptr || product.is_parallel() < instructions_[i]->is_parallel()) return false;
    const int32_t value = program.instructions[head].outputs[0];
    const bool is_only_reader = reads[value] == 1 && program.values[value].place == Place::k_arena;
    if (!product.take_tail(*tail, is_only_reader)) return false;
    heads[i] = head;
    return true;
  });
  first_update_ = count;
  for (size_t i = 0; i < count; ++i) {
    if (heads[i] == i) steps_.push_back(i);
    if (writes_state(program, program.instructions[i])) first_update_ = std::min(first_update_, heads[i]);
  }
  return heads;
}

void Sequence::find_turns(const Program& program, const std::vector<size_t>& heads) {
  constexpr size_t kNone = SIZE_MAX;
  std::vector<size_t> turn_of(heads.size()), writers(program.values.size(), kNone),
      of_states(program.state_count, kNone);
  for (size_t turn = 0; turn < steps_.size(); ++turn) turn_of[steps_[turn]] = turn;
  for (size_t i = 0; i < heads.size(); ++i) {
    turn_of[i] = turn_of[heads[i]];
    for (const int32_t id : program.instructions[i].outputs) {
      const Value& value = program.values[id];
      writers[id] = turn_of[i];
      if (value.place == Place::k_state) of_states[value.index] = turn_of[i];
    }
  }
  turns_.resize(steps_.size());
  for (size_t i = 0; i < heads.size(); ++i) {
    const Instruction& instruction = program.instructions[i];
    Turn& turn = turns_[turn_of[i]];
    turn.is_divisible |= instructions_[i]->is_parallel();
    turn.nanoseconds += instructions_[i]->nanoseconds();
    for (size_t input = 0; input < instruction.inputs.size(); ++input) {
      const Value& value = program.values[instruction.inputs[input]];
      size_t writer = writers[instruction.inputs[input]];
      if (writer == kNone && value.place == Place::k_state) writer = of_states[value.index];
      const bool is_own = writer == turn_of[i] && value.place != Place::k_state;
      if (writer == kNone || is_own) continue;
      turn.reads.push_back({writer, value.bytes, is_own_part(program, instruction, input)});
    }
  }
}

void Sequence::place(int threads, const ThreadCosts& costs) { is_divided_ = choose_divided(turns_, costs, threads); }

int64_t Sequence::workspace_bytes(int threads) const {
  int64_t most = 0;
  for (const auto& instruction : instructions_) {
    most = std::max(most, instruction->workspace_bytes(instruction->is_parallel() ? threads : 1));
  }
  return most;
}

}  // namespace galvani
