// The thread pool and the execution queue under load. Meant for ThreadSanitizer.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <mutex>
#include <thread>
#include <vector>

#include "runtime/execution_queue.h"
#include "runtime/thread_pool.h"
#include "test/test.h"

namespace galvani::test {
namespace {

// Whether every task in [0, tasks) ran once, on a thread that the lease has.
bool runs_each_task_once(Parallel& parallel, int64_t tasks) {
  std::vector<int> runs(tasks, 0);
  std::atomic<bool> is_thread_known{true};
  parallel.for_each(tasks, [&](int64_t task, int thread) {
    ++runs[task];
    if (thread < 0 || thread >= parallel.threads()) is_thread_known = false;
  });
  for (const int count : runs) {
    if (count != 1) return false;
  }
  return is_thread_known;
}

TEST(pool_runs_each_task_once) {
  for (const int threads : {1, 2, 3, 8}) {
    ThreadPool pool;
    pool.set_threads(threads);
    for (int program = 0; program < 20; ++program) {
      ThreadPool::Lease lease(pool, kMaxThreads);
      EXPECT_EQ(lease.threads(), threads);
      for (const int64_t tasks : {0, 1, 2, 3, 17, 1000, 10000}) EXPECT(runs_each_task_once(lease, tasks));
    }
  }
}

TEST(pool_lends_no_more_threads_than_wanted) {
  ThreadPool pool;
  pool.set_threads(4);
  for (const int most : {1, 2, 3, 4, 2, 1}) {
    ThreadPool::Lease lease(pool, most);
    EXPECT_EQ(lease.threads(), most);
    EXPECT(runs_each_task_once(lease, 200));
  }
}

// The tasks of a job wait for each other, so no thread can take two.
TEST(pool_gives_each_thread_the_same_share_every_time) {
  for (const int threads : {2, 3}) {
    ThreadPool pool;
    pool.set_threads(threads);
    ThreadPool::Lease lease(pool, threads);
    for (int job = 0; job < 20; ++job) {
      std::atomic<int> started{0};
      std::vector<int> thread_of(threads, -1);
      lease.for_each(threads, [&](int64_t task, int thread) {
        thread_of[task] = thread;
        for (++started; started < threads;) std::this_thread::yield();
      });
      for (int task = 0; task < threads; ++task) EXPECT_EQ(thread_of[task], task);
    }
  }
}

TEST(pool_takes_over_the_share_of_a_thread_that_is_busy) {
  ThreadPool pool;
  pool.set_threads(2);
  ThreadPool::Lease lease(pool, 2);
  std::atomic<int> done{0};
  // Task 0 does not end before all others have, those of its own share included.
  lease.for_each(20, [&](int64_t task, int) {
    if (task == 0) {
      while (done < 19) std::this_thread::yield();
    }
    ++done;
  });
  EXPECT_EQ(done.load(), 20);
}

// Tasks see what was written before the fork, and the caller sees what they wrote.
TEST(pool_orders_memory_across_fork_and_join) {
  ThreadPool pool;
  pool.set_threads(3);
  ThreadPool::Lease lease(pool, 3);
  std::vector<int64_t> values(64, 0);
  for (int64_t round = 1; round <= 2000; ++round) {
    const int64_t addend = round;
    lease.for_each(64, [&](int64_t task, int) { values[task] += addend; });
  }
  for (const int64_t value : values) EXPECT_EQ(value, 2000 * 2001 / 2);
}

TEST(pool_serves_one_program_and_lets_others_run_alone) {
  ThreadPool pool;
  pool.set_threads(2);
  std::atomic<int> failures{0};
  std::vector<std::thread> programs;
  for (int i = 0; i < 4; ++i) {
    programs.emplace_back([&] {
      for (int round = 0; round < 200; ++round) {
        ThreadPool::Lease lease(pool, 2);
        if (!runs_each_task_once(lease, 50)) ++failures;
      }
    });
  }
  for (std::thread& program : programs) program.join();
  EXPECT_EQ(failures.load(), 0);
  {
    ThreadPool::Lease first(pool, 2), second(pool, 2);
    EXPECT_EQ(first.threads(), 2);
    EXPECT_EQ(second.threads(), 1);
    EXPECT(runs_each_task_once(second, 9));
  }
}

TEST(pool_changes_its_size_while_programs_run) {
  ThreadPool pool;
  pool.set_threads(2);
  std::atomic<bool> is_done{false};
  std::atomic<int> failures{0};
  std::thread program([&] {
    while (!is_done) {
      ThreadPool::Lease lease(pool, kMaxThreads);
      if (!runs_each_task_once(lease, 20)) ++failures;
    }
  });
  for (int round = 0; round < 30; ++round) pool.set_threads(1 + round % 5);
  is_done = true;
  program.join();
  EXPECT_EQ(failures.load(), 0);
}

TEST(pool_parks_and_wakes) {
  ThreadPool pool;
  pool.set_threads(3);
  for (int round = 0; round < 10; ++round) {
    {
      ThreadPool::Lease lease(pool, 3);
      EXPECT(runs_each_task_once(lease, 100));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

#if defined(__linux__)
TEST(pool_lets_helpers_that_it_woke_run_everywhere) {
  ThreadPool pool;
  pool.set_threads(3);
  cpu_set_t allowed;
  EXPECT_EQ(sched_getaffinity(0, sizeof allowed, &allowed), 0);
  for (int round = 0; round < 10; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    ThreadPool::Lease lease(pool, 3);
    std::atomic<int> confined{0};
    lease.for_each(100, [&](int64_t, int) {
      cpu_set_t mine;
      if (sched_getaffinity(0, sizeof mine, &mine) != 0 || !CPU_EQUAL(&mine, &allowed)) ++confined;
      std::this_thread::sleep_for(std::chrono::microseconds(10));
    });
    EXPECT_EQ(confined.load(), 0);
  }
}

// Spins on every processor, so that the threads of a pool lose theirs again and again.
class BusyNeighbours {
 public:
  BusyNeighbours() {
    for (unsigned i = 0; i < std::thread::hardware_concurrency(); ++i) {
      threads_.emplace_back([this] {
        while (!is_done_) pause_briefly();
      });
    }
  }
  ~BusyNeighbours() {
    is_done_ = true;
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  std::atomic<bool> is_done_{false};
  std::vector<std::thread> threads_;
};

cpu_set_t allowed_processors(int thread) {
  cpu_set_t set;
  EXPECT_EQ(sched_getaffinity(thread, sizeof set, &set), 0);
  return set;
}

bool may_run_where(int thread, const cpu_set_t& wanted) {
  const cpu_set_t allowed = allowed_processors(thread);
  return CPU_EQUAL(&allowed, &wanted);
}

TEST(pool_beside_busy_neighbours_runs_each_task_once_and_its_caller_everywhere) {
  const cpu_set_t allowed = allowed_processors(0);
  const BusyNeighbours neighbours;
  for (const int threads : {2, 3, 5}) {
    ThreadPool pool;
    pool.set_threads(threads);
    for (int program = 0; program < 4; ++program) {
      ThreadPool::Lease lease(pool, threads);
      for (int job = 0; job < 10; ++job) EXPECT(runs_each_task_once(lease, 64));
      lease.for_each(8 * threads, [](int64_t, int) {
        for (int i = 0; i < 10'000; ++i) pause_briefly();
      });
    }
    pool.set_threads(1);
    EXPECT(may_run_where(0, allowed));
  }
}

// A thread that spins, and says on which processor.
class Spinning {
 public:
  Spinning()
      : thread_([this] {
          number_ = number_of_this_thread();
          while (!is_done_) processor_ = sched_getcpu();
        }) {
    while (number_ == 0) std::this_thread::yield();
  }
  ~Spinning() {
    is_done_ = true;
    thread_.join();
  }
  int number() const { return number_; }
  // The next that it says.
  int processor() {
    for (processor_ = -1; processor_ < 0;) std::this_thread::yield();
    return processor_;
  }

 private:
  std::atomic<bool> is_done_{false};
  std::atomic<int> number_{0}, processor_{-1};
  std::thread thread_;
};

// The scheduler may have moved it again before it says where it is, but hardly ever does.
TEST(threads_are_brought_here_and_may_still_run_everywhere) {
  const Processors all = Processors::of(0);
  const cpu_set_t allowed = allowed_processors(0);
  int came = 0;
  for (int round = 0; round < 20; ++round) {
    const Processors here = all.only_the_present_one(), others = all.without_the_present_one();
    here.bind(0);
    Spinning other;
    if (!others.is_empty()) others.bind(other.number());
    all.bind(other.number());
    EXPECT(bring_here(other.number()));
    came += other.processor() == sched_getcpu();
    EXPECT(may_run_where(other.number(), allowed));
    all.bind(0);
    leave_processor();
    EXPECT(may_run_where(0, allowed));
  }
  EXPECT(came > 0);
}

TEST(threads_are_not_brought_where_they_may_not_run) {
  const Processors all = Processors::of(0), here = all.only_the_present_one(), others = all.without_the_present_one();
  if (others.is_empty()) return;
  here.bind(0);
  Spinning other;
  others.bind(other.number());
  const cpu_set_t before = allowed_processors(other.number());
  EXPECT(!bring_here(other.number()));
  EXPECT(may_run_where(other.number(), before));
  all.bind(0);
}

TEST(threads_that_wait_are_told_from_those_that_run) {
  Watch watch;
  for (int look = 0; look < 100; ++look) {
    EXPECT(!watch.finds_it_waiting(number_of_this_thread()));
    for (int i = 0; i < 100; ++i) pause_briefly();
  }
  std::atomic<int> number{0};
  std::mutex mutex;
  std::unique_lock<std::mutex> lock(mutex);
  std::thread sleeper([&] {
    number = number_of_this_thread();
    const std::lock_guard<std::mutex> wait(mutex);
  });
  while (number == 0) std::this_thread::yield();
  watch.forget();
  int looks = 1;
  while (!watch.finds_it_waiting(number) && looks < 1'000'000) {
    ++looks;
    std::this_thread::yield();
  }
  EXPECT(looks > 1 && looks < 1'000'000);
  lock.unlock();
  sleeper.join();
  EXPECT_EQ(processor_time_of(0), int64_t{-1});
}
#endif

TEST(pool_ends_its_helpers_with_the_last_environment_and_starts_them_again) {
  ThreadPool pool;
  pool.set_threads(2);
  for (int round = 0; round < 3; ++round) {
    pool.retain();
    pool.retain();
    {
      ThreadPool::Lease lease(pool, 2);
      EXPECT(runs_each_task_once(lease, 10));
    }
    pool.release();
    {
      ThreadPool::Lease lease(pool, 2);
      EXPECT_EQ(lease.threads(), 2);
    }
    pool.release();
  }
}

TEST(pool_of_a_forked_child_runs_alone) {
  ThreadPool& pool = ThreadPool::instance();
  pool.set_threads(2);
  {
    ThreadPool::Lease lease(pool, 2);
    EXPECT(runs_each_task_once(lease, 10));
  }
  const pid_t child = fork();
  if (child == 0) {
    pool.set_threads(3);
    ThreadPool::Lease lease(pool, 2);
    _exit(lease.threads() == 1 && runs_each_task_once(lease, 10) ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  pool.set_threads(1);
}

TEST(default_thread_count_reads_the_variable) {
  std::string error;
  const ThreadCount three = default_thread_count("3", 0.5, &error);
  EXPECT_EQ(three.threads, 3);
  EXPECT_EQ(std::string(three.from), "GALVANI_NUM_THREADS");
  for (const char* unset : {static_cast<const char*>(nullptr), ""}) {
    EXPECT(default_thread_count(unset, 0, &error).threads >= 1);
    EXPECT_EQ(std::string(default_thread_count(unset, 0, &error).from), "affinity");
  }
  EXPECT(error.empty());
  for (const char* wrong : {"0", "65", "-1", "two", "2x", "99999999999999999999"}) {
    error.clear();
    EXPECT_EQ(default_thread_count(wrong, 0, &error).threads, 0);
    EXPECT(error.find(wrong) != std::string::npos);
  }
}

TEST(default_thread_count_is_the_quota_rounded_up_and_no_more_than_there_are_processors) {
  std::string error;
  const int processors = default_thread_count(nullptr, 0, &error).threads;
  for (const double quota : {0.01, 0.5, 1.0, 1.5, 2.0, 2.01, 63.5, 1e9}) {
    const ThreadCount count = default_thread_count(nullptr, quota, &error);
    const bool is_limit = std::ceil(quota) < processors;
    EXPECT_EQ(count.threads, is_limit ? static_cast<int>(std::ceil(quota)) : processors);
    EXPECT_EQ(std::string(count.from), is_limit ? "cgroup quota" : "affinity");
  }
}

// Appends its number to a log when it runs, and counts how often it was finished or deleted.
struct Log {
  std::vector<int> order;
  std::atomic<int> finished{0}, deleted{0};
};

class LoggedTask final : public ExecutionQueue::Task {
 public:
  LoggedTask(Log& log, int number, int milliseconds = 0) : log_(log), number_(number), milliseconds_(milliseconds) {}
  ~LoggedTask() override { ++log_.deleted; }
  void run(const ExecutionQueue::Turn&) override {
    if (milliseconds_ > 0) std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds_));
    log_.order.push_back(number_);
  }
  void finish() override {
    ++log_.finished;
    delete this;
  }

 private:
  Log& log_;
  int number_, milliseconds_;
};

TEST(queue_runs_tasks_in_order) {
  Log log;
  {
    ExecutionQueue queue;
    queue.drain();
    for (int round = 0; round < 20; ++round) {
      for (int i = 0; i < 50; ++i) EXPECT(queue.submit(new LoggedTask(log, round * 50 + i)));
      queue.drain();
      EXPECT_EQ(log.order.size(), static_cast<size_t>(50 * (round + 1)));
      if (round % 7 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(log.order[i], i);
  EXPECT_EQ(log.finished.load(), 1000);
}

TEST(queue_that_shuts_down_tells_the_task_in_flight) {
  class Endless final : public ExecutionQueue::Task {
   public:
    explicit Endless(std::atomic<bool>& runs) : runs_(runs) {}
    void run(const ExecutionQueue::Turn& turn) override {
      for (runs_ = true; !turn.is_stopping;) std::this_thread::yield();
    }
    void finish() override { delete this; }

   private:
    std::atomic<bool>& runs_;
  };
  std::atomic<bool> runs{false};
  ExecutionQueue queue;
  EXPECT(queue.submit(new Endless(runs)));
  while (!runs) std::this_thread::yield();
  queue.shut_down();
}

TEST(queue_ends_with_the_task_in_flight_and_drops_the_rest) {
  Log log;
  {
    ExecutionQueue queue;
    for (int i = 0; i < 100; ++i) EXPECT(queue.submit(new LoggedTask(log, i, 5)));
  }
  EXPECT(log.finished < 100);
  EXPECT_EQ(log.finished.load(), static_cast<int>(log.order.size()));
  EXPECT_EQ(log.deleted.load(), 100);
}

// A task that logs its number, after it has let others pass where it is a long one.
class SteppedTask final : public ExecutionQueue::Task {
 public:
  struct Kind {
    bool is_short;
    const Task* needs = nullptr;  // what a short one depends on
    bool can_pass = true;
    std::atomic<bool>* begins = nullptr;           // is told
    const std::atomic<bool>* may_go_on = nullptr;  // waits for that before it lets others pass
  };
  SteppedTask(Log& log, int number, const Kind& kind) : log_(log), number_(number), kind_(kind) {}
  ~SteppedTask() override { ++log_.deleted; }
  void run(const ExecutionQueue::Turn& turn) override {
    if (kind_.begins != nullptr) *kind_.begins = true;
    while (kind_.may_go_on != nullptr && !*kind_.may_go_on) std::this_thread::yield();
    Serial threads;
    if (!kind_.is_short && turn.passing != nullptr) turn.passing->let_pass(threads);
    log_.order.push_back(number_);
  }
  void finish() override {
    ++log_.finished;
    delete this;
  }
  bool is_short() const override { return kind_.is_short; }
  bool depends_on(const Task& other) const override { return kind_.needs == &other; }
  bool can_pass() override { return kind_.can_pass; }

 private:
  Log& log_;
  int number_;
  Kind kind_;
};

TEST(short_tasks_pass_long_ones_that_they_do_not_depend_on) {
  Log log;
  std::atomic<bool> has_begun{false}, may_go_on{false};
  ExecutionQueue queue;
  const auto submit = [&](int number, const SteppedTask::Kind& kind) {
    auto* const task = new SteppedTask(log, number, kind);
    EXPECT(queue.submit(task));
    return task;
  };
  submit(0, {false, nullptr, true, &has_begun, &may_go_on});
  while (!has_begun) std::this_thread::yield();
  const auto* const second = submit(1, {false});
  submit(2, {true});
  submit(3, {true, second});
  submit(4, {true});
  may_go_on = true;
  queue.drain();
  // Number 3 keeps its place behind number 1.
  EXPECT((log.order == std::vector<int>{2, 4, 0, 1, 3}));
  EXPECT_EQ(log.finished.load(), 5);
}

TEST(a_short_task_that_cannot_pass_is_run_before_later_long_ones_that_it_has_to_do_with) {
  Log log;
  std::atomic<bool> has_begun{false}, may_go_on{false};
  ExecutionQueue queue;
  // Short ones that came before it, and have to do with it: they would read what it changes.
  class Needs final : public ExecutionQueue::Task {
   public:
    explicit Needs(Log& log) : log_(log) {}
    void run(const ExecutionQueue::Turn&) override { log_.order.push_back(9); }
    void finish() override { delete this; }

   private:
    Log& log_;
  };
  auto* const later = new Needs(log);
  EXPECT(queue.submit(new SteppedTask(log, 0, {false, nullptr, true, &has_begun, &may_go_on})));
  while (!has_begun) std::this_thread::yield();
  EXPECT(queue.submit(new SteppedTask(log, 1, {true, later, false})));
  EXPECT(queue.submit(new SteppedTask(log, 2, {true, later, false})));
  EXPECT(queue.submit(later));
  may_go_on = true;
  queue.drain();
  EXPECT((log.order == std::vector<int>{0, 1, 2, 9}));
}

TEST(long_tasks_go_on_however_many_short_ones_come) {
  // Submits another of its kind each time it has run.
  class Again final : public ExecutionQueue::Task {
   public:
    Again(ExecutionQueue& queue, std::atomic<int>& left) : queue_(queue), left_(left) {}
    void run(const ExecutionQueue::Turn&) override {
      if (left_ > 0) EXPECT(queue_.submit(new Again(queue_, left_)));
    }
    void finish() override { delete this; }
    bool is_short() const override { return true; }
    bool depends_on(const Task&) const override { return false; }
    bool can_pass() override { return true; }

   private:
    ExecutionQueue& queue_;
    std::atomic<int>& left_;
  };
  class Last final : public ExecutionQueue::Task {
   public:
    explicit Last(std::atomic<int>& left) : left_(left) {}
    void run(const ExecutionQueue::Turn& turn) override {
      Serial threads;
      turn.passing->let_pass(threads);
      --left_;
    }
    void finish() override { delete this; }

   private:
    std::atomic<int>& left_;
  };
  std::atomic<int> left{20};
  ExecutionQueue queue;
  EXPECT(queue.submit(new Again(queue, left)));
  for (int i = 0; i < 20; ++i) EXPECT(queue.submit(new Last(left)));
  queue.drain();
  EXPECT_EQ(left.load(), 0);
}

}  // namespace
}  // namespace galvani::test
