// What the addon holds for one environment: the main thread or a worker.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "binding/intrinsics.h"
#include "executor/executor.h"
#include "napi.h"
#include "runtime/execution_queue.h"

namespace galvani {

// The buffers of a run, in the order that Executable::buffers states, and room to check them.
struct BoundBuffers {
  struct Region {
    const uint8_t *begin, *end;
    bool is_written;
  };

  std::vector<napi_value> items;     // typed arrays; valid until the call from JavaScript returns
  std::vector<napi_value> memories;  // their ArrayBuffers
  std::vector<void*> pointers;
  std::vector<int64_t> strides;  // bytes from one step's part to the next one's; 0 where all steps share the buffer
  std::vector<Region> regions;   // in the order of where they begin
};

// Whether one of two runs writes to what the other one reads or writes.
bool have_conflict(const std::vector<BoundBuffers::Region>& a, const std::vector<BoundBuffers::Region>& b);

class Environment {
 public:
  explicit Environment(Napi::Env env);

  const Intrinsics intrinsics;
  const KernelTable* kernels;
  SharedBlock memory;
  ExecutionQueue queue;
  // By handle. A handle is never used again, so that a released one is known for what it is.
  std::unordered_map<uint32_t, std::shared_ptr<Executable>> executables;
  uint32_t next_handle = 1;
  // Of the runs under way that may be aborted, by their numbers, whether they are.
  std::unordered_map<uint32_t, std::atomic<bool>*> abortable;
  uint32_t next_run = 1;
  BoundBuffers bound;  // of the run that is being called, kept for its capacity

  // The process stays alive while a run is under way, and only then. For the thread of the environment.
  void begin_async(napi_env env);
  void end_async(napi_env env);
  // From the execution thread: hands a finished run to the thread of the environment.
  void complete(void* run) { napi_call_threadsafe_function(completion_, run, napi_tsfn_blocking); }

 private:
  static void shut_down(void* self);

  napi_threadsafe_function completion_ = nullptr;
  int64_t under_way_ = 0;
};

enum class RunMode { k_sync, k_async };

// Fills environment.bound from `list`, an array of as many typed arrays as the executable binds, for a run of so many
// steps: an input may, a result must hold a part for each of them. False, with an exception pending, where they are not
// of the right types and sizes, or where memory that is written overlaps other memory.
bool bind_buffers(napi_env env, Environment& environment, const Executable& executable, napi_value list, RunMode mode,
                  int64_t steps);

// A failed run as JavaScript sees it: [instruction, position, value, limit].
napi_value make_failure(napi_env env, const Failure& failure);

// Runs on the execution thread with the buffers that environment.bound holds, then calls callback(failure or
// undefined). Throws where the thread cannot be started. The number of the run where it may be aborted, or else 0.
uint32_t submit_run(napi_env env, Environment& environment, std::shared_ptr<Executable> executable, int64_t steps,
                    napi_value callback, bool may_abort);

// Settles a finished run; the environment's completion function.
void finish_run(napi_env env, napi_value function, void* context, void* run);

}  // namespace galvani
