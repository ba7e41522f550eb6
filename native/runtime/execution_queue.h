// The execution thread of one environment: tasks run there one after the other, in the order in which they came.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>

#include "runtime/system.h"

namespace galvani {

class ExecutionQueue {
 public:
  class Task {
   public:
    virtual ~Task() = default;
    // On the execution thread. It may end before all is done once `is_stopping`.
    virtual void run(const std::atomic<bool>& is_stopping) = 0;
    virtual void finish() = 0;  // there too, after run(); from here on the task is its own owner's
  };

  ExecutionQueue() = default;
  ~ExecutionQueue() { shut_down(); }
  ExecutionQueue(const ExecutionQueue&) = delete;
  ExecutionQueue& operator=(const ExecutionQueue&) = delete;

  // False, and the task stays the caller's, where the thread cannot be started. The first task starts it.
  bool submit(Task* task);

  // Blocks until every task that was submitted has ended.
  void drain();

  // Tells the task in flight, waits for it and ends the thread. Tasks that were not begun are deleted.
  void shut_down();

 private:
  void work();
  Task* wait_for_task();

  std::mutex mutex_;
  std::condition_variable work_came_, work_ended_;
  std::deque<Task*> tasks_;
  std::atomic<int> pending_{0};  // submitted and not yet ended
  std::atomic<int> queued_{0};   // submitted and not yet begun
  std::atomic<bool> is_stopping_{false};
  Thread thread_;
};

}  // namespace galvani
