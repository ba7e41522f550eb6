// What JavaScript sees: names, prepare, run, runAsync, abort, profile, release, drain, isIdle, info and the settings.
// Programs are numbers and executables are handles, so no native object is ever wrapped. Only this folder knows
// Node-API.
#include <algorithm>
#include <cmath>
#include <mutex>
#include <string>
#include <utility>

#include "binding/environment.h"
#include "runtime/cpu.h"
#include "runtime/cpu_quota.h"
#include "runtime/system.h"

namespace galvani {

Environment::Environment(Napi::Env env) : intrinsics(env), kernels(choose_kernel_table(nullptr, nullptr)) {
  ThreadPool::instance().retain();
  napi_value name;
  napi_create_string_utf8(env, "galvani", NAPI_AUTO_LENGTH, &name);
  napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, nullptr, finish_run,
                                  &completion_);
  napi_unref_threadsafe_function(env, completion_);
  // Hooks run in reverse order: this one before that of the completion function, which a last run may still call.
  napi_add_env_cleanup_hook(env, shut_down, this);
}

void Environment::shut_down(void* self) {
  static_cast<Environment*>(self)->queue.shut_down();
  ThreadPool::instance().release();
}

void Environment::begin_async(napi_env env) {
  if (under_way_++ == 0) napi_ref_threadsafe_function(env, completion_);
}

void Environment::end_async(napi_env env) {
  if (--under_way_ == 0) napi_unref_threadsafe_function(env, completion_);
}

napi_value make_failure(napi_env env, const Failure& failure) {
  const double parts[] = {static_cast<double>(failure.instruction), static_cast<double>(failure.position),
                          failure.value, static_cast<double>(failure.limit)};
  napi_value list;
  napi_create_array_with_length(env, 4, &list);
  for (uint32_t i = 0; i < 4; ++i) {
    napi_value part;
    napi_create_double(env, parts[i], &part);
    napi_set_element(env, list, i, part);
  }
  return list;
}

