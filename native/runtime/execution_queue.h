// The execution thread of one environment. Tasks run there one after the other, in the order in which they came; only
// short ones go before long ones that they do not depend on, also in the midst of one that lets them pass.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>

#include "runtime/parallel.h"
#include "runtime/system.h"

namespace galvani {

class ExecutionQueue {
 public:
  // What a task is given to run with.
  struct Turn {
    const std::atomic<bool>& is_stopping;  // it may end before all is done once that is so
    ExecutionQueue* passing;               // what it is to let pass; null for a task that passes another
    Parallel* threads;                     // those of the task that it passes, else null
  };

  class Task {
   public:
    virtual ~Task() = default;
    virtual void run(const Turn& turn) = 0;  // on the execution thread
    virtual void finish() = 0;               // there too, after run(); from here on the task is its own owner's
    // A short task changes nothing but what is its own.
    virtual bool is_short() const { return false; }
    // Of a short task: whether it reads what a long one changes, so that the two keep their order.
    virtual bool depends_on(const Task&) const { return true; }
    // Of a short task, on the execution thread: whether it can run in the midst of the one that runs.
    virtual bool can_pass() { return false; }
  };

  ExecutionQueue() = default;
  ~ExecutionQueue() { shut_down(); }
  ExecutionQueue(const ExecutionQueue&) = delete;
  ExecutionQueue& operator=(const ExecutionQueue&) = delete;

  // False, and the task stays the caller's, where the thread cannot be started. The first task starts it.
  bool submit(Task* task);

  // Whether a short task waits. A long one that runs asks often, and then lets those pass that came so far.
  bool has_short() const { return waiting_short_.load(std::memory_order_relaxed) > 0; }
  void let_pass(Parallel& threads);

  // Blocks until every task that was submitted has ended.
  void drain();
  // Whether every one has, so that `drain` does not block.
  bool is_idle() const { return pending_.load(std::memory_order_acquire) == 0; }

  // Tells the task in flight, waits for it and ends the thread. Tasks that were not begun are deleted.
  void shut_down();

 private:
  void work();
  Task* wait_for_task();
  Task* take(bool is_short);
  void run(Task* task, ExecutionQueue* passing, Parallel* threads);
  bool must_wait_for_long(const Task& task) const;

  std::mutex mutex_;
  std::condition_variable work_came_, work_ended_;
  std::deque<Task*> short_, long_;                       // not yet begun
  Task* running_ = nullptr;                              // the long one
  bool is_turn_of_long_ = false;                         // the kinds take turns
  std::atomic<int> pending_{0};                          // submitted and not yet ended
  std::atomic<int> waiting_short_{0}, waiting_long_{0};  // as many as in the lists
  std::atomic<bool> is_stopping_{false};
  Thread thread_;
};

}  // namespace galvani
