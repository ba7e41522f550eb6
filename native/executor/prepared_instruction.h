// An instruction, prepared: kernels chosen, operands located, work divided. Running it checks and allocates nothing.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "executor/cost.h"
#include "executor/tail.h"
#include "kernels/kernel_table.h"
#include "program/program.h"
#include "runtime/execution_queue.h"
#include "runtime/parallel.h"

namespace galvani {

// What comes between the instructions of a run. The first two end it, from another thread, once they are true.
struct Interruption {
  const std::atomic<bool>* is_stopping = nullptr;  // after the instruction or step that runs, leaving nothing of use
  const std::atomic<bool>* is_aborted = nullptr;   // as a failure of the next one, unless one has written a state
  ExecutionQueue* passing = nullptr;               // has short tasks that go first

  void let_pass(Parallel& threads) const {
    if (passing != nullptr && passing->has_short()) passing->let_pass(threads);
  }
};

inline bool is_set(const std::atomic<bool>* flag) { return flag != nullptr && flag->load(std::memory_order_relaxed); }

// A bad index in an instruction's data: `value` at `position`, where only [0, limit) was allowed.
struct Failure {
  // Which one, where those of the programs that an instruction runs are counted right after it. An instruction that
  // fails says -1 for itself, or the number among those inside it.
  int32_t instruction;
  int64_t position;
  double value;
  int64_t limit;
};

// What a run binds.
struct Run {
  uint8_t* const* bases;  // inputs, states, results, the literals, the arena
  Parallel& parallel;
  uint8_t* workspace;  // of the instruction that runs
  Failure failure;
  Serial serial;
  // Whether JavaScript runs beside it, which may write to the buffers: what was checked may not be so any more.
  bool is_lent = false;
  // What may end it between the steps of a loop, and whether that did.
  Interruption interruption = {};
  bool is_ended = false;
  // Whether products run their tails, which else are run by themselves.
  bool has_tails = true;
};

// Where a value is.
struct Location {
  int64_t base;  // among the bases of a run
  int64_t offset;

  template <typename T>
  T* in(const Run& run) const {
    return reinterpret_cast<T*>(run.bases[base] + offset);
  }
  bool operator==(const Location& other) const { return base == other.base && offset == other.offset; }
};

class PreparedInstruction {
 public:
  explicit PreparedInstruction(int64_t tasks) : tasks_(tasks) {}
  explicit PreparedInstruction(const Split& split) : tasks_(split.tasks()), nanoseconds_(split.nanoseconds) {}
  virtual ~PreparedInstruction() = default;
  // False where it failed; then it has written nothing, and run.failure says why.
  virtual bool run(Run& run) const = 0;
  virtual int64_t workspace_bytes(int /* threads */) const { return 0; }
  // Whether it is worth more than one thread.
  bool is_parallel() const { return tasks_ > 1; }
  // What it takes on one thread, roughly; 0 where that is not known.
  double nanoseconds() const { return nanoseconds_; }
  // The instruction as one that runs in the parts of a product; null where it cannot be one.
  virtual const Tail* as_tail() const { return nullptr; }
  // Makes a product run `tail`, which lives as long, in its parts, after those that it has; false where it cannot. The
  // product itself may stay unwritten where that alone reads it.
  virtual bool take_tail(const Tail& /* tail */, bool /* is_only_reader */) { return false; }

 protected:
  Parallel& threads_of(Run& run) const { return is_parallel() ? run.parallel : run.serial; }

 private:
  int64_t tasks_;
  double nanoseconds_ = 0;
};

struct Preparation {
  const Program& program;
  const KernelTable& kernels;
  std::string error;  // what this build of the library cannot run

  Location locate(int32_t value) const;
  Location input(const Instruction& instruction, size_t i) const { return locate(instruction.inputs[i]); }
  Location output(const Instruction& instruction, size_t i) const { return locate(instruction.outputs[i]); }
  DType input_dtype(const Instruction& instruction, size_t i) const {
    return program.values[instruction.inputs[i]].dtype;
  }
};

// body(begin, end, thread) over the ranges of a split.
template <typename Body>
void for_ranges(Parallel& parallel, const Split& split, Body&& body) {
  if (split.tasks() <= 1) {
    if (split.count > 0) body(int64_t{0}, split.count, 0);
    return;
  }
  parallel.for_each(split.tasks(), [&](int64_t task, int thread) {
    const int64_t begin = task * split.grain;
    body(begin, split.count - begin < split.grain ? split.count : begin + split.grain, thread);
  });
}

std::unique_ptr<PreparedInstruction> prepare_instruction(Preparation& preparation, const Instruction& instruction);

}  // namespace galvani