namespace {

Environment& environment_of(napi_env env) {
  void* data = nullptr;
  napi_get_instance_data(env, &data);
  return *static_cast<Environment*>(data);
}

Napi::Value fail_type(Napi::Env env, const char* message) {
  Napi::TypeError::New(env, message).ThrowAsJavaScriptException();
  return env.Undefined();
}

Napi::Value fail_range(Napi::Env env, const std::string& message) {
  Napi::RangeError::New(env, message).ThrowAsJavaScriptException();
  return env.Undefined();
}

template <size_t N>
Napi::Array list_of(Napi::Env env, const char* const (&names)[N]) {
  Napi::Array list = Napi::Array::New(env, N);
  for (uint32_t i = 0; i < N; ++i) list.Set(i, names[i]);
  return list;
}

// The names of what a program mentions, each at the index that is its number.
Napi::Value names(const Napi::CallbackInfo& info) {
#define GALVANI_NAME(name) #name,
  const char* const opcodes[] = {GALVANI_OPCODES(GALVANI_NAME)};
  const char* const micro_ops[] = {
#define GALVANI_MICRO_OP(name, arity, kind, nanoseconds, vectors, exact, ulps) #name,
#include "program/micro_ops.inc"
  };
  const char* const dtypes[] = {GALVANI_DTYPES(GALVANI_NAME)};
  const char* const places[] = {GALVANI_PLACES(GALVANI_NAME)};
  const char* const reductions[] = {GALVANI_REDUCTIONS(GALVANI_NAME)};
  const char* const activations[] = {GALVANI_ACTIVATIONS(GALVANI_NAME)};
  const char* const precisions[] = {GALVANI_PRECISIONS(GALVANI_NAME)};
  const char* const distributions[] = {GALVANI_DISTRIBUTIONS(GALVANI_NAME)};
#undef GALVANI_NAME
  const Napi::Env env = info.Env();
  Napi::Object all = Napi::Object::New(env);
  all.Set("opcodes", list_of(env, opcodes));
  all.Set("microOps", list_of(env, micro_ops));
  all.Set("dtypes", list_of(env, dtypes));
  all.Set("places", list_of(env, places));
  all.Set("reductions", list_of(env, reductions));
  all.Set("activations", list_of(env, activations));
  all.Set("precisions", list_of(env, precisions));
  all.Set("distributions", list_of(env, distributions));
  return all;
}

// A typed array whose memory no other thread can change.
bool is_array_of(const Napi::Value& value, napi_typedarray_type type) {
  if (!value.IsTypedArray()) return false;
  const Napi::TypedArray array = value.As<Napi::TypedArray>();
  return array.TypedArrayType() == type && array.ArrayBuffer().IsArrayBuffer();
}

// prepare(words: Int32Array, literals: Uint8Array): a handle.
Napi::Value prepare(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (info.Length() != 2 || !is_array_of(info[0], napi_int32_array) || !is_array_of(info[1], napi_uint8_array)) {
    return fail_type(env, "prepare: expected words (Int32Array) and literals (Uint8Array)");
  }
  const Napi::Int32Array words = info[0].As<Napi::Int32Array>();
  const Napi::Uint8Array literals = info[1].As<Napi::Uint8Array>();
  Environment& environment = environment_of(env);
  PrepareStatus status = PrepareStatus::k_ok;
  std::string error;
  std::shared_ptr<Executable> executable =
      Executable::prepare(words.Data(), static_cast<int64_t>(words.ElementLength()), literals.Data(),
                          static_cast<int64_t>(literals.ByteLength()), *environment.kernels, environment.memory,
                          ThreadPool::instance().threads(), &status, &error);
  if (status == PrepareStatus::k_no_memory) return fail_range(env, "prepare: " + error);
  if (executable == nullptr) {
    napi_throw_error(env, "ERR_MALFORMED_PROGRAM", error.c_str());
    return env.Undefined();
  }
  const uint32_t handle = environment.next_handle++;
  environment.executables.emplace(handle, std::move(executable));
  return Napi::Number::New(env, handle);
}

// The executable of a handle, or null with an exception pending.
std::shared_ptr<Executable> executable_of(napi_env env, Environment& environment, napi_value value) {
  uint32_t handle = 0;
  if (napi_get_value_uint32(env, value, &handle) == napi_ok) {
    const auto found = environment.executables.find(handle);
    if (found != environment.executables.end()) return found->second;
  }
  napi_throw_type_error(env, nullptr, "run: expected the handle of a program that was prepared and not released");
  return nullptr;
}

// run(handle, buffers): undefined, or the failure. Called for each step of a training loop, so without wrappers.
napi_value run(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value arguments[2];
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  Environment& environment = environment_of(env);
  const std::shared_ptr<Executable> executable = executable_of(env, environment, arguments[0]);
  if (executable == nullptr) return nullptr;
  if (!bind_buffers(env, environment, *executable, arguments[1], RunMode::k_sync, 1)) return nullptr;
  environment.queue.drain();
  Failure failure = {};
  if (executable->run(environment.bound.pointers.data(), ThreadPool::instance(), &failure)) return nullptr;
  return make_failure(env, failure);
}

// profile(handle, buffers, nanoseconds: Float64Array): a run that also says how long each instruction took.
Napi::Value profile(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Environment& environment = environment_of(env);
  const std::shared_ptr<Executable> executable = executable_of(env, environment, info[0]);
  if (executable == nullptr) return env.Undefined();
  if (!bind_buffers(env, environment, *executable, info[1], RunMode::k_sync, 1)) return env.Undefined();
  // After the buffers, whose list may have getters that detach it.
  const size_t count = executable->instruction_count();
  if (!is_array_of(info[2], napi_float64_array) || info[2].As<Napi::Float64Array>().ElementLength() != count) {
    return fail_type(env, "profile: expected a Float64Array of as many elements as the program has instructions");
  }
  environment.queue.drain();
  std::vector<double> times(count);
  Failure failure = {};
  void* const* const buffers = environment.bound.pointers.data();
  if (!executable->profile(buffers, ThreadPool::instance(), &failure, times.data())) {
    return {env, make_failure(env, failure)};
  }
  std::copy(times.begin(), times.end(), info[2].As<Napi::Float64Array>().Data());
  return env.Undefined();
}

// How many steps: an argument that may be left out.
bool get_steps(napi_env env, napi_value value, int64_t* steps) {
  constexpr double kMostSteps = 1 << 24;
  napi_valuetype type = napi_undefined;
  napi_typeof(env, value, &type);
  double number = 1;
  if (type != napi_undefined) napi_get_value_double(env, value, &number);
  const bool is_right = (type == napi_undefined || type == napi_number) && number >= 1 && number <= kMostSteps &&
                        number == std::floor(number);
  if (!is_right) napi_throw_range_error(env, nullptr, "runAsync: expected steps, an integer from 1 to 2^24");
  *steps = is_right ? static_cast<int64_t>(number) : 0;
  return is_right;
}

// runAsync(handle, buffers, callback, steps = 1, mayAbort = false): callback(failure or undefined). A number for
// abort().
napi_value run_async(napi_env env, napi_callback_info info) {
  size_t count = 5;
  napi_value arguments[5];
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  Environment& environment = environment_of(env);
  napi_valuetype type = napi_undefined;
  if (napi_typeof(env, arguments[2], &type) != napi_ok || type != napi_function) {
    napi_throw_type_error(env, nullptr, "runAsync: expected a callback");
    return nullptr;
  }
  std::shared_ptr<Executable> executable = executable_of(env, environment, arguments[0]);
  if (executable == nullptr) return nullptr;
  int64_t steps = 1;
  if (!get_steps(env, arguments[3], &steps)) return nullptr;
  if (!bind_buffers(env, environment, *executable, arguments[1], RunMode::k_async, steps)) return nullptr;
  bool may_abort = false;
  napi_get_value_bool(env, arguments[4], &may_abort);
  const uint32_t number = submit_run(env, environment, std::move(executable), steps, arguments[2], may_abort);
  napi_value result = nullptr;
  if (number != 0) napi_create_uint32(env, number, &result);
  return result;
}

// abort(run): the run fails before its next instruction, unless it has begun to write states. One that is settled is
// not known any more.
Napi::Value abort_run(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (info.Length() != 1 || !info[0].IsNumber()) return fail_type(env, "abort: expected the number of a run");
  auto& abortable = environment_of(env).abortable;
  const auto found = abortable.find(info[0].As<Napi::Number>().Uint32Value());
  if (found != abortable.end()) found->second->store(true, std::memory_order_relaxed);
  return env.Undefined();
}

// release(handle): the executable goes once no run of it is under way.
Napi::Value release(const Napi::CallbackInfo& info) {
  if (info.Length() != 1 || !info[0].IsNumber()) return fail_type(info.Env(), "release: expected a handle");
  environment_of(info.Env()).executables.erase(info[0].As<Napi::Number>().Uint32Value());
  return info.Env().Undefined();
}

Napi::Value drain(const Napi::CallbackInfo& info) {
  environment_of(info.Env()).queue.drain();
  return info.Env().Undefined();
}

Napi::Value is_idle(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), environment_of(info.Env()).queue.is_idle());
}

