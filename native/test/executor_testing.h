// Running programs in tests.
#pragma once

#include <memory>
#include <vector>

#include "executor/executor.h"
#include "test/kernel_testing.h"
#include "test/program_builder.h"

namespace galvani::test {

using Bytes = std::vector<uint8_t>;

template <typename T>
Bytes bytes_of(const std::vector<T>& values) {
  Bytes bytes(values.size() * sizeof(T));
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

template <typename T>
std::vector<T> values_of(const Bytes& bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

// A copy of bytes that ends where its memory does and starts away from a vector's boundary, as a view of a JavaScript
// buffer may: so a sanitizer sees every step outside, and a kernel no alignment but that of elements.
class BoundBuffer {
 public:
  BoundBuffer(const Bytes& bytes, int64_t misalignment)
      : memory_(new uint8_t[bytes.size() + misalignment]), data_(memory_.get() + misalignment), size_(bytes.size()) {
    if (size_ > 0) std::memcpy(data_, bytes.data(), size_);
  }
  uint8_t* data() const { return data_; }
  Bytes bytes() const { return Bytes(data_, data_ + size_); }

 private:
  std::unique_ptr<uint8_t[]> memory_;
  uint8_t* data_;
  size_t size_;
};

struct Outcome {
  bool is_prepared = false, has_run = false;
  std::string error;
  Failure failure{};
  size_t turns = 0;
  std::vector<Bytes> buffers;  // after the run: inputs, states as read, states as written, results
};

inline ThreadPool& pool_of(int threads) {
  static ThreadPool pools[kMaxThreads + 1];
  if (pools[threads].threads() != threads) pools[threads].set_threads(threads);
  return pools[threads];
}

inline std::shared_ptr<Executable> prepare(const Words& words, const Bytes& literals, const KernelTable& table,
                                           SharedBlock& memory, int threads, std::string* error) {
  PrepareStatus status;
  return Executable::prepare(words.data(), static_cast<int64_t>(words.size()), literals.data(),
                             static_cast<int64_t>(literals.size()), table, memory, threads, &status, error);
}

// `contents` holds the first buffers; those that follow start as zeros. A state is written in place, unless
// `has_new_states`: then to a buffer of its own. Each instruction runs by itself if `is_timed`.
inline Outcome run(const Words& words, const Bytes& literals, std::vector<Bytes> contents, const KernelTable& table,
                   int threads, bool has_new_states = true, bool is_timed = false) {
  Outcome outcome;
  SharedBlock memory;
  const auto executable = prepare(words, literals, table, memory, threads, &outcome.error);
  outcome.is_prepared = executable != nullptr;
  if (!outcome.is_prepared) return outcome;
  std::vector<BoundBuffer> buffers;
  std::vector<void*> pointers;
  for (const BufferType& type : executable->buffers()) {
    const size_t i = buffers.size();
    contents.resize(std::max(contents.size(), i + 1));
    contents[i].resize(type.bytes);
    buffers.emplace_back(contents[i], element_bytes(type.dtype));
    const size_t first_new = executable->input_count() + executable->state_count();
    const bool is_new_state = i >= first_new && i < first_new + executable->state_count();
    pointers.push_back(is_new_state && !has_new_states ? pointers[i - executable->state_count()] : buffers[i].data());
  }
  outcome.turns = executable->turn_count();
  std::vector<double> times(executable->instruction_count());
  outcome.has_run = is_timed ? executable->profile(pointers.data(), pool_of(threads), &outcome.failure, times.data())
                             : executable->run(pointers.data(), pool_of(threads), &outcome.failure);
  for (size_t i = 0; i < buffers.size(); ++i) {
    const uint8_t* const data = static_cast<const uint8_t*>(pointers[i]);
    outcome.buffers.emplace_back(data, data + executable->buffers()[i].bytes);
  }
  return outcome;
}

// Runs on every instruction set with 1, 2 and 4 threads, which must give the same bits; check(outcome) for each set.
template <typename Check>
void run_everywhere(const ProgramBuilder& builder, const std::vector<Bytes>& contents, Check check) {
  for_each_table([&](const KernelTable& table) {
    const Outcome alone = run(builder.words(), builder.literals, contents, table, 1);
    EXPECT_EQ(alone.error, std::string());
    if (!alone.is_prepared) return;
    for (const int threads : {2, 4}) {
      const Outcome together = run(builder.words(), builder.literals, contents, table, threads);
      EXPECT_EQ(together.has_run, alone.has_run);
      EXPECT(together.buffers == alone.buffers);
    }
    check(alone);
  });
}

using Floats = std::vector<float>;
using Ints = std::vector<int32_t>;

inline Floats random_floats(int64_t n, uint64_t seed = 1) {
  Random random(seed);
  Floats values(n);
  for (float& value : values) value = random.uniform(-2, 2);
  return values;
}

inline void expect_floats(const Bytes& actual, const Floats& wanted, double tolerance = 0) {
  const Floats values = values_of<float>(actual);
  EXPECT_EQ(values.size(), wanted.size());
  for (size_t i = 0; i < values.size() && i < wanted.size(); ++i) EXPECT_NEAR(values[i], wanted[i], tolerance);
}

}  // namespace galvani::test
