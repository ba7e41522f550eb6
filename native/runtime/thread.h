// Threads, where they run, and waiting for them without sleep.
#pragma once

#include <pthread.h>
#include <sched.h>
#include <signal.h>

namespace galvani {

// The processors that a thread may use. Only Linux can be told.
class Processors {
 public:
  static Processors of_this_thread() {
    Processors processors;
#if defined(__linux__)
    if (sched_getaffinity(0, sizeof processors.set_, &processors.set_) != 0) CPU_ZERO(&processors.set_);
#endif
    return processors;
  }

#if defined(__linux__)
  Processors() { CPU_ZERO(&set_); }
  bool is_empty() const { return CPU_COUNT(&set_) == 0; }
  Processors without_the_present_one() const {
    Processors others = *this;
    const int present = sched_getcpu();
    if (present >= 0) CPU_CLR(present, &others.set_);
    return others;
  }
  void bind(pthread_t thread) const { pthread_setaffinity_np(thread, sizeof set_, &set_); }

 private:
  cpu_set_t set_;
#else
  bool is_empty() const { return true; }
  Processors without_the_present_one() const { return *this; }
  void bind(pthread_t) const {}
#endif
};

// A thread that may fail to start. std::thread would end the process then, as there are no exceptions here.
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
  pthread_t handle() const { return handle_; }

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