Napi::Value describe(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  int count = 0;
  const KernelTable* const* tables = supported_kernel_tables(&count);
  Napi::Array isas = Napi::Array::New(env, static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) isas.Set(static_cast<uint32_t>(i), tables[i]->isa);
  Napi::Object result = Napi::Object::New(env);
  result.Set("isa", environment_of(env).kernels->isa);
  result.Set("supportedIsas", isas);
  result.Set("threads", ThreadPool::instance().threads());
  result.Set("threadsFrom", ThreadPool::instance().threads_from());
  return result;
}

// setIsa(name): the instruction set of programs that are prepared from here on.
Napi::Value set_isa(const Napi::CallbackInfo& info) {
  if (info.Length() != 1 || !info[0].IsString()) return fail_type(info.Env(), "setIsa: expected a name");
  std::string error;
  const KernelTable* const table = choose_kernel_table(info[0].As<Napi::String>().Utf8Value().c_str(), &error);
  if (table == nullptr) return fail_range(info.Env(), "setIsa: " + error);
  environment_of(info.Env()).kernels = table;
  return info.Env().Undefined();
}

Napi::Value set_num_threads(const Napi::CallbackInfo& info) {
  const double threads = info.Length() == 1 && info[0].IsNumber() ? info[0].As<Napi::Number>().DoubleValue() : 0;
  if (!(threads >= 1 && threads <= kMaxThreads && threads == std::floor(threads))) {
    return fail_range(info.Env(), "setNumThreads: expected an integer from 1 to " + std::to_string(kMaxThreads));
  }
  ThreadPool::instance().set_threads(static_cast<int>(threads));
  return info.Env().Undefined();
}

// configure(): reads GALVANI_ISA, GALVANI_NUM_THREADS and the CPU quota. Throws where one of them is wrong.
Napi::Value configure(const Napi::CallbackInfo& info) {
  std::string error;
  const KernelTable* const table = choose_kernel_table(environment_variable("GALVANI_ISA").c_str(), &error);
  if (table == nullptr) return fail_range(info.Env(), "GALVANI_ISA: " + error);
  const std::string threads = environment_variable("GALVANI_NUM_THREADS");
  const ThreadCount count = default_thread_count(threads.c_str(), cpu_quota(""), &error);
  if (count.threads == 0) return fail_range(info.Env(), error);
  environment_of(info.Env()).kernels = table;
  static std::once_flag first;
  std::call_once(first, [count] { ThreadPool::instance().set_threads(count.threads, count.from); });
  return info.Env().Undefined();
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  stay_loaded();
  Environment* const environment = new Environment(env);
  napi_set_instance_data(
      env, environment, [](napi_env, void* data, void*) { delete static_cast<Environment*>(data); }, nullptr);
  const napi_property_descriptor fast[] = {
      {"run", nullptr, run, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"runAsync", nullptr, run_async, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
  };
  napi_define_properties(env, exports, 2, fast);
  exports.Set("names", Napi::Function::New(env, names));
  exports.Set("configure", Napi::Function::New(env, configure));
  exports.Set("prepare", Napi::Function::New(env, prepare));
  exports.Set("profile", Napi::Function::New(env, profile));
  exports.Set("abort", Napi::Function::New(env, abort_run));
  exports.Set("release", Napi::Function::New(env, release));
  exports.Set("drain", Napi::Function::New(env, drain));
  exports.Set("isIdle", Napi::Function::New(env, is_idle));
  exports.Set("info", Napi::Function::New(env, describe));
  exports.Set("setIsa", Napi::Function::New(env, set_isa));
  exports.Set("setNumThreads", Napi::Function::New(env, set_num_threads));
  return exports;
}

}  // namespace

NODE_API_MODULE(galvani, init)

}  // namespace galvani
