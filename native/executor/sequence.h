// The prepared instructions of a program, in the order in which they run.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "executor/placement.h"
#include "executor/prepared_instruction.h"

namespace galvani {

class Sequence {
 public:
  // False, with `error`, where an instruction cannot be prepared; `number` instructions are counted before them.
  bool prepare(const Program& program, const KernelTable& kernels, int32_t number, std::string* error);

  // Each instruction by itself.
  size_t count() const { return instructions_.size(); }
  const PreparedInstruction& operator[](size_t i) const { return *instructions_[i]; }
  // See Failure.
  int32_t number(size_t i) const { return numbers_[i]; }
  // The number that follows theirs.
  int32_t end_number() const { return end_number_; }

  // Those to run in turn: all but the ones that run as tails of others.
  const std::vector<size_t>& steps() const { return steps_; }
  // The first of all that writes a state in its turn.
  size_t first_update() const { return first_update_; }

  // Decides which of them are divided among so many threads; all that are worth it, unless it is asked.
  void place(int threads, const ThreadCosts& costs);
  bool is_divided(size_t turn) const { return is_divided_.empty() || is_divided_[turn]; }

  bool is_parallel() const { return is_parallel_; }
  // Of the instruction that needs most.
  int64_t workspace_bytes(int threads) const;

 private:
  std::vector<size_t> join_tails(const Program& program);
  void find_turns(const Program& program, const std::vector<size_t>& heads);

  std::vector<std::unique_ptr<PreparedInstruction>> instructions_;
  std::vector<int32_t> numbers_;
  std::vector<size_t> steps_;
  std::vector<Turn> turns_;  // of those
  std::vector<bool> is_divided_;
  size_t first_update_ = 0;
  int32_t end_number_ = 0;
  bool is_parallel_ = false;
};

}  // namespace galvani
