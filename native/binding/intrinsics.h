// Functions of JavaScript's own that the binding relies on, as they were when the addon was loaded: what code does to
// globals and prototypes after that, or to its own objects, changes nothing.
#pragma once

#include "napi.h"

namespace galvani {

class Intrinsics {
 public:
  explicit Intrinsics(Napi::Env env);

  // Whether the memory of an ArrayBuffer may shrink, and so could do while another thread runs on it.
  bool is_resizable(napi_env env, napi_value buffer) const;

  // From here on no transfer takes the memory away: structuredClone and postMessage copy it (Node 20) or refuse. From
  // Node 24 on that is all that there is; before, ArrayBuffer.prototype.transfer and byte streams still take it.
  void pin(napi_env env, napi_value buffer) const;

 private:
  // The getter of ArrayBuffer.prototype.resizable, and markAsUntransferable of worker_threads. Null where there is
  // none.
  napi_ref get_resizable_ = nullptr, mark_ = nullptr;
};

}  // namespace galvani
