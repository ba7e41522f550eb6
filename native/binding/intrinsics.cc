#include "binding/intrinsics.h"

namespace galvani {
namespace {

// A function, so that it can be called later; null for anything else. No exception stays pending.
napi_ref reference_to(napi_env env, const Napi::Value& value) {
  napi_ref reference = nullptr;
  if (!value.IsEmpty() && value.IsFunction()) napi_create_reference(env, value, 1, &reference);
  return reference;
}

Napi::Value member(const Napi::Value& object, const char* name) {
  return object.IsEmpty() || !object.IsObject() ? Napi::Value() : object.As<Napi::Object>().Get(name);
}

Napi::Value call(Napi::Env env, const Napi::Value& receiver, const char* method,
                 std::initializer_list<napi_value> args) {
  const Napi::Value function = member(receiver, method);
  if (function.IsEmpty() || !function.IsFunction()) return {};
  const Napi::Value result = function.As<Napi::Function>().Call(receiver, args);
  if (env.IsExceptionPending()) env.GetAndClearPendingException();
  return result;
}

// One argument for a function without a receiver.
napi_value call_reference(napi_env env, napi_ref reference, napi_value receiver, size_t count, const napi_value* args) {
  napi_value function = nullptr, result = nullptr;
  if (reference == nullptr || napi_get_reference_value(env, reference, &function) != napi_ok) return nullptr;
  return napi_call_function(env, receiver, function, count, args, &result) == napi_ok ? result : nullptr;
}

}  // namespace

Intrinsics::Intrinsics(Napi::Env env) {
  const Napi::Object global = env.Global();
  const Napi::Value prototype = member(global.Get("ArrayBuffer"), "prototype");
  const Napi::Value name = Napi::String::New(env, "resizable");
  const Napi::Value getter = call(env, global.Get("Object"), "getOwnPropertyDescriptor", {prototype, name});
  get_resizable_ = reference_to(env, member(getter, "get"));
  const Napi::Value module_name = Napi::String::New(env, "worker_threads");
  const Napi::Value threads = call(env, global.Get("process"), "getBuiltinModule", {module_name});
  mark_ = reference_to(env, member(threads, "markAsUntransferable"));
}

bool Intrinsics::is_resizable(napi_env env, napi_value buffer) const {
  const napi_value resizable = call_reference(env, get_resizable_, buffer, 0, nullptr);
  bool result = false;
  return resizable != nullptr && napi_get_value_bool(env, resizable, &result) == napi_ok && result;
}

void Intrinsics::pin(napi_env env, napi_value buffer) const { call_reference(env, mark_, buffer, 1, &buffer); }

}  // namespace galvani
