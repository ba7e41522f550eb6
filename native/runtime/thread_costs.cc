#include "runtime/thread_costs.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <vector>

namespace galvani {
namespace {

constexpr ThreadCosts kUsual = {500, 0};
// What is more than that is not the machine's, but a neighbour's who had a processor meanwhile.
constexpr ThreadCosts kMost = {1500, 20};
constexpr int kTrials = 12, kForks = 16;
constexpr int kMostTurns = 1 << 12;                   // some 0.1 ms
constexpr int64_t kLines = 1024, kNumbersOfLine = 8;  // of 64 bytes

using Clock = std::chrono::steady_clock;

double nanoseconds_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::nano>(Clock::now() - begin).count();
}

// The median of some trials, as whatever else the machine does lengthens some of them.
template <typename Trial>
double median(Trial trial) {
  double times[kTrials];
  for (double& time : times) time = trial();
  std::nth_element(times, times + kTrials / 2, times + kTrials);
  return times[kTrials / 2];
}

// Runs body(task) for two tasks, each by a thread of its own: none ends before both have begun, unless one does not
// come.
template <typename Body>
void run_both(ThreadPool::Lease& lease, Body body) {
  std::atomic<int> begun{0};
  lease.for_each(2, [&](int64_t task, int) {
    begun.fetch_add(1);
    for (Spinner spinner(kMostTurns); begun.load() < 2 && spinner.turns() < kMostTurns; spinner.spin()) {
    }
    body(task);
  });
}

// The threads meet at the beginning and at the end, where they else may go on at one of the two without each other.
double fork_join_of(ThreadPool::Lease& lease) {
  return 0.5 * median([&] {
           const auto begin = Clock::now();
           for (int i = 0; i < kForks; ++i) run_both(lease, [](int64_t) {});
           return nanoseconds_since(begin) / kForks;
         });
}

// Two threads write a block each, and then read their own or that of the other: who writes to a line again that the
// other has read waits for it, too.
class Blocks {
 public:
  Blocks() : numbers_(2 * kLines * kNumbersOfLine) {}

  double line_of(ThreadPool::Lease& lease) {
    const double own = median([&] { return time_of(lease, 0); }), other = median([&] { return time_of(lease, 1); });
    return std::max(0.0, other - own) / kLines;
  }

 private:
  double time_of(ThreadPool::Lease& lease, int64_t other) {
    const auto begin = Clock::now();
    run_both(lease, [&](int64_t task) {
      for (int64_t i = 0; i < kLines * kNumbersOfLine; ++i) block(task)[i] += static_cast<uint64_t>(i);
    });
    run_both(lease, [&](int64_t task) {
      uint64_t sum = 0;
      for (int64_t i = 0; i < kLines * kNumbersOfLine; ++i) sum += block(task ^ other)[i];
      sums_[task * kNumbersOfLine] = sum;
    });
    return nanoseconds_since(begin);
  }

  uint64_t* block(int64_t i) { return numbers_.data() + i * kLines * kNumbersOfLine; }

  std::vector<uint64_t> numbers_;
  volatile uint64_t sums_[2 * kNumbersOfLine] = {};
};

}  // namespace

bool measure_thread_costs(ThreadPool& pool, ThreadCosts* costs) {
  ThreadPool::Lease lease(pool, 2);
  if (lease.threads() < 2) return false;
  costs->fork_join = std::min(fork_join_of(lease), kMost.fork_join);
  costs->line = std::min(Blocks().line_of(lease), kMost.line);
  return true;
}

ThreadCosts thread_costs(ThreadPool& pool) {
  static std::mutex mutex;
  static bool is_measured = false;
  static ThreadCosts costs = kUsual;
  std::lock_guard<std::mutex> lock(mutex);
  if (!is_measured) is_measured = measure_thread_costs(pool, &costs);
  return costs;
}

}  // namespace galvani
