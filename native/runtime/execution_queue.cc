#include "runtime/execution_queue.h"

#include "runtime/thread.h"

namespace galvani {
namespace {

// The thread's turns of spinning for another task before it sleeps, some 50 µs: a loop that awaits each step sends the
// next one soon.
constexpr int kTurnsBeforeSleep = 1024;

}  // namespace

bool ExecutionQueue::submit(Task* task) {
  if (!thread_.is_running()) {
    const auto body = [](void* queue) { static_cast<ExecutionQueue*>(queue)->work(); };
    if (!thread_.start(body, this)) return false;
  }
  std::lock_guard<std::mutex> lock(mutex_);
  tasks_.push_back(task);
  pending_.fetch_add(1);
  queued_.fetch_add(1);
  work_came_.notify_one();
  return true;
}

void ExecutionQueue::drain() {
  if (pending_.load(std::memory_order_acquire) == 0) return;
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
  for (Task* task : tasks_) delete task;
  tasks_.clear();
}

ExecutionQueue::Task* ExecutionQueue::wait_for_task() {
  for (Spinner spinner; spinner.turns() < kTurnsBeforeSleep && queued_.load() == 0 && !is_stopping_; spinner.spin()) {
  }
  std::unique_lock<std::mutex> lock(mutex_);
  work_came_.wait(lock, [this] { return !tasks_.empty() || is_stopping_; });
  if (is_stopping_) return nullptr;
  Task* const task = tasks_.front();
  tasks_.pop_front();
  queued_.fetch_sub(1);
  return task;
}

void ExecutionQueue::work() {
  while (Task* const task = wait_for_task()) {
    task->run(is_stopping_);
    task->finish();
    std::lock_guard<std::mutex> lock(mutex_);
    if (pending_.fetch_sub(1) == 1) work_ended_.notify_all();
  }
}

}  // namespace galvani
