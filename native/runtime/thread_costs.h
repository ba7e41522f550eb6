// What it costs on this machine that threads work together, measured once. On some, two processors of a virtual machine
// share no cache, and others get to do so or cease to while the process runs.
#pragma once

#include "runtime/thread_pool.h"

namespace galvani {

struct ThreadCosts {
  double fork_join;  // nanoseconds to hand over work to threads that spin, and to know that it is done
  double line;       // and to read a cache line that another thread writes, and that one to have it back
};

// Measured at the first call that finds the helpers free; what is usual where that was not so yet.
ThreadCosts thread_costs(ThreadPool& pool);

// The same, measured now, if there are helpers and nobody else has them.
bool measure_thread_costs(ThreadPool& pool, ThreadCosts* costs);

}  // namespace galvani
