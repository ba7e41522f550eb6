#include "runtime/thread_pool.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <thread>

namespace galvani {
namespace {

// How long a helper spins after the last program that could use it, before it parks.
constexpr std::chrono::microseconds kSpinAfterUse{80};
constexpr int kTurnsPerLookAtClock = 64;
// How long a thread spins between looks at the one it waits for, some 10 µs, and before it lets others run.
constexpr int kTurnsPerWatch = 512;
constexpr int kPausesAlone = 1 << 13;

constexpr const char* kThreadVariable = "GALVANI_NUM_THREADS";

std::atomic<bool> is_forked_child{false};

// Whether the clock of a thread goes on while it spins between two looks: not where the system counts in ticks.
bool has_fine_clocks() {
  const int64_t start = processor_time_of(number_of_this_thread());
  for (Spinner spinner(kTurnsPerWatch); spinner.turns() < kTurnsPerWatch; spinner.spin()) {
  }
  return processor_time_of(number_of_this_thread()) > start;
}

}  // namespace

ThreadPool& ThreadPool::instance() {
  static ThreadPool* const pool = [] {
    // After fork() only the calling thread is there: programs of the child run on it alone.
    in_forked_child([] { is_forked_child = true; });
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

void ThreadPool::set_threads(int threads, const char* from) {
  wait_and_acquire();
  if (threads != this->threads()) stop_helpers();
  threads_.store(threads, std::memory_order_relaxed);
  threads_from_.store(from, std::memory_order_relaxed);
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
    const auto body = [](void* context) {
      Helper* self = static_cast<Helper*>(context);
      self->pool->help(self);
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

// Before anybody can be moving the caller, whose processors they are.
void ThreadPool::note_processors() {
  while (is_moving_caller_.load()) std::this_thread::yield();
  if (parked_.load() == 0) return;
  std::lock_guard<std::mutex> lock(park_mutex_);
  processors_ = Processors::of(0);
}

// A helper is woken away from its caller's processor: on virtual machines that hide which caches processors share,
// Linux may leave it waiting there for milliseconds while others are idle. Awake it may move again.
void ThreadPool::wake_helpers() {
  if (parked_.load() == 0) return;
  std::lock_guard<std::mutex> lock(park_mutex_);
  const Processors others = processors_.without_the_present_one();
  for (int i = 0; i < helper_count_ && !others.is_empty(); ++i) {
    if (helpers_[i].is_parked) others.bind(helpers_[i].number);
  }
  unpark_.notify_all();
}

void ThreadPool::park(Helper* helper) {
  std::unique_lock<std::mutex> lock(park_mutex_);
  helper->is_parked = true;
  parked_.fetch_add(1);
  unpark_.wait(lock, [this] { return is_in_use_.load() || is_stopping_.load(); });
  parked_.fetch_sub(1);
  helper->is_parked = false;
  if (!processors_.is_empty()) processors_.bind(0);
}

void ThreadPool::help(Helper* self) {
  using Clock = std::chrono::steady_clock;
  self->number = number_of_this_thread();
  const bool can_watch = has_fine_clocks();
  auto last_use = Clock::now();
  uint64_t last_job = 0;
  Watch watch;
  for (Spinner spinner(kPausesAlone); !is_stopping_.load(std::memory_order_relaxed); spinner.spin()) {
    const uint64_t job = job_.load(std::memory_order_acquire);
    if (job != last_job) {
      self->is_at_work.store(can_watch, std::memory_order_relaxed);
      take_tasks(self->index);
      self->is_at_work.store(false, std::memory_order_relaxed);
      if (self->visit.load(std::memory_order_relaxed) != Visit::k_none) end_visit(self);
      last_job = job;
      watch.forget();
      spinner = Spinner(kPausesAlone);
      last_use = Clock::now();
    }
    if (spinner.turns() % kTurnsPerLookAtClock != 0 || spinner.turns() == 0) continue;
    const bool is_in_use = is_in_use_.load(std::memory_order_relaxed);
    // Each look disturbs the caller's processor: many helpers look less often each.
    if (spinner.turns() % (kTurnsPerWatch * (threads() - 1)) == 0 && is_in_use && can_watch &&
        watch.finds_it_waiting(caller_.load())) {
      give_way_to_caller();
    }
    const auto now = Clock::now();
    if (is_in_use) last_use = now;
    if (now - last_use < kSpinAfterUse) continue;
    park(self);
    watch.forget();
    spinner = Spinner(kPausesAlone);
    last_use = Clock::now();
  }
}

// The caller is to run here instead of the helper.
void ThreadPool::give_way_to_caller() {
  if (is_moving_caller_.exchange(true)) return;
  const bool has_come = is_in_use_.load() && bring_here(caller_.load());
  is_moving_caller_.store(false);
  if (has_come) leave_processor();
}

// Lets helpers that have a task and no processor use that of the caller until they are done.
void ThreadPool::bring_waiting_helpers(int threads) {
  for (int i = 0; i < threads - 1; ++i) {
    Helper& helper = helpers_[i];
    if (!helper.is_at_work.load(std::memory_order_relaxed)) {
      helper.watch.forget();
    } else if (helper.watch.finds_it_waiting(helper.number)) {
      helper.visit.store(Visit::k_begins);
      helper.visit.store(bring_here(helper.number) ? Visit::k_is_there : Visit::k_none);
      std::this_thread::yield();
    }
  }
}

void ThreadPool::end_visit(Helper* self) {
  while (self->visit.load() == Visit::k_begins) std::this_thread::yield();
  self->visit.store(Visit::k_none);
  leave_processor();
}

void ThreadPool::wait_for_helpers(int64_t tasks, int threads) {
  for (Spinner spinner(kPausesAlone); done_.load(std::memory_order_acquire) != tasks; spinner.spin()) {
    if (spinner.turns() % kTurnsPerWatch == kTurnsPerWatch - 1) bring_waiting_helpers(threads);
  }
}

// Runs tasks of the present job until none is left to take: the thread's own first, then those of the threads after it.
void ThreadPool::take_tasks(int thread) {
  while (take_task(thread, shares_[thread], true)) {
  }
  const int threads = job_threads_.load(std::memory_order_relaxed);
  for (int i = 1; i < threads; ++i) {
    while (take_task(thread, shares_[(thread + i) % threads], false)) {
    }
  }
}

// The members are those of the job whose number the share carries: they change only while no share has tasks.
bool ThreadPool::take_task(int thread, Share& share, bool is_own) {
  uint64_t tasks = share.tasks.load(std::memory_order_acquire);
  int64_t begin, end;
  do {
    begin = Share::begin_of(tasks);
    end = Share::end_of(tasks);
    if (begin >= end || thread >= job_threads_.load(std::memory_order_relaxed)) return false;
  } while (!share.tasks.compare_exchange_weak(tasks, is_own ? tasks + (uint64_t{1} << Share::kBits) : tasks - 1,
                                              std::memory_order_acq_rel, std::memory_order_acquire));
  const auto body = body_.load(std::memory_order_relaxed);
  body(context_.load(std::memory_order_relaxed), is_own ? begin : end - 1, thread);
  done_.fetch_add(1, std::memory_order_release);
  return true;
}

void ThreadPool::run(int64_t tasks, void (*body)(void*, int64_t, int), void* context, int threads) {
  // Who gave way to the caller is still to leave.
  if (is_moving_caller_.load(std::memory_order_relaxed)) std::this_thread::yield();
  body_.store(body, std::memory_order_relaxed);
  context_.store(context, std::memory_order_relaxed);
  job_threads_.store(threads, std::memory_order_relaxed);
  done_.store(0, std::memory_order_relaxed);
  const uint64_t job = job_.load(std::memory_order_relaxed) + 1;
  for (int i = 0; i < threads; ++i) {
    const uint64_t share = Share::pack(job, tasks * i / threads, tasks * (i + 1) / threads);
    shares_[i].tasks.store(share, std::memory_order_release);
  }
  job_.store(job, std::memory_order_release);
  take_tasks(0);
  wait_for_helpers(tasks, threads);
}

ThreadPool::Lease::Lease(ThreadPool& pool, int most_threads) : pool_(pool), threads_(1) {
  if (most_threads <= 1 || pool.threads() <= 1 || !pool.acquire()) return;
  pool.start_helpers();
  threads_ = std::min(most_threads, pool.helper_count_ + 1);
  if (threads_ > 1) {
    pool.note_processors();
    pool.caller_.store(number_of_this_thread());
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
  if (tasks <= kMostTasks) return pool_.run(tasks, body, context, threads_);
  for (int64_t first = 0; first < tasks; first += kMostTasks) {
    for_each(std::min(kMostTasks, tasks - first),
             [=](int64_t task, int thread) { body(context, first + task, thread); });
  }
}

ThreadCount default_thread_count(const char* variable, double quota, std::string* error) {
  if (variable != nullptr && variable[0] != '\0') {
    char* end;
    const long threads = std::strtol(variable, &end, 10);
    if (*end == '\0' && threads >= 1 && threads <= kMaxThreads) return {static_cast<int>(threads), kThreadVariable};
    *error = std::string(kThreadVariable) + ": expected a number from 1 to " + std::to_string(kMaxThreads) + ", got " +
             variable;
    return {0, kThreadVariable};
  }
  const int processors = std::clamp(usable_processors(), 1, kMaxThreads);
  // Rounded up: of a quota of 1.5, one thread would leave a third unused. Two use it up and then wait for the next
  // period, as any number of them does that computes all the time; where they compute part of the time, they end
  // sooner.
  const double granted = std::ceil(quota);
  if (granted > 0 && granted < processors) return {static_cast<int>(granted), "cgroup quota"};
  return {processors, "affinity"};
}

}  // namespace galvani
