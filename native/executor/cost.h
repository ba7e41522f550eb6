// What work costs, roughly, and so into how many pieces it is worth dividing. The division depends on the work alone,
// never on the number of threads.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/kernel_table.h"

namespace galvani {

namespace cost {

// Nanoseconds on one thread of a current x86 core.
constexpr double kPerByte = 0.03;   // streamed from or to the second-level cache
constexpr double kPerFlop = 0.015;  // of a matrix multiplication
constexpr double kPerReducedElement = 0.1;
constexpr double kPerSoftmaxElement = 1.0;
constexpr double kPerRandomElement = 1.5;
constexpr double kPerUpdatedElement = 0.8;  // of an optimizer step, beside its memory
constexpr double kPerRow = 3;               // a call to copy or add one row

// One element of one micro-op on registers that stay in the first-level cache.
inline double per_element(MicroOp op) {
  switch (op) {
    case MicroOp::k_exp:
    case MicroOp::k_log:
    case MicroOp::k_sigmoid:
    case MicroOp::k_tanh:
    case MicroOp::k_expm1:
    case MicroOp::k_log1p:
    case MicroOp::k_sin:
    case MicroOp::k_cos:
    case MicroOp::k_erf:
    case MicroOp::k_silu:
    case MicroOp::k_elu:
    case MicroOp::k_softplus: return 0.7;
    case MicroOp::k_gelu:
    case MicroOp::k_geluTanh: return 1;
    case MicroOp::k_pow: return 2;
    case MicroOp::k_div:
    case MicroOp::k_reciprocal:
    case MicroOp::k_rsqrt:
    case MicroOp::k_sqrt: return 0.25;
    default: return 0.1;
  }
}

}  // namespace cost

// [0, count) in ranges of `grain` items; the last one is what is left.
struct Split {
  int64_t count, grain;
  int64_t tasks() const { return count == 0 ? 0 : (count + grain - 1) / grain; }
};

// Tasks of some ten microseconds: handing one over costs half of one. What is cheaper than two is not divided.
constexpr double kTaskNanoseconds = 10'000;
constexpr int64_t kMostTasks = 128;

// Ranges that are multiples of `unit` items.
inline Split split_work(int64_t count, int64_t unit, double nanoseconds_per_item) {
  const double total = static_cast<double>(count) * nanoseconds_per_item;
  const int64_t tasks =
      std::clamp<int64_t>(static_cast<int64_t>(std::min(total / kTaskNanoseconds, 1e9)), 1, kMostTasks);
  const int64_t units = std::max<int64_t>((count + unit - 1) / unit, 1);
  return {count, (units + tasks - 1) / tasks * unit};
}

}  // namespace galvani
