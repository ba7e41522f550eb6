// Instructions that run programs, each on buffers of the program around it.
#include <algorithm>
#include <vector>

#include "base/numbers.h"
#include "executor/families.h"
#include "executor/ranges.h"
#include "executor/sequence.h"

namespace galvani {
namespace {

// A program inside another one, prepared. Its arena and the workspace of its instructions are workspace of the
// instruction that runs it.
class Body {
 public:
  // Whether it could be prepared; `number` instructions of its instruction come before its own.
  bool prepare(const Program& program, int32_t number, Preparation& outer) {
    arena_bytes_ = round_up(program.arena_bytes, kArenaAlignment);
    bases_.resize(program.input_count + program.state_count + program.result_count + 2);
    return sequence_.prepare(program, outer.kernels, number, &outer.error);
  }

  bool is_parallel() const { return sequence_.is_parallel(); }
  // The number that follows those of its instructions.
  int32_t end() const { return sequence_.end_number(); }

  int64_t workspace_bytes(int threads) const { return arena_bytes_ + sequence_.workspace_bytes(threads); }

  // Where its inputs, states and results are, one after the other.
  uint8_t*& base(int64_t i) const { return bases_[i]; }

  bool run(Run& outer) const {
    bases_.back() = outer.workspace;
    Run run{bases_.data(), outer.parallel, outer.workspace + arena_bytes_, {}, {}, outer.is_lent, outer.interruption};
    for (const size_t i : sequence_.steps()) {
      run.interruption.let_pass(run.parallel);
      if (sequence_[i].run(run)) continue;
      outer.failure = run.failure;
      outer.failure.instruction += sequence_.number(i) + 1;
      outer.is_ended = run.is_ended;
      return false;
    }
    return true;
  }

 private:
  Sequence sequence_;
  mutable std::vector<uint8_t*> bases_;  // see Run; runs of an executable never overlap
  int64_t arena_bytes_ = 0;
};

// A value of the program around, and how many bytes of it belong to one step.
struct Operand {
  Location location;
  int64_t bytes;

  uint8_t* in(const Run& run) const { return location.in<uint8_t>(run); }
};

using Operands = std::vector<Operand>;

Operands operands_of(const Preparation& preparation, const std::vector<int32_t>& ids, size_t begin, size_t end,
                     int64_t steps = 1) {
  Operands operands;
  for (size_t i = begin; i < end; ++i) {
    const int64_t bytes = preparation.program.values[ids[i]].bytes;
    operands.push_back({preparation.locate(ids[i]), steps == 0 ? 0 : bytes / steps});
  }
  return operands;
}

void bind_operands(const Body& body, int64_t first, const Operands& operands, const Run& run, int64_t step = 0) {
  for (const Operand& operand : operands) body.base(first++) = operand.in(run) + step * operand.bytes;
}

// What is carried begins as the operands do.
void start_carries(const Operands& initial, const Operands& carries, const Run& run) {
  for (size_t i = 0; i < carries.size(); ++i) {
    uint8_t *const from = initial[i].in(run), *const to = carries[i].in(run);
    if (to != from) copy_bytes(to, from, carries[i].bytes);
  }
}

bool should_end(Run& run) {
  run.is_ended = is_set(run.interruption.is_stopping) || is_set(run.interruption.is_aborted);
  return run.is_ended;
}

class PreparedLoop final : public PreparedInstruction {
 public:
  PreparedLoop(const LoopParams& p, Body body, const Preparation& preparation, const Instruction& instruction)
      : PreparedInstruction(body.is_parallel() ? 2 : 1),
        length_(p.length),
        reverse_(p.reverse),
        body_(std::move(body)) {
    const auto &in = instruction.inputs, &out = instruction.outputs;
    const size_t constants = p.constants, carries = p.body->state_count;
    constants_ = operands_of(preparation, in, 0, constants);
    initial_ = operands_of(preparation, in, constants, constants + carries);
    sequences_ = operands_of(preparation, in, constants + carries, in.size(), length_);
    carries_ = operands_of(preparation, out, 0, carries);
    results_ = operands_of(preparation, out, carries, out.size(), length_);
  }

  bool run(Run& run) const override {
    const int64_t sequences = constants_.size(), carries = sequences + sequences_.size();
    start_carries(initial_, carries_, run);
    bind_operands(body_, 0, constants_, run);
    bind_operands(body_, carries, carries_, run);
    for (int64_t i = 0; i < length_; ++i) {
      if (should_end(run)) return false;
      const int64_t step = reverse_ ? length_ - 1 - i : i;
      bind_operands(body_, sequences, sequences_, run, step);
      bind_operands(body_, carries + carries_.size(), results_, run, step);
      if (!body_.run(run)) return false;
    }
    return true;
  }

