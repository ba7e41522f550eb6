#include "executor/executor.h"

#include <chrono>
#include <cstring>
#include <optional>

#include "base/numbers.h"

namespace galvani {

std::shared_ptr<Executable> Executable::prepare(const int32_t* words, int64_t word_count, const uint8_t* literals,
                                                int64_t literal_bytes, const KernelTable& kernels, SharedBlock& memory,
                                                int threads, PrepareStatus* status, std::string* error) {
  std::shared_ptr<Executable> executable(new Executable(memory));
  *status = PrepareStatus::k_malformed;
  if (!decode_program(words, word_count, literal_bytes, &executable->program_, error)) return nullptr;
  Program& program = executable->program_;
  if (!executable->sequence_.prepare(program, kernels, 0, error)) return nullptr;
  program.instructions = {};
  program.values = {};
  executable->bases_.resize(program.input_count + program.state_count + program.result_count + 2);
  *status = PrepareStatus::k_no_memory;
  executable->literals_ = std::make_unique<Block>(literal_bytes);
  if (executable->literals_->data() == nullptr || !executable->take_memory(threads)) {
    *error = "expected a program that fits in memory, got one that needs " +
             std::to_string(program.arena_bytes + executable->sequence_.workspace_bytes(threads)) + " bytes";
    return nullptr;
  }
  if (literal_bytes > 0) std::memcpy(executable->literals_->data(), literals, literal_bytes);
  *status = PrepareStatus::k_ok;
  return executable;
}

bool Executable::take_memory(int threads) {
  std::unique_ptr<SharedBlock::Room> room =
      memory_.reserve(round_up(program_.arena_bytes, kArenaAlignment) + sequence_.workspace_bytes(threads));
  if (room == nullptr) return false;
  room_ = std::move(room);
  threads_ = threads;
  return true;
}

// Before the first run on so many threads, whose costs may have to be measured.
void Executable::place(ThreadPool& pool) {
  placed_threads_ = pool.threads();
  if (placed_threads_ > 1 && sequence_.is_parallel()) sequence_.place(placed_threads_, thread_costs(pool));
}

void Executable::bind(void* const* buffers, uint8_t* arena) {
  const int32_t inputs = program_.input_count, states = program_.state_count;
  const auto byte_pointer = [buffers](int32_t i) { return static_cast<uint8_t*>(buffers[i]); };
  uint8_t** base = bases_.data();
  for (int32_t i = 0; i < inputs; ++i) *base++ = byte_pointer(i);
  for (int32_t i = inputs; i < inputs + states; ++i) {
    uint8_t* const written = byte_pointer(i + states);
    if (written != byte_pointer(i) && program_.buffers[i].bytes > 0) {
      std::memcpy(written, byte_pointer(i), program_.buffers[i].bytes);
    }
    *base++ = written;
  }
  for (int32_t i = inputs + 2 * states; i < inputs + 2 * states + program_.result_count; ++i) *base++ = byte_pointer(i);
  *base++ = literals_->data();
  *base++ = arena;
}

bool Executable::run(void* const* buffers, ThreadPool& pool, Failure* failure, const Interruption& interruption,
                     Parallel* lent, double* nanoseconds) {
  // After setNumThreads; where there is no memory for more, fewer threads do it.
  if (lent == nullptr && pool.threads() > threads_) take_memory(pool.threads());
  if (lent == nullptr && pool.threads() != placed_threads_) place(pool);
  const std::shared_ptr<Block> block = room_->block();
  bind(buffers, block->data());
  std::optional<ThreadPool::Lease> own;
  if (lent == nullptr || lent->threads() == 1 || lent->threads() > threads_) {
    own.emplace(pool, sequence_.is_parallel() ? threads_ : 1);
  }
  Run run{bases_.data(),
          own.has_value() ? *own : *lent,
          block->data() + round_up(program_.arena_bytes, kArenaAlignment),
          {},
          {}};
  run.is_lent = interruption.is_stopping != nullptr;
  is_running_ = true;
  const bool succeeded =
      nanoseconds == nullptr ? run_steps(run, interruption, failure) : run_timed(run, failure, nanoseconds);
  is_running_ = false;
  return succeeded;
}

bool Executable::run_steps(Run& run, const Interruption& interruption, Failure* failure) {
  const size_t first_update = sequence_.first_update();
  Run alone{run.bases, run.serial, run.workspace, {}, {}, run.is_lent};
  for (size_t turn = 0; turn < sequence_.steps().size(); ++turn) {
    const size_t i = sequence_.steps()[turn];
    Run& own = sequence_.is_divided(turn) ? run : alone;
    interruption.let_pass(run.parallel);
    if (is_set(interruption.is_stopping)) break;
    if (i <= first_update && is_set(interruption.is_aborted)) {
      *failure = {kAborted, 0, 0, 0};
      return false;
    }
    own.interruption = interruption;
    if (i >= first_update) own.interruption.is_aborted = nullptr;
    if (sequence_[i].run(own)) continue;
    if (own.is_ended && is_set(interruption.is_stopping)) break;
    return fail(own, i, failure);
  }
  return true;
}

bool Executable::run_timed(Run& run, Failure* failure, double* nanoseconds) {
  using Clock = std::chrono::steady_clock;
  run.has_tails = false;
  for (size_t i = 0; i < sequence_.count(); ++i) {
    const auto begin = Clock::now();
    const bool succeeded = sequence_[i].run(run);
    nanoseconds[i] = std::chrono::duration<double, std::nano>(Clock::now() - begin).count();
    if (!succeeded) return fail(run, i, failure);
  }
  return true;
}

bool Executable::fail(const Run& run, size_t i, Failure* failure) const {
  *failure = run.failure;
  failure->instruction = run.is_ended ? kAborted : sequence_.number(i) + 1 + run.failure.instruction;
  return false;
}

}  // namespace galvani
