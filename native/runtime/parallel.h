// Work that is split by output. One call runs its tasks on the caller and on whichever helpers are awake.
#pragma once

#include <cstdint>

namespace galvani {

constexpr int kMaxThreads = 64;

class Parallel {
 public:
  virtual ~Parallel() = default;
  // How many threads may take tasks, the caller included.
  virtual int threads() const = 0;
  // Runs body(context, task, thread) once for each task in [0, tasks); returns when all are done. thread < threads().
  virtual void run(int64_t tasks, void (*body)(void* context, int64_t task, int thread), void* context) = 0;

  template <typename Body>
  void for_each(int64_t tasks, Body&& body) {
    run(
        tasks, [](void* context, int64_t task, int thread) { (*static_cast<Body*>(context))(task, thread); }, &body);
  }
};

// Everything on the caller's thread.
class Serial final : public Parallel {
 public:
  int threads() const override { return 1; }
  void run(int64_t tasks, void (*body)(void*, int64_t, int), void* context) override {
    for (int64_t task = 0; task < tasks; ++task) body(context, task, 0);
  }
};

}  // namespace galvani
