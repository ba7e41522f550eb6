#include "runtime/execution_queue.h"

#include <algorithm>

#include "runtime/thread.h"

namespace galvani {
namespace {

// The thread's turns of spinning for another task before it sleeps, some 50 µs: a loop that awaits each step sends the
// next one soon.
constexpr int kTurnsBeforeSleep = 1024;
// A short task is compared with so many long ones at most, as whoever submits it waits for that.
constexpr size_t kMostCompared = 64;

}  // namespace

bool ExecutionQueue::submit(Task* task) {
  if (!thread_.is_running()) {
    const auto body = [](void* queue) { static_cast<ExecutionQueue*>(queue)->work(); };
    if (!thread_.start(body, this)) return false;
  }
  std::lock_guard<std::mutex> lock(mutex_);
  const bool is_short = task->is_short() && !must_wait_for_long(*task);
  (is_short ? short_ : long_).push_back(task);
  pending_.fetch_add(1);
  (is_short ? waiting_short_ : waiting_long_).fetch_add(1);
  work_came_.notify_one();
  return true;
}

bool ExecutionQueue::must_wait_for_long(const Task& task) const {
  if (long_.size() > kMostCompared) return true;
  const auto is_needed = [&task](const Task* earlier) { return task.depends_on(*earlier); };
  return (running_ != nullptr && is_needed(running_)) || std::any_of(long_.begin(), long_.end(), is_needed);
}

void ExecutionQueue::drain() {
  if (is_idle()) return;
  std::unique_lock<std::mutex> lock(mutex_);
  work_ended_.wait(lock, [this] { return pending_.load() == 0; });
}

void ExecutionQueue::shut_down() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    is_stopping_ = true;
    work_came_.notify_one();
  }
  thread_.join();
  for (const auto* tasks : {&short_, &long_}) {
    for (Task* task : *tasks) delete task;
  }
  short_.clear();
  long_.clear();
}

// Under the lock.
ExecutionQueue::Task* ExecutionQueue::take(bool is_short) {
  std::deque<Task*>& tasks = is_short ? short_ : long_;
  Task* const task = tasks.front();
  tasks.pop_front();
  (is_short ? waiting_short_ : waiting_long_).fetch_sub(1);
  if (!is_short) running_ = task;
  return task;
}

ExecutionQueue::Task* ExecutionQueue::wait_for_task() {
  const auto is_there = [this] { return waiting_short_.load() + waiting_long_.load() > 0; };
  for (Spinner spinner; spinner.turns() < kTurnsBeforeSleep && !is_there() && !is_stopping_; spinner.spin()) {
  }
  std::unique_lock<std::mutex> lock(mutex_);
  work_came_.wait(lock, [&] { return is_there() || is_stopping_; });
  if (is_stopping_) return nullptr;
  // A short task that has to do with a long one came before it, or it would wait behind it.
  const auto is_later = [this](const Task* earlier) { return earlier->depends_on(*long_.front()); };
  const bool is_short =
      long_.empty() || (!short_.empty() && !is_turn_of_long_) || std::any_of(short_.begin(), short_.end(), is_later);
  is_turn_of_long_ = is_short;
  return take(is_short);
}

void ExecutionQueue::run(Task* task, ExecutionQueue* passing, Parallel* threads) {
  task->run({is_stopping_, passing, threads});
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (running_ == task) running_ = nullptr;
  }
  task->finish();
  std::lock_guard<std::mutex> lock(mutex_);
  if (pending_.fetch_sub(1) == 1) work_ended_.notify_all();
}

void ExecutionQueue::let_pass(Parallel& threads) {
  // No more than came so far: however many come, the one that lets them pass goes on.
  for (int left = waiting_short_.load(); left > 0 && !is_stopping_; --left) {
    Task* task;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (!short_.front()->can_pass()) return;
      task = take(true);
    }
    run(task, nullptr, &threads);
  }
}

void ExecutionQueue::work() {
  while (Task* const task = wait_for_task()) run(task, this, nullptr);
}

}  // namespace galvani
