#include "runtime/thread_pool.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>

namespace galvani {
namespace {

// How long a helper spins after the last program that could use it, before it parks.
constexpr std::chrono::microseconds kSpinAfterUse{80};
constexpr int kTurnsPerLookAtClock = 64;

std::atomic<bool> is_forked_child{false};

}  // namespace

ThreadPool& ThreadPool::instance() {
  static ThreadPool* const pool = [] {
    // After fork() only the calling thread is there: programs of the child run on it alone.
    pthread_atfork(nullptr, nullptr, [] { is_forked_child = true; });
    return new ThreadPool;
  }();
  return *pool;
}

bool ThreadPool::acquire() { return !is_forked_child && !is_leased_.exchange(true, std::memory_order_acquire); }

void ThreadPool::wait_and_acquire() {
  for (Spinner spinner; !acquire() && !is_forked_child; spinner.spin()) {
  }
}

void ThreadPool::give_back() { is_leased_.store(false, std::memory_order_release); }

void ThreadPool::set_threads(int threads) {
  wait_and_acquire();
  if (threads != this->threads()) stop_helpers();
  threads_.store(threads, std::memory_order_relaxed);
  give_back();
}

void ThreadPool::retain() {
  wait_and_acquire();
  ++environments_;
  give_back();
}

void ThreadPool::release() {
  wait_and_acquire();
  if (--environments_ == 0) stop_helpers();
  give_back();
}

void ThreadPool::stop() {
  wait_and_acquire();
  stop_helpers();
  give_back();
}

// Where the system refuses another thread, there are fewer helpers.
void ThreadPool::start_helpers() {
  for (; helper_count_ < threads() - 1; ++helper_count_) {
    Helper& helper = helpers_[helper_count_];
    helper.pool = this;
    helper.index = helper_count_ + 1;
    const auto body = [](void* context) -> void* {
      const Helper* self = static_cast<Helper*>(context);
      self->pool->help(self->index);
      return nullptr;
    };
    if (!helper.thread.start(body, &helper)) break;
  }
}

void ThreadPool::stop_helpers() {
  if (is_forked_child) return;
  is_stopping_.store(true);
  wake_helpers();
  for (int i = 0; i < helper_count_; ++i) helpers_[i].thread.join();
  helper_count_ = 0;
  is_stopping_.store(false);
}

void ThreadPool::wake_helpers() {
  if (parked_.load() == 0) return;
  std::lock_guard<std::mutex> lock(park_mutex_);
  unpark_.notify_all();
}

void ThreadPool::park() {
  std::unique_lock<std::mutex> lock(park_mutex_);
  parked_.fetch_add(1);
  unpark_.wait(lock, [this] { return is_in_use_.load() || is_stopping_.load(); });
  parked_.fetch_sub(1);
}

void ThreadPool::help(int index) {
  using Clock = std::chrono::steady_clock;
  auto last_use = Clock::now();
  for (Spinner spinner; !is_stopping_.load(std::memory_order_relaxed); spinner.spin()) {
    if (take_tasks(index) > 0) {
      spinner = Spinner();
      last_use = Clock::now();
    }
    if (spinner.turns() % kTurnsPerLookAtClock != 0 || spinner.turns() == 0) continue;
    const auto now = Clock::now();
    if (is_in_use_.load(std::memory_order_relaxed)) last_use = now;
    if (now - last_use < kSpinAfterUse) continue;
    park();
    spinner = Spinner();
    last_use = Clock::now();
  }
}

// Runs tasks of the present job until none is left to take; gives how many it ran.
int64_t ThreadPool::take_tasks(int thread) {
  int64_t taken = 0;
  uint64_t ticket = ticket_.load(std::memory_order_acquire);
  while ((ticket & kRemainingMask) != 0) {
    const auto body = body_.load(std::memory_order_relaxed);
    void* const context = context_.load(std::memory_order_relaxed);
    const int64_t tasks = tasks_.load(std::memory_order_relaxed);
    if (thread >= job_threads_.load(std::memory_order_relaxed)) break;
    if (!ticket_.compare_exchange_weak(ticket, ticket - 1, std::memory_order_acq_rel, std::memory_order_acquire)) {
      continue;
    }
    body(context, tasks - static_cast<int64_t>(ticket & kRemainingMask), thread);
    done_.fetch_add(1, std::memory_order_release);
    ++taken;
    ticket = ticket_.load(std::memory_order_acquire);
  }
  return taken;
}

void ThreadPool::run(int64_t tasks, void (*body)(void*, int64_t, int), void* context, int threads) {
  body_.store(body, std::memory_order_relaxed);
  context_.store(context, std::memory_order_relaxed);
  tasks_.store(tasks, std::memory_order_relaxed);
  job_threads_.store(threads, std::memory_order_relaxed);
  done_.store(0, std::memory_order_relaxed);
  const uint64_t job = (ticket_.load(std::memory_order_relaxed) >> kRemainingBits) + 1;
  ticket_.store(job << kRemainingBits | static_cast<uint64_t>(tasks), std::memory_order_release);
  take_tasks(0);
  for (Spinner spinner; done_.load(std::memory_order_acquire) != tasks; spinner.spin()) {
  }
}

ThreadPool::Lease::Lease(ThreadPool& pool, int most_threads) : pool_(pool), threads_(1) {
  if (most_threads <= 1 || pool.threads() <= 1 || !pool.acquire()) return;
  pool.start_helpers();
  threads_ = std::min(most_threads, pool.helper_count_ + 1);
  if (threads_ > 1) {
    pool.is_in_use_.store(true);
    pool.wake_helpers();
  } else {
    pool.give_back();
  }
}

ThreadPool::Lease::~Lease() {
  if (threads_ == 1) return;
  pool_.is_in_use_.store(false);
  pool_.give_back();
}

void ThreadPool::Lease::run(int64_t tasks, void (*body)(void*, int64_t, int), void* context) {
  if (threads_ == 1 || tasks <= 1) return Serial().run(tasks, body, context);
  constexpr int64_t kMostTasks = kRemainingMask;
  if (tasks <= kMostTasks) return pool_.run(tasks, body, context, threads_);
  for (int64_t first = 0; first < tasks; first += kMostTasks) {
    for_each(std::min(kMostTasks, tasks - first),
             [=](int64_t task, int thread) { body(context, first + task, thread); });
  }
}

int default_thread_count(const char* variable, std::string* error) {
  if (variable != nullptr && variable[0] != '\0') {
    char* end;
    const long threads = std::strtol(variable, &end, 10);
    if (*end == '\0' && threads >= 1 && threads <= kMaxThreads) return static_cast<int>(threads);
    *error = "GALVANI_NUM_THREADS: expected a number from 1 to " + std::to_string(kMaxThreads) + ", got " + variable;
    return 0;
  }
#if defined(__linux__)
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) return std::clamp(CPU_COUNT(&allowed), 1, kMaxThreads);
#endif
  return std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, kMaxThreads);
}

}  // namespace galvani
