#include "executor/executor.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <optional>

#include "base/numbers.h"

namespace galvani {
namespace {

// Runs an instruction and gives its time.
bool run_timed(const PreparedInstruction& instruction, Run& run, double* nanoseconds) {
  const auto begin = std::chrono::steady_clock::now();
  const bool succeeded = instruction.run(run);
  *nanoseconds = std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count();
  return succeeded;
}

}  // namespace

std::shared_ptr<Executable> Executable::prepare(const int32_t* words, int64_t word_count, const uint8_t* literals,
                                                int64_t literal_bytes, const KernelTable& kernels, SharedBlock& memory,
                                                int threads, PrepareStatus* status, std::string* error) {
  std::shared_ptr<Executable> executable(new Executable(memory));
  *status = PrepareStatus::k_malformed;
  if (!decode_program(words, word_count, literal_bytes, &executable->program_, error)) return nullptr;
  if (!executable->prepare_instructions(kernels, error)) return nullptr;
  *status = PrepareStatus::k_no_memory;
  executable->literals_ = std::make_unique<Block>(literal_bytes);
  if (executable->literals_->data() == nullptr || !executable->take_memory(threads)) {
    *error = "expected a program that fits in memory, got one that needs " +
             std::to_string(executable->program_.arena_bytes + executable->workspace_bytes(threads)) + " bytes";
    return nullptr;
  }
  if (literal_bytes > 0) std::memcpy(executable->literals_->data(), literals, literal_bytes);
  *status = PrepareStatus::k_ok;
  return executable;
}

bool Executable::prepare_instructions(const KernelTable& kernels, std::string* error) {
  Preparation preparation{program_, kernels, ""};
  instructions_.reserve(program_.instructions.size());
  const auto writes_state = [this](const Instruction& instruction) {
    return std::any_of(instruction.outputs.begin(), instruction.outputs.end(),
                       [this](int32_t id) { return program_.values[id].place == Place::k_state; });
  };
  const auto& all = program_.instructions;
  first_update_ = static_cast<size_t>(std::find_if(all.begin(), all.end(), writes_state) - all.begin());
  int32_t number = 0;
  for (const Instruction& instruction : program_.instructions) {
    instructions_.push_back(prepare_instruction(preparation, instruction));
    if (instructions_.back() == nullptr) {
      *error = preparation.error;
      return false;
    }
    numbers_.push_back(number);
    number += 1 + inner_count(instruction);
    has_parallel_instruction_ |= instructions_.back()->is_parallel();
  }
  program_.instructions = {};
  program_.values = {};
  bases_.resize(program_.input_count + program_.state_count + program_.result_count + 2);
  return true;
}

int64_t Executable::workspace_bytes(int threads) const {
  int64_t most = 0;
  for (const auto& instruction : instructions_) {
    most = std::max(most, instruction->workspace_bytes(instruction->is_parallel() ? threads : 1));
  }
  return most;
}

bool Executable::take_memory(int threads) {
  std::unique_ptr<SharedBlock::Room> room =
      memory_.reserve(round_up(program_.arena_bytes, kArenaAlignment) + workspace_bytes(threads));
  if (room == nullptr) return false;
  room_ = std::move(room);
  threads_ = threads;
  return true;
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
  const std::shared_ptr<Block> block = room_->block();
  bind(buffers, block->data());
  std::optional<ThreadPool::Lease> own;
  if (lent == nullptr || lent->threads() == 1 || lent->threads() > threads_) {
    own.emplace(pool, has_parallel_instruction_ ? threads_ : 1);
  }
  Run run{bases_.data(),
          own.has_value() ? *own : *lent,
          block->data() + round_up(program_.arena_bytes, kArenaAlignment),
          {},
          {}};
  run.is_lent = interruption.is_stopping != nullptr;
  is_running_ = true;
  const bool succeeded = run_instructions(run, interruption, failure, nanoseconds);
  is_running_ = false;
  return succeeded;
}

bool Executable::run_instructions(Run& run, const Interruption& interruption, Failure* failure, double* nanoseconds) {
  for (size_t i = 0; i < instructions_.size(); ++i) {
    interruption.let_pass(run.parallel);
    if (is_set(interruption.is_stopping)) break;
    if (i <= first_update_ && is_set(interruption.is_aborted)) {
      *failure = {kAborted, 0, 0, 0};
      return false;
    }
    run.interruption = interruption;
    if (i >= first_update_) run.interruption.is_aborted = nullptr;
    if (nanoseconds == nullptr ? instructions_[i]->run(run) : run_timed(*instructions_[i], run, nanoseconds + i))
      continue;
    if (run.is_ended && is_set(interruption.is_stopping)) break;
    *failure = run.failure;
    failure->instruction = run.is_ended ? kAborted : numbers_[i] + 1 + run.failure.instruction;
    return false;
  }
  return true;
}

}  // namespace galvani
