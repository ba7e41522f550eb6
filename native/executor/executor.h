// A program that is ready to run.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "executor/memory.h"
#include "executor/sequence.h"
#include "program/program.h"
#include "runtime/thread_pool.h"

namespace galvani {

// In place of the instruction of a failure.
constexpr int32_t kAborted = -1;

enum class PrepareStatus { k_ok, k_malformed, k_no_memory };

class Executable {
 public:
  // Validates the program, chooses its kernels and takes the memory for its runs on up to `threads` threads. Null,
  // with `status` and `error`, where that fails.
  static std::shared_ptr<Executable> prepare(const int32_t* words, int64_t word_count, const uint8_t* literals,
                                             int64_t literal_bytes, const KernelTable& kernels, SharedBlock& memory,
                                             int threads, PrepareStatus* status, std::string* error);

  // What a run binds: inputs, states as read, states as written, results.
  const std::vector<BufferType>& buffers() const { return program_.buffers; }
  int input_count() const { return program_.input_count; }
  int state_count() const { return program_.state_count; }

  // One buffer for each of buffers(), no writable one overlapping another except a state its old self. Runs of the
  // executables that share memory are of one thread at a time; one may be in the midst of another, whose threads it is
  // lent, if it can_pass(). False where an index in the data is out of range.
  bool run(void* const* buffers, ThreadPool& pool, Failure* failure, const Interruption& interruption = {},
           Parallel* lent = nullptr) {
    return run(buffers, pool, failure, interruption, lent, nullptr);
  }
  // The same, with the time that each instruction took by itself: nanoseconds[instruction_count()].
  bool profile(void* const* buffers, ThreadPool& pool, Failure* failure, double* nanoseconds) {
    return run(buffers, pool, failure, {}, nullptr, nanoseconds);
  }
  // Whether a run can be in the midst of the one that is under way: not of itself, and with memory of its own.
  bool can_pass() const { return !is_running_ && room_->block()->data() != nullptr; }
  size_t instruction_count() const { return sequence_.count(); }
  // How many of them have a turn of their own.
  size_t turn_count() const { return sequence_.steps().size(); }

 private:
  explicit Executable(SharedBlock memory) : memory_(std::move(memory)) {}
  bool take_memory(int threads);
  void place(ThreadPool& pool);
  void bind(void* const* buffers, uint8_t* arena);
  bool run(void* const* buffers, ThreadPool& pool, Failure* failure, const Interruption& interruption, Parallel* lent,
           double* nanoseconds);
  bool run_steps(Run& run, const Interruption& interruption, Failure* failure);
  bool run_timed(Run& run, Failure* failure, double* nanoseconds);
  bool fail(const Run& run, size_t i, Failure* failure) const;

  Program program_;
  Sequence sequence_;
  std::unique_ptr<Block> literals_;
  SharedBlock memory_;
  std::unique_ptr<SharedBlock::Room> room_;  // for the arena, then the workspace
  int threads_ = 0;                          // that there is workspace for
  int placed_threads_ = 0;                   // that the sequence is placed for
  std::vector<uint8_t*> bases_;              // see Run
  bool is_running_ = false;
};

}  // namespace galvani