  int64_t workspace_bytes(int threads) const override { return body_.workspace_bytes(threads); }

 private:
  int64_t length_;
  bool reverse_;
  Body body_;
  Operands constants_, initial_, sequences_, carries_, results_;
};

class PreparedWhileLoop final : public PreparedInstruction {
 public:
  PreparedWhileLoop(const WhileLoopParams& p, Body condition, Body body, const Preparation& preparation,
                    const Instruction& instruction)
      : PreparedInstruction(condition.is_parallel() || body.is_parallel() ? 2 : 1),
        limit_(p.limit),
        condition_(std::move(condition)),
        body_(std::move(body)) {
    const auto &in = instruction.inputs, &out = instruction.outputs;
    constants_ = operands_of(preparation, in, 0, p.constants);
    initial_ = operands_of(preparation, in, p.constants, in.size());
    carries_ = operands_of(preparation, out, 0, out.size());
  }

  bool run(Run& run) const override {
    const int64_t constants = constants_.size();
    uint8_t goes_on = 0;
    start_carries(initial_, carries_, run);
    for (const Body* each : {&condition_, &body_}) {
      bind_operands(*each, 0, constants_, run);
      bind_operands(*each, constants, carries_, run);
    }
    condition_.base(constants + carries_.size()) = &goes_on;
    for (int64_t step = 0; step < limit_; ++step) {
      if (should_end(run) || !condition_.run(run)) return false;
      if (goes_on == 0) return true;
      if (!body_.run(run)) return false;
    }
    return true;
  }

  int64_t workspace_bytes(int threads) const override {
    return std::max(condition_.workspace_bytes(threads), body_.workspace_bytes(threads));
  }

 private:
  int64_t limit_;
  Body condition_, body_;
  Operands constants_, initial_, carries_;
};

class PreparedBranch final : public PreparedInstruction {
 public:
  PreparedBranch(Body if_true, Body if_false, const Preparation& preparation, const Instruction& instruction)
      : PreparedInstruction(if_true.is_parallel() || if_false.is_parallel() ? 2 : 1),
        if_true_(std::move(if_true)),
        if_false_(std::move(if_false)),
        predicate_(preparation.input(instruction, 0)),
        operands_(operands_of(preparation, instruction.inputs, 1, instruction.inputs.size())),
        results_(operands_of(preparation, instruction.outputs, 0, instruction.outputs.size())) {}

  bool run(Run& run) const override {
    const Body& chosen = *predicate_.in<const uint8_t>(run) != 0 ? if_true_ : if_false_;
    bind_operands(chosen, 0, operands_, run);
    bind_operands(chosen, operands_.size(), results_, run);
    return chosen.run(run);
  }

  int64_t workspace_bytes(int threads) const override {
    return std::max(if_true_.workspace_bytes(threads), if_false_.workspace_bytes(threads));
  }

 private:
  Body if_true_, if_false_;
  Location predicate_;
  Operands operands_, results_;
};

}  // namespace

std::unique_ptr<PreparedInstruction> prepare_loop(Preparation& preparation, const Instruction& instruction) {
  const auto& p = std::get<LoopParams>(instruction.params);
  Body body;
  if (!body.prepare(*p.body, 0, preparation)) return nullptr;
  return std::make_unique<PreparedLoop>(p, std::move(body), preparation, instruction);
}

std::unique_ptr<PreparedInstruction> prepare_while_loop(Preparation& preparation, const Instruction& instruction) {
  const auto& p = std::get<WhileLoopParams>(instruction.params);
  Body condition, body;
  if (!condition.prepare(*p.condition, 0, preparation)) return nullptr;
  if (!body.prepare(*p.body, condition.end(), preparation)) return nullptr;
  return std::make_unique<PreparedWhileLoop>(p, std::move(condition), std::move(body), preparation, instruction);
}

std::unique_ptr<PreparedInstruction> prepare_branch(Preparation& preparation, const Instruction& instruction) {
  const auto& p = std::get<BranchParams>(instruction.params);
  Body if_true, if_false;
  if (!if_true.prepare(*p.if_true, 0, preparation)) return nullptr;
  if (!if_false.prepare(*p.if_false, if_true.end(), preparation)) return nullptr;
  return std::make_unique<PreparedBranch>(std::move(if_true), std::move(if_false), preparation, instruction);
}

}  // namespace galvani
