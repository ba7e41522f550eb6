// Where threads run, and waiting for them without sleep.
#pragma once

#if defined(__linux__)
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#endif

#include <cstdint>
#include <thread>

namespace galvani {

// The number by which the system knows the calling thread. Here and below, 0 is no thread that can be looked at, and
// only Linux has any.
inline int number_of_this_thread() {
#if defined(__linux__)
  static thread_local const int number = static_cast<int>(syscall(SYS_gettid));
  return number;
#else
  return 0;
#endif
}

// The nanoseconds for which a thread of this process has had a processor; -1 where that is not known.
inline int64_t processor_time_of(int thread) {
#if defined(__linux__)
  // The clock that pthread_getcpuclockid names, which needs a handle of a thread that has not ended.
  constexpr unsigned kClockOfThread = 6;
  timespec time;
  if (thread > 0 &&
      clock_gettime(static_cast<clockid_t>(~static_cast<unsigned>(thread) << 3 | kClockOfThread), &time) == 0) {
    return time.tv_sec * int64_t{1'000'000'000} + time.tv_nsec;
  }
#else
  static_cast<void>(thread);
#endif
  return -1;
}

// The processors that a thread may use.
class Processors {
 public:
#if defined(__linux__)
  Processors() { CPU_ZERO(&set_); }
  static Processors of(int thread) {
    Processors processors;
    if (sched_getaffinity(thread, sizeof processors.set_, &processors.set_) != 0) CPU_ZERO(&processors.set_);
    return processors;
  }
  bool is_empty() const { return CPU_COUNT(&set_) == 0; }
  Processors only_the_present_one() const {
    Processors one;
    const int present = sched_getcpu();
    if (present >= 0 && CPU_ISSET(present, &set_)) CPU_SET(present, &one.set_);
    return one;
  }
  Processors without_the_present_one() const {
    Processors others = *this;
    const int present = sched_getcpu();
    if (present >= 0) CPU_CLR(present, &others.set_);
    return others;
  }
  // False where the system does not let it.
  bool bind(int thread) const { return sched_setaffinity(thread, sizeof set_, &set_) == 0; }

 private:
  cpu_set_t set_;
#else
  static Processors of(int) { return Processors(); }
  bool is_empty() const { return true; }
  Processors only_the_present_one() const { return *this; }
  Processors without_the_present_one() const { return *this; }
  bool bind(int) const { return false; }
#endif
};

// Moves a thread that has no processor to the present one; afterwards it may use as many as before. False where it may
// not be here. It may begin at once, in the place of the caller, who goes on when it has ended or yields. Only one
// thread at a time may move another, as it would take for all what is allowed in between.
inline bool bring_here(int thread) {
  const Processors all = Processors::of(thread), here = all.only_the_present_one();
  if (here.is_empty() || !here.bind(thread)) return false;
  all.bind(thread);
  return true;
}

// The calling thread goes to another processor, if it may use any, and waits there for its turn.
inline void leave_processor() {
  const Processors all = Processors::of(0), others = all.without_the_present_one();
  if (others.is_empty()) {
    std::this_thread::yield();
  } else {
    others.bind(0);
    all.bind(0);
  }
}

// Looks at a thread from time to time, and tells whether it has had no processor since the last look.
class Watch {
 public:
  bool finds_it_waiting(int thread) {
    const int64_t time = processor_time_of(thread);
    const bool stands_still = time >= 0 && time == last_;
    last_ = time;
    return stands_still;
  }
  void forget() { last_ = -1; }

 private:
  int64_t last_ = -1;
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
  explicit Spinner(int pauses_alone = 512) : pauses_alone_(pauses_alone) {}

  void spin() {
    pause_briefly();
    if (++turns_ > pauses_alone_ && turns_ % kPausesPerYield == 0) std::this_thread::yield();
  }

  int turns() const { return turns_; }

 private:
  static constexpr int kPausesPerYield = 16;
  int pauses_alone_;
  int turns_ = 0;
};

}  // namespace galvani
