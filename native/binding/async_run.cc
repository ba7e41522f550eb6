// A run on the execution thread, and the way back.
#include <algorithm>
#include <memory>
#include <utility>

#include "binding/environment.h"

namespace galvani {
namespace {

// It holds its buffers and the callback until it is settled. Those of a run that never began end with its environment.
class AsyncRun final : public ExecutionQueue::Task {
 public:
  AsyncRun(Environment& environment, std::shared_ptr<Executable> executable, int64_t steps)
      : environment_(environment),
        executable_(std::move(executable)),
        steps_(steps),
        pointers_(environment.bound.pointers),
        strides_(environment.bound.strides),
        regions_(environment.bound.regions) {}

  // The buffers by a list of its own, since JavaScript may empty the one it passed.
  bool hold(napi_env env, const std::vector<napi_value>& buffers, napi_value callback) {
    napi_value list;
    if (napi_create_array_with_length(env, buffers.size(), &list) != napi_ok) return false;
    for (size_t i = 0; i < buffers.size(); ++i) napi_set_element(env, list, static_cast<uint32_t>(i), buffers[i]);
    return napi_create_reference(env, list, 1, &buffers_) == napi_ok &&
           napi_create_reference(env, callback, 1, &callback_) == napi_ok;
  }

  void let_go(napi_env env) {
    if (buffers_ != nullptr) napi_delete_reference(env, buffers_);
    if (callback_ != nullptr) napi_delete_reference(env, callback_);
  }

  void run(const ExecutionQueue::Turn& turn) override {
    const Interruption interruption = {&turn.is_stopping, &is_aborted_, is_short() ? nullptr : turn.passing};
    for (int64_t step = 0; step < steps_ && !turn.is_stopping; ++step) {
      succeeded_ = executable_->run(pointers_.data(), ThreadPool::instance(), &failure_, interruption, turn.threads);
      if (!succeeded_) return;
      go_to_next_step();
    }
  }
  void finish() override { environment_.complete(this); }

  // One step that updates nothing: an answer of a service that trains meanwhile.
  bool is_short() const override { return steps_ == 1 && executable_->state_count() == 0; }
  bool depends_on(const ExecutionQueue::Task& other) const override {
    return have_conflict(regions_, static_cast<const AsyncRun&>(other).regions_);
  }
  bool can_pass() override { return executable_->can_pass(); }

  // For the thread of the environment, until it is settled.
  uint32_t let_abort() {
    number_ = environment_.next_run++;
    environment_.abortable.emplace(number_, &is_aborted_);
    return number_;
  }

  void settle(napi_env env) {
    if (number_ != 0) environment_.abortable.erase(number_);
    napi_value callback, undefined;
    napi_get_reference_value(env, callback_, &callback);
    napi_get_undefined(env, &undefined);
    const napi_value result = succeeded_ ? undefined : make_failure(env, failure_);
    let_go(env);
    environment_.end_async(env);
    napi_call_function(env, undefined, callback, 1, &result, nullptr);
  }

 private:
  void go_to_next_step() {
    for (size_t i = 0; i < pointers_.size(); ++i) pointers_[i] = static_cast<uint8_t*>(pointers_[i]) + strides_[i];
    const auto old_states = pointers_.begin() + executable_->input_count();
    std::copy_n(old_states + executable_->state_count(), executable_->state_count(), old_states);
  }

  Environment& environment_;
  std::shared_ptr<Executable> executable_;
  int64_t steps_;
  std::vector<void*> pointers_;
  std::vector<int64_t> strides_;
  std::vector<BoundBuffers::Region> regions_;
  napi_ref buffers_ = nullptr, callback_ = nullptr;
  Failure failure_ = {};
  bool succeeded_ = false;
  std::atomic<bool> is_aborted_{false};
  uint32_t number_ = 0;
};

}  // namespace

uint32_t submit_run(napi_env env, Environment& environment, std::shared_ptr<Executable> executable, int64_t steps,
                    napi_value callback, bool may_abort) {
  auto run = std::make_unique<AsyncRun>(environment, std::move(executable), steps);
  if (!run->hold(env, environment.bound.items, callback) || !environment.queue.submit(run.get())) {
    run->let_go(env);
    napi_throw_error(env, nullptr, "runAsync: the execution thread cannot be started");
    return 0;
  }
  AsyncRun* const submitted = run.release();
  environment.begin_async(env);
  return may_abort ? submitted->let_abort() : 0;
}

// Without an environment there is nobody to tell.
void finish_run(napi_env env, napi_value, void*, void* data) {
  const std::unique_ptr<AsyncRun> run(static_cast<AsyncRun*>(data));
  if (env != nullptr) run->settle(env);
}

}  // namespace galvani
