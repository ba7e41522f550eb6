// Which turns of a program are divided among threads, and which stay with the caller: one turn's half on another core
// ends sooner, but that core has to be handed it, and to fetch what the caller has written; and the caller to fetch
// back what the other core has.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/thread_costs.h"

namespace galvani {

// What a turn reads that another one has written, or the same one in the step before.
struct TurnRead {
  size_t writer;
  int64_t bytes;
  bool is_in_step;  // each thread reads what it has written itself, where both are divided
};

struct Turn {
  double nanoseconds;  // on one thread; 0 where that is not known
  bool is_divisible;
  std::vector<TurnRead> reads;
};

// By turn. What is divisible and of unknown length is divided.
std::vector<bool> choose_divided(const std::vector<Turn>& turns, const ThreadCosts& costs, int threads);

}  // namespace galvani
