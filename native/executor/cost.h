// What work costs, roughly, and so into how many pieces it is worth dividing. The division depends on the work alone,
// never on the number of threads.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/kernel_table.h"

namespace galvani {

namespace cost {

// Nanoseconds on one thread of a current x86 core with AVX-512 (bench/rows_bench.cc).
constexpr double kPerByte = 0.004;   // streamed from or to the second-level cache
constexpr double kPerFlop = 0.0045;  // of a matrix multiplication
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

// One element of one micro-op on registers that stay in the first-level cache.
inline double per_element(MicroOp op) {
  switch (op) {
    case MicroOp::k_exp:
    case MicroOp::k_log: return 0.1;
    case MicroOp::k_sigmoid:
    case MicroOp::k_tanh:
    case MicroOp::k_expm1:
    case MicroOp::k_log1p:
    case MicroOp::k_sin:
    case MicroOp::k_cos:
    case MicroOp::k_erf:
    case MicroOp::k_silu:
    case MicroOp::k_elu:
    case MicroOp::k_exp2:
    case MicroOp::k_sinh:
    case MicroOp::k_cosh:
    case MicroOp::k_hypot:
    case MicroOp::k_softplus: return 0.2;
    case MicroOp::k_tan:
    case MicroOp::k_cbrt:
    case MicroOp::k_log2:
    case MicroOp::k_log10:
    case MicroOp::k_asin:
    case MicroOp::k_acos:
    case MicroOp::k_atan:
    case MicroOp::k_atan2:
    case MicroOp::k_mod:
    case MicroOp::k_fmod:
    case MicroOp::k_floorDiv:
    case MicroOp::k_erfc:
    case MicroOp::k_asinh:
    case MicroOp::k_acosh:
    case MicroOp::k_atanh:
    case MicroOp::k_gelu:
    case MicroOp::k_geluTanh: return 0.3;
    case MicroOp::k_pow: return 0.5;
    case MicroOp::k_div:
    case MicroOp::k_reciprocal:
    case MicroOp::k_rsqrt:
    case MicroOp::k_sqrt: return 0.04;
    default: return 0.015;
  }
}

}  // namespace cost

// [0, count) in ranges of `grain` items; the last one is what is left.
struct Split {
  int64_t count, grain;
  int64_t tasks() const { return count == 0 ? 0 : (count + grain - 1) / grain; }
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
  const int64_t tasks = task_count(static_cast<double>(count) * nanoseconds_per_item);
  const int64_t units = std::max<int64_t>((count + unit - 1) / unit, 1);
  return {count, (units + tasks - 1) / tasks * unit};
}

}  // namespace galvani
