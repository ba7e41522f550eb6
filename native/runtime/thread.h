// A thread that may fail to start. std::thread would end the process then, as there are no exceptions here.
#pragma once

#include <pthread.h>
#include <sched.h>
#include <signal.h>

namespace galvani {

class Thread {
 public:
  // Runs body(context) on a new thread, which leaves every signal to Node's own threads.
  bool start(void* (*body)(void* context), void* context) {
    sigset_t all, previous;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &previous);
    is_running_ = pthread_create(&handle_, nullptr, body, context) == 0;
    pthread_sigmask(SIG_SETMASK, &previous, nullptr);
    return is_running_;
  }

  bool is_running() const { return is_running_; }

  void join() {
    if (is_running_) pthread_join(handle_, nullptr);
    is_running_ = false;
  }

 private:
  pthread_t handle_;
  bool is_running_ = false;
};

inline void pause_briefly() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Waiting without sleep: at first by pausing alone, which reacts soonest, then also by letting other threads run.
class Spinner {
 public:
  void spin() {
    pause_briefly();
    if (++turns_ > kPausesAlone && turns_ % kPausesPerYield == 0) sched_yield();
  }

  int turns() const { return turns_; }

 private:
  static constexpr int kPausesAlone = 512, kPausesPerYield = 16;
  int turns_ = 0;
};

}  // namespace galvani
