// The threads that help a program run: one pool for the process, which one program at a time may lease.
//
// Waking a parked thread takes some 50 µs, handing work to a spinning one 0.4 µs. So helpers spin while a program that
// can use them runs, and for a moment afterwards, as the next one often follows at once; then they park.
//
// Each thread begins with its own share of the tasks, the same one for every job of as many: what an instruction leaves
// in a core's cache is there for the next. Who is done early takes from the end of the others' shares.
//
// Where another process wants a processor, a thread loses its own for milliseconds, be it in the middle of a task for
// which the others then wait. So who waits looks whether the thread it waits for runs, and if not, gives it its own
// processor: the caller one to a helper until that is done, a helper one to the caller for good. Yielding would not do:
// it lets whoever is on the same processor run, and the scheduler takes it for a renunciation of time.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>

#include "runtime/parallel.h"
#include "runtime/system.h"
#include "runtime/thread.h"

namespace galvani {

// A number of threads, and where it comes from.
struct ThreadCount {
  int threads;
  const char* from;
};

class ThreadPool {
 public:
  ThreadPool() = default;
  ~ThreadPool() { stop(); }
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // The pool of the process. It is never destroyed: a process may exit while its threads run.
  static ThreadPool& instance();

  // How many threads a program may use, the caller's included.
  int threads() const { return threads_.load(std::memory_order_relaxed); }
  // Where that number comes from.
  const char* threads_from() const { return threads_from_.load(std::memory_order_relaxed); }
  // Waits for the program that has the helpers. 1 to kMaxThreads.
  void set_threads(int threads, const char* from = "setNumThreads");

  // Each environment holds the pool; when the last one lets go, the helpers end.
  void retain();
  void release();

  // The helpers, for one program; none of them, if another program has them already. The results are the same.
  class Lease final : public Parallel {
   public:
    // At most `most_threads` threads, the caller included.
    Lease(ThreadPool& pool, int most_threads);
    ~Lease() override;
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    int threads() const override { return threads_; }
    void run(int64_t tasks, void (*body)(void*, int64_t, int), void* context) override;

   private:
    ThreadPool& pool_;
    int threads_;
  };

 private:
  struct Share;
  // Of a helper to the processor of the caller.
  enum class Visit { k_none, k_begins, k_is_there };
  struct Helper {
    ThreadPool* pool;
    int index;
    bool is_parked = false;  // guarded by park_mutex_
    Thread thread;
    std::atomic<int> number{0};                       // of the thread, once it runs
    Watch watch;                                      // of the caller over it
    alignas(64) std::atomic<bool> is_at_work{false};  // it may have a task
    std::atomic<Visit> visit{Visit::k_none};
  };

  bool acquire();
  void wait_and_acquire();
  void give_back();
  void start_helpers();
  void stop();
  void stop_helpers();
  void note_processors();
  void wake_helpers();
  void park(Helper* helper);
  void help(Helper* self);
  void run(int64_t tasks, void (*body)(void*, int64_t, int), void* context, int threads);
  void wait_for_helpers(int64_t tasks, int threads);
  void bring_waiting_helpers(int threads);
  void end_visit(Helper* self);
  void give_way_to_caller();
  void take_tasks(int thread);
  bool take_task(int thread, Share& share, bool is_own);

  // The tasks of a job that nobody has taken yet, out of the share of one thread: [begin, end), under the job's number.
  // Whoever lowers it owns a task, and from then on the job does not end before that one is done.
  struct alignas(64) Share {
    static constexpr int kBits = 12;
    static constexpr uint64_t kMask = (uint64_t{1} << kBits) - 1;
    static uint64_t pack(uint64_t job, int64_t begin, int64_t end) {
      return job << (2 * kBits) | static_cast<uint64_t>(begin) << kBits | static_cast<uint64_t>(end);
    }
    static int64_t begin_of(uint64_t tasks) { return static_cast<int64_t>(tasks >> kBits & kMask); }
    static int64_t end_of(uint64_t tasks) { return static_cast<int64_t>(tasks & kMask); }
    std::atomic<uint64_t> tasks{0};
  };
  static constexpr int64_t kMostTasks = Share::kMask;

  // What is being run. A new job is written member by member, `job_` last.
  Share shares_[kMaxThreads];
  std::atomic<void (*)(void*, int64_t, int)> body_{nullptr};
  std::atomic<void*> context_{nullptr};
  std::atomic<int> job_threads_{0};
  alignas(64) std::atomic<uint64_t> job_{0};
  alignas(64) std::atomic<int64_t> done_{0};

  alignas(64) std::atomic<bool> is_leased_{false};
  std::atomic<bool> is_in_use_{false};  // a program that can use the helpers runs
  std::atomic<bool> is_stopping_{false};
  std::atomic<int> parked_{0};
  std::atomic<int> caller_{0};                 // the number of the thread that has the lease
  std::atomic<bool> is_moving_caller_{false};  // a helper does
  std::atomic<int> threads_{1};
  std::atomic<const char*> threads_from_{""};
  std::mutex park_mutex_;
  std::condition_variable unpark_;
  Processors processors_;  // those of the last thread that woke the helpers

  int environments_ = 0;  // guarded by the lease, as are the helpers
  int helper_count_ = 0;
  Helper helpers_[kMaxThreads];
};

// How many threads programs use unless told, and by which name that is known: "GALVANI_NUM_THREADS" for the text of
// that variable, null or empty where it is not set; else "affinity" for the processors this process may use, or "cgroup
// quota" where `quota` of processors is less (see cpu_quota). No threads, and an error, where the variable is no number
// from 1 to kMaxThreads.
ThreadCount default_thread_count(const char* variable, double quota, std::string* error);

}  // namespace galvani
