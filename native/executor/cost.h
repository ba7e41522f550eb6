// What work costs, roughly, and so into how many pieces it is worth dividing. The division depends on the work alone,
// never on the number of threads.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/numbers.h"

namespace galvani {

namespace cost {

// Nanoseconds on one thread of a current x86 core with AVX-512 (bench/rows_bench.cc). Those of micro-ops are in their
// rows.
constexpr double kPerByte = 0.004;   // streamed from or to the second-level cache
constexpr double kPerFlop = 0.0045;  // of a matrix multiplication
constexpr double kPerIntegerProduct = 0.5;
constexpr double kPerByteProduct = 0.003;  // of int8, with VNNI
constexpr double kPerWeightByte = 0.025;   // read by such products, from beyond the second-level cache
constexpr double kPerStridedElement = 0.3;
constexpr double kPerTransposedElement = 0.08;
constexpr double kPerReducedElement = 0.02;
constexpr double kPerScannedElement = 0.5;
constexpr double kPerSortedElement = 10;
constexpr double kPerSoftmaxElement = 0.2;
constexpr double kPerRandomElement = 0.3;
constexpr double kPerSampledElement = 50;    // of a distribution with parameters
constexpr double kPerUpdatedElement = 0.05;  // of an optimizer step, beside its memory
constexpr double kPerRow = 3;                // a call to copy or add one row

inline double of_moving(int64_t bytes) { return 2 * static_cast<double>(bytes) * kPerByte; }

}  // namespace cost

// [0, count) in ranges of `grain` items; the last one is what is left.
struct Split {
  int64_t count, grain;
  double nanoseconds = 0;  // of all on one thread, where that is known
  int64_t tasks() const { return count == 0 ? 0 : ceil_div(count, grain); }
};

// Handing over a task costs half a microsecond, and as much for data that the other core holds: what takes less than
// four is not divided. The number of tasks grows with the square root of the work, as the cost of handing them over and
// the wait for the last of them then do. Powers of two, so that two threads have as many each.
constexpr double kDividedNanoseconds = 4'000;
constexpr int64_t kMostTasks = 128;

inline int64_t task_count(double nanoseconds) {
  int64_t tasks = 1;
  while (tasks < kMostTasks && nanoseconds >= kDividedNanoseconds * static_cast<double>(tasks * tasks)) tasks *= 2;
  return tasks;
}

// Ranges that are multiples of `unit` items.
inline Split split_work(int64_t count, int64_t unit, double nanoseconds_per_item) {
  const double nanoseconds = static_cast<double>(count) * nanoseconds_per_item;
  const int64_t units = std::max<int64_t>(ceil_div(count, unit), 1);
  return {count, ceil_div(units, task_count(nanoseconds)) * unit, nanoseconds};
}

}  // namespace galvani
